"""Coverage: samples that hold, together, as much as possible of what recurs in the pool."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core, parameters
from entropylaw.controls import Candidates
from entropylaw.errors import EntropyLawError
from entropylaw.methods.outcome import MeasuredSelection, told
from entropylaw.methods.target import TargetCoverage
from entropylaw.pool import Pool, PoolLike, Render

Features = Literal["auto", "all", "1/2", "1/4", "1/8", "1/16", "1/32", "1/64"]
"""How many of the n-grams count."""

_NGRAM = {"byte": 5, "word": 3}
_FEATURES = {"all": 1} | {f"1/{2**n}": 2**n for n in range(1, 7)}
_GAMMA = 0.85
_ALPHA_OF_SAMPLES = 0.9
_TOO_MANY_COLLISIONS = 0.5
_TARGET_WEIGHT = 0.9


@dataclass(frozen=True, eq=False)
class CoverageSelection(MeasuredSelection):
    """What coverage selected."""

    gains: NDArray[np.float64] = field(repr=False)
    """By how much each pick raised the objective; shape ``(len(selection),)``."""
    objective: float
    """The objective's value: the sum of ``gains``."""
    coverage: float
    """Share of the n-grams that count, by weight, that are in the selection or the initial subset; 0 to 1. Without a
    target, those that recur in the pool count; with one also those that the pool has of it."""
    evaluations: int = field(repr=False)
    """Gains computed after the first one of each sample."""
    features: int = field(repr=False)
    """Distinct n-grams in the pool, recurring or not; an estimate for pools above some megabytes."""
    slots: int = field(repr=False)
    """Slots of the table that n-grams are hashed to."""
    collisions: float = field(repr=False)
    """Share of the n-grams that have a slot in common with another one, and so are taken for it."""
    target: TargetCoverage | None = field(repr=False)
    """What is selected of the target, if there is one."""

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
        return summary | {"codec": self.codec}


@dataclass(frozen=True)
class Coverage:
    """The options of coverage; see ``entropylaw.select``."""

    dedupes: ClassVar[bool] = True
    needs: ClassVar[Mapping[str, str]] = {}
    targeted: ClassVar[tuple[str, ...]] = ("target", "target_weight")
    """The options that say what to select for; a manifest has them only if there is a target."""

    unit: Literal["byte", "word"] = "byte"
    ngram: int | None = None
    gamma: float = _GAMMA
    alpha: float | Literal["auto"] = "auto"
    min_df: int = 2
    min_contexts: int = 2
    features: Features = "auto"
    target: PoolLike | Pool | None = None
    """What to select for: something to read, until it is read."""
    target_weight: float | None = None

    def __post_init__(self) -> None:
        parameters.named("unit", self.unit, tuple(_NGRAM))
        for name, low, high in (("ngram", 1, 8), ("min_df", 1, 65_535), ("min_contexts", 1, 2)):
            if (value := getattr(self, name)) is not None or name != "ngram":
                object.__setattr__(self, name, parameters.whole(name, value, low, high))
        parameters.named("features", self.features, ("auto", *_FEATURES))
        object.__setattr__(self, "gamma", parameters.real("gamma", self.gamma, 0, 1))
        if not (isinstance(self.alpha, str) and self.alpha == "auto"):
            object.__setattr__(self, "alpha", parameters.real("alpha", self.alpha, 0, 1))
        if self.target_weight is not None or self.target is not None:
            weight = _TARGET_WEIGHT if self.target_weight is None else self.target_weight
            object.__setattr__(self, "target_weight", parameters.real("target_weight", weight, 0, 1))

    def check(self) -> None:
        """Raises EntropyLawError unless the options go together."""
        if self.target is None and self.target_weight is not None:
            raise EntropyLawError(
                "target_weight says how much a target counts; say what to select for: target= (--target)"
            )

    def for_core(self, size: int) -> dict[str, Any]:
        """What the core needs to know of n-grams, for a pool of ``size`` bytes, and of the target, once it is read."""
        weights = self.weights(size)
        weights["one_in"] = _FEATURES[weights.pop("features")]
        if not isinstance(self.target, Pool):
            return weights | {"target": None, "target_weight": 0.0}
        return weights | {"target": (self.target.data, self.target.offsets), "target_weight": self.target_weight}

    def given_target(self) -> dict[str, Any]:
        """The target and how much it counts, for the manifest; nothing without one."""
        return {} if self.target is None else {name: getattr(self, name) for name in self.targeted}

    def weights(self, size: int) -> dict[str, Any]:
        """The options that say what n-grams are, which recur, and what they weigh, for a pool of ``size`` bytes."""
        kept = _core.auto_one_in(size) if self.features == "auto" else _FEATURES[self.features]
        return {
            "unit": self.unit,
            "ngram": self.ngram or _NGRAM[self.unit],
            "gamma": self.gamma,
            "min_df": self.min_df,
            "min_contexts": self.min_contexts,
            "features": next(name for name, one_in in _FEATURES.items() if one_in == kept),
        }

    def rendering(self, render: Render, schema: str | None = None, field: str | None = None) -> Render:
        """How records are rendered: as asked for."""
        return render

    def run(
        self,
        candidates: Candidates,
        threads: int | None,
        progress: Callable[[_core.Progress], object] | None,
        journal: Path | None = None,
    ) -> CoverageSelection:
        """Selects; see ``entropylaw.select``."""
        pool = candidates.pool
        auto = _ALPHA_OF_SAMPLES if candidates.budget.unit == "samples" else 1.0
        alpha = auto if self.alpha == "auto" else self.alpha
        size = int((candidates.ends - candidates.starts).sum())
        picks = _core.select(
            "coverage",
            pool.data,
            candidates.starts,
            candidates.ends,
            candidates.controls(),
            {**self.for_core(size), "alpha": alpha},
            journal=journal,
            threads=threads,
            progress=progress,
        )
        if not len(picks.indices):
            raise EntropyLawError(candidates.nothing_fits())
        target = _target(self.target, picks)
        options = {
            "budget": candidates.budget.given,
            **self.weights(size),
            "alpha": alpha,
            **self.given_target(),
        }
        warnings = _warnings(candidates, picks, target)
        return CoverageSelection(
            gains=picks.trace["gains"],
            objective=picks.facts["objective"],
            coverage=picks.facts["coverage"],
            evaluations=picks.facts["evaluations"],
            features=picks.facts["features"],
            slots=picks.facts["slots"],
            collisions=picks.facts["collisions"],
            target=target,
            **told("coverage", options, candidates, picks.indices, picks.seconds, warnings),
        )


def _target(target: PoolLike | Pool | None, picks: _core.Picks) -> TargetCoverage | None:
    if not isinstance(target, Pool):
        return None
    facts = (picks.facts[name] for name in ("target_in_pool", "target_recurring", "target_recurring_in_pool"))
    return TargetCoverage(len(target), picks.trace["target_coverage"], *facts)


def _warnings(candidates: Candidates, picks: _core.Picks, target: TargetCoverage | None) -> tuple[str, ...]:
    warnings = candidates.warnings(picks.indices)
    collisions, features = picks.facts["collisions"], picks.facts["features"]
    if collisions > _TOO_MANY_COLLISIONS:
        warnings.append(
            f"{collisions:.0%} of the pool's {features} n-grams share a slot of the table: the pool has "
            "hardly any text that recurs; look at what it holds"
        )
    if not picks.facts["objective"]:
        warnings.append("no n-gram recurs in the pool: the samples were taken in input order")
    if target is not None:
        warnings += target.warnings()
    return tuple(warnings)
