"""DSIR: samples in proportion to how much likelier their words are in a target than in the pool."""

import time
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Required

import numpy as np

from entropylaw import _core
from entropylaw.keywords import SelectKeywords
from entropylaw.methods.method import Method, Task
from entropylaw.methods.option import option
from entropylaw.methods.outcome import DrawnSelection
from entropylaw.methods.target import for_core, required, target_option
from entropylaw.pool import Pool, PoolLike

_KEYS = {"sampled": "log importance weight", "sum": "log importance weight", "mean": "log importance weight a word"}


class DsirKeywords(SelectKeywords, total=False):
    """The keywords of ``select`` with this method."""

    target: Required[PoolLike | Pool | None]
    ranking: Literal["sampled", "sum", "mean"]
    seed: int


@dataclass(frozen=True, eq=False)
class DsirSelection(DrawnSelection):
    """What was drawn: a ``Selection``, whose ``gains`` are the log importance weights, or with ``ranking="mean"`` those
    a word or pair.

    Attributes
    ----------
    drawn : bool
        Whether they were drawn, and not those of highest weight.
    """

    drawn: bool = field(repr=False, default=False)

    def rule(self) -> str:
        """How the method picks, in a sentence for the report."""
        if not self.drawn:
            return super().rule()
        return (
            "Each was drawn, from all that was left and fitted, with a chance in proportion to its importance weight, "
            f"seed {self.parameters['seed']}."
        )


@dataclass(frozen=True)
class Dsir(Method):
    """Draws samples by how much likelier they are in a target than in the pool: importance resampling.

    A text is a bag of words and pairs of neighbouring words, in lower case, hashed to 10,000 buckets. A bucket's share
    in the target's samples is ``p``, and ``q`` in the samples that may be selected; a sample's log importance weight is
    the sum over its words and pairs of ``log(p + 1e-8) - log(q + 1e-8)``. Samples are drawn without replacement with
    chances in proportion to the weights (Gumbel top-k), times ``weight`` if that is given. As in *Data selection for
    language models via importance resampling* (arXiv 2302.03169).
    """

    name: ClassVar[str] = "dsir"

    target: PoolLike | Pool | None = target_option()
    ranking: Literal["sampled", "sum", "mean"] = option(
        "sampled",
        "draw by importance weight, or take the highest, or the highest mean a word",
        doc="``sampled`` draws by importance weight; ``sum`` takes the samples of highest log weight, and ``mean`` "
        "those where it is highest for their number of words and pairs: the sum goes with the length, and its sign "
        "decides whether long samples or short ones come first",
    )
    seed: int = option(0, "another seed draws other samples", low=0, high=2**63 - 1)

    def check(self) -> None:
        """Raises EntropyLawError unless there is a target."""
        required(self.name, self.target)

    def run(self, task: Task) -> DsirSelection:
        """Selects. The journal stays empty: scoring again takes about as long as reading the pool."""
        own: dict[str, Any] = {"key": _KEYS[self.ranking], "drawn": self.ranking == "sampled"}
        if task.is_parted:
            options = {"target": for_core(self.target), "ranking": self.ranking, "seed": self.seed}
            picks = task.core("dsir", options)
            own["gains"] = picks.trace["gains"]
            return task.selection(DsirSelection, self, picks.indices, picks.seconds, **own)
        began = time.perf_counter()
        weights, words = _core.dsir_scores(
            *task.samples(), for_core(self.target), threads=task.threads, progress=task.progress
        )
        scored = time.perf_counter() - began
        keys = weights / np.maximum(words, 1) if self.ranking == "mean" else weights
        ranked = _core.weighted_keys(keys, wanted=task.candidates.weights, seed=self.seed if own["drawn"] else None)
        indices, seconds = task.take(ranked)
        return task.selection(
            DsirSelection,
            self,
            indices,
            {"score": scored, "pick": seconds},
            gains=keys[indices],
            **own,
        )
