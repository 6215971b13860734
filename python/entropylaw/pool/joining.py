"""Batches of few rows, joined: each batch takes its time, and a shuffled data set has one a row."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

from entropylaw.pool.arrow import bytes_of

_BYTES = 1 << 20
"""Bytes up to which batches are joined."""


def grouped(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[list[pa.RecordBatch]]:
    """The batches in groups, in their order: of one, or of several of one schema that have ``rows`` rows and 1 MiB
    together at most."""
    group: list[pa.RecordBatch] = []
    count = size = 0
    for batch in batches:
        taken = bytes_of(batch)
        fits = count + batch.num_rows <= rows and size + taken <= _BYTES
        if group and not (fits and batch.schema.equals(group[0].schema)):
            yield group
            group, count, size = [], 0, 0
        group.append(batch)
        count += batch.num_rows
        size += taken
    if group:
        yield group


def in_one(rows: pa.Table) -> list[pa.RecordBatch]:
    """The rows in one batch, or in those that they came in if Arrow can't join batches of their types."""
    try:
        batches: list[pa.RecordBatch] = rows.combine_chunks().to_batches()
    except pa.ArrowException:
        batches = rows.to_batches()
    return batches
