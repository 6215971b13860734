"""The operator for Data-Juicer, by a recipe in both executors; `make test-integrations` runs this."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import entropylaw
from entropylaw import EntropyLawError

pytest.importorskip("data_juicer", reason="`make test-integrations` installs Data-Juicer")

RECORDS = [
    {"text": f"the cat sat on mat {n % 5} and {n}" + " and on" * (n % 7), "key": f"r{n}", "source": "ab"[n % 2]}
    for n in range(60)
]

SCRIPT = """
import sys
from data_juicer.config import init_configs
config = init_configs(["--config", sys.argv[1]])
if config.executor_type == "ray":
    from data_juicer.core.executor.ray_executor import RayExecutor as Executor
else:
    from data_juicer.core.executor import DefaultExecutor as Executor
Executor(config).run()
"""


def recipe(directory: Path, executor: str, **options: Any) -> list[dict[str, Any]]:
    """What a recipe of the operator alone writes."""
    yaml = pytest.importorskip("yaml")
    if executor == "ray":
        pytest.importorskip("ray")
    pool, out, config = directory / "pool.jsonl", directory / "out.jsonl", directory / "recipe.yaml"
    pool.write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    config.write_text(
        yaml.safe_dump(
            {
                "project_name": "test",
                "executor_type": executor,
                "dataset_path": str(pool),
                "export_path": str(out),
                "np": 1,
                "work_dir": str(directory / "work"),
                "open_monitor": False,
                "ray_address": "local",
                "process": [{"entropylaw_pipeline": options}],
            }
        )
    )
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(config)], capture_output=True, text=True, cwd=directory, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    # Ray writes a folder of files.
    files = sorted(out.rglob("*.json*")) if out.is_dir() else [out]
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


HOW: list[dict[str, Any]] = [
    {"budget": 9},
    {"budget": "300B", "method": "coverage", "select": {"gamma": 0.7}, "columns": ["rank", "gain"]},
    {"budget": "20%", "method": "random", "select": {"seed": 3, "balance": 0.5}, "columns": ["rank"]},
]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("executor", ["default", "ray"])
def test_the_samples_are_those_of_select(how: dict[str, Any], executor: str, tmp_path: Path) -> None:
    found = recipe(tmp_path, executor, **how)
    options = {**how, **how.get("select", {})}
    options.pop("select", None)
    columns = options.pop("columns", [])
    wanted: Any = entropylaw.select(RECORDS, field="text", **options)
    rows = sorted(wanted.rows.tolist())
    assert [record["key"] for record in found] == [f"r{row}" for row in rows]
    assert [record["text"] for record in found] == [RECORDS[row]["text"] for row in rows]
    ranks = {row: rank for rank, row in enumerate(wanted.rows.tolist(), start=1)}
    if "rank" in columns:
        assert [record["entropylaw_rank"] for record in found] == [ranks[row] for row in rows]
    if "gain" in columns:
        gains = [float(wanted.gains[ranks[row] - 1]) for row in rows]
        # Ray writes numbers to ten digits.
        assert [record["entropylaw_gain"] for record in found] == pytest.approx(gains, rel=1e-9)


def test_columns_that_are_none_are_refused() -> None:
    from entropylaw.integrations.data_juicer import EntropyLawPipeline

    with pytest.raises(EntropyLawError, match="column 'size' is not one; the columns to add are rank, gain"):
        EntropyLawPipeline(columns=["size"])
