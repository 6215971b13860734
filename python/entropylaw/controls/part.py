"""What the controls come to in a part of a pool. All of a pool is one part."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.budget import Unit
from entropylaw.controls.copies import Copies, Hashes, Met
from entropylaw.controls.exclude import Exclusion, exclude_each
from entropylaw.controls.fields import groups_of, numbers_of, refuse
from entropylaw.controls.model import Controls
from entropylaw.controls.overlap import Found, Overlap
from entropylaw.controls.tokens import MOST_TOKENS, count_tokens, is_tokenizer
from entropylaw.errors import EntropyLawError
from entropylaw.pool import Pool

_CHUNK = 1 << 16
_MOST_WEIGHT = 1e290
"""So much that weights of any pool have a sum."""


class Counted(NamedTuple):
    """What a part has, once it is known which samples stay."""

    candidates: int
    known: int
    """Of these, those that are the anchor's."""
    total: int
    """What all its samples cost, those that are excluded among them, in the budget's unit."""
    available: int
    """What the candidates cost that are not known."""
    excluded: Mapping[str, int]


class PartOfControls:
    """The controls in a part of a pool.

    Its methods are called in their order, and what they return goes to whoever knows all parts (``agree``).

    Parameters
    ----------
    controls
        As ``plain`` and ``cut`` make them.
    unit
        What the budget counts.
    """

    def __init__(
        self,
        pool: Pool,
        controls: Controls,
        unit: Unit,
        threads: int | None = None,
        progress: Callable[[_core.Progress], object] | None = None,
    ) -> None:
        self.pool = pool
        self.members: NDArray[np.int64] | None = None
        """Positions of the candidates in the part, ascending; None if all samples are."""
        self.costs: NDArray[np.uint32] | None = None
        self.groups: NDArray[np.uint32] | None = None
        self.weights: NDArray[np.float64] | None = None
        self._controls, self._unit = controls, unit
        self._threads, self._progress = threads, progress
        anchor = controls.anchor
        self._anchor = anchor if isinstance(anchor, Pool) else None
        self._known_members = anchor if isinstance(anchor, np.ndarray) else None
        self._exclusion = Exclusion(pool, self._known_members)
        self._copies: Copies | None = None

    def exclude(self, dedupe: bool, benchmarks: Mapping[str, Pool]) -> tuple[int, int, list[Found]]:
        """Takes out what has a reason here, but copies.

        Returns how many different samples are left, 0 if copies may stay; how many hold text of the benchmarks; and
        what it is.
        """
        overlap = None
        if benchmarks:
            overlap = Overlap.of(self.pool, benchmarks, self._threads, self._progress)
        holds = None if overlap is None else overlap.holds
        exclude_each(self._exclusion, self.pool, self._controls, holds, self._threads, self._progress)
        if dedupe or self._anchor is not None:
            members = self._exclusion.members()
            copies = Copies(self.pool, members, self._anchor, self._known_members, self._threads)
            self._exclusion.drop("anchor", copies.of_anchor())
            self._copies = copies if dedupe else None
        sets = 0 if self._copies is None else self._copies.sets()
        return (sets, 0, []) if overlap is None else (sets, int(np.count_nonzero(overlap.holds)), overlap.found)

    def hashes(self, low: int, high: int) -> Hashes:
        """See ``Copies.hashes``."""
        assert self._copies is not None
        return self._copies.hashes(low, high)

    def meet(self, low: int, high: int, met: Met) -> None:
        """See ``Copies.meet``."""
        assert self._copies is not None
        self._copies.meet(low, high, met)

    def count(self) -> Counted:
        """Takes out the copies, and counts."""
        if self._copies is not None:
            self._exclusion.drop("duplicates", self._copies.found())
            self._copies = None
        self.members = self._exclusion.members()
        total = {"samples": len(self.pool), "bytes": self.pool.size}.get(self._unit, 0)
        if self._unit == "tokens":
            tokens = _tokens(self.pool, self._controls)
            total = int(tokens.sum(dtype=np.int64))
            self.costs = np.ascontiguousarray(tokens[self._of])
        known = 0 if self.known is None else len(self.known)
        return Counted(len(self), known, total, int(self._cost().sum()), self._exclusion.excluded)

    @property
    def known(self) -> NDArray[np.int64] | None:
        """Positions among the candidates of those that are known; None if the anchor is no samples of the pool."""
        if self._known_members is None or self.members is None:
            return self._known_members
        return np.searchsorted(self.members, self._known_members)

    def __len__(self) -> int:
        return len(self.pool) if self.members is None else len(self.members)

    @property
    def _of(self) -> Any:
        return slice(None) if self.members is None else self.members

    def _cost(self) -> NDArray[np.int64]:
        """What each candidate costs that may be selected; 0 for those that are known."""
        if self.costs is not None:
            cost = self.costs.astype(np.int64)
        elif self._unit == "bytes":
            cost = np.array(self.pool.lengths()[self._of])
        else:
            cost = np.ones(len(self), dtype=np.int64)
        if self.known is not None:
            cost[self.known] = 0
        return cost

    def label(self) -> tuple[str, ...]:
        """The names of this part's groups."""
        clusters = self._controls.clusters
        if clusters is not None:
            # Of the candidates alone: what is excluded might as well not be there.
            starts, ends = self.pool.offsets[:-1][self._of], self.pool.offsets[1:][self._of]
            self.groups, found = _core.clusters(
                self.pool.data, starts, ends, count=clusters, threads=self._threads, progress=self._progress
            )
            return tuple(found)
        groups, names = groups_of(self.pool, self._controls.group_by)
        self.groups = np.ascontiguousarray(groups[self._of])
        return names

    def relabel(self, numbers: NDArray[np.uint32], count: int) -> NDArray[np.int64]:
        """Takes the numbers of its groups among all ``count`` groups; returns what it has of each that may be selected,
        in the budget's unit, shape ``(count,)``."""
        assert self.groups is not None
        self.groups = numbers[self.groups] if len(numbers) else self.groups
        found: NDArray[np.int64] = np.bincount(self.groups, weights=self._cost(), minlength=count).astype(np.int64)
        return found

    def weigh(self) -> list[float]:
        """Numbers whose exact sum is that of the candidates' weights."""
        weights = numbers_of(self.pool, "weight", self._controls.weight)  # type: ignore[arg-type]
        refuse(self.pool, "the weight", weights, weights < 0, "it must not be negative")
        remedy = f"it must be at most {_MOST_WEIGHT:g}: divide all weights, of which only the ratios matter"
        refuse(self.pool, "the weight", weights, weights > _MOST_WEIGHT, remedy)
        self.weights = np.array(weights[self._of])
        if self.known is not None:
            self.weights[self.known] = 0
        return exact_sum(self.weights)

    def scale(self, mean: float) -> None:
        """Takes the weights as multiples of their mean over all parts."""
        assert self.weights is not None
        self.weights = self.weights / mean


