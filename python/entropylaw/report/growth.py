"""How a selection grew: its R and what was added, at some hundred points of its picks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.order import shuffled
from entropylaw.pool import Pool
from entropylaw.results import Selection

POINTS = 400
"""About how many are kept of a trace, however long it is."""
SHOWN = 10
"""Picks at either end that are looked at one by one."""
MOST = 1 << 26
"""Bytes of samples that are compressed again for a trace."""


@dataclass(frozen=True)
class Growth:
    """A set at some points of its growth."""

    picks: NDArray[np.int64]
    """Samples in it."""
    raw: NDArray[np.int64]
    """Bytes of its samples."""
    sizes: NDArray[np.int64]
    """Its compressed bytes, by the selection's codec."""
    ratios: NDArray[np.float64]
    """Its R."""

    def bits(self) -> NDArray[np.float64]:
        """Compressed bits that a byte added since the point before: 8 for what can't be compressed at all, 0 for what
        was there already."""
        return 8 * np.diff(self.sizes, prepend=0) / np.maximum(np.diff(self.raw, prepend=0), 1)

    def thinned(self, most: int) -> "Growth":
        """At ``most`` of its points, evenly spread over the picks and without those that are looked at one by one."""
        wanted = np.linspace(self.picks[0], self.picks[-1], most + 1)[1:]
        kept = np.unique(np.searchsorted(self.picks, wanted))
        return Growth(self.picks[kept], self.raw[kept], self.sizes[kept], self.ratios[kept])

    def added(self, pick: int) -> float | None:
        """The same for one pick, from 1 on; None unless it and the one before are among the points."""
        at = int(np.searchsorted(self.picks, pick))
        known = at < len(self.picks) and self.picks[at] == pick and (pick == 1 or self.picks[at - 1] == pick - 1)
        return float(self.bits()[at]) if known else None

    def ratio(self, pick: int) -> float | None:
        """R after a pick, if it is among the points."""
        at = int(np.searchsorted(self.picks, pick))
        return float(self.ratios[at]) if at < len(self.picks) and self.picks[at] == pick else None


def points(count: int) -> NDArray[np.int64]:
    """Picks to look at, of so many: the first and last ones, and others evenly over all and over the beginning."""
    spread = np.concatenate(
        [
            np.geomspace(1, count, POINTS // 3),
            np.linspace(1, count, POINTS - POINTS // 3),
            np.arange(1, SHOWN + 2),
            np.arange(count - SHOWN, count + 1),
        ]
    )
    found: NDArray[np.int64] = np.unique(np.round(spread).astype(np.int64))
    return found[(found >= 1) & (found <= count)]


def growth_of(selection: Selection) -> Growth:
    """The selection's growth: by its own trace if it has one, else by compressing it again, up to 64 MiB of it."""
    if (grown := selection.grown()) is not None:
        sizes, ratios = grown
        picks = points(len(selection))
        raw = np.cumsum(selection.pool.lengths_of(selection.indices))[picks - 1]
        return Growth(picks, raw, sizes[picks - 1], ratios[picks - 1])
    return _compressed(selection.pool, selection.indices)


def growth_at_random(pool: Pool, count: int) -> Growth:
    """That of so many samples of the pool in shuffled order: what any selection should be compared with."""
    return _compressed(pool, shuffled(pool, 0)[:count])


def _compressed(pool: Pool, indices: NDArray[np.int64]) -> Growth:
    lengths = np.cumsum(pool.lengths()[indices])
    count = max(int(np.searchsorted(lengths, MOST, side="right")), 1)
    picks = points(min(count, len(indices)))
    sizer = _core.Sizer()
    sizes: list[int] = []
    done = 0
    for pick in picks.tolist():
        sizer.append(b"".join(map(pool.sample, indices[done:pick].tolist())))
        sizes.append(sizer.size())
        done = pick
    raw = lengths[picks - 1]
    made = np.array(sizes, dtype=np.int64)
    return Growth(picks, raw, made, raw / made)


def averaged(values: NDArray[np.float64], weights: NDArray[np.float64], picks: NDArray[np.int64]) -> Sequence[float]:
    """Sums of ``values`` by those of ``weights`` between the picks: a trace of many as one of few."""
    starts = np.concatenate(([0], picks[:-1]))
    sums = np.add.reduceat(values[: picks[-1]], starts)
    found: list[float] = (sums / np.maximum(np.add.reduceat(weights[: picks[-1]], starts), 1e-12)).tolist()
    return found
