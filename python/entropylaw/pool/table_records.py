"""Records that are rows of a table."""

from array import array
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from entropylaw.pool.arrow import mapped
from entropylaw.pool.builder import Builder
from entropylaw.pool.csv_faults import cell_remedy
from entropylaw.pool.encode import row_as_json
from entropylaw.pool.layouts import RECORD_REMEDY
from entropylaw.pool.schema import RecordError
from entropylaw.pool.source import Source
from entropylaw.pool.table_text import texts
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
    if not table.has_rows():
        builder.records.add(records)
        return
    numbers = builder.columns.number_fields if isinstance(table, CsvTable) else ()
    row = 0
    before = builder.size
    needed = _needed(table, builder)
    rendered = [name for name in needed or () if name not in builder.columns.fields]
    for batch in table.batches(needed):
        builder.report(table.position(row))
        table.check_rendered(builder.size - before)
        if (found := texts(batch, builder)) is not None:
            builder.add_many(found.data, found.lengths)
            builder.columns.add_many(found.group_names, found.groups, found.numbers)
            records.add(batch.num_rows)
            row += batch.num_rows
            continue
        for record in _records(batch):
            where = _where(table.name, row)
            row += 1
            try:
                if isinstance(record, RecordError):
                    raise record
                record.update((name, _number(record[name])) for name in numbers if name in record)
                builder.add(record, where)
            except RecordError as error:
                builder.refuse(where, error, _remedy(table, rendered, record))
                records.skip()
            else:
                records.add()
                table.check_rendered(builder.size - before)
    builder.records.add(records)


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
    read = builder.renderer.columns(names, table.name, table.columns_remedy())
    if read is None:
        return None
    fields = [*read, *builder.columns.fields]
    wanted = {name for field in fields for name in (field, field.split(".")[0])}
    return [name for name in names if name in wanted]


def _remedy(table: Table, rendered: Sequence[str], record: Any) -> str:
    """What to do about a row that can't be rendered: its column may hold what no row of it can be rendered from."""
    if isinstance(table, CsvTable):
        remedy = cell_remedy(record) if isinstance(record, dict) else None
        return remedy or RECORD_REMEDY
    for name in rendered:
        kind = table.schema.field(name).type
        if pa.types.is_primitive(kind):
            return f"the column {name!r} is {kind}: write it as text, or name another field (field=, --field)"
    return RECORD_REMEDY


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
