"""Taking the chosen rows from what the pool was read from, in its own type."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from entropylaw.errors import EntropyLawError
from entropylaw.pool.containers import package_of

if TYPE_CHECKING:
    import pyarrow as pa

_UNORDERED = ("duckdb", "pyspark", "daft", "dask", "ray")
"""Packages whose tables have no order of rows that can be relied on, or none that positions can be taken of."""

T = TypeVar("T")


class _Picked(Protocol):
    """What is needed of a selection."""

    @property
    def rows(self) -> NDArray[np.int64]: ...
    @property
    def gains(self) -> NDArray[np.float64]: ...
    @property
    def ids(self) -> list[Any] | None: ...


def take(given: T, rows: NDArray[np.int64], total: int) -> T:
    """The rows at positions ``rows`` of something that has ``total`` of them, in that order and in its type.

    Raises
    ------
    EntropyLawError
        If it has another number of rows, or its rows can't be taken by their positions.
    """
    found: Any = given
    kind, package = type(found).__name__, package_of(found)
    if package in _UNORDERED or not hasattr(found, "__len__"):
        if package == "polars" and hasattr(found, "collect"):
            raise EntropyLawError(f"a {kind} has no rows yet: take from its collect()")
        raise EntropyLawError(
            f"the rows of a {kind} can't be taken by their positions; give select(..., id=) the name of its key, and "
            "join it with the selection's ids"
        )
    if len(found) != total:
        raise EntropyLawError(
            f"the {kind} has {len(found):,} rows, and the pool was read from {total:,} records; take from what it was "
            "read from"
        )
    if package == "pandas":
        return found.iloc[rows]  # type: ignore[no-any-return]
    if package == "datasets" and hasattr(found, "select"):
        return found.select(rows)  # type: ignore[no-any-return]
    if package == "pyarrow":
        return found.take(rows)  # type: ignore[no-any-return]
    if package in ("polars", "numpy"):
        return found[rows]  # type: ignore[no-any-return]
    if isinstance(found, Sequence) and not isinstance(found, str | bytes):
        chosen = [found[row] for row in rows.tolist()]
        return tuple(chosen) if isinstance(found, tuple) else chosen  # type: ignore[return-value]
    raise EntropyLawError(f"the rows of a {kind} can't be taken by their positions; give a list, a table or a frame")


def picks_table(selection: _Picked) -> "pa.Table":
    """A row for each pick: ``row``, ``rank``, ``gain``, and ``id`` if there are ids."""
    from entropylaw.pool.arrow import need_arrow

    need_arrow("a table of the picks")
    import pyarrow as pa

    columns: dict[str, Any] = {
        "row": selection.rows,
        "rank": np.arange(1, len(selection.rows) + 1, dtype=np.int64),
        "gain": selection.gains,
    }
    if (ids := selection.ids) is not None:
        columns["id"] = ids
    return pa.table(columns)
