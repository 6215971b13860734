"""The samples of highest weight: selection by a score that the records have already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Required

from numpy.typing import NDArray

from entropylaw.controls.fields import numbers_of
from entropylaw.keywords import CommonKeywords
from entropylaw.methods.method import Method, Task
from entropylaw.methods.outcome import KeyedSelection


class TopKeywords(CommonKeywords, total=False):
    """The keywords of ``select`` with this method."""

    weight: Required[str | Sequence[float] | NDArray[Any]]


@dataclass(frozen=True, eq=False)
class TopSelection(KeyedSelection):
    """What has the highest weights: a ``Selection``, whose ``gains`` are these, as they were given."""


@dataclass(frozen=True)
class Top(Method):
    """Takes the samples of highest ``weight``, of equal ones the first."""

    name: ClassVar[str] = "top"
    needs: ClassVar[Mapping[str, str]] = {"weight": "takes the samples of highest weight: say what that is"}

    def run(self, task: Task) -> TopSelection:
        """Selects. The journal stays empty: picking again takes less time than reading it."""
        if task.is_parted:
            picks = task.core("top", {})
            gains = picks.trace["gains"]
            return task.selection(TopSelection, self, picks.indices, picks.seconds, gains=gains, key="weight")
        candidates = task.candidates
        # As they were given: divided by their mean, two that differ may be equal.
        weights = numbers_of(task.pool, "weight", candidates.parameters["weight"])
        if candidates.members is not None:
            weights = weights[candidates.members]
        indices, seconds = task.take(weights)
        return task.selection(TopSelection, self, indices, {"pick": seconds}, gains=weights[indices], key="weight")
