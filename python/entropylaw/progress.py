"""A progress line on a terminal."""

import shutil
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from entropylaw._core import Progress
    from entropylaw.pool.reading import Reading

_STAGES = {
    "fetch": "copying from storage",
    "read": "reading",
    "count": "counting n-grams",
    "score": "scoring the pool",
    "global": "sizing candidates",
    "local": "picking",
    "pick": "picking",
    "measure": "measuring",
}
_REDRAW = 0.1


class ProgressLine:
    """Redraws one line of ``stream`` as a selection goes on, and removes it at the end; silent if it is no terminal.

    Pass the object as ``progress``, inside a ``with`` block.
    """

    def __init__(self, stream: TextIO | None = None, budget: int | None = None, quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._budget = budget
        self._shows = self._stream.isatty() and not quiet
        self._began = time.monotonic()
        self._stage = ""
        self._done = 0
        self._picking_since: float | None = None
        self._drawn = 0.0

    def __enter__(self) -> Self:
        if self._shows:
            # The first sign of work may take seconds: files to be found, and a compressed one to be begun.
            self._stream.write("\rstarting ...\x1b[K")
            self._stream.flush()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        if self._shows:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def __call__(self, now: "Progress | Reading") -> None:
        clock = time.monotonic()
        # Work of the same kind may begin anew: another data set to be read, another codec to measure with.
        begins = now.stage != self._stage
        if begins or now.done < self._done:
            self._stage, self._began = now.stage, clock
        self._done = now.done
        if now.round and self._picking_since is None:
            self._picking_since = clock
        # Once there are rounds, their stages may change faster than anyone reads.
        if not self._shows or (clock - self._drawn < _REDRAW and not (begins and not now.round)):
            return
        self._drawn = clock
        width = shutil.get_terminal_size().columns
        self._stream.write("\r" + self.line(now, clock)[: width - 1] + "\x1b[K")
        self._stream.flush()

    def line(self, now: "Progress | Reading", clock: float) -> str:
        """What is shown for ``now``."""
        stage = _STAGES[now.stage]
        if not now.round:
            elapsed = clock - self._began
            rate = now.done / elapsed if elapsed > 0 else 0.0
            if now.stage in ("fetch", "read"):
                done, total, speed = (f"{size / 1e6:,.0f}" for size in (now.done, now.total, rate))
                return f"{stage}: {done} of {total} MB, {speed} MB/s{_eta(now.total - now.done, rate)}"
            return f"{stage}: {now.done:,} of {now.total:,}, {rate:,.0f}/s{_eta(now.total - now.done, rate)}"
        elapsed = clock - (self._picking_since or clock)
        rate = now.picked / elapsed if elapsed > 0 else 0.0
        whole = f" of {self._budget:,}" if self._budget else ""
        left = _eta(self._budget - now.picked, rate) if self._budget else ""
        step = f"{stage} {now.done:,}/{now.total:,}"
        return f"round {now.round}: picked {now.picked:,}{whole}, R {now.ratio:.3f}, {rate:,.1f}/s{left} ({step})"


def _eta(steps: int, rate: float) -> str:
    if rate <= 0:
        return ""
    seconds = round(max(steps, 0) / rate)
    return f", {seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02} left"
