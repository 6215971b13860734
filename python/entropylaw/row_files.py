"""Rows of tables as files: Parquet, Arrow and CSV."""

import io
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import IO, Literal, NamedTuple

import pyarrow as pa
from pyarrow import csv, parquet

from entropylaw.errors import EntropyLawError
from entropylaw.pool.arrow import mapped, reason
from entropylaw.pool.arrow_types import converted, holds, is_binary, is_extension, is_json, is_list_view, is_text
from entropylaw.pool.formats import KINDS
from entropylaw.pool.row_values import values

Kind = Literal["parquet", "arrow", "csv", "tsv"]

_ROWS = 1 << 16
"""Rows in a row group of Parquet, at most."""
_TEXT_IN_CSV = ("arrow.uuid", "pandas.period")
"""Extension types with a form as text."""


def write_rows(file: IO[bytes], kind: Kind, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    """Writes batches of the type ``schema``, as ``Records.rows`` gives them, a batch at a time.

    Raises
    ------
    EntropyLawError
        If the format can't hold a column; see ``check_columns``.
    """
    check_columns(kind, schema)
    held = held_schema(kind, schema)
    _WRITERS[kind].write(file, held, (_held(batch, held) for batch in batches))


def check_columns(kind: Kind, schema: pa.Schema, name: str = "") -> None:
    """Finds out before the work whether a format can hold the columns of what is called ``name``.

    Raises
    ------
    EntropyLawError
        If it can't: CSV has no lists, objects, JSON or binary, Parquet no unions, intervals or objects without members.
    """
    for field in schema:
        if _WRITERS[kind].refuses(field.type):
            others = "Arrow" if kind == "parquet" or _not_in_parquet(field.type) else "Parquet"
            where, ours = f"{name}: " if name else "", KINDS[kind].title
            raise EntropyLawError(
                f"{where}column {field.name!r} is {field.type}, which {ours} can't hold; write {others} or JSON Lines"
            )


def held_schema(kind: Kind, schema: pa.Schema) -> pa.Schema:
    """The columns in the types that a format holds them in.

    Parquet encodes columns in its own way: run-end encoded ones become plain, and dictionaries of anything but text and
    binary. It has no times in seconds, and no dates in milliseconds. CSV holds text.
    """
    changed = _WRITERS[kind].changed
    return pa.schema([field.with_type(mapped(field.type, changed)) for field in schema], schema.metadata)


def _held(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    if batch.schema.equals(schema):
        return batch
    columns = []
    for column, field in zip(batch.columns, schema, strict=True):
        if column.type != field.type and pa.types.is_string(field.type):
            # Of what is written as text, JSON Lines has the forms.
            column = pa.array(values(column, str), pa.string())
        try:
            columns.append(converted(column, field.type))
        except pa.ArrowException as error:
            raise EntropyLawError(
                f"column {field.name!r} is {column.type}, and does not fit {field.type}, as which the format holds it: "
                f"{reason(error)}; write Arrow or JSON Lines"
            ) from None
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _without_empty_lines(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch that CSV has as many lines for as rows: a null alone on its line is none, an empty text is in quotes."""
    if batch.num_columns > 1:
        return batch
    return pa.record_batch([batch.column(0).cast(pa.large_string()).fill_null("")], batch.schema.names)


def _in_parquet(kind: pa.DataType) -> pa.DataType | None:
    if pa.types.is_timestamp(kind) and kind.unit == "s":
        return pa.timestamp("ms", kind.tz)
    if pa.types.is_time32(kind):
        return pa.time32("ms")
    if pa.types.is_date64(kind):
        return pa.date32()
    if pa.types.is_run_end_encoded(kind):
        return mapped(kind.value_type, _in_parquet)
    if not pa.types.is_dictionary(kind):
        return None
    if is_text(kind.value_type):
        return pa.dictionary(kind.index_type, pa.string(), kind.ordered)
    if is_binary(kind.value_type) and not pa.types.is_fixed_size_binary(kind.value_type):
        return pa.dictionary(kind.index_type, pa.binary(), kind.ordered)
    return mapped(kind.value_type, _in_parquet)


def _in_csv(kind: pa.DataType) -> pa.DataType | None:
    types = pa.types
    if types.is_dictionary(kind) or types.is_run_end_encoded(kind):
        return mapped(kind.value_type, _in_csv)
    if is_extension(kind):
        if kind.extension_name == "arrow.bool8":
            return pa.bool_()
        return pa.string() if kind.extension_name in _TEXT_IN_CSV else mapped(kind.storage_type, _in_csv)
    return pa.string() if types.is_duration(kind) or types.is_interval(kind) or types.is_string_view(kind) else None


def _not_in_parquet(kind: pa.DataType) -> bool:
    def refused(part: pa.DataType) -> bool:
        empty = pa.types.is_struct(part) and part.num_fields == 0
        # Parquet stores an extension type as its storage, whose encoding is part of the type.
        other = is_extension(part) and mapped(part.storage_type, _in_parquet) != part.storage_type
        return bool(pa.types.is_union(part) or pa.types.is_interval(part) or empty or other)

    return holds(kind, refused) or (holds(kind, is_list_view) and not _takes_list_views())


@cache
def _takes_list_views() -> bool:
    """Whether this version of pyarrow writes views of lists to Parquet; older ones don't."""
    try:
        parquet.write_table(pa.table({"x": pa.nulls(1, pa.list_view(pa.int8()))}), io.BytesIO())
    except pa.ArrowException:
        return False
    return True


def _not_in_csv(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return _not_in_csv(kind.value_type)
    if is_extension(kind):
        return kind.extension_name not in _TEXT_IN_CSV and (is_json(kind) or _not_in_csv(kind.storage_type))
    return bool(pa.types.is_nested(kind) or is_binary(kind))


def _write_parquet(file: IO[bytes], schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        waiting: list[pa.RecordBatch] = []
        for batch in batches:
            waiting.append(batch)
            if sum(part.num_rows for part in waiting) >= _ROWS:
                writer.write_table(pa.Table.from_batches(waiting))
                waiting = []
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting))


def _write_arrow(file: IO[bytes], schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    with pa.ipc.new_file(file, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _write_csv(delimiter: str) -> "Callable[[IO[bytes], pa.Schema, Iterable[pa.RecordBatch]], None]":
    def write(file: IO[bytes], schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        written = schema if len(schema) > 1 else pa.schema([(schema.names[0], pa.large_string())])
        with csv.CSVWriter(file, written, write_options=csv.WriteOptions(delimiter=delimiter)) as writer:
            for batch in batches:
                writer.write_batch(_without_empty_lines(batch))

    return write


class _Writer(NamedTuple):
    """How a format writes rows."""

    write: Callable[[IO[bytes], pa.Schema, Iterable[pa.RecordBatch]], None]
    refuses: Callable[[pa.DataType], bool]
    """Whether it can't hold a type."""
    changed: Callable[[pa.DataType], pa.DataType | None]
    """The type that it holds another one as; None if as it is."""


_WRITERS: Mapping[Kind, _Writer] = {
    "parquet": _Writer(_write_parquet, _not_in_parquet, _in_parquet),
    "arrow": _Writer(_write_arrow, lambda _: False, lambda _: None),
    "csv": _Writer(_write_csv(","), _not_in_csv, _in_csv),
    "tsv": _Writer(_write_csv("\t"), _not_in_csv, _in_csv),
}
"""The formats that hold rows, by name; ``pool/formats.py`` says how they are told and read."""
