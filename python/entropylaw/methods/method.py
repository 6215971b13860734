"""What a method is: a dataclass of its options that picks samples of a task."""

import dataclasses
import inspect
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.controls import Candidates
from entropylaw.errors import EntropyLawError
from entropylaw.methods.option import documented, options_of
from entropylaw.pool import Pool, Render
from entropylaw.pool.arena import MEMORY, memory_limit
from entropylaw.results import Selection

S = TypeVar("S", bound=Selection)


class Method(ABC):
    """A way to select: a frozen dataclass whose fields are its options, each made by ``entropylaw.methods.option``.

    ``select(pool, budget=..., method="coverage", gamma=0.7)`` and ``method=Coverage(gamma=0.7)`` are the same. A method
    of your own needs no more than a name and ``run``; ``docs/own-methods.md`` shows one.
    """

    name: ClassVar[str]
    """What ``select`` and the command line call it."""
    dedupes: ClassVar[bool] = False
    """Whether it takes only the first of equal samples, unless it is told."""
    needs: ClassVar[Mapping[str, str]] = {}
    """Controls that it can't do without, and why, as in ``{"weight": "takes the samples of highest weight: ..."}``."""
    aims: ClassVar[tuple[str, ...]] = ()
    """Options that say what to select for: those that a manifest has only if there is a target."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Writes the options into the docstring."""
        super().__init_subclass__(**keywords)
        hints = inspect.get_annotations(cls)
        options = {name: field for name, field in vars(cls).items() if isinstance(field, dataclasses.Field)}
        if options and cls.__doc__:
            lines = [line for name, field in options.items() for line in documented(name, hints[name], field)]
            parts = [inspect.cleandoc(cls.__doc__), "", "Parameters", "----------", *lines]
            cls.__doc__ = "\n".join(parts)

    def __post_init__(self) -> None:
        for option in options_of(type(self)):
            object.__setattr__(self, option.name, option.checked(getattr(self, option.name)))

    def check(self) -> None:  # noqa: B027 -- Most methods need nothing.
        """Raises EntropyLawError unless all is given that the method needs to run."""

    def rendering(self, render: Render, schema: str | None = None, field: str | None = None) -> Render:
        """How records become samples: as asked for."""
        return render

    @abstractmethod
    def run(self, task: "Task") -> Selection:
        """Selects.

        Raises
        ------
        EntropyLawError
            If nothing can be selected.
        """

    def recorded(self) -> dict[str, Any]:
        """The options, for the manifest: what ``select`` has to be told to select the same again."""
        names = [option.name for option in options_of(type(self))]
        aimless = getattr(self, "target", None) is None
        return {name: getattr(self, name) for name in names if not (aimless and name in self.aims)}


@dataclasses.dataclass(frozen=True, eq=False)
class Task:
    """What there is to select from within which limits, and how to run."""

    candidates: Candidates
    """The samples that may be selected; positions among them are what a method deals with."""
    threads: int | None = None
    progress: Callable[[_core.Progress], object] | None = None
    journal: Path | None = None
    """Where the core records its work, for a checkpoint. A method that takes less time than reading it leaves it
    alone."""
    memory: int = memory_limit(MEMORY)
    """Bytes of samples that are held in memory: a measure for what a method may hold of its own. It changes no pick."""

    def __len__(self) -> int:
        return len(self.candidates)

    @property
    def pool(self) -> Pool:
        """The pool."""
        return self.candidates.pool

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Bytes of each candidate; shape ``(len(task),)``."""
        return self.candidates.ends - self.candidates.starts

    @property
    def is_parted(self) -> bool:
        """Whether the samples are in parts elsewhere, which only methods of the core can ask: see ``core``."""
        return False

    @property
    def size(self) -> int:
        """Bytes of all candidates."""
        return int(self.lengths.sum())

    def sample(self, index: int) -> bytes:
        """A candidate, as it is sized."""
        found: bytes = self.pool.data[self.candidates.starts[index] : self.candidates.ends[index]].tobytes()
        return found

    def core(
        self, method: str, options: dict[str, Any], *, multiple: int = 1, with_journal: bool = False
    ) -> _core.Picks:
        """What a method of the core picks; see ``_core.select``.

        Parameters
        ----------
        method, options
            Of the core.
        multiple
            Round the budget up to a multiple.
        with_journal
            Whether it records its work.

        Raises
        ------
        EntropyLawError
            If nothing fits the budget.
        """
        picks = _core.select(
            method,
            self.pool.data,
            self.candidates.starts,
            self.candidates.ends,
            self.candidates.controls(multiple),
            options,
            journal=self.journal if with_journal else None,
            threads=self.threads,
            progress=self.progress,
        )
        if not len(picks.indices):
            raise EntropyLawError(self.candidates.nothing_fits())
        return picks

    def samples(self) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
        """The pool's bytes, and where each candidate begins and ends in them, shape ``(len(task),)``."""
        return self.pool.data, self.candidates.starts, self.candidates.ends

    def take(self, keys: NDArray[np.float64]) -> tuple[NDArray[np.int64], float]:
        """The candidates that fit the limits, those of highest key first, of equal ones the first; and the seconds it
        took.

        Parameters
        ----------
        keys
            One of each candidate; shape ``(len(task),)``.

        Raises
        ------
        EntropyLawError
            If nothing fits.
        """
        start = time.perf_counter()
        picks = self.core("top", {"keys": np.ascontiguousarray(keys, dtype=np.float64)})
        return picks.indices, time.perf_counter() - start

    def selection(
        self,
        kind: type[S],
        method: Method,
        indices: NDArray[np.int64],
        seconds: Mapping[str, float],
        *,
        options: Mapping[str, Any] | None = None,
        warnings: tuple[str, ...] = (),
        **own: Any,
    ) -> S:
        """A selection of these candidates.

        Parameters
        ----------
        kind
            The class of the selection.
        method
            Who selected.
        indices
            The picks, as positions among the candidates.
        seconds
            By stage.
        options
            The options with the values that they came to, if these are others than were given.
        warnings
            What a user should know, besides what the limits came to.
        own
            Other fields of ``kind``.
        """
        candidates = self.candidates
        given = method.recorded() if options is None else options
        return kind(
            indices=candidates.positions(indices),
            method=method.name,
            parameters={
                "budget": candidates.budget.given,
                **given,
                **candidates.pool.options,
                **candidates.parameters,
            },
            version=_core.__version__,
            seconds={"read": candidates.pool.seconds, "controls": candidates.agreed.seconds, **seconds},
            warnings=(*candidates.warnings(indices), *warnings),
            controls=candidates.report(indices),
            pool=candidates.pool,
            **own,
        )
