"""From a selection in parts to a ``ray.data.Dataset``."""

from typing import Any

import numpy as np
import ray
from numpy.typing import NDArray

from entropylaw.integrations.ray.actors import Actors
from entropylaw.parts.pool import PartedPool

_BLOCK = 4096
"""Rows of a block of a data set that is made here."""


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
