"""What a selection returns."""

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core, parameters
from entropylaw.errors import EntropyLawError
from entropylaw.explaining import Curve, Fact
from entropylaw.pool import Pool
from entropylaw.pool.columns import is_absent
from entropylaw.pool.schema import find
from entropylaw.runs.values import arrays_of, described, encoded
from entropylaw.storage.options import takes_storage_options
from entropylaw.taking import picks_table, take

T = TypeVar("T")

_TOGETHER = 512
"""Samples that are measured at a time."""
_LISTED = 1000
"""Members of the records that a summary lists as unread."""


class Measured(NamedTuple):
    """A set, compressed."""

    raw: int
    size: int
    codec: str

    @property
    def ratio(self) -> float:
        """R."""
        return self.raw / self.size


@dataclass(frozen=True, eq=False)
class Selection(ABC):
    """Samples of a pool, in the order in which they were picked. ``len(selection)`` is their number.

    Each method returns a subclass of its own, with the trace that it leaves.

    Attributes
    ----------
    indices : NDArray[np.int64]
        Positions in the pool, in pick order; shape ``(len(selection),)``.
    gains : NDArray[np.float64]
        By how much each pick added to what the method wants; shape ``(len(selection),)``.
    method : str
        Name of the method.
    parameters : Mapping[str, Any]
        Everything that the result depends on, besides the pool, as ``entropylaw.select`` takes it: budget, options of
        the method, rendering.
    version : str
        Version of entropylaw.
    seconds : Mapping[str, float]
        Seconds spent, by stage: ``read``, ``controls``, then those of the method.
    warnings : tuple[str, ...]
        What a user should know about how the selection went.
    controls : Mapping[str, Any]
        How the controls worked out: ``candidates``, ``excluded`` samples by reason, ``budget``, ``quotas``,
        ``balance``, ``contamination``, and ``fingerprints``, hashes of what they read.
    codec : str
        The compressor that ``ratio`` is by, and its version.
    pool : Pool
        The pool.
    """

    indices: NDArray[np.int64]
    method: str
    parameters: Mapping[str, Any]
    version: str
    seconds: Mapping[str, float] = field(repr=False)
    warnings: tuple[str, ...]
    controls: Mapping[str, Any] = field(repr=False)
    pool: Pool = field(repr=False)

    if TYPE_CHECKING:
        # A field where a method picks by them; computed when asked for where it does not.
        @property
        def gains(self) -> NDArray[np.float64]:
            """By how much each pick added to what the method wants; shape ``(len(selection),)``."""

        @property
        def codec(self) -> str:
            """The compressor that ``ratio`` is by, and its version."""

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def sample_weights(self) -> NDArray[np.float64]:
        """How much each pick may count in a loss that takes weights: its gain, 0 if that is negative, as a multiple of
        the mean; shape ``(len(selection),)``, 1 on average. All are 1 where a method draws samples, whose chances have
        counted already, and where no gain is positive."""
        gains = np.maximum(self.gains, 0)
        # Exactly rounded, so the same everywhere: NumPy's own sum depends on the processor.
        total = math.fsum(gains.tolist())
        weights: NDArray[np.float64] = gains * (len(gains) / total) if total > 0 else np.ones(len(gains))
        return weights

    @property
    @abstractmethod
    def ratio(self) -> float:
        """R of the selected set: its bytes / its compressed bytes."""

    def rule(self) -> str:
        """How the method picks, in a sentence for the report."""
        return ""

    def why(self, position: int) -> str:
        """Why it made the pick at ``position``, in a few words for the report."""
        return ""

    def grown(self) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
        """Compressed bytes and R of the selection after each pick, shape ``(len(selection),)`` each, if the method
        knows them."""
        return None

    def of_pool(self) -> str:
        """R of the pool, as the report shows it, if the method knows it."""
        return ""

    def facts(self) -> Iterable[Fact]:
        """The numbers that the method is about, for summary and report."""
        return ()

    def curves(self) -> Iterable[Curve]:
        """What the report draws of the picks."""
        return ()

    def terms(self) -> Mapping[str, str]:
        """The words that the report has to explain, and what they mean."""
        return {}

    def trace(self) -> dict[str, NDArray[Any]]:
        """What is kept of each step, besides indices and gains."""
        return {}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is known of every pick and every step, by name: what goes to ``<path>.picks.npz``."""
        known = {"indices": self.indices, "gains": self.gains}
        return {**known, **self.trace(), **arrays_of(self.parameters)}

    @cached_property
    def measured(self) -> Measured:
        """Bytes and compressed bytes of the selected samples, one after the other in pick order."""
        # Appended in pieces: of a pool that lies elsewhere, the selection may be more than this machine holds.
        sizer = _core.Sizer()
        samples = self.samples()
        for _ in range(0, len(self), _TOGETHER):
            sizer.append(b"".join(islice(samples, _TOGETHER)))
        return Measured(len(sizer), sizer.size(), sizer.codec)

    @cached_property
    def sources(self) -> dict[str, int]:
        """Selected samples by their records' ``source``, most first; empty if records have none."""
        return self.pool.group_counts(self.indices)

    @property
    def raw_bytes(self) -> int:
        """Bytes of the selected samples."""
        return int(self.pool.lengths_of(self.indices).sum())

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Positions in what the pool was read from, in pick order; shape ``(len(selection),)``. They differ from
        ``indices`` where records were skipped, which count here."""
        return self.pool.rows(self.indices)

    @cached_property
    def ids(self) -> list[Any] | None:
        """The field that ``select(..., id=)`` named, of each chosen record, in pick order; None if it named none.

        Raises
        ------
        EntropyLawError
            If a record has no such field, or none in it, or a file of the pool has changed since it was read.
        """
        if (name := self.parameters.get("id")) is None:
            return None
        found = []
        for index, record in zip(self.indices.tolist(), self, strict=True):
            try:
                value = find(record, name)
            except KeyError:
                raise EntropyLawError(f"{self.pool.records.where(index)}: has no field {name!r} (id=)") from None
            if is_absent(value):
                raise EntropyLawError(f"{self.pool.records.where(index)}: {name!r} is {value}, which is no id (id=)")
            found.append(value)
        return found

    def take(self, given: T) -> T:
        """The chosen rows of what the pool was read from, in pick order and in its own type.

        Parameters
        ----------
        given
            What the pool was read from, or anything with a row for each of its records: a list, a frame of pandas or
            polars, a ``pyarrow.Table``, a ``datasets.Dataset``, an array.

        Raises
        ------
        EntropyLawError
            If it has another number of rows, or rows that can't be taken by their positions.

        Examples
        --------
        >>> import entropylaw
        >>> texts = ["a dog sat", "the cat sat on a mat", "there sat the cat"]
        >>> entropylaw.select(texts, budget=2, method="coverage").take(texts)
        ['there sat the cat', 'the cat sat on a mat']
        """
        return take(given, self.rows, self.pool.total_rows)

    def __iter__(self) -> Iterator[Any]:
        """The chosen records as Python objects, in pick order: what was given, or what a row or a line of JSON says."""
        return self.pool.records.objects(self.indices.tolist())

    @overload
    def __getitem__(self, pick: int) -> Any: ...
    @overload
    def __getitem__(self, pick: slice) -> list[Any]: ...
    def __getitem__(self, pick: int | slice) -> Any:
        """The record of a pick, counted from 0, or of several."""
        chosen = self.indices[pick]
        if isinstance(pick, slice):
            return list(self.pool.records.objects(chosen.tolist()))
        return next(self.pool.records.objects([int(chosen)]))

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """A table of the picks for whatever reads Arrow: ``row``, ``rank`` (from 1), ``gain``, and ``id`` if there are
        ids. ``duckdb``, polars and others join it with the pool. Needs pyarrow."""
        return picks_table(self).__arrow_c_stream__(requested_schema)

    def to_pandas(self) -> Any:
        """The table of the picks as a frame of pandas; see ``__arrow_c_stream__``."""
        return picks_table(self).to_pandas()

    def to_polars(self) -> Any:
        """The table of the picks as a frame of polars; see ``__arrow_c_stream__``."""
        import polars

        return polars.from_arrow(picks_table(self))

    def _repr_html_(self) -> str:
        from entropylaw.report.inline import inline

        return inline(self)

    def samples(self) -> Iterator[bytes]:
        """The selected samples, as they were sized."""
        return map(self.pool.sample, self.indices.tolist())

    def records(self) -> Iterator[bytes]:
        """The selected records, one line of JSON each; from files, the bytes that are there.

        Raises
        ------
        EntropyLawError
            If a file of the pool has changed since it was read.
        """
        return self.pool.records.raw(self.indices.tolist())

    @takes_storage_options
    def save(
        self,
        path: str | os.PathLike[str],
        *,
        force: bool = False,
        sort: Literal["pick", "input"] = "pick",
        shards: int | str | None = None,
        columns: Sequence[Literal["rank", "gain", "ratio", "weight"]] = (),
        indices_only: bool = False,
        stanza: Literal["llamafactory", "axolotl"] | None = None,
        storage_options: Mapping[str, Any] | None = None,
    ) -> list[str]:
        """Writes the selected records, and how they were chosen.

        The records are rows of a table, in all their columns and types, if ``path`` ends in ``.parquet``, ``.arrow``,
        ``.csv`` or ``.tsv`` (needs pyarrow); lines of JSON if it ends in ``.jsonl``, ``.ndjson`` or nothing, and an
        array in ``.json``: from JSON files, the bytes that are there.
        ``<path>.manifest.json`` holds everything needed to repeat the selection (``entropylaw.replay``), and
        ``<path>.picks.npz`` what is known of every pick, an array each: ``indices``, ``gains``, ``ratios``. All files
        are written first and then renamed, records before picks before the manifest: where the manifest is, the rest
        is. Equal selections make equal files.

        Parameters
        ----------
        path
            Where to. Lines and CSV are compressed if it ends in ``.gz`` or ``.zst``. For a URL, all files are written
            here first, in a temporary directory, and then uploaded, each whole or not at all.
        force
            Replace files that exist.
        sort : {"pick", "input"}
            The order of the records: as they were picked, or as they are in the pool.
        shards : int or str, optional
            Write so many files of about as many records each, or as many as it takes for none to hold more than
            ``"500MB"`` of records (before compression; a larger record has a file of its own; rows of a table count
            with what they take in memory). For ``subset.jsonl`` they are ``subset-00000-of-00008.jsonl`` and so on.
        columns
            What to add to each record: its ``rank`` (1 is the first pick), its ``gain``, the ``ratio`` of its sample
            alone, and its ``weight`` (``sample_weights``), as ``entropylaw_rank`` and so on. The rest of a line of JSON
            stays as it is, byte for byte.
        indices_only
            Write the positions in the pool instead of the records, and ``columns`` beside them: ``path`` ends in
            ``.txt`` (one a line), ``.npy``, ``.jsonl``, ``.json``, ``.csv``, ``.tsv``, ``.parquet`` or ``.arrow``.
        stanza : {"llamafactory", "axolotl"}, optional
            Also write the entry for the data configuration of a trainer: ``<path>.dataset_info.json`` or
            ``<path>.axolotl.yml``.
        storage_options : mapping, optional
            For a URL, as for ``select``.

        Returns
        -------
        list of str
            The files with the records.

        Raises
        ------
        EntropyLawError
            If a file exists, or can't be written; if one is, through links too, a file that the selection was made
            from, or another one that is written; if shards are in the way that no manifest names; if the name ends like
            no format; if a record has a member of the name of an added one; if a file of the pool has changed since it
            was read; for tables, if the columns don't fit the format.
        """
        from entropylaw.saving import Saving
        from entropylaw.targets import check_name

        where, force = parameters.path("path", path), parameters.flag("force", force)
        check_name(where)
        parameters.one_of("sort", sort, ("pick", "input"))
        if shards is not None and not isinstance(shards, str):
            shards = parameters.whole("shards", shards, high=2**63 - 1)
        added = parameters.texts("columns", columns, "names of columns to add")
        indices_only = parameters.flag("indices_only", indices_only)
        if stanza is not None:
            parameters.text("stanza", stanza, "the name of a trainer")
        return Saving(where, force, sort, shards, added, indices_only, stanza).write(self)

    def summary(self) -> dict[str, Any]:
        """What was selected of what, in numbers, as JSON can hold it."""
        return {
            "entropylaw": self.version,
            "method": self.method,
            "parameters": {name: encoded(value) for name, value in self.parameters.items()},
            "pool": {
                **described(self.pool),
                "schema": self.pool.schema,
                "sources": self.pool.group_counts(),
                "skipped": len(self.pool.skipped),
                "unread": [member._asdict() for member in self.pool.unread[:_LISTED]],
            },
            "selection": {
                "samples": len(self),
                "bytes": self.raw_bytes,
                "ratio": self.ratio,
                "sources": self.sources,
            },
            **self.controls,
            "seconds": {stage: round(seconds, 3) for stage, seconds in self.seconds.items()},
            "warnings": list(self.warnings),
            "codec": self.codec,
        }
