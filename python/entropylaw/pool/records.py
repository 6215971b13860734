"""The records behind the samples of a pool, and the ways back to them."""

import bisect
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from entropylaw.errors import EntropyLawError
from entropylaw.pool.encode import as_json, in_json_types
from entropylaw.pool.render import parse
from entropylaw.pool.schema import RecordError
from entropylaw.pool.source import Source

if TYPE_CHECKING:
    import pyarrow as pa

    from entropylaw.pool.shapes import Shape

_SPOOL_IN_MEMORY = 1 << 26
"""Bytes of chosen records held in memory while they are brought into pick order; what is above lies in a file."""


class _Part(Protocol):
    """The records of one file, table or list. Positions count its own records from 0 on, and come in rising order."""

    source: Source | None
    """The file that they are in."""
    name: str
    """What they are the records of, for people."""

    def __len__(self) -> int: ...

    def where(self, position: int) -> str:
        """Where a record is, for people."""

    def paths(self) -> list[str]:
        """The files with a name that are read for them."""

    def raw(self, positions: NDArray[np.int64]) -> Iterator[bytes]:
        """Records as one line of JSON each."""


class RowsPart(_Part, Protocol):
    """Records that are rows of a table, with types of their own."""

    tabular: Literal[True]

    @property
    def stored(self) -> "pa.Schema":
        """The columns, in the types that they have in the table."""

    def batches(self, positions: NDArray[np.int64]) -> Iterator["pa.RecordBatch"]:
        """Records as rows, in types that rows can be taken from; see ``arrow_types.takeable``."""


class ObjectsPart(_Part, Protocol):
    """Records of JSON, or Python objects."""

    tabular: Literal[False]

    def objects(self, positions: NDArray[np.int64]) -> Iterator[tuple[str, Any]]:
        """Records as Python objects, each with where it is; a number beyond a float's range is a ``msgspec.Raw``."""


Part = RowsPart | ObjectsPart


class Records:
    """The records of a pool, part after part; by their index in the pool, in whatever order they are asked for.

    ``raw`` gives them as lines of JSON, ``rows`` as rows of a table. Both read what they need again from the files, and
    hold no more than some tens of megabytes at a time.
    """

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._ends: list[int] = []

    def add(self, part: Part) -> None:
        """Adds a part that has all its records."""
        self._parts.append(part)
        self._ends.append(len(self) + len(part))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @property
    def tabular(self) -> bool:
        """Whether all records are rows of tables, so that ``rows`` gives them back in the types that they came in."""
        return all(part.tabular for part in self._parts if len(part))

    def files(self) -> list[Source]:
        """The files that they are in."""
        return [part.source for part in self._parts if part.source is not None]

    def parts(self) -> list[tuple[str, int]]:
        """What they are read from, files and others, by name, with how many of them each has, in order."""
        return [(part.name if part.source is None else part.source.name, len(part)) for part in self._parts]

    def paths(self) -> list[str]:
        """The files with a name that are read for them: those of ``files``, and what a table in memory maps."""
        return [path for part in self._parts for path in part.paths()]

    def where(self, index: int) -> str:
        """Where a record is, for people."""
        number = bisect.bisect_right(self._ends, index)
        return self._parts[number].where(index - (self._ends[number] - len(self._parts[number])))

    def raw(self, indices: Iterable[int]) -> Iterator[bytes]:
        """Records as one line of JSON each, in the order asked for; from JSON files, the bytes that are there.

        Rows of tables become JSON objects: see ``row_values.values`` for what each type becomes; binary is base64, NaN
        and infinities are null.

        Raises
        ------
        EntropyLawError
            If a file has changed since it was read, or a record has no form in JSON.
        """
        wanted = np.fromiter(indices, dtype=np.int64)
        rising, order = np.unique(wanted, return_inverse=True)
        found = (record for part, positions in self._split(rising) for record in part.raw(positions))
        if np.array_equal(rising, wanted):
            yield from found
            return
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL_IN_MEMORY) as spool:
            ends = np.zeros(len(rising) + 1, dtype=np.int64)
            np.cumsum(np.fromiter(map(spool.write, found), dtype=np.int64), out=ends[1:])
            for number in order:
                spool.seek(ends[number])
                yield spool.read(ends[number + 1] - ends[number])

    def objects(self, indices: Iterable[int]) -> Iterator[Any]:
        """Records as Python objects, in the order asked for: what was given, or what a row or a line of JSON says.

        Raises
        ------
        EntropyLawError
            If a file has changed since it was read.
        """
        if self.tabular:
            for batch in self.rows(indices):
                yield from batch.to_pylist()
        elif all(isinstance(part, ObjectRecords) for part in self._parts):
            for index in indices:
                ((_, record),) = self._parts[0].objects(np.array([index]))  # type: ignore[union-attr]
                yield record
        else:
            yield from map(parse, self.raw(indices))

    def tables(self) -> list[tuple[str, "pa.Schema"]]:
        """The columns of each part that is a table, with its name.

        One without records has no say: what an empty table calls its columns' types is often made up.
        """
        return [(part.name, part.stored) for part in self._parts if part.tabular and len(part)]

    def first_objects(self, count: int) -> Iterator[tuple[str, Iterator[tuple[str, Any]]]]:
        """The first records of each part that is no table, ``count`` at most, with its name."""
        for part in self._parts:
            if not part.tabular:
                yield part.name, part.objects(np.arange(min(count, len(part))))

    def schema(self, indices: Iterable[int] = ()) -> "pa.Schema":
        """The columns and types of ``rows``: of tables their own, for records of JSON those that ``indices`` need.

        Raises
        ------
        EntropyLawError
            If a column has types that don't go together; the message names the files.
        """
        return schema_of_columns([self.columns(indices)])

    def columns(self, indices: Iterable[int] = ()) -> "Columns":
        """What ``schema(indices)`` is made of."""
        from entropylaw.pool.shapes import shapes_of

        rising = np.unique(np.fromiter(indices, dtype=np.int64))
        others = [(part, positions) for part, positions in self._split(rising) if not part.tabular]
        if not others:
            return Columns(self.tables(), "", None)
        found = (record for part, positions in others for record in _for_rows(part, positions))
        return Columns(self.tables(), others[0][0].name, shapes_of(found))

    def rows(self, indices: Iterable[int], schema: "pa.Schema | None" = None) -> Iterator["pa.RecordBatch"]:
        """Records as rows, in the order asked for, in batches of the type ``schema``, by default ``schema(indices)``.

        Needs pyarrow. A column that a record does not have is null in its row. A column with a dictionary has one for
        all batches.

        Raises
        ------
        EntropyLawError
            If a file has changed since it was read, if a column has types that don't go together, or without pyarrow.
        """
        from entropylaw.pool.rows import conformed, has_dictionaries, plain_schema, reordered, rows_of

        wanted = np.fromiter(indices, dtype=np.int64)
        rising, order = np.unique(wanted, return_inverse=True)
        schema = self.schema(rising) if schema is None else schema
        plain = plain_schema(schema)
        found: Iterator[pa.RecordBatch] = (
            conformed(batch, plain, part.name)
            for part, positions in self._split(rising)
            for batch in (part.batches(positions) if part.tabular else rows_of(_for_rows(part, positions), plain))
        )
        if not np.array_equal(rising, wanted) or has_dictionaries(schema):
            found = reordered(found, plain, order)
        return (conformed(batch, schema, "the selection") for batch in found)

    def _split(self, rising: NDArray[np.int64]) -> Iterator[tuple[Part, NDArray[np.int64]]]:
        """The parts that hold these records, with their positions in each."""
        if len(rising) and (rising[0] < 0 or rising[-1] >= len(self)):
            raise IndexError(f"the pool has {len(self)} records; asked for {rising[0]} to {rising[-1]}")
        cuts = np.searchsorted(rising, self._ends)
        start = 0
        for part, end, cut in zip(self._parts, self._ends, cuts.tolist(), strict=True):
            if cut > start:
                yield part, rising[start:cut] - (end - len(part))
            start = cut


