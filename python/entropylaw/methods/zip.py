"""ZIP (arXiv 2407.06645, section 4)."""

import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.controls import Candidates
from entropylaw.errors import EntropyLawError
from entropylaw.keywords import SelectKeywords
from entropylaw.methods.method import Method, Task
from entropylaw.methods.option import option
from entropylaw.pool import Render
from entropylaw.results import Selection


class ZipKeywords(SelectKeywords, total=False):
    """The keywords of ``select`` with this method."""

    preset: Literal["paper", "reference"]
    k1: int
    k2: int
    k3: int
    whole_rounds: bool


class Round(NamedTuple):
    """One round of ZIP, as it was run.

    Attributes
    ----------
    candidates : int
        Samples that stage 2 sized; ``k1`` or what was left.
    block : int
        Samples that stage 3 chose from; ``k2`` or fewer.
    picked : int
        Samples that it picked; ``k3`` or fewer.
    ratio : float
        R of the selection after the round.
    """

    candidates: int
    block: int
    picked: int
    ratio: float


@dataclass(frozen=True, eq=False)
class ZipSelection(Selection):
    """What ZIP selected: a ``Selection``, and how ZIP came to it.

    Attributes
    ----------
    gains : NDArray[np.float64]
        By how many compressed bytes the selection grew with each pick; shape ``(len(selection),)``.
    ratios : NDArray[np.float64]
        R of the selected set after each pick, of the anchor and it if there is one; shape ``(len(selection),)``.
    initial_ratios : NDArray[np.float64]
        R of every sample of the pool alone, in input order, NaN for excluded ones; shape ``(len(pool),)``.
    rounds : tuple[Round, ...]
        What each round did, in their order.
    pool_ratio : float | None
        R of the candidates, all of them in input order; None of a pool in parts, which no one compresses as a whole.
    codec : str
        Compressor and version.
    """

    gains: NDArray[np.float64] = field(repr=False)
    ratios: NDArray[np.float64] = field(repr=False)
    initial_ratios: NDArray[np.float64] = field(repr=False)
    rounds: tuple[Round, ...] = field(repr=False)
    pool_ratio: float | None
    codec: str

    @property
    def ratio(self) -> float:
        """R of the selected set."""
        return float(self.ratios[-1]) if "anchor" not in self.parameters else self.measured.ratio

    def grown(self) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
        """Compressed bytes, as they follow from R, and R of the selection after each pick; None with an anchor, of
        which these are too."""
        if "anchor" in self.parameters:
            return None
        raw = np.cumsum(self.pool.lengths_of(self.indices))
        # The reference writes the samples as a Python list: brackets, and a comma and a space between.
        framed = raw + 2 * np.arange(1, len(self) + 1) if self.parameters["preset"] == "reference" else raw
        known = self.ratios > 0
        sizes = np.full(len(self), len(zlib.compress(b"")), dtype=np.int64)
        sizes[known] = np.round(framed[known] / self.ratios[known])
        return sizes, self.ratios

    def summary(self) -> dict[str, Any]:
        """What was selected of what, in numbers: the manifest without the trace."""
        summary = super().summary()
        if self.pool_ratio is not None:
            summary["pool"] |= {"ratio": self.pool_ratio}
        return summary

    def rule(self) -> str:
        """How the method picks, in a sentence for the report."""
        blocks = "" if not self.rounds else f" of {self.rounds[0].block:,}"
        return f"Each is the sample of its round's block{blocks} with which R of the round's picks stays lowest."

    def why(self, position: int) -> str:
        """Which pick of which round it was."""
        before = 0
        for number, round_ in enumerate(self.rounds, start=1):
            if position < before + round_.picked:
                return f"round {number}, pick {position - before + 1}"
            before += round_.picked
        return ""

    def of_pool(self) -> str:
        """R of the pool."""
        return "" if self.pool_ratio is None else f"{self.pool_ratio:.3f}"

    def trace(self) -> dict[str, NDArray[Any]]:
        """R after each pick, and the rounds."""
        fields = [(name, "<f8" if name == "ratio" else "<i8") for name in Round._fields]
        return {"ratios": self.ratios, "rounds": np.array([tuple(round_) for round_ in self.rounds], dtype=fields)}


