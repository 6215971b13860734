"""The examples in the documentation do what they say."""

import doctest
import re
from pathlib import Path

import pytest
from conftest import ROOT

PACKAGE = ROOT / "python" / "entropylaw"


@pytest.mark.parametrize("name", ["selecting.py", "measuring.py", "_core.pyi"])
def test_docstrings(name: str) -> None:
    examples = doctest.DocTestParser().get_doctest((PACKAGE / name).read_text(), {}, name, name, 0)
    assert examples.examples
    result = doctest.DocTestRunner().run(examples)
    assert result.failed == 0


def test_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pool.jsonl").write_text("".join(f'{{"text": "sample {n} of {n * n}"}}\n' for n in range(40)))
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) >= 2
    exec("import entropylaw\n" + "\n".join(blocks), {})
    assert len((tmp_path / "subset.jsonl").read_text().splitlines()) == 4
