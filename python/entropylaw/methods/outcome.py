"""Selections by methods that do not go by R; what a method of your own returns."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.results import Selection
from entropylaw.runs.values import arrays_of


@dataclass(frozen=True, eq=False)
class MeasuredSelection(Selection):
    """Samples whose R is measured once they are selected."""

    @property
    def codec(self) -> str:
        """The compressor that ``ratio`` is by, and its version."""
        return self.measured.codec

    @property
    def ratio(self) -> float:
        """R of the selected set. The method does not use it: it is computed when asked for."""
        return self.measured.ratio


@dataclass(frozen=True, eq=False)
class OrderedSelection(MeasuredSelection):
    """Samples in an order that no gain decides."""

    @cached_property
    def gains(self) -> NDArray[np.float64]:
        """By how many compressed bytes the selection grew with each pick; shape ``(len(selection),)``.

        The method does not use them: they are computed when asked for, which takes about as long as compressing the
        selection twice, and are not in the archive of the picks.
        """
        sizer = _core.Sizer()
        sizes = [0]
        for sample in self.samples():
            sizer.append(sample)
            sizes.append(sizer.size())
        return np.diff(np.array(sizes, dtype=np.float64))

    @property
    def sample_weights(self) -> NDArray[np.float64]:
        """1 for each pick."""
        return np.ones(len(self))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is known of every pick, by name: the indices alone."""
        return {"indices": self.indices, **self.trace(), **arrays_of(self.parameters)}


@dataclass(frozen=True, eq=False)
class KeyedSelection(MeasuredSelection):
    """The samples with the highest keys, such as a score of each.

    Attributes
    ----------
    gains : NDArray[np.float64]
        The key of each pick; shape ``(len(selection),)``.
    key : str
        What the keys are called.
    """

    gains: NDArray[np.float64] = field(repr=False)
    key: str = field(repr=False, default="key")

    def rule(self) -> str:
        """How the method picks, in a sentence for the report."""
        return f"Each is, of all that was left and fitted, the sample of highest {self.key}; of equal ones the first."

    def why(self, position: int) -> str:
        """Why it made the pick at ``position``, in a few words for the report."""
        return f"{self.key} {self.gains[position]:,.6g}"


@dataclass(frozen=True, eq=False)
class DrawnSelection(KeyedSelection):
    """Samples whose keys were the chances to be drawn."""

    @property
    def sample_weights(self) -> NDArray[np.float64]:
        """1 of each pick: its chance has counted already."""
        return np.ones(len(self))
