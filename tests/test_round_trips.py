"""Records through tables and back: what was JSON comes back as the same JSON.

The one exception is stated: a table has all its columns in all rows, so that a member which a record does not have
comes back as null. That is so for the members of records only; objects inside them keep the members that they have.
"""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entropylaw import EntropyLawError
from entropylaw.pool import Pool, load
from entropylaw.saving.content import content_of
from entropylaw.saving.holding import check_records

pa = pytest.importorskip("pyarrow", reason="tables need pyarrow")
import pyarrow.parquet as pq  # noqa: E402

FORMATS = ("parquet", "arrow")


def lines_of(records: list[Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def stored(records: list[Any], path: Path) -> Path:
    path.write_text(lines_of(records))
    return path


def through(pool: Pool, path: Path, order: list[int] | None = None) -> Pool:
    """The pool of what is written of a pool, in the format that the path's name stands for."""
    with path.open("wb") as file:
        content_of(str(path), pool.records, np.array(range(len(pool)) if order is None else order), {}).write(file)
    return load(path)


def records_of(pool: Pool) -> list[Any]:
    return [json.loads(line) for line in pool.records.raw(range(len(pool)))]


def without_nulls(record: dict[str, Any]) -> dict[str, Any]:
    """A record without its members that are null."""
    return {name: value for name, value in record.items() if value is not None}


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-9, 9),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
    st.just("lone \ud800"),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c", "é ", ""]), inner),
    max_leaves=6,
)
RECORDS = st.lists(
    st.fixed_dictionaries({"text": TEXTS}, optional={"x": VALUES, "y": VALUES, "z": st.lists(SCALARS, max_size=2)}),
    min_size=1,
    max_size=6,
)


@given(RECORDS, st.data())
@settings(max_examples=30)
@pytest.mark.parametrize("ending", FORMATS)
def test_any_records_come_back(
    tmp_path_factory: pytest.TempPathFactory, ending: str, records: list[dict[str, Any]], data: st.DataObject
) -> None:
    directory = tmp_path_factory.mktemp("records")
    order = data.draw(st.permutations(range(len(records))))
    pools = [load(stored(records, directory / "pool.jsonl")), load(records), load(iter(records))]
    for number, pool in enumerate(pools):
        again = through(pool, directory / f"{number}.{ending}", order)
        found = records_of(again)
        assert list(map(without_nulls, found)) == [without_nulls(records[index]) for index in order]
        names = [name for name in ("text", "x", "y", "z") if any(name in record for record in records)]
        assert all(sorted(record) == sorted(names) for record in found)
        assert again.fingerprint == load([records[index] for index in order]).fingerprint
        # A table is not changed any more.
        assert records_of(through(again, directory / f"{number}.again.{ending}")) == found


ARGUMENTS = st.one_of(
    st.fixed_dictionaries({"amount": st.integers(0, 9), "to": TEXTS}),
    st.fixed_dictionaries({"city": TEXTS, "days": st.none() | st.integers(0, 9)}),
    st.just({}),
)
CALLS = st.lists(st.fixed_dictionaries({"name": st.sampled_from(["pay", "go"]), "arguments": ARGUMENTS}), max_size=2)
PARTS = st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": TEXTS}), max_size=2)
TURNS = st.one_of(
    st.fixed_dictionaries({"role": st.just("user"), "content": TEXTS}),
    st.fixed_dictionaries({"role": st.just("user"), "content": PARTS}),
    st.fixed_dictionaries({"role": st.just("assistant"), "content": st.none() | TEXTS, "tool_calls": CALLS}),
)
CHATS = st.lists(
    st.fixed_dictionaries({"messages": st.lists(TURNS, min_size=1, max_size=3), "source": st.sampled_from(["p", "q"])}),
    min_size=1,
    max_size=4,
)


@given(CHATS)
@settings(max_examples=25)
def test_chats_come_back_from_every_source(tmp_path_factory: pytest.TempPathFactory, records: list[Any]) -> None:
    directory = tmp_path_factory.mktemp("chats")
    pool = load(stored(records, directory / "pool.jsonl"))
    for ending in FORMATS:
        again = through(pool, directory / f"pool.{ending}")
        assert records_of(again) == records
        assert again.fingerprint == pool.fingerprint
        assert again.group_counts() == pool.group_counts()


