"""Which files are a pool, and what is said of those that are not: a row for each kind of file that people have."""

# ruff: noqa: E501 - messages are given whole

import bz2
import gzip
import io
import json
import logging
import lzma
import os
import pickle
import re
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.cli import main
from entropylaw.pool import Pool, load
from entropylaw.pool.compression import CHUNK

ONE, TWO = b'{"text":"one one"}', b'{"text":"two two"}'
LINES = ONE + b"\n" + TWO + b"\n"
BOM = b"\xef\xbb\xbf"
MEND = "mend or remove the record, or skip such records (on_error='skip', --on-error skip)"
SKIP = "or skip such records (on_error='skip', --on-error skip)"
NO_SCHEMA = "has none of the schemas "


def samples(pool: Pool) -> list[str]:
    return [pool.sample(index).decode() for index in range(len(pool))]


def message(*paths: Any, **options: Any) -> str:
    with pytest.raises(EntropyLawError) as raised:
        load(list(paths), paths=True, **options)
    assert "\n" not in str(raised.value)
    return str(raised.value)


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


def parquet_of(rows: list[dict[str, Any]], names: tuple[str, ...] = ("text",), kind: str = "string") -> bytes:
    pa = pytest.importorskip("pyarrow", reason="about Parquet")
    import pyarrow.parquet

    out = io.BytesIO()
    schema = pa.schema([(name, getattr(pa, kind)()) for name in names])
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows, schema), out)
    return out.getvalue()


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
        assert message(path) == f"{path}: the file is truncated: its compressed data end too soon"
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


# JSON laid out otherwise than it is read. The remedy is one of the file, which skipping is not, or of a record; where it
# is a command, it is run.

UTF16 = '{"text":"one one"}\n{"text":"two two"}\n'.encode("utf-16-le")