@dataclass(frozen=True)
class Zip(Method):
    """Selects samples whose union compresses least (arXiv 2407.06645, section 4).

    It repeats rounds of three stages until the budget is reached: take the ``k1`` samples of lowest state (R of the
    selection with the sample added, as last computed); recompute those and keep the ``k2`` lowest; of these, pick
    ``k3`` one by one so that R of the picks stays lowest.
    """

    name: ClassVar[str] = "zip"

    preset: Literal["paper", "reference"] = option(
        "paper",
        "which ZIP",
        doc="``paper`` is the paper's algorithm, with exact comparisons and ties to the lower index; ``reference`` is "
        "the authors' script, to the same records in the same order, and its samples are always Python's ``repr`` of "
        "the records",
    )
    k1: int = option(10_000, "candidates sized in each round", high=sys.maxsize)
    k2: int = option(200, "of these, those to pick from", high=sys.maxsize)
    k3: int = option(100, "of these, those picked", doc="of these, those picked; k1 >= k2 >= k3 >= 1", high=sys.maxsize)
    whole_rounds: bool = option(
        False,
        "finish the round in which the budget is reached",
        doc="finish the round in which the budget is reached, and so select up to ``k3 - 1`` samples more, as the "
        "authors' script does",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
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

    def run(self, task: Task) -> ZipSelection:
        """Selects.

        Raises
        ------
        EntropyLawError
            If pool or controls do not go with the preset, or nothing fits.
        """
        candidates, pool = task.candidates, task.pool
        if (self.preset == "reference") != (pool.options["render"] == "repr"):
            rendered = pool.options["render"]
            raise EntropyLawError(
                f"the pool was rendered as {rendered!r}, which does not go with preset {self.preset!r}"
            )
        self._check(candidates)
        picks = task.core(
            "zip",
            {"preset": self.preset, "k1": self.k1, "k2": self.k2, "k3": self.k3},
            multiple=self.k3 if self.whole_rounds else 1,
            with_journal=True,
        )
        initial_ratios = candidates.spread(picks.trace["initial_ratios"])
        rounds = (picks.trace[f"round_{name}"].tolist() for name in Round._fields)
        return task.selection(
            ZipSelection,
            self,
            picks.indices,
            picks.seconds,
            warnings=tuple(self._warnings(candidates, picks)),
            gains=picks.trace["gains"],
            ratios=picks.trace["ratios"],
            initial_ratios=initial_ratios,
            rounds=tuple(Round(*round_) for round_ in zip(*rounds, strict=True)),
            **{name: picks.facts[name] for name in ("pool_ratio", "codec")},
        )

    def _check(self, candidates: Candidates) -> None:
        """Raises EntropyLawError if there are controls that the preset knows nothing of."""
        unit = candidates.budget.unit
        limited = candidates.quotas is not None or candidates.shares is not None
        if self.whole_rounds and (unit != "samples" or limited):
            raise EntropyLawError("whole_rounds goes with a budget in samples, without quotas and balance")
        unknown = {
            f"budget in {unit}": unit != "samples",
            "quotas": candidates.quotas is not None,
            "balance": candidates.shares is not None,
            "weights": "weight" in candidates.parameters,
            "anchor": "anchor" in candidates.parameters,
        }
        found = [name for name, is_given in unknown.items() if is_given]
        if self.preset == "reference" and found:
            raise EntropyLawError(
                f"preset 'reference' selects what the authors' script does, which knows no {' and no '.join(found)}: "
                "use preset 'paper'"
            )

    def _warnings(self, candidates: Candidates, picks: _core.Picks) -> Iterator[str]:
        selected, samples, budget = len(picks.indices), len(candidates), candidates.amount
        if self.preset == "reference" and samples < self.k1:
            yield f"the pool has {samples} samples, fewer than k1 = {self.k1}: the authors' script would have failed"
        if picks.facts["end"] == "too_few_left":
            yield (
                f"stopped at {selected} of {budget} samples: fewer than k1 = {self.k1} are left that no block has held "
                "yet, and the authors' script selects samples twice from here on; use a smaller k1, or preset 'paper'"
            )
        elif self.preset == "reference" and picks.facts["end"] == "exhausted" and selected < min(budget, samples):
            yield (
                f"stopped at {selected} of {budget} samples: this preset never looks again at the k2 - k3 samples that "
                "each round leaves behind, and no others are left; use k3 = k2, or preset 'paper'"
            )
