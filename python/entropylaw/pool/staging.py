"""The files of a pool, opened: those in storage copied here first, several at a time."""

import contextvars
import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

from entropylaw.errors import EntropyLawError
from entropylaw.pool.reading import Reading
from entropylaw.pool.source import Source
from entropylaw.storage.objects import StoredObject, located
from entropylaw.storage.urls import is_url, protocol_of

_EVERY = 0.05
"""Seconds between two reports."""
_TOGETHER = 8
"""Objects that are copied at a time: what takes long is to wait for answers."""
_log = logging.getLogger("entropylaw")


def opened(
    paths: Sequence[str | os.PathLike[str]],
    progress: Callable[[Any], object] | None,
    threads: int | None = None,
) -> list[Source]:
    """The files at ``paths``. Objects in storage lie in temporary files, as long as anything refers to their source.

    ``threads`` are those of ``Source``. ``progress`` hears of their bytes, as of those that are read; see
    ``Reading``. It is called by the thread that calls this.

    Raises
    ------
    EntropyLawError
        If one can't be read, or the disk has less room than the storage says that they take.
    """
    objects = [located(path) if is_url(path) else None for path in paths]
    stored = [found for found in objects if found is not None]
    copies = iter(_copied(stored, progress, threads) if stored else ())
    return [
        Source(path, threads=threads) if found is None else next(copies)
        for path, found in zip(paths, objects, strict=True)
    ]


def _copied(
    objects: Sequence[StoredObject], progress: Callable[[Any], object] | None, threads: int | None
) -> list[Source]:
    with _workers(objects) as (submit, stopped):
        versions = _results([submit(found.version) for found in objects])
        total = sum(version.size or 0 for version in versions)
        where = tempfile.gettempdir()
        free = shutil.disk_usage(where).free
        if total > free:
            raise EntropyLawError(
                f"the pool has {total:,} bytes in storage, which are copied to {where}, where {free:,} are free; name "
                "a larger directory in TMPDIR"
            )
        sizes = [0] * len(objects)

        def copy(number: int) -> Source:
            def heard(size: int) -> None:
                if stopped.is_set():
                    raise EntropyLawError("nobody waits for it any more")
                sizes[number] = size

            return Source(objects[number], versions[number], heard, threads)

        def report() -> None:
            if progress is not None:
                done = sum(sizes)
                progress(Reading(done, max(total, done), "fetch"))

        sources = _results([submit(copy, number) for number in range(len(objects))], report)
    _log.info(
        "copied %s, %s bytes, to temporary files in %s",
        "1 object" if len(sources) == 1 else f"{len(sources):,} objects",
        f"{sum(source.size for source in sources):,}",
        where,
    )
    return sources


@contextmanager
def _workers(objects: Sequence[StoredObject]) -> "Iterator[tuple[Callable[..., Future[Any]], threading.Event]]":
    """Threads that copy, and what tells them that nobody waits for them any more.

    Nobody waits for one that a server keeps waiting either: whoever interrupts a run is not kept, nor is its end.
    """
    jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
    stopped = threading.Event()

    def work() -> None:
        for job in iter(jobs.get, None):
            job()

    def submit(work: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        # With the options that are in use.
        context = contextvars.copy_context()

        def job() -> None:
            if stopped.is_set():
                return
            try:
                future.set_result(context.run(work, *arguments))
            except BaseException as error:
                future.set_exception(error)

        jobs.put(job)
        return future

    # In memory, whoever reads an object has its only position.
    shared = any(protocol_of(found.url) == "memory" for found in objects)
    count = 1 if shared else min(_TOGETHER, len(objects))
    for _ in range(count):
        threading.Thread(target=work, name="entropylaw-storage", daemon=True).start()
    try:
        yield submit, stopped
    finally:
        stopped.set()
        for _ in range(count):
            jobs.put(None)


def _results(futures: "Sequence[Future[Any]]", report: Callable[[], object] = lambda: None) -> list[Any]:
    """What all of them return; or what the first of them raises, in their order."""
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, _EVERY)
        if any(future.exception() for future in done):
            break
        report()
    return [future.result() for future in futures]
