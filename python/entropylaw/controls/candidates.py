"""The samples of a pool that may be selected, and what there is to respect."""

import hashlib
import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.budget import Budget
from entropylaw.controls.balance import shares
from entropylaw.controls.exclude import exclude
from entropylaw.controls.fields import groups_of, numbers_of, refuse
from entropylaw.controls.model import Controls
from entropylaw.controls.overlap import Overlap
from entropylaw.controls.plain import plain
from entropylaw.controls.tokens import MOST_TOKENS, count_tokens, is_tokenizer
from entropylaw.errors import EntropyLawError
from entropylaw.pool import Pool

RULE = "never exceeded: a sample larger than what is left is passed over"
"""What happens at the end of a budget."""

_CHUNK = 1 << 16


@dataclass(frozen=True, eq=False)
class Candidates:
    """What a method selects from, and within which limits.

    A method sees the candidates alone; what is excluded might as well not be in the pool.
    """

    pool: Pool = field(repr=False)
    budget: Budget
    amount: int
    """The budget, in its unit."""
    parameters: Mapping[str, Any] = field(repr=False)
    """The controls, for the manifest."""
    members: NDArray[np.int64] | None = field(repr=False)
    """Positions of the candidates in the pool, ascending; None if all samples are."""
    excluded: Mapping[str, int]
    """How many samples are no candidates, by why."""
    costs: NDArray[np.uint32] | None = field(repr=False)
    """Tokens of each candidate, if the budget counts them."""
    groups: NDArray[np.uint32] | None = field(repr=False)
    """Position of each candidate's group in ``group_names``, if there are quotas or shares."""
    group_names: tuple[str, ...]
    quotas: NDArray[np.uint64] | None = field(repr=False)
    """The least and the most that each group gets of the budget, shape ``(len(group_names), 2)``."""
    shares: NDArray[np.uint64] | None = field(repr=False)
    """What each group gets of the budget, if it is balanced."""
    available: NDArray[np.int64] | None = field(repr=False)
    """What each group has of the budget's unit that may be selected, if there are quotas or shares."""
    weights: NDArray[np.float64] | None = field(repr=False)
    """How much each candidate is wanted, 1 on average."""
    known: NDArray[np.int64] | Pool | None = field(repr=False)
    """The anchor: candidates that are not to be selected, or samples from elsewhere."""
    overlap: Overlap | None = field(repr=False)
    """What of the pool holds text of a benchmark or of the target, if that is asked."""

    @classmethod
    def of(
        cls,
        pool: Pool,
        budget: Budget,
        controls: Controls,
        dedupe: bool,
        threads: int | None = None,
        progress: Callable[[_core.Progress], object] | None = None,
        target: Pool | None = None,
    ) -> Self:
        """The candidates of a pool; ``dedupe``: what the method does about duplicates unless it is told; ``target``:
        what the selection is for.

        Raises
        ------
        EntropyLawError
            If the controls do not fit the pool, can't be met, or leave nothing.
        """
        controls.check(budget)
        controls = plain(controls)
        anchor = controls.anchor
        indices = _indices(anchor, len(pool)) if isinstance(anchor, np.ndarray) else None
        dedupe = dedupe if controls.dedupe is None else controls.dedupe
        overlap = None
        if controls.decontaminate is not None:
            looked_for = {"target": target, "benchmark": controls.benchmark}
            benchmarks = {what: texts for what, texts in looked_for.items() if texts is not None}
            overlap = Overlap.of(pool, benchmarks, threads, progress)
        members, excluded = exclude(pool, controls, dedupe, indices, threads, progress, overlap)
        of = slice(None) if members is None else members
        known: NDArray[np.int64] | Pool | None = anchor
        if indices is not None and members is not None:
            known = np.searchsorted(members, indices)
        elif indices is not None:
            known = indices
        count = len(pool) if members is None else len(members)
        if count - (0 if indices is None else len(indices)) < 1:
            reasons = ", ".join(f"{number:,} by {reason}" for reason, number in excluded.items())
            raise EntropyLawError(
                "nothing is left to select from: "
                + (f"of {len(pool):,} samples, {reasons} are excluded" if reasons else "the anchor is the whole pool")
            )
        tokens = _tokens(pool, controls) if budget.unit == "tokens" else None
        costs = None if tokens is None else tokens[of]
        whole = {"samples": len(pool), "bytes": int(pool.offsets[-1])}
        total = whole[budget.unit] if tokens is None else int(tokens.sum())
        amount = min(budget.of(total), 2**63 - 1)
        names: tuple[str, ...] = ()
        groups: NDArray[np.uint32] | None = None
        quotas: NDArray[np.uint64] | None = None
        shared: NDArray[np.uint64] | None = None
        available: NDArray[np.int64] | None = None
        if controls.quotas is not None or controls.balance is not None:
            if controls.clusters is not None:
                # Of the candidates alone: what is excluded might as well not be there.
                starts, ends = pool.offsets[:-1][of], pool.offsets[1:][of]
                groups, found = _core.clusters(
                    pool.data, starts, ends, count=controls.clusters, threads=threads, progress=progress
                )
                names = tuple(found)
            else:
                all_groups, names = groups_of(pool, controls.group_by)
                groups = np.ascontiguousarray(all_groups[of])
            counted = costs if costs is not None else pool.lengths()[of] if budget.unit == "bytes" else np.ones(count)
            cost = counted.astype(np.int64)
            if isinstance(known, np.ndarray):
                cost[known] = 0
            available = np.bincount(groups, weights=cost, minlength=len(names)).astype(np.int64)
            if controls.quotas is not None:
                quotas = controls.quotas.resolve(amount, budget.unit, controls.group_field, names, available)
            if controls.balance is not None:
                _check_groups(controls, names)
                bounds = None if quotas is None else quotas.tolist()
                shared = np.array(shares(amount, controls.balance, available.tolist(), bounds), dtype=np.uint64)
        return cls(
            pool=pool,
            budget=budget,
            amount=amount,
            parameters=controls.given() | {"dedupe": dedupe},
            members=members,
            excluded=excluded,
            costs=None if costs is None else np.ascontiguousarray(costs),
            groups=groups,
            group_names=names,
            quotas=quotas,
            shares=shared,
            available=available,
            weights=_weights(pool, controls, of, known),
            known=known,
            overlap=overlap,
        )

    def __len__(self) -> int:
        return len(self.pool) if self.members is None else len(self.members)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Where each candidate begins in ``pool.data``."""
        return self.pool.offsets[:-1] if self.members is None else self.pool.offsets[self.members]

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """Where each candidate ends in ``pool.data``."""
        return self.pool.offsets[1:] if self.members is None else self.pool.offsets[self.members + 1]

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """What the controls came to, by a hash each: of the candidates' positions in the pool, their tokens, groups and
        weights, the quotas and the groups' shares. Fields and tokenizers may hold other values, though the samples are
        the same."""
        arrays = {
            "candidates": self.members,
            "tokens": self.costs,
            "groups": self.groups,
            "quotas": self.quotas,
            "shares": self.shares,
            "weights": self.weights,
        }
        return {
            name: hashlib.sha256(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()).hexdigest()
            for name, array in arrays.items()
            if array is not None
        }

    def positions(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where candidates are in the pool."""
        return indices if self.members is None else self.members[indices]

    @property
    def total(self) -> int:
        """What all candidates that may be selected cost, in the budget's unit."""
        known = self.known if isinstance(self.known, np.ndarray) else np.zeros(0, dtype=np.int64)
        return self._cost(np.arange(len(self))) - self._cost(known)

    def _cost(self, indices: NDArray[np.int64]) -> int:
        if self.budget.unit == "samples":
            return len(indices)
        if self.costs is not None:
            return int(self.costs[indices].sum(dtype=np.int64))
        return int((self.ends[indices] - self.starts[indices]).sum())

    def controls(self, multiple: int = 1) -> _core.Controls:
        """What the core has to respect; the budget rounded up to a multiple."""
        known = self.known
        return _core.Controls(
            -(-self.amount // multiple) * multiple,
            unit=self.budget.unit,
            costs=self.costs,
            groups=self.groups,
            quotas=self.quotas,
            shares=self.shares,
            weights=self.weights,
            known_indices=known if isinstance(known, np.ndarray) else None,
            known_data=known.data if isinstance(known, Pool) else None,
            known_offsets=known.offsets if isinstance(known, Pool) else None,
        )

    def nothing_fits(self) -> str:
        """What to say if not even one sample could be selected."""
        return (
            f"nothing fits the budget of {self.budget.given}: each of the {len(self)} samples that may be selected is "
            "larger; raise it"
        )

    def report(self, indices: NDArray[np.int64]) -> dict[str, Any]:
        """What the limits were and how they were used by a selection of candidates, for the manifest."""
        report: dict[str, Any] = {
            "candidates": len(self),
            "excluded": dict(self.excluded),
            "budget": {
                "unit": self.budget.unit,
                "amount": self.amount,
                "selected": self._cost(indices),
                "rule": RULE,
            },
            "fingerprints": self.fingerprints,
        }
        if self.overlap is not None:
            report["contamination"] = self.overlap.summary
        if self.quotas is not None:
            report["quotas"] = {
                name: {"least": least, "most": min(most, self.amount), "selected": spent}
                for name, (least, most), spent in zip(
                    self.group_names, self.quotas.tolist(), self._spent(indices), strict=True
                )
            }
        if self.shares is not None and self.available is not None:
            report["balance"] = {
                name: {"available": have, "share": share, "selected": spent}
                for name, have, share, spent in zip(
                    self.group_names, self.available.tolist(), self.shares.tolist(), self._spent(indices), strict=True
                )
                if have
            }
        return report

    def _spent(self, indices: NDArray[np.int64]) -> list[int]:
        """What each group got."""
        assert self.groups is not None
        groups = self.groups[indices].astype(np.int64)
        if self.costs is not None:
            costs = self.costs[indices].astype(np.int64)
        elif self.budget.unit == "bytes":
            costs = self.ends[indices] - self.starts[indices]
        else:
            costs = np.ones(len(indices), dtype=np.int64)
        spent = np.zeros(len(self.group_names), dtype=np.int64)
        np.add.at(spent, groups, costs)
        found: list[int] = spent.tolist()
        return found

    def warnings(self, indices: NDArray[np.int64]) -> list[str]:
        """What a user should know about how the limits were met."""
        warnings = []
        unit = self.budget.unit
        if self.amount > self.total:
            what = "of the pool" if not self.excluded and self.known is None else "that may be selected"
            warnings.append(f"the budget of {self.amount} {unit} is more than the {self.total} {what}")
        if self.quotas is not None:
            for name, (least, _), spent in zip(
                self.group_names, self.quotas.tolist(), self._spent(indices), strict=True
            ):
                if spent < least:
                    warnings.append(
                        f"the group {name or '(none)'!r} got {spent} of at least {least} {unit}: no sample of it is "
                        "small enough for the rest"
                    )
        if self.shares is not None and self.available is not None:
            wanted = self.available > 0 if self.quotas is None else (self.available > 0) & (self.quotas[:, 1] > 0)
            warnings += _of_balance(wanted, np.array(self._spent(indices)))
        return warnings


def _check_groups(controls: Controls, names: tuple[str, ...]) -> None:
    """Raises EntropyLawError if the records have no groups to balance."""
    if any(names):
        return
    found = "they are all ''" if not isinstance(controls.group_by, str) else f"they have no field {controls.group_by!r}"
    raise EntropyLawError(
        f"balance is over groups, but the records have none: {found}; name the field that they are made by: group_by= "
        "(--group-by); or make groups of samples that are written alike: 'cluster:64'"
    )


def _of_balance(wanted: NDArray[np.bool_], spent: NDArray[np.int64]) -> list[str]:
    """What a user should know about what balance came to: which groups may get something, and what each got."""
    there = int(np.count_nonzero(wanted))
    if there == 1:
        return ["balance changes nothing: all that may be selected is in one group"]
    if none := int(np.count_nonzero(wanted & (spent == 0))):
        return [
            f"{none:,} of {there:,} groups got nothing: their share of the budget is less than one of their samples; "
            "raise the budget, or make fewer groups"
        ]
    return []


def _indices(anchor: NDArray[np.int64], samples: int) -> NDArray[np.int64]:
    indices = np.unique(anchor)
    if len(indices) and not 0 <= indices[0] <= indices[-1] < samples:
        wrong = indices[0] if indices[0] < 0 else indices[-1]
        raise EntropyLawError(f"the anchor has index {wrong}, the pool {samples} samples")
    return indices


def _tokens(pool: Pool, controls: Controls) -> NDArray[np.uint32]:
    """Tokens of each sample of the pool."""
    given = controls.tokens
    counts: NDArray[Any] = count_tokens(pool, given) if is_tokenizer(given) else numbers_of(pool, "tokens", given)
    wrong = (counts < 0) | (counts != np.floor(counts)) | (counts > MOST_TOKENS)
    refuse(pool, "the number of tokens", counts, wrong, "it must be a whole number, not negative")
    return counts.astype(np.uint32)


def _weights(
    pool: Pool, controls: Controls, of: Any, known: NDArray[np.int64] | Pool | None
) -> NDArray[np.float64] | None:
    """Each candidate's weight, as a multiple of their mean."""
    if controls.weight is None:
        return None
    weights = numbers_of(pool, "weight", controls.weight)
    refuse(pool, "the weight", weights, weights < 0, "it must not be negative")
    weights = np.array(weights[of])
    if isinstance(known, np.ndarray):
        weights[known] = 0
    count = len(weights) - (len(known) if isinstance(known, np.ndarray) else 0)
    # Exactly rounded, so the same everywhere: NumPy's own sum depends on the processor.
    mean = math.fsum(_numbers(weights)) / count
    if mean == 0:
        raise EntropyLawError("all weights are 0; give some sample a weight")
    relative: NDArray[np.float64] = weights / mean
    return relative


def _numbers(values: NDArray[np.float64]) -> Iterable[float]:
    return itertools.chain.from_iterable(
        values[start : start + _CHUNK].tolist() for start in range(0, len(values), _CHUNK)
    )
