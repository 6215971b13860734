"""Types of tables: each is written as what it means, in its own type if the format has it, or refused beforehand."""

import datetime
import decimal
import io
import json
import math
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.cli import main
from entropylaw.pool import load

pa = pytest.importorskip("pyarrow", reason="tables need pyarrow")
import pyarrow.csv  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

from arrow_columns import SOURCES, Unknown, coded, extended, in_arrow, listed, of, read, runs, written  # noqa: E402

FIRST, SECOND = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
LONG = "a text of more than twelve bytes"
KEPT = "the type that it has"
NO_CSV = "which CSV can't hold; write Parquet or JSON Lines"
NO_TABLE = "which CSV can't hold; write Arrow or JSON Lines"
NO_PARQUET = "which Parquet can't hold; write Arrow or JSON Lines"


class Kind(NamedTuple):
    """A type, by a column of it, and what it is in each output."""

    array: Any
    lines: list[Any]
    """The values in lines of JSON."""
    csv: Any = None
    """The cells; by default the values as text. Or the end of the message."""
    parquet: Any = KEPT
    """The type. Or the end of the message."""


def kinds() -> dict[str, Kind]:
    uuids = of(pa.binary(16), uuid.UUID(FIRST).bytes, uuid.UUID(SECOND).bytes)
    jsons = ['{"b":1.50,"a":[1e400]}', ' [1,\n"\\u00e9"]', None]
    sparse = pa.UnionArray.from_sparse(pa.array([0, 1, 0], pa.int8()), [pa.array([1, 2, 3]), pa.array(["a", "b", "c"])])
    codes = pa.array([0, 1, 0], pa.int8())
    dense = pa.UnionArray.from_dense(codes, pa.array([0, 0, 1], pa.int32()), [pa.array([1, 3]), pa.array(["b"])])
    span = pa.MonthDayNano
    return {
        "string": Kind(of(pa.string(), "é", ""), ["é", "", None], ["é", "", ""]),
        "large_string": Kind(of(pa.large_string(), "a", "b"), ["a", "b", None]),
        "string_view": Kind(of(pa.string_view(), "a", LONG), ["a", LONG, None]),
        "binary": Kind(of(pa.binary(), b"\xff\0", b""), ["/wA=", "", None], NO_CSV),
        "large_binary": Kind(of(pa.large_binary(), b"\xff\0", b""), ["/wA=", "", None], NO_CSV),
        "binary_view": Kind(of(pa.binary_view(), b"\xff\0", b""), ["/wA=", "", None], NO_CSV),
        "fixed_binary": Kind(of(pa.binary(2), b"ab", b"cd"), ["YWI=", "Y2Q=", None], NO_CSV),
        "bool": Kind(of(pa.bool_(), True, False), [True, False, None], ["true", "false", ""]),
        "uint64": Kind(of(pa.uint64(), 2**64 - 1, 0), [2**64 - 1, 0, None]),
        "float16": Kind(of(pa.float16(), np.float16(1.5), np.float16("inf")), [1.5, None, None], ["1.5", "inf", ""]),
        "float64": Kind(of(pa.float64(), 0.1, math.nan), [0.1, None, None], ["0.1", "nan", ""]),
        "decimal": Kind(of(pa.decimal128(38, 2), decimal.Decimal("1.50"), 12), ["1.50", "12.00", None]),
        "decimal256": Kind(of(pa.decimal256(60, 1), decimal.Decimal("1.5"), 2), ["1.5", "2.0", None]),
        "date32": Kind(of(pa.date32(), 1, 2), ["1970-01-02", "1970-01-03", None]),
        "date64": Kind(of(pa.date64(), 86_400_000, 0), ["1970-01-02", "1970-01-01", None], parquet="date32[day]"),
        "time_ms": Kind(of(pa.time32("ms"), 1, 2), ["00:00:00.001", "00:00:00.002", None]),
        "time_ns": Kind(of(pa.time64("ns"), 1, 2), ["00:00:00.000000001", "00:00:00.000000002", None]),
        "timestamp_ns": Kind(
            of(pa.timestamp("ns", "UTC"), 1, 2**60),
            ["1970-01-01 00:00:00.000000001Z", "2006-07-14 23:58:24.606846976Z", None],
        ),
        "timestamp_us": Kind(of(pa.timestamp("us"), 1), ["1970-01-01 00:00:00.000001", None]),
        "duration": Kind(of(pa.duration("ns"), 1, -1_500_000_000), ["PT0.000000001S", "PT-1.5S", None]),
        "interval": Kind(
            of(pa.month_day_nano_interval(), span([14, -3, 1]), span([0, 0, 0])),
            ["P14M-3DT0.000000001S", "PT0S", None],
            parquet=NO_PARQUET,
        ),
        "null": Kind(pa.nulls(3), [None] * 3, [""] * 3),
        "list": Kind(of(pa.list_(pa.int8()), [1], []), [[1], [], None], NO_CSV),
        "large_list": Kind(of(pa.large_list(pa.int8()), [1], []), [[1], [], None], NO_CSV),
        "list_view": Kind(of(pa.list_view(pa.string_view()), ["a"], []), [["a"], [], None], NO_CSV),
        "large_list_view": Kind(of(pa.large_list_view(pa.int8()), [1], []), [[1], [], None], NO_CSV),
        "fixed_list": Kind(of(pa.list_(pa.int8(), 2), [1, 2], [3, 4]), [[1, 2], [3, 4], None], NO_CSV),
        "struct": Kind(
            of(pa.struct([("a", pa.string_view()), ("b", pa.duration("s"))]), {"a": "x", "b": 2}, {"a": None}),
            [{"a": "x", "b": "PT2S"}, {"a": None, "b": None}, None],
            NO_CSV,
        ),
        "empty_struct": Kind(of(pa.struct([]), {}), [{}, None], NO_TABLE, NO_PARQUET),
        "map": Kind(
            of(pa.map_(pa.string(), pa.string_view()), [("k", "v")], [("k", "v"), ("k", None)]),
            [{"k": "v"}, [["k", "v"], ["k", None]], None],
            NO_CSV,
        ),
        "map_of_numbers": Kind(of(pa.map_(pa.int8(), pa.int8()), [(1, 2)], []), [[[1, 2]], [], None], NO_CSV),
        "dictionary": Kind(coded(pa.string(), "a", "b"), ["a", "b", None]),
        "ordered": Kind(coded(pa.string(), "a", "b", index=pa.uint8(), ordered=True), ["a", "b", None]),
        "dictionary_of_views": Kind(
            coded(pa.string_view(), "a", LONG, index=pa.uint32()),
            ["a", LONG, None],
            parquet="dictionary<values=string, indices=uint32, ordered=0>",
        ),
        "dictionary_of_numbers": Kind(coded(pa.int64(), 7, 8), [7, 8, None], parquet="int64"),
        "dictionary_of_times": Kind(coded(pa.duration("s"), 7, 8), ["PT7S", "PT8S", None], parquet="duration[s]"),
        "list_of_dictionaries": Kind(listed(coded(pa.string(), "a")), [["a"], [None]], NO_CSV),
        "run_end": Kind(runs(pa.string(), "a"), ["a", "a", None], parquet="string"),
        "run_end_of_views": Kind(runs(pa.string_view(), LONG), [LONG, LONG, None], parquet="string_view"),
        "list_of_run_ends": Kind(listed(runs(pa.int8(), 1)), [[1], [1], [None]], NO_CSV, "list<element: int8>"),
        "sparse_union": Kind(sparse, [1, "b", 3], NO_TABLE, NO_PARQUET),
        "dense_union": Kind(dense, [1, "b", 3], NO_TABLE, NO_PARQUET),
        "uuid": Kind(extended(pa.uuid(), uuids), [FIRST, SECOND, None]),
        "list_of_uuids": Kind(listed(extended(pa.uuid(), uuids)), [[FIRST], [SECOND], [None]], NO_CSV),
        "json": Kind(extended(pa.json_(), pa.array(jsons)), [{"b": 1.5, "a": [math.inf]}, [1, "é"], None], NO_CSV),
        "json_of_views": Kind(
            extended(pa.json_(pa.string_view()), pa.array(['"x"', "null", None], pa.string_view())),
            ["x", None, None],
            NO_CSV,
        ),
        "list_of_json": Kind(listed(extended(pa.json_(), pa.array(["1", "{}"]))), [[1], [{}]], NO_CSV),
        "bool8": Kind(extended(pa.bool8(), of(pa.int8(), 1, 0)), [True, False, None], ["true", "false", ""]),
        "opaque": Kind(extended(pa.opaque(pa.int8(), "t", "v"), of(pa.int8(), 1, 2)), [1, 2, None]),
        "tensor": Kind(
            extended(pa.fixed_shape_tensor(pa.int8(), [2]), of(pa.list_(pa.int8(), 2), [1, 2])),
            [[1, 2], None],
            NO_CSV,
        ),
        "unknown_extension": Kind(extended(Unknown(), of(pa.int32(), 1, 2)), [1, 2, None]),
    }


