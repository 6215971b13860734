"""The candidates of a pool in parts: what the controls come to over all of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from entropylaw.budget import Budget
from entropylaw.controls import Candidates, Controls
from entropylaw.controls.agree import agree
from entropylaw.controls.candidates import with_anchor
from entropylaw.controls.part import check_length, cut
from entropylaw.controls.plain import plain
from entropylaw.errors import EntropyLawError
from entropylaw.parts.parts import Layout, Parts
from entropylaw.parts.pool import PartedPool, sendable
from entropylaw.pool import Pool


@dataclass(frozen=True, eq=False)
class PartedCandidates(Candidates):
    """Candidates in parts. They are numbered over all parts, and what is known of each is where it is."""

    parts: Parts = field(repr=False)
    layout: Layout = field(repr=False)
    """Candidates of each part."""

    @classmethod
    def in_parts(
        cls, pool: PartedPool, parts: Parts, budget: Budget, controls: Controls, dedupe: bool, target: Pool | None
    ) -> Self:
        """The candidates of a pool in parts; see ``Candidates.of``.

        Raises
        ------
        EntropyLawError
            If the controls do not fit the pool, can't be met, or leave nothing.
        """
        controls.check(budget)
        if controls.clusters is not None:
            raise EntropyLawError(
                f"group_by {controls.group_by!r} compares all samples with each other, which parts of a pool can't; "
                "name a field that makes groups"
            )
        whole = controls = with_anchor(plain(controls), len(pool))
        for name in ("group_by", "weight", "tokens"):
            check_length(name, getattr(controls, name), len(pool))
        if isinstance(controls.anchor, Pool):
            controls = replace(controls, anchor=sendable(controls.anchor))
        if controls.benchmark is not None:
            controls = replace(controls, benchmark=sendable(controls.benchmark, with_places=True))
        target = None if target is None or controls.decontaminate is None else sendable(target, with_places=True)
        counts, firsts = pool.layout.counts, pool.layout.firsts.tolist()
        # What only the leader needs stays here.
        told = replace(controls, benchmark=None)
        cuts = [cut(told, first, count) for first, count in zip(firsts, counts, strict=False)]
        parts.call("begin", [(part, budget.unit) for part in cuts])
        agreed = agree(parts.call, counts, budget, controls, dedupe, target)
        return cls(
            pool=pool,
            budget=budget,
            parameters=whole.given() | {"dedupe": agreed.dedupe},
            agreed=agreed,
            members=None,
            costs=None,
            groups=None,
            weights=None,
            known=controls.anchor if isinstance(controls.anchor, Pool) else None,
            parts=parts,
            layout=Layout(agreed.counts),
        )

    def __len__(self) -> int:
        return len(self.layout)

    def settled(self) -> Iterator[tuple[str, Iterable[NDArray[Any]]]]:
        """What the controls came to, by name: arrays, each as pieces of it, a part's at a time."""
        if self.excluded:
            yield "candidates", self._pieces("members")
        if self.budget.unit == "tokens":
            yield "tokens", self._pieces("values", "costs")
        if self.quotas is not None or self.shares is not None:
            yield "groups", self._pieces("values", "groups")
        if self.quotas is not None:
            yield "quotas", [self.quotas]
        if self.shares is not None:
            yield "shares", [self.shares]
        if "weight" in self.parameters:
            yield "weights", self._pieces("values", "weights")

    def _pieces(self, method: str, *arguments: Any) -> Iterator[NDArray[Any]]:
        pool = self.pool
        assert isinstance(pool, PartedPool)
        for number, first in enumerate(pool.layout.firsts[:-1].tolist()):
            found = self.parts.one(number, method, *arguments)
            yield found + first if method == "members" else found

    def positions(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where candidates are in the pool."""
        if not self.excluded:
            return indices
        assert isinstance(self.pool, PartedPool)
        owner = self.layout.owner(indices)
        return self._fetch("positions", indices) + self.pool.layout.firsts[owner]

    def spread(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """A value of each candidate as one of each sample of the pool; no number where a sample is none."""
        if not self.excluded:
            return values
        found = np.full(len(self.pool), np.nan)
        found[np.concatenate(list(self._pieces("members")))] = values
        return found

    def costs_of(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """What candidates cost, in the budget's unit."""
        if self.budget.unit == "samples":
            return np.ones(len(indices), dtype=np.int64)
        if self.budget.unit == "tokens":
            return self._values("costs", indices).astype(np.int64)
        return self.pool.lengths_of(self.positions(indices))

    def groups_of(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """The groups of candidates, if budgets are shared among groups."""
        return self._values("groups", indices).astype(np.int64)

    def _values(self, name: str, indices: NDArray[np.int64]) -> NDArray[Any]:
        split = self.layout.split(indices)
        asked: Sequence[Any] = [(name, some) if len(some) else None for some in split]
        return self.layout.joined(indices, self.parts.call("values", asked))

    def _fetch(self, method: str, indices: NDArray[np.int64]) -> NDArray[Any]:
        split = self.layout.split(indices)
        return self.layout.joined(indices, self.parts.call(method, [(some,) if len(some) else None for some in split]))
