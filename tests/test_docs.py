"""The examples in the documentation do what they say."""

import ast
import doctest
import inspect
import json
import re
import shlex
from pathlib import Path

import pytest

import entropylaw
from conftest import ROOT
from entropylaw import _core
from entropylaw.cli import main

PACKAGE = ROOT / "python" / "entropylaw"


@pytest.mark.parametrize(
    "name",
    [
        "scoring.py",
        "selecting.py",
        "results.py",
        "selector.py",
        "measuring.py",
        "comparing.py",
        "law/law.py",
        "_core.pyi",
    ],
)
def test_docstrings(name: str) -> None:
    tree = ast.parse((PACKAGE / name).read_text())
    documented = (
        ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.FunctionDef)
    )
    examples = [doctest.DocTestParser().get_doctest(text or "", {}, name, name, 0) for text in documented]
    results = [doctest.DocTestRunner().run(example) for example in examples]
    assert sum(result.attempted for result in results) > 0
    assert sum(result.failed for result in results) == 0


COMPILED = {
    node.name: node
    for node in ast.parse((PACKAGE / "_core.pyi").read_text()).body
    if isinstance(node, ast.ClassDef) and getattr(entropylaw, node.name, None) is getattr(_core, node.name)
}
"""What is compiled and public, as the stub has it."""


@pytest.mark.parametrize("name", COMPILED)
def test_help_on_what_is_compiled_says_what_its_stub_says(name: str) -> None:
    found, stub = getattr(entropylaw, name), COMPILED[name]
    assert inspect.getdoc(found) == ast.get_docstring(stub)
    members = [node for node in stub.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("__")]
    assert members
    for node in members:
        documented = ast.get_docstring(node)
        assert documented, node.name
        assert inspect.getdoc(getattr(found, node.name)) == documented


def test_help_on_the_sizer_runs() -> None:
    texts = {"Sizer": entropylaw.Sizer.__doc__} | {
        name: inspect.getdoc(getattr(entropylaw.Sizer, name)) for name in ("append", "probe", "size")
    }
    for name, text in texts.items():
        example = doctest.DocTestParser().get_doctest(text or "", {}, name, name, 0)
        result = doctest.DocTestRunner().run(example)
        assert result.attempted > 0, name
        assert result.failed == 0, name


def test_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pool.jsonl").write_text("".join(f'{{"text": "sample {n} of {n * n}"}}\n' for n in range(40)))
    (tmp_path / "dev.jsonl").write_text("".join(f'{{"text": "sample of {n}"}}\n' for n in range(40)))
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) >= 2
    exec("import entropylaw\n" + "\n".join(blocks), {})
    assert len((tmp_path / "subset.jsonl").read_text().splitlines()) == 4
    for outputs in re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "outputs.md").read_text(), re.DOTALL):
        exec(outputs, {})
    (own,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "own-methods.md").read_text(), re.DOTALL)
    (said,) = re.findall(r"It prints `(.*?)`", (ROOT / "docs" / "own-methods.md").read_text())
    capsys.readouterr()
    exec(own, {"__name__": "own"})
    assert capsys.readouterr().out == f"{said}\n"


def write_inputs(directory: Path) -> None:
    """The files that the pages on measuring, the law, reports and targets speak of."""
    library = re.findall(r"\S+\s*", "".join(path.read_text() for path in sorted(PACKAGE.glob("*.py"))))
    records = [
        json.dumps({"text": "".join(library[n : n + 30]), "source": f"s{n % 7}"}) for n in range(0, len(library), 30)
    ]
    for name, share in (
        ("pool", 1.0),
        ("data", 1.0),
        ("new", 0.9),
        ("v1", 0.5),
        ("v2", 0.6),
        ("v3", 0.3),
        ("dev", 0.2),
    ):
        rows = records[: round(share * len(records))]
        (directory / f"{name}.jsonl").write_text("\n".join(rows) + "\n")
    runs = [f"run {n},{2.4 + n / 20},{1.4 - n / 50 + n % 3 / 99},{6 - n / 25 + n % 4 / 99}" for n in range(12)]
    (directory / "runs.csv").write_text("\n".join(["name,R,L,Z", *runs]) + "\n")
    log = directory / "output" / "checkpoint-500" / "trainer_state.json"
    log.parent.mkdir(parents=True)
    entries = [{"step": 10 * n, "loss": 1.4 - n / 200, "epoch": n / 80} for n in range(1, 51)]
    log.write_text(json.dumps({"log_history": entries}))


@pytest.mark.parametrize("page", ["measuring", "entropy-law", "report", "targets"])
def test_pages(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command, and the Python that needs no trainer, as pasted."""
    if page not in ("measuring", "targets"):
        pytest.importorskip("scipy", reason="the law is fitted with scipy")
        pytest.importorskip("vl_convert", reason="reports are drawn by vl-convert-python")
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path)
    blocks = re.findall(r"```(\w*)\n(.*?)```", (ROOT / "docs" / f"{page}.md").read_text(), re.DOTALL)
    lines = [line for kind, block in blocks if not kind for line in block.splitlines()]
    commands = [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("entropylaw ")]
    assert commands
    for arguments in commands:
        assert main(arguments) in ((0, 3) if arguments[:2] == ["law", "check"] else (0,)), arguments
    names = {"entropylaw": entropylaw, "R": [2, 3, 4, 5], "L": [1.5, 1.4, 1.1, 1.2], "Z": [6, 5, 4.2, 3.1]}
    given = dict.fromkeys(("backbones", "stages"), ["a"] * 4)
    for kind, block in blocks:
        if kind == "python" and "Trainer(" not in block:
            (tmp_path / "law.json").unlink(missing_ok=True)
            (tmp_path / "report.html").unlink(missing_ok=True)
            exec(block, {**names, **given})
