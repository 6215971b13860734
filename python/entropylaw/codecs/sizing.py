"""Sizing streams side by side, within a bound of memory."""

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import NamedTuple

from entropylaw.codecs.codec import Codec

AT_ONCE = 1 << 17
"""Bytes compressed at once: a fraction of a second's work of the slowest codec, so that Ctrl-C is answered."""
_POLL = 0.05
MEMORY = 4 << 30
"""Bytes that streams compressed side by side may take together. One at a time may take more."""


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
