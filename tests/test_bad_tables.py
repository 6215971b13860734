"""Bad tables: one clear message that names file, column and row."""

import builtins
import datetime
import gzip
import io
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.cli import main
from entropylaw.pool import load

pa = pytest.importorskip("pyarrow", reason="tables need pyarrow")
import pyarrow.csv as pacsv  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402


def parquet(rows: list[dict[str, Any]] | Any, compression: str = "none") -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows) if isinstance(rows, list) else rows, out, compression=compression)
    return out.getvalue()


def arrow(rows: list[dict[str, Any]], stream: bool = False) -> bytes:
    out = io.BytesIO()
    table = pa.Table.from_pylist(rows)
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


ROWS = [{"text": f"sample {n}", "n": n} for n in range(2000)]
WHOLE = parquet(ROWS)
PACKED = parquet(ROWS, "zstd")
TWICE = pa.table([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])

FILES: list[tuple[str, bytes, list[str]]] = [
    ("cut.parquet", WHOLE[:-30], ["cut.parquet: cannot be read as Parquet", "is the file whole?"]),
    ("footer.parquet", WHOLE[:-200] + b"\xff" * 190 + WHOLE[-10:], ["footer.parquet: cannot be read as Parquet"]),
    ("page.parquet", WHOLE[:4] + b"\xff" * 400 + WHOLE[404:], ["page.parquet: cannot be read as Parquet"]),
    ("lines.parquet", b'{"text": "a"}\n', ["lines.parquet: is not a file of Parquet", "begins with"]),
    ("packed.parquet", gzip.compress(WHOLE), ["packed.parquet: is Parquet, and compressed as a whole; unpack it"]),
    ("none.parquet", parquet(pa.table({"text": pa.array([], pa.string())})), ["none.parquet: the pool is empty"]),
    ("twice.parquet", parquet(TWICE), ["twice.parquet: has more than one column named 'text'"]),
    ("other.parquet", parquet([{"question": "a"}]), ["other.parquet: the table has none", "'question'", "--field"]),
    ("number.parquet", parquet([{"text": 1}]), ["number.parquet: row 1: 'text' is a number, not text"]),
    ("null.parquet", parquet([{"text": "a"}, {"text": None}]), ["null.parquet: row 2: 'text' is null", "on-error"]),
    ("turns.parquet", parquet([{"messages": "a"}]), ["turns.parquet: row 1: 'messages' is text, not a list"]),
    ("packed-page.parquet", PACKED[:200] + b"\0" * 200 + PACKED[400:], ["packed-page.parquet: cannot be read as"]),
    ("cut.parquet.gz", b"PAR1", ["cut.parquet.gz: cannot be read as Parquet"]),
    ("bad.csv.zst", b"\x28\xb5\x2f\xfd" + b"\xff" * 50, ["bad.csv.zst: its compressed data are corrupt"]),
    ("cut.tsv.zst", zstandard.compress(b"text\n" + b"abc\n" * 99)[:-2], ["cut.tsv.zst: the file is truncated"]),
    ("cut.arrow", arrow(ROWS)[:-100], ["cut.arrow: cannot be read as Arrow"]),
    ("cut.arrows", arrow(ROWS, stream=True)[:5000], ["cut.arrows: cannot be read as Arrow"]),
    ("lines.arrow", b'{"text": "a"}\n', ["lines.arrow: is not a file of Arrow"]),
    ("old.feather", b"FEA1" + b"\0" * 50, ["old.feather: is Feather version 1"]),
    ("ragged.csv", b"text,n\na,1\nb\n", ["ragged.csv: cannot be read as CSV", "row 2 has 1 field, not 2: 'b'"]),
    ("latin.csv", b"text\na\ncaf\xe9\n", ["latin.csv:3: is not UTF-8: found byte 0xe9", "iconv"]),
    ("cut.csv.gz", gzip.compress(b"text\n" + b"abc\n" * 99)[:-12], ["cut.csv.gz: the file is truncated"]),
    ("other.csv", b"question\na\n", ["other.csv: the table has none of the schemas", "'question'"]),
    ("head.csv", b"text\n", ["head.csv: the pool is empty"]),
    ("tab.tsv", b"text,n\na,1\n", ["tab.tsv: the table has none of the schemas", "'text,n'"]),
]


@pytest.mark.parametrize(("name", "content", "expected"), FILES, ids=[name for name, *_ in FILES])
def test_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, expected: list[str]
) -> None:
    directory = tmp_path / "a path with späces"
    directory.mkdir()
    pool, output = directory / name, directory / "out.parquet"
    pool.write_bytes(content)
    assert main(["select", str(pool), "-o", str(output), "--budget", "1", "-q"]) == 2
    message = capsys.readouterr().err.strip()
    assert len(message.splitlines()) == 1
    for part in expected:
        assert part in message
    assert [path.name for path in directory.iterdir()] == [name]


