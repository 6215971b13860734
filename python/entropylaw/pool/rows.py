"""Rows of tables: one type for all of them, in the order asked for."""

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
from entropylaw.pool.arrow_types import converted, holds, is_json, is_list, takeable
from entropylaw.pool.shapes import batch_of

_TOGETHER = 4096
"""Records of JSON that become one batch."""
_PIECE = 1 << 25
"""Bytes of rows that are brought into order together: few pieces to gather each batch from."""
_BATCH = 4096
"""Rows in a batch that has been brought into order."""

_REMEDY = "give the column one type in all files, or write JSON Lines, which needs none"


def unified(tables: Sequence[tuple[str, pa.Schema]], needed: tuple[str, pa.Schema] | None = None) -> pa.Schema:
    """The columns of ``tables`` and of records of JSON, in types that hold all their values as they are.

    Each is named by where it is from. ``needed`` are the types that the records of JSON need.

    Raises
    ------
    EntropyLawError
        If a column has types that don't go together: objects of different members among others, unless these are from
        one place, such as the blocks of a data set, whose types are made of what each happens to hold.
    """
    schemas = [*tables, *([needed] if needed else [])]
    fields: dict[str, tuple[str, pa.Field]] = {}
    for name, schema in schemas:
        for field in schema:
            before, known = fields.get(field.name, (name, field))
            try:
                kind = _together(known.type, field.type, needed is not None and schema is needed[1], before == name)
            except pa.ArrowException:
                if before == name:
                    raise EntropyLawError(
                        f"{name}: column {field.name!r} is {known.type} in some rows, and {field.type} in others; "
                        "give it one type"
                    ) from None
                raise EntropyLawError(
                    f"{name}: column {field.name!r} is {field.type}, but {known.type} in {before}; {_REMEDY}"
                ) from None
            fields[field.name] = before, known.with_type(kind).with_nullable(known.nullable or field.nullable)
    everywhere = [name for name in fields if all(schema.get_field_index(name) >= 0 for _, schema in schemas)]
    metadata = schemas[0][1].metadata if schemas else None
    return pa.schema(
        [field if name in everywhere else field.with_nullable(True) for name, (_, field) in fields.items()], metadata
    )


def _together(one: pa.DataType, other: pa.DataType, inferred: bool, fills: bool) -> pa.DataType:
    """A type that holds the values of two; ``other`` is that of records of JSON if it is ``inferred``. ``fills``:
    members that an object lacks may become null."""
    types = pa.types
    if one == other or types.is_null(other) or (inferred and is_json(one)):
        return one
    if types.is_null(one):
        return other
    if takeable(one) == takeable(other):
        return takeable(one)
    if types.is_struct(one) and types.is_struct(other):
        members = {part.name: part for part in other}
        mine = {part.name for part in one}
        if members.keys() != mine and not fills:
            raise pa.ArrowTypeError("objects of different members")
        merged = [
            _field(part, members[part.name], inferred, fills) if part.name in members else part.with_nullable(True)
            for part in one
        ]
        return pa.struct(merged + [part.with_nullable(True) for part in other if part.name not in mine])
    if is_list(one) and is_list(other):
        items = _field(one.value_field, other.value_field, inferred, fills)
        large = any(types.is_large_list(kind) or types.is_large_list_view(kind) for kind in (one, other))
        return pa.large_list(items) if large else pa.list_(items)
    both = [pa.schema([("x", takeable(kind))]) for kind in (one, other)]
    try:
        return pa.unify_schemas(both, promote_options="permissive").field(0).type
    except pa.ArrowException:
        if not types.is_dictionary(one) and not types.is_dictionary(other):
            raise
    # The values of a column with a dictionary are what one without it holds.
    plain, others = (kind.value_type if types.is_dictionary(kind) else kind for kind in (one, other))
    return _together(plain, others, inferred, fills)


def _field(one: pa.Field, other: pa.Field, inferred: bool, fills: bool) -> pa.Field:
    kind = _together(one.type, other.type, inferred, fills)
    return one.with_type(kind).with_nullable(one.nullable or other.nullable)


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
            columns.append(converted(column, field.type))
        except pa.ArrowException as error:
            raise EntropyLawError(
                f"{name}: column {field.name!r} does not fit {field.type}: {reason(error)}; {_REMEDY}"
            ) from None
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """The schema in types that rows can be taken from."""
    return pa.schema([field.with_type(takeable(field.type)) for field in schema], schema.metadata)


def has_dictionaries(schema: pa.Schema) -> bool:
    """Whether a column has a dictionary, which may differ from batch to batch."""
    return any(holds(field.type, pa.types.is_dictionary) for field in schema)


def rows_of(records: Iterable[tuple[str, Any]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Records of JSON, each with where it is, as rows of the type ``schema``; see ``batch_of``."""
    records = iter(records)
    while part := list(islice(records, _TOGETHER)):
        yield batch_of(part, schema)


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
