"""What selections have in common, whichever method made them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.controls import Candidates
from entropylaw.results import Selection


@dataclass(frozen=True, eq=False)
class MeasuredSelection(Selection):
    """What a method selected that does not go by R."""

    @property
    def codec(self) -> str:
        """The compressor that ``ratio`` is by, and its version."""
        return self.measured.codec

    @property
    def ratio(self) -> float:
        """R of the selected set. The method does not use it: it is computed when asked for."""
        return self.measured.ratio


def told(
    method: str,
    options: Mapping[str, Any],
    candidates: Candidates,
    indices: NDArray[np.int64],
    seconds: Mapping[str, float],
    warnings: tuple[str, ...],
) -> dict[str, Any]:
    """What a selection of these candidates says of itself; ``options`` are the budget and those of the method."""
    pool = candidates.pool
    return {
        "indices": candidates.positions(indices),
        "method": method,
        "parameters": {**options, **pool.options, **candidates.parameters},
        "version": _core.__version__,
        "seconds": {"read": pool.seconds, **seconds},
        "warnings": warnings,
        "controls": candidates.report(indices),
        "pool": pool,
    }
