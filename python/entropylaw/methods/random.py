"""Random samples: what any other method has to be better than."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core, parameters
from entropylaw.controls import Candidates
from entropylaw.methods.ordered import OrderedSelection, take, taken
from entropylaw.pool import Render
from entropylaw.runs.values import arrays_of

_MOST_SEED = 2**63 - 1


@dataclass(frozen=True, eq=False)
class RandomSelection(OrderedSelection):
    """What was drawn."""

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

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is known of every pick, by name: the indices alone."""
        return {"indices": self.indices, **self.trace(), **arrays_of(self.parameters)}

    def rule(self) -> str:
        """How the method picks, in a sentence for the report."""
        by = "with a chance in proportion to its weight" if "weight" in self.parameters else "at random"
        return f"Each was drawn {by} from all that was left and fitted, seed {self.parameters['seed']}."


@dataclass(frozen=True)
class Random:
    """The options of random selection; see ``entropylaw.select``."""

    dedupes: ClassVar[bool] = False
    needs: ClassVar[Mapping[str, str]] = {}

    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", parameters.whole("seed", self.seed, 0, _MOST_SEED))

    def rendering(self, render: Render, schema: str | None = None, field: str | None = None) -> Render:
        """How records are rendered: as asked for."""
        return render

    def run(
        self,
        candidates: Candidates,
        threads: int | None,
        progress: Callable[[_core.Progress], object] | None,
        journal: Path | None = None,
    ) -> RandomSelection:
        """Selects; see ``entropylaw.select``. A journal stays empty: drawing again takes less time than reading it."""
        indices, seconds = take(candidates, threads, progress, "random", {"seed": self.seed})
        return RandomSelection(**taken("random", {"seed": self.seed}, candidates, indices, seconds))
