"""The chosen records as a stream that is cut into files: lines of JSON, or rows of a table."""

import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from entropylaw.errors import EntropyLawError
from entropylaw.pool.arrow import bytes_of, need_arrow
from entropylaw.pool.records import Records
from entropylaw.saving.endings import ending, is_array, is_packed, written_format
from entropylaw.saving.members import with_members

if TYPE_CHECKING:
    import pyarrow as pa


class Content(Protocol):
    """Records that are written one after the other, to one file or to several."""

    def write(self, file: IO[bytes], *, records: int | None = None, size: int | None = None) -> None:
        """Writes the next records: so many, or at least one and as many as fit ``size`` bytes."""

    def done(self) -> bool:
        """Whether all are written."""


def content_of(path: str, records: Records, indices: NDArray[np.int64], members: Mapping[str, NDArray[Any]]) -> Content:
    """The records at ``indices`` in the format that the name of ``path`` stands for, with ``members`` added."""
    if row_format(path) is None:
        return Lines(records, indices, members, is_array(path))
    return Rows(path, records, indices, members)


RowFormat = Literal["parquet", "arrow", "csv", "tsv"]

ENDINGS = ".jsonl or .json, .csv or .tsv (each also with .gz or .zst), .parquet or .arrow"
"""Ends of the names of files that records can be written to."""


def row_format(path: str | os.PathLike[str]) -> RowFormat | None:
    """The format of tables that a file's name stands for; None for JSON, which is what a name without an ending means.

    Raises
    ------
    EntropyLawError
        If the name ends like no such format, or like one that can't be written.
    """
    name = os.fspath(path)
    kind = written_format(path)
    if kind is None and (end := ending(path)):
        raise EntropyLawError(f"{name}: records are not written as {end}; end the name in {ENDINGS}")
    if kind in (None, "json"):
        return None
    need_arrow(f"{name}: writing rows")
    if kind in ("parquet", "arrow") and is_packed(path):
        raise EntropyLawError(f"{name}: {kind} files are compressed inside; leave out .gz or .zst")
    return cast(RowFormat, kind)


class Lines:
    """Records as lines of JSON, or on the lines of an array."""

    def __init__(
        self, records: Records, indices: NDArray[np.int64], members: Mapping[str, NDArray[Any]], array: bool = False
    ) -> None:
        self._first, self._between, self._last = (b"[\n", b",\n", b"\n]\n") if array else (b"", b"\n", b"\n")
        self._lines = records.raw(indices.tolist())
        if members:
            rows = zip(*(column.tolist() for column in members.values()), strict=True)
            self._lines = (
                with_members(line, dict(zip(members, row, strict=True)), records.where(index))
                for line, row, index in zip(self._lines, rows, indices.tolist(), strict=True)
            )
        self._next = next(self._lines, None)

    def done(self) -> bool:
        return self._next is None

    def write(self, file: IO[bytes], *, records: int | None = None, size: int | None = None) -> None:
        written = count = 0
        while (line := self._next) is not None and count != records:
            before = self._between if count else self._first
            if size is not None and count and written + len(before) + len(line) + len(self._last) > size:
                break
            file.write(before + line)
            count, written = count + 1, written + len(before) + len(line)
            self._next = next(self._lines, None)
        file.write(self._last if count else self._first + self._last.lstrip())


class Rows:
    """Records as rows of a table.

    The bytes of a row are those that its batch takes in memory, divided by the batch's rows.
    """

    def __init__(
        self, path: str, records: Records, indices: NDArray[np.int64], members: Mapping[str, NDArray[Any]]
    ) -> None:
        import pyarrow as pa

        from entropylaw.row_files import check_columns
        from entropylaw.saving.holding import tell

        self._kind = cast(RowFormat, row_format(path))
        added = {name: pa.array(column) for name, column in members.items()}
        self._schema = base = records.schema(indices)
        for name, column in added.items():
            if name in self._schema.names:
                raise EntropyLawError(f"the records have a column {name!r} already; don't add it, or rename that one")
            self._schema = self._schema.append(pa.field(name, column.type))
        check_columns(self._kind, self._schema)
        tell(records, self._kind, self._schema)
        self._batches = self._with_added(records.rows(indices, base), added)
        self._next = next(self._batches, None)

    def done(self) -> bool:
        return self._next is None

    def write(self, file: IO[bytes], *, records: int | None = None, size: int | None = None) -> None:
        from entropylaw.row_files import write_rows

        write_rows(file, self._kind, self._schema, self._take(records, size))

    def _with_added(self, batches: Iterable["pa.RecordBatch"], added: Mapping[str, Any]) -> Iterator["pa.RecordBatch"]:
        import pyarrow as pa

        start = 0
        for batch in batches:
            columns = [column.slice(start, batch.num_rows) for column in added.values()]
            start += batch.num_rows
            if batch.num_rows:
                yield pa.RecordBatch.from_arrays([*batch.columns, *columns], schema=self._schema)

    def _take(self, records: int | None, size: int | None) -> Iterator["pa.RecordBatch"]:
        first = True
        while (batch := self._next) is not None and records != 0:
            each = max(1.0, bytes_of(batch) / batch.num_rows)
            fits = batch.num_rows if records is None else records
            if size is not None:
                fits = max(int(size / each), int(first))
                if not fits:
                    return
            part = batch.slice(0, fits)
            rest = batch.slice(part.num_rows)
            self._batches = chain([rest], self._batches) if rest.num_rows else self._batches
            yield part
            first = False
            self._next = next(self._batches, None)
            records = None if records is None else records - part.num_rows
            size = None if size is None else size - int(part.num_rows * each)
