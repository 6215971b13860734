"""Options from a file."""

import argparse
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entropylaw import cli
from entropylaw.cli import config, main


@pytest.fixture(autouse=True)
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``pool.jsonl`` in the current directory."""
    monkeypatch.chdir(tmp_path)
    Path("pool.jsonl").write_text("".join(json.dumps({"text": f"sample {n} of {n * n}"}) + "\n" for n in range(30)))


def write(text: str) -> list[str]:
    Path("run.toml").write_text(text)
    return ["--config", "run.toml"]


def effective(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["config", *arguments]) == 0
    return tomllib.loads(capsys.readouterr().out)


def test_a_file_is_as_good_as_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    settings = write(
        'pool = "pool.jsonl"\noutput = "out.jsonl"\nbudget = 7\nk1 = 20\nk2 = 10\nk3 = 5\nsort = "input"\n'
        'add_columns = ["rank"]\nquiet = true\n'
    )
    assert main(["select", *settings]) == 0
    options = ["--k1", "20", "--k2", "10", "--k3", "5", "--sort", "input", "--add-columns", "rank", "-q"]
    assert main(["select", "pool.jsonl", "-o", "same.jsonl", "--budget", "7", *options]) == 0
    assert Path("out.jsonl").read_bytes() == Path("same.jsonl").read_bytes()
    assert len(Path("out.jsonl").read_text().splitlines()) == 7


def test_the_command_line_goes_first(capsys: pytest.CaptureFixture[str]) -> None:
    settings = write('pool = ["no.jsonl"]\nbudget = "10%"\nk1 = 20\nforce = true\nmethod = "coverage"\n')
    assert effective(capsys, "select", *settings) | {"output": "x"} == {
        **effective(capsys, "select"),
        "pool": ["no.jsonl"],
        "budget": "10%",
        "k1": 20,
        "force": True,
        "method": "coverage",
        "output": "x",
    }
    found = effective(
        capsys, "select", "a", "b", *settings, "--budget", "3", "--k1=30", "--no-force", "--method", "zip"
    )
    assert (found["pool"], found["budget"], found["k1"], found["force"]) == (["a", "b"], "3", 30, False)
    assert found["method"] == "zip"
    settings = write('law = "law.json"\nR = 2\nlevel = 1\n')
    found = effective(capsys, "law", "check", *settings, "--data", "new.jsonl")
    assert found["data"] == ["new.jsonl"]
    assert "R" not in found, "only one of them may be given"
    assert found["level"] == 1.0


def leaves() -> list[tuple[list[str], argparse.ArgumentParser]]:
    def inside(names: list[str], parser: argparse.ArgumentParser) -> list[tuple[list[str], argparse.ArgumentParser]]:
        inner = config._commands_of(parser)
        if inner is None:
            return [(names, parser)] if names != ["config"] else []
        return [leaf for name, sub in inner.choices.items() for leaf in inside([*names, name], sub)]

    return inside([], cli._parser()[0])


def accepted(kind: Any, text: str) -> bool:
    try:
        kind(text)
    except (ValueError, argparse.ArgumentTypeError):
        return False
    return True


def value_for(action: argparse.Action) -> Any:
    if action.nargs == 0:
        return True
    value: Any = {int: 7, float: 0.5}.get(action.type, "rank")  # type: ignore[arg-type]
    if action.choices:
        value = next(iter(action.choices))
    elif callable(action.type) and value == "rank":
        value = next(text for text in ("rank", "auto", "1", "1MB", "a=1", "a>=1") if accepted(action.type, text))
    return [value] if action.nargs in ("+", "*") else value


@pytest.mark.parametrize("names", [names for names, _ in leaves()], ids=" ".join)
def test_every_option_of_every_command(names: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever options a command has, a file can set each, and what is printed is read again."""
    parser = next(parser for others, parser in leaves() if others == names)
    help_options = set(re.findall(r"--([\w-]+)", parser.format_usage())) - {"help", "config"}
    options = config._options(parser)
    assert help_options <= {name for action in options.values() for name in map(_plain, action.option_strings)}
    for key, action in options.items():
        value = value_for(action)
        settings = write(f"{key} = {config._toml(value)}\n")
        found = effective(capsys, *names, *settings)
        if key == "storage-option":
            assert key not in found
        else:
            assert found[key] == (["rank"] if key == "add-columns" else value), key
        again = write("".join(f"{key} = {config._toml(value)}\n" for key, value in found.items()))
        assert effective(capsys, *names, *again) == found


def _plain(option: str) -> str:
    return option.lstrip("-")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("buget = 3", "run.toml: 'buget' is no option of `entropylaw select`; did you mean 'budget'?"),
        ("zzz = 3", "'zzz' is no option of `entropylaw select`; there are pool, "),
        ("config = 'x'", "'config' is no option"),
        ("k1 = 'many'", "run.toml: k1 is text (many); it must be a whole number"),
        ("k1 = 1.5", "run.toml: k1 is a number (1.5); it must be a whole number"),
        ("k1 = true", "run.toml: k1 is a boolean (True); it must be a whole number"),
        ("gamma = [1]", "run.toml: gamma is a list ([1]); it must be a number or a whole number"),
        ("force = 1", "run.toml: force is a whole number (1); it must be a boolean"),
        ("output = 3", "run.toml: output is a whole number (3); it must be text"),
        ("budget = false", "run.toml: budget is a boolean (False); it must be text or a whole number or a number"),
        ("pool = [1]", "run.toml: pool is a whole number (1); it must be text"),
        ("method = 'zap'", "run.toml: method is 'zap'; it must be one of 'zip', 'coverage', 'random', 'top'"),
        ("[k1]\na = 1", "run.toml: k1 is a table"),
        ("k1 = 2026-01-01", "run.toml: k1 is a date or time"),
        ("k1 = 1\nk1 = 2", "run.toml: is not TOML: a key is there twice; give it once"),
        ("group-by = 'a'\ngroup_by = 'b'", "'group-by' and 'group_by' are the same option"),
        ("k1 = ", "run.toml: is not TOML: invalid value"),
    ],
)
def test_files_that_do_not_fit(text: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    settings = write(text)
    for arguments in (["select", *settings], ["config", "select", *settings]):
        assert main(arguments) == 2
        said = capsys.readouterr().err
        assert said.startswith("entropylaw: ") and said.count("\n") == 1
        assert message in said


def test_files_that_are_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["select", "--config", "none.toml"]) == 2
    assert "none.toml: cannot be read: No such file" in capsys.readouterr().err
    Path("run.toml").write_bytes(b'field = "\xff"')
    assert main(["select", "--conf", "run.toml"]) == 2
    assert "run.toml: is not UTF-8" in capsys.readouterr().err
    assert main(["config"]) == 2
    assert "name a command" in capsys.readouterr().err
    assert main(["config", "law"]) == 2


def test_what_is_required_still_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["select", *write("budget = 3")])
    assert "required: POOL, -o/--output" in capsys.readouterr().err


values = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(st.characters(exclude_categories=["Cs"])),
    st.lists,
    max_leaves=5,
)


@given(values)
def test_toml(value: Any) -> None:
    assert str(tomllib.loads(f"x = {config._toml(value)}")["x"]) == str(value)


def test_a_mark_at_the_start_of_a_file_is_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    Path("run.toml").write_text("budget = 7\n", encoding="utf-8-sig")
    assert effective(capsys, "select", "--config", "run.toml")["budget"] == "7"
