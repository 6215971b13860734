"""How much to select: samples, bytes or tokens, or a share of the pool's."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Self

import numpy as np

from entropylaw import parameters
from entropylaw.errors import EntropyLawError

Unit = Literal["samples", "bytes", "tokens"]

_BYTES = {"b": 1} | {
    f"{letter}{suffix}": base**power
    for power, letter in enumerate("kmgt", start=1)
    for suffix, base in (("b", 1000), ("ib", 1024))
}
_THOUSANDS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "g": 10**9, "t": 10**12}
_LONGEST = 1000
"""Characters of an amount: Python reads numbers of some thousand digits."""
# Possessive, so that whatever it is given takes time in proportion to its length.
_TEXT = re.compile(
    r"\s*+(?P<number>\d++(?:\.\d++)?)\s*+(?:(?P<share>%)\s*+(?P<of>samples|bytes|tokens)?|(?P<bytes>[kmgt]?i?b)|"
    r"(?P<scale>[kmgbt]?)\s*+(?P<unit>samples?|tokens?))\s*+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Amount:
    """So many samples, bytes or tokens, or a share of them."""

    number: Fraction
    """How many; if it is a share, of 1."""
    unit: Unit | None
    """Of what; None if it was left open."""
    is_share: bool

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Understands ``1000``, ``10%``, ``10% tokens``, ``50MB`` (10^6 bytes), ``1.5GiB`` (2^30 bytes), ``2M tokens``.

        None if it is none of these.
        """
        if len(text) > _LONGEST:
            return None
        try:
            if re.fullmatch(r"\s*\d+\s*", text):
                return cls(Fraction(int(text)), None, False)
            if (match := _TEXT.fullmatch(text)) is None:
                return None
            number = Fraction(match["number"])
        except ValueError:
            # More digits than Python reads.
            return None
        if match["share"]:
            return cls(number / 100, _unit(match["of"]), True)
        if match["bytes"]:
            return cls(number * _BYTES[match["bytes"].lower()], "bytes", False)
        return cls(number * _THOUSANDS[match["scale"].lower()], _unit(match["unit"]), False)


def _unit(text: str | None) -> Unit | None:
    units: dict[str, Unit] = {"s": "samples", "b": "bytes", "t": "tokens"}
    return units[text[0].lower()] if text else None


@dataclass(frozen=True)
class Budget:
    """A budget as a user writes it, understood."""

    given: int | str
    """What was written."""
    unit: Unit
    """What it counts."""
    amount: Fraction
    """How many; or, if it is a share, which one, in (0, 1]."""
    is_share: bool

    @classmethod
    def parse(cls, budget: int | str) -> Self:
        """Understands what ``Amount`` does; samples are meant where no unit is given.

        Raises
        ------
        EntropyLawError
            If it is none of these, or comes to nothing.
        """
        amount = Amount.parse(budget) if isinstance(budget, str) else None
        if amount is None:
            below_zero = isinstance(budget, str) and re.fullmatch(r"\s*-\d+\s*", budget)
            if not below_zero and not isinstance(budget, int | float | np.number):
                raise EntropyLawError(
                    f"the budget is {parameters.shown(budget)}; it must be a number of samples, a share such as '10%', "
                    "bytes such as '50MB', or tokens such as '2M tokens'"
                )
            if isinstance(budget, float | np.floating) and 0 < budget < 1:
                raise EntropyLawError(f"the budget is {parameters.shown(budget)}; a share is a text, such as '10%'")
            count = parameters.whole("the budget", budget, 1)
            amount = Amount(Fraction(count), "samples", False)
            budget = count
        if amount.is_share and not 0 < amount.number <= 1:
            raise EntropyLawError(f"the budget is {budget!r}; a share must be above 0% and at most 100%")
        unit = amount.unit or "samples"
        if not amount.is_share and amount.number < 1:
            raise EntropyLawError(f"the budget is {budget!r}, less than one {unit[:-1]}; it must be at least 1")
        number = amount.number if amount.is_share else Fraction(int(amount.number))
        return cls(budget, unit, number, amount.is_share)

    def of(self, total: int) -> int:
        """How much it is of a pool that has ``total`` of its unit; shares are rounded down.

        Raises
        ------
        EntropyLawError
            If it is a share that comes to nothing.
        """
        if not self.is_share:
            return int(self.amount)
        if count := int(total * self.amount):
            return count
        raise EntropyLawError(
            f"the budget {self.given!r} of {total} {self.unit} is less than one {self.unit[:-1]}; raise it"
        )
