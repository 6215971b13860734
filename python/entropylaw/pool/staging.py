"""The files of a pool, opened: those in storage copied here first."""

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

from entropylaw.errors import EntropyLawError
from entropylaw.pool.reading import Reading
from entropylaw.pool.source import Source
from entropylaw.storage.objects import located
from entropylaw.storage.urls import is_url

_EVERY = 0.05
"""Seconds between two reports."""
_log = logging.getLogger("entropylaw")


def opened(paths: Sequence[str | os.PathLike[str]], progress: Callable[[Any], object] | None) -> list[Source]:
    """The files at ``paths``. Objects in storage lie in temporary files, as long as anything refers to their source.

    ``progress`` hears of their bytes, as of those that are read; see ``Reading``.

    Raises
    ------
    EntropyLawError
        If one can't be read, or the disk has less room than the storage says that they take.
    """
    stored = [path for path in paths if is_url(path)]
    if not stored:
        return [Source(path) for path in paths]
    total = sum(located(path).version().size or 0 for path in stored)
    where = tempfile.gettempdir()
    free = shutil.disk_usage(where).free
    if total > free:
        raise EntropyLawError(
            f"the pool has {total:,} bytes in storage, which are copied to {where}, where {free:,} are free; name a "
            "larger directory in TMPDIR"
        )
    sources = []
    before = 0
    last = 0.0

    def report(size: int) -> None:
        nonlocal last
        if progress is not None and (now := time.monotonic()) - last >= _EVERY:
            last = now
            progress(Reading(before + size, max(total, before + size), "fetch"))

    for path in paths:
        source = Source(path, report)
        sources.append(source)
        before += source.size if is_url(path) else 0
    objects = "1 object" if len(stored) == 1 else f"{len(stored):,} objects"
    _log.info("copied %s, %s bytes, to temporary files in %s", objects, f"{before:,}", where)
    return sources
