"""Coverage: samples that hold, together, as much as possible of what recurs in the pool."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.errors import EntropyLawError
from entropylaw.explaining import Curve, Fact
from entropylaw.keywords import SelectKeywords
from entropylaw.methods.method import Method, Task
from entropylaw.methods.option import option
from entropylaw.methods.outcome import MeasuredSelection
from entropylaw.methods.target import TargetCoverage, target_option
from entropylaw.pool import Pool, PoolLike

Features = Literal["auto", "all", "1/2", "1/4", "1/8", "1/16", "1/32", "1/64"]
"""How many of the n-grams count."""

_NGRAM = {"byte": 5, "word": 3}
_FEATURES: dict[Features, int] = {"all": 1, "1/2": 2, "1/4": 4, "1/8": 8, "1/16": 16, "1/32": 32, "1/64": 64}
_GAMMA = 0.85
_ALPHA_OF_SAMPLES = 0.9
_TOO_MANY_COLLISIONS = 0.5
_TARGET_WEIGHT = 0.9
_LISTS = 2
"""Bytes of lists that are held in memory for each of the samples' that may be: all of a pool within its limit."""
_FACTS = ("objective", "coverage", "evaluations", "features", "slots", "collisions")
_TERMS = {
    "gain": "By how much a pick raised the objective: the sum over n-grams that recur in the pool of "
    "df^gamma * log((c + 0.1) / 0.1), where df samples of the pool and c selected ones have the n-gram.",
    "coverage": "Share of the pool's recurring n-grams, weighed by df^gamma, that are in the selection.",
}


class CoverageKeywords(SelectKeywords, total=False):
    """The keywords of ``select`` with this method."""

    unit: Literal["byte", "word"]
    ngram: int | None
    gamma: float
    alpha: float | Literal["auto"]
    min_df: int
    min_contexts: int
    features: Features
    target: PoolLike | Pool | None
    target_weight: float | None


@dataclass(frozen=True, eq=False)
class CoverageSelection(MeasuredSelection):
    """What coverage selected: a ``Selection``, and how much it covers.

    Attributes
    ----------
    gains : NDArray[np.float64]
        By how much each pick raised the objective; shape ``(len(selection),)``.
    objective : float
        The objective's value: the sum of ``gains``.
    coverage : float
        Share of the n-grams that count, by weight, that are in the selection or the initial subset; 0 to 1. Without a
        target, those that recur in the pool count; with one also those that the pool has of it.
    evaluations : int
        Gains computed after the first one of each sample.
    features : int
        Distinct n-grams in the pool, recurring or not; an estimate for pools above some megabytes.
    slots : int
        Slots of the table that n-grams are hashed to.
    collisions : float
        Share of the n-grams that have a slot in common with another one, and so are taken for it.
    target : TargetCoverage | None
        What is selected of the target, if there is one.
    """

    gains: NDArray[np.float64] = field(repr=False)
    objective: float
    coverage: float
    evaluations: int = field(repr=False)
    features: int = field(repr=False)
    slots: int = field(repr=False)
    collisions: float = field(repr=False)
    target: TargetCoverage | None = field(repr=False)

    @property
    def target_coverage(self) -> NDArray[np.float64] | None:
        """After each pick, the share of the target's n-grams, by weight, that are in the selection or the initial
        subset; shape ``(len(selection),)``, 0 to ``target.in_pool``. None without a target."""
        return None if self.target is None else self.target.curve

    def trace(self) -> dict[str, NDArray[Any]]:
        """What is kept of each pick, besides indices and gains: ``target_coverage``, with a target."""
        return {} if self.target is None else {"target_coverage": self.target.curve}

    def summary(self) -> dict[str, Any]:
        """What was selected of what, in numbers: the manifest without the trace."""
        summary = super().summary()
        summary["selection"] |= {"objective": self.objective, "coverage": self.coverage}
        if self.target is not None:
            summary["target"] = self.target.summary()
        summary["work"] = {
            "evaluations": self.evaluations,
            "features": self.features,
            "slots": self.slots,
            "collisions": self.collisions,
        }
        return summary

    def rule(self) -> str:
        """How the method picks, in a sentence for the report."""
        return "Each is, of all that was left, the sample of most gain for its length."

    def why(self, position: int) -> str:
        """Why it made the pick at ``position``, in a few words for the report."""
        gain = float(self.gains[position])
        size = int(self.pool.lengths_of(self.indices[[position]])[0])
        return f"gain {gain:,.4g}, {gain / max(size, 1):,.3g} a byte"

    def facts(self) -> Iterator[Fact]:
        """How much of pool and target is covered."""
        which = "recur in the pool," if self.target is None else "recur in the pool, or that it has of the target,"
        yield Fact("coverage", f"{self.coverage:.1%}", f"of the n-grams that {which} by weight")
        if self.target is not None:
            yield self.target.fact()

    def curves(self) -> Iterator[Curve]:
        """The gains, and how the target came to be covered."""
        yield Curve(
            "Gains",
            "What a byte of the picks added to the objective, mean between two points. It falls as what recurs in the "
            "pool is covered. Logarithmic axis.",
            "gain a byte",
            "gain",
            self.gains,
            per_byte=True,
        )
        if self.target is not None:
            yield self.target.curve_shown()

    def terms(self) -> Mapping[str, str]:
        """What the report has to explain."""
        return _TERMS


