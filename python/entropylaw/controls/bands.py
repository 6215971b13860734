"""Bounds of numbers, as users write them."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from entropylaw.errors import EntropyLawError

MinScore = str | Sequence[str] | Mapping[str, float]
"""``"quality>=0.5,score>=3"``, a list of such texts, or ``{"quality": 0.5, "score": 3}``."""

_SCORE = re.compile(r"\s*(?P<column>.+?)\s*>=\s*(?P<least>[^<>=]+?)\s*")


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
        wrong = EntropyLawError(f"{name} is {given!r}; it must be two bounds such as '50:8000', '50:' or ':8000'")
        ends = given.split(":") if isinstance(given, str) else list(given)
        if len(ends) != 2:
            raise wrong
        try:
            low, high = (
                open_end if end is None or end == "" or (isinstance(end, str) and not end.strip()) else float(end)
                for end, open_end in zip(ends, (-math.inf, math.inf), strict=True)
            )
        except (TypeError, ValueError):
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
        bounds: list[tuple[str, Any, str]] = [(str(name), least, f"{name}>={least}") for name, least in given.items()]
    else:
        bounds = []
        for text in given.split(",") if isinstance(given, str) else given:
            if (match := _SCORE.fullmatch(text)) is None:
                raise EntropyLawError(f"min_score is {text!r}; it must be like 'quality>=0.5'")
            bounds.append((match["column"], match["least"], text))
    least: dict[str, float] = {}
    for column, value, text in bounds:
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if math.isnan(number):
            raise EntropyLawError(f"min_score is {text!r}; {value!r} is not a number")
        if column in least:
            raise EntropyLawError(f"min_score has two bounds for {column!r}; give one")
        least[column] = number
    return least
