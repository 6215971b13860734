"""Bounds of numbers, as users write them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from entropylaw import parameters
from entropylaw.errors import EntropyLawError

MinScore = str | Sequence[str] | Mapping[str, float]
"""``"quality>=0.5,score>=3"``, a list of such texts, or ``{"quality": 0.5, "score": 3}``."""


@dataclass(frozen=True)
class Band:
    """Numbers from ``low`` to ``high``, both included."""

    low: float
    high: float

    @classmethod
    def parse(cls, name: str, given: "str | Sequence[float | None]") -> Self:
        """Understands ``"50:8000"``, ``"50:"``, ``":8000"`` and ``(50, 8000)``, ``(50, None)``.

        Raises
        ------
        EntropyLawError
            If it is none of these, or holds no number.
        """
        wrong = EntropyLawError(
            f"{name} is {parameters.shown(given)}; it must be two bounds such as '50:8000', '50:' or ':8000'"
        )
        if not isinstance(given, str | Sequence | np.ndarray) or isinstance(given, bytes | bytearray):
            raise wrong
        if isinstance(given, np.ndarray) and given.ndim != 1:
            raise wrong
        ends = given.split(":") if isinstance(given, str) else list(given)
        if len(ends) != 2:
            raise wrong
        try:
            low, high = (
                open_end if end is None or end == "" or (isinstance(end, str) and not end.strip()) else float(end)
                for end, open_end in zip(ends, (-math.inf, math.inf), strict=True)
            )
        except (TypeError, ValueError, OverflowError):
            raise wrong from None
        if math.isnan(low) or math.isnan(high):
            raise wrong
        if low > high:
            raise EntropyLawError(f"{name} is {given!r}: no number is at least {low:g} and at most {high:g}")
        return cls(low, high)

    def holds(self, values: NDArray[np.int64] | NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which values are in it."""
        inside: NDArray[np.bool_] = (values >= self.low) & (values <= self.high)
        return inside


def parse_min_score(given: MinScore) -> dict[str, float]:
    """The least value of each column.

    Raises
    ------
    EntropyLawError
        If it can't be understood, or names a column twice.
    """
    if isinstance(given, Mapping):
        bounds: list[tuple[str, Any, str]] = [
            (str(name), least, f"{name}>={parameters.shown(least)}") for name, least in given.items()
        ]
    else:
        bounds = []
        what = "a text like 'quality>=0.5', several, or a mapping of fields to numbers"
        for text in given.split(",") if isinstance(given, str) else parameters.texts("min_score", given, what):
            column, sign, value = text.rpartition(">=")
            if not (sign and column.strip() and value.strip()) or set(value) & set("<>="):
                raise EntropyLawError(f"min_score is {text!r}; it must be like 'quality>=0.5'")
            bounds.append((column.strip(), value.strip(), text))
    least: dict[str, float] = {}
    for column, value, text in bounds:
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if math.isnan(number):
            raise EntropyLawError(f"min_score is {text!r}; {parameters.shown(value)} is not a number")
        if column in least:
            raise EntropyLawError(f"min_score has two bounds for {column!r}; give one")
        least[column] = number
    return least
