"""Files that anybody may have written, changed anywhere: manifests, checkpoints, laws, options.

Each is read, or refused in one line; no file is written or removed because of it.
"""

import copy
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import entropylaw
from entropylaw import EntropyLaw, EntropyLawError
from entropylaw.cli import main
from entropylaw.cli.config import _toml

RECORDS = [{"text": f"the cat {n * n} sat on {n}", "source": "ab"[n % 2], "n": n % 4} for n in range(30)]

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 40)
    | st.sampled_from([2**31, 2**63, 2**64, 2**70, -(2**70), 10**400])
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        [
            "victim",
            "victim/journal",
            "../victim",
            "pool.jsonl",
            "known.jsonl",
            "how.jinja",
            "/dev/zero",
            "-",
            "*",
            "a\0b",
            "\udcff",
            "line\nline",
            "\x1b[2J",
            "zip",
            "coverage",
            "reference",
            "text",
            "repr",
            "{{ text }}",
            "{{",
            "n",
            "array",
            "object",
            "data",
            "file",
            "<f8",
            "|O",
            "10%",
            "9" * 5000,
        ]
    )
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    ["checkpoint", "resume", "memory", "threads", "progress", "pool", "anchor", "tokens", "type", "name", "k1", "\n"]
) | st.text(max_size=5)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to every node."""
    yield at
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*at, key))


@st.composite
def mutations(draw: st.DrawFn, value: Any) -> Any:
    """``value`` with one to three nodes replaced, removed, moved or added, anywhere."""
    value = copy.deepcopy(value)
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        ways = list(places(value))
        way = draw(st.sampled_from(ways))
        new = draw(values)
        if draw(st.booleans()) and ways:
            new = value
            for key in draw(st.sampled_from(ways)):
                new = new[key]
            new = copy.deepcopy(new)
        if not way:
            if draw(st.integers(0, 9)) == 0:
                value = new
            elif isinstance(value, dict):
                value[draw(names)] = new
            continue
        parent = value
        for key in way[:-1]:
            parent = parent[key]
        action = draw(st.sampled_from(["replace", "remove", "add"]))
        node = parent[way[-1]]
        if action == "remove":
            del parent[way[-1]]
        elif action == "add" and isinstance(node, dict):
            node[draw(names)] = new
        elif action == "add" and isinstance(node, list):
            node.append(new)
        else:
            parent[way[-1]] = new
    return value


def everything(directory: Path) -> dict[str, Any]:
    """Names, contents and times of all files."""
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in directory.rglob("*")
    }


def check(attempt: Callable[[], object], directory: Path) -> None:
    """An attempt is refused in one line or works, and no file is touched."""
    before = everything(directory)
    try:
        attempt()
    except EntropyLawError as error:
        said = str(error)
        assert said
        assert len(said.splitlines()) == 1
    assert everything(directory) == before


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A pool, an anchor, a directory that is to stay as it is, and a template, in the current directory."""
    directory = tmp_path_factory.mktemp("here")
    before = Path.cwd()
    os.chdir(directory)
    try:
        Path("pool.jsonl").write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
        Path("known.jsonl").write_text("".join(json.dumps(record) + "\n" for record in RECORDS[:3]))
        Path("victim").mkdir()
        Path("victim/journal").write_text("mine")
        Path("how.jinja").write_text("{{ text }}")
        yield directory
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def manifests(here: Path) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = [
        {"k1": 20, "k2": 9, "k3": 4, "quota": {"a": "20%"}, "min_score": {"n": 1}, "length_band": (5, None)},
        {"method": "coverage", "weight": [1.0 + n % 3 for n in range(30)], "anchor": "known.jsonl", "dedupe": False},
        {"preset": "reference", "k1": 20, "k2": 9, "k3": 4},
        {"budget": "12 tokens", "tokens": "n", "render": "json", "anchor": [1, 2]},
    ]
    found = []
    for number, how in enumerate(runs):
        entropylaw.select("pool.jsonl", **{"budget": 6, **how}).save(f"out-{number}.jsonl")
        found.append(json.loads(Path(f"out-{number}.jsonl.manifest.json").read_text()))
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_a_manifest_changed_anywhere(here: Path, manifests: list[dict[str, Any]], data: st.DataObject) -> None:
    changed = data.draw(mutations(data.draw(st.sampled_from(manifests))))
    Path("changed.manifest.json").write_text(json.dumps(changed))
    check(lambda: entropylaw.replay("changed.manifest.json", threads=1), here)


@given(st.data())
def test_a_checkpoint_changed_anywhere(here: Path, data: st.DataObject) -> None:
    how: dict[str, Any] = {"budget": 6, "k1": 20, "k2": 9, "k3": 4, "anchor": [1, 2], "threads": 1}
    work = here / "work"
    if not work.exists():
        entropylaw.select("pool.jsonl", **how, checkpoint="kept")
        shutil.copytree("kept", "work")
    header = Path("work/checkpoint.json")
    original = Path("kept/checkpoint.json").read_text()
    changed = data.draw(mutations(json.loads(original)))
    if told(changed) == told(json.loads(original)):
        return
    header.write_text(json.dumps(changed))

    def resume() -> None:
        with pytest.raises(EntropyLawError) as error:
            entropylaw.select("pool.jsonl", **how, checkpoint="work", resume=True)
        raise error.value

    check(resume, here)


