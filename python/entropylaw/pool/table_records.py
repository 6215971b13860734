"""Records that are rows of a table."""

import contextlib
from array import array
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from entropylaw.errors import EntropyLawError
from entropylaw.pool.arrow_types import holds, is_binary, is_json
from entropylaw.pool.builder import Builder
from entropylaw.pool.columnar import Rows, read_rows
from entropylaw.pool.csv_table import CsvTable
from entropylaw.pool.encode import row_as_json, row_with_json
from entropylaw.pool.outline import outline, type_of
from entropylaw.pool.render import parse
from entropylaw.pool.row_values import rows
from entropylaw.pool.schema import RecordError, find
from entropylaw.pool.source import Source
from entropylaw.pool.tables import Table


class TableRecords:
    """The rows of one table, without those that were skipped."""

    tabular: Literal[True] = True

    def __init__(self, table: Table) -> None:
        self.source: Source | None = table.source
        self.name = table.name
        self._table = table
        self._rows = 0
        # Skipped rows are few: position p is row p + the number of skipped rows before it.
        self._skipped = array("q")

    def add(self, rows: int = 1) -> None:
        """The next rows are records."""
        self._rows += rows

    def skip(self) -> None:
        """The next row is none."""
        self._skipped.append(self._rows)

    def __len__(self) -> int:
        return self._rows

    def where(self, position: int) -> str:
        return _where(self._table, int(self._row(np.array([position]))[0]))

    def paths(self) -> list[str]:
        return self._table.paths()

    def raw(self, positions: NDArray[np.int64]) -> Iterator[bytes]:
        encode = row_with_json if any(holds(field.type, is_json) for field in self.stored) else row_as_json
        numbers = iter(self._row(positions).tolist())
        for batch in self.batches(positions):
            for row in rows(batch, _stored):
                where = _where(self._table, next(numbers))
                try:
                    if isinstance(row, RecordError):
                        raise row
                    yield encode(row)
                except RecordError as error:
                    raise EntropyLawError(f"{where}: {error}; write Parquet or Arrow, which keep it") from None

    @property
    def stored(self) -> pa.Schema:
        return self._table.stored

    def batches(self, positions: NDArray[np.int64]) -> Iterator[pa.RecordBatch]:
        return self._table.take(self._row(positions))

    def _row(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        skipped = np.frombuffer(self._skipped, dtype=np.int64)
        return positions + np.searchsorted(skipped, positions, side="right")


def read_table(table: Table, builder: Builder) -> None:
    """Reads the columns of a table that samples are made of.

    Raises
    ------
    EntropyLawError
        If the table does not have them, or can't be read.
    """
    records = TableRecords(table)
    if not table.has_rows():
        builder.records.add(records)
        return
    numbers = _as_numbers(table, builder.columns.number_fields)
    row = 0
    before = builder.size
    needed = _needed(table, builder)
    for batch in table.batches(needed):
        builder.report(table.position(row))
        table.check_rendered(builder.size - before)
        rows = _Rows(table, records, builder, row, numbers)
        if (found := read_rows(batch, builder, numbers)) is None:
            rows.add_one_by_one(batch)
        else:
            rows.add_all(batch, found)
        row += batch.num_rows
        table.check_rendered(builder.size - before)
    if builder.renderer.name == "text":
        builder.leave(table.unread)
    builder.records.add(records)


class _Rows(NamedTuple):
    """Where the rows of a batch go."""

    table: Table
    records: TableRecords
    builder: Builder
    first: int
    """The row of the table that is the batch's first."""
    numbers: Sequence[str]
    """The fields that hold numbers as text."""

    def add_all(self, batch: pa.RecordBatch, found: Rows) -> None:
        """Adds the rows that were read, and those that were left one by one."""
        for run, left in self.builder.add_read(found.read, found.group_names, found.groups, found.numbers):
            self.records.add(run.stop - run.start)
            if left is not None:
                self.add_one_by_one(batch.slice(left, 1), left)

    def add_one_by_one(self, batch: pa.RecordBatch, start: int = 0) -> None:
        """Adds rows as Python objects."""
        for number, record in enumerate(_records(batch)):
            where = _where(self.table, self.first + start + number)
            try:
                if isinstance(record, RecordError):
                    raise record
                fields = _with_numbers(record, self.numbers) if self.numbers else None
                self.builder.add(record, where, fields=fields, own=True)
            except RecordError as error:
                self.builder.refuse(where, error)
                self.records.skip()
            else:
                self.records.add()


def _records(batch: pa.RecordBatch) -> Iterator[dict[str, Any] | RecordError]:
    """The rows as Python objects, as they would be read from JSON Lines; or why one can't be."""
    return rows(batch, _parsed)


def _parsed(text: str) -> Any:
    """The value of a column of the type JSON."""
    try:
        return parse(text.encode())
    except RecordError as error:
        raise _no_json(error) from None


def _stored(text: str) -> msgspec.Raw:
    """The value of a column of the type JSON as it is written, on one line."""
    _parsed(text)
    # Line breaks inside text are escapes.
    return msgspec.Raw(text.strip(" \t\r\n").replace("\r", " ").replace("\n", " ").encode())


def _no_json(error: RecordError) -> RecordError:
    return RecordError(f"has the type JSON, but {error}")


def _needed(table: Table, builder: Builder) -> list[str] | None:
    """The columns to read; None for all.

    Raises
    ------
    EntropyLawError
        If the table does not have the pool's schema, or has bytes where it has text.
    """
    read = builder.renderer.columns(outline(table.schema), table.name, table.columns_remedy())
    if read is None:
        return None
    for field in read:
        kind = type_of(table.schema, field)
        if kind is not None and is_binary(kind):
            raise EntropyLawError(f"{table.name}: column {field!r} is {kind}, not text; cast it to string")
    wanted = {column for field in (*read, *builder.columns.fields) for column in (field, field.split(".")[0])}
    return [name for name in table.schema.names if name in wanted]


def _as_numbers(table: Table, fields: Sequence[str]) -> list[str]:
    """The fields that are text as JSON has them, but hold numbers: all of CSV, and decimals."""
    if isinstance(table, CsvTable):
        return [field for field in fields if field in table.schema.names]
    found = []
    for field in fields:
        kind = type_of(table.schema, field)
        if kind is not None and pa.types.is_decimal(kind):
            found.append(field)
    return found


def _with_numbers(record: dict[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """A record with numbers for these fields; a field inside another becomes a member by its whole name."""
    found = {}
    for field in fields:
        with contextlib.suppress(KeyError):
            found[field] = _number(find(record, field))
    return record | found


def _where(table: Table, row: int) -> str:
    return f"{table.name}: row {table.first_row + row + 1}"


def _number(value: Any) -> Any:
    """The number that a text is, or the text."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return value