@dataclass(frozen=True)
class Coverage(Method):
    """Selects samples that hold, together, as much as possible of what recurs in the pool; or in a target.

    Each pick is the sample of largest ``gain / bytes ** alpha``, where gain is by how much it raises the sum over
    n-grams of ``df ** gamma * log((c + 0.1) / 0.1)``: ``c`` selected samples and ``df`` samples of the pool have the
    n-gram. An n-gram that does not recur (``min_df``, ``min_contexts``) does not count.

    With a ``target``, samples of what the selection is for, it selects what they have in common with the pool. Of ``N``
    samples of the pool ``df`` have an n-gram, and ``tdf`` of the target's ``T``; instead of ``df ** gamma`` it weighs
    ``y ** gamma * 2 * y / (y + df)``, where ``y = (1 - target_weight) * df + target_weight * tdf * N / T``, and ``df``
    in the first term is 0 for an n-gram that does not recur.
    """

    name: ClassVar[str] = "coverage"
    dedupes: ClassVar[bool] = True
    aims: ClassVar[tuple[str, ...]] = ("target", "target_weight")

    unit: Literal["byte", "word"] = option(
        "byte",
        "what n-grams are made of",
        doc="what n-grams are made of; words predict held-out text about as well and take less junk, but more samples "
        "that repeat a prompt",
    )
    ngram: int | None = option(
        None,
        "so many bytes, or up to so many words",
        doc="exactly so many bytes, or up to so many words",
        shown="5 bytes, 3 words",
        low=1,
        high=8,
    )
    gamma: float = option(
        _GAMMA,
        "weight of common n-grams, 0 to 1",
        doc="how much more n-grams count that many samples have, not at all at 0",
        low=0,
        high=1,
    )
    alpha: float | Literal["auto"] = option(
        "auto",
        "price of length, 0 to 1",
        doc="how much samples pay for their length, from 0 (not at all) to 1 (gain a byte); by itself 1 for budgets in "
        "bytes, and 0.9 for budgets in samples, which keeps about the pool's mean length",
        shown="1 for bytes, 0.9 for samples",
        low=0,
        high=1,
    )
    min_df: int = option(2, "samples that an n-gram must be in", low=1, high=65_535)
    min_contexts: int = option(
        2,
        "left contexts that it must follow, 1 or 2",
        doc="different left contexts of four bytes that an n-gram must follow to recur; it keeps copied noise out, and "
        "is off at 1",
        low=1,
        high=2,
    )
    features: Features = option(
        "auto",
        "n-grams that count, told by a hash",
        doc="how many of the n-grams count; a hash decides which, the same ones everywhere; memory and time fall with "
        "them; ``auto`` takes all of a pool of up to 1.7 GB of text, and of a larger one what tables and lists have "
        "room for in 4 GiB (``docs/large-pools.md``)",
    )
    target: PoolLike | Pool | None = target_option()
    target_weight: float | None = option(
        None,
        "how much the target counts, 0 to 1",
        doc="how much the target counts beside the pool, from 0, not at all, to 1, alone",
        shown=str(_TARGET_WEIGHT),
        low=0,
        high=1,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.target is not None and self.target_weight is None:
            object.__setattr__(self, "target_weight", _TARGET_WEIGHT)

    def check(self) -> None:
        """Raises EntropyLawError unless the options go together."""
        if self.target is None and self.target_weight is not None:
            raise EntropyLawError(
                "target_weight says how much a target counts; say what to select for: target= (--target)"
            )

    def settled(self, size: int) -> Self:
        """The method with the values that its options come to for a pool of ``size`` bytes."""
        features = self.features
        if features == "auto":
            one_in = _core.auto_one_in(size)
            features = next(name for name, number in _FEATURES.items() if number == one_in)
        return replace(self, ngram=self.ngram or _NGRAM[self.unit], features=features)

    def for_core(self) -> dict[str, Any]:
        """What the core needs to know of n-grams and target, which has been read; the method has to be settled."""
        aim: dict[str, Any] = {"target": None, "target_weight": 0.0}
        if isinstance(self.target, Pool):
            aim = {"target": (self.target.data, self.target.offsets), "target_weight": self.target_weight}
        names = ("unit", "ngram", "gamma", "min_df", "min_contexts")
        return {**{name: getattr(self, name) for name in names}, "one_in": _FEATURES[self.features], **aim}

    def run(self, task: Task) -> CoverageSelection:
        """Selects."""
        auto = _ALPHA_OF_SAMPLES if task.candidates.budget.unit == "samples" else 1.0
        alpha = auto if self.alpha == "auto" else self.alpha
        settled = self.settled(task.size)
        options = {**settled.for_core(), "alpha": alpha, "memory": _LISTS * task.memory}
        picks = task.core("coverage", options, with_journal=True)
        target = _target(self.target, picks)
        return task.selection(
            CoverageSelection,
            self,
            picks.indices,
            picks.seconds,
            options=settled.recorded() | {"alpha": alpha},
            warnings=tuple(_warnings(picks, target)),
            gains=picks.trace["gains"],
            **{name: picks.facts[name] for name in _FACTS},
            target=target,
        )


def _target(target: PoolLike | Pool | None, picks: _core.Picks) -> TargetCoverage | None:
    if not isinstance(target, Pool):
        return None
    facts = (picks.facts[name] for name in ("target_in_pool", "target_recurring", "target_recurring_in_pool"))
    return TargetCoverage(len(target), picks.trace["target_coverage"], *facts)


def _warnings(picks: _core.Picks, target: TargetCoverage | None) -> Iterator[str]:
    collisions, features = picks.facts["collisions"], picks.facts["features"]
    if collisions > _TOO_MANY_COLLISIONS:
        yield (
            f"{collisions:.0%} of the pool's {features} n-grams share a slot of the table: the pool has hardly any "
            "text that recurs; look at what it holds"
        )
    if not picks.facts["objective"]:
        yield "no n-gram recurs in the pool: the samples were taken in input order"
    if target is not None:
        yield from target.warnings()
