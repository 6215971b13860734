"""ZIP-FIT: the samples that compress best together with a target's."""

import time
from dataclasses import dataclass
from typing import ClassVar, Required

from entropylaw import _core
from entropylaw.keywords import SelectKeywords
from entropylaw.methods.method import Method, Task
from entropylaw.methods.outcome import KeyedSelection
from entropylaw.methods.target import for_core, required, target_option
from entropylaw.pool import Pool, PoolLike


class ZipfitKeywords(SelectKeywords, total=False):
    """The keywords of ``select`` with this method."""

    target: Required[PoolLike | Pool | None]


@dataclass(frozen=True, eq=False)
class ZipfitSelection(KeyedSelection):
    """What is most like the target: a ``Selection``, whose ``gains`` are the scores, before ``weight``."""


@dataclass(frozen=True)
class Zipfit(Method):
    """Takes the samples that are most like a target's, by how well they compress together.

    A sample's score is the mean, over all samples ``y`` of the target, of ``1 - (C(xy) - min(C(x), C(y))) / max(C(x),
    C(y))``, where ``C`` is the length under gzip, level 9, and ``xy`` the sample with the target's behind it: one minus
    their normalised compression distance. The highest ``score * weight`` comes first. It takes time in proportion to
    the pool's samples times the target's bytes. As in *ZIP-FIT: embedding-free data selection via compression-based
    alignment* (arXiv 2410.18194).
    """

    name: ClassVar[str] = "zipfit"

    target: PoolLike | Pool | None = target_option()

    def check(self) -> None:
        """Raises EntropyLawError unless there is a target."""
        required(self.name, self.target)

    def run(self, task: Task) -> ZipfitSelection:
        """Selects. The journal stays empty: only whole scores could be kept in it."""
        began = time.perf_counter()
        scores = _core.zipfit_scores(
            *task.samples(), for_core(self.target), threads=task.threads, progress=task.progress
        )
        scored = time.perf_counter() - began
        wanted = task.candidates.weights
        indices, seconds = task.take(scores if wanted is None else scores * wanted)
        return task.selection(
            ZipfitSelection, self, indices, {"score": scored, "pick": seconds}, gains=scores[indices], key="score"
        )
