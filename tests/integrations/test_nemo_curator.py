"""The example for NeMo Curator, on Ray; `make test-integrations` runs this."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import entropylaw
from conftest import ROOT

pytest.importorskip("nemo_curator.pipeline", reason="`make test-integrations` installs NeMo Curator")
pytest.importorskip("ray")

RECORDS = [
    {"text": f"the cat sat on mat {n % 5} and {n}" + " and on" * (n % 7), "key": f"r{n}", "source": "ab"[n % 2]}
    for n in range(60)
]


@pytest.mark.parametrize("how", [{"budget": 9, "method": "coverage"}, {"budget": "20%", "method": "random", "seed": 3}])
def test_the_records_are_those_of_select(how: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "examples" / "nemo_curator"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "examples" / "nemo_curator"))
    from select_workflow import SelectWorkflow

    source = tmp_path / "in"
    source.mkdir()
    for number, (start, end) in enumerate([(0, 7), (7, 40), (40, 60)]):
        lines = [json.dumps(record) for record in RECORDS[start:end]]
        (source / f"{number}.jsonl").write_text("\n".join(lines) + "\n")
    result = SelectWorkflow(source, tmp_path / "out", **how).run()
    found = [json.loads(line) for path in (tmp_path / "out").glob("*.jsonl") for line in path.open()]
    wanted: Any = entropylaw.select(RECORDS, **how)
    assert sorted(record["key"] for record in found) == sorted(RECORDS[row]["key"] for row in wanted.rows.tolist())
    by_key = {record["key"]: record for record in RECORDS}
    assert all(record == by_key[record["key"]] for record in found)
    assert result.get_metadata("selected") == len(wanted)
    assert "torch" not in sys.modules
