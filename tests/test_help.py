"""What the command line says of itself: help, completion, colours, advice."""

import argparse
import contextlib
import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from entropylaw import cli
from entropylaw.budget import Budget
from entropylaw.cli import main
from entropylaw.cli.advice import ADVISED, UNLABELLED
from entropylaw.cli.config import leaves
from entropylaw.cli.controls import given_controls
from entropylaw.cli.help import COMMON
from entropylaw.cli.options import given
from entropylaw.cli.parser import Parser
from entropylaw.controls import Controls
from entropylaw.methods import method_with

LEAVES = [parser.prog.removeprefix("entropylaw ") for parser in leaves(cli._parser()[1])]


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``pool.jsonl`` in the current directory."""
    monkeypatch.chdir(tmp_path)
    texts = [f"sample {n} of these, {n * n} of those, and so on until sample {n**3} of these" for n in range(40)]
    Path("pool.jsonl").write_text("".join(f'{{"text": "{text}", "source": "s"}}\n' for text in texts))


def parser_of(name: str) -> Parser:
    found = next(parser for parser in leaves(cli._parser()[1]) if parser.prog == f"entropylaw {name}")
    assert isinstance(found, Parser)
    found.complete()
    return found


def help_of(name: str, option: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        cli._parser()[0].parse_args([*name.split(), option])
    assert ended.value.code == 0
    return capsys.readouterr().out


def longest(actions: "list[argparse.Action]") -> list[str]:
    return [max(action.option_strings, key=len) for action in actions if action.option_strings]


def shown(text: str) -> list[str]:
    """The options that help lists, in its order, by the longest of their names."""
    entries = re.findall(r"^  (-.*)$", text, re.MULTILINE)
    return [max(re.findall(r"(?:^|, )(-[\w-]+)", entry), key=len) for entry in entries]


@pytest.mark.parametrize("name", LEAVES)
def test_help_all_has_every_option(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = [action for action in parser_of(name)._actions if action.help != argparse.SUPPRESS]
    assert sorted(shown(help_of(name, "--help-all", capsys))) == sorted(longest(options))


@pytest.mark.parametrize("name", COMMON)
def test_help_has_the_common_options_first(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    by_name = {action.dest: action for action in reversed(parser_of(name)._actions)}
    text = help_of(name, "--help", capsys)
    assert shown(text) == [*longest([by_name[option] for option in COMMON[name]]), "--help", "--help-all"]
    everything = help_of(name, "--help-all", capsys)
    rest = len(shown(everything)) - len(shown(text))
    assert f"and {rest} more: --help-all" in text
    for action in by_name.values():
        assert not action.required or max(action.option_strings or [str(action.metavar)]) in text


def test_select_has_eleven_common_options() -> None:
    assert len(COMMON["select"]) == 11


@pytest.mark.parametrize("name", [name for name in LEAVES if name not in COMMON])
def test_short_help_is_all_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert help_of(name, "--help", capsys) == help_of(name, "--help-all", capsys)
    assert len(shown(help_of(name, "--help", capsys))) <= 13


UNKNOWN = {
    "select p.jsonl -o o.jsonl --budget 5 --lenght-band 50:": "select: --lenght-band 50:; did you mean --length-band?",
    "select p.jsonl -o o.jsonl --budget 5 --buget=6": "select: --buget=6; did you mean --budget?",
    "select p.jsonl -o o.jsonl --budget 5 q.jsonl": "select: q.jsonl; name every POOL in one place, with no option "
    "between them",
    "config select p.jsonl --sedd 3": "select: --sedd 3; did you mean --seed?",
    "ratio p.jsonl --nothing": "ratio: --nothing; --help-all lists what there is",
    "show p.jsonl --nothing": "show: --nothing; --help lists what there is",
    "law check --law law.json --R 2 --lowg l.csv": "law check: --lowg l.csv; did you mean --log?",
    "law fit runs.csv more.csv": "law fit: more.csv",
    "replay a.manifest.json b.manifest.json": "replay: b.manifest.json",
}


@pytest.mark.parametrize("command", UNKNOWN)
def test_what_is_unknown_is_told_by_its_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(command.split())
    assert ended.value.code == 2
    name, _, said = UNKNOWN[command].partition(": ")
    *usage, error = capsys.readouterr().err.splitlines()
    assert error == f"entropylaw {name}: error: unrecognized arguments: {said}"
    assert usage[0].startswith(f"usage: entropylaw {name} ")


def examples() -> list[str]:
    """The commands that help shows, after its options."""
    told = "\n".join(parser.epilog or "" for parser in leaves(cli._parser()[1]))
    told = re.sub(r" *\\\n *", " ", told)
    return re.findall(r"^  entropylaw (.*)$", told, re.MULTILINE)


@pytest.mark.parametrize("command", [line for line in examples() if not line.startswith("completion")])
def test_examples_of_help_are_commands(command: str) -> None:
    """They are understood, names of files aside; ``select``'s are of options that go together."""
    arguments = cli._parser()[0].parse_args(shlex.split(command))
    if command.startswith("select"):
        method = method_with(arguments.method, given(arguments))
        method.check()
        Controls(**given_controls(arguments)).check(Budget.parse(arguments.budget))


