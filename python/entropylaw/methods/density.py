"""Density: samples in inverse proportion to how many others are like them."""

import time
from dataclasses import dataclass
from typing import ClassVar

from entropylaw import _core
from entropylaw.keywords import SelectKeywords
from entropylaw.methods.method import Method, Task
from entropylaw.methods.option import option
from entropylaw.methods.outcome import DrawnSelection
from entropylaw.pool import Pool


class DensityKeywords(SelectKeywords, total=False):
    """The keywords of ``select`` with this method."""

    seed: int


@dataclass(frozen=True, eq=False)
class DensitySelection(DrawnSelection):
    """What was drawn: a ``Selection``, whose ``gains`` are the inverse densities, 1 for a sample like no other."""

    def rule(self) -> str:
        """How the method picks, in a sentence for the report."""
        return (
            "Each was drawn, from all that was left and fitted, with a chance in inverse proportion to the number of "
            f"samples that are like it, seed {self.parameters['seed']}."
        )


@dataclass(frozen=True)
class Density(Method):
    """Draws samples in inverse proportion to how many are like them, so that all kinds of text come up alike.

    Two texts are like each other by the square of the share of their words and pairs of neighbouring words that both
    have (Jaccard's index), and a sample's density is the sum over all samples that may be selected, and the anchor's.
    It is estimated by hashing, in bounded memory (64 MiB). Inverse propensity sampling as in *How to train
    data-efficient LLMs* (arXiv 2402.09668), which takes the density over a model's embeddings.
    """

    name: ClassVar[str] = "density"

    seed: int = option(0, "another seed draws other samples", low=0, high=2**63 - 1)

    def run(self, task: Task) -> DensitySelection:
        """Selects. The journal stays empty: counting again takes about as long as reading the pool."""
        began = time.perf_counter()
        known = task.candidates.known
        densities, log_weights = _core.densities(
            *task.samples(),
            beside=(known.data, known.offsets) if isinstance(known, Pool) else None,
            threads=task.threads,
            progress=task.progress,
        )
        counted = time.perf_counter() - began
        keys = _core.weighted_keys(log_weights, wanted=task.candidates.weights, seed=self.seed)
        indices, seconds = task.take(keys)
        return task.selection(
            DensitySelection,
            self,
            indices,
            {"count": counted, "pick": seconds},
            gains=1 / densities[indices],
            key="inverse density",
        )
