"""The samples of highest weight: selection by a score that the records have already."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.controls import Candidates
from entropylaw.controls.fields import numbers_of
from entropylaw.methods.ordered import OrderedSelection, take, taken
from entropylaw.pool import Render


@dataclass(frozen=True, eq=False)
class TopSelection(OrderedSelection):
    """What has the highest weights."""

    gains: NDArray[np.float64] = field(repr=False)
    """The weight of each pick, as it was given; shape ``(len(selection),)``."""

    def rule(self) -> str:
        """How the method picks, in a sentence for the report."""
        return "Each is, of all that was left and fitted, the sample of highest weight; of equal ones the first."

    def why(self, position: int) -> str:
        """Why it made the pick at ``position``, in a few words for the report."""
        return f"weight {self.gains[position]:,.6g}"


@dataclass(frozen=True)
class Top:
    """Selection by weight, which has no options; see ``entropylaw.select``."""

    dedupes: ClassVar[bool] = False
    needs: ClassVar[Mapping[str, str]] = {"weight": "takes the samples of highest weight: say what that is"}

    def rendering(self, render: Render, schema: str | None = None, field: str | None = None) -> Render:
        """How records are rendered: as asked for."""
        return render

    def run(
        self,
        candidates: Candidates,
        threads: int | None,
        progress: Callable[[_core.Progress], object] | None,
        journal: Path | None = None,
    ) -> TopSelection:
        """Selects; see ``entropylaw.select``. A journal stays empty: picking again takes less time than reading it."""
        # As they were given: divided by their mean, two that differ may be equal.
        weights = numbers_of(candidates.pool, "weight", candidates.parameters["weight"])
        if candidates.members is not None:
            weights = weights[candidates.members]
        indices, seconds = take(candidates, threads, progress, "top", {"keys": np.ascontiguousarray(weights)})
        return TopSelection(gains=weights[indices], **taken("top", {}, candidates, indices, seconds))
