"""The columns of a table that samples leave unread: in how many rows they are, with how much text."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from entropylaw.pool.arrow_types import converted, holds, is_extension, is_list, is_text, takeable

if TYPE_CHECKING:
    import pyarrow.parquet as pq

Counts = dict[str, tuple[int, int]]
"""By column: the rows in which it is not null, and bytes of text in them."""


def of_rows(rows: pa.Table, read: Collection[str]) -> Counts:
    """The columns of some rows that are not ``read``."""
    columns = zip(rows.schema.names, rows.columns, strict=True)
    return {name: (len(column) - column.null_count, text_bytes(column)) for name, column in columns if name not in read}


def of_parquet(metadata: "pq.FileMetaData", read: Collection[str], groups: Iterable[int]) -> Counts:
    """The columns of some row groups of a Parquet file that are not ``read``, from what the file says of itself:
    nothing else is read.

    The bytes are those of its text before compression, in which a text that comes again and again may be stored once.
    Rows are counted as having a column inside of which there are lists or objects.
    """
    found: dict[str, tuple[int, int]] = {}
    for number in groups:
        group = metadata.row_group(number)
        rows: dict[str, int] = {}
        for at in range(group.num_columns):
            column = group.column(at)
            name = metadata.schema.column(at).path.partition(".")[0]
            if name in read:
                continue
            flat = column.path_in_schema == name
            nulls = column.statistics.null_count if flat and column.statistics is not None else 0
            rows[name] = max(rows.get(name, 0), group.num_rows - (nulls or 0))
            size = column.total_uncompressed_size if column.physical_type == "BYTE_ARRAY" else 0
            known = found.get(name, (0, 0))
            found[name] = known[0], known[1] + size
        for name, count in rows.items():
            found[name] = found[name][0] + count, found[name][1]
    return found


def added(one: Counts, other: Counts) -> Counts:
    """The counts of two parts of a table together."""
    names = {**one, **other}
    pairs = {name: (one.get(name, (0, 0)), other.get(name, (0, 0))) for name in names}
    return {name: (first[0] + second[0], first[1] + second[1]) for name, (first, second) in pairs.items()}


def text_bytes(column: pa.ChunkedArray) -> int:
    """Bytes of text in a column; types of no text, such as numbers, have none."""
    kind = column.type
    if not holds(kind, is_text):
        return 0
    if (plain := takeable(kind)) != kind:
        return text_bytes(pa.chunked_array([converted(chunk, plain) for chunk in column.chunks], plain))
    if is_text(kind):
        return pc.sum(pc.binary_length(column)).as_py() or 0
    if pa.types.is_struct(kind):
        return sum(map(text_bytes, column.flatten()))
    if is_extension(kind):
        return text_bytes(pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type))
    if pa.types.is_dictionary(kind) and is_text(kind.value_type):
        return text_bytes(column.cast(kind.value_type))
    if is_list(kind):
        return text_bytes(pa.chunked_array([chunk.flatten() for chunk in column.chunks], kind.value_type))
    return 0