LAYOUTS: list[tuple[str, bytes, str, str, list[str]]] = [
    (
        "pretty.jsonl",
        b'{\n  "text": "one one"\n}\n{\n  "text": "two two"\n}\n',
        ":1: has records that go over several lines; put each on one: ",
        "jq -c . FILE > OUT.jsonl",
        ["one one", "two two"],
    ),
    (
        "one.json",
        b'{\r\n  "text": "one one",\r\n  "id": 1\r\n}\r\n',
        ":1: has records that go over several lines; put each on one: ",
        "jq -c . FILE > OUT.jsonl",
        ["one one"],
    ),
    (
        "concatenated.json",
        ONE + TWO,
        ":1: has several records on a line; put each on one: ",
        "jq -c . FILE > OUT.jsonl",
        ["one one", "two two"],
    ),
    (
        "wrapped.json",
        b'{"version":"1.0","data":[' + ONE + b"," + TWO + b"]}\n",
        ":1: is one object, whose member 'data' has the records; put them on lines: ",
        "jq -c '.data[]' FILE > OUT.jsonl",
        ["one one", "two two"],
    ),
    (
        "wrapped-pretty.json",
        b'{\n "version":"1.0",\n "my data":[\n  ' + ONE + b",\n  " + TWO + b"]\n}\n",
        ":1: is one object, whose member 'my data' has the records; put them on lines: ",
        "jq -c '.[\"my data\"][]' FILE > OUT.jsonl",
        ["one one", "two two"],
    ),
    (
        "object-of-records.json",
        b'{"0":' + ONE + b',"1":' + TWO + b"}\n",
        ":1: is one object of records; put them on lines: ",
        "jq -c '.[]' FILE > OUT.jsonl",
        ["one one", "two two"],
    ),
    (
        "arrays.json",
        b"[" + ONE + b"]\n[" + TWO + b"]\n",
        ":2: is not a JSON array: it is several arrays; put the items of all on lines: ",
        "jq -c '.[]' FILE > OUT.jsonl",
        ["one one", "two two"],
    ),
    (
        "list-a-line.jsonl",
        b'[{"from":"human","value":"foo"},{"from":"gpt","value":"bar"}]\n[{"from":"human","value":"baz"}]\n',
        ":2: is not a JSON array: it is several arrays, each a conversation; name them: ",
        "jq -c '{conversations: .}' FILE > OUT.jsonl",
        ["foo\nbar", "baz"],
    ),
    (
        "one-list.jsonl",
        b'[{"role":"user","content":"foo"},{"role":"assistant","content":"bar"}]\n',
        ":1: is an array of turns: one conversation; name it: ",
        "jq -c '{messages: .}' FILE > OUT.jsonl",
        ["foo\nbar"],
    ),
    (
        "list-of-lists.json",
        b'[[{"from":"human","value":"foo"},{"from":"gpt","value":"bar"}],[{"from":"human","value":"baz"}]]',
        ":1: is an array of conversations without a name; name them: ",
        "jq -c '.[] | {conversations: .}' FILE > OUT.jsonl",
        ["foo\nbar", "baz"],
    ),
    (
        "returns.jsonl",
        ONE + b"\r" + TWO + b"\r",
        ":1: ends its lines with carriage returns alone; convert them: ",
        r"tr '\r' '\n' < FILE > OUT.jsonl",
        ["one one", "two two"],
    ),
    (
        "separators.jsonl",
        b"\x1e" + ONE + b"\n\x1e" + TWO + b"\n",
        ":1: is a JSON text sequence, with a separator (0x1e) before each record; remove them: ",
        r"tr -d '\036' < FILE > OUT.jsonl",
        ["one one", "two two"],
    ),
    (
        "commas.jsonl",
        ONE + b",\n" + TWO + b",\n",
        ":1: has commas between its lines; remove them: ",
        "sed 's/,[[:space:]]*$//' FILE > OUT.jsonl",
        ["one one", "two two"],
    ),
    (
        "utf16.jsonl",
        b"\xff\xfe" + UTF16,
        ": is UTF-16, not UTF-8; convert the file: ",
        "iconv -f UTF-16 -t UTF-8 FILE > OUT",
        ["one one", "two two"],
    ),
    (
        "utf16-without-mark.jsonl",
        UTF16,
        ": is UTF-16LE, not UTF-8; convert the file: ",
        "iconv -f UTF-16LE -t UTF-8 FILE > OUT",
        ["one one", "two two"],
    ),
    (
        "utf32.jsonl",
        LINES.decode().encode("utf-32"),
        ": is UTF-32, not UTF-8; convert the file: ",
        "iconv -f UTF-32 -t UTF-8 FILE > OUT",
        ["one one", "two two"],
    ),
    (
        "utf16.csv",
        "text\none one\n".encode("utf-16"),
        ": is UTF-16, not UTF-8; convert the file: ",
        "iconv -f UTF-16 -t UTF-8 FILE > OUT",
        ["one one"],
    ),
    (
        "latin1-array.json",
        '[{"text":"café","n":NaN}]'.encode("latin-1"),
        ":1: is not UTF-8: found byte 0xe9; convert the file: ",
        "iconv -f WINDOWS-1252 -t UTF-8 FILE > OUT",
        ["café"],
    ),
    (
        "latin1.csv",
        "text,label\ncafé au lait,1\n".encode("latin-1"),
        ":2: is not UTF-8: found byte 0xe9; convert the file: ",
        "iconv -f WINDOWS-1252 -t UTF-8 FILE > OUT",
        ["café au lait"],
    ),
    (
        "prose.txt",
        b"one one\ntwo two\n",
        ":1: is not JSON: found 'one one'; name the format if it is CSV (format='csv', --format csv), or make records of "
        "lines of text: ",
        "jq -Rc '{text: .}' FILE > OUT.jsonl",
        ["one one", "two two"],
    ),
    (
        "semicolons.csv",
        b"instruction;output\nSay hi;Hi there\n",
        f": the table {NO_SCHEMA}...: found the keys 'instruction;output'; fields are separated by ';', not ','; convert it: ",
        "python -c \"import csv, sys; csv.writer(sys.stdout).writerows(csv.reader(sys.stdin, delimiter=';'))\" "
        "< FILE > OUT.csv",
        ["Say hi\nHi there"],
    ),
    (
        "semicolons-and-commas.csv",
        b'instruction;output\nSay hi;"Hi, there"\n',
        ": cannot be read as CSV: row 1 has 2 fields, not 1: 'Say hi;\"Hi, there\"'; fields are separated by ';', not ','; "
        "convert it: ",
        "python -c \"import csv, sys; csv.writer(sys.stdout).writerows(csv.reader(sys.stdin, delimiter=';'))\" "
        "< FILE > OUT.csv",
        ["Say hi\nHi, there"],
    ),
    ("quotes.jsonl", b"{'text':'one one'}\n", ":1: has single quotes, as Python's repr writes them, and is not JSON; write the records with json.dumps", "", []),
    ("header.jsonl", b"text,n\none one,1\n", ":1: is not JSON: found 'text,n'; if it is CSV, name the format (format='csv', --format csv)", "", []),
    ("tabs.jsonl", b"text\tn\none one\t1\n", r":1: is not JSON: found 'text\tn'; if it is TSV, name the format (format='tsv', --format tsv)", "", []),
    ("comma.json", b"[" + ONE + b"," + TWO + b",\n]", ":2: is not a JSON array: there is a comma after the last item; remove it", "", []),
    ("open.json", b"[\n" + ONE + b",\n" + TWO + b"\n", ":4: is not a JSON array: it is not closed: found the end of the file; fetch it again if it was cut off, or close it with ]", "", []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "expected", "remedy", "texts"), LAYOUTS, ids=[row[0] for row in LAYOUTS])
