"""Fields of tables: numbers of every type, and fields inside others."""

import decimal
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from entropylaw import EntropyLawError
from entropylaw.cli import main
from entropylaw.pool import load

pa = pytest.importorskip("pyarrow", reason="tables need pyarrow")
from arrow_columns import SOURCES, Unknown, coded, extended, of, runs  # noqa: E402

NUMBERS: list[tuple[Any, Any]] = [
    (of(pa.decimal128(9, 2), decimal.Decimal("1.25"))[:1], 1.25),
    (of(pa.uint64(), 2**64 - 1)[:1], float(2**64 - 1)),
    (of(pa.float16(), np.float16(0.5))[:1], 0.5),
    (coded(pa.int64(), 7)[:1], 7.0),
    (coded(pa.decimal128(9, 2), 7)[:1], 7.0),
    (runs(pa.int8(), 7)[:1], 7.0),
    (extended(Unknown(), pa.array([7], pa.int32())), 7.0),
    (extended(pa.json_(), pa.array(["7.5"])), 7.5),
    (pa.array([True]), "'x' is a boolean, not a number"),
    (extended(pa.bool8(), pa.array([1], pa.int8())), "'x' is a boolean, not a number"),
    (pa.array(["7"]), "'x' is text, not a number"),
    (pa.array([7], pa.duration("s")), "'x' is text, not a number"),
    (extended(pa.json_(), pa.array(["[7]"])), "'x' is a list, not a number"),
    (pa.array([None], pa.decimal128(9, 2)), "'x' is null, not a number"),
]


@pytest.mark.parametrize(("column", "expected"), NUMBERS, ids=[str(column.type) for column, _ in NUMBERS])
@pytest.mark.parametrize("inside", [False, True])
def test_numbers(column: Any, expected: float | str, inside: bool) -> None:
    name = "m.x" if inside else "x"
    table = pa.table(
        {"text": ["a"], **({"m": pa.StructArray.from_arrays([column], ["x"])} if inside else {"x": column})}
    )
    if isinstance(expected, str):
        with pytest.raises(EntropyLawError, match=expected.replace("'x'", f"'{name}'")):
            load(table, numbers=[name])
        return
    assert load(table, numbers=[name]).numbers[name].tolist() == [expected]
    # The sample does not depend on what else is read.
    assert load(table, numbers=[name], render="json").fingerprint == load(table, render="json").fingerprint


def nested() -> Any:
    inner = pa.array([{"b": f"text {n}", "s": n, "g": f"g{n % 2}"} for n in range(4)])
    return pa.table({"a": inner, "other": [1, 2, 3, 4]})


@pytest.mark.parametrize("source", ["parquet", "arrow", "memory", "lines"])
def test_fields_inside_others(tmp_path: Path, source: str) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in nested().to_pylist()))
    pool = load(
        path if source == "lines" else SOURCES[source](nested(), tmp_path),
        field="a.b",
        group_by="a.g",
        numbers=["a.s"],
    )
    assert [pool.sample(n) for n in range(4)] == [f"text {n}".encode() for n in range(4)]
    assert pool.group_counts() == {"g0": 2, "g1": 2}
    assert pool.numbers["a.s"].tolist() == [0, 1, 2, 3]


def test_a_column_comes_before_a_member() -> None:
    table = pa.table({"a.b": ["column"], "a": [{"b": "member"}]})
    assert load(table, field="a.b").sample(0) == b"column"
    with pytest.raises(EntropyLawError, match=r"the pool: the table has no field 'a\.c'"):
        load(table, field="a.c")
    json_column = pa.table({"a": extended(pa.json_(), pa.array(['{"b":"inside"}', "{}"]))})
    assert load(json_column.slice(0, 1), field="a.b").sample(0) == b"inside"
    with pytest.raises(EntropyLawError, match=r"the pool: row 2: the record has no field 'a\.b'"):
        load(json_column, field="a.b")


def test_a_decimal_in_csv_stays_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "pool.csv"
    path.write_text("text,n\na,1.50\n")
    pool = load(path, numbers=["n"], render="{{ text }} {{ n }}")
    assert (pool.sample(0), pool.numbers["n"].tolist()) == (b"a 1.50", [1.5])


@pytest.mark.parametrize("source", ["parquet", "lines"])
def test_controls_by_fields_inside_others(tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in nested().to_pylist()))
    path = path if source == "lines" else SOURCES[source](nested(), tmp_path)
    fields = ["--field", "a.b", "--group-by", "a.g", "--min-score", "a.s>=1", "--weight", "a.s", "--quota", "g0<=1"]
    out = tmp_path / "out.jsonl"
    assert main(["select", str(path), "-o", str(out), "--budget", "2", "--sort", "input", "-q", *fields]) == 0
    chosen = [json.loads(line)["a"] for line in out.read_text().splitlines()]
    assert [(row["s"] >= 1, row["g"]) for row in chosen].count((True, "g1")) >= 1
    assert len(chosen) == 2
    assert "entropylaw:" not in capsys.readouterr().err
