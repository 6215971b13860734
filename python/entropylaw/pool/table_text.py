"""Texts of the rows of a table, a batch at a time; a copy of ``schema.py`` for ordinary columns.

Batches that hold anything else are left to be rendered row by row in Python, which says in words what is wrong.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from entropylaw.pool.builder import Builder

_PARTS = {
    "sharegpt": ("?system", "*conversations"),
    "openai": ("*messages",),
    "alpaca": ("instruction", "?input", "output"),
    "completion": ("+prompt", "+completion"),
    "text": ("text",),
}
"""What the text of a schema is made of: texts, lists of turns (*), either (+), texts that may be missing (?)."""


_BREAK = pa.scalar("\n", pa.large_string())


class Texts(NamedTuple):
    """The samples of a batch, and its columns."""

    data: NDArray[np.uint8]
    lengths: NDArray[np.int64]
    groups: NDArray[np.uint32]
    group_names: list[str]
    numbers: list[NDArray[np.float64]]


def texts(batch: pa.RecordBatch, builder: Builder) -> Texts | None:
    """What rendering ``batch`` row by row comes to; None if its columns are out of the ordinary."""
    names, columns = batch.schema.names, builder.columns
    if (known := builder.renderer.compiled()) is None:
        return None
    field = known.field
    parts = _PARTS.get(known.schema or "") if field is None else (f"+{field}",) if field in names else None
    if parts is None:
        return None
    try:
        pieces = [_piece(batch, part) for part in parts if part[0] != "?" or part[1:] in names]
        groups = _groups(batch, columns.group_field)
        numbers = [_numbers(batch, name) for name in columns.number_fields]
    except pa.ArrowException:
        return None
    if groups is None or any(piece is None for piece in pieces) or any(column is None for column in numbers):
        return None
    joined = pieces[0] if len(pieces) == 1 else _side_by_side(pieces)
    offsets, data = _buffers(joined)
    return Texts(data, np.diff(offsets), *groups, [column for column in numbers if column is not None])


def _piece(batch: pa.RecordBatch, part: str) -> pa.LargeStringArray | None:
    kind, name = (part[0], part[1:]) if part[0] in "?*+" else ("", part)
    column = batch.column(name)
    missing = kind == "?" and pa.types.is_null(column.type)
    if missing or pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        if kind == "*" or (column.null_count and kind != "?"):
            return None
        # Nothing has looked yet whether it is UTF-8.
        column.validate(full=True)
        return pc.fill_null(column.cast(pa.large_string()), "")
    return _turns(column) if kind in ("*", "+") else None


def _turns(column: pa.Array) -> pa.LargeStringArray | None:
    """The texts of lists of turns, joined."""
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)) or column.null_count:
        return None
    turn = column.type.value_type
    if not pa.types.is_struct(turn):
        return None
    keys = [turn.field(n).name for n in range(turn.num_fields)]
    key = next((key for key in ("value", "content") if key in keys), None)
    turns = column.flatten()
    if key is None or turns.null_count or keys.count(key) > 1:
        return None
    content = pc.struct_field(turns, key)
    if not (pa.types.is_string(content.type) or pa.types.is_large_string(content.type)):
        return None
    content.validate(full=True)
    content = pc.fill_null(content.cast(pa.large_string()), "")
    ends = np.concatenate([[0], np.cumsum(pc.list_value_length(column).to_numpy(), dtype=np.int64)])
    return _joined(content, ends)


def _side_by_side(pieces: Sequence[Any]) -> pa.LargeStringArray:
    """The pieces of each row, joined."""
    rows, count = len(pieces[0]), len(pieces)
    order = np.arange(rows * count).reshape(count, rows).T.ravel()
    return _joined(pa.concat_arrays(pieces).take(pa.array(order)), np.arange(0, rows * count + 1, count))


def _joined(content: pa.LargeStringArray, ends: NDArray[np.int64]) -> pa.LargeStringArray:
    """The texts from each of ``ends`` to the next that are not empty, with line breaks between them."""
    kept = pc.not_equal(pc.binary_length(content), 0)
    before = np.concatenate([[0], np.cumsum(kept.to_numpy(zero_copy_only=False), dtype=np.int64)])
    lists = pa.LargeListArray.from_arrays(pa.array(before[ends]), content.filter(kept))
    return pc.binary_join(lists, _BREAK)


def _groups(batch: pa.RecordBatch, field: str) -> tuple[NDArray[np.uint32], list[str]] | None:
    if field not in batch.schema.names:
        # Perhaps it is inside another column.
        return None if field.split(".")[0] in batch.schema.names else (np.zeros(batch.num_rows, np.uint32), [""])
    column = batch.column(field)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type):
        return np.zeros(batch.num_rows, np.uint32), [""]
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return None
    column.validate(full=True)
    coded = pc.fill_null(column, "").dictionary_encode()
    return coded.indices.to_numpy().astype(np.uint32), coded.dictionary.to_pylist()


def _numbers(batch: pa.RecordBatch, field: str) -> NDArray[np.float64] | None:
    if field not in batch.schema.names:
        return None
    column = batch.column(field)
    if column.null_count or not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return None
    numbers: NDArray[np.float64] = column.to_numpy().astype(np.float64)
    return numbers if np.isfinite(numbers).all() else None


def _buffers(column: pa.LargeStringArray) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Offsets and bytes of an array without nulls."""
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[column.offset : column.offset + len(column) + 1]
    content = np.frombuffer(data, dtype=np.uint8) if data is not None else np.empty(0, np.uint8)
    return ends, content[ends[0] : ends[-1]]