@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_a_fault_of_the_file_has_a_remedy_of_the_file(
    tmp_path: Path, name: str, content: bytes, expected: str, remedy: str, texts: list[str], on_error: Any
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    found = message(path, on_error=on_error)
    assert re.sub(r"(?<=schemas ).*(?=: found)", "...", found) == re.sub(
        r"(?<=schemas ).*(?=: found)", "...", f"{path}{expected}{remedy}"
    )
    if not texts or shutil.which(remedy.split()[0].replace("python", "sh")) is None:
        return
    out = tmp_path / f"mended{path.suffix if remedy.startswith('iconv') else '.csv' if 'csv' in remedy else '.jsonl'}"
    command = remedy.replace("FILE", str(path)).replace("python", sys.executable)
    subprocess.run(["sh", "-c", re.sub(r"OUT\S*", str(out), command)], check=True)
    assert samples(load(out)) == texts


RECORDS: list[tuple[bytes, str]] = [
    (b"// made by hand", "is not JSON: expecting value at column 1, found '// made by hand'; JSON has no comments: remove the line, " + SKIP),
    (b"# made by hand", "is not JSON: expecting value at column 1, found '# made by hand'; JSON has no comments: remove the line, " + SKIP),
    (b"\0\0\0", r"is not JSON: expecting value at column 1, found '\x00\x00\x00'; NUL bytes are what a crash or a full disk leaves: remove the line, " + SKIP),
    (b'{"text":"caf\xe9"}', f"is not UTF-8: found byte 0xe9 at byte 13; convert the file: iconv -f WINDOWS-1252 -t UTF-8 FILE > OUT, {SKIP}"),
    (b"{'text':'a'}", f"is not JSON: expecting property name enclosed in double quotes at column 2, found \"'text':'a'}}\"; it has single quotes, as Python's repr writes them: write it with json.dumps, {SKIP}"),
    (ONE + b",", f"is not JSON: extra data at column 19, found ','; remove the comma at its end, {SKIP}"),
    (ONE + BOM + TWO, f"is not JSON: extra data at column 19, found '\\ufeff{TWO.decode()}'; a byte-order mark inside a line is what `cat` leaves of files without a final line break: break the line before it, {SKIP}"),
    (b'{"text":"tab\there"}', f"is not JSON: invalid control character at column 13, found '\\there\"}}'; {MEND}"),
    (b'{"text": "a", ', f"is not JSON: expecting property name enclosed in double quotes at column 15, found the end of the record; {MEND}"),
    (b"null", f"the record does not have the schema text (text): found null; PATH:1 decided for it; {MEND}"),
]  # fmt: skip


@pytest.mark.parametrize(("broken", "expected"), RECORDS, ids=[f"{n}" for n in range(len(RECORDS))])
def test_a_fault_of_a_record_has_a_remedy_of_the_record(tmp_path: Path, broken: bytes, expected: str) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(ONE + b"\n" + broken + b"\n" + TWO + b"\n")
    assert message(path) == f"{path}:2: {expected.replace('PATH', str(path))}"
    pool = load(path, on_error="skip")
    assert (samples(pool), len(pool.skipped)) == (["one one", "two two"], 1)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("été à l'école, déjà vu", "cp1252"),
        ("Größe über alles", "cp1252"),
        ("привет, как дела", "cp1251"),
        ("你好世界 这是一个例子", "gb18030"),
    ],
)
def test_the_encoding_is_guessed(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(f'{{"text":"{text}"}}\n'.encode(encoding))
    named = {"cp1252": "WINDOWS-1252", "cp1251": "WINDOWS-1251", "gb18030": "GB18030"}[encoding]
    assert f"convert the file: iconv -f {named} -t UTF-8 FILE > OUT" in message(path)


# CSV.

CSV: list[tuple[str, bytes, list[dict[str, str]]]] = [
    ("quoted.csv", b'text,n\n"a, ""b""",1\n', [{"text": 'a, "b"', "n": "1"}]),
    ("breaks.csv", b'text,n\n"line one\nline two",007\n', [{"text": "line one\nline two", "n": "007"}]),
    ("crlf.csv", b'"text","n"\r\n"x","1.50"\r\n\r\n', [{"text": "x", "n": "1.50"}]),
    ("nulls.csv", b'text,n\na,\n"",NA\n', [{"text": "a", "n": ""}, {"text": "", "n": "NA"}]),
    ("index.csv", b",text\n0,a a\n", [{"": "0", "text": "a a"}]),
    ("backslash.csv", b'text,n\nb \\"q\\",1\n', [{"text": 'b \\"q\\"', "n": "1"}]),
]
CSV_FAULTS: list[tuple[str, bytes, str]] = [
    ("ragged.csv", b"text,n\na,1\nb,2,extra\n", ": cannot be read as CSV: row 2 has 3 fields, not 2: 'b,2,extra'; put quotes around fields that hold the delimiter"),
    ("short.csv", b"text,n\na,1\nb\n", ": cannot be read as CSV: row 2 has 1 field, not 2: 'b'; add the fields that are missing, or remove the row"),
    ("open.csv", b'text,n\n"open,1\nb,2\n', ": cannot be read as CSV: row 1 has 1 field, not 2: '\"open,1'; close the quote, or double it if it is part of the text"),
    ("twice.csv", b"text,text\na,b\n", ": has more than one column named 'text'; rename one of them"),
    ("spaces.csv", b" text , n \na, 1\n", ": the table has none of the schemas ...: found the keys ' text ', ' n '; remove the spaces around the names in the first row"),
    ("tabs.csv", b"text\tn\na\t1\n", r": the table has none of the schemas ...: found the keys 'text\tn'; it is TSV; name the format (format='tsv', --format tsv)"),
    ("commas.tsv", b"text,n\na,1\n", ": the table has none of the schemas ...: found the keys 'text,n'; it is CSV; name the format (format='csv', --format csv)"),
    ("lines.csv", LINES, ": the table has none of the schemas ...: found the keys '{\"text\":\"one one\"}'; it is JSON; name the format (format='json', --format json)"),
    ("json.csv", b'messages\n"[{""role"":""user"",""content"":""Hi""}]"\n', f": row 1: 'messages' is text, not a list of turns; the column 'messages' holds JSON: parse it (json.loads), and write JSON Lines, {SKIP}"),
    ("repr.csv", b"messages\n\"[{'role': 'user', 'content': 'Hi'}]\"\n", f": row 1: 'messages' is text, not a list of turns; the column 'messages' holds Python's repr: parse it (ast.literal_eval), and write JSON Lines, {SKIP}"),
    ("long.csv", b'text,n\n"' + b"a\n" * (1 << 14), ": cannot be read as CSV: a row has more than 16 MB; is a quote not closed?"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "rows"), CSV, ids=[row[0] for row in CSV])
def test_values_of_csv(tmp_path: Path, name: str, content: bytes, rows: list[dict[str, str]]) -> None:
    pytest.importorskip("pyarrow", reason="about CSV")
    path = tmp_path / name
    path.write_bytes(content)
    pool = load(path)
    assert samples(pool) == [row["text"] for row in rows]
    assert [json.loads(raw) for raw in pool.records.raw(range(len(rows)))] == rows


@pytest.mark.parametrize(("name", "content", "expected"), CSV_FAULTS, ids=[row[0] for row in CSV_FAULTS])
def test_faults_of_csv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, expected: str
) -> None:
    pytest.importorskip("pyarrow", reason="about CSV")
    monkeypatch.setattr("entropylaw.pool.tables._CSV_BLOCK", 1 << 12)
    path = tmp_path / name
    path.write_bytes(content)
    assert re.sub(r"(?<=schemas ).*(?=: found)", "...", message(path)) == f"{path}{expected}"


