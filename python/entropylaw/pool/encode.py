"""Records that are Python objects or rows of a table, as lines of JSON."""

import base64
import datetime
import decimal
import json
import math
import uuid
from typing import Any

import msgspec
import numpy as np

from entropylaw.pool.schema import RecordError

_PLAIN = frozenset((str, int, float, bool, type(None)))
_FINE = {"ns": 10**9, "ps": 10**12, "fs": 10**15, "as": 10**18}
"""Units of NumPy's times that Python's don't have: how many there are in a second."""


def as_json(record: Any) -> bytes:
    """A record as one line of JSON.

    What JSON has no form for becomes text: dates, times and durations by ISO 8601, decimals by their digits, UUIDs in
    their usual form, bytes inside a record as base64. NaN and infinities stay the words that Python reads and writes.

    Raises
    ------
    RecordError
        If the record holds something else that JSON can't hold.
    """
    if isinstance(record, bytes | bytearray):
        record = bytes(record).decode(errors="surrogateescape")
    try:
        return json.dumps(record, ensure_ascii=False, default=plain).encode()
    except UnicodeEncodeError:
        # A lone surrogate: UTF-8 can't hold it, an escape can.
        return json.dumps(record, default=plain).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise RecordError(f"can't be written as JSON: {error}") from None


def row_as_json(row: dict[str, Any]) -> bytes:
    """A row of a table as one line of strict JSON: as ``as_json`` does it, with null for NaN and infinities."""
    try:
        return json.dumps(row, ensure_ascii=False, default=plain, allow_nan=False).encode()
    except ValueError:
        return as_json(_without_nan(row))


def row_with_json(row: dict[str, Any]) -> bytes:
    """As ``row_as_json``, with each ``msgspec.Raw`` in the row as it is."""
    return _with_raw(_without_nan(row), ", ", ": ").encode()


def json_value(value: Any) -> str:
    """A value, with each ``msgspec.Raw`` in it as it is, as compact JSON.

    Raises
    ------
    RecordError
        If JSON can't hold it: NaN and infinities among others.
    """
    return _with_raw(value, ",", ":")


def _with_raw(value: Any, comma: str, colon: str) -> str:
    if isinstance(value, msgspec.Raw):
        return bytes(value).decode()
    try:
        if isinstance(value, dict) and _holds_raw(value):
            keys = (_strict(str(key), comma, colon) for key in value)
            parts = (_with_raw(part, comma, colon) for part in value.values())
            return "{" + comma.join(f"{key}{colon}{part}" for key, part in zip(keys, parts, strict=True)) + "}"
        if isinstance(value, list) and _holds_raw(value):
            return "[" + comma.join(_with_raw(part, comma, colon) for part in value) + "]"
        return _strict(value, comma, colon)
    except (TypeError, ValueError, RecursionError) as error:
        raise RecordError(f"can't be written as JSON: {error}") from None


def _holds_raw(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_raw(part) for part in value.values())
    if isinstance(value, list):
        return any(_holds_raw(part) for part in value)
    return isinstance(value, msgspec.Raw)


def _strict(value: Any, comma: str, colon: str) -> str:
    separators = (comma, colon)
    text = json.dumps(value, ensure_ascii=False, default=plain, allow_nan=False, separators=separators)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, default=plain, allow_nan=False, separators=separators)
    return text


def seconds(count: int, unit: int) -> str:
    """A number of seconds, by how many of a unit it is, of which ``unit`` are a second."""
    whole, part = divmod(abs(count), unit)
    digits = f"{part:0{len(str(unit)) - 1}}".rstrip("0") if part else ""
    return ("-" if count < 0 else "") + str(whole) + (f".{digits}" if digits else "")


def plain(value: Any) -> Any:
    """What stands in JSON for a value that it has no form for; raises TypeError if nothing does."""
    if is_missing(value):
        return None
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        # That of pandas counts nanoseconds, too.
        count = value // datetime.timedelta(microseconds=1) * 1000 + getattr(value, "nanoseconds", 0)
        return f"PT{seconds(count, 10**9)}S"
    if isinstance(value, np.datetime64):
        return str(value) if isinstance(found := _inside(value), np.datetime64) else found
    if isinstance(value, np.timedelta64) and not isinstance(value.tolist(), datetime.timedelta):
        unit, step = np.datetime_data(value.dtype)
        if unit in _FINE:
            return f"PT{seconds(int(value.astype(np.int64)) * step, _FINE[unit])}S"
    if isinstance(value, decimal.Decimal | uuid.UUID):
        return str(value)
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if isinstance(value, np.ndarray | np.generic):
        inside = _inside(value)
    else:
        # Other arrays: those of PyTorch, of Python's own array, and so on.
        inside = value.tolist() if hasattr(value, "tolist") else value
    if inside is not value:
        return inside
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def in_json_types(value: Any) -> Any:
    """A value with lists for the tuples and arrays in it, and keys, numbers and null as ``as_json`` writes them; the
    same object if there are none."""
    if isinstance(value, dict | list):
        changed: Any = None
        parts: Any = value
        named = isinstance(value, dict)
        for key, part in parts.items() if named else enumerate(parts):
            if named and type(key) is not str and _key(key) is not key:
                return in_json_types({_key(key): part for key, part in parts.items()})
            if type(part) in _PLAIN or (new := in_json_types(part)) is part:
                continue
            changed = value.copy() if changed is None else changed
            changed[key] = new
        return value if changed is None else changed
    if isinstance(value, tuple):
        return [in_json_types(part) for part in value]
    if is_missing(value):
        return None
    if isinstance(value, np.ndarray | np.generic) and (inside := _inside(value)) is not value:
        return in_json_types(inside)
    return value


def _key(key: Any) -> Any:
    """A key as ``json.dumps`` writes it, which is text; the same object if it doesn't."""
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, bool | int | float):
        return next(iter(json.loads(json.dumps({key: None}))))
    return key


def _inside(value: Any) -> Any:
    """What an array or a scalar of NumPy holds, as Python has it; the same object if Python has nothing for it."""
    if value.dtype.kind in "mM":
        # Python has no nanoseconds, nor months: ``tolist`` would give a number of them.
        if isinstance(value, np.ndarray):
            return list(value) if value.ndim else value[()]
        return value if isinstance(found := value.tolist(), int) else found
    found = value.tolist()
    return value if isinstance(found, np.generic) else found


def is_missing(value: Any) -> bool:
    """Whether it is what pandas or NumPy has where a time, or any value, is missing."""
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    return type(value).__name__ == "NAType" or (isinstance(value, datetime.datetime) and value != value)


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _without_nan(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(part) for part in value]
    return value
