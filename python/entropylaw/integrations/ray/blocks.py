"""The blocks of a ``ray.data.Dataset`` as parts of a pool."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ray

from entropylaw.errors import EntropyLawError
from entropylaw.parts.reading import Rows


@dataclass(frozen=True)
class Blocks:
    """Blocks in Ray's object store, one after the other: a part of a data set."""

    refs: tuple[tuple[Any, int, int], ...]
    """References to them, and the rows of each that count: from one to before another."""
    first: int
    """Rows of the data set before them."""

    def here(self) -> Rows:
        """Their rows. They are mapped from the object store, not copied, and brought to this node if need be."""
        from ray.data.block import BlockAccessor

        blocks = ray.get([ref for ref, *_ in self.refs])
        tables = [BlockAccessor.for_block(block).to_arrow() for block in blocks]
        rows = zip(tables, self.refs, strict=True)
        return Rows([table.slice(start, end - start) for table, (_, start, end) in rows], self.first)


def is_dataset(data: Any) -> bool:
    """Whether it is a data set of Ray."""
    return type(data).__module__.startswith("ray.data") and hasattr(data, "iter_internal_ref_bundles")


def dealt(dataset: Any, parts: int) -> list[Blocks]:
    """The blocks of a data set, in its order, as so many parts of about as many bytes.

    Raises
    ------
    EntropyLawError
        If a block does not say how many rows it has.
    """
    found: list[tuple[Any, int, int, int]] = []
    with _in_order(dataset):
        for bundle in dataset.iter_internal_ref_bundles():
            slices = getattr(bundle, "slices", None) or [None] * len(bundle.blocks)
            for ref, metadata, some in zip(bundle.block_refs, bundle.metadata, slices, strict=True):
                if metadata.num_rows is None:
                    raise EntropyLawError("a block of the data set does not know its rows; give its materialize()")
                rows = metadata.num_rows
                start, end = (0, rows) if some is None else (some.start_offset, some.end_offset)
                size = (metadata.size_bytes or rows) * (end - start) // max(rows, 1)
                found.append((ref, start, end, size))
    whole = sum(size for *_, size in found) or 1
    dealt: list[list[tuple[Any, int, int]]] = [[] for _ in range(parts)]
    firsts = [0] * parts
    before = rows = 0
    for ref, start, end, size in found:
        number = min((before + size // 2) * parts // whole, parts - 1)
        if not dealt[number]:
            firsts[number] = rows
        dealt[number].append((ref, start, end))
        before, rows = before + size, rows + end - start
    return [Blocks(tuple(refs), first) for refs, first in zip(dealt, firsts, strict=True)]


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