KINDS = kinds()


def table_of(name: str) -> Any:
    column = KINDS[name].array
    return pa.table({"text": [f"sample {n}" for n in range(len(column))], "x": column})


def as_read(kind: Any) -> Any:
    """The type that is read: who does not know an extension type finds its storage."""
    return pa.int32() if isinstance(kind, Unknown) else kind


def held(name: str, source: str) -> bool:
    """Whether a source has columns of a type: Parquet has no run-ends, and few dictionaries."""
    return source != "parquet" or not ("run_end" in name or name.startswith("dictionary_of_"))


@pytest.mark.parametrize(
    ("name", "source"), [(name, source) for name in KINDS for source in SOURCES if held(name, source)]
)
def test_every_type_in_every_output(tmp_path: Path, name: str, source: str) -> None:
    kind = KINDS[name]
    table = table_of(name)
    if source == "parquet" and kind.parquet == NO_PARQUET:
        with pytest.raises(pa.ArrowNotImplementedError):
            pq.write_table(table, tmp_path / "pool.parquet")
        return
    pool = load(SOURCES[source](table, tmp_path))
    lines = written(pool, "out.jsonl").splitlines()
    assert [json.loads(line)["x"] for line in lines] == kind.lines
    back = [json.loads(line)["x"] for line in written(pool, "out.jsonl", [1, 0]).splitlines()]
    assert back == kind.lines[1::-1]

    where = "pool.*: column 'x' is .*, "
    if isinstance(kind.csv, str):
        with pytest.raises(EntropyLawError, match=f"{where}{kind.csv}"):
            written(pool, "out.csv")
    else:
        cells = ["" if value is None else str(value) for value in kind.lines] if kind.csv is None else kind.csv
        options = pyarrow.csv.ConvertOptions(column_types={"x": pa.string()}, strings_can_be_null=False)
        found = pyarrow.csv.read_csv(io.BytesIO(written(pool, "out.csv")), convert_options=options)
        assert found.column("x").to_pylist() == cells

    if kind.parquet == NO_PARQUET:
        with pytest.raises(EntropyLawError, match=f"{where}{kind.parquet}"):
            written(pool, "out.parquet")
    for ending in ("arrow", "parquet") if kind.parquet != NO_PARQUET else ("arrow",):
        found = read(written(pool, f"out.{ending}", [1, 0]), ending)
        if ending == "arrow" or kind.parquet == KEPT or source == "parquet":
            assert found.schema.field("x").type == as_read(pool.records.tables()[0][1].field("x").type)
        else:
            assert str(found.schema.field("x").type) == kind.parquet
        again = [json.loads(line)["x"] for line in written(load(found), "again.jsonl").splitlines()]
        assert again == kind.lines[1::-1]


