"""What a selection on a Ray cluster returns."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
import ray
from numpy.typing import NDArray

from entropylaw.errors import EntropyLawError
from entropylaw.integrations.ray.actors import Actors
from entropylaw.integrations.ray.datasets import dataset_of
from entropylaw.parts.parts import Traffic
from entropylaw.parts.pool import PartedPool, fetched
from entropylaw.results import Selection
from entropylaw.runs.layout import FORMAT
from entropylaw.storage.options import takes_storage_options

Column = Literal["rank", "gain", "weight"]


@dataclass(frozen=True)
class Stats:
    """What a selection took."""

    partitions: int
    stages: Mapping[str, Traffic] = field(repr=False)
    """By stage (``read``, ``controls``, ``select``): round trips, bytes sent and received, and seconds."""
    restarts: int
    """Parts that were lost, and made again."""
    memory: tuple[int, ...]
    """The most bytes of memory that the process of each part has held; 0 on Windows, which does not tell."""

    @property
    def round_trips(self) -> int:
        """Times that the leader waited for answers, in all stages."""
        return sum(stage.round_trips for stage in self.stages.values())

    @property
    def bytes_sent(self) -> int:
        """Bytes that the leader sent, in all stages."""
        return sum(stage.bytes_sent for stage in self.stages.values())

    @property
    def bytes_received(self) -> int:
        """Bytes that the leader received, in all stages."""
        return sum(stage.bytes_received for stage in self.stages.values())

    @property
    def seconds(self) -> dict[str, float]:
        """How long each stage took."""
        return {name: stage.seconds for name, stage in self.stages.items()}


class RaySelection:
    """Samples of a pool in parts, in the order in which they were picked. ``len(selection)`` is their number.

    The records are where the parts are. They stay there until ``close``, which the end of a ``with`` block calls, or
    until nothing refers to this any more.
    """

    def __init__(self, selection: Selection, actors: Actors, stats: Stats, ends_ray: bool) -> None:
        self.selection = selection
        """What the method tells, as ``entropylaw.select`` returns it: ``CoverageSelection`` and so on. Its samples and
        records are fetched from the parts when they are asked for."""
        self.stats = stats
        """Round trips, bytes and seconds by stage, and the memory of each part."""
        self._actors = actors
        self._ends_ray = ends_ray

    @property
    def indices(self) -> NDArray[np.int64]:
        """Positions in the pool, in pick order; shape ``(len(selection),)``."""
        return self.selection.indices

    @property
    def gains(self) -> NDArray[np.float64]:
        """By how much each pick added to what the method wants; shape ``(len(selection),)``."""
        return self.selection.gains

    @property
    def rows(self) -> NDArray[np.int64]:
        """Positions in what the pool was read from, in pick order, where skipped records count; shape
        ``(len(selection),)``."""
        return self.selection.rows

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a user should know about how the selection went."""
        return self.selection.warnings

    @cached_property
    def ids(self) -> list[Any] | None:
        """The field that ``select(..., id=)`` named, of each chosen record, in pick order; None if it named none.

        Raises
        ------
        EntropyLawError
            If a record has no such field, or a file of the pool has changed since it was read.
        """
        if (name := self.selection.parameters.get("id")) is None:
            return None
        pool = self._pool
        return list(fetched(self._actors, pool.layout, "ids", self.indices.tolist(), name))

    def __len__(self) -> int:
        return len(self.indices)

    def __repr__(self) -> str:
        return f"RaySelection({len(self):,} of {len(self._pool):,} samples, {self.stats})"

    def summary(self) -> dict[str, Any]:
        """What was selected of what, in numbers, as JSON can hold it. The hash of the pool is one of all text, which
        passes through here for it, some megabytes at a time."""
        return self.selection.summary()

    def manifest(self) -> dict[str, Any]:
        """The manifest, but for the files: what ``save`` writes without them, and equal to what ``save`` of the
        selection on one machine writes."""
        summary = {key: value for key, value in self.summary().items() if key not in ("seconds", "work")}
        return {"manifest": FORMAT, **summary, "skipped": list(self._pool.skipped[:1000])}

    def dataset(self, columns: Sequence[Column] = ()) -> Any:
        """The chosen rows as a ``ray.data.Dataset``, in pick order. They go from the parts to its blocks.

        Parameters
        ----------
        columns
            What to add to each row: its ``rank`` (1 is the first pick), its ``gain``, its ``weight``, as
            ``entropylaw_rank`` and so on.
        """
        return dataset_of(self._actors, self._pool, self.indices, self.columns(columns))

    def write_parquet(self, path: str | os.PathLike[str], columns: Sequence[Column] = (), **options: Any) -> None:
        """Has Ray write ``dataset(columns)`` as files of Parquet in a directory, or below a URL.

        ``options`` are those of ``ray.data.Dataset.write_parquet``.
        """
        self.dataset(columns).write_parquet(os.fspath(path), **options)

    def write_json(self, path: str | os.PathLike[str], columns: Sequence[Column] = (), **options: Any) -> None:
        """Has Ray write ``dataset(columns)`` as files of JSON Lines in a directory, or below a URL: values, not the
        bytes that they were read from, which ``save`` writes.

        ``options`` are those of ``ray.data.Dataset.write_json``.
        """
        self.dataset(columns).write_json(os.fspath(path), **options)

    @takes_storage_options
    def save(
        self,
        directory: str | os.PathLike[str],
        *,
        force: bool = False,
        columns: Sequence[Column] = (),
        storage_options: Mapping[str, Any] | None = None,
    ) -> list[str]:
        """Writes the chosen records where they are: each part a file of its own, which it has chosen, and the manifest
        last.

        Records of JSON are written as the lines that they were, byte for byte, to ``part-00000-of-00003.jsonl`` and so
        on; rows of tables as Parquet. They are in the order of the pool: one after the other, the files
        are what ``Selection.save(sort="input")`` writes. ``manifest.json`` and ``picks.npz`` lie beside them.

        Parameters
        ----------
        directory
            A directory that all nodes share, made if need be, or a URL.
        force
            Replace an older output there.
        columns
            What to add to each record; see ``dataset``.
        storage_options : mapping, optional
            For a URL, as for ``select``; by default those that the pool was read with.

        Returns
        -------
        list of str
            The files with the records.

        Raises
        ------
        EntropyLawError
            If there is an output already, if a file can't be written, or if a file of the pool has changed since it was
            read. Nothing is left of the output then.
        """
        from entropylaw.integrations.ray.saving import save

        if storage_options is not None:
            self._actors.all("use", storage_options)
        return save(self, self._actors, self._pool, os.fspath(directory), force, self.columns(columns))

    def columns(self, names: Sequence[Column]) -> dict[str, NDArray[Any]]:
        """What is added to the rows, in pick order.

        Raises
        ------
        EntropyLawError
            If there is no such column.
        """
        found: dict[str, NDArray[Any]] = {}
        for name in names:
            if name == "rank":
                found["entropylaw_rank"] = np.arange(1, len(self) + 1)
            elif name == "gain":
                found["entropylaw_gain"] = self.gains
            elif name == "weight":
                found["entropylaw_weight"] = self.selection.sample_weights
            else:
                raise EntropyLawError(f"column {name!r} is not one; the columns to add are rank, gain, weight")
        return found

    def close(self) -> None:
        """Ends the parts, and the cluster if ``select`` began one. What is known of the picks stays."""
        self._actors.close()
        if self._ends_ray and ray.is_initialized():
            self._ends_ray = False
            ray.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.close()

    @property
    def _pool(self) -> PartedPool:
        assert isinstance(self.selection.pool, PartedPool)
        return self.selection.pool
