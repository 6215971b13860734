"""From a data set of Ray to parts of a pool, and from a selection to a data set."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import ray
from numpy.typing import NDArray

from entropylaw.errors import EntropyLawError
from entropylaw.integrations.ray.actors import Actors
from entropylaw.parts.pool import PartedPool
from entropylaw.parts.reading import Rows

_BLOCK = 4096
"""Rows of a block of a data set that is made here."""


def is_dataset(data: Any) -> bool:
    """Whether it is a data set of Ray."""
    return type(data).__module__.startswith("ray.data") and hasattr(data, "iter_internal_ref_bundles")


def dealt(dataset: Any, parts: int) -> list[Rows]:
    """The blocks of a data set, in its order, as so many parts of about as many bytes.

    Raises
    ------
    EntropyLawError
        If a block does not say how many rows it has.
    """
    blocks: list[tuple[Any, int, int]] = []
    with _in_order(dataset):
        for bundle in dataset.iter_internal_ref_bundles():
            for ref, metadata in bundle.blocks:
                if metadata.num_rows is None:
                    raise EntropyLawError("a block of the data set does not know its rows; give materialize() of it")
                blocks.append((ref, metadata.num_rows, metadata.size_bytes or metadata.num_rows))
    whole = sum(size for *_, size in blocks) or 1
    dealt: list[list[Any]] = [[] for _ in range(parts)]
    firsts: list[int | None] = [None] * parts
    before = rows = 0
    for ref, count, size in blocks:
        number = min((before + size // 2) * parts // whole, parts - 1)
        if firsts[number] is None:
            firsts[number] = rows
        dealt[number].append(ref)
        before, rows = before + size, rows + count
    return [Rows(refs, first or 0) for refs, first in zip(dealt, firsts, strict=True)]


@contextmanager
def _in_order(dataset: Any) -> Iterator[None]:
    """Has a data set be computed in its order, which Ray does not by itself."""
    options = dataset.context.execution_options
    before = options.preserve_order
    options.preserve_order = True
    try:
        yield
    finally:
        options.preserve_order = before


def dataset_of(actors: Actors, pool: PartedPool, indices: NDArray[np.int64], columns: dict[str, NDArray[Any]]) -> Any:
    """The chosen rows as a ``ray.data.Dataset``, in pick order. They go from the parts to its blocks, not through
    whoever leads."""
    schema = pool.records.schema(indices.tolist())
    owner = pool.layout.owner(indices)
    cuts = range(0, len(indices), _BLOCK)
    arguments: list[Any] = []
    for part, positions in enumerate(pool.layout.split(indices)):
        mine = np.flatnonzero(owner == part)
        added = {name: values[mine] for name, values in columns.items()}
        # Of what is in pick order, each block has a run.
        ends = np.searchsorted(mine, [*cuts, len(indices)])
        arguments.append((positions, schema, added, ends.tolist()) if len(mine) else None)
    tables = actors.blocks(arguments, len(cuts))
    assemble = ray.remote(_assembled).options(num_cpus=0.1)
    refs = []
    for number, start in enumerate(cuts):
        some = owner[start : start + _BLOCK]
        order = np.argsort(np.argsort(some, kind="stable"), kind="stable")
        there = [part[number] for part in tables if part is not None]
        refs.append(assemble.remote(order, *there))
    return ray.data.from_arrow_refs(refs)


def _assembled(order: NDArray[np.int64], *tables: Any) -> Any:
    import pyarrow as pa

    return pa.concat_tables(tables).take(pa.array(order)).combine_chunks()