def test_a_quote_that_swallows_rows_of_tsv_is_noted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("pyarrow", reason="about TSV")
    path = tmp_path / "pool.tsv"
    path.write_bytes(b'id\ttext\n0\tzero\n1\t"Hello\n2\tfoo\n3\tbar" baz\n')
    pool = load(path)
    assert samples(pool) == ["zero", "Hello\n2\tfoo\n3\tbar baz"]
    assert [json.loads(raw)["id"] for raw in pool.records.raw([1])] == ["1"]
    assert caplog.messages == [
        f"{path}: row 2: 'text' holds tabs and line breaks, read as one field because it begins with a quote; if they are "
        "several rows, double the quote and put quotes around the field"
    ]


def test_a_column_of_another_type_has_a_remedy_of_the_column(tmp_path: Path) -> None:
    path = tmp_path / "pool.parquet"
    pa = pytest.importorskip("pyarrow", reason="about Parquet")
    import pyarrow.parquet

    pyarrow.parquet.write_table(pa.table({"text": [1, 2], "source": [1, 2]}), path)
    assert message(path) == (
        f"{path}: row 1: 'text' is a number, not text; the column 'text' is int64: write it as text, or name another "
        "field (field=, --field)"
    )


# Directories and patterns.


def tree(directory: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return directory


def line(text: str) -> bytes:
    return json.dumps({"text": text}).encode() + b"\n"


def names(pool: Pool, directory: Path) -> list[str]:
    return [os.path.relpath(file, directory) for file in pool.left_out]


def test_a_directory_says_what_it_leaves_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    files = {
        f"{n}.{ending}": line(str(n))
        for n, ending in enumerate(["jsonl", "JSONL", "jsonlines", "jl", "ndjson", "json"])
    }
    files |= {"6.jsonl.bz2": bz2.compress(line("6")), "7.JSONL.XZ": lzma.compress(line("7"))}
    out = {f"{n}.txt": line("no") for n in range(4)} | {"a.jsonl.lz4": LZ4, "sub/README.md": b"# no"}
    hidden = {".git/x.jsonl": line("no"), "_temporary/x.jsonl": line("no"), "_SUCCESS": b"", "sub/.x.jsonl": line("no")}
    directory = tree(tmp_path / "d", files | out | hidden)
    pool = load(directory)
    assert samples(pool) == [str(n) for n in range(8)]
    assert names(pool, directory) == sorted(out)
    assert (
        f"{directory}: 8 files are read, 6 left out: 0.txt, 1.txt, 2.txt, 3.txt, a.jsonl.lz4 and 1 more"
        in caplog.messages
    )
    shutil.rmtree(directory)
    tree(directory, out)
    assert message(directory) == (
        f"{directory}: the directory holds no data files (.json, .jsonl, .ndjson, .jsonlines, .jl, .parquet, .pq, .arrow, "
        ".arrows, .feather, .ipc, .csv, .tsv); it holds 0.txt, 1.txt, 2.txt, 3.txt, a.jsonl.lz4 and 1 more; name files, or "
        "a pattern such as DIR/*.txt, and their format (format=, --format)"
    )
    assert samples(load(f"{directory}/*.txt")) == ["no"] * 4


def saved(texts: list[str]) -> bytes:
    pa = pytest.importorskip("pyarrow", reason="about Arrow")
    out = io.BytesIO()
    table = pa.table({"text": texts})
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def dataset(texts: list[str]) -> dict[str, bytes]:
    return {
        "data-00000-of-00001.arrow": saved(texts),
        "cache-0123456789abcdef.arrow": saved(["cached"]),
        "cache-0123456789abcdef_00000_of_00002.arrow": saved(["cached"]),
        "state.json": json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}).encode(),
        "dataset_info.json": b"{}",
    }


