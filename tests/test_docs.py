"""The examples in the documentation do what they say."""

import ast
import doctest
import re
from pathlib import Path

import pytest

from conftest import ROOT

PACKAGE = ROOT / "python" / "entropylaw"


@pytest.mark.parametrize(
    "name", ["scoring.py", "selecting.py", "measuring.py", "comparing.py", "law/law.py", "_core.pyi"]
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


def test_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pool.jsonl").write_text("".join(f'{{"text": "sample {n} of {n * n}"}}\n' for n in range(40)))
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) >= 2
    exec("import entropylaw\n" + "\n".join(blocks), {})
    assert len((tmp_path / "subset.jsonl").read_text().splitlines()) == 4
    (outputs,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "outputs.md").read_text(), re.DOTALL)
    exec(outputs, {})
