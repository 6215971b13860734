"""ZIP (arXiv 2407.06645, section 4)."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core, parameters
from entropylaw.controls import Candidates
from entropylaw.errors import EntropyLawError
from entropylaw.methods.outcome import told
from entropylaw.pool import Render
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
    """R of the selected set after each pick, of the anchor and it if there is one; shape ``(len(selection),)``."""
    initial_ratios: NDArray[np.float64] = field(repr=False)
    """R of every sample of the pool alone, in input order, NaN for excluded ones; shape ``(len(pool),)``."""
    rounds: tuple[Round, ...] = field(repr=False)
    """The rounds."""
    pool_ratio: float
    """R of the candidates, all of them in input order."""
    codec: str
    """Compressor and version."""

    @property
    def ratio(self) -> float:
        """R of the selected set."""
        return float(self.ratios[-1]) if "anchor" not in self.parameters else self.measured.ratio

    def summary(self) -> dict[str, Any]:
        """What was selected of what, in numbers: the manifest without the trace."""
        summary = super().summary()
        summary["pool"] |= {"ratio": self.pool_ratio}
        return summary | {"codec": self.codec}

    def trace(self) -> dict[str, NDArray[Any]]:
        """R after each pick, and the rounds."""
        fields = [(name, "<f8" if name == "ratio" else "<i8") for name in Round._fields]
        return {"ratios": self.ratios, "rounds": np.array([tuple(round_) for round_ in self.rounds], dtype=fields)}


@dataclass(frozen=True)
class Zip:
    """The options of ZIP; see ``entropylaw.select``."""

    dedupes: ClassVar[bool] = False
    needs: ClassVar[Mapping[str, str]] = {}

    preset: Literal["paper", "reference"] = "paper"
    k1: int = 10_000
    k2: int = 200
    k3: int = 100
    whole_rounds: bool = False

    def __post_init__(self) -> None:
        parameters.named("preset", self.preset, ("paper", "reference"))
        for name in ("k1", "k2", "k3"):
            object.__setattr__(self, name, parameters.whole(name, getattr(self, name), high=sys.maxsize))
        object.__setattr__(self, "whole_rounds", parameters.flag("whole_rounds", self.whole_rounds))
        if not self.k1 >= self.k2 >= self.k3 >= 1:
            raise EntropyLawError(
                "each stage narrows the one before: k1 >= k2 >= k3 >= 1 must hold, "
                f"not k1={self.k1}, k2={self.k2}, k3={self.k3}"
            )

    def rendering(self, render: Render, schema: str | None = None, field: str | None = None) -> Render:
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
        candidates: Candidates,
        threads: int | None,
        progress: Callable[[_core.Progress], object] | None,
        journal: Path | None = None,
    ) -> ZipSelection:
        """Selects; see ``entropylaw.select``."""
        pool = candidates.pool
        if (self.preset == "reference") != (pool.options["render"] == "repr"):
            rendered = pool.options["render"]
            raise EntropyLawError(
                f"the pool was rendered as {rendered!r}, which does not go with preset {self.preset!r}"
            )
        self._check(candidates)
        result = _core.zip_select(
            pool.data,
            candidates.starts,
            candidates.ends,
            candidates.controls(self.k3 if self.whole_rounds else 1),
            preset=self.preset,
            k1=self.k1,
            k2=self.k2,
            k3=self.k3,
            journal=journal,
            threads=threads,
            progress=progress,
        )
        if not len(result.indices):
            raise EntropyLawError(candidates.nothing_fits())
        initial_ratios = result.initial_ratios
        if candidates.members is not None:
            initial_ratios = np.full(len(pool), np.nan)
            initial_ratios[candidates.members] = result.initial_ratios
        options = {
            "preset": self.preset,
            "budget": candidates.budget.given,
            "k1": self.k1,
            "k2": self.k2,
            "k3": self.k3,
            "whole_rounds": self.whole_rounds,
        }
        warnings = self._warnings(candidates, result)
        return ZipSelection(
            gains=result.gains,
            ratios=result.ratios,
            initial_ratios=initial_ratios,
            rounds=tuple(Round(*round_) for round_ in result.rounds),
            pool_ratio=result.pool_ratio,
            codec=result.codec,
            **told("zip", options, candidates, result.indices, dict(result.seconds), warnings),
        )

    def _check(self, candidates: Candidates) -> None:
        """Raises EntropyLawError if there are controls that the preset knows nothing of."""
        unit = candidates.budget.unit
        if self.whole_rounds and (unit != "samples" or candidates.groups is not None):
            raise EntropyLawError("whole_rounds goes with a budget in samples, without quotas and balance")
        unknown = {
            f"budget in {unit}": unit != "samples",
            "quotas": candidates.quotas is not None,
            "balance": candidates.shares is not None,
            "weights": candidates.weights is not None,
            "anchor": candidates.known is not None,
        }
        found = [name for name, is_given in unknown.items() if is_given]
        if self.preset == "reference" and found:
            raise EntropyLawError(
                f"preset 'reference' selects what the authors' script does, which knows no {' and no '.join(found)}: "
                "use preset 'paper'"
            )

    def _warnings(self, candidates: Candidates, result: _core.ZipResult) -> tuple[str, ...]:
        selected, samples, budget = len(result.indices), len(candidates), candidates.amount
        warnings = candidates.warnings(result.indices)
        if self.preset == "reference" and samples < self.k1:
            warnings.insert(
                0, f"the pool has {samples} samples, fewer than k1 = {self.k1}: the authors' script would have failed"
            )
        if result.end == "too_few_left":
            warnings.append(
                f"stopped at {selected} of {budget} samples: fewer than k1 = {self.k1} are left that no block has held "
                "yet, and the authors' script selects samples twice from here on; use a smaller k1, or preset 'paper'"
            )
        elif self.preset == "reference" and result.end == "exhausted" and selected < min(budget, samples):
            warnings.append(
                f"stopped at {selected} of {budget} samples: this preset never looks again at the k2 - k3 samples that "
                "each round leaves behind, and no others are left; use k3 = k2, or preset 'paper'"
            )
        return tuple(warnings)
