"""Values of Arrow columns as JSON has them."""

import uuid
from collections.abc import Callable, Iterator
from itertools import pairwise, repeat
from typing import Any

import pyarrow as pa

from entropylaw.pool.arrow import reason
from entropylaw.pool.arrow_types import decoded, holds, is_extension, is_json, is_list, is_text, list_parts
from entropylaw.pool.encode import seconds
from entropylaw.pool.schema import RecordError

Parse = Callable[[str], Any]
"""What is made of a value of the type JSON."""


def rows(batch: pa.RecordBatch, parse: Parse) -> Iterator[dict[str, Any] | RecordError]:
    """The rows as objects, or why one can't be; see ``values``."""
    names = batch.schema.names
    try:
        columns = [values(column, parse) for column in batch.columns]
    except (UnicodeDecodeError, RecordError, pa.ArrowException, ValueError, OverflowError) as error:
        if batch.num_rows == 1:
            yield _refused(batch, parse, error)
            return
        for row in range(batch.num_rows):
            yield from rows(batch.slice(row, 1), parse)
        return
    if not columns:
        yield from ({} for _ in range(batch.num_rows))
    yield from (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))


def _refused(batch: pa.RecordBatch, parse: Parse, error: Exception) -> RecordError:
    if isinstance(error, UnicodeDecodeError):
        return RecordError(f"is not UTF-8: found byte 0x{error.object[error.start]:02x}")
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            values(column, parse)
        except (RecordError, pa.ArrowException, ValueError, OverflowError) as found:
            return RecordError(f"{name!r} {found}" if isinstance(found, RecordError) else f"{name!r}: {reason(found)}")
    return RecordError(reason(error))


def values(array: pa.Array, parse: Parse) -> list[Any]:
    """The values of a column as JSON has them, but for bytes, NaN and infinities, which stay what they are.

    Dates, times and decimals are text, durations and intervals ISO 8601 durations, UUIDs their canonical text. A map
    with keys of text is an object (with a key twice, and with other keys, a list of pairs). An extension type that is
    not known has the values of its storage. A value of the type JSON is what ``parse`` makes of it.

    Raises
    ------
    RecordError
        If a value can't be written as text, or is no JSON.
    """
    kind = array.type
    if _is_plain(kind):
        return array.to_pylist()  # type: ignore[no-any-return]
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return values(decoded(array), parse)
    if is_extension(kind):
        return _extended(array, parse)
    if pa.types.is_struct(kind):
        names = [kind.field(n).name for n in range(kind.num_fields)]
        # Flattened, a member is null where its object is; otherwise anything may lie there.
        members = [values(part, parse) for part in array.flatten()]
        rows = zip(*members, strict=True) if members else repeat((), len(array))
        return _but_nulls(array, (dict(zip(names, row, strict=True)) for row in rows))
    if pa.types.is_map(kind):
        return _maps(array, parse)
    if is_list(kind):
        ends, inner = list_parts(array)
        items = values(inner, parse)
        return _but_nulls(array, (items[start:end] for start, end in pairwise(ends)))
    if pa.types.is_union(kind):
        # Sliced unions give no access to their parts; they are rare.
        return [values(pa.repeat(scalar.value, 1), parse)[0] for scalar in array]
    if pa.types.is_interval(kind):
        return [None if value is None else _interval(*value) for value in array.to_pylist()]
    if pa.types.is_duration(kind):
        unit = _PER_SECOND[kind.unit]
        counts = array.cast(pa.int64()).to_pylist()
        return [None if count is None else f"PT{seconds(count, unit)}S" for count in counts]
    texts: list[Any] = array.cast(pa.string()).to_pylist()
    if any(text is not None and text.startswith("<value out of range") for text in texts):
        raise RecordError(f"holds a {kind} that is out of range")
    return texts


def _extended(array: pa.Array, parse: Parse) -> list[Any]:
    kind = array.type
    stored = values(array.storage, parse)
    known: dict[str, Callable[[Any], Any]] = {
        "arrow.json": parse,
        "arrow.uuid": lambda value: str(uuid.UUID(bytes=value)),
        "arrow.bool8": bool,
        "pandas.period": lambda value: _period(value, kind),
    }
    if (make := known.get(kind.extension_name)) is None:
        return stored
    return [None if value is None else make(value) for value in stored]


def _period(value: int, kind: Any) -> str:
    import pandas

    return str(pandas.Period(ordinal=value, freq=kind.freq))


def _maps(array: pa.Array, parse: Parse) -> list[Any]:
    ends, entries = list_parts(array)
    pairs = list(zip(values(entries.field(0), parse), values(entries.field(1), parse), strict=True))
    named = is_text(array.type.key_type)

    def one(part: list[tuple[Any, Any]]) -> Any:
        found = dict(part) if named else {}
        return found if named and len(found) == len(part) else [list(pair) for pair in part]

    return _but_nulls(array, (one(pairs[start:end]) for start, end in pairwise(ends)))


def _but_nulls(array: pa.Array, found: Iterator[Any]) -> list[Any]:
    if not array.null_count:
        return list(found)
    present = array.is_valid().to_pylist()
    return [value if there else None for value, there in zip(found, present, strict=True)]


def _is_plain(kind: pa.DataType) -> bool:
    """Whether Python's values of a type are those of JSON."""
    types = pa.types

    def other(part: pa.DataType) -> bool:
        return bool(
            is_extension(part)
            or types.is_temporal(part)
            or types.is_decimal(part)
            or types.is_map(part)
            or types.is_union(part)
            or types.is_run_end_encoded(part)
        )

    return not holds(kind, other)


_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def _interval(months: int, days: int, nanoseconds: int) -> str:
    text = (f"{months}M" if months else "") + (f"{days}D" if days else "")
    time = f"T{seconds(nanoseconds, 10**9)}S" if nanoseconds or not text else ""
    return f"P{text}{time}"


def check_values(kind: pa.DataType) -> None:
    """Finds out before the work whether values of a type can be written as JSON.

    Raises
    ------
    pyarrow.ArrowException
        If they can't: times of a zone that this machine does not know.
    """

    def tried(part: pa.DataType) -> bool:
        if pa.types.is_timestamp(part):
            pa.array([0], part).cast(pa.string())
        return False

    holds(kind, tried)


def holds_json(kind: pa.DataType) -> bool:
    """Whether values of a type have JSON in them."""
    return holds(kind, is_json)
