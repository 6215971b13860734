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
from entropylaw.pool import Render
from entropylaw.results import Selection

_NGRAM = {"byte": 5, "word": 3}
_GAMMA = 0.85
_ALPHA_OF_SAMPLES = 0.9
_TOO_MANY_COLLISIONS = 0.5


@dataclass(frozen=True, eq=False)
class CoverageSelection(Selection):
    """What coverage selected."""

    gains: NDArray[np.float64] = field(repr=False)
    """By how much each pick raised the objective; shape ``(len(selection),)``."""
    objective: float
    """The objective's value: the sum of ``gains``."""
    coverage: float
    """Share of the pool's recurring n-grams, by weight, that are in the selection or the initial subset; 0 to 1."""
    evaluations: int = field(repr=False)
    """Gains computed after the first one of each sample."""
    features: int = field(repr=False)
    """Distinct n-grams in the pool, recurring or not; an estimate for pools above some megabytes."""
    slots: int = field(repr=False)
    """Slots of the table that n-grams are hashed to."""
    collisions: float = field(repr=False)
    """Share of the n-grams that have a slot in common with another one, and so are taken for it."""

    @property
    def codec(self) -> str:
        """The compressor that ``ratio`` is by, and its version."""
        return self.measured.codec

    @property
    def ratio(self) -> float:
        """R of the selected set. The method does not use it: it is computed when asked for."""
        return self.measured.ratio

    def summary(self) -> dict[str, Any]:
        """What was selected of what, in numbers: the manifest without the trace."""
        summary = super().summary()
        summary["selection"] |= {"objective": self.objective, "coverage": self.coverage}
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

    unit: Literal["byte", "word"] = "byte"
    ngram: int | None = None
    gamma: float = _GAMMA
    alpha: float | Literal["auto"] = "auto"
    min_df: int = 2
    min_contexts: int = 2

    def __post_init__(self) -> None:
        parameters.named("unit", self.unit, tuple(_NGRAM))
        for name, low, high in (("ngram", 1, 8), ("min_df", 1, 65_535), ("min_contexts", 1, 2)):
            if (value := getattr(self, name)) is not None or name != "ngram":
                object.__setattr__(self, name, parameters.whole(name, value, low, high))
        object.__setattr__(self, "gamma", parameters.real("gamma", self.gamma, 0, 1))
        if not (isinstance(self.alpha, str) and self.alpha == "auto"):
            object.__setattr__(self, "alpha", parameters.real("alpha", self.alpha, 0, 1))

    def weights(self) -> dict[str, Any]:
        """The options that say what n-grams are, which recur, and what they weigh."""
        return {
            "unit": self.unit,
            "ngram": self.ngram or _NGRAM[self.unit],
            "gamma": self.gamma,
            "min_df": self.min_df,
            "min_contexts": self.min_contexts,
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
        options: dict[str, Any] = {**self.weights(), "alpha": auto if self.alpha == "auto" else self.alpha}
        result = _core.coverage_select(
            pool.data,
            candidates.starts,
            candidates.ends,
            candidates.controls(),
            **options,
            journal=journal,
            threads=threads,
            progress=progress,
        )
        if not len(result.indices):
            raise EntropyLawError(candidates.nothing_fits())
        return CoverageSelection(
            indices=candidates.positions(result.indices),
            gains=result.gains,
            objective=result.objective,
            coverage=result.coverage,
            evaluations=result.evaluations,
            features=result.features,
            slots=result.slots,
            collisions=result.collisions,
            method="coverage",
            parameters={
                "budget": candidates.budget.given,
                **options,
                **pool.options,
                **candidates.parameters,
            },
            version=_core.__version__,
            seconds={"read": pool.seconds, **dict(result.seconds)},
            warnings=_warnings(candidates, result),
            controls=candidates.report(result.indices),
            pool=pool,
        )


def _warnings(candidates: Candidates, result: _core.CoverageResult) -> tuple[str, ...]:
    warnings = candidates.warnings(result.indices)
    if result.collisions > _TOO_MANY_COLLISIONS:
        warnings.append(
            f"{result.collisions:.0%} of the pool's {result.features} n-grams share a slot of the table: the pool has "
            "hardly any text that recurs; look at what it holds"
        )
    if not result.objective:
        warnings.append("no n-gram recurs in the pool: the samples were taken in input order")
    return tuple(warnings)
