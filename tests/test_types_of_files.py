"""Files of one pool whose types differ: brought to one type that holds all values as they are, or refused."""

from pathlib import Path
from typing import Any

import pytest

from entropylaw import EntropyLawError
from entropylaw.pool import load

pa = pytest.importorskip("pyarrow", reason="tables need pyarrow")
import pyarrow.parquet as pq  # noqa: E402

from arrow_columns import listed, read, written  # noqa: E402


def test_files_of_other_types_are_refused_before_the_work(tmp_path: Path) -> None:
    for number, kind in enumerate([pa.struct([("a", pa.int8())]), pa.struct([("a", pa.int8()), ("b", pa.int8())])]):
        pq.write_table(pa.table({"text": ["a"], "x": pa.nulls(1, kind)}), tmp_path / f"{number}.parquet")
    with pytest.raises(
        EntropyLawError,
        match=r"1.parquet: column 'x' is struct<a: int8, b: int8>, but struct<a: int8> in .*0.parquet; "
        "give the column one type in all files, or write JSON Lines",
    ):
        written(load(tmp_path), "out.parquet")
    lines = written(load(tmp_path), "out.jsonl").splitlines()
    assert lines == [b'{"text": "a", "x": null}'] * 2


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (pa.int32(), pa.int64(), "int64"),
        (pa.string(), pa.string_view(), "large_string"),
        (pa.string_view(), pa.string_view(), "string_view"),
        (pa.null(), pa.json_(), "extension<arrow.json>"),
        (pa.list_(pa.int8()), pa.large_list(pa.int64()), "large_list<item: int64>"),
        (pa.list_(pa.string()), pa.list_view(pa.string()), "list<item: string>"),
        (
            pa.struct([("a", pa.int8()), ("b", pa.null())]),
            pa.struct([("b", pa.string()), ("a", pa.int64())]),
            "struct<",
        ),
        (pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int32(), pa.string()), "dictionary<values=string"),
    ],
)
def test_files_of_types_that_go_together(tmp_path: Path, one: Any, other: Any, both: str) -> None:
    for number, kind in enumerate([one, other]):
        with pa.ipc.new_file(tmp_path / f"{number}.arrow", pa.schema([("text", pa.string()), ("x", kind)])) as writer:
            writer.write_table(pa.table({"text": ["a"], "x": pa.nulls(1, kind)}))
    found = read(written(load(tmp_path), "out.arrow"), "arrow")
    assert str(found.schema.field("x").type).startswith(both)
    assert found.column("x").null_count == 2


def test_a_wider_type_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number, value in enumerate([1, 0.5, 2]):
        pq.write_table(pa.table({"text": ["a"], "x": [value]}), tmp_path / f"{number}.parquet")
    caplog.set_level("INFO", "entropylaw")
    pool = load(tmp_path)
    caplog.clear()
    assert read(written(pool, "out.parquet"), "parquet").column("x").to_pylist() == [1.0, 0.5, 2.0]
    assert caplog.messages == [f"column 'x' is int64 in {tmp_path}/0.parquet, and double in the output"]
    pq.write_table(pa.table({"text": ["a"], "x": [2**53 + 1]}), tmp_path / "0.parquet")
    with pytest.raises(EntropyLawError, match=r"0.parquet: column 'x' does not fit double: .*; give the column one"):
        written(load(tmp_path), "out.parquet")


def test_a_dictionary_that_differs_from_batch_to_batch(tmp_path: Path) -> None:
    columns = [pa.array([text]).dictionary_encode() for text in "abc"]
    batches = [pa.record_batch({"text": column, "x": listed(column)}) for column in columns]
    with pa.ipc.new_stream(tmp_path / "pool.arrows", batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    found = read(written(load(tmp_path / "pool.arrows"), "out.arrow"), "arrow")
    assert found.schema == batches[0].schema
    assert found.to_pylist() == [{"text": text, "x": [text]} for text in "abc"]