def told(header: Any) -> str:
    """What a checkpoint says of its selection; a parameter that is null is not given."""
    if isinstance(header, dict) and isinstance(parameters := header.get("parameters"), dict):
        header = {**header, "parameters": {key: value for key, value in parameters.items() if value is not None}}
    return json.dumps(header, sort_keys=True)


@pytest.fixture(scope="module")
def laws(here: Path) -> list[dict[str, Any]]:
    chooser = np.random.default_rng(1)
    R = np.linspace(1.5, 4.5, 12)
    L = 3 - R / 3 + chooser.normal(0, 0.1, 12)
    Z = 9 - R + chooser.normal(0, 0.1, 12)
    EntropyLaw().fit(R, None, Z).save("law-0.json")
    EntropyLaw(codec="zstd").fit(R, L, Z, backbone=["a", "b"] * 6).save("law-1.json")
    return [json.loads(Path(f"law-{number}.json").read_text()) for number in range(2)]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_law_changed_anywhere(here: Path, laws: list[dict[str, Any]], data: st.DataObject) -> None:
    changed = data.draw(mutations(data.draw(st.sampled_from(laws))))
    Path("changed-law.json").write_text(json.dumps(changed))

    def use() -> None:
        law = EntropyLaw.load("changed-law.json")
        law.summary()
        for group in law.by_R.groups:
            law.predict([2.0, 9.0], group=group)
            if law.by_R_and_L is not None:
                law.predict([2.0], [1.0], group=group)
                law.predict_L([2.0], group=group)

    check(use, here)


def test_a_law_does_not_read_a_template(here: Path, laws: list[dict[str, Any]]) -> None:
    for name in ("how.jinja", "none.j2", "/etc/x.JINJA2"):
        changed = laws[0] | {"measurement": laws[0]["measurement"] | {"render": name}}
        Path("changed-law.json").write_text(json.dumps(changed))
        with pytest.raises(EntropyLawError) as error:
            EntropyLaw.load("changed-law.json")
        assert str(error.value) == (
            f"changed-law.json: is a damaged law: render is {name!r}, a file; a law holds the text of a template; fit "
            "it anew"
        )
    text = "{{ text }} of how.jinja"
    changed = laws[0] | {"measurement": laws[0]["measurement"] | {"render": text}}
    Path("changed-law.json").write_text(json.dumps(changed))
    assert EntropyLaw.load("changed-law.json").measurement.render == text


OPTIONS = {
    "pool": ["pool.jsonl"],
    "field": "text",
    "codecs": "zlib",
    "threads": 1,
    "quick": True,
    "on_error": "raise",
    "memory": "1MB",
    "render": "text",
    "json": False,
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_options_changed_anywhere(here: Path, capsys: pytest.CaptureFixture[str], data: st.DataObject) -> None:
    options = data.draw(mutations(OPTIONS))
    if not isinstance(options, dict):
        return
    # Reports are outputs, and an option may ask for one.
    kept = {key: value for key, value in options.items() if key not in ("report", "plot") and "\0" not in key}
    lines = [f"{json.dumps(key, ensure_ascii=False)} = {toml(value)}\n" for key, value in kept.items()]
    text = "".join(lines).replace("\x7f", "\\u007f")
    Path("run.toml").write_bytes(text.encode(errors="replace"))
    before = everything(here)
    for command in (["config", "ratio", "--config", "run.toml"], ["ratio", "--config", "run.toml", "-q"]):
        capsys.readouterr()
        code = main_or_usage(command)
        assert code in (0, 2), text
        said = capsys.readouterr().err
        assert "Traceback" not in said
        assert code == 0 or said
    assert everything(here) == before


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return _toml("" if value is None else value)


def main_or_usage(command: list[str]) -> int:
    try:
        return main(command)
    except SystemExit as error:
        assert error.code == 2
        return 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"k1 = " + b"9" * 5000, "has a number of more digits than Python reads"),
        (b"k1 = " + b"[" * 100_000, "is nested too deeply to be read as TOML"),
        (b"gamma = 1" + b"0" * 400, "gamma is too large a number"),
        (b"k1 = 'two\\nlines'", "k1 is text (two\\nlines); it must be a whole number"),
        (b'k1 = "two\\nlines"', "k1 is text (two\\nlines); it must be a whole number"),
        (b"\xff = 1", "is not UTF-8; save it as that"),
    ],
)
def test_options_that_python_can_not_read(
    here: Path, text: bytes, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("run.toml").write_bytes(text)
    assert main(["select", "--config", "run.toml"]) == 2
    where = "run.toml: "
    assert capsys.readouterr().err == f"entropylaw: {where}{message}\n"
