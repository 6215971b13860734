"""Records that are rows of a table."""

from array import array
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from entropylaw.pool.arrow import mapped
from entropylaw.pool.builder import Builder
from entropylaw.pool.columnar import Rows, read_rows
from entropylaw.pool.encode import row_as_json
from entropylaw.pool.schema import RecordError
from entropylaw.pool.source import Source
from entropylaw.pool.tables import CsvTable, Table


class TableRecords:
    """The rows of one table, without those that were skipped."""

    tabular = True

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
        return _where(self._table.name, int(self._row(np.array([position]))[0]))

    def paths(self) -> list[str]:
        return self._table.paths()

    def raw(self, positions: NDArray[np.int64]) -> Iterator[bytes]:
        for batch in self.batches(positions):
            yield from map(row_as_json, _for_json(batch).to_pylist())

    def schema(self, positions: NDArray[np.int64]) -> pa.Schema:
        return self._table.schema

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
    numbers = builder.columns.number_fields if isinstance(table, CsvTable) else ()
    row = 0
    before = builder.size
    for batch in table.batches(_needed(table, builder)):
        builder.report(table.position(row))
        table.check_rendered(builder.size - before)
        rows = _Rows(table, records, builder, row, numbers)
        if (found := read_rows(batch, builder)) is None:
            rows.add_one_by_one(batch)
        else:
            rows.add_all(batch, found)
        row += batch.num_rows
        table.check_rendered(builder.size - before)
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
        read = found.read
        self.builder.leave(read.unread)
        ends = np.concatenate([[0], np.cumsum(np.maximum(read.lengths, 0))])
        done = 0
        for left in [*np.flatnonzero(read.lengths < 0).tolist(), batch.num_rows]:
            if left > done:
                run = slice(done, left)
                self.builder.add_many(read.data[ends[done] : ends[left]], read.lengths[run])
                self.builder.columns.add_many(
                    found.group_names, found.groups[run], [column[run] for column in found.numbers]
                )
                self.records.add(left - done)
            if left < batch.num_rows:
                self.add_one_by_one(batch.slice(left, 1), left)
            done = left + 1

    def add_one_by_one(self, batch: pa.RecordBatch, start: int = 0) -> None:
        """Adds rows as Python objects."""
        for number, record in enumerate(_records(batch)):
            where = _where(self.table.name, self.first + start + number)
            try:
                if isinstance(record, RecordError):
                    raise record
                record.update((name, _number(record[name])) for name in self.numbers if name in record)
                self.builder.add(record, where)
            except RecordError as error:
                self.builder.refuse(where, error)
                self.records.skip()
            else:
                self.records.add()


def _records(batch: pa.RecordBatch) -> Iterator[dict[str, Any] | RecordError]:
    """The rows as Python objects, or why one can't be."""
    try:
        yield from batch.to_pylist()
    except UnicodeDecodeError:
        for row in range(batch.num_rows):
            try:
                yield batch.slice(row, 1).to_pylist()[0]
            except UnicodeDecodeError as error:
                yield RecordError(f"is not UTF-8: found byte 0x{error.object[error.start]:02x}")


def _needed(table: Table, builder: Builder) -> list[str] | None:
    """The columns to read; None for all."""
    names = table.schema.names
    read = builder.renderer.columns({field.name: _stand_in(field.type) for field in table.schema}, table.name)
    if read is None:
        return None
    fields = [*read, *builder.columns.fields]
    wanted = {name for field in fields for name in (field, field.split(".")[0])}
    return [name for name in names if name in wanted]


def _stand_in(kind: pa.DataType) -> Any:
    """A value of a type, for telling a schema by the columns: None for one that holds nothing but nulls."""
    if pa.types.is_null(kind):
        return None
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [] if pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type) else [None]
    return {} if pa.types.is_struct(kind) else True


def _where(name: str, row: int) -> str:
    return f"{name}: row {row + 1}"


def _number(value: Any) -> Any:
    """The number that a field of CSV is, or the field."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


def _for_json(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with what Python's own types can't hold, such as nanoseconds, made text."""

    def plain(kind: pa.DataType) -> pa.DataType | None:
        types = pa.types
        if types.is_timestamp(kind) or types.is_time(kind) or types.is_date(kind) or types.is_decimal(kind):
            return pa.string()
        return pa.int64() if types.is_duration(kind) else None

    kinds: Sequence[pa.DataType] = [mapped(kind, plain) for kind in batch.schema.types]
    if kinds == batch.schema.types:
        return batch
    columns = [column.cast(kind) for column, kind in zip(batch.columns, kinds, strict=True)]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
