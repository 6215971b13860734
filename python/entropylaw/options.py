"""Values of options, whatever type of number they come in."""

import math
from typing import SupportsFloat, SupportsIndex, cast

import numpy as np

from entropylaw.errors import EntropyLawError


def whole(name: str, value: object, low: int | None = None, high: int | None = None) -> int:
    """A whole number, from ``low`` to ``high`` if they are given: 30, 30.0 and NumPy's 30 are the same.

    Raises
    ------
    EntropyLawError
        If it is none.
    """
    number = _number(value)
    outside = number is not None and ((low is not None and number < low) or (high is not None and number > high))
    if number is None or number != math.floor(number) or outside:
        span = "" if low is None else f" from {low} to {high}" if high is not None else f", at least {low}"
        raise EntropyLawError(f"{name} is {value!r}; it must be a whole number{span}")
    return int(number)


def share(name: str, value: object) -> float:
    """A number from 0 to 1.

    Raises
    ------
    EntropyLawError
        If it is none.
    """
    number = _number(value)
    if number is None or not 0 <= number <= 1:
        raise EntropyLawError(f"{name} is {value!r}; it must be a number from 0 to 1")
    return float(number)


def flag(name: str, value: object) -> bool:
    """True or False.

    Raises
    ------
    EntropyLawError
        If it is neither.
    """
    if not isinstance(value, bool | np.bool_):
        raise EntropyLawError(f"{name} is {value!r}; it must be True or False")
    return bool(value)


def _number(value: object) -> int | float | None:
    """A finite number; None if it is something else."""
    if isinstance(value, bool | np.bool_ | str | bytes):
        return None
    if isinstance(value, SupportsIndex):
        return int(value)
    try:
        number = float(cast(SupportsFloat, value))
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