def completions(words: list[str], script: str) -> set[str]:
    """What bash offers for the last of these words."""
    function = re.search(r"complete .*-F (\w+) entropylaw", script)
    assert function
    ask = (
        f'COMP_WORDS=(entropylaw "${{@}}"); COMP_CWORD={len(words)}; {function[1]}; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run(
        ["bash", "-c", f"{script}\n{ask}", "bash", *words], check=True, capture_output=True, text=True
    )
    return set(done.stdout.split())


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["sel"], {"select"}),
        (["law", ""], {"fit", "predict", "check", "loss"}),
        (["select", "--len"], {"--length-band"}),
        (["select", "--method", ""], {"zip", "coverage", "random", "top"}),
        (["ratio", "--qui"], {"--quick", "--quiet"}),
        (["select", "-o", "poo"], {"pool.jsonl"}),
    ],
)
def test_bash_completes(words: list[str], expected: set[str], pool: None, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("shtab")
    assert main(["completion", "bash"]) == 0
    found = completions(words, capsys.readouterr().out)
    assert found >= expected
    assert all(word.startswith(words[-1]) for word in found)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("shtab")
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for name in LEAVES:
        assert name.split()[-1] in script
    assert "length-band" in script
    if program := shutil.which(shell):
        subprocess.run([program, "-n"], input=script, text=True, check=True)


def test_completion_says_what_it_needs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 2
    assert capsys.readouterr().err.endswith("pip install 'entropylaw[completion]'\n")


def said_to_a_terminal(arguments: list[str], monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    """What a command writes to its standard error, a terminal."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in ({"TERM": "xterm"} | environment).items():
        monkeypatch.setenv(name, value)
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        with contextlib.suppress(SystemExit):
            main(arguments)
        # The end is seen because it is written; the terminal forgets what is read after it has closed.
        print("(end)", file=terminal, flush=True)
        said = b""
        while not said.endswith(b"(end)\r\n"):
            said += os.read(ours, 4096)
    os.close(ours)
    return said.decode().removesuffix("(end)\r\n").replace("\r\n", "\n")


WRONG = {
    "an input": (["ratio", "no.jsonl"], "entropylaw:"),
    "the command line": (["ratio", "--nothing"], "entropylaw ratio: error:"),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_errors_have_a_colour_on_terminals(
    wrong: str, environment: dict[str, str], coloured: bool, pool: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments, head = WRONG[wrong]
    said = said_to_a_terminal(arguments, monkeypatch, **environment)
    assert head in said
    assert (f"\x1b[1;31m{head}\x1b[0m " in said) == coloured
    assert coloured or "\x1b[1" not in said


@pytest.mark.parametrize("wrong", WRONG)
def test_errors_have_no_colour_elsewhere(wrong: str, pool: None, capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.suppress(SystemExit):
        assert main(WRONG[wrong][0]) == 2
    said = capsys.readouterr()
    assert WRONG[wrong][1] in said.err
    assert "\x1b" not in said.err + said.out


def test_a_terminal_is_told_at_once_that_work_begins(pool: None, monkeypatch: pytest.MonkeyPatch) -> None:
    said = said_to_a_terminal(["ratio", "pool.jsonl"], monkeypatch)
    assert said.startswith("\rstarting ...\x1b[K")
    assert said_to_a_terminal(["ratio", "pool.jsonl", "-q"], monkeypatch) == ""


@pytest.mark.parametrize(
    ("options", "advised"),
    [
        ([], True),
        (["--seed", "1"], None),
        (["-q"], False),
        (["--method", "zip"], False),
        (["--preset", "paper"], False),
        (["--method", "coverage"], False),
        (["--config", "run.toml"], False),
    ],
)
def test_who_names_no_method_is_advised(
    options: list[str], advised: bool | None, pool: None, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("run.toml").write_text('method = "zip"\n')
    code = main(["select", "pool.jsonl", "-o", "out.jsonl", "--budget", "5", *options])
    said = capsys.readouterr()
    if advised is None:  # An option of another method is wrong, and nothing was selected.
        assert code == 2
        return
    assert code == 0
    assert said.err.count("no --method") == advised
    assert "no --method" not in said.out


@pytest.mark.parametrize("advice", [ADVISED, UNLABELLED])
def test_the_advice_is_that_of_the_documentation(advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = re.sub(r" *\\\n *", " ", (ROOT / "docs" / "which-method.md").read_text())
    assert advice in page
    assert any(f"{example} ".endswith(f" {advice} ") for example in examples())
    monkeypatch.chdir(tmp_path)
    texts = [f"Line {n} of the report has the number {n * 7919}, and line {n + 1} has {n * 9973}." for n in range(200)]
    Path("pool.jsonl").write_text("".join(json.dumps({"text": text * 2, "source": "web"}) + "\n" for text in texts))
    assert main(["select", "pool.jsonl", "-o", "out.jsonl", "--budget", "5", "-q", *advice.split()]) == 0
    assert Path("out.jsonl").read_text().count("\n") == 5
