"""Pieces of a file's content, made by other threads before they are asked for, and given in their order.

What unpacks lets go of the interpreter's lock, so that it goes on while records are made of what is there.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

_DEPTH = 4
"""Pieces of one stream that are made ahead: as many as a block of records is made of."""
_IN_FLIGHT = 1 << 25
"""Bytes that tasks may take together which are ahead of what is asked for."""
_NAME = "entropylaw-unpack"

Made = tuple[list[bytes], Exception | None]
"""Pieces, and what has gone wrong behind them."""


class Task(NamedTuple):
    """Pieces to be made together."""

    make: Callable[[], Made]
    bound: int
    """Bytes that making them takes at most."""
    in_turn: bool = False
    """Whether they are made behind those of all tasks before it that are in turn, as parts of a stream have to be."""


def ahead(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same pieces, none of which is empty, made by one other thread."""
    with _workers(1) as worker:
        waiting = deque(worker.submit(next, pieces, b"") for _ in range(_DEPTH))
        while piece := waiting.popleft().result():
            waiting.append(worker.submit(next, pieces, b""))
            yield piece


def made(tasks: Iterator[Task], threads: int) -> Iterator[bytes]:
    """The pieces of tasks, without empty ones; so many threads make them, as far ahead as they fit in memory together.

    Raises
    ------
    Exception
        What has gone wrong behind some pieces, once they and all before them are given.
    """
    with _workers(threads) as workers, _workers(1) as one:
        waiting: deque[tuple[Future[Made], int]] = deque()
        in_flight = 0
        for task in tasks:
            while waiting and in_flight + task.bound > _IN_FLIGHT:
                future, bound = waiting.popleft()
                yield from _checked(*future.result())
                in_flight -= bound
            waiting.append(((one if task.in_turn else workers).submit(task.make), task.bound))
            in_flight += task.bound
        while waiting:
            yield from _checked(*waiting.popleft()[0].result())


def _checked(pieces: list[bytes], error: Exception | None) -> Iterator[bytes]:
    yield from filter(None, pieces)
    if error is not None:
        raise error


@contextmanager
def _workers(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that leave what has not been begun when nobody waits for it any more."""
    with ThreadPoolExecutor(threads, _NAME) as workers:
        try:
            yield workers
        finally:
            workers.shutdown(wait=False, cancel_futures=True)