def test_json_is_written_as_it_is() -> None:
    lines = written(load(table_of("json")), "out.jsonl").splitlines()
    assert lines == [
        b'{"text": "sample 0", "x": {"b":1.50,"a":[1e400]}}',
        b'{"text": "sample 1", "x": [1, "\\u00e9"]}',
        b'{"text": "sample 2", "x": null}',
    ]
    inside = pa.table({"text": ["a"], "f": [math.nan], "x": listed(extended(pa.json_(), pa.array(["[2.0]"])))})
    assert written(load(inside), "out.jsonl") == b'{"text": "a", "f": null, "x": [[2.0]]}\n'


@pytest.mark.parametrize("source", SOURCES)
def test_a_field_that_is_marked_as_json_is_json(tmp_path: Path, source: str) -> None:
    mark = {b"ARROW:extension:name": b"arrow.json", b"ARROW:extension:metadata": b""}
    inner = pa.field("a", pa.large_string(), metadata=mark)
    fields = [("text", pa.string()), pa.field("x", pa.string(), metadata=mark), ("s", pa.struct([inner]))]
    table = pa.table([["a"], ["[1.0]"], [{"a": "{}"}]], schema=pa.schema(fields))
    pool = load(SOURCES[source](table, tmp_path))
    assert written(pool, "out.jsonl") == b'{"text": "a", "x": [1.0], "s": {"a": {}}}\n'
    assert str(read(written(pool, "out.parquet"), "parquet").schema.field("x").type) == "extension<arrow.json>"


