"""The blocks for datatrove, in its own executor; `make test-integrations` runs this."""

import json
from pathlib import Path
from typing import Any

import pytest

import entropylaw
from entropylaw import EntropyLawError

pytest.importorskip("datatrove", reason="`make test-integrations` installs datatrove")

from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.filters import LambdaFilter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

from entropylaw.integrations.datatrove import Collect, Keep, Select

DOCUMENTS: list[dict[str, Any]] = [
    {
        "text": f"the cat sat on mat {n % 5} and {n}" + " and on" * (n % 7),
        "id": f"d{n}",
        "metadata": {"score": n % 4, "source": "ab"[n % 2]},
    }
    for n in range(60)
]
SHARDS = [DOCUMENTS[:7], DOCUMENTS[7:40], DOCUMENTS[40:]]


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Three files of documents."""
    folder = tmp_path / "raw"
    folder.mkdir()
    for number, shard in enumerate(SHARDS):
        lines = [json.dumps({**document["metadata"], **document} | {"metadata": {}}) for document in shard]
        (folder / f"{number}.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def run(directory: Path, raw: Path, tasks: int, before: tuple[Any, ...] = (), **options: Any) -> list[dict[str, Any]]:
    """The three blocks, one after the other; the chosen documents."""
    work = {name: str(directory / name) for name in ("documents", "picks", "chosen", "left", "logs")}

    def stage(name: str, *blocks: Any, tasks: int = tasks, depends: Any = None) -> LocalPipelineExecutor:
        logs = f"{work['logs']}/{name}"
        return LocalPipelineExecutor([*blocks], tasks=tasks, logging_dir=logs, depends=depends)

    collect = stage("collect", JsonlReader(str(raw)), *before, Collect(work["documents"]))
    select = stage("select", Select(work["documents"], work["picks"], **options), tasks=1, depends=collect)
    left = JsonlWriter(work["left"], compression=None)
    keep = Keep(work["picks"], exclusion_writer=left)
    chosen = JsonlWriter(work["chosen"], compression=None)
    stage("keep", JsonlReader(str(raw)), *before, keep, chosen, depends=select).run()
    found = []
    for path in sorted(Path(work["chosen"]).glob("*.jsonl")):
        found += [json.loads(line) for line in path.read_text().splitlines()]
    dropped = [line for path in Path(work["left"]).glob("*.jsonl") for line in path.read_text().splitlines()]
    assert len(found) + len(dropped) == len(
        [d for d in DOCUMENTS if all(f.filter_function(document(d)) for f in before)]
    )
    return found


def document(of: dict[str, Any]) -> Document:
    return Document(text=of["text"], id=of["id"], metadata=dict(of["metadata"]))


HOW: list[dict[str, Any]] = [
    {"budget": 9},
    {"budget": "300B", "method": "coverage"},
    {"budget": "20%", "method": "random", "seed": 3, "weight": "score", "quota": "a<=60%"},
    {"budget": 9, "method": entropylaw.Top(), "weight": "score"},
]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("tasks", [3, 5])
def test_the_picks_are_those_of_select(how: dict[str, Any], tasks: int, raw: Path, tmp_path: Path) -> None:
    found = run(tmp_path, raw, tasks, manifest=str(tmp_path / "picks.txt"), **how)
    records = [{"text": document["text"], **document["metadata"]} for document in DOCUMENTS]
    wanted: Any = entropylaw.select(records, field="text", **how)
    ranked = sorted(found, key=lambda document: document["metadata"]["entropylaw_rank"])
    assert [document["id"] for document in ranked] == [f"d{row}" for row in wanted.rows.tolist()]
    assert [document["metadata"]["entropylaw_gain"] for document in ranked] == wanted.gains.tolist()
    assert [document["id"] for document in found] == sorted(
        (document["id"] for document in found), key=lambda name: int(name[1:])
    )
    assert [int(line) for line in (tmp_path / "picks.txt").read_text().split()] == wanted.rows.tolist()


def test_filters_may_come_before(raw: Path, tmp_path: Path) -> None:
    odd = LambdaFilter(lambda document: int(document.id[1:]) % 2 == 1)
    found = run(tmp_path, raw, 3, (odd,), budget=5)
    wanted = entropylaw.select([document["text"] for document in DOCUMENTS[1::2]], budget=5)
    assert {document["id"] for document in found} == {f"d{2 * row + 1}" for row in wanted.rows.tolist()}


def test_other_documents_are_refused(raw: Path, tmp_path: Path) -> None:
    run(tmp_path, raw, 3, budget=9)
    picks = str(tmp_path / "picks")
    twisted = [document(each) for each in reversed(SHARDS[0] * 2)]
    with pytest.raises(
        EntropyLawError, match=r"and was 'd.*'; give Keep the reader, the blocks and the number of tasks"
    ):
        list(Keep(picks).run(iter(twisted), rank=1))
    with pytest.raises(EntropyLawError, match=r"task 0 has 6 documents, and had 7; give Keep the reader"):
        list(Keep(picks).run((document(each) for each in SHARDS[0][:6]), rank=0))
    with pytest.raises(EntropyLawError, match=r"000009.picks.json: is not in .*: run Select"):
        list(Keep(picks).run(iter([]), rank=9))
    with pytest.raises(EntropyLawError, match="runs as one task, not as 3: tasks=1"):
        Select(picks, picks, 9).run(None, 0, 3)
    with pytest.raises(EntropyLawError, match="holds nothing that Collect wrote; run it before"):
        Select(str(tmp_path / "nothing"), picks, 9).run()
