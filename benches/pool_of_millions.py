"""Makes a pool of millions of records out of a smaller one, for ``docs/large-pools.md``.

    python benches/pool_of_millions.py pool.jsonl --records 5000000 -o big.jsonl.zst -o big.parquet

The records are those of the pool again and again, each time in another order, with a share of the words of their texts
replaced by words of the pool, as often as they occur there, and another share left out: real text, and no two records
alike. All outputs hold the same records. They depend on the pool, on ``--seed`` and on the shares, not on the number of
processes. Parquet needs pyarrow.
"""

import argparse
import contextlib
import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import zstandard

_RECORDS = 1 << 14
"""Records made together."""
_WORD = re.compile(rb"(?!(?:true|false|null|NaN|Infinity)\b)[A-Za-z][A-Za-z0-9.,;:!?'()-]*")
"""What is surely inside a text: neither a quote nor a bracket is near, and it is no value of JSON."""


class Words:
    """The records of a pool, cut at their spaces."""

    def __init__(self, path: Path) -> None:
        known: dict[bytes, int] = {}
        ids, ends = [], [0]
        with path.open("rb") as lines:
            for line in lines:
                if line.strip():
                    tokens = line.strip().split(b" ")
                    ids.append(np.array([known.setdefault(token, len(known)) for token in tokens], dtype=np.int32))
                    ends.append(ends[-1] + len(tokens))
        self.vocabulary = list(known)
        self.ids = np.concatenate(ids)
        self.ends = np.array(ends)
        is_word = np.array([_WORD.fullmatch(token) is not None for token in self.vocabulary])
        self.is_word = is_word[self.ids]
        self.words = self.ids[self.is_word]

    def __len__(self) -> int:
        return len(self.ends) - 1

    def varied(self, start: int, stop: int, seed: int, replaced: float, dropped: float) -> bytes:
        """The records ``start`` to ``stop`` of the endless pool, one a line."""
        chance = np.random.default_rng([seed, 0, start])
        bases = np.concatenate([self._order(seed, n)[from_:to] for n, from_, to in _passes(start, stop, len(self))])
        sizes = self.ends[bases + 1] - self.ends[bases]
        ends = np.cumsum(sizes)
        places = np.repeat(self.ends[bases] - (ends - sizes), sizes) + np.arange(ends[-1])
        ids, is_word = self.ids[places], self.is_word[places]
        fate = chance.random(len(ids))
        other = np.flatnonzero(is_word & (fate < replaced))
        ids[other] = self.words[chance.integers(len(self.words), size=len(other))]
        kept = ~(is_word & (fate >= replaced) & (fate < replaced + dropped))
        ends = np.concatenate([[0], np.cumsum(kept)[ends - 1]])
        tokens = [self.vocabulary[n] for n in ids[kept].tolist()]
        return b"".join(
            b" ".join(tokens[a:b]) + b"\n" for a, b in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
        )

    def _order(self, seed: int, number: int) -> np.ndarray:
        return np.random.default_rng([seed, 1, number]).permutation(len(self))


def _passes(start: int, stop: int, size: int) -> Iterator[tuple[int, int, int]]:
    """Which passes over the pool ``start`` to ``stop`` are in, and from where to where in each."""
    while start < stop:
        number, first = divmod(start, size)
        last = min(size, first + stop - start)
        yield number, first, last
        start += last - first


_pool: Words


def _open(path: Path) -> None:
    global _pool
    _pool = Words(path)


def _made(start: int, stop: int, seed: int, replaced: float, dropped: float) -> bytes:
    return _pool.varied(start, stop, seed, replaced, dropped)


def made(arguments: argparse.Namespace) -> Iterator[bytes]:
    """The records in pieces, made by other processes a few pieces ahead."""
    starts = range(0, arguments.records, _RECORDS)
    options = arguments.seed, arguments.replace, arguments.drop
    waiting: deque[Future[bytes]] = deque()
    with ProcessPoolExecutor(arguments.processes, initializer=_open, initargs=(arguments.pool,)) as workers:
        for start in starts:
            stop = min(start + _RECORDS, arguments.records)
            waiting.append(workers.submit(_made, start, stop, *options))
            if len(waiting) > 2 * arguments.processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextlib.contextmanager
def writer(path: Path) -> Iterator[Callable[[bytes], Any]]:
    """Writes lines of JSON in the format that the name says."""
    if path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.json
        import pyarrow.parquet as pq

        table: pq.ParquetWriter | None = None

        def write(lines: bytes) -> None:
            nonlocal table
            known = pyarrow.json.ParseOptions(explicit_schema=table.schema) if table else None
            reading = pyarrow.json.ReadOptions(block_size=max(len(lines), 1 << 20))
            rows = pyarrow.json.read_json(pa.BufferReader(lines), reading, known)
            table = table or pq.ParquetWriter(path, rows.schema, compression="zstd")
            table.write_table(rows)

        try:
            yield write
        finally:
            if table:
                table.close()
    elif path.suffix == ".zst":
        with path.open("wb") as file, zstandard.ZstdCompressor(level=3).stream_writer(file) as packed:
            yield packed.write
    else:
        with path.open("wb") as file:
            yield file.write


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pool", type=Path, help="lines of JSON, plain")
    parser.add_argument("--records", type=int, required=True, help="how many to make")
    parser.add_argument(
        "-o", "--output", type=Path, action="append", required=True, help=".jsonl, .jsonl.zst, .parquet"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replace", type=float, default=0.15, help="share of words replaced [%(default)s]")
    parser.add_argument("--drop", type=float, default=0.25, help="share of words left out [%(default)s]")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)), help="how many [all]")
    arguments = parser.parse_args()
    began = time.monotonic()
    size = 0
    with contextlib.ExitStack() as stack:
        writers = [stack.enter_context(writer(path)) for path in arguments.output]
        for lines in made(arguments):
            size += len(lines)
            for write in writers:
                write(lines)
    print(f"{arguments.records:,} records, {size:,} bytes as lines of JSON, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