def test_what_lies_under_a_null_does_not_count() -> None:
    rubbish = extended(pa.json_(), pa.array(["{", "1"]))
    missing = pa.array([True, False])
    columns = {
        "object": pa.StructArray.from_arrays([rubbish], ["a"], mask=missing),
        "list": pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), rubbish, mask=missing),
        "fixed": pa.FixedSizeListArray.from_arrays(rubbish, 1, mask=missing),
    }
    lines = written(load(pa.table({"text": ["a", "b"], **columns})), "out.jsonl").splitlines()
    assert lines == [
        b'{"text": "a", "object": null, "list": null, "fixed": null}',
        b'{"text": "b", "object": {"a": 1}, "list": [1], "fixed": [1]}',
    ]


def test_json_that_is_none_is_refused() -> None:
    table = pa.table({"text": ["a", "b"], "x": extended(pa.json_(), pa.array(["{}", "{"]))})
    with pytest.raises(EntropyLawError, match=r"the pool: row 2: 'x' has the type JSON, but is not JSON: .*; write P"):
        written(load(table), "out.jsonl")
    assert read(written(load(table), "out.parquet"), "parquet").equals(table)
    with pytest.raises(EntropyLawError, match="the pool: row 1: 'x' has the type JSON, but is not JSON"):
        load(table.slice(1), field="x")


def test_text_that_is_not_utf8_is_refused_where_lines_are_written() -> None:
    bad = pa.Array.from_buffers(pa.string(), 2, [*pa.array(["a", "bc"]).buffers()[:2], pa.py_buffer(b"a\xff\xfe")])
    table = pa.table({"text": ["a", "b"], "x": bad})
    with pytest.raises(EntropyLawError, match="the pool: row 2: is not UTF-8: found byte 0xff; write Parquet or Arrow"):
        written(load(table), "out.jsonl")


@pytest.mark.parametrize(
    ("column", "output", "expected"),
    [
        (pa.array([0], pa.timestamp("s", "No/Where")), "o.jsonl", "'x' is timestamp.*which can't be written as JSON: "),
        (pa.array([2**62], pa.timestamp("s")), "o.jsonl", r"row 1: 'x' holds a timestamp\[s\] that is out of range"),
    ],
)
def test_times_without_text(column: Any, output: str, expected: str) -> None:
    with pytest.raises(EntropyLawError, match=expected):
        written(load(pa.table({"text": ["a"], "x": column})), output)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (
            pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]),
            "the pool: column 'x' is struct<a: int64, a: int64>, which has two members of one name; rename one of them",
        ),
        (
            pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array(["a"], pa.string_view())]),
            "the pool: column 'x' is sparse_union<0: string_view=0>, which rows can't be taken from; store it in",
        ),
    ],
)
def test_types_that_have_no_rows(column: Any, expected: str) -> None:
    with pytest.raises(EntropyLawError) as caught:
        load(pa.table({"text": ["a"], "x": column}))
    assert str(caught.value).startswith(expected)


