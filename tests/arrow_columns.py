"""Columns of every kind for tests of tables, and what writes and reads them."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from entropylaw.pool import Pool
from entropylaw.saving.content import content_of, row_format
from entropylaw.saving.holding import check_records

pa = pytest.importorskip("pyarrow", reason="tables need pyarrow")
import pyarrow.parquet as pq  # noqa: E402


class Unknown(pa.ExtensionType):  # type: ignore[misc]
    """An extension type that nobody has registered."""

    def __init__(self) -> None:
        super().__init__(pa.int32(), "test.unknown")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage: Any, serialized: bytes) -> "Unknown":
        return cls()


def of(kind: Any, *values: Any) -> Any:
    return pa.array([*values, None], kind)


def coded(kind: Any, *values: Any, index: Any = None, ordered: bool = False) -> Any:
    indices = pa.array([*range(len(values)), None], index or pa.int32())
    return pa.DictionaryArray.from_arrays(indices, pa.array(values, kind), ordered=ordered)


def runs(kind: Any, value: Any) -> Any:
    return pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array([value, None], kind))


def extended(kind: Any, storage: Any) -> Any:
    return pa.ExtensionArray.from_storage(kind, storage)


def listed(array: Any) -> Any:
    """A list of each value."""
    return pa.ListArray.from_arrays(pa.array(range(len(array) + 1), pa.int32()), array)


def in_parquet(table: Any, directory: Path) -> Any:
    pq.write_table(table, directory / "pool.parquet")
    return directory / "pool.parquet"


def in_arrow(table: Any, directory: Path) -> Any:
    with pa.ipc.new_file(directory / "pool.arrow", table.schema) as writer:
        writer.write_table(table)
    return directory / "pool.arrow"


def in_stream(table: Any, directory: Path) -> Any:
    with pa.ipc.new_stream(directory / "pool.arrows", table.schema) as writer:
        writer.write_table(table)
    return directory / "pool.arrows"


SOURCES: dict[str, Callable[[Any, Path], Any]] = {
    "parquet": in_parquet,
    "arrow": in_arrow,
    "stream": in_stream,
    "memory": lambda table, _: table,
    "reader": lambda table, _: table.to_reader(),
}


def written(pool: Pool, path: str, indices: list[int] | None = None) -> bytes:
    """What is written to a file of that name."""
    check_records(pool.records, row_format(path), [])
    chosen = np.arange(len(pool)) if indices is None else np.array(indices)
    out = io.BytesIO()
    content_of(path, pool.records, chosen, {}).write(out)
    return out.getvalue()


def read(content: bytes, path: str) -> Any:
    if path.endswith("parquet"):
        return pq.read_table(io.BytesIO(content))
    return pa.ipc.open_file(io.BytesIO(content)).read_all()
