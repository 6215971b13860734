"""Compressors that a set is measured by: the paper's, and those that look back over the whole set.

All of them compress the samples as one stream, one sample after the other, as their command-line tools do:

- ``zlib``: ``len(zlib.compress(raw, 9))``. It looks back 32 KiB.
- ``zstd``: ``zstd -3 --long=W -B16MiB --no-check``, ``2 ** W`` bytes being at least the set, up to 2 GiB.
- ``xz``: ``xz -9``. It looks back 64 MiB.

``zstd:19`` and ``xz:6`` name another level.
"""

import contextlib
import lzma
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

from entropylaw import parameters, zstd
from entropylaw.errors import EntropyLawError

_LEVELS = {"zlib": (9, 9, 9), "zstd": (3, 1, 22), "xz": (9, 0, 9)}
"""The level unless another is named, the lowest and the highest, by codec."""
_LARGEST_WINDOW = 31
_SMALLEST_WINDOW = 10
_JOB = 1 << 24
AT_ONCE = 1 << 17
"""Bytes compressed at once: a fraction of a second's work of the slowest codec, so that Ctrl-C is answered."""
_POLL = 0.05
MEMORY = 4 << 30
"""Bytes that streams compressed side by side may take together. One at a time may take more."""
_XZ_MEMORY = (3, 9, 17, 32, 48, 94, 94, 186, 370, 674)
"""Of a stream, in MiB, by level (xz(1))."""
_ZSTD_MEMORY = (1, 1, 2, 3, 3, 3, 6, 6, 11, 21, 21, 41, 33, 49, 65, 33, 49, 50, 82, 162, 322, 642)
"""Of the tables of a large set, in MiB, by level from 1 on (``ZSTD_estimateCCtxSize_usingCParams`` of zstd 1.5.7)."""


class _Stream(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


@dataclass(frozen=True)
class Codec:
    """A compressor and its level."""

    name: str
    level: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Understands ``zlib``, ``zstd``, ``xz``, and a level after a colon.

        Raises
        ------
        EntropyLawError
            If there is no such codec or level.
        """
        name, _, level = parameters.text("the codec", text, "its name").partition(":")
        if name not in _LEVELS:
            raise EntropyLawError(f"there is no codec {text!r}; there are {', '.join(_LEVELS)}, and levels: zstd:19")
        usual, low, high = _LEVELS[name]
        if not level:
            return cls(name, usual)
        if not level.isascii() or not level.isdigit() or not low <= int(level) <= high:
            span = f"is level {low} only, the paper's" if low == high else f"takes levels from {low} to {high}"
            raise EntropyLawError(f"the codec is {text!r}; {name} {span}")
        return cls(name, int(level))

    @property
    def key(self) -> str:
        """How it is written, shortest."""
        return self.name if self.level == _LEVELS[self.name][0] else f"{self.name}:{self.level}"

    @property
    def version(self) -> str | None:
        """Of the library that compresses, where sizes depend on it and it can be told: of zstd alone.

        zlib's sizes are those of one version, whatever is installed; liblzma does not tell Python its own.
        """
        return zstd.VERSION if self.name == "zstd" else None

    def described(self, raw: int) -> str:
        """Compressor, version and parameters for a set of ``raw`` bytes; not for zlib, which describes itself."""
        if self.name == "zstd":
            return f"zstd {self.version} level {self.level}, window 2^{_window(raw)}"
        return f"xz (liblzma) level {self.level}"

    def size(self, raw: int, pieces: Iterable[bytes], threads: int = 1) -> int:
        """Compressed bytes of ``pieces``, ``raw`` bytes together, at any number of ``threads``; not for zlib."""
        if self.name == "zstd":
            # With threads, even one, zstd cuts its input into the same jobs whatever their number; so does its tool.
            # Jobs of zstd's own choice are four windows long: the set would be a single one.
            stream: _Stream = zstd.compressor(self.level, raw, _window(raw), _JOB, threads)
        else:
            stream = lzma.LZMACompressor(preset=self.level)
        try:
            return sum(len(stream.compress(piece)) for piece in pieces) + len(stream.flush())
        except zstd.ERROR as error:
            raise MemoryError(f"zstd: {error}") from None

    def memory(self, raw: int, threads: int = 1) -> int:
        """About so many bytes are taken while ``raw`` bytes are sized; not for zlib."""
        if self.name == "zstd":
            window = _window(raw)
            tables = min(_ZSTD_MEMORY[self.level - 1] << 20, (16 << window) + (2 << 20))
            # Besides: what it looks back on, the table of what lies far back, and each thread's input and output.
            back = min(1 << window, raw) + (1 << window) // 8
            return tables + back + 2 * min(_JOB, raw) * threads
        return _XZ_MEMORY[self.level] << 20


def _window(raw: int) -> int:
    """Base-2 logarithm of the window that holds ``raw`` bytes, as far as zstd goes."""
    return min(max((max(raw, 1) - 1).bit_length(), _SMALLEST_WINDOW), _LARGEST_WINDOW)


class Step(NamedTuple):
    """How far measuring is: what ``Progress`` is for a selection."""

    stage: str
    done: int
    total: int
    round: int = 0
    picked: int = 0
    ratio: float = 0.0


class Job(NamedTuple):
    """One stream to size."""

    codec: Codec
    raw: int
    """Bytes in it."""
    pieces: Callable[[], Iterator[bytes]]
    """Makes them."""


def sizes(jobs: Sequence[Job], threads: int, progress: Callable[[Step], object] | None = None) -> list[int]:
    """Compressed bytes of each job, largest streams first, as many at a time as there are ``threads`` and fit into
    ``MEMORY``.

    ``progress`` is called about 20 times a second; what it raises, or Ctrl-C, ends the work.
    """
    stop = threading.Event()
    done = [0] * len(jobs)
    taken: list[int] = []
    changed = threading.Condition()

    @contextlib.contextmanager
    def room(amount: int) -> Iterator[None]:
        with changed:
            changed.wait_for(lambda: not taken or sum(taken) + amount <= MEMORY)
            taken.append(amount)
        try:
            yield
        finally:
            with changed:
                taken.remove(amount)
                changed.notify_all()

    def run(number: int) -> int:
        def watched() -> Iterator[bytes]:
            for piece in job.pieces():
                if stop.is_set():
                    raise InterruptedError
                yield piece
                done[number] += len(piece)

        job = jobs[number]
        # A stream as large as the others together would be alone at the end.
        share = threads if job.raw * threads > total else 1
        with room(job.codec.memory(job.raw, share)):
            return job.codec.size(job.raw, watched(), share)

    total = sum(job.raw for job in jobs)
    with ThreadPoolExecutor(threads, "entropylaw-codec") as pool:
        order = sorted(range(len(jobs)), key=lambda number: -jobs[number].raw)
        futures = {number: pool.submit(run, number) for number in order}
        try:
            left = set(futures.values())
            while left:
                ended, left = wait(left, timeout=_POLL, return_when="FIRST_EXCEPTION")
                for future in ended:
                    future.result()
                if progress:
                    progress(Step("measure", sum(done), total))
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return [futures[number].result() for number in range(len(jobs))]


def grouped(samples: Iterable[memoryview]) -> Iterator[bytes]:
    """The same bytes in larger pieces: a call for each sample would cost more than its work."""
    held: list[memoryview] = []
    size = 0
    for sample in samples:
        held.append(sample)
        size += len(sample)
        if size >= AT_ONCE:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