def test_a_saved_data_set_is_read_without_its_caches(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    directory = tree(tmp_path / "saved", dataset(["one one"]) | {"left-behind.arrow": saved(["old"])})
    expected = sorted({*dataset([]), "left-behind.arrow"} - {"data-00000-of-00001.arrow"})
    pool = load(directory)
    assert (samples(pool), names(pool, directory)) == (["one one"], expected)
    assert "1 files are read, 5 left out: cache-0123456789abcdef.arrow" in caplog.text
    pool = load(f"{directory}/*.arrow")
    assert samples(pool) == ["one one", "old"]
    assert names(pool, directory) == [name for name in expected if name.startswith("cache")]
    assert message(f"{directory}/cache-*") == (
        f"{directory}/cache-*: no file matches, but for {directory / expected[0]}, {directory / expected[1]}; name a file "
        "itself to read it"
    )
    caplog.clear()
    assert samples(load([directory / "data-00000-of-00001.arrow", directory / expected[0]])) == ["one one", "cached"]
    assert caplog.messages[0] == (
        f"{directory / expected[0]}: by the name, not data but what a tool keeps beside it; it is read"
    )
    (directory / "data-00000-of-00001.arrow").unlink()
    assert message(directory) == f"{directory}/data-00000-of-00001.arrow: no such file, though state.json names it"


def test_what_datasets_saves(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="about data sets")
    rows = datasets.Dataset.from_list([{"text": f"text {n}"} for n in range(20)])
    rows.save_to_disk(tmp_path / "one", num_shards=3)
    again = datasets.load_from_disk(tmp_path / "one")
    again.map(lambda row: {"text": row["text"].upper()})
    again.filter(lambda row: row["text"] > "text 3")
    assert len(list((tmp_path / "one").glob("cache-*.arrow"))) >= 1
    assert samples(load(tmp_path / "one")) == [f"text {n}" for n in range(20)]
    datasets.DatasetDict(train=rows, test=rows).save_to_disk(tmp_path / "two")
    assert (
        message(tmp_path / "two")
        == f"{tmp_path}/two: holds the splits 'train', 'test'; name one of them: {tmp_path}/two/train"
    )
    assert len(load(tmp_path / "two/test")) == 20


def test_a_cache_of_the_hub(tmp_path: Path) -> None:
    hub = tree(tmp_path / "datasets--x--y", {"blobs/0a": line("one one"), "refs/main": b"abc"})
    for revision in ("abc", "def"):
        (hub / f"snapshots/{revision}").mkdir(parents=True)
        (hub / f"snapshots/{revision}/train.jsonl").symlink_to("../../blobs/0a")
        if revision == "abc":
            assert samples(load(hub)) == ["one one"]
    assert message(hub) == (
        f"{hub}: is a cache of the Hugging Face hub with 2 revisions; name one of them: {hub}/snapshots/abc, "
        f"{hub}/snapshots/def"
    )
    assert samples(load(hub / "snapshots/def")) == ["one one"]
    (hub / "blobs/0a").unlink()
    assert message(hub / "snapshots/def") == f"{hub}/snapshots/def/train.jsonl: no such file"


def test_a_delta_table_is_no_directory_of_files(tmp_path: Path) -> None:
    table = tree(tmp_path / "t", {"part-0.parquet": parquet_of([{"text": "old"}]), "_delta_log/0.json": b"{}"})
    assert message(table) == (
        f"{table}: is a Delta table, whose log says which of its files count; read it with deltalake, and give the table"
    )


def test_links_are_followed_and_each_directory_is_read_once(tmp_path: Path) -> None:
    tree(tmp_path, {"far/b.jsonl": line("b"), "d/a.jsonl": line("a"), "d/sub/c.jsonl": line("c")})
    directory = tmp_path / "d"
    (directory / "linked").symlink_to(tmp_path / "far")
    (directory / "linked-again").symlink_to(tmp_path / "far")
    (directory / "loop").symlink_to(directory)
    (directory / "sub/up").symlink_to(directory)
    # A file is its name: two links to one file are two files.
    (directory / "z.jsonl").symlink_to(directory / "a.jsonl")
    assert samples(load(directory)) == ["a", "b", "c", "a"]
    assert samples(load(f"{directory}/**/*.jsonl")) == ["a", "b", "c", "a"]
    (directory / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    for pool in (directory, f"{directory}/**/*.jsonl"):
        assert message(pool) == f"{directory}/gone.jsonl: no such file"


def test_patterns_say_what_they_leave_out(tmp_path: Path) -> None:
    directory = tree(tmp_path, {"a.jsonl": line("a"), "sub/b.jsonl": line("b"), "a.jsonl.manifest.json": b"{}"})
    os.mkfifo(directory / "pipe")
    pool = load(f"{directory}/*")
    assert (samples(pool), names(pool, directory)) == (["a"], ["a.jsonl.manifest.json", "pipe", "sub"])
    assert message(f"{directory}/*.csv") == f"{directory}/*.csv: no file matches"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every directory")
def test_a_directory_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    directory = tree(tmp_path, {"a.jsonl": line("a"), "sub/b.jsonl": line("b")})
    (directory / "sub").chmod(0)
    for pool in (directory, f"{directory}/**/*.jsonl"):
        assert message(pool) == f"{directory}/sub: cannot be read: Permission denied"


def test_held_out_splits_are_noted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    directory = tree(
        tmp_path, {"data/train-00000-of-00001.jsonl": line("a"), "data/test-00000-of-00001.jsonl": line("b")}
    )
    assert len(load(directory)) == 2
    assert caplog.messages == [
        f"{directory}: holds files named train and test, and all are read; name those that you want"
    ]


# Formats that are named.


def test_a_format_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "pool.txt"
    for kind, content in (
        ("csv", b"text,n\na,1\n"),
        ("tsv", b"text\tn\na\t1\n"),
        ("json", line("a")),
        ("parquet", parquet_of([{"text": "a"}])),
        ("arrow", saved(["a"])),
    ):
        path.write_bytes(content)
        pool = load(path, format=kind)
        assert (samples(pool), pool.options["format"]) == (["a"], kind)
    path.write_bytes(b"text,n\na,1\n")
    assert entropylaw.ratio(path, format="csv").samples == 1
    assert len(entropylaw.score(path, format="csv")) == 1
    assert len(entropylaw.compare(path, path, format="csv").versions) == 2
    assert load([str(path)], format="csv").options["format"] == "csv"
    assert message(path, format="parquet") == f"{path}: is not a file of Parquet: it begins with b'text,n'"
    path.write_bytes(parquet_of([{"text": "a"}]))
    assert message(path, format="csv") == f"{path}: is Parquet, not CSV; leave out the format (format=, --format)"
    assert message(path, format="xml") == "there is no format 'xml'; there are json, csv, tsv, parquet, arrow"
    with pytest.raises(EntropyLawError, match="a format is that of files, and the pool is none; leave it out"):
        load([{"text": "a"}], format="json")


def test_a_format_picks_the_files_of_a_directory(tmp_path: Path) -> None:
    directory = tree(tmp_path, {"a.jsonl": line("a"), "b.csv": b"text\nb\n", "c": line("c")})
    assert message(directory) == (
        f"{directory}: the directory holds files of several formats: 1 of json and 1 of csv; name some: "
        f"{directory}/*.jsonl, or the format (format=, --format)"
    )
    pool = load(directory, format="csv")
    assert (samples(pool), names(pool, directory)) == (["b"], ["a.jsonl", "c"])


def test_the_format_of_a_selection_is_in_its_manifest(tmp_path: Path) -> None:
    rows = b"text,n\n" + b"".join(f"record {n} {'ab' * n},{n}\n".encode() for n in range(40))
    pool = tree(tmp_path, {"pool.data": rows, "have.jsonl": line("record 3 ababab")}) / "pool.data"
    out = tmp_path / "out.jsonl"
    anchor = tmp_path / "have.jsonl"
    selection = entropylaw.select(pool, budget=9, format="csv", anchor=str(anchor))
    assert 3 not in selection.indices
    selection.save(out)
    manifest = tmp_path / "out.jsonl.manifest.json"
    assert json.loads(manifest.read_text())["parameters"]["format"] == "csv"
    assert np.array_equal(entropylaw.replay(manifest).indices, selection.indices)
    moved = tmp_path / "moved.jsonl"
    moved.write_bytes(b"".join(line(f"record {n} {'ab' * n}") for n in range(40)))
    pool.unlink()
    assert np.array_equal(entropylaw.replay(manifest, pool=moved).indices, selection.indices)


COMMAND = [sys.executable, "-m", "entropylaw"]


@pytest.mark.parametrize(
    ("options", "content"),
    [
        (["--format", "csv"], lambda: b"text,n\none one,1\ntwo two,2\n"),
        (["--format", "csv"], lambda: gzip.compress(b"text,n\none one,1\ntwo two,2\n")),
        (["--format", "tsv"], lambda: b"text\tn\none one\t1\ntwo two\t2\n"),
        ([], lambda: parquet_of([{"text": "one one"}, {"text": "two two"}])),
        (["--format", "parquet"], lambda: parquet_of([{"text": "one one"}, {"text": "two two"}])),
        ([], lambda: saved(["one one", "two two"])),
        ([], lambda: bz2.compress(LINES)),
    ],
)
def test_every_format_on_standard_input(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    content: Callable[[], bytes],
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content())))
    out = tmp_path / "out.jsonl"
    assert main(["select", "-", "-o", str(out), "--budget", "100%", "--sort", "input", "-q", *options]) == 0
    assert [json.loads(row)["text"] for row in out.read_bytes().splitlines()] == ["one one", "two two"]


