"""How far the reading of a pool is."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from entropylaw.pool.source import Source

_EVERY = 0.05
"""Seconds between two reports."""


@dataclass(frozen=True)
class Reading:
    """How far reading is, or copying from storage before it; with the members of ``Progress``."""

    done: int
    """Bytes of the files, as they are stored, that are read."""
    total: int
    """Bytes of all files."""
    stage: Literal["read", "fetch"] = "read"
    round: int = 0
    picked: int = 0
    ratio: float = 0.0


class Report:
    """Calls ``progress`` with a ``Reading``, about 20 times a second."""

    def __init__(self, progress: Callable[[Any], object] | None, sources: list[Source]) -> None:
        self._progress = progress
        self._total = sum(source.size for source in sources)
        self._before = 0
        self._last = 0.0

    def __call__(self, position: int) -> None:
        """Reports that the current file is read up to ``position``."""
        if self._progress is not None and (now := time.monotonic()) - self._last >= _EVERY:
            self._last = now
            self._progress(Reading(self._before + position, self._total))

    def next_file(self, source: Source) -> None:
        """The file has been read."""
        self._before += source.size
