"""Which samples may not be selected, and why."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.controls.fields import numbers_of
from entropylaw.controls.model import Controls
from entropylaw.controls.overlap import Overlap
from entropylaw.pool import Pool


def exclude(
    pool: Pool,
    controls: Controls,
    dedupe: bool,
    known: NDArray[np.int64] | None,
    threads: int | None,
    progress: Callable[[_core.Progress], object] | None,
    overlap: Overlap | None = None,
) -> tuple[NDArray[np.int64] | None, dict[str, int]]:
    """Positions of the samples that stay, None if all do; and how many are excluded, by the first reason that holds.

    ``known`` samples, the anchor's, stay. With ``dedupe``, of equal samples the first stays that nothing else excludes.
    Copies of an anchor from elsewhere never do.
    """
    staying = np.ones(len(pool), dtype=np.bool_)
    excluded: dict[str, int] = {}

    def keep(reason: str, good: NDArray[np.bool_]) -> None:
        if known is not None:
            good[known] = True
        if gone := int(np.count_nonzero(staying & ~good)):
            excluded[reason] = excluded.get(reason, 0) + gone
            np.logical_and(staying, good, out=staying)

    for name, least in controls.least_scores.items():
        keep("min_score", numbers_of(pool, "min_score", name) >= least)
    if overlap is not None and controls.decontaminate == "exclude":
        keep("contaminated", ~overlap.holds)
    if controls.lengths is not None:
        keep("length_band", controls.lengths.holds(pool.lengths()))
    if controls.ratios is not None:
        sizes = _core.measure_each(pool.data, pool.offsets, threads=threads, progress=progress)
        keep("ratio_band", controls.ratios.holds(pool.lengths() / sizes))
    anchor = controls.anchor if isinstance(controls.anchor, Pool) else None
    if dedupe or anchor is not None:
        # Of all samples, views: an array of 8 bytes a sample counts where samples are short.
        of = slice(None) if staying.all() else np.flatnonzero(staying)
        first = _core.first_copies(
            pool.data,
            pool.offsets[:-1][of],
            pool.offsets[1:][of],
            known_data=None if anchor is None else anchor.data,
            known_offsets=None if anchor is None else anchor.offsets,
            threads=threads,
        )
        members = np.arange(len(pool))[of]
        keep("anchor", _all_but(len(pool), members[first < 0]))
        if dedupe:
            copies = first != np.arange(len(members))
            if known is not None:
                copies |= np.isin(first, first[np.searchsorted(members, known)])
            keep("duplicates", _all_but(len(pool), members[copies]))
    return (np.flatnonzero(staying), excluded) if excluded else (None, excluded)


def _all_but(samples: int, excluded: NDArray[np.int64]) -> NDArray[np.bool_]:
    mask = np.ones(samples, dtype=np.bool_)
    mask[excluded] = False
    return mask
