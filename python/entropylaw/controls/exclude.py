"""Which samples may not be selected, and why: what a sample, or a part of a pool, tells by itself."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.controls.fields import numbers_of
from entropylaw.controls.model import Controls
from entropylaw.pool import Pool

REASONS = ("min_score", "contaminated", "length_band", "ratio_band", "anchor", "duplicates")
"""Why samples are excluded; of several reasons the first counts."""


class Exclusion:
    """The samples of a part of a pool that stay, and how many do not, by the first reason that holds.

    ``known`` samples, the anchor's, stay whatever is against them.
    """

    def __init__(self, pool: Pool, known: NDArray[np.int64] | None) -> None:
        self.excluded: dict[str, int] = {}
        self._known = known
        self._staying = np.ones(len(pool), dtype=np.bool_)

    def keep(self, reason: str, good: NDArray[np.bool_]) -> None:
        """Only ``good`` samples stay."""
        if self._known is not None:
            good[self._known] = True
        if gone := int(np.count_nonzero(self._staying & ~good)):
            self.excluded[reason] = self.excluded.get(reason, 0) + gone
            np.logical_and(self._staying, good, out=self._staying)

    def drop(self, reason: str, positions: NDArray[np.int64]) -> None:
        """The samples at ``positions`` do not stay."""
        good = np.ones(len(self._staying), dtype=np.bool_)
        good[positions] = False
        self.keep(reason, good)

    def members(self) -> NDArray[np.int64] | None:
        """Positions of the samples that stay; None if all do."""
        return np.flatnonzero(self._staying) if self.excluded else None


def exclude_each(
    exclusion: Exclusion,
    pool: Pool,
    controls: Controls,
    holds: NDArray[np.bool_] | None,
    threads: int | None,
    progress: Callable[[_core.Progress], object] | None,
) -> None:
    """Takes out the samples that have a reason by themselves; ``holds``: which hold text of a benchmark."""
    for name, least in controls.least_scores.items():
        exclusion.keep("min_score", numbers_of(pool, "min_score", name) >= least)
    if holds is not None and controls.decontaminate == "exclude":
        exclusion.keep("contaminated", ~holds)
    if controls.lengths is not None:
        exclusion.keep("length_band", controls.lengths.holds(pool.lengths()))
    if controls.ratios is not None:
        sizes = _core.measure_each(pool.data, pool.offsets, threads=threads, progress=progress)
        exclusion.keep("ratio_band", controls.ratios.holds(pool.lengths() / sizes))