def test_standard_input_that_cannot_seek(tmp_path: Path) -> None:
    content = parquet_of([{"text": f"record {n}"} for n in range(300)])
    made = subprocess.run([*COMMAND, "ratio", "-", "--json", "-q"], input=content, capture_output=True, check=True)
    measured = json.loads(made.stdout)
    expected = entropylaw.ratio([f"record {n}" for n in range(300)])
    assert (measured["samples"], measured["compressed_bytes"]) == (300, expected.compressed_bytes)


def test_standard_input_twice(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ratio", "-", "-", "-q"]) == 2
    assert capsys.readouterr().err == "entropylaw: standard input (-) is named twice, and can be read only once\n"


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


# The files that people sent, where they lie beside the project.

# Every file of the folders below that is not here is a variant of one that is; the messages are whole above.
CASES: list[tuple[str, list[str] | str]] = [
    ("10-bom/cat.jsonl", ["first", "second", "third", "fourth"]),
    ("10-bom/c.csv", ['Say "hi"\nHi\r\nthere', "007\n1.50"]),
    ("11-empty-shards/d", ["one one", "two two"]),
    ("11-empty-shards/p", ["a a", "b b"]),
    ("11-empty-shards/e.csv", "the pool is empty: there are no records"),
    ("11-empty-shards/h.csv", "the pool is empty: there are no records"),
    ("11-empty-shards/nogroups.parquet", "the pool is empty: there are no records"),
    ("12-compressions-and-archives/a.jsonl.bz2", ["alpha alpha", "beta beta"]),
    ("12-compressions-and-archives/a.jsonl.xz", ["alpha alpha", "beta beta"]),
    ("12-compressions-and-archives/a.jsonl.lz4", f"is compressed with lz4, which is not read here; {UNPACK}"),
    ("12-compressions-and-archives/a.zip", f"is a ZIP archive; {ARCHIVE}"),
    ("12-compressions-and-archives/a.tar.gz", f"is a tar archive; {ARCHIVE}"),
    ("12-compressions-and-archives/x.xlsx", "is an Office document; export it as CSV"),
    ("12-compressions-and-archives/trail.jsonl.gz", "its compressed data are corrupt: not a gzipped file (b'xx')"),
    ("12-compressions-and-archives/d", ["alpha alpha", "beta beta"] * 3),
    ("12-compressions-and-archives/e", ["alpha alpha", "beta beta"] * 4),
    ("13-json-layouts/array.jsonl", ["one one", "two two"]),
    ("13-json-layouts/crlf-array.json", ["a\r\nb", "c  d"]),
    ("13-json-layouts/nulchar.jsonl", ["a\0b"]),
    (
        "13-json-layouts/wrapped-pretty.json",
        "'data' has the records; put them on lines: jq -c '.data[]' FILE > OUT.jsonl",
    ),
    ("13-json-layouts/seq.jsonl", r"remove them: tr -d '\036' < FILE > OUT.jsonl"),
    ("14-csv-quirks/nulls.csv", ["a", "", ""]),
    ("14-csv-quirks/unnamed-index.csv", ["a a", "b b"]),
    ("14-csv-quirks/unterminated.csv", "close the quote, or double it if it is part of the text"),
    ("19-files-and-pipes/p.parquet", ["one one", "two two"]),
    ("26-size-and-depth/nan.jsonl", ["a a", "b b", "c c"]),
    ("26-size-and-depth/dupkeys.jsonl", ["second value", "only second", "x"]),
    ("26-size-and-depth/deep500.jsonl", ["a a", "b b"]),
    ("26-size-and-depth/deep.jsonl", f"is nested too deeply to be read as JSON; {MEND}"),
    ("26-size-and-depth/digits.jsonl", f"has an integer of more digits than Python reads; {MEND}"),
    ("32-hf-cache-and-saved-dirs/saved", ["one one", "two two", "three three"]),
]


@pytest.mark.parametrize(("name", "expected"), CASES, ids=[name for name, _ in CASES])
def test_cases(shared: Path, name: str, expected: list[str] | str) -> None:
    path = shared / "cases" / name
    if not path.exists():
        pytest.skip("the cases are not there")
    if isinstance(expected, list):
        assert samples(load(path)) == expected
    else:
        assert message(path).endswith(expected)
