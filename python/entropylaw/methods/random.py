"""Random samples: what any other method has to be better than."""

from dataclasses import dataclass
from typing import ClassVar

from entropylaw.keywords import SelectKeywords
from entropylaw.methods.method import Method, Task
from entropylaw.methods.option import option
from entropylaw.methods.outcome import OrderedSelection


class RandomKeywords(SelectKeywords, total=False):
    """The keywords of ``select`` with this method."""

    seed: int


@dataclass(frozen=True, eq=False)
class RandomSelection(OrderedSelection):
    """What was drawn: a ``Selection``, whose ``gains`` are those of ZIP, computed when asked for."""

    def rule(self) -> str:
        """How the method picks, in a sentence for the report."""
        by = "with a chance in proportion to its weight" if "weight" in self.parameters else "at random"
        return f"Each was drawn {by} from all that was left and fitted, seed {self.parameters['seed']}."


@dataclass(frozen=True)
class Random(Method):
    """Draws samples at random, the same ones for a seed on every platform."""

    name: ClassVar[str] = "random"

    seed: int = option(0, "another seed draws other samples", low=0, high=2**63 - 1)

    def run(self, task: Task) -> RandomSelection:
        """Selects. The journal stays empty: drawing again takes less time than reading it."""
        picks = task.core("random", {"seed": self.seed})
        return task.selection(RandomSelection, self, picks.indices, picks.seconds)