@given(CHATS)
@settings(max_examples=8)
def test_chats_come_back_through_data_sets(tmp_path_factory: pytest.TempPathFactory, records: list[Any]) -> None:
    datasets = pytest.importorskip("datasets", reason="data sets are pools")
    if not hasattr(datasets, "Json"):
        pytest.skip("this version of datasets has no type Json")
    directory = tmp_path_factory.mktemp("sets")
    features = datasets.Features({"messages": datasets.List(datasets.Json()), "source": datasets.Value("string")})
    dataset = datasets.Dataset.from_list(records, features=features)
    assert records_of(load(dataset)) == records
    # What is written is what `datasets` reads.
    path = directory / "pool.parquet"
    through(load(records), path)
    table = pq.read_table(path)
    assert list(datasets.Dataset(table)) == records
    assert records_of(load(datasets.Dataset(table))) == records


def padded(value: Any) -> Any:
    """A value without the members that are null, which are those that Arrow has added, or were null before."""
    if isinstance(value, dict):
        return {key: padded(part) for key, part in value.items() if part is not None}
    return [padded(part) for part in value] if isinstance(value, list) else value


STRUCTS = st.lists(
    st.fixed_dictionaries(
        {"text": TEXTS, "m": st.fixed_dictionaries({}, optional={"a": st.integers(0, 9), "b": st.lists(TEXTS)})}
    ),
    min_size=1,
    max_size=4,
)


@given(STRUCTS)
@settings(max_examples=15)
def test_what_a_table_was_padded_with_stays(tmp_path_factory: pytest.TempPathFactory, records: list[Any]) -> None:
    directory = tmp_path_factory.mktemp("padded")
    table = pa.Table.from_pylist(records)
    pq_path = directory / "pool.parquet"
    if any(record["m"] for record in records):
        pq.write_table(table, pq_path)
        assert records_of(load(pq_path)) == table.to_pylist()
    assert records_of(load(table)) == table.to_pylist()
    assert list(map(padded, records_of(load(table)))) == list(map(padded, records))


TYPES: list[tuple[list[Any], str]] = [
    ([1, None, 2**63 - 1], "int64"),
    ([1, 2**64 - 1], "uint64"),
    ([-1, 2**63], "extension<arrow.json>"),
    ([2**64], "extension<arrow.json>"),
    ([1, 0.5], "double"),
    ([2**53 + 1, 0.5], "extension<arrow.json>"),
    ([2**53, 0.5], "double"),
    ([1, True], "extension<arrow.json>"),
    ([1, "1"], "extension<arrow.json>"),
    (["a", None], "string"),
    (["a", "\ud800"], "extension<arrow.json>"),
    ([None], "null"),
    ([[], []], "list<element: null>"),
    ([[], [1]], "list<element: int64>"),
    ([[1], ["a"]], "list<element: extension<arrow.json>>"),
    ([[1], 1], "extension<arrow.json>"),
    ([{}], "extension<arrow.json>"),
    ([{"a": 1}, {"a": None}], "struct<a: int64>"),
    ([{"a": 1}, {}], "extension<arrow.json>"),
    ([{"a": 1}, {"b": 1}], "extension<arrow.json>"),
    ([{"a": 1, "b": 2}, {"b": 3, "a": 4}], "struct<a: int64, b: int64>"),
    ([{"a": {"k": 1}}, {"a": {"l": 1}}], "struct<a: extension<arrow.json>>"),
    ([[{"a": 1}], [{"b": 1}, None]], "list<element: extension<arrow.json>>"),
]


@pytest.mark.parametrize(("values", "kind"), TYPES)
def test_the_type_is_the_one_that_holds_all_values(tmp_path: Path, values: list[Any], kind: str) -> None:
    records = [{"text": "a", "x": value} for value in values]
    again = through(load(records), tmp_path / "pool.parquet")
    assert str(pq.read_schema(tmp_path / "pool.parquet").field("x").type) == kind
    found = [record["x"] for record in records_of(again)]
    assert found == values
    assert [type(value) for value in found if kind != "double"] == [type(value) for value in values if kind != "double"]


