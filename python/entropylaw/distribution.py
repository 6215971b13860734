"""What a set is made of: how R and length vary over its samples, and how many samples repeat others."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.pool import Pool

QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
"""Those that are shown: the least, some between, the greatest."""


@dataclass(frozen=True, eq=False)
class Distribution:
    """R and length of every sample alone.

    Attributes
    ----------
    ratios : NDArray[np.float64]
        R of each sample alone under zlib, level 9; 0 for empty ones; shape ``(samples,)``. Small samples have low ones:
        a zlib stream has 6 bytes besides its data.
    lengths : NDArray[np.int64]
        Bytes of each sample; shape ``(samples,)``.
    """

    ratios: NDArray[np.float64] = field(repr=False)
    lengths: NDArray[np.int64] = field(repr=False)

    def quantiles(self, values: str = "ratios") -> dict[float, float]:
        """Quantiles of ``"ratios"`` or ``"lengths"``: for each of a few shares, a value of the set that this share of
        its samples does not exceed."""
        found = np.quantile(getattr(self, values), QUANTILES, method="inverted_cdf")
        return dict(zip(QUANTILES, found.tolist(), strict=True))

    def lowest(self, count: int) -> list[int]:
        """Indices of the ``count`` samples of lowest R, lowest first; ties to the lower index."""
        return self._first(self.ratios, count)

    def highest(self, count: int) -> list[int]:
        """Indices of the ``count`` samples of highest R, highest first; ties to the lower index."""
        return self._first(-self.ratios, count)

    @staticmethod
    def _first(keys: NDArray[np.float64], count: int) -> list[int]:
        return [int(index) for index in np.argsort(keys, kind="stable")[:count]]


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Samples that repeat an earlier one.

    *Exact*: the same bytes. *Near*: at least 4 of 5 runs of five words in common (Jaccard similarity 0.8), case and
    punctuation set aside; found with MinHash (20 bands of 6) and verified pair by pair, so that none is counted that is
    not; about 2 in 1,000 pairs at the threshold are missed. Chains count: what is like a near-duplicate is one.

    Attributes
    ----------
    first : NDArray[np.int64]
        For each sample, the first one with the same bytes: itself, if there is none before; shape ``(samples,)``.
    first_near : NDArray[np.int64]
        For each sample, the first one of its near-duplicates, exact ones included; shape ``(samples,)``.
    lengths : NDArray[np.int64]
        Bytes of each sample; shape ``(samples,)``.
    """

    first: NDArray[np.int64] = field(repr=False)
    first_near: NDArray[np.int64] = field(repr=False)
    lengths: NDArray[np.int64] = field(repr=False)

    @property
    def exact(self) -> int:
        """Samples with the bytes of an earlier one."""
        return int(np.count_nonzero(self._repeats(self.first)))

    @property
    def near(self) -> int:
        """Near-duplicates of an earlier sample, exact ones included."""
        return int(np.count_nonzero(self._repeats(self.first_near)))

    @property
    def exact_share(self) -> float:
        """``exact``, as a share of the samples."""
        return self.exact / len(self.first)

    @property
    def near_share(self) -> float:
        """``near``, as a share of the samples."""
        return self.near / len(self.first)

    def byte_share(self, near: bool = False) -> float:
        """Share of the bytes that are in such samples; 0 for a set without bytes."""
        repeats = self._repeats(self.first_near if near else self.first)
        return float(self.lengths[repeats].sum() / max(int(self.lengths.sum()), 1))

    @staticmethod
    def _repeats(first: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.not_equal(first, np.arange(len(first)))


def distribution_of(
    pool: Pool, threads: int | None = None, progress: Callable[[Any], object] | None = None
) -> Distribution:
    """Sizes every sample alone."""
    sizes = _core.measure_each(pool.data, pool.offsets, threads=threads, progress=progress)
    return Distribution(pool.lengths() / sizes, pool.lengths())


def duplicates_of(
    pool: Pool, threads: int | None = None, progress: Callable[[Any], object] | None = None
) -> Duplicates:
    """Finds the samples that repeat others."""
    exact, near = _core.find_duplicates(pool.data, pool.offsets, threads=threads, progress=progress)
    return Duplicates(exact, near, pool.lengths())
