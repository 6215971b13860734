"""ZIP (arXiv 2407.06645, section 4)."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.budget import Budget
from entropylaw.errors import EntropyLawError
from entropylaw.pool import Pool, Render
from entropylaw.results import Selection


class Round(NamedTuple):
    """One round of ZIP, as it was run."""

    candidates: int
    """Samples that stage 2 sized; ``k1`` or what was left."""
    block: int
    """Samples that stage 3 chose from; ``k2`` or fewer."""
    picked: int
    """Samples that it picked; ``k3`` or fewer."""
    ratio: float
    """R of the selection after the round."""


@dataclass(frozen=True, eq=False)
class ZipSelection(Selection):
    """What ZIP selected."""

    gains: NDArray[np.float64] = field(repr=False)
    """By how many compressed bytes the selection grew with each pick; shape ``(len(selection),)``."""
    ratios: NDArray[np.float64] = field(repr=False)
    """R of the selected set after each pick; shape ``(len(selection),)``."""
    initial_ratios: NDArray[np.float64] = field(repr=False)
    """R of every sample of the pool alone, in input order; shape ``(len(pool),)``."""
    rounds: tuple[Round, ...] = field(repr=False)
    """The rounds."""
    pool_ratio: float
    """R of the pool: exact up to 16 MiB, else estimated from 16 evenly spaced stretches (``ratio`` is always exact)."""
    pool_ratio_bytes: int = field(repr=False)
    """Bytes that ``pool_ratio`` was measured on."""
    codec: str
    """Compressor and version."""

    @property
    def ratio(self) -> float:
        """R of the selected set."""
        return float(self.ratios[-1])

    def summary(self) -> dict[str, Any]:
        """What was selected of what, in numbers: the manifest without the trace."""
        summary = super().summary()
        summary["pool"] |= {"ratio": self.pool_ratio, "ratio_bytes": self.pool_ratio_bytes}
        return summary | {"codec": self.codec}

    def trace(self) -> dict[str, NDArray[Any]]:
        """R after each pick, and the rounds."""
        fields = [(name, "<f8" if name == "ratio" else "<i8") for name in Round._fields]
        return {"ratios": self.ratios, "rounds": np.array([tuple(round_) for round_ in self.rounds], dtype=fields)}


@dataclass(frozen=True)
class Zip:
    """The options of ZIP; see ``entropylaw.select``."""

    preset: Literal["paper", "reference"] = "paper"
    k1: int = 10_000
    k2: int = 200
    k3: int = 100
    whole_rounds: bool = False

    def __post_init__(self) -> None:
        if self.preset not in ("paper", "reference"):
            raise EntropyLawError(f"there is no preset {self.preset!r}; there are 'paper' and 'reference'")
        if not self.k1 >= self.k2 >= self.k3 >= 1:
            raise EntropyLawError(
                "each stage narrows the one before: k1 >= k2 >= k3 >= 1 must hold, "
                f"not k1={self.k1}, k2={self.k2}, k3={self.k3}"
            )

    def rendering(
        self, render: Render, schema: str | None = None, field: str | None = None
    ) -> Render | Literal["repr"]:
        """How the preset renders records.

        Raises
        ------
        EntropyLawError
            If the reference is to render them otherwise than the script does.
        """
        if self.preset != "reference":
            return render
        if (render, schema, field) != ("text", None, None):
            raise EntropyLawError(
                "preset 'reference' sizes Python's repr of whole records, as the authors' script does: it takes no "
                "render, schema or field"
            )
        return "repr"

    def run(
        self,
        pool: Pool,
        budget: Budget,
        threads: int | None,
        progress: Callable[[_core.Progress], object] | None,
    ) -> ZipSelection:
        """Selects; see ``entropylaw.select``."""
        if (self.preset == "reference") != (pool.options["render"] == "repr"):
            rendered = pool.options["render"]
            raise EntropyLawError(
                f"the pool was rendered as {rendered!r}, which does not go with preset {self.preset!r}"
            )
        count = budget.samples(len(pool))
        result = _core.zip_select(
            pool.data,
            pool.offsets,
            preset=self.preset,
            budget=min(count, len(pool)),
            k1=min(self.k1, sys.maxsize),
            k2=min(self.k2, sys.maxsize),
            k3=min(self.k3, sys.maxsize),
            whole_rounds=self.whole_rounds,
            threads=threads,
            progress=progress,
        )
        return ZipSelection(
            indices=result.indices,
            gains=self._gains(pool, result),
            ratios=result.ratios,
            initial_ratios=result.initial_ratios,
            rounds=tuple(Round(*round_) for round_ in result.rounds),
            pool_ratio=result.pool_ratio,
            pool_ratio_bytes=result.pool_ratio_bytes,
            method="zip",
            parameters={
                "preset": self.preset,
                "budget": budget.given,
                "k1": self.k1,
                "k2": self.k2,
                "k3": self.k3,
                "whole_rounds": self.whole_rounds,
                **pool.options,
            },
            codec=result.codec,
            version=_core.__version__,
            seconds={"read": pool.seconds, **dict(result.seconds)},
            warnings=self._warnings(pool, count, result),
            pool=pool,
        )

    def _gains(self, pool: Pool, result: _core.ZipResult) -> NDArray[np.float64]:
        """What the selection's compressed bytes grew by. They are whole numbers, so R gives them back exactly."""
        framing = 2 if self.preset == "reference" else 0  # A Python list: brackets, and ", " between items.
        raw = np.cumsum(pool.lengths()[result.indices] + framing)
        sizes = np.full(len(raw), float(_core.Sizer().size()))  # Where nothing but empty samples is picked, R is 0.
        np.divide(raw, result.ratios, out=sizes, where=raw > 0)
        return np.diff(np.rint(sizes), prepend=0.0)

    def _warnings(self, pool: Pool, budget: int, result: _core.ZipResult) -> tuple[str, ...]:
        selected, samples = len(result.indices), len(pool)
        warnings = []
        if self.preset == "reference" and samples < self.k1:
            warnings.append(
                f"the pool has {samples} samples, fewer than k1 = {self.k1}: the authors' script would have failed"
            )
        if budget > samples:
            warnings.append(f"the budget of {budget} samples is more than the {samples} of the pool")
        if result.end == "too_few_left":
            warnings.append(
                f"stopped at {selected} of {budget} samples: fewer than k1 = {self.k1} are left that no block has held "
                "yet, and the authors' script selects samples twice from here on; use a smaller k1, or preset 'paper'"
            )
        elif result.end == "exhausted" and selected < min(budget, samples):
            warnings.append(
                f"stopped at {selected} of {budget} samples: this preset never looks again at the k2 - k3 samples that "
                "each round leaves behind, and no others are left; use k3 = k2, or preset 'paper'"
            )
        return tuple(warnings)
