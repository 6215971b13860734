"""What files hold, whatever they are called: marks, nothing, compressed data, no data at all."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import sqlite3
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard

from entropylaw.pool import load
from entropylaw.pool.compression import CHUNK
from files import BOM, LINES, ONE, TWO, message, parquet_of, samples

# Byte-order marks, wherever files were joined: no part of a record.


@pytest.mark.parametrize(
    "content",
    [
        BOM + LINES,
        BOM + ONE + b"\n" + BOM + TWO,
        BOM + ONE + b"\r\n" + BOM + BOM + TWO + b"\r\n",
        BOM + b"\n" + ONE + b"\n" + BOM + b"\n" + TWO + b"\n" + BOM,
        BOM + b"[" + ONE + b",\n" + TWO + b"]",
    ],
)
@pytest.mark.parametrize("render", ["text", "json", "repr", lambda record: record["text"]])
def test_byte_order_marks_are_no_part_of_a_record(tmp_path: Path, content: bytes, render: Any) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(content)
    pool = load(path, render=render)
    assert [raw.rstrip(b"\r") for raw in pool.records.raw(range(2))] == [ONE, TWO]
    assert len(pool) == 2
    assert not any(sample.startswith("\ufeff") for sample in samples(pool))


def test_a_byte_order_mark_before_csv(tmp_path: Path) -> None:
    path = tmp_path / "pool.csv"
    path.write_bytes(BOM + b"text,n\na,007\n")
    pool = load(path)
    assert samples(pool) == ["a"]
    assert [json.loads(raw) for raw in pool.records.raw([0])] == [{"text": "a", "n": "007"}]
    path.write_bytes((BOM + b"text,n\na,007\n") * 2)
    assert message(path) == f"{path}: row 2 is the header once more, as where files are joined; remove it"
    path.write_bytes(b"text\ntext\n")
    assert samples(load(path)) == ["text"]


# Files without records, in every format.


def arrow_of(stream: bool) -> bytes:
    pa = pytest.importorskip("pyarrow", reason="about Arrow")
    out = io.BytesIO()
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(out, pa.schema([("other", pa.int64())])):
        pass
    return out.getvalue()


EMPTY: list[tuple[str, Callable[[], bytes]]] = [
    ("nothing.jsonl", lambda: b""),
    ("nothing.json.gz", lambda: gzip.compress(b"")),
    ("nothing.jsonl.zst", lambda: zstandard.compress(b"")),
    ("nothing.jsonl.bz2", lambda: bz2.compress(b"")),
    ("nothing.jsonl.xz", lambda: lzma.compress(b"")),
    ("blank.jsonl", lambda: b" \n\r\n\t\n"),
    ("mark.jsonl", lambda: BOM),
    ("none.json", lambda: b"[]"),
    ("spaced.json", lambda: b"\n[ \n]\n"),
    ("nothing.csv", lambda: b""),
    ("nothing.tsv.gz", lambda: gzip.compress(b"")),
    ("blank.csv", lambda: b"\n \n"),
    ("mark.csv", lambda: BOM),
    ("header.csv", lambda: b"other,columns\n"),
    ("header.tsv", lambda: b"other\tcolumns"),
    ("nothing.parquet", lambda: b""),
    ("rows.parquet", lambda: parquet_of([])),
    ("other.parquet", lambda: parquet_of([], ("other",), "int64")),
    ("type.parquet", lambda: parquet_of([], ("text",), "float64")),
    ("nothing.arrow", lambda: b""),
    ("rows.arrow", lambda: arrow_of(stream=False)),
    ("rows.arrows", lambda: arrow_of(stream=True)),
]


@pytest.mark.parametrize(("name", "make"), EMPTY, ids=[name for name, _ in EMPTY])
@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_a_file_without_records_is_passed_over_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, make: Callable[[], bytes], on_error: Any
) -> None:
    empty = tmp_path / name
    empty.write_bytes(make())
    ending = "parquet" if "parquet" in name or "arrow" in name else "jsonl"
    full = tmp_path / f"full.{ending}"
    full.write_bytes(parquet_of([{"text": "one one"}, {"text": "two two"}]) if ending == "parquet" else LINES)
    for files in ([empty, full], [full, empty]):
        caplog.clear()
        pool = load(files, on_error=on_error)
        assert samples(pool) == ["one one", "two two"]
        assert pool.skipped == ()
        assert f"files without records: {empty}" in caplog.messages
        assert [json.loads(raw)["text"] for raw in pool.records.raw([1, 0])] == ["two two", "one one"]
        assert [source.name for source in pool.records.files()] == [str(file) for file in files]
        if ending == "parquet":
            assert pool.records.tabular
            assert [row["text"] for batch in pool.records.rows([1]) for row in batch.to_pylist()] == ["two two"]
    assert message(empty, on_error=on_error) == f"{empty}: the pool is empty: there are no records"


def test_an_empty_standard_input_holds_no_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    assert message("-") == "standard input: the pool is empty: there are no records"


def test_what_was_skipped_is_said_where_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(b'{"text": 7}\n{"text": 8}\n')
    expected = (
        f"{path}: the pool is empty: all 2 records were skipped, the first: {path}:1: 'text' is a number, not text"
    )
    assert message(path, on_error="skip") == expected


# Files that are no data: an error for the file, with and without skip.


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return out.getvalue()


def tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        entry = tarfile.TarInfo("pool.jsonl")
        entry.size = len(LINES)
        archive.addfile(entry, io.BytesIO(LINES))
    return out.getvalue()


def numpy_of(save: Callable[..., None]) -> bytes:
    out = io.BytesIO()
    save(out, np.arange(3))
    return out.getvalue()


def database() -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (text TEXT)")
    return connection.serialize()


UNPACK = "unpack it, and name the unpacked file"
ARCHIVE = "unpack it, and name the files that are to be read"
REWRITE = "read it in Python with the library that wrote it, and write JSON Lines or Parquet"
LZ4 = b"\x04\x22\x4d\x18\x64\x40\xa7" + b"\0" * 20
BINARY = "give JSON Lines, CSV, Parquet or Arrow"

FOREIGN: list[tuple[str, Callable[[], bytes], str]] = [
    ("a.jsonl.lz4", lambda: LZ4, f"is compressed with lz4, which is not read here; {UNPACK}"),
    ("a.csv.lz4", lambda: LZ4, f"is compressed with lz4, which is not read here; {UNPACK}"),
    (
        "a.jsonl.sz",
        lambda: b"\xff\x06\0\0sNaPpY" + b"\0" * 9,
        f"is compressed with snappy, which is not read here; {UNPACK}",
    ),
    ("a.jsonl.Z", lambda: b"\x1f\x9d\x90{\0", f"is compressed with compress, which is not read here; {UNPACK}"),
    ("a.lz", lambda: b"LZIP\x01\x0c" + b"\0" * 9, f"is compressed with lzip, which is not read here; {UNPACK}"),
    (
        "a.jsonl.lzma",
        lambda: lzma.compress(LINES, lzma.FORMAT_ALONE),
        f"is compressed with lzma, which is not read here; {UNPACK}",
    ),
    ("a.zip", lambda: zipped(**{"a.jsonl": LINES}), f"is a ZIP archive; {ARCHIVE}"),
    ("none.zip", zipped, f"is a ZIP archive; {ARCHIVE}"),
    ("a.jsonl", lambda: zipped(**{"a.jsonl": LINES}), f"is a ZIP archive; {ARCHIVE}"),
    (
        "a.xlsx",
        lambda: zipped(**{"[Content_Types].xml": b"", "xl__workbook.xml": b""}),
        "is an Excel workbook; export it as CSV",
    ),
    (
        "a.docx",
        lambda: zipped(**{"word__document.xml": b""}),
        "is a Word document; extract its text, and write JSON Lines",
    ),
    ("a.xls", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, "is an old Office document; export it as CSV"),
    ("a.pt", lambda: zipped(archive__data__pkl=b"", **{"archive/data.pkl": b""}), f"is a file of PyTorch; {REWRITE}"),
    ("a.tar", tarred, f"is a tar archive; {ARCHIVE}"),
    ("a.tar.gz", lambda: gzip.compress(tarred()), f"is a tar archive; {ARCHIVE}"),
    ("a.tar.xz", lambda: lzma.compress(tarred()), f"is a tar archive; {ARCHIVE}"),
    ("a.7z", lambda: b"7z\xbc\xaf\x27\x1c\0\4" + b"\0" * 9, f"is a 7z archive; {ARCHIVE}"),
    ("a.rar", lambda: b"Rar!\x1a\x07\x01\0", f"is a RAR archive; {ARCHIVE}"),
    (
        "a.db",
        database,
        "is an SQLite database; export a table: sqlite3 -json FILE 'SELECT * FROM T' > OUT.json",
    ),
    (
        "a.duckdb",
        lambda: b"\1\2\3\4\5\6\7\0DUCK\0\0",
        "is a DuckDB database; export a table: duckdb FILE \"COPY T TO 'OUT.parquet'\"",
    ),
    *(
        (
            f"a{protocol}.pkl",
            lambda protocol=protocol: pickle.dumps([{"text": "a"}], protocol),
            f"is pickled; {REWRITE}",
        )
        for protocol in (2, 3, 4, 5)
    ),
    ("a.npy", lambda: numpy_of(np.save), f"is a NumPy array; {REWRITE}"),
    ("a.npz", lambda: numpy_of(np.savez), f"is an archive of NumPy arrays; {REWRITE}"),
    ("a.h5", lambda: b"\x89HDF\r\n\x1a\n\0", f"is HDF5; {REWRITE}"),
    ("a.avro", lambda: b"Obj\x01\x04\x14", f"is Avro; {REWRITE}"),
    ("a.orc", lambda: b"ORC\x01\0", f"is ORC; {REWRITE}"),
    ("a.feather", lambda: b"FEA1\0\0", "is Feather version 1; write it again as Feather version 2 or Parquet"),
    ("a.pdf", lambda: b"%PDF-1.4\n", "is a PDF document; extract its text, and write JSON Lines"),
    (
        "a.parquet",
        lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
        "is a pointer of Git LFS, not the data; fetch the data: git lfs pull",
    ),
    (
        "b.jsonl",
        lambda: b"\n<!DOCTYPE html>\n<html>",
        "is a page of HTML, not the data; fetch it again: did the server ask for a login?",
    ),
    ("c.jsonl", lambda: b'<?xml version="1.0"?>', "is XML; convert it to JSON Lines"),
    ("twice.jsonl.gz", lambda: gzip.compress(bz2.compress(LINES)), "is compressed twice; unpack it once"),
    ("p.gz", lambda: gzip.compress(b"PAR1" + b"\0" * 9), "is Parquet, and compressed as a whole; unpack it"),
    (
        "noise.jsonl",
        lambda: b"\x13\x07\x05\x01noise\n" * 9,
        f"is not text: it begins with the bytes 13 07 05 01 6e 6f 69 73 65 0a 13 07; {BINARY}",
    ),
    (
        "noise.csv",
        lambda: b"\x13\x07\x05\x01noise\n" * 9,
        f"is not text: it begins with the bytes 13 07 05 01 6e 6f 69 73 65 0a 13 07; {BINARY}",
    ),
    ("nuls.jsonl", lambda: b"\0" * 5000, f"is not text: it begins with the bytes {' '.join(['00'] * 12)}; {BINARY}"),
    (
        "a.safetensors",
        lambda: (88).to_bytes(8, "little") + b'{"a":{"dtype":"F32"}}' + b" " * 67,
        f"is not text: it begins with the bytes 58 00 00 00 00 00 00 00 7b 22 61 22; {BINARY}",
    ),
]


@pytest.mark.parametrize(("name", "make", "expected"), FOREIGN, ids=[name for name, *_ in FOREIGN])
@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_what_is_no_data_is_named(
    tmp_path: Path, name: str, make: Callable[[], bytes], expected: str, on_error: Any
) -> None:
    path = tmp_path / name
    path.write_bytes(make())
    good = tmp_path / "good.jsonl"
    good.write_bytes(LINES)
    assert message(good, path, on_error=on_error) == f"{path}: {expected}"


@pytest.mark.parametrize(
    "content",
    [
        b"ORCID,text\n1,one one\n2,two two\n",
        b"CDF,text\n1,one one\n2,two two\n",
        b"LZIP,text\n1,one one\n2,two two\n",
        b"text,id,DUCK\none one,1,2\ntwo two,1,2\n",
    ],
)
def test_text_is_not_taken_for_a_binary_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pool.csv"
    path.write_bytes(content)
    assert samples(load(path)) == ["one one", "two two"]


def test_a_broken_record_does_not_make_a_file_binary(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    for broken in (b"\0\0\0\0", b"\x01\x02", b'{"text": "a\x01"}'):
        path.write_bytes(broken + b"\n" + LINES)
        pool = load(path, on_error="skip")
        assert (samples(pool), len(pool.skipped)) == (["one one", "two two"], 1)


# Compression.

PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "zst": zstandard.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}


@pytest.mark.parametrize("ending", PACKED)
@pytest.mark.parametrize("name", ["pool.jsonl", "pool.json", "pool.csv"])
def test_compression_is_recognised_by_content(tmp_path: Path, ending: str, name: str) -> None:
    pack = PACKED[ending]
    content = b"text\none one\ntwo two\n" if name.endswith("csv") else LINES
    for path in (
        tmp_path / f"{name}.{ending}",
        tmp_path / name,
        tmp_path / f"{name}.{'xz' if ending == 'gz' else 'gz'}",
    ):
        path.write_bytes(pack(content))
        assert samples(load(path)) == ["one one", "two two"]
    # Several streams are one content.
    path.write_bytes(pack(content[:7]) + pack(b"") + pack(content[7:]))
    assert samples(load(path)) == ["one one", "two two"]


@pytest.mark.parametrize("ending", PACKED)
def test_broken_compression_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    path = tmp_path / f"pool.jsonl.{ending}"
    if ending == "zst":
        # Without a checksum, some damage would only show in the records.
        monkeypatch.setitem(PACKED, "zst", zstandard.ZstdCompressor(write_checksum=True).compress)
    texts = np.random.default_rng(1).bytes(9000).hex()
    content = b"".join(json.dumps({"text": texts[n * 100 :][:100]}).encode() + b"\n" for n in range(180))
    packed = PACKED[ending](content)
    for cut in (len(packed) // 2, len(packed) - 1):
        path.write_bytes(packed[:cut])
        assert message(path) == f"{path}: the file is truncated: its compressed data end too soon; fetch it anew"
    for broken in (packed + b"trailing", packed[:200] + b"\xff" * 99 + packed[299:]):
        path.write_bytes(broken)
        assert message(path, on_error="skip").startswith(f"{path}: its compressed data are corrupt: ")
    monkeypatch.setattr("entropylaw.pool.source._BOMB_SIZE", 1 << 20)
    path.write_bytes(PACKED[ending](b" " * (1 << 24)))
    assert "more than 250 times as many: is it a decompression bomb?" in message(path)


def test_padding_between_streams_of_xz(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl.xz"
    path.write_bytes(lzma.compress(ONE + b"\n") + b"\0" * 8 + lzma.compress(TWO) + b"\0" * (CHUNK + 4))
    assert samples(load(path)) == ["one one", "two two"]


# Size and depth: what works stays so.


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"text":"a a","x":NaN}\n{"text":"b b","x":-Infinity}\n{"text":"c c","x":1e400}\n', ["a a", "b b", "c c"]),
        (b'{"text":"first","text":"second"}\n', ["second"]),
        (b'{"text":"a a","x":' + b"[" * 500 + b"]" * 500 + b"}\n" + ONE, ["a a", "one one"]),
        (b'{"text":"a a","x":' + b'{"a":' * 500 + b"1" + b"}" * 500 + b"}\n", ["a a"]),
        (b'{"text":"a a","x":' + b"9" * 4000 + b"}\n", ["a a"]),
    ],
)
@pytest.mark.parametrize("array", [False, True])
def test_size_and_depth(tmp_path: Path, content: bytes, expected: list[str], array: bool) -> None:
    path = tmp_path / "pool.json"
    rows = content.strip().split(b"\n")
    path.write_bytes(b"[" + b",".join(rows) + b"]" if array else content)
    pool = load(path)
    assert samples(pool) == expected
    assert list(pool.records.raw(range(len(rows)))) == rows
