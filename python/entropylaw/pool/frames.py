"""Frames of pandas and polars as tables of Arrow."""

from typing import Any

import pyarrow as pa

from entropylaw.errors import EntropyLawError
from entropylaw.pool.arrow import reason


def frame_table(frame: Any) -> pa.Table:
    """The table that a frame is.

    The index of a pandas frame is a column of its name, or ``__index_level_0__``, after the others, as pandas itself
    writes it; only an index without a name that counts the rows from 0 on says nothing, and is left out.

    Raises
    ------
    EntropyLawError
        If a column has a type that Arrow doesn't know; the message names it.
    """
    what = type(frame).__name__
    for name, kind in getattr(frame, "schema", {}).items():
        # polars passes on where its objects are in memory.
        if "Object" in str(kind):
            raise EntropyLawError(
                f"the {what} can't be read as a table: column {name!r} is {kind}, which holds any Python object; "
                "drop it, or give a list of records"
            )
    try:
        return _as_table(frame)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise EntropyLawError(f"the {what} can't be read as a table: {_at_fault(frame)}{reason(error)}") from None


def _as_table(frame: Any) -> pa.Table:
    if hasattr(frame, "index"):
        return pa.Table.from_pandas(frame, preserve_index=not _counts(frame.index))
    return pa.table(frame)


def _counts(index: Any) -> bool:
    """Whether an index says no more than the order of the rows."""
    plain = type(index).__name__ == "RangeIndex" and index.name is None
    return plain and (index.start, index.step) == (0, 1)


def _at_fault(frame: Any) -> str:
    """The column that can't be read, if one alone can't."""
    for name in frame.columns:
        try:
            _as_table(frame[[name]])
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            kind = frame[name].dtype
            return f"column {str(name)!r} is {kind}: "
    return ""
