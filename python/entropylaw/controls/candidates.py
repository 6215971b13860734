"""The samples of a pool that may be selected, and what there is to respect."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.budget import Budget
from entropylaw.controls.agree import Agreed, agree
from entropylaw.controls.model import Controls
from entropylaw.controls.part import PartOfControls
from entropylaw.controls.plain import plain
from entropylaw.errors import EntropyLawError
from entropylaw.pool import Pool

RULE = "never exceeded: a sample larger than what is left is passed over"
"""What happens at the end of a budget."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """What a method selects from, and within which limits.

    A method sees the candidates alone; what is excluded might as well not be in the pool.
    """

    pool: Pool = field(repr=False)
    budget: Budget
    parameters: Mapping[str, Any] = field(repr=False)
    """The controls, for the manifest."""
    agreed: Agreed = field(repr=False)
    """What the controls come to."""
    members: NDArray[np.int64] | None = field(repr=False)
    """Positions of the candidates in the pool, ascending; None if all samples are."""
    costs: NDArray[np.uint32] | None = field(repr=False)
    """Tokens of each candidate, if the budget counts them."""
    groups: NDArray[np.uint32] | None = field(repr=False)
    """Position of each candidate's group in ``group_names``, if there are quotas or shares."""
    weights: NDArray[np.float64] | None = field(repr=False)
    """How much each candidate is wanted, 1 on average."""
    known: NDArray[np.int64] | Pool | None = field(repr=False)
    """The anchor: candidates that are not to be selected, or samples from elsewhere."""

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
        controls = with_anchor(plain(controls), len(pool))
        part = PartOfControls(pool, controls, budget.unit, threads, progress)

        def ask(method: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
            return [getattr(part, method)(*arguments[0])]

        agreed = agree(ask, [len(pool)], budget, controls, dedupe, target)
        return cls(
            pool=pool,
            budget=budget,
            parameters=controls.given() | {"dedupe": agreed.dedupe},
            agreed=agreed,
            members=part.members,
            costs=part.costs,
            groups=part.groups,
            weights=part.weights,
            known=controls.anchor if isinstance(controls.anchor, Pool) else part.known,
        )

    @property
    def amount(self) -> int:
        """The budget, in its unit."""
        return self.agreed.amount

    @property
    def excluded(self) -> Mapping[str, int]:
        """How many samples are no candidates, by why."""
        return self.agreed.excluded

    @property
    def group_names(self) -> tuple[str, ...]:
        """The groups that budgets are shared among; none without quotas and balance."""
        return self.agreed.group_names

    @property
    def quotas(self) -> NDArray[np.uint64] | None:
        """The least and the most that each group gets of the budget, shape ``(len(group_names), 2)``."""
        return self.agreed.quotas

    @property
    def shares(self) -> NDArray[np.uint64] | None:
        """What each group gets of the budget, if it is balanced."""
        return self.agreed.shares

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
        found = {}
        for name, arrays in self.settled():
            digest = hashlib.sha256()
            for array in arrays:
                digest.update(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
            found[name] = digest.hexdigest()
        return found

    def settled(self) -> Iterator[tuple[str, Iterable[NDArray[Any]]]]:
        """What the controls came to, by name: arrays, each as pieces of it."""
        arrays = {
            "candidates": self.members,
            "tokens": self.costs,
            "groups": self.groups,
            "quotas": self.quotas,
            "shares": self.shares,
            "weights": self.weights,
        }
        return ((name, [array]) for name, array in arrays.items() if array is not None)

    def positions(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where candidates are in the pool."""
        return indices if self.members is None else self.members[indices]

    def spread(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """A value of each candidate as one of each sample of the pool; no number where a sample is none."""
        if self.members is None:
            return values
        found = np.full(len(self.pool), np.nan)
        found[self.members] = values
        return found

    def costs_of(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """What candidates cost, in the budget's unit."""
        if self.budget.unit == "samples":
            return np.ones(len(indices), dtype=np.int64)
        if self.costs is not None:
            return self.costs[indices].astype(np.int64)
        return self.ends[indices] - self.starts[indices]

    def groups_of(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """The groups of candidates, if budgets are shared among groups."""
        assert self.groups is not None
        return self.groups[indices].astype(np.int64)

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
        count = len(self) - self.agreed.known
        if self.quotas is None:
            return (
                f"nothing fits the budget of {self.budget.given}: each of the {count} samples that may be selected is "
                "larger; raise it"
            )
        return (
            f"nothing fits the budget of {self.budget.given} and the quotas: each of the {count} samples is larger "
            "than what it may have of them; raise the budget, or the quotas"
        )

    def report(self, indices: NDArray[np.int64]) -> dict[str, Any]:
        """What the limits were and how they were used by a selection of candidates, for the manifest."""
        report: dict[str, Any] = {
            "candidates": len(self),
            "excluded": dict(self.excluded),
            "budget": {
                "unit": self.budget.unit,
                "amount": self.amount,
                "selected": int(self.costs_of(indices).sum()),
                "rule": RULE,
            },
            "fingerprints": self.fingerprints,
        }
        if self.agreed.contamination is not None:
            report["contamination"] = dict(self.agreed.contamination)
        if self.quotas is not None:
            report["quotas"] = {
                name: {"least": least, "most": min(most, self.amount), "selected": spent}
                for name, (least, most), spent in zip(
                    self.group_names, self.quotas.tolist(), self._spent(indices), strict=True
                )
            }
        if self.shares is not None and self.agreed.of_groups is not None:
            had, shares, spent = self.agreed.of_groups.tolist(), self.shares.tolist(), self._spent(indices)
            report["balance"] = {
                name: {"available": have, "share": share, "selected": got}
                for name, have, share, got in zip(self.group_names, had, shares, spent, strict=True)
                if have
            }
        return report

    def _spent(self, indices: NDArray[np.int64]) -> list[int]:
        """What each group got."""
        spent = np.zeros(len(self.group_names), dtype=np.int64)
        np.add.at(spent, self.groups_of(indices), self.costs_of(indices))
        found: list[int] = spent.tolist()
        return found

    def warnings(self, indices: NDArray[np.int64]) -> list[str]:
        """What a user should know about how the limits were met."""
        warnings = []
        unit = self.budget.unit
        if self.amount > self.agreed.available:
            what = "that may be selected" if self.excluded or self.agreed.known else "of the pool"
            warnings.append(f"the budget of {self.amount:,} {unit} is more than the {self.agreed.available:,} {what}")
        if self.quotas is not None:
            for name, (least, _), spent in zip(
                self.group_names, self.quotas.tolist(), self._spent(indices), strict=True
            ):
                if spent < least:
                    warnings.append(
                        f"the group {name or '(none)'!r} got {spent} of at least {least} {unit}: no sample of it is "
                        "small enough for the rest"
                    )
        if self.shares is not None and self.agreed.of_groups is not None:
            wanted = self.agreed.of_groups > 0
            if self.quotas is not None:
                wanted &= self.quotas[:, 1] > 0
            warnings += _of_balance(wanted, np.array(self._spent(indices)))
        return warnings


def _of_balance(wanted: NDArray[np.bool_], spent: NDArray[np.int64]) -> list[str]:
    """What a user should know about what balance came to: which groups may get something, and what each got."""
    there = int(np.count_nonzero(wanted))
    if there == 1:
        return [
            "balance changes nothing: all that may be selected is in one group; name the field that tells where "
            "records come from (group_by=, --group-by), or make groups of samples that are written alike: cluster:64"
        ]
    if none := int(np.count_nonzero(wanted & (spent == 0))):
        return [
            f"{none:,} of {there:,} groups got nothing: their share of the budget is less than one of their samples; "
            "raise the budget, or make fewer groups"
        ]
    return []


def with_anchor(controls: Controls, samples: int) -> Controls:
    """The controls with an anchor's indices in rising order, of a pool of so many samples.

    Raises
    ------
    EntropyLawError
        If the pool has no such sample.
    """
    if not isinstance(controls.anchor, np.ndarray):
        return controls
    indices = np.unique(controls.anchor)
    if len(indices) and not 0 <= indices[0] <= indices[-1] < samples:
        wrong = indices[0] if indices[0] < 0 else indices[-1]
        raise EntropyLawError(f"the anchor has index {wrong}, the pool {samples} samples")
    return replace(controls, anchor=indices)
