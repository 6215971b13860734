"""Rows of a table as the compiled core reads them: columns of a few kinds, borrowed where they lie.

Columns of other kinds, such as dates inside an object, are left to be rendered row by row in Python.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.pool.arrow import mapped
from entropylaw.pool.builder import Builder


class Layout(NamedTuple):
    """A column: its kind, and the arrays that a column of this kind has."""

    kind: str
    """``null``, ``bool`` (``data``), ``int``, ``float``, ``text`` (``ends``, ``data``), ``list`` (``ends``, the items
    ``inside``) or ``object`` (the members ``inside``)."""
    valid: NDArray[np.uint8] | None = None
    """Whether each cell is there, 0 or 1; None if all are."""
    ends: NDArray[np.int64] | None = None
    """Where the cells of a column of texts are in ``data``, or those of a column of lists among their items."""
    data: NDArray[np.uint8] | None = None
    ints: NDArray[np.int64] | None = None
    floats: NDArray[np.float64] | None = None
    inside: tuple[tuple[str, "Layout"], ...] = ()


class Rows(NamedTuple):
    """What was read of a batch."""

    read: _core.ReadRecords
    """The samples; rows that are left have the length -1."""
    groups: NDArray[np.uint32]
    group_names: list[str]
    numbers: list[NDArray[np.float64]]


def read_rows(batch: pa.RecordBatch, builder: Builder, as_text: Sequence[str] = ()) -> Rows | None:
    """What rendering ``batch`` row by row comes to; None if its columns are out of the ordinary.

    ``as_text`` are the fields of numbers that are stored as text.
    """
    if (reader := builder.reader()) is None or builder.renderer.name not in ("text", "template"):
        return None
    columns, read = builder.columns, _columns_of(builder.renderer.reads)
    names = batch.schema.names
    if builder.renderer.name == "text":
        # Those that only groups and numbers are taken from may be of any type; all others are read, or left unread.
        names = [name for name in names if name in read or name not in _columns_of(columns.fields)]
    else:
        names = [name for name in names if name in read]
    try:
        layouts = [(name, layout(plain(batch.column(name)))) for name in names]
        groups = _groups(batch, columns.group_field)
        numbers = [_numbers(batch, name, name in as_text) for name in columns.number_fields]
    except pa.ArrowException:
        return None
    if groups is None or any(column is None for column in numbers):
        return None
    return Rows(reader.rows(layouts, batch.num_rows), *groups, [column for column in numbers if column is not None])


def _columns_of(fields: Iterable[str]) -> set[str]:
    """The columns that fields may be in."""
    return {name for field in fields for name in (field, field.partition(".")[0])}


def plain(column: pa.Array) -> pa.Array:
    """The column in the kinds that the core knows; raises ArrowException if that can't be done."""
    kind = mapped(column.type, _plain_leaf)
    if kind == column.type:
        return column
    return column.cast(kind)


def _plain_leaf(kind: pa.DataType) -> pa.DataType | None:
    types = pa.types
    if types.is_string(kind):
        return pa.large_string()
    if types.is_dictionary(kind):
        return _plain_leaf(kind.value_type) or kind.value_type
    if types.is_uint64(kind) or not types.is_integer(kind):
        return pa.float64() if types.is_float32(kind) else None
    return pa.int64()


def layout(column: pa.Array) -> Layout:
    """How a column of these kinds lies in memory; raises ArrowException if it is of another."""
    kind, types = column.type, pa.types
    valid = None if not column.null_count else _numpy(column.is_valid()).view(np.uint8)
    if isinstance(kind, pa.BaseExtensionType):
        raise pa.ArrowInvalid(f"{kind} is not a plain type")
    if types.is_null(kind):
        return Layout("null")
    if types.is_boolean(kind):
        return Layout("bool", valid, data=_numpy(pc.fill_null(column, False)).view(np.uint8))
    if types.is_int64(kind):
        return Layout("int", valid, ints=_numpy(pc.fill_null(column, 0)))
    if types.is_float64(kind):
        return Layout("float", valid, floats=_numpy(pc.fill_null(column, 0.0)))
    if types.is_large_string(kind):
        _, ends, data = column.buffers()
        content = np.empty(0, np.uint8) if data is None else np.frombuffer(data, dtype=np.uint8)
        return Layout("text", valid, ends=_ends(ends, np.int64, column), data=content)
    if types.is_list(kind) or types.is_large_list(kind):
        ends = _ends(column.buffers()[1], np.int32 if types.is_list(kind) else np.int64, column)
        return Layout("list", valid, ends=ends, inside=(("", layout(column.values)),))
    if types.is_struct(kind):
        names = [kind.field(n).name for n in range(kind.num_fields)]
        if len(set(names)) < len(names):
            raise pa.ArrowInvalid("an object has two members of one name")
        return Layout("object", valid, inside=tuple((name, layout(column.field(n))) for n, name in enumerate(names)))
    raise pa.ArrowInvalid(f"{kind} is not a plain type")


def _ends(buffer: pa.Buffer | None, dtype: type, column: pa.Array) -> NDArray[np.int64]:
    if buffer is None or not len(column):
        return np.zeros(1, dtype=np.int64)
    ends: NDArray[Any] = np.frombuffer(buffer, dtype=dtype)[column.offset : column.offset + len(column) + 1]
    return np.ascontiguousarray(ends, dtype=np.int64)


def _numpy(column: pa.Array) -> NDArray[Any]:
    return np.ascontiguousarray(column.to_numpy(zero_copy_only=False))


def _field(batch: pa.RecordBatch, field: str) -> pa.Array | None:
    """The column that a field is, ``a.b`` for ``b`` inside ``a``: all null if there is none.

    None if something out of the ordinary is on the way to it.
    """
    names = batch.schema.names
    if field in names:
        return batch.column(field)
    first, *inside = field.split(".")
    column = batch.column(first) if first in names else None
    for key in inside:
        if column is None or pa.types.is_null(column.type):
            break
        if not pa.types.is_struct(column.type):
            return None
        places = column.type.get_all_field_indices(key)
        # Flattened, a member is null where its object is.
        column = column.flatten()[places[0]] if places else None
    return pa.nulls(batch.num_rows) if column is None else column


def _groups(batch: pa.RecordBatch, field: str) -> tuple[NDArray[np.uint32], list[str]] | None:
    if (column := _field(batch, field)) is None:
        return None
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    types = pa.types
    if types.is_null(column.type):
        return np.zeros(batch.num_rows, np.uint32), [""]
    if types.is_integer(column.type) or types.is_boolean(column.type):
        coded = column.dictionary_encode(null_encoding="encode")
        names = ["" if value is None else str(value) for value in coded.dictionary.to_pylist()]
        return coded.indices.to_numpy().astype(np.uint32), names
    if not (types.is_string(column.type) or types.is_large_string(column.type)):
        return None
    column.validate(full=True)
    coded = pc.fill_null(column, "").dictionary_encode()
    return coded.indices.to_numpy().astype(np.uint32), coded.dictionary.to_pylist()


def _numbers(batch: pa.RecordBatch, field: str, as_text: bool) -> NDArray[np.float64] | None:
    column = _field(batch, field)
    if column is None or column.null_count or not len(column):
        return None
    numbers: NDArray[np.float64]
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        numbers = column.to_numpy(zero_copy_only=False).astype(np.float64)
    elif as_text and not pa.types.is_boolean(column.type):
        try:
            numbers = np.array([float(value) for value in column.to_pylist()])
        except (TypeError, ValueError):
            return None
    else:
        return None
    return numbers if np.isfinite(numbers).all() else None
