"""A part of a pool: its records, what the controls come to among them, and what the method's leader asks of them."""

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.budget import Unit
from entropylaw.controls.fields import numbers_of
from entropylaw.controls.model import Controls
from entropylaw.controls.part import PartOfControls
from entropylaw.errors import EntropyLawError
from entropylaw.parts.pieces import Piece
from entropylaw.parts.reading import Reading, Rows, Settled, read_part, settle
from entropylaw.pool import Pool
from entropylaw.pool.records import Columns
from entropylaw.pool.schema import find
from entropylaw.pool.unread import Unread
from entropylaw.saving.content import Lines
from entropylaw.storage.options import using
from entropylaw.storage.uploads import staging, upload
from entropylaw.storage.urls import is_url, last_part

_CHANGES = frozenset(
    ("use", "load", "begin", "exclude", "hashes", "meet", "count", "label", "relabel", "weigh", "scale", "open")
)
"""The calls that change the state of a part, besides some of ``answer``."""


def changes(method: str, arguments: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The arguments with which a part that is made again has to be asked a call again, to be as it was after it; None
    if the state of a part does not depend on the call."""
    if method == "answer":
        request = _core.request_changes(arguments[0])
        return None if request is None else (request,)
    return arguments if method in _CHANGES else None


@dataclass(frozen=True)
class Loaded:
    """What a part has, once it is read."""

    samples: int
    bytes: int
    group_names: tuple[str, ...]
    group_counts: tuple[int, ...]
    schema: str
    unread: tuple[Unread, ...]
    skipped: tuple[str, ...]
    skips: NDArray[np.int64]
    empty: int
    """Samples without a byte."""
    without_records: tuple[str, ...]
    counts: tuple[int, ...]
    """Records of each piece."""
    stamps: tuple[Any, ...]
    """What tells the files from what they are at another time."""
    tabular: bool
    seconds: float

    def same(self, other: "Loaded") -> bool:
        """Whether a part that is read again has what it had."""
        mine, theirs = (
            (each.samples, each.bytes, each.group_names, each.group_counts, each.skipped, each.counts, each.stamps)
            for each in (self, other)
        )
        return mine == theirs


class Part:
    """A part of a pool. Calls come one at a time; ``far`` may be called meanwhile."""

    def __init__(self) -> None:
        self._pool: Pool | None = None
        self._controls: PartOfControls | None = None
        self._partition: _core.Partition | None = None
        self._threads: int | None = None
        self._read = (0, 0)
        self._storage: Mapping[str, Any] = {}

    def call(self, method: str, *arguments: Any) -> Any:
        """Calls a method of this, or of the controls, by its name."""
        with using(self._storage):
            if hasattr(type(self), method):
                return getattr(self, method)(*arguments)
            return getattr(self.controls, method)(*arguments)

    def use(self, storage_options: Mapping[str, Any]) -> None:
        """Takes options for storage."""
        self._storage = storage_options

    @property
    def pool(self) -> Pool:
        """The records, once they are read."""
        assert self._pool is not None
        return self._pool

    @property
    def controls(self) -> PartOfControls:
        """The controls, once they have begun."""
        assert self._controls is not None
        return self._controls

    def settle(self, data: Sequence[Piece] | Rows, reading: Reading) -> Settled | None:
        """See ``reading.settle``."""
        return settle(data, reading)

    def load(
        self, data: Sequence[Piece] | Rows, reading: Reading, settled: Settled | None, threads: int | None
    ) -> Loaded:
        """Reads the records."""
        self._threads = threads

        def heard(now: Any) -> None:
            self._read = now.done, now.total

        pool, without = read_part(data, reading, settled, threads, heard)
        self._pool = pool
        counts = np.bincount(pool.groups, minlength=len(pool.group_names)).tolist()
        return Loaded(
            samples=len(pool),
            bytes=pool.size,
            group_names=pool.group_names,
            group_counts=tuple(counts),
            schema=pool.schema,
            unread=pool.unread,
            skipped=pool.skipped,
            skips=pool.skips,
            empty=int(np.count_nonzero(pool.lengths() == 0)),
            without_records=tuple(without),
            counts=tuple(count for _, count in pool.records.parts()),
            stamps=tuple(source.stamp() for source in pool.records.files()),
            tabular=pool.records.tabular,
            seconds=pool.seconds,
        )

    def far(self) -> tuple[int, int]:
        """How many bytes of its files are read, and how many there are."""
        return self._read

    def memory(self) -> int:
        """The most bytes of memory that this process has held; 0 on Windows, which does not tell."""
        if sys.platform == "win32":
            return 0
        import resource

        # Of the kernel, in kilobytes; macOS counts bytes.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024

    def begin(self, controls: Controls, unit: Unit) -> None:
        """Begins with the controls, cut to this part."""
        self._controls = PartOfControls(self.pool, controls, unit, self._threads)

    def open(self, first: int, given: Any) -> None:
        """Makes the partition that answers requests, whose first candidate is number ``first`` of all. ``given``: the
        weights as they were given, if these are what counts, and not multiples of their mean."""
        pool, controls = self.pool, self.controls
        of = slice(None) if controls.members is None else controls.members
        weights = controls.weights if given is None else np.array(numbers_of(pool, "weight", given)[of])
        self._partition = _core.Partition(
            pool.data,
            np.ascontiguousarray(pool.offsets[:-1][of]),
            np.ascontiguousarray(pool.offsets[1:][of]),
            first=first,
            costs=controls.costs,
            groups=controls.groups,
            weights=weights,
            known=controls.known,
            threads=self._threads,
        )

    def answer(self, request: bytes) -> bytes:
        """What the partition answers to a request of the method's leader."""
        assert self._partition is not None
        return self._partition.answer(request)

    def candidate_lengths(self) -> NDArray[np.int64]:
        """Bytes of each candidate."""
        return self.pool.lengths_of(self.members())

    def candidate_bytes(self) -> int:
        """Bytes of all candidates."""
        return self.pool.size if self.controls.members is None else int(self.candidate_lengths().sum())

    def sample_hashes(self, start: int, end: int) -> bytes:
        """SHA-256 of each sample."""
        data, offsets = self.pool.data.data, self.pool.offsets.tolist()
        places = range(start, min(end, len(self.pool)))
        return b"".join(hashlib.sha256(data[offsets[at] : offsets[at + 1]]).digest() for at in places)

    def members(self) -> NDArray[np.int64]:
        """Positions of the candidates in this part."""
        controls = self.controls
        return np.arange(len(self.pool)) if controls.members is None else controls.members

    def values(self, name: str, candidates: NDArray[np.int64] | None = None) -> NDArray[Any] | None:
        """``costs``, ``groups`` or ``weights`` of all candidates, or of some; None if there are none."""
        found: NDArray[Any] | None = getattr(self.controls, name)
        return found if found is None or candidates is None else found[candidates]

    def positions(self, candidates: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where candidates are in this part."""
        members = self.controls.members
        return candidates if members is None else members[candidates]

    def lengths(self, positions: NDArray[np.int64] | slice) -> NDArray[np.int64]:
        """Bytes of samples."""
        offsets = self.pool.offsets
        if isinstance(positions, slice):
            return np.diff(offsets)[positions]
        return self.pool.lengths_of(positions)

    def groups(self, positions: NDArray[np.int64]) -> NDArray[np.uint32]:
        """Samples' groups, by their names here."""
        return self.pool.groups[positions]

    def samples(self, positions: NDArray[np.int64]) -> list[bytes]:
        """Samples, as they are sized."""
        return [self.pool.sample(position) for position in positions.tolist()]

    def text(self, start: int, end: int) -> bytes:
        """Bytes of the samples, one after the other."""
        return self.pool.data[start:end].tobytes()

    def where(self, position: int) -> str:
        """Where a record is, for people."""
        return self.pool.records.where(position)

    def raw(self, positions: NDArray[np.int64]) -> list[bytes]:
        """Records as a line of JSON each, in the order asked for."""
        return list(self.pool.records.raw(positions.tolist()))

    def ids(self, positions: NDArray[np.int64], name: str) -> list[Any]:
        """A field of records."""
        found = []
        for position, record in zip(positions.tolist(), self.pool.records.objects(positions.tolist()), strict=True):
            try:
                found.append(find(record, name))
            except KeyError:
                raise EntropyLawError(f"{self.pool.records.where(position)}: has no field {name!r} (id=)") from None
        return found

    def columns(self, positions: NDArray[np.int64]) -> Columns:
        """The columns of the part's tables, and of some records."""
        return self.pool.records.columns(positions.tolist())

    def write(
        self, path: str, positions: NDArray[np.int64], schema: Any, columns: Mapping[str, NDArray[Any]], temporary: str
    ) -> tuple[int, str]:
        """Writes records with columns added to ``temporary``, in the format that ``path`` stands for; or uploads them
        to ``path``, if that is a URL, replacing an object there. Returns how many bytes that are, and their hash."""
        if is_url(path):
            with staging() as directory:
                local = directory / "records"
                found = self.write(last_part(path), positions, schema, columns, str(local))
                upload([(local, path)], force=True)
            return found
        try:
            with Path(temporary).open("wb") as file:
                self._write(file, path, positions, schema, columns)
                file.flush()
                os.fsync(file.fileno())
            with Path(temporary).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            return Path(temporary).stat().st_size, digest
        except OSError as error:
            raise EntropyLawError(f"{path}: cannot be written: {error.strerror or error}") from None

    def _write(
        self,
        file: IO[bytes],
        path: str,
        positions: NDArray[np.int64],
        schema: Any,
        columns: Mapping[str, NDArray[Any]],
    ) -> None:
        records = self.pool.records
        if schema is None:
            Lines(records, positions, columns).write(file)
            return
        from entropylaw.row_files import write_rows

        added = self.table(positions, schema, columns)
        write_rows(file, "parquet", added.schema, added.to_batches())

    def table(self, positions: NDArray[np.int64], schema: Any, columns: Mapping[str, NDArray[Any]]) -> Any:
        """Records as a table of Arrow, in the order asked for, with columns added."""
        import pyarrow as pa

        rows = pa.Table.from_batches(self.pool.records.rows(positions.tolist(), schema), schema)
        for name, values in columns.items():
            rows = rows.append_column(name, pa.array(values))
        return rows
