"""What the methods have in common that take samples in an order which is known from the start."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.controls import Candidates
from entropylaw.errors import EntropyLawError
from entropylaw.methods.outcome import MeasuredSelection, told


@dataclass(frozen=True, eq=False)
class OrderedSelection(MeasuredSelection):
    """Samples taken in their turn, each if it fits."""

    def summary(self) -> dict[str, Any]:
        """What was selected of what, in numbers: the manifest without the trace."""
        return super().summary() | {"codec": self.codec}


def take(
    candidates: Candidates,
    threads: int | None,
    progress: Callable[[_core.Progress], object] | None,
    method: Literal["random", "top"],
    options: dict[str, Any],
) -> tuple[NDArray[np.int64], float]:
    """Candidates in random order, or the highest key first; and the seconds it took.

    Raises
    ------
    EntropyLawError
        If nothing fits.
    """
    picks = _core.select(
        method,
        candidates.pool.data,
        candidates.starts,
        candidates.ends,
        candidates.controls(),
        options,
        threads=threads,
        progress=progress,
    )
    if not len(picks.indices):
        raise EntropyLawError(candidates.nothing_fits())
    return picks.indices, picks.seconds["pick"]


def taken(
    method: str, options: Mapping[str, Any], candidates: Candidates, indices: NDArray[np.int64], seconds: float
) -> dict[str, Any]:
    """What a selection of these candidates says of itself."""
    given = {"budget": candidates.budget.given, **options}
    return told(method, given, candidates, indices, {"pick": seconds}, tuple(candidates.warnings(indices)))
