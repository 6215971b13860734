"""What a selection returns."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from entropylaw.output import check_writable, replacing, write_json
from entropylaw.pool import Pool
from entropylaw.pool.arrow import need_arrow
from entropylaw.pool.formats import named_format


@dataclass(frozen=True, eq=False)
class Selection(ABC):
    """Samples of a pool, in the order in which they were picked. ``len(selection)`` is their number.

    Each method returns a subclass of its own, with the trace that it leaves.
    """

    indices: NDArray[np.int64]
    """Positions in the pool, in pick order; shape ``(len(selection),)``."""
    method: str
    """Name of the method."""
    parameters: Mapping[str, Any]
    """Everything that the result depends on, besides the pool: budget, options of the method, rendering"""
    version: str
    """Version of entropylaw."""
    seconds: Mapping[str, float] = field(repr=False)
    """Seconds spent, by stage: ``read``, then those of the method."""
    warnings: tuple[str, ...]
    """What a user should know about how the selection went."""
    pool: Pool = field(repr=False)
    """The pool."""

    def __len__(self) -> int:
        return len(self.indices)

    @property
    @abstractmethod
    def ratio(self) -> float:
        """R of the selected set: its bytes / its compressed bytes."""

    @abstractmethod
    def trace(self) -> dict[str, Any]:
        """What the manifest holds of each step, besides the indices."""

    @cached_property
    def sources(self) -> dict[str, int]:
        """Selected samples by their records' ``source``, most first; empty if records have none."""
        return self.pool.group_counts(self.indices)

    @property
    def raw_bytes(self) -> int:
        """Bytes of the selected samples."""
        return int(self.pool.lengths()[self.indices].sum())

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

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Writes the selected records and ``<path>.manifest.json``, each whole or not at all.

        As rows of a table, in all their columns and types, if ``path`` ends in ``.parquet``, ``.arrow``, ``.csv`` or
        ``.tsv`` (needs pyarrow); as lines of JSON otherwise.

        Parameters
        ----------
        path
            Where to. Compressed if it ends in ``.gz`` or ``.zst``.
        force
            Replace files that exist.

        Raises
        ------
        EntropyLawError
            If a file exists, or can't be written, or a file of the pool has changed since it was read.
        """
        manifest = manifest_path(path)
        check_writable(path, force)
        check_writable(manifest, force)
        with replacing(path) as file:
            if (kind := named_format(path)) in (None, "json"):
                for record in self.records():
                    file.write(record + b"\n")
            else:
                need_arrow(f"{os.fspath(path)}: writing rows")
                from entropylaw.row_files import write_rows

                records, chosen = self.pool.records, self.indices.tolist()
                write_rows(file, cast(Any, kind), records.schema(chosen), records.rows(chosen))
            # Before the records appear: a reader who finds them finds their manifest too.
            write_json(manifest, self.manifest())

    def summary(self) -> dict[str, Any]:
        """What was selected of what, in numbers: the manifest without the trace."""
        count, size, digest = self.pool.fingerprint
        return {
            "entropylaw": self.version,
            "method": self.method,
            "parameters": dict(self.parameters),
            "pool": {
                "files": [source.name for source in self.pool.records.files()],
                "schema": self.pool.schema,
                "samples": count,
                "bytes": size,
                "sha256": digest,
                "sources": self.pool.group_counts(),
                "skipped": len(self.pool.skipped),
            },
            "selection": {
                "samples": len(self),
                "bytes": self.raw_bytes,
                "ratio": self.ratio,
                "sources": self.sources,
            },
            "seconds": {stage: round(seconds, 3) for stage, seconds in self.seconds.items()},
            "warnings": list(self.warnings),
        }

    def manifest(self) -> dict[str, Any]:
        """Everything needed to explain and repeat the selection, as JSON can hold it."""
        return {
            **self.summary(),
            "indices": self.indices.tolist(),
            **self.trace(),
            "skipped": list(self.pool.skipped),
        }


def manifest_path(path: str | os.PathLike[str]) -> str:
    """Where the manifest of an output goes."""
    return f"{os.fspath(path)}.manifest.json"
