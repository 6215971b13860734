"""The same records in whatever holds rows: the same samples, the same picks, and the same records back.

What is not installed is skipped; ``make test-containers`` installs all of it.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pa = pytest.importorskip("pyarrow", reason="tables need pyarrow")
import pyarrow.dataset as pads  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

import entropylaw  # noqa: E402
from entropylaw import EntropyLawError  # noqa: E402
from entropylaw.pool import load  # noqa: E402

RECORDS: list[dict[str, Any]] = [
    {"text": f"sample {n} says that {n} times {n} is {n * n}", "source": "ab"[n % 2], "n": n, "tags": ["x"] * (n % 3)}
    for n in range(1500)
]
TABLE = pa.Table.from_pylist(RECORDS)


def _needs(name: str) -> Any:
    return pytest.importorskip(name, reason=f"{name} is not installed; `make test-containers`")


def _lines(directory: Path) -> Path:
    path = directory / "pool.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    return path


def _parquet(directory: Path) -> str:
    pq.write_table(TABLE, directory / "pool.parquet", row_group_size=400)
    return str(directory / "pool.parquet")


def _spark(directory: Path) -> Any:
    sql = _needs("pyspark.sql")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = sql.SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
    # One partition, so that there is an order.
    return session.createDataFrame(RECORDS, "text string, source string, n bigint, tags array<string>").coalesce(1)


CONTAINERS: dict[str, Callable[[Path], Any]] = {
    "list of dict": lambda _: RECORDS,
    "generator": lambda _: (record for record in RECORDS),
    "path": _lines,
    "paths": lambda directory: [_parquet(directory)],
    "pyarrow.Table": lambda _: TABLE,
    "pyarrow.RecordBatchReader": lambda _: TABLE.to_reader(max_chunksize=100),
    "pyarrow.dataset.Dataset": lambda directory: pads.dataset(_parquet(directory)),
    "pyarrow.dataset.InMemoryDataset": lambda _: pads.dataset(TABLE),
    "pyarrow.dataset.Scanner": lambda directory: pads.dataset(_parquet(directory)).scanner(batch_size=64),
    "pandas.DataFrame": lambda _: _needs("pandas").DataFrame(RECORDS),
    "polars.DataFrame": lambda _: _needs("polars").DataFrame(RECORDS),
    "polars.LazyFrame": lambda directory: _needs("polars").scan_parquet(_parquet(directory)),
    "datasets.Dataset": lambda _: _needs("datasets").Dataset.from_list(RECORDS),
    "datasets.IterableDataset": lambda _: _needs("datasets").Dataset.from_list(RECORDS).to_iterable_dataset(3),
    "datasets.IterableDataset, types unknown": lambda _: _needs("datasets").IterableDataset.from_generator(
        lambda: iter(RECORDS)
    ),
    "duckdb relation": lambda directory: _needs("duckdb").sql(f"select * from '{_parquet(directory)}'"),
    "daft.DataFrame": lambda _: _needs("daft").from_arrow(TABLE),
    "lance dataset": lambda directory: _needs("lance").write_dataset(TABLE, str(directory / "pool.lance")),
    "lance scanner": lambda directory: _needs("lance").write_dataset(TABLE, str(directory / "pool.lance")).scanner(),
    "lancedb table": lambda directory: _needs("lancedb").connect(str(directory / "db")).create_table("pool", TABLE),
    "pyspark.sql.DataFrame": _spark,
}  # fmt: skip


@pytest.fixture(scope="module")
def expected() -> Any:
    return entropylaw.select(RECORDS, budget=40, k1=500, k2=80, k3=20)


@pytest.mark.parametrize("name", CONTAINERS)
def test_whatever_holds_them(expected: Any, tmp_path: Path, name: str) -> None:
    selection = entropylaw.select(CONTAINERS[name](tmp_path), budget=40, k1=500, k2=80, k3=20)
    assert selection.pool.fingerprint == expected.pool.fingerprint
    assert selection.indices.tolist() == expected.indices.tolist()
    assert selection.pool.group_counts() == expected.pool.group_counts()
    assert list(map(json.loads, selection.records())) == [RECORDS[index] for index in expected.indices.tolist()]


@pytest.mark.parametrize("name", CONTAINERS)
def test_what_is_skipped_is_the_same(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record without text, in whatever holds it."""
    some = [dict(record, text=None if record["n"] % 7 == 3 else record["text"]) for record in RECORDS[:90]]
    monkeypatch.setattr("test_containers.RECORDS", some)
    monkeypatch.setattr("test_containers.TABLE", pa.Table.from_pylist(some))
    pool = load(CONTAINERS[name](tmp_path), on_error="skip", schema="text")
    assert pool.fingerprint == load([record for record in some if record["text"]], schema="text").fingerprint
    assert len(pool.skipped) == sum(record["text"] is None for record in some)


def test_an_iterable_data_set_keeps_its_types(tmp_path: Path) -> None:
    datasets = _needs("datasets")
    features = datasets.Features({"text": datasets.Value("string"), "n": datasets.Value("int16")})
    stream = datasets.Dataset.from_list([{"text": "a", "n": 1}, {"text": "b", "n": 2}], features).to_iterable_dataset()
    selection = entropylaw.select(stream, budget=1)
    selection.save(tmp_path / "out.parquet")
    assert pq.read_schema(tmp_path / "out.parquet").field("n").type == pa.int16()


class _Failing:
    """A query that fails when it is asked."""

    def to_arrow(self) -> Any:
        raise RuntimeError("no such column:\n  nix")


def _of(module: str, name: str, **members: Any) -> Any:
    return type(name, (), {"__module__": module, **members})()


def _rows(_: Any) -> Iterator[str]:
    return iter(["text"])


@pytest.mark.parametrize(
    ("pool", "message"),
    [
        (_Failing(), "the _Failing does not give its rows: no such column: nix"),
        (
            _of("dask.dataframe.core", "DataFrame", __iter__=_rows),
            "the pool is a DataFrame of dask: .* give POOL.compute",
        ),
        (
            _of("ray.data.dataset", "Dataset"),
            "the pool is a Dataset of ray: .*ray.get.POOL.to_arrow_refs.*, or the files",
        ),
        (_of("modin.pandas", "DataFrame", __iter__=_rows), "the pool is a DataFrame of modin"),
        (_of("pyspark.pandas.frame", "DataFrame", __iter__=_rows), "give POOL.to_spark"),
    ],
    ids=lambda value: type(value).__module__ if not isinstance(value, str) else "",
)
def test_what_cannot_be_read_says_how_it_can(pool: Any, message: str) -> None:
    with pytest.raises(EntropyLawError, match=f"^{message}" if message.startswith("the") else message) as raised:
        load(pool)
    assert "\n" not in str(raised.value)


def test_dask() -> None:
    dask = _needs("dask.dataframe")
    frame = dask.from_pandas(_needs("pandas").DataFrame(RECORDS), npartitions=2)
    with pytest.raises(EntropyLawError, match="the pool is a DataFrame of dask"):
        load(frame)
    assert len(load(frame.compute())) == len(RECORDS)


def test_ray() -> None:
    ray = _needs("ray")
    ray_data = _needs("ray.data")
    ray.init(num_cpus=1, include_dashboard=False, ignore_reinit_error=True, logging_level="error")
    try:
        rows = ray_data.from_arrow(TABLE)
        with pytest.raises(EntropyLawError, match=r"the pool is a .*Dataset of ray"):
            load(rows)
        assert len(load(pa.concat_tables(ray.get(rows.to_arrow_refs())))) == len(RECORDS)
    finally:
        ray.shutdown()
