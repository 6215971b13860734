"""What ``select`` is asked for, but for the pool: checked before anything is read."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from entropylaw import parameters
from entropylaw.budget import Budget
from entropylaw.controls import Controls
from entropylaw.errors import EntropyLawError
from entropylaw.methods.method import Method, Task
from entropylaw.methods.option import options_of
from entropylaw.methods.registry import check_needs, method_with
from entropylaw.output import placed_files
from entropylaw.pool import Pool, PoolLike, Render, load
from entropylaw.pool.arena import MEMORY
from entropylaw.pool.formats import Format, check_format
from entropylaw.pool.load import OnError, reading_beside, unless_named
from entropylaw.results import Selection
from entropylaw.runs.checkpoint import Checkpoint
from entropylaw.targets import check_targets, files_behind

_log = logging.getLogger("entropylaw")

_MOST_INDEX = 2**63 - 1


@dataclass(frozen=True, eq=False)
class Asked:
    """A call of ``select``, understood."""

    budget: Budget
    method: Method
    controls: Controls
    read: Callable[..., Pool]
    """Reads a pool as ``load_for`` does, which is told all but the pool."""
    given: Mapping[str, Any]
    """How to read it, as ``load_for`` takes it."""
    anchor: Any
    checkpoint: str | None
    resume: bool

    @classmethod
    def of(
        cls,
        *,
        budget: int | str,
        method: str | Method = "zip",
        options: Mapping[str, Any],
        anchor: Any = None,
        initial_subset: Any = None,
        checkpoint: str | os.PathLike[str] | None = None,
        resume: bool = False,
        render: Render = "text",
        schema: str | None = None,
        field: str | None = None,
        on_error: OnError = "raise",
        format: Format | None = None,
        memory: int | str = MEMORY,
        threads: int | None = None,
        progress: Callable[[Any], object] | None = None,
        **controls: Any,
    ) -> Self:
        """What the parameters of ``select`` ask for; ``options`` are the method's.

        Raises
        ------
        EntropyLawError
            If a parameter doesn't fit.
        """
        understood = Budget.parse(budget)
        if checkpoint is not None:
            checkpoint = parameters.path("checkpoint", checkpoint)
            check_targets([], [], checkpoint)
        resume = parameters.flag("resume", resume)
        chosen = method_with(method, options)
        chosen.check()
        asked = Controls(**controls)
        asked.check(understood)
        check_needs(chosen, asked)
        asked.check_overlap(getattr(chosen, "target", None))
        if resume and checkpoint is None:
            raise EntropyLawError(
                "resume needs the checkpoint to resume from: checkpoint= (--checkpoint) its directory"
            )
        if anchor is not None and initial_subset is not None:
            raise EntropyLawError("anchor and initial_subset are two names of the same; give one")
        parameters.reading(
            render=render,
            schema=schema,
            field=field,
            on_error=on_error,
            group_by=asked.group_field,
            threads=threads,
            progress=progress,
        )
        check_format(format)
        given: dict[str, Any] = {
            "render": render,
            "schema": schema,
            "field": field,
            "on_error": on_error,
            "format": format,
            "memory": memory,
            "threads": threads,
            "progress": progress,
        }
        return cls(
            budget=understood,
            method=chosen,
            controls=asked,
            read=partial(load_for, method=chosen, controls=asked, **given),
            given=given,
            anchor=initial_subset if anchor is None else anchor,
            checkpoint=None if checkpoint is None else os.fspath(checkpoint),
            resume=resume,
        )

    @property
    def target(self) -> Any:
        """What the method selects for."""
        return getattr(self.method, "target", None)

    def with_data(self) -> Self:
        """The same, with what is read beside the pool read: anchor, target and benchmark.

        Raises
        ------
        EntropyLawError
            If one of them can't be.
        """
        controls = self.controls
        if self.anchor is not None:
            known = _indices(self.anchor)
            controls = replace(controls, anchor=_beside("anchor", self.read, self.anchor) if known is None else known)
        method = with_data(self.method, lambda name, data: _beside(name, self.read, data))
        if controls.benchmark is not None:
            controls = replace(controls, benchmark=_beside("benchmark", self.read, controls.benchmark))
        return replace(self, method=method, controls=controls)

    def run(self, task: Task, identity: Mapping[str, Any]) -> Selection:
        """Has the method select, with a checkpoint if one is asked for; ``identity``: of the selection, for it.

        Raises
        ------
        EntropyLawError
            If nothing can be selected, or the checkpoint is another's.
        """
        if self.checkpoint is None:
            selection = self.method.run(task)
        else:
            candidates = task.candidates
            files = files_behind(candidates.pool, {**candidates.parameters, **self.method.recorded()})
            check_targets([], files, self.checkpoint)
            # A command that ends early says which outputs it has written; a checkpoint is none.
            with placed_files(), Checkpoint.open(self.checkpoint, identity, self.resume) as opened:
                selection = self.method.run(replace(task, journal=opened.journal))
        for warning in selection.warnings:
            _log.warning("%s", warning)
        return selection


def with_data(method: Method, read: Callable[[str, Any], Pool]) -> Method:
    """The method with the data that its options name, read."""
    given = {
        option.name: read(option.name, data)
        for option in options_of(type(method))
        if option.is_data and (data := getattr(method, option.name)) is not None
    }
    return replace(method, **given) if given else method  # type: ignore[type-var]


def _beside(name: str, read: Callable[..., Pool], data: Any) -> Pool:
    with reading_beside(name):
        return read(data, beside=True)


def load_for(
    data: PoolLike | Pool,
    *,
    method: Method,
    controls: Controls,
    beside: bool = False,
    render: Render = "text",
    schema: str | None = None,
    field: str | None = None,
    on_error: OnError = "raise",
    format: Format | None = None,
    memory: int | str = MEMORY,
    threads: int | None = None,
    progress: Callable[[Any], object] | None = None,
) -> Pool:
    """Reads a pool as ``select`` does for a method and controls; or what goes ``beside`` it, such as an anchor, of
    which no numbers are needed."""
    return load(
        data,
        render=method.rendering(render, schema, field),
        schema=schema,
        field=field,
        on_error=on_error,
        group_by="source" if beside else controls.group_field,
        format=unless_named(data, format) if beside else format,
        numbers=() if beside else controls.numbers,
        memory=memory,
        threads=threads,
        progress=progress,
    )


def _indices(subset: Any) -> NDArray[np.int64] | None:
    """A subset given by indices; None if it is something to read."""
    is_column = isinstance(subset, np.ndarray) or (hasattr(subset, "to_numpy") and not hasattr(subset, "columns"))
    if not is_column and (not isinstance(subset, Sequence) or isinstance(subset, str | bytes)):
        return None
    if is_column or all(isinstance(item, int | np.integer) for item in subset):
        array = np.asarray(parameters.unmasked(subset))
        if not isinstance(subset, np.ndarray | Sequence) and array.dtype.kind not in "biuf":
            return None
        if array.size and (array.ndim != 1 or array.dtype.kind not in "iu"):
            raise EntropyLawError(f"the anchor is an array of {array.dtype}, shape {array.shape}; give indices")
        if array.size and array.max() > _MOST_INDEX:
            raise EntropyLawError(f"the anchor has index {array.max()}, which no pool has")
        return np.unique(array.astype(np.int64).reshape(-1))
    return None
