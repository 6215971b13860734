"""Select in NVIDIA NeMo Curator: a workflow that finds the records to keep, and a pipeline that keeps them.

Curator's operations over a whole data set are workflows of two steps, identify and remove (``nemo_curator.pipeline``,
1.4). So is this one. ``entropylaw.select`` sees all files and says which rows to keep; then Curator reads the files in
parallel, keeps those rows, and writes them with all their columns.

    python select_workflow.py IN_DIR OUT_DIR 10% --method random
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from nemo_curator.backends.ray_data import RayDataExecutor
from nemo_curator.pipeline import Pipeline
from nemo_curator.pipeline.workflow import WorkflowBase, WorkflowRunResult
from nemo_curator.stages.base import ProcessingStage
from nemo_curator.stages.resources import Resources
from nemo_curator.stages.text.io.reader import JsonlReader
from nemo_curator.stages.text.io.writer import JsonlWriter
from nemo_curator.tasks import DocumentBatch

import entropylaw


class KeepRows(ProcessingStage[DocumentBatch, DocumentBatch]):
    """Keeps these rows of each file, in the order in which they are there."""

    name = "keep_rows"
    resources = Resources(cpus=0.5)

    def __init__(self, rows: dict[str, list[int]]) -> None:
        self.rows = rows

    def inputs(self) -> tuple[list[str], list[str]]:
        return ["data"], []

    def outputs(self) -> tuple[list[str], list[str]]:
        return ["data"], []

    def process(self, task: DocumentBatch) -> DocumentBatch:
        (file,) = task._metadata["source_files"]
        kept = task.to_pyarrow().take(pa.array(self.rows.get(Path(file).name, []), type=pa.int64()))
        return DocumentBatch(dataset_name=task.dataset_name, data=kept, _metadata=task._metadata)


class SelectWorkflow(WorkflowBase):
    """Selects from the JSON Lines of a directory; the options are those of ``entropylaw.select``."""

    def __init__(self, input_dir: Path, output_dir: Path, budget: int | str, **options: Any) -> None:
        self.input_dir, self.output_dir, self.budget, self.options = input_dir, output_dir, budget, options

    def run(self, executor: Any = None) -> WorkflowRunResult:
        files = sorted(self.input_dir.glob("*.jsonl"))
        selection = entropylaw.select(files, budget=self.budget, **self.options)
        # Positions count over all files, one after the other.
        counts = [count for _, count in selection.pool.records.parts()]
        starts = np.cumsum([0, *counts])
        rows = np.sort(selection.rows)
        cuts = np.searchsorted(rows, starts)
        kept = {
            file.name: (rows[low:high] - start).tolist()
            for file, start, low, high in zip(files, starts, cuts, cuts[1:], strict=False)
        }
        pipeline = Pipeline(name="keep_selected")
        # A file is one batch, whose rows are in the file's order.
        pipeline.add_stage(JsonlReader(file_paths=[str(file) for file in files], files_per_partition=1))
        pipeline.add_stage(KeepRows(kept))
        pipeline.add_stage(JsonlWriter(path=str(self.output_dir)))
        result = WorkflowRunResult("entropylaw")
        result.add_pipeline_tasks("keep_selected", pipeline.run(executor or RayDataExecutor()))
        result.extend_metadata({"selected": len(selection), "ratio": selection.ratio})
        return result


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("input_dir", type=Path)
    parser.add_argument("output_dir", type=Path)
    parser.add_argument("budget")
    parser.add_argument("--method", default="random")
    given = parser.parse_args()
    result = SelectWorkflow(given.input_dir, given.output_dir, given.budget, method=given.method).run()
    print(f"{result.get_metadata('selected')} records, R = {result.get_metadata('ratio'):.3f}, in {given.output_dir}")


if __name__ == "__main__":
    main()
