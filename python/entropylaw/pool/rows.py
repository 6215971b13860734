"""Rows of tables: one type for all of them, in the order asked for, and types for records of JSON."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from entropylaw.errors import EntropyLawError
from entropylaw.pool.arrow import reason

_INFERRED = 4096
"""Records of JSON whose types are inferred together."""
_PIECE = 1 << 25
"""Bytes of rows that are brought into order together: few pieces to gather each batch from."""
_BATCH = 4096
"""Rows in a batch that has been brought into order."""

_REMEDY = "give the column one type in all files, or write JSON Lines, which needs none"


def unified(schemas: Sequence[tuple[str, pa.Schema]]) -> pa.Schema:
    """The columns of all ``schemas``, each named by where it is from, in types that hold all their values.

    Raises
    ------
    EntropyLawError
        If a column has types that don't go together.
    """
    fields: dict[str, tuple[str, pa.Field]] = {}
    for name, schema in schemas:
        for field in schema:
            before, known = fields.get(field.name, (name, field))
            if known.type != field.type:
                try:
                    both = [pa.schema([known]), pa.schema([field])]
                    known = pa.unify_schemas(both, promote_options="permissive").field(0)
                except pa.ArrowException:
                    raise EntropyLawError(
                        f"{name}: column {field.name!r} is {field.type}, but {known.type} in {before}; {_REMEDY}"
                    ) from None
            fields[field.name] = before, known.with_nullable(known.nullable or field.nullable)
    everywhere = [name for name in fields if all(schema.get_field_index(name) >= 0 for _, schema in schemas)]
    metadata = schemas[0][1].metadata if schemas else None
    return pa.schema(
        [field if name in everywhere else field.with_nullable(True) for name, (_, field) in fields.items()], metadata
    )


def conformed(batch: pa.RecordBatch, schema: pa.Schema, name: str) -> pa.RecordBatch:
    """A batch in the columns and types of ``schema``, which is unified from its own.

    Raises
    ------
    EntropyLawError
        If a value does not fit its type; ``name`` says where the batch is from.
    """
    if batch.schema.equals(schema):
        return batch.replace_schema_metadata(schema.metadata)
    columns = []
    for field in schema:
        index = batch.schema.get_field_index(field.name)
        try:
            column = pa.nulls(batch.num_rows, field.type) if index < 0 else batch.column(index)
            columns.append(column if column.type == field.type else column.cast(field.type))
        except pa.ArrowException as error:
            raise EntropyLawError(
                f"{name}: column {field.name!r} does not fit {field.type}: {reason(error)}; {_REMEDY}"
            ) from None
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def reordered(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, order: NDArray[np.intp]
) -> Iterator[pa.RecordBatch]:
    """The rows ``order`` of all ``batches``, which lie in a temporary file meanwhile."""
    with tempfile.TemporaryDirectory() as directory:
        path = str(Path(directory) / "rows.arrow")
        with pa.ipc.new_stream(path, schema) as spool:
            for piece in _pieces(batches):
                spool.write_batch(piece)
        with pa.memory_map(path) as mapped:
            table = pa.ipc.open_stream(mapped).read_all()
            # One dictionary for all batches: an Arrow file can hold no other.
            pieces = table.unify_dictionaries().to_batches()
            yield from _gathered(pieces, schema, order)
            del table, pieces


def _pieces(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in fewer batches."""
    waiting: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        waiting.append(batch)
        size += batch.get_total_buffer_size()
        if size >= _PIECE:
            yield pa.concat_batches(waiting)
            waiting, size = [], 0
    if waiting:
        yield pa.concat_batches(waiting)


def _gathered(pieces: list[pa.RecordBatch], schema: pa.Schema, order: NDArray[np.intp]) -> Iterator[pa.RecordBatch]:
    ends = np.cumsum([piece.num_rows for piece in pieces])
    for start in range(0, len(order), _BATCH):
        wanted = order[start : start + _BATCH]
        numbers = np.searchsorted(ends, wanted, side="right")
        taken = []
        places = []
        for number in np.unique(numbers).tolist():
            mine = np.flatnonzero(numbers == number)
            taken.append(pieces[number].take(pa.array(wanted[mine] - (ends[number] - pieces[number].num_rows))))
            places.append(mine)
        back = np.empty(len(wanted), dtype=np.int64)
        back[np.concatenate(places)] = np.arange(len(wanted))
        yield pa.concat_batches(taken).take(pa.array(back)).replace_schema_metadata(schema.metadata)


def inferred(records: Iterable[tuple[str, Any]]) -> Iterator[pa.RecordBatch]:
    """Records of JSON, each with where it is, as rows of the types that they need; a bare text is the column ``text``.

    Raises
    ------
    EntropyLawError
        If a column's values have no type in common.
    """
    records = iter(records)
    while part := list(islice(records, _INFERRED)):
        rows = [record if isinstance(record, dict) else {"text": _text(record)} for _, record in part]
        names = dict.fromkeys(name for row in rows for name in row)
        columns = {}
        for name in names:
            values = [row.get(name) for row in rows]
            try:
                columns[name] = pa.array(values, from_pandas=False)
            except (pa.ArrowException, OverflowError, ValueError, TypeError) as error:
                raise EntropyLawError(
                    f"{part[0][0]} and the {len(part) - 1} after it: {name!r} does not fit one column: "
                    f"{reason(error)}; write JSON Lines, which needs no types"
                ) from None
        yield pa.record_batch(columns) if columns else pa.record_batch([pa.nulls(len(rows))], names=["text"])


def inferred_schema(name: str, batches: Iterable[pa.RecordBatch]) -> pa.Schema:
    """The type that all of these batches fit."""
    return unified([(name, batch.schema) for batch in batches])


def _text(record: Any) -> Any:
    return bytes(record) if isinstance(record, bytearray) else record
