"""Frames of pandas and polars as tables of Arrow."""

from typing import Any

import pyarrow as pa

from entropylaw.errors import EntropyLawError
from entropylaw.pool.arrow import reason
from entropylaw.pool.encode import in_json_types
from entropylaw.pool.row_values import holds_json
from entropylaw.pool.schema import RecordError
from entropylaw.pool.shapes import Shape, array_of

_REASONS = (pa.ArrowException, RecordError, TypeError, ValueError, OverflowError)
"""What is raised for values that Arrow can't hold."""


def frame_table(frame: Any) -> pa.Table:
    """The table that a frame is.

    The index of a pandas frame is a column of its name, or ``__index_level_0__``, after the others, as pandas itself
    writes it; only an index without a name that counts the rows from 0 on says nothing, and is left out. Objects in a
    column of pandas, such as dicts of different keys, become what records of JSON become; see ``shapes``.

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
    except _REASONS as error:
        fault = f"the {what} can't be read as a table: {_at_fault(frame)}{reason(error).rstrip('.:; ')}"
    records = "to_dict('records')" if hasattr(frame, "index") else "to_dicts()"
    twice = len(set(frame.columns)) < len(frame.columns)
    remedy = "rename one" if twice else f"drop the column, give it one type, or give records: FRAME.{records}"
    raise EntropyLawError(f"{fault}; {remedy}")


def _as_table(frame: Any) -> pa.Table:
    if not hasattr(frame, "index"):
        return pa.table(frame)
    objects = {}
    for number in range(len(frame.columns)):
        column = frame.iloc[:, number]
        if column.dtype == object and (array := _mixed(column)) is not None:
            objects[number] = array
    if objects:
        frame = frame.copy(deep=False)
        for number in objects:
            frame.isetitem(number, None)
    table = pa.Table.from_pandas(frame, preserve_index=not _counts(frame.index))
    for number, array in objects.items():
        table = table.set_column(number, table.field(number).with_type(array.type), array)
    return table


def _mixed(column: Any) -> pa.Array | None:
    """A column of objects of Python that no type of Arrow holds as they are; None if one does."""
    import pandas

    if not pandas.api.types.infer_dtype(column, skipna=True).startswith("mixed"):
        return None
    values = [None if missing else in_json_types(value) for value, missing in zip(column, column.isna(), strict=True)]
    shape = Shape()
    for value in values:
        shape.add(value)
    return array_of(values, shape.type()) if holds_json(shape.type()) else None


def _counts(index: Any) -> bool:
    """Whether an index says no more than the order of the rows."""
    plain = type(index).__name__ == "RangeIndex" and index.name is None
    return plain and (index.start, index.step) == (0, 1)


def _at_fault(frame: Any) -> str:
    """The column that can't be read, if one alone can't."""
    for name in frame.columns:
        try:
            _as_table(frame[[name]])
        except _REASONS:
            kind = getattr(frame[name], "dtype", "there twice")
            return f"column {str(name)!r} is {kind}: "
    return ""