def shards(directory: Path, contents: list[bytes], ending: str = "parquet") -> str:
    for number, content in enumerate(contents, start=1):
        (directory / f"shard-{number}.{ending}").write_bytes(content)
    return str(directory / f"shard-*.{ending}")


GOOD = parquet([{"text": "a", "n": 1}])


@pytest.mark.parametrize(
    ("contents", "output", "expected"),
    [
        ([GOOD] * 6 + [parquet([{"n": 1}])], "o.jsonl", ["shard-7.parquet: the table does not have the schema text"]),
        ([GOOD] * 6 + [parquet([{"n": 1}])], "o.jsonl", ["'n'", "shard-1.parquet decided for it"]),
        ([GOOD, parquet([{"text": 5, "n": 1}])], "o.jsonl", ["shard-2.parquet: row 1: 'text' is a number"]),
        ([GOOD, parquet([{"text": "a", "n": "x"}])], "o.parquet", ["shard-2.parquet: column 'n' is string, but int64"]),
        (
            [GOOD, parquet([{"text": "a", "n": [1]}])],
            "o.arrow",
            ["column 'n' is list", "shard-1", "write JSON"],
        ),
        ([GOOD, parquet([{"text": "a", "n": [1]}])], "o.csv", ["column 'n' is list"]),
        ([parquet([{"text": "a", "n": {"x": 1}}])], "o.csv", ["column 'n' is struct", "CSV can't hold"]),
    ],
)
def test_shards(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], contents: list[bytes], output: str, expected: list[str]
) -> None:
    pool = shards(tmp_path, contents)
    assert main(["select", pool, "-o", str(tmp_path / output), "--budget", "1", "-q"]) == 2
    message = capsys.readouterr().err
    for part in expected:
        assert part in message
    assert not (tmp_path / output).exists()


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            [{"text": "a", "x": datetime.date(2020, 1, 1)}, {"text": "b", "x": 5}],
            "record 1: 'x' does not fit one column: is int here and something else elsewhere",
        ),
        (
            [{"text": "a", "x": math.nan}, {"text": "b", "x": "y"}],
            "record 0 and the 1 after it: 'x' does not fit extension<arrow.json>: "
            "can't be written as JSON: Out of range float values",
        ),
        ([{"text": "a", "\ud800": 1}], "record 0: .* does not fit one column: a column can't have such a name"),
    ],
)
def test_records_that_are_no_table(tmp_path: Path, rows: list[dict[str, Any]], expected: str) -> None:
    selection = entropylaw.select(rows, budget="100%")
    with pytest.raises(EntropyLawError, match=f"{expected}.*; write JSON Lines, which needs no types"):
        selection.save(tmp_path / "out.parquet")
    assert list(tmp_path.iterdir()) == []
    selection.save(tmp_path / "out.jsonl")


SCORED = [{"text": f"sample {n}", "source": "a" if n % 2 else "b", "score": float(n), "weight": 1.0} for n in range(9)]


