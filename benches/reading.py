"""Reading pools, each way beside the plain one that it stands for: ``python benches/reading.py POOL.jsonl``.

The records of the pool, lines of JSON with turns in ``conversations``, are written in several ways to a temporary
directory. Each file is read by ``load``, and by ``load`` with one part replaced by what is plain: one thread that
unpacks, Python's own gzip, an array read at once, records rendered one by one in Python. Both by turns, the least of a
few repeats. *All* are seconds of processor time of all threads, *alone* those of the calling thread, which no other
core can take over. Peak memory is that of a process of its own, beyond what it takes to start.
"""

import argparse
import contextlib
import gzip
import json
import multiprocessing
import resource
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO
from unittest.mock import patch

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from entropylaw.pool import gzip_members, load, zstd_frames
from entropylaw.pool.block import Block
from entropylaw.pool.render import Renderer
from entropylaw.pool.tables import Table

REPEATS = 3
TEMPLATE = "{% for turn in conversations %}{{ turn.from }}: {{ turn.value }}\n{% endfor %}"
Patch = contextlib.AbstractContextManager[Any]


def frames(content: bytes, size: int) -> bytes:
    """As ``pzstd`` and the seekable format pack."""
    packer = zstandard.ZstdCompressor(level=3)
    return b"".join(packer.compress(content[at : at + size]) for at in range(0, len(content), size))


def blocked(content: bytes) -> bytes:
    """As ``bgzip`` packs."""
    packed = []
    for at in range(0, len(content), 65_280):
        piece = content[at : at + 65_280]
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        deflated = packer.compress(piece) + packer.flush()
        size = (len(deflated) + 25).to_bytes(2, "little")
        behind = zlib.crc32(piece).to_bytes(4, "little") + len(piece).to_bytes(4, "little")
        packed.append(b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0" + size + deflated + behind)
    return b"".join(packed)


def one_thread_unpacks() -> Patch:
    def unpack(file: BinaryIO, threads: int) -> Iterator[bytes]:
        return zstd_frames._in_turn(file)

    return patch.object(zstd_frames, "unpack", unpack)


def gzip_unpacks() -> Patch:
    def unpack(file: BinaryIO, threads: int) -> Iterator[bytes]:
        with gzip.GzipFile(fileobj=file) as content:
            while piece := content.read(1 << 20):
                yield piece

    return patch.object(gzip_members, "unpack", unpack)


def array_at_once() -> Patch:
    def whole(name: str, head: bytes, chunks: Iterator[bytes]) -> Iterator[Block]:
        content = b"".join([head, *chunks])
        ends = []
        end = content.index(b"[") + 1
        for item in msgspec.json.decode(content, type=list[msgspec.Raw]):
            start = content.index(b"{", end)
            end = start + len(memoryview(item))
            ends.append((start, end))
        yield Block(content, 1, 0, np.array(ends, dtype=np.int64))

    return patch("entropylaw.pool.split.array_blocks", whole)


def records_in_python() -> Patch:
    return patch.object(Renderer, "compiled", lambda self: None)


def rows_in_python() -> Patch:
    return patch("entropylaw.pool.table_records.read_rows", lambda batch, builder, as_text: None)


def one_by_one() -> Patch:
    return patch.object(Table, "_grouped", lambda self, columns: ([batch] for batch in self._read(columns)))


def seconds(read: Callable[[], object]) -> tuple[float, float]:
    """Of all threads, and of this one."""
    every, alone = time.process_time(), time.thread_time()
    read()
    return time.process_time() - every, time.thread_time() - alone


def peak(read: Callable[[], object]) -> float:
    """Megabytes that a process takes at most for it."""

    def measured(answer: Any) -> None:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        read()
        answer.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)

    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=measured, args=(there,))
    process.start()
    size = here.recv()
    process.join()
    return float(size) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pool", type=Path)
    content = parser.parse_args().pool.read_bytes()
    where = tempfile.TemporaryDirectory()
    records = list(map(json.loads, content.splitlines()))

    def written(name: str, packed: bytes) -> Path:
        path = Path(where.name) / name
        path.write_bytes(packed)
        return path

    lines = written("pool.jsonl", content)
    array = written("pool.json", json.dumps(records, ensure_ascii=False).encode())
    table = Path(where.name) / "pool.parquet"
    numbered = pa.Table.from_pylist(records).append_column("n", pa.array(np.arange(len(records)) % 9))
    pq.write_table(numbered, table)
    rows = Path(where.name) / "rows.arrows"
    with pa.ipc.new_stream(rows, numbered.schema) as writer:
        writer.write_table(numbered, max_chunksize=1)
    preferences = Path(where.name) / "preferences.parquet"
    pairs = [
        {"prompt": turns[0]["value"], "chosen": turns[1:], "rejected": other[1:], "n": n % 9}
        for n, (turns, other) in enumerate(pairwise(record["conversations"] for record in records))
    ]
    pq.write_table(pa.Table.from_pylist(pairs), preferences)
    ways: list[tuple[str, Path, Callable[[], Patch], dict[str, Any]]] = [
        ("zstd, one frame", written("one.zst", frames(content, len(content))), one_thread_unpacks, {}),
        ("zstd, frames of 8 MiB", written("eight.zst", frames(content, 1 << 23)), one_thread_unpacks, {}),
        ("zstd, frames of 64 KiB", written("many.zst", frames(content, 1 << 16)), one_thread_unpacks, {}),
        ("gzip", written("one.gz", gzip.compress(content, 6)), gzip_unpacks, {}),
        ("blocked gzip", written("blocks.gz", blocked(content)), gzip_unpacks, {}),
        ("one array", array, array_at_once, {}),
        ("template, lines", lines, records_in_python, {"render": TEMPLATE}),
        ("template, Parquet", table, rows_in_python, {"render": TEMPLATE}),
        ("Parquet, groups by a number", table, rows_in_python, {"group_by": "n"}),
        ("Arrow, batches of a row", rows, one_by_one, {}),
        ("preferences, groups by a number", preferences, rows_in_python, {"group_by": "n"}),
    ]
    del records, pairs, numbered
    print(f"gzip by {gzip_members._library.__name__}; {len(content):,} bytes of lines")
    print(
        f"{'':<32}{'plain: all':>11}{'alone':>7}{'MB':>6}{'ours: all':>11}{'alone':>7}{'MB':>6}{'all':>8}{'alone':>7}"
    )
    for name, path, plain, options in ways:
        read = partial(load, path, **options)
        times: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
        for ours in [True, False] * REPEATS:
            with contextlib.nullcontext() if ours else plain():
                times[ours].append(seconds(read))
        theirs, mine = (min(times[ours]) for ours in (False, True))
        with plain():
            memory = [peak(read)]
        memory.append(peak(read))
        ratios = [f"{one / other:.2f}x" for one, other in zip(theirs, mine, strict=True)]
        print(
            f"{name:<32}{theirs[0]:>11.2f}{theirs[1]:>7.2f}{memory[0]:>6.0f}"
            f"{mine[0]:>11.2f}{mine[1]:>7.2f}{memory[1]:>6.0f}{ratios[0]:>8}{ratios[1]:>7}",
            flush=True,
        )


if __name__ == "__main__":
    main()
