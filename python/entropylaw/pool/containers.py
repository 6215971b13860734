"""What holds rows in a way of its own, as what gives them by Arrow: queries, lazy frames, data sets on disk."""

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, Protocol

from entropylaw.errors import EntropyLawError


class SupportsScanner(Protocol):
    """A data set of pyarrow or Lance."""

    def scanner(self) -> Any: ...


class SupportsReader(Protocol):
    """A scanner of pyarrow or Lance."""

    def to_reader(self) -> Any: ...


class SupportsCollect(Protocol):
    """A lazy frame of polars."""

    def collect(self) -> Any: ...


class SupportsToArrow(Protocol):
    """A table or a query of LanceDB, and whatever else makes a ``pyarrow.Table`` of itself."""

    def to_arrow(self) -> Any: ...


Rows = SupportsScanner | SupportsReader | SupportsCollect | SupportsToArrow
"""What is asked for its rows."""

_WAYS: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("to_reader", lambda rows: rows.to_reader()),
    ("scanner", lambda rows: rows.scanner().to_reader()),
    # Spark's.
    ("toArrow", lambda rows: rows.toArrow()),
    ("to_arrow", lambda rows: rows.to_arrow()),
    # Ibis'.
    ("to_pyarrow", lambda rows: rows.to_pyarrow()),
    ("collect", lambda rows: rows.collect()),
)
"""The first method of these that there is gives the rows, a few at a time where it can."""

_REFUSED = {
    "dask": "its partitions are elsewhere, and not yet computed; give POOL.compute(), or the files that it is made of",
    "ray": (
        "its blocks are elsewhere, in any order unless preserve_order is set; give "
        "pyarrow.concat_tables(ray.get(POOL.to_arrow_refs())), or the files that it is made of"
    ),
    "modin": "its partitions are elsewhere; give the frame of pandas that it is, POOL.modin.to_pandas()",
    "entropylaw.results": (
        "its rows are its picks, not records; give what it chose: list(SELECTION), or, as an anchor in the same pool, "
        "SELECTION.indices"
    ),
    "pyspark.pandas": "its rows are elsewhere, in no order of their own; give POOL.to_spark()",
}
"""By module: what would be read as something else, and how it can be read."""


_PACKAGES = ("pandas", "polars", "pyarrow", "datasets", "numpy")
"""Packages whose containers are read, and rows taken from, in ways of their own."""


def package_of(container: Any) -> str:
    """The package that a container is from; of a class that is derived from one of ``_PACKAGES``, that one."""
    packages = [kind.__module__.partition(".")[0] for kind in type(container).__mro__]
    return next((name for name in packages if name in _PACKAGES), packages[0])


def in_arrow(pool: Any) -> Any:
    """What gives the rows of ``pool`` by the Arrow C stream interface, if it gives them by another name.

    Whatever is no such container is returned as it is.

    Raises
    ------
    EntropyLawError
        If it is a container that can't be read as it is, with the way to do it; or if it fails to give its rows.
    """
    if isinstance(pool, str | bytes | Mapping | Sequence | Set):
        return pool
    what = type(pool).__name__
    for name in (f"{kind.__module__}." for kind in type(pool).__mro__):
        for module, remedy in _REFUSED.items():
            if name.startswith(f"{module}."):
                raise EntropyLawError(f"the pool is a {what} of {module}: {remedy}")
    if hasattr(pool, "__arrow_c_stream__") or hasattr(pool, "__arrow_c_array__"):
        return pool
    way = next((way for method, way in _WAYS if callable(getattr(pool, method, None))), None)
    if way is None:
        return pool
    try:
        return way(pool)
    except EntropyLawError:
        raise
    # What computes rows raises what it likes.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise EntropyLawError(f"the {what} does not give its rows: {reason}") from None
