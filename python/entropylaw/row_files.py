"""Rows of tables as files: Parquet, Arrow and CSV."""

from collections.abc import Iterable
from typing import IO, Literal

import pyarrow as pa
from pyarrow import csv, parquet

from entropylaw.errors import EntropyLawError
from entropylaw.pool.arrow import mapped

_ROWS = 1 << 16
"""Rows in a row group of Parquet, at most."""


def write_rows(
    file: IO[bytes],
    kind: Literal["parquet", "arrow", "csv", "tsv"],
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
) -> None:
    """Writes batches of the type ``schema``, as ``Records.rows`` gives them, a batch at a time.

    Raises
    ------
    EntropyLawError
        If the format can't hold a column; see ``check_columns``.
    """
    check_columns(kind, schema)
    if kind == "parquet":
        with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
            waiting: list[pa.RecordBatch] = []
            for batch in batches:
                waiting.append(batch)
                if sum(held.num_rows for held in waiting) >= _ROWS:
                    writer.write_table(pa.Table.from_batches(waiting))
                    waiting = []
            if waiting:
                writer.write_table(pa.Table.from_batches(waiting))
    elif kind == "arrow":
        with pa.ipc.new_file(file, schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
    else:
        plain = pa.schema([field.with_type(_without_dictionary(field.type)) for field in schema])
        options = csv.WriteOptions(delimiter="\t" if kind == "tsv" else ",")
        with csv.CSVWriter(file, plain, write_options=options) as writer:
            for batch in batches:
                writer.write_batch(batch.cast(plain))


def check_columns(kind: Literal["parquet", "arrow", "csv", "tsv"], schema: pa.Schema) -> None:
    """Finds out before the work whether a format can hold the columns.

    Raises
    ------
    EntropyLawError
        If it can't: CSV has no lists, objects or binary.
    """
    if kind not in ("csv", "tsv"):
        return
    for field in schema:
        if pa.types.is_nested(field.type) or pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
            raise EntropyLawError(
                f"column {field.name!r} is {field.type}, which CSV can't hold; write Parquet or JSON Lines"
            )


def _without_dictionary(kind: pa.DataType) -> pa.DataType:
    return mapped(kind, lambda leaf: leaf.value_type if pa.types.is_dictionary(leaf) else None)