def _for_rows(part: ObjectsPart, positions: NDArray[np.int64]) -> Iterator[tuple[str, Any]]:
    """Records as Python objects of the types that JSON has."""
    if not isinstance(part, ObjectRecords):
        yield from part.objects(positions)
        return
    for where, record in part.objects(positions):
        try:
            yield where, in_json_types(record)
        except RecursionError:
            raise EntropyLawError(f"{where}: is nested too deeply for a table; write JSON Lines") from None


class Columns(NamedTuple):
    """The columns of some records."""

    tables: "list[tuple[str, pa.Schema]]"
    """Of each table, with its name."""
    name: str
    """What the first record that is in no table is from."""
    shapes: "dict[str, Shape] | None"
    """What the values of records have in common that are in no table; None if there are none."""


def schema_of_columns(parts: Sequence[Columns]) -> "pa.Schema":
    """The columns and types that hold the records of several parts.

    Raises
    ------
    EntropyLawError
        If a column has types that don't go together; the message names the files.
    """
    from entropylaw.pool.rows import unified
    from entropylaw.pool.shapes import joined, schema_from

    tables = [table for part in parts for table in part.tables]
    others = [part for part in parts if part.shapes is not None]
    if not others:
        return unified(tables)
    return unified(tables, (others[0].name, schema_from(joined(part.shapes for part in others if part.shapes))))


def json_line(record: Any, where: str) -> bytes:
    """A Python object as one line of JSON.

    Raises
    ------
    EntropyLawError
        If it has no form in JSON.
    """
    try:
        return as_json(record)
    except RecordError as error:
        raise EntropyLawError(f"{where}: {error}; give records that JSON can hold") from None


class ObjectRecords:
    """Records that are Python objects."""

    name = "the pool"
    tabular: Literal[False] = False

    def __init__(self, objects: Sequence[Any]) -> None:
        self.source: Source | None = None
        # What is done to a list after it was read does not move its records.
        self._objects = list(objects) if isinstance(objects, list) else objects
        self._kept: list[int] = []

    def add(self, index: int) -> None:
        """The next record is ``objects[index]``."""
        self._kept.append(index)

    def __len__(self) -> int:
        return len(self._kept)

    def where(self, position: int) -> str:
        return f"record {self._kept[position]}"

    def paths(self) -> list[str]:
        return []

    def raw(self, positions: NDArray[np.int64]) -> Iterator[bytes]:
        return (json_line(record, where) for where, record in self.objects(positions))

    def objects(self, positions: NDArray[np.int64]) -> Iterator[tuple[str, Any]]:
        return ((self.where(position), self._objects[self._kept[position]]) for position in positions.tolist())
