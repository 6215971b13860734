"""What callers pass, checked: each function here takes a parameter's name and value, and returns the value as what it
has to be, or raises an EntropyLawError that names the parameter, what was found and what it must be.

Numbers of NumPy are numbers. ``30.0`` is a whole number, ``True`` is none.
"""

import math
import operator
import os
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np

from entropylaw import _core
from entropylaw.errors import EntropyLawError
from entropylaw.storage.urls import is_url

_SHOWN = 60
_LONGEST_NAME = 255


def shown(value: object) -> str:
    """A value as a message shows it: on one line, and not all of a long one."""
    try:
        text = repr(value)
    except Exception:
        text = f"something of type {type(value).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def whole(name: str, value: Any, low: int | None = None, high: int | None = None) -> int:
    """A whole number from ``low`` to ``high``, as far as these are given."""
    number = _index(value)
    if number is None or (low is not None and number < low) or (high is not None and number > high):
        raise EntropyLawError(f"{name} is {shown(value)}; it must be a whole number{span(low, high)}")
    return number


def _index(value: Any) -> int | None:
    if isinstance(value, bool | np.bool_):
        return None
    if isinstance(value, float | np.floating):
        return int(value) if float(value).is_integer() else None
    try:
        return operator.index(value)
    except TypeError:
        return None


def real(name: str, value: Any, low: float | None = None, high: float | None = None) -> float:
    """A finite number from ``low`` to ``high``, as far as these are given."""
    number = math.nan
    if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
    if not math.isfinite(number) or (low is not None and number < low) or (high is not None and number > high):
        raise EntropyLawError(f"{name} is {shown(value)}; it must be a number{span(low, high)}")
    return number


def span(low: float | None, high: float | None) -> str:
    if high is None:
        return "" if low is None else f", at least {low:,}"
    return f", at most {high:,}" if low is None else f" from {low:,} to {high:,}"


def flag(name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool | np.bool_):
        raise EntropyLawError(f"{name} is {shown(value)}; it must be True or False")
    return bool(value)


def text(name: str, value: Any, what: str = "text") -> str:
    """A text that is not empty; ``what``: of what kind."""
    if not isinstance(value, str) or not value:
        raise EntropyLawError(f"{name} is {shown(value)}; it must be {what}")
    return value


def texts(name: str, values: Any, what: str = "texts") -> tuple[str, ...]:
    """Several texts, not one; ``what``: of what kind."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable) or getattr(values, "ndim", 1) != 1:
        raise EntropyLawError(f"{name} is {shown(values)}; it must be {what}")
    found = tuple(values)
    if wrong := [value for value in found if not isinstance(value, str)]:
        raise EntropyLawError(f"{name} has {shown(wrong[0])}; it must be {what}")
    return found


def one_of(name: str, value: Any, choices: Collection[str]) -> str:
    """One of these words."""
    if not isinstance(value, str) or value not in choices:
        raise EntropyLawError(f"{name} is {shown(value)}; it must be {listed(choices, 'or')}")
    return str(value)


def named(kind: str, value: Any, names: Collection[str]) -> str:
    """The name of a thing of some kind; of which there are these."""
    if not isinstance(value, str) or value not in names:
        raise EntropyLawError(f"there is no {kind} {shown(value)}; there are {listed(names, 'and')}")
    return str(value)


def listed(names: Collection[str], before_last: str) -> str:
    """Names one after the other."""
    *most, last = map(repr, names)
    return f"{', '.join(most)} {before_last} {last}" if most else last


def unmasked(values: Any) -> Any:
    """What holds a value for each of something, with None where NumPy masks it: made an array, it would lose the mask,
    and what lies under it would count."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        return np.array(values.tolist(), dtype=object)
    return values


def path(name: str, value: Any) -> str:
    """A path or a URL, as text."""
    found = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(found, str) or not found:
        raise EntropyLawError(f"{name} is {shown(value)}; it must be a path")
    if is_url(found):
        return found
    if not _can_be_a_path(found):
        raise EntropyLawError(f"{name} is {shown(value)}; no file can have this name")
    return found


def _can_be_a_path(given: str) -> bool:
    """Whether a file can have such a name; what can't makes Python raise this and that."""
    try:
        parts = os.fsencode(given).replace(b"\\", b"/").split(b"/")
    except UnicodeEncodeError:
        return False
    return "\0" not in given and max(map(len, parts)) <= _LONGEST_NAME


def callback(name: str, value: Any) -> None:
    """Nothing, or a function to call."""
    if value is not None and not callable(value):
        raise EntropyLawError(f"{name} is {shown(value)}; it must be a function, or None")


def threads(value: Any) -> int:
    """How many threads to use: so many or, if it is None, as many as this process may by affinity and quota."""
    return _core.thread_count(value)


def reading(*, render: Any, schema: Any, field: Any, on_error: Any, group_by: Any, threads: Any, progress: Any) -> None:
    """Checks how a pool is to be read, as far as that goes without a pool."""
    if not callable(render):
        text("render", render, "'text', 'json', a template or a function")
    if schema is not None:
        text("schema", schema, "the name of a schema, or None")
    if field is not None:
        text("field", field, "the name of a field, or None")
    one_of("on_error", on_error, ("raise", "skip"))
    text("group_by", group_by, "the name of a field")
    _core.thread_count(threads)
    callback("progress", progress)
