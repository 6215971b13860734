"""Quotas: how much of the budget each group may or must get."""

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from entropylaw import parameters
from entropylaw.budget import Amount, Unit
from entropylaw.errors import EntropyLawError

QuotasLike = str | Sequence[str] | Mapping[str, str | int]
"""``"gsm8k=10%,t0<=20%,*>=1%"``, several such texts, or ``{"gsm8k": "10%", "t0": "<=20%", "*": ">=1%"}``."""

REST = "*"
"""Stands for every group that is not named."""

UNLIMITED = 2**64 - 1

# Possessive, so that whatever it is given takes time in proportion to its length.
_RULE = re.compile(
    r"""\s*+(?P<group>"(?:[^"]|"")*+"|[^",<>=\s]++(?:\s++[^",<>=\s]++)*+)"""
    r"""\s*+(?P<sign><=|>=|=)\s*+(?P<amount>[^,<>=\s]++(?:\s++[^,<>=\s]++)*+)\s*+(?:,|$)"""
)
_EXAMPLE = "such as 'gsm8k=10%,t0<=20%,*>=1%'"


@dataclass(frozen=True)
class Rule:
    """What a group gets: ``>=`` at least, ``<=`` at most, ``=`` exactly an amount."""

    group: str
    sign: str
    amount: Amount
    text: str
    """As it was written."""


@dataclass(frozen=True)
class Quotas:
    """Quotas as a user writes them, understood."""

    rules: tuple[Rule, ...]

    @classmethod
    def parse(cls, given: QuotasLike) -> "Quotas":
        """Understands ``QuotasLike``.

        Raises
        ------
        EntropyLawError
            If a quota can't be understood, or two speak of the same.
        """
        if isinstance(given, Mapping):
            rules = [_rule(group, *_signed(group, value)) for group, value in given.items()]
        else:
            what = f"a text {_EXAMPLE}, several, or a mapping of groups to amounts"
            texts = (given,) if isinstance(given, str) else parameters.texts("quota", given, what)
            rules = [rule for text in texts for rule in _parse(text)]
        for number, rule in enumerate(rules):
            for other in rules[:number]:
                if other.group == rule.group and (other.sign == rule.sign or "=" in (other.sign, rule.sign)):
                    raise EntropyLawError(
                        f"the quotas {other.text!r} and {rule.text!r} are of the same group; give one of them"
                    )
        return cls(tuple(rules))

    def resolve(
        self, budget: int, unit: Unit, made_by: str | None, names: Sequence[str], available: NDArray[np.int64]
    ) -> NDArray[np.uint64]:
        """The least and the most that each group gets, shape ``(len(names), 2)``; ``available``: what each group has,
        ``made_by``: the field or the clusters that groups are, None if they were given.

        Shares are of the budget: at least is rounded up, at most and exactly are rounded down.

        Raises
        ------
        EntropyLawError
            If a group is not there, or the quotas can't be met.
        """
        for rule in self.rules:
            if rule.group != REST and rule.group not in names:
                raise EntropyLawError(_unknown(rule, made_by, names))
            if not rule.amount.is_share and (rule.amount.unit or "samples") != unit:
                raise EntropyLawError(
                    f"the quota {rule.text!r} counts {rule.amount.unit or 'samples'}, the budget {unit}; "
                    f"give it in {unit}, or as a share"
                )
        named = {rule.group for rule in self.rules}
        bounds = [(0, UNLIMITED)] * len(names)
        for at, name in enumerate(names):
            least, most = 0, UNLIMITED
            for rule in self.rules:
                if rule.group == (name if name in named else REST):
                    exact = rule.amount.number * budget if rule.amount.is_share else rule.amount.number
                    if rule.sign == ">=":
                        least = math.ceil(exact)
                    else:
                        most = math.floor(exact)
                        least = most if rule.sign == "=" else least
                    if least > available[at]:
                        raise EntropyLawError(
                            f"the quota {rule.text!r} is {least:,} {unit}, but the group {name or '(none)'!r} has "
                            f"{available[at]:,} that can be selected; lower it"
                            + (f", or give {name!r} a quota of its own" if rule.group == REST else "")
                        )
            if least > most:
                raise EntropyLawError(
                    f"the quotas of {name or '(none)'!r} ask for at least {least:,} and at most {most:,} {unit}"
                )
            bounds[at] = (least, most)
        self._check_sums(budget, unit, bounds, available)
        return np.array(bounds, dtype=np.uint64).reshape(-1, 2)

    def _check_sums(
        self, budget: int, unit: Unit, bounds: Sequence[tuple[int, int]], available: NDArray[np.int64]
    ) -> None:
        if (least := sum(least for least, _ in bounds)) > budget:
            raise EntropyLawError(
                f"the quotas ask for at least {least:,} {unit} together, more than the budget of {budget:,}; lower them"
            )
        allowed = sum(min(most, have) for (_, most), have in zip(bounds, available.tolist(), strict=True))
        if allowed < min(budget, int(available.sum())):
            raise EntropyLawError(
                f"the quotas allow {allowed:,} {unit} at most, less than the budget of {budget:,}; raise a maximum, or "
                "lower the budget"
            )


def _parse(text: str) -> list[Rule]:
    rules = []
    at = 0
    while at < len(text):
        if (match := _RULE.match(text, at)) is None:
            raise EntropyLawError(f"the quota {text[at:]!r} can't be understood; quotas are {_EXAMPLE}")
        group = match["group"]
        if group.startswith('"'):
            group = group[1:-1].replace('""', '"')
        rules.append(_rule(group, match["sign"], match["amount"], match[0].strip().rstrip(",").strip()))
        at = match.end()
    if not rules:
        raise EntropyLawError(f"the quota is empty; quotas are {_EXAMPLE}")
    return rules


def _signed(group: object, value: object) -> tuple[str, str, str]:
    # The empty name is that of the group without one.
    if group != "":
        parameters.text("a group of the quota", group, "the name of a group, as text")
    if not isinstance(value, str):
        value = str(parameters.whole(f"the quota of {group!r}", value, 0))
    text = value.strip()
    given = next((sign for sign in ("<=", ">=", "=") if text.startswith(sign)), "")
    sign, amount = given or "=", text[len(given) :].strip()
    return sign, amount, f"{group}{sign}{amount}"


def _rule(group: str, sign: str, amount: str, text: str) -> Rule:
    parsed = Amount.parse(amount)
    if parsed is None or (parsed.is_share and (parsed.number > 1 or parsed.unit is not None)):
        raise EntropyLawError(
            f"the quota {text!r} can't be understood: {amount!r} is not a share of the budget such as '10%', nor an "
            "amount such as '100' or '5MB'"
        )
    return Rule(group, sign, parsed, text)


def _unknown(rule: Rule, made_by: str | None, names: Sequence[str]) -> str:
    known = sorted(name for name in names if name)
    if not known:
        found = "they are all ''" if made_by is None else f"they have no field {made_by!r}"
        return f"the quota {rule.text!r} names a group, but the records have none: {found}"
    shown = ", ".join(map(repr, known[:8])) + (f" and {len(known) - 8} more" if len(known) > 8 else "")
    close = difflib.get_close_matches(rule.group, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"the quota {rule.text!r} is of no group: {made_by or 'group_by'!r} has {shown}{hint}"