def written(directory: Path, ending: str, rows: list[dict[str, Any]]) -> Path:
    """A file of these rows, with a name that has to be quoted."""
    path = directory / f"čísla & more.{ending}"
    if ending == "parquet":
        path.write_bytes(parquet(rows))
    elif ending == "arrow":
        path.write_bytes(arrow(rows))
    elif ending == "csv":
        pacsv.write_csv(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("ending", ["jsonl", "csv", "arrow", "parquet"])
@pytest.mark.parametrize(
    ("change", "options", "expected"),
    [
        ({"score": math.nan}, ["--min-score", "score>=1"], "7: 'score' is nan; a number must be finite"),
        ({"score": math.inf}, ["--weight", "score"], "7: 'score' is inf; a number must be finite"),
        ({"score": None}, ["--min-score", "score>=1"], "7: 'score' is (null|text), not a number"),
        ({"weight": -2.0}, ["--weight", "weight"], "7: the weight is -2; it must not be negative"),
        ({}, ["--min-score", "grade>=1"], "1: the record has no field 'grade'"),
        ({}, ["--weight", "source"], "1: 'source' is text, not a number"),
        ({}, ["--quota", "gsm8k=10%"], "the quota 'gsm8k=10%' is of no group: 'source' has 'a', 'b'"),
        ({}, ["--quota", "a>=60%,b>=60%"], "the quotas ask for at least 4 samples together"),
        ({}, ["--quota", "a<=1,b<=1"], "the quotas allow 2 samples at most, less than the budget of 3"),
        ({}, ["--field", "body"], "1?: the (record|table) has no field 'body'"),
    ],
)
def test_numbers_and_groups(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    ending: str,
    change: dict[str, Any],
    options: list[str],
    expected: str,
) -> None:
    rows = [row | change if number == 6 else row for number, row in enumerate(SCORED)]
    path = written(tmp_path, ending, rows)
    assert main(["select", str(path), "-o", str(tmp_path / "out.jsonl"), "--budget", "3", "-q", *options]) == 2
    message = capsys.readouterr().err.strip()
    assert len(message.splitlines()) == 1
    assert re.search(expected, message), message
    assert list(tmp_path.iterdir()) == [path]


def repeated(rows: int, size: int) -> Any:
    """A column with one text again and again."""
    one = pa.array(["spam" * (size // 4)])
    return pa.table({"text": pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), one)})


def as_arrow(table: Any) -> bytes:
    out = io.BytesIO()
    with pa.ipc.new_file(out, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return out.getvalue()


def plain(table: Any) -> Any:
    return table.cast(pa.schema([("text", pa.string())]))


@pytest.mark.parametrize(
    ("name", "make"),
    [
        # One page of one text; rows that are in the file once; rows that stay a dictionary's.
        ("page.parquet", lambda: parquet(plain(repeated(1, 1 << 25)), "zstd")),
        ("rows.parquet", lambda: parquet(plain(repeated(10_000, 2_000)), "zstd")),
        ("dictionary.parquet", lambda: parquet(repeated(10_000, 2_000), "zstd")),
        ("page.arrow", lambda: as_arrow(plain(repeated(10_000, 2_000)))),
        ("dictionary.arrow", lambda: as_arrow(repeated(10_000, 2_000))),
        ("rows.csv.gz", lambda: gzip.compress(b"text\n" + b"spam and eggs\n" * (1 << 20))),
        ("rows.csv.zst", lambda: zstandard.compress(b"text\n" + b"spam and eggs\n" * (1 << 20))),
    ],
)
def test_bombs_are_stopped(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    make: Callable[[], bytes],
) -> None:
    monkeypatch.setattr("entropylaw.pool.source._BOMB_SIZE", 1 << 22)
    path = tmp_path / name
    path.write_bytes(make())
    assert main(["select", str(path), "-o", str(tmp_path / "out.jsonl"), "--budget", "1", "-q"]) == 2
    message = capsys.readouterr().err.strip()
    assert len(message.splitlines()) == 1
    assert re.search(r"stopped at [\d,]+ bytes from [\d,]+ stored ones, more than 250 times", message)
    assert list(tmp_path.iterdir()) == [path]


class Splits(dict[str, Any]):
    """What ``datasets.DatasetDict`` looks like."""


class Split:
    def with_format(self, name: str) -> None: ...


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Splits(train=Split(), test=Split()), r"has the splits 'train', 'test'.*pool\['train'\]"),
        (lambda: ({"text": "a", "x": object()} for _ in range(1)), "record 0: can't be written as JSON"),
        (lambda: iter([{"text": "a"}, 7]), "record 1: is int"),
        (lambda: iter([]), "the pool is empty"),
        (lambda: pa.table({"n": [1]}), "the pool: the table has none of the schemas"),
        (lambda: pa.table({"text": ["a", None]}), "the pool: row 2: 'text' is null"),
        (lambda: pa.array([1, 2]), "the pool: row 1: 'text' is a number"),
    ],
)
def test_pools_in_memory(make: Callable[[], Any], expected: str) -> None:
    with pytest.raises(EntropyLawError, match=expected):
        load(make())


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pool.parquet"
    path.write_bytes(GOOD)
    table = pa.table({"text": ["a"]})
    real = builtins.__import__

    def missing(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "pyarrow":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    for pool in (path, table):
        with pytest.raises(EntropyLawError, match=r"needs pyarrow.*pip install 'entropylaw\[arrow\]'"):
            load(pool)


def test_skipped_rows_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "pool.parquet"
    texts = [None if n % 5 == 2 else f"text {n}" for n in range(50)]
    path.write_bytes(parquet([{"text": text, "n": n} for n, text in enumerate(texts)]))
    pool = load(path, on_error="skip")
    kept = [n for n, text in enumerate(texts) if text]
    assert [json.loads(raw)["n"] for raw in pool.records.raw(range(len(pool)))] == kept
    assert [pool.records.where(index) for index in (0, 2, 39)] == [f"{path}: row {kept[i] + 1}" for i in (0, 2, 39)]
    rows = pa.Table.from_batches(pool.records.rows([39, 2]))
    assert rows.column("n").to_pylist() == [kept[39], kept[2]]
    assert len(pool.skipped) == 10