TEXTS = {
    "json": extended(pa.json_(), pa.array(['"a\\nb"', '"c"'])),
    "view": pa.array(["a\nb", "c"], pa.string_view()),
    "dictionary": pa.array(["a\nb", "c"]).dictionary_encode(),
    "dictionary of views": coded(pa.string_view(), "a\nb", "c").slice(0, 2),
    "run-end": pa.RunEndEncodedArray.from_arrays([1, 2], pa.array(["a\nb", "c"], pa.string_view())),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_of_any_type_is_the_same_sample(name: str) -> None:
    table = pa.table({"text": TEXTS[name], "source": TEXTS[name]})
    pool = load(table)
    assert pool.fingerprint == load([{"text": "a\nb"}, {"text": "c"}]).fingerprint
    assert pool.group_names == ("a\nb", "c")
    for render in ("json", "{{ text }}", lambda record: record["text"]):
        expected = load([{"text": text, "source": text} for text in ("a\nb", "c")], render=render)
        assert load(table, render=render).fingerprint == expected.fingerprint


def test_bytes_are_no_text() -> None:
    for kind in (pa.binary(), pa.binary_view()):
        with pytest.raises(
            EntropyLawError, match=r"^the pool: column 'text' is .*binary.*, not text; cast it to string$"
        ):
            load(pa.table({"text": pa.array([b"a"], kind)}))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["-o", "o.csv"], "pool.arrow: column 'x' is month_day_nano_interval"),
        (
            ["-o", "o.parquet"],
            "pool.arrow: column 'x' is month_day_nano_interval, which Parquet can't hold; write Arrow",
        ),
        (["-o", "o.jsonl", "--add-columns", "rank"], "pool.arrow: the records have a column 'entropylaw_rank' already"),
    ],
)
def test_the_command_refuses_before_it_selects(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    expected: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    table = table_of("interval").append_column("entropylaw_rank", pa.array([1, 2, 3]))
    if "o.csv" in options:
        table = table.append_column("y", pa.array([[1], [2], [3]]))
        expected = "pool.arrow: column 'y' is list<item: int64>, which CSV can't hold; write Parquet or JSON Lines"
    path = in_arrow(table, tmp_path)
    monkeypatch.setattr("entropylaw.selecting.select", lambda *_, **__: pytest.fail("it selects"))
    assert main(["select", path.name, *options, "--budget", "1", "-q"]) == 2
    message = capsys.readouterr().err
    assert expected in message
    assert len(message.splitlines()) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["pool.arrow"]


def test_csv_comes_back_cell_by_cell(tmp_path: Path) -> None:
    rows = [
        {"text": 'say "no", then\nleave', "n": "007", "t": "\t; |"},
        {"text": "é \u2028", "n": "", "t": "null"},
        {"text": "NA", "n": "1.50", "t": " spaces "},
    ]
    path = tmp_path / "pool.csv"
    pyarrow.csv.write_csv(pa.Table.from_pylist(rows), path)
    pool = load(path)
    assert [json.loads(line) for line in written(pool, "o.jsonl").splitlines()] == rows
    for ending in ("csv", "tsv", "parquet", "arrow"):
        again = tmp_path / f"again.{ending}"
        again.write_bytes(written(pool, again.name, [2, 0, 1]))
        read_again = load(again).records.raw(range(3))
        assert [json.loads(line) for line in read_again] == [rows[2], rows[0], rows[1]]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (of(pa.time32("s"), 7), pa.time32("ms")),
        (of(pa.timestamp("s", "UTC"), 7), pa.timestamp("ms", "UTC")),
        (of(pa.list_(pa.date64()), [86_400_000]), pa.list_(pa.date32())),
        (coded(pa.int8(), 7), pa.int8()),
    ],
)
def test_what_parquet_has_in_another_type_is_said(caplog: pytest.LogCaptureFixture, column: Any, expected: Any) -> None:
    caplog.set_level("INFO", "entropylaw")
    pool = load(pa.table({"text": ["a", "b"], "x": column}))
    found = read(written(pool, "out.parquet"), "parquet")
    assert found.schema.field("x").type == expected
    assert found.column("x").to_pylist() == column.to_pylist()
    assert caplog.messages[2:] == [f"column 'x' is {column.type}; Parquet holds it as {expected}"]
    caplog.clear()
    assert read(written(pool, "out.arrow"), "arrow").schema.field("x").type == column.type
    assert caplog.messages == []


def test_what_does_not_fit_the_type_of_parquet() -> None:
    pool = load(pa.table({"text": ["a"], "x": pa.array([2**60], pa.timestamp("s"))}))
    with pytest.raises(EntropyLawError, match=r"column 'x' is timestamp\[s\], and does not fit timestamp\[ms\], "):
        written(pool, "out.parquet")


def test_every_row_is_a_line_of_csv(tmp_path: Path) -> None:
    for column in (pa.array(["a", None, ""]), pa.array([1, None, 2]), pa.array(["a", None]).dictionary_encode()):
        path = tmp_path / "out.csv"
        path.write_bytes(written(load(pa.table({"x": column}), render="json"), "out.csv"))
        rows = load(path, field="x").records.raw(range(len(column)))
        assert [json.loads(row)["x"] for row in rows] == [str(cell or "") for cell in column.to_pylist()]


def test_objects_of_python_are_the_same_text_as_columns() -> None:
    record = {
        "text": "a",
        "duration": datetime.timedelta(days=-1, microseconds=1),
        "decimal": decimal.Decimal("1.50"),
        "uuid": uuid.UUID(FIRST),
        "date": datetime.date(2020, 1, 2),
        "bytes": b"\xff",
    }
    table = pa.table(
        {name: [value] for name, value in record.items() if name != "uuid"}
        | {"uuid": extended(pa.uuid(), pa.array([uuid.UUID(FIRST).bytes], pa.binary(16)))}
    )
    assert json.loads(written(load([record]), "o.jsonl")) == json.loads(written(load(table), "o.jsonl"))
    assert json.loads(written(load([record]), "o.jsonl"))["duration"] == "PT-86399.999999S"


def test_select_and_save(tmp_path: Path) -> None:
    chosen = entropylaw.select(table_of("uuid"), budget=2)
    chosen.save(tmp_path / "out.parquet")
    assert str(pq.read_schema(tmp_path / "out.parquet").field("x").type) == "extension<arrow.uuid>"
    with pytest.raises(EntropyLawError, match="the pool: column 'x' is list"):
        entropylaw.select(table_of("list"), budget=2).save(tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