def cut(controls: Controls, first: int, samples: int) -> Controls:
    """The controls for a part of ``samples`` from ``first`` on: of arrays with a value a sample, those of the part."""
    values: dict[str, Any] = {}
    for name in ("group_by", "weight", "tokens"):
        value = getattr(controls, name)
        if isinstance(value, np.ndarray):
            values[name] = value[first : first + samples]
    if isinstance(controls.anchor, np.ndarray):
        low, high = np.searchsorted(controls.anchor, [first, first + samples])
        values["anchor"] = controls.anchor[low:high] - first
    return replace(controls, **values) if values else controls


def exact_sum(values: NDArray[np.float64]) -> list[float]:
    """Few numbers that have the same sum, exactly: NumPy's own sum depends on the processor."""
    parts: list[float] = []
    while True:
        rest = math.fsum(_chained(values, [-part for part in parts]))
        if rest == 0:
            return parts
        parts.append(rest)


def _chained(values: NDArray[np.float64], more: Sequence[float]) -> Any:
    for start in range(0, len(values), _CHUNK):
        yield from values[start : start + _CHUNK].tolist()
    yield from more


def _tokens(pool: Pool, controls: Controls) -> NDArray[np.uint32]:
    """Tokens of each sample of the pool."""
    given = controls.tokens
    counts: NDArray[Any] = count_tokens(pool, given) if is_tokenizer(given) else numbers_of(pool, "tokens", given)
    wrong = (counts < 0) | (counts != np.floor(counts)) | (counts > MOST_TOKENS)
    refuse(pool, "the number of tokens", counts, wrong, f"it must be a whole number from 0 to {MOST_TOKENS:,}")
    return counts.astype(np.uint32)


def check_length(name: str, given: Any, samples: int) -> None:
    """Raises EntropyLawError if an array doesn't have a value for each of the pool's samples."""
    if isinstance(given, np.ndarray) and given.shape != (samples,):
        what = "name a group for each" if name == "group_by" else "have a number for each"
        raise EntropyLawError(f"{name} has shape {given.shape}; it must {what} of {samples} samples")
