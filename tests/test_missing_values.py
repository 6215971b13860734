"""Values for each sample, some of which are missing: they are told from those that are there, whatever holds them."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import entropylaw
from entropylaw import EntropyLaw, EntropyLawError
from entropylaw.pool.columns import group_name

ROWS = [{"text": f"sample {n} of all, {n * n}", "source": "a"} for n in range(6)]
VALUES = [3, 1, None, 3, 2, 1]
"""One is missing."""


def pandas(kind: str) -> Callable[[list[Any]], Any]:
    return lambda values: pytest.importorskip("pandas").Series(values, dtype=kind)


COLUMNS: dict[str, Callable[[list[Any]], Any]] = {
    "a list": lambda values: values,
    "objects": lambda values: np.array(values, dtype=object),
    "a masked array": lambda values: np.ma.MaskedArray(
        [7 if value is None else value for value in values], [value is None for value in values]
    ),
    "pandas, objects": pandas("object"),
    "pandas, Int64": pandas("Int64"),
    "pandas, categories": lambda values: pandas("object")(values).astype("category"),
    "pandas, an array": lambda values: pytest.importorskip("pandas").array(values, dtype="Int64"),
    "polars": lambda values: pytest.importorskip("polars").Series(values),
    "pyarrow": lambda values: pytest.importorskip("pyarrow").array(values),
    "pyarrow, chunks": lambda values: pytest.importorskip("pyarrow").chunked_array([values[:2], values[2:]]),
}
FLOATS = {
    **COLUMNS,
    "floats": lambda values: np.array(values, dtype=np.float64),
    "pandas, floats": pandas("float64"),
    "a masked array of floats": lambda values: COLUMNS["a masked array"](values).astype(np.float64),
}


@pytest.mark.parametrize("column", FLOATS)
@pytest.mark.parametrize("name", ["weight", "tokens"])
def test_a_number_that_is_missing_is_refused(column: str, name: str) -> None:
    how: dict[str, Any] = {name: FLOATS[column](VALUES)}
    budget = 2 if name == "weight" else "3 tokens"
    with pytest.raises(EntropyLawError, match=f"record 2: {name} is nan; it must be finite"):
        entropylaw.select(ROWS, budget=budget, method="random", **how)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_group_that_is_missing_has_no_name(column: str) -> None:
    """As null in a field; and whole numbers stay what they are beside it."""
    groups = COLUMNS[column](VALUES)
    given = entropylaw.select(ROWS, budget=6, method="random", group_by=groups, balance=0).controls["balance"]
    rows = [row | {"kind": value} for row, value in zip(ROWS, VALUES, strict=True)]
    read = entropylaw.select(rows, budget=6, method="random", group_by="kind", balance=0).controls["balance"]
    assert given == read
    assert {name: group["available"] for name, group in given.items()} == {"": 1, "1": 2, "2": 1, "3": 2}


@pytest.mark.parametrize("column", ["floats", "pandas, floats", "a masked array of floats"])
def test_groups_that_are_floats(column: str) -> None:
    selection = entropylaw.select(ROWS, budget=6, method="random", group_by=FLOATS[column](VALUES), balance=0)
    assert sorted(selection.controls["balance"]) == ["", "1.0", "2.0", "3.0"]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("", ""),
        (None, ""),
        (float("nan"), ""),
        (Decimal("NaN"), ""),
        (Decimal("sNaN"), "sNaN"),
        (np.datetime64("NaT"), ""),
        (0, "0"),
        (False, "False"),
        ([], "[]"),
        ([float("nan")], "[nan]"),
        (np.array([1, 2]), "[1 2]"),
    ],
    ids=repr,
)
def test_whatever_a_field_holds_names_a_group(value: Any, name: str) -> None:
    assert group_name(value) == name


def in_lines(tmp_path: Path, values: list[Any], ending: str) -> Path:
    rows = [row | {"kind": value} for row, value in zip(ROWS, values, strict=True)]
    path = tmp_path / f"pool{ending}"
    text = "".join(json.dumps(row) + "\n" for row in rows) if ending == ".jsonl" else json.dumps(rows)
    path.write_text(text)
    return path


def in_parquet(tmp_path: Path, values: list[Any]) -> Path:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    texts = [row["text"] for row in ROWS]
    pq.write_table(pa.table({"text": texts, "kind": pa.array(values, pa.float64())}), tmp_path / "pool.parquet")
    return tmp_path / "pool.parquet"


POOLS: dict[str, Callable[[Path, list[Any]], Any]] = {
    "records": lambda _, values: [row | {"kind": value} for row, value in zip(ROWS, values, strict=True)],
    "NumPy's numbers": lambda _, values: [
        row | {"kind": np.float64(value)} for row, value in zip(ROWS, values, strict=True)
    ],
    "records of pandas": lambda _, values: (
        pytest.importorskip("pandas").DataFrame(ROWS).assign(kind=values).to_dict("records")
    ),
    "pandas": lambda _, values: pytest.importorskip("pandas").DataFrame(ROWS).assign(kind=values),
    "polars": lambda _, values: (
        pytest.importorskip("polars").DataFrame(ROWS).with_columns(pytest.importorskip("polars").Series("kind", values))
    ),
    "lines": lambda path, values: in_lines(path, values, ".jsonl"),
    "an array": lambda path, values: in_lines(path, values, ".json"),
    "Parquet": in_parquet,
}


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("missing", [np.nan, None])
def test_a_field_that_is_missing_names_no_group(pool: str, missing: Any, tmp_path: Path) -> None:
    if missing is None and pool == "NumPy's numbers":
        return
    values = [3.0, 1.0, missing, 3.0, 2.0, 1.0]
    given = POOLS[pool](tmp_path, values)
    selection = entropylaw.select(given, budget=6, method="random", group_by="kind", balance=0)
    assert sorted(selection.controls["balance"]) == ["", "1.0", "2.0", "3.0"]


@pytest.mark.parametrize("column", COLUMNS)
def test_an_anchor_is_indices_in_whatever_holds_them(column: str) -> None:
    if column in ("objects", "pandas, objects", "pandas, categories"):
        return
    known = [0, 1, 2, 4]
    selection = entropylaw.select(ROWS, budget=2, method="random", anchor=COLUMNS[column](known))
    assert sorted(selection.indices.tolist()) == [3, 5]
    with pytest.raises(EntropyLawError, match="the anchor"):
        entropylaw.select(ROWS, budget=2, method="random", anchor=COLUMNS[column](VALUES))


def test_texts_in_a_column_are_no_indices() -> None:
    texts = [row["text"] for row in ROWS[:4]]
    for column in ("a list", "pandas, objects", "polars", "pyarrow", "pyarrow, chunks"):
        selection = entropylaw.select(ROWS, budget=2, method="random", anchor=COLUMNS[column](texts))
        assert sorted(selection.indices.tolist()) == [4, 5]


def test_what_can_not_be_read_is_said_of_the_anchor() -> None:
    selection = entropylaw.select(ROWS, budget=2, method="random")
    for anchor, message in (
        ([1.5], "the anchor: record 0: is float; a pool is made of"),
        (selection, "the anchor is a RandomSelection of entropylaw.results: its rows are its picks, not records; give"),
        ([], None),
    ):
        if message is None:
            assert len(entropylaw.select(ROWS, budget=2, method="random", anchor=anchor)) == 2
            continue
        with pytest.raises(EntropyLawError) as raised:
            entropylaw.select(ROWS, budget=2, method="random", anchor=anchor)
        assert str(raised.value).startswith(message)


@pytest.mark.parametrize("name", ["R", "Z", "L"])
def test_a_run_of_the_law_that_is_masked_is_refused(name: str) -> None:
    runs: dict[str, Any] = {name: np.arange(2.0, 10.0) ** power for name, power in (("R", 1), ("L", 0.5), ("Z", 0.2))}
    runs[name] = np.ma.MaskedArray(runs[name], [False] * 7 + [True])
    with pytest.raises(EntropyLawError, match=f"{name} of 'run 8' is nan; leave the run out"):
        EntropyLaw().fit(**runs)
