"""From what the controls come to in each part of a pool to what they come to in all of it.

It sees the parts through what they answer alone, so that they may be anywhere: in this process, or on other machines.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entropylaw.budget import Budget
from entropylaw.controls.balance import shares
from entropylaw.controls.copies import compare, slices
from entropylaw.controls.exclude import REASONS
from entropylaw.controls.model import Controls
from entropylaw.controls.overlap import summary_of
from entropylaw.controls.part import check_length
from entropylaw.errors import EntropyLawError
from entropylaw.pool import Pool

Ask = Callable[[str, Sequence[tuple[Any, ...]]], list[Any]]
"""Calls a method of ``PartOfControls`` of each part with its arguments; returns what they return, in order."""


@dataclass(frozen=True, eq=False)
class Agreed:
    """What the controls come to, over all parts."""

    amount: int
    """The budget, in its unit."""
    counts: tuple[int, ...]
    """Candidates of each part."""
    known: int
    """Of these, those that are the anchor's: they are there, and not selected."""
    available: int
    """What all candidates that may be selected cost, in the budget's unit."""
    excluded: Mapping[str, int]
    """How many samples are no candidates, by why."""
    dedupe: bool
    group_names: tuple[str, ...]
    quotas: NDArray[np.uint64] | None
    shares: NDArray[np.uint64] | None
    of_groups: NDArray[np.int64] | None
    """What each group has that may be selected, in the budget's unit."""
    contamination: Mapping[str, Any] | None
    """What of the pool holds text of a benchmark or of the target, if that is asked; for the manifest."""
    seconds: float
    """What settling them took."""


def agree(
    ask: Ask, samples: Sequence[int], budget: Budget, controls: Controls, dedupe: bool, target: Pool | None
) -> Agreed:
    """Settles the controls over parts of so many ``samples``; ``controls`` are those of the whole pool, as ``plain``
    makes them. ``dedupe``: what the method does about duplicates unless it is told; ``target``: what it selects for.

    Raises
    ------
    EntropyLawError
        If the controls do not fit the pool, can't be met, or leave nothing.
    """
    began = time.perf_counter()
    whole = sum(samples)
    each: list[tuple[Any, ...]] = [()] * len(samples)
    for name in ("group_by", "weight", "tokens"):
        check_length(name, getattr(controls, name), whole)
    dedupe = dedupe if controls.dedupe is None else controls.dedupe
    looked_for = {"target": target, "benchmark": controls.benchmark} if controls.decontaminate is not None else {}
    benchmarks = {what: texts for what, texts in looked_for.items() if texts is not None}
    found = ask("exclude", [(dedupe, benchmarks)] * len(samples))
    if dedupe and sum(1 for sets, *_ in found if sets) > 1:
        # Of a single part, all copies are known.
        for low, high in slices(sum(sets for sets, *_ in found)):
            met = compare(ask("hashes", [(low, high)] * len(samples)))
            ask("meet", [(low, high, each_met) for each_met in met])
    counted = ask("count", each)
    excluded = {
        reason: number for reason in REASONS if (number := sum(part.excluded.get(reason, 0) for part in counted))
    }
    known = sum(part.known for part in counted)
    count = sum(part.candidates for part in counted)
    if count - known < 1:
        reasons = ", ".join(f"{number:,} by {reason}" for reason, number in excluded.items())
        raise EntropyLawError(
            "nothing is left to select from: "
            + (f"of {whole:,} samples, {reasons} are excluded" if reasons else "the anchor is the whole pool")
        )
    amount = min(budget.of(sum(part.total for part in counted)), 2**63 - 1)
    names: tuple[str, ...] = ()
    quotas: NDArray[np.uint64] | None = None
    shared: NDArray[np.uint64] | None = None
    of_groups: NDArray[np.int64] | None = None
    if controls.quotas is not None or controls.balance is not None:
        labels = ask("label", each)
        # Names that were given for each sample come sorted, those of a field as they are met.
        names = united(labels, in_order=isinstance(controls.group_by, str))
        numbers = {name: number for number, name in enumerate(names)}
        told = [np.array([numbers[name] for name in part], dtype=np.uint32) for part in labels]
        of_groups = np.sum(ask("relabel", [(part, len(names)) for part in told]), axis=0, dtype=np.int64)
        if controls.quotas is not None:
            made_by = controls.group_by if isinstance(controls.group_by, str) else None
            quotas = controls.quotas.resolve(amount, budget.unit, made_by, names, of_groups)
        if controls.balance is not None:
            _check_groups(controls, names)
            bounds = None if quotas is None else quotas.tolist()
            shared = np.array(shares(amount, controls.balance, of_groups.tolist(), bounds), dtype=np.uint64)
    if controls.weight is not None:
        sums = ask("weigh", each)
        # Exactly rounded, so the same everywhere, however the pool is cut.
        mean = math.fsum(part for parts in sums for part in parts) / (count - known)
        if mean == 0:
            raise EntropyLawError("all weights are 0; give some sample a weight")
        ask("scale", [(mean,)] * len(samples))
    return Agreed(
        amount=amount,
        counts=tuple(part.candidates for part in counted),
        known=known,
        available=sum(part.available for part in counted),
        excluded=excluded,
        dedupe=dedupe,
        group_names=names,
        quotas=quotas,
        shares=shared,
        of_groups=of_groups,
        contamination=summary_of(sum(holding for _, holding, _ in found), [part for *_, part in found])
        if benchmarks
        else None,
        seconds=time.perf_counter() - began,
    )


def united(parts: Sequence[Sequence[str]], *, in_order: bool) -> tuple[str, ...]:
    """The names that parts have, each once: in the order in which they are met, or sorted."""
    names = dict.fromkeys(name for part in parts for name in part)
    return tuple(names) if in_order else tuple(sorted(names))


def firsts(counts: Sequence[int]) -> list[int]:
    """Where each part begins, if they have so many each."""
    return [0, *accumulate(counts)][:-1]


def _check_groups(controls: Controls, names: tuple[str, ...]) -> None:
    """Raises EntropyLawError if the records have no groups to balance."""
    if any(names):
        return
    found = "they are all ''" if not isinstance(controls.group_by, str) else f"they have no field {controls.group_by!r}"
    raise EntropyLawError(
        f"balance is over groups, but the records have none: {found}; name the field that they are made by: group_by= "
        "(--group-by); or make groups of samples that are written alike: 'cluster:64'"
    )