def test_numbers_beyond_floats_keep_their_digits(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    lines = [
        b'{"text": "a", "n": 123456789012345678901234567890}',
        b'{"text": "b", "n": -1e400}',
        b'{"text": "c", "n": [{"m": 1E+999}]}',
    ]
    path.write_bytes(b"\n".join(lines))
    again = through(load(path), tmp_path / "out.parquet")
    assert list(again.records.raw(range(3))) == [lines[0], lines[1], b'{"text": "c", "n": [{"m":1E+999}]}']


def test_deep_values_come_back(tmp_path: Path) -> None:
    deep: Any = "end"
    for level in range(200):
        deep = {f"k{level % 2}": deep} if level % 2 else [deep]
    records = [{"text": "a", "x": deep}]
    assert records_of(through(load(records), tmp_path / "pool.parquet")) == records


def test_the_run_says_what_is_written_as_json(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "entropylaw")
    pool = load([{"text": "a", "x": 1, "y": [{}], "z": 1}, {"text": "b", "x": "1", "y": [], "z": 2}])
    caplog.clear()
    out = io.BytesIO()
    content_of("o.parquet", pool.records, np.arange(2), {}).write(out)
    assert caplog.messages == [
        "columns written as JSON (arrow.json), for their objects have different keys or values different kinds: "
        "'x', 'y'"
    ]
    caplog.clear()
    again = load(pq.read_table(io.BytesIO(out.getvalue())))
    caplog.clear()
    content_of("o.parquet", again.records, np.arange(2), {}).write(io.BytesIO())
    assert caplog.messages == []


def test_records_of_json_beside_a_table(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": ["a"],
            "n": pa.array([1], pa.int8()),
            "m": [{"k": 1, "l": "x"}],
            "j": pa.ExtensionArray.from_storage(pa.json_(), pa.array(["[1]"])),
        }
    )
    pq.write_table(table, tmp_path / "0.parquet")
    fitting = {"text": "b", "n": 300, "m": {"k": 2, "l": "y"}, "j": {"any": "thing"}}
    stored([fitting], tmp_path / "1.jsonl")
    files = [tmp_path / "0.parquet", tmp_path / "1.jsonl"]
    again = through(load(files), tmp_path / "out.arrow")
    assert records_of(again) == [*table.drop(["j"]).append_column("j", pa.array([[1]])).to_pylist(), fitting]
    for other in ({"m": {"k": 2}}, {"m": 5}, {"n": "text"}, {"n": [1]}):
        stored([fitting | other], tmp_path / "1.jsonl")
        pool = load(files)
        with pytest.raises(EntropyLawError, match=r"1.jsonl: column '[mn]' is .*, but .* in .*0.parquet; give the col"):
            content_of("o.arrow", pool.records, np.arange(2), {})


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([{"text": "a", "x": [1]}, {"text": "b", "x": {"k": 1}}], "column 'x' holds lists or objects, which CSV can't"),
        ([{"text": "a", "x": [1]}, {"text": "b", "x": None}], None),
        ([{"text": "a", "x": [1]}, {"text": "b"}], None),
        ([{"text": "a", "x": 1}, {"text": "b", "x": "1"}], None),
    ],
)
def test_lists_and_objects_in_csv_are_refused_before_the_work(records: list[Any], expected: str | None) -> None:
    pool = load(records)
    if expected is None:
        check_records(pool.records, "csv", [])
        with pytest.raises(
            EntropyLawError, match=r"column 'x' is .*, which CSV can't hold; write Parquet or JSON Lines"
        ):
            content_of("o.csv", pool.records, np.arange(2), {})
        return
    with pytest.raises(EntropyLawError, match=f"the pool: {expected} hold; write Parquet, Arrow or JSON Lines"):
        check_records(pool.records, "csv", [])
    for kind in (None, "parquet", "arrow"):
        check_records(pool.records, kind, [])
