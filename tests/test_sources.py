"""Every source of records can be read from several places at once: by turns, and by several threads."""

import bz2
import gzip
import io
import json
import lzma
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import zstandard

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.pool import Pool, load
from entropylaw.pool.spool import Spool

COUNT = 1500
TEXTS = [f"record {n} " + "abcdefghij"[n % 10] * (n % 97) for n in range(COUNT)]
ROWS: list[dict[str, Any]] = [{"text": text, "n": n} for n, text in enumerate(TEXTS)]
LINES = b"".join(json.dumps(row).encode() + b"\n" for row in ROWS)


def file_of(directory: Path, name: str, content: bytes) -> Path:
    path = directory / name
    path.write_bytes(content)
    return path


def fifo(directory: Path) -> Pool:
    path = directory / "fifo.jsonl"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(LINES,))
    writer.start()
    pool = load(path)
    writer.join()
    return pool


def stdin(directory: Path) -> Pool:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LINES)))
        return load("-", paths=True)


def table(directory: Path, ending: str) -> Pool:
    pa = pytest.importorskip("pyarrow", reason="tables need pyarrow")
    rows = pa.Table.from_pylist(ROWS)
    path = directory / f"pool.{ending}"
    if ending == "parquet":
        import pyarrow.parquet

        pyarrow.parquet.write_table(rows, path, row_group_size=700)
    elif ending in ("arrow", "arrows"):
        with (pa.ipc.new_file if ending == "arrow" else pa.ipc.new_stream)(path, rows.schema) as writer:
            writer.write_table(rows, max_chunksize=500)
    elif ending == "reader":
        return load(pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches(max_chunksize=500)))
    elif ending == "memory":
        return load(rows)
    elif ending == "dataset":
        return load(pytest.importorskip("datasets", reason="about data sets").Dataset(rows))
    else:
        import pyarrow.csv

        file = io.BytesIO()
        pyarrow.csv.write_csv(rows, file)
        path.write_bytes(gzip.compress(file.getvalue()) if ending.endswith("gz") else file.getvalue())
    return load(path)


SOURCES: dict[str, Callable[[Path], Pool]] = {
    "plain": lambda d: load(file_of(d, "pool.jsonl", LINES)),
    "array": lambda d: load(file_of(d, "pool.json", b"[" + LINES.strip().replace(b"\n", b",\n") + b"]")),
    "gzip": lambda d: load(file_of(d, "pool.jsonl.gz", gzip.compress(LINES))),
    "zstd": lambda d: load(file_of(d, "pool.jsonl.zst", zstandard.compress(LINES))),
    "bzip2": lambda d: load(file_of(d, "pool.jsonl.bz2", bz2.compress(LINES))),
    "xz": lambda d: load(file_of(d, "pool.jsonl.xz", lzma.compress(LINES))),
    "standard input": stdin,
    "fifo": fifo,
    "generator": lambda d: load(row for row in ROWS),
    "list": lambda d: load(ROWS),
    "parquet": lambda d: table(d, "parquet"),
    "arrow": lambda d: table(d, "arrow"),
    "arrow stream": lambda d: table(d, "arrows"),
    "record batches": lambda d: table(d, "reader"),
    "arrow in memory": lambda d: table(d, "memory"),
    "csv": lambda d: table(d, "csv"),
    "csv.gz": lambda d: table(d, "csv.gz"),
    "datasets": lambda d: table(d, "dataset"),
}


def numbers(records: Iterator[bytes]) -> Iterator[int]:
    for record in records:
        row = json.loads(record)
        assert row["text"] == TEXTS[int(row["n"])]
        yield int(row["n"])


@pytest.fixture(scope="module", params=SOURCES)
def pool(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pool:
    pool = SOURCES[request.param](tmp_path_factory.mktemp("source"))
    assert [pool.sample(index).decode() for index in range(len(pool))] == TEXTS
    return pool


def test_two_iterators_by_turns(pool: Pool) -> None:
    first, second = list(range(0, COUNT, 2)), list(range(1, COUNT, 3))
    one, two = numbers(pool.records.raw(first)), numbers(pool.records.raw(second))
    got: tuple[list[int], list[int]] = ([], [])
    for n in range(COUNT):
        # Not in step: now one is ahead, now the other.
        for turns, found, source in ((1 + n % 3, got[0], one), (1 + n % 2, got[1], two)):
            found += [number for _ in range(turns) if (number := next(source, None)) is not None]
    assert got == (first, second)


def test_threads(pool: Pool) -> None:
    orders = [
        [(start + step * n) % COUNT for n in range(COUNT // 2)] for start, step in ((0, 1), (7, 1), (1, 7), (2, 11))
    ]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda order: list(numbers(pool.records.raw(order))), orders))
    assert found == orders


def test_two_threads_save_two_selections(pool: Pool, tmp_path: Path) -> None:
    selections = [entropylaw.select(pool, budget=300, length_band=band) for band in ("0:60", "60:")]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda n: selections[n].save(tmp_path / f"{n}.jsonl"), range(2)))
    for n, selection in enumerate(selections):
        rows = [json.loads(line) for line in (tmp_path / f"{n}.jsonl").read_bytes().splitlines()]
        assert [int(row["n"]) for row in rows] == selection.indices.tolist()
        assert [row["text"] for row in rows] == [TEXTS[index] for index in selection.indices]


@pytest.mark.parametrize("positional", [True, False], ids=["pread", "seek in turn"])
def test_spools_have_a_position_for_each_reader(monkeypatch: pytest.MonkeyPatch, positional: bool) -> None:
    if not positional:
        monkeypatch.delattr(os, "preadv", raising=False)
    content = os.urandom(1 << 20)
    spool = Spool.of("the pool", io.BytesIO(content))
    with spool.open() as one, spool.open() as two:
        two.seek(1 << 19)
        assert one.read(100) == content[:100]
        assert two.read(100) == content[1 << 19 :][:100]
        one.seek(-50, os.SEEK_END)
        assert one.read() == content[-50:]
        two.seek(-100, os.SEEK_CUR)
        assert two.read(7) == content[1 << 19 :][:7]
        with pytest.raises(OSError, match="before the start"):
            one.seek(-1)


def test_a_full_disk_under_a_spool_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no device that is full")
    monkeypatch.setattr("tempfile.TemporaryFile", lambda: full.open("r+b", buffering=0))
    with pytest.raises(EntropyLawError, match=r"the pool: is kept in a temporary file .* No space left .* in TMPDIR"):
        load(text for text in TEXTS)


def test_the_working_directory_may_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "there/link").symlink_to(tmp_path / "elsewhere")
    file_of(tmp_path, "pool.jsonl", LINES)
    for ending in ("jsonl", "parquet", "arrow"):
        monkeypatch.chdir(tmp_path / "there")
        if ending != "jsonl":
            table(tmp_path, ending)
        # Where `link/..` is, is not where its text says.
        selection = entropylaw.select(f"link/../pool.{ending}", budget=5)
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert list(numbers(selection.records())) == selection.indices.tolist()
        assert [source.name for source in selection.pool.records.files()] == [f"link/../pool.{ending}"]


def test_standard_input_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LINES)))
    with pytest.raises(EntropyLawError, match=r"standard input \(-\) is named twice, and can be read only once"):
        load(["-", "-"], paths=True)
    with pytest.raises(EntropyLawError, match="standard input: has been read before, and can be read only once"):
        entropylaw.compare("-", "-")
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(EntropyLawError, match="standard input: is closed; name a file"):
        entropylaw.ratio("-")
