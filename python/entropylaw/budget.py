"""How much to select: samples, a share of the pool, or bytes."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Self

from entropylaw.errors import EntropyLawError

_UNITS = {"b": 1} | {
    f"{letter}{suffix}": base**power
    for power, letter in enumerate("kmgt", start=1)
    for suffix, base in (("b", 1000), ("ib", 1024))
}
_TEXT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(%|[kmgt]?i?b)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Budget:
    """A budget as a user writes it, understood."""

    given: int | str
    """What was written."""
    kind: Literal["samples", "share", "bytes"]
    amount: Fraction
    """Samples, a share in (0, 1], or bytes."""

    @classmethod
    def parse(cls, budget: int | str) -> Self:
        """Understands ``1000``, ``"1000"``, ``"10%"``, ``"50MB"`` (10^6 bytes), ``"1.5GiB"`` (2^30 bytes).

        Raises
        ------
        EntropyLawError
            If it is none of these, or comes to nothing.
        """
        if isinstance(budget, str) and (match := _TEXT.fullmatch(budget)):
            number, unit = Fraction(match[1]), match[2].lower()
            if unit == "%":
                if not 0 < number <= 100:
                    raise EntropyLawError(f"the budget is {budget!r}; a share must be above 0% and at most 100%")
                return cls(budget, "share", number / 100)
            if unit in _UNITS:
                size = Fraction(int(number * _UNITS[unit]))
                if size < 1:
                    raise EntropyLawError(f"the budget is {budget!r}, less than one byte; raise it")
                return cls(budget, "bytes", size)
        try:
            count = int(budget)
        except (TypeError, ValueError, OverflowError):
            raise EntropyLawError(
                f"the budget is {budget!r}; it must be a number of samples, a share such as '10%', or bytes such as "
                "'50MB'"
            ) from None
        if count < 1 or (not isinstance(budget, str) and count != budget) or isinstance(budget, bool):
            raise EntropyLawError(f"the budget is {budget!r}; it must be a whole number of samples, at least 1")
        return cls(budget if isinstance(budget, str) else count, "samples", Fraction(count))

    @property
    def size(self) -> int | None:
        """Bytes, if that is what it counts."""
        return int(self.amount) if self.kind == "bytes" else None

    def samples(self, pool: int) -> int:
        """How many samples it is of a pool of so many.

        Raises
        ------
        EntropyLawError
            If it counts bytes, or is a share that comes to less than one sample (shares are rounded down).
        """
        if self.kind == "bytes":
            raise EntropyLawError(
                f"the budget is {self.given!r}; this needs a number of samples, or a share such as '10%' (budgets in "
                "bytes go with method 'coverage')"
            )
        if self.kind == "samples":
            return int(self.amount)
        if count := int(pool * self.amount):
            return count
        raise EntropyLawError(f"the budget {self.given!r} of {pool} samples is less than one sample; raise it")
