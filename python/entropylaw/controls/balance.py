"""Balance: how much of the budget each group gets, by its size."""

from collections.abc import Sequence
from decimal import Context, Decimal

from entropylaw import parameters
from entropylaw.controls.quotas import UNLIMITED

_EXACT = Context(prec=50, Emax=999_999, Emin=-999_999)
_DIGITS = 30
"""Digits of a weight. Powers are computed with 20 more, so that one which is a whole number comes out as it."""


def parse_balance(given: object) -> float:
    """The exponent of the sizes, from 0 (equal shares) to 1 (shares as in the pool).

    Raises
    ------
    EntropyLawError
        If it is none.
    """
    return parameters.real("balance", given, 0, 1)


def shares(budget: int, tau: float, available: Sequence[int], bounds: Sequence[tuple[int, int]] | None) -> list[int]:
    """What each group gets, in whole units that sum up to the budget, or to all there is.

    The share of a group is in proportion to ``available ** tau``, but never more than it has, nor outside its bounds
    (the least and the most). What a bound takes or leaves is shared out among the others in the same proportion.
    Fractions go to the largest remainders, of equal ones to the earlier group. There have to be such shares within the
    bounds.

    All arithmetic is exact but that of the powers, which are rounded to 30 digits in the same way everywhere.
    """
    lows = [0] * len(available) if bounds is None else [low for low, _ in bounds]
    highs = [min(have, UNLIMITED if bounds is None else bounds[at][1]) for at, have in enumerate(available)]
    of_size = {have: _weight(have, tau) for have in set(available)}
    weights = [of_size[have] for have in available]
    given = [0] * len(available)
    left = min(budget, sum(highs))
    open_ = [at for at, have in enumerate(available) if have]
    # Each turn holds those to their bounds that are outside them in the direction that outweighs the other: they would
    # be outside whatever becomes of the rest.
    while open_:
        whole = sum(weights[at] for at in open_)
        above = [at for at in open_ if left * weights[at] > highs[at] * whole]
        below = [at for at in open_ if left * weights[at] < lows[at] * whole]
        over = sum(left * weights[at] - highs[at] * whole for at in above)
        under = sum(lows[at] * whole - left * weights[at] for at in below)
        if not above and not below:
            break
        held = [(at, highs[at]) for at in above] if over >= under else []
        held += [(at, lows[at]) for at in below] if under >= over else []
        for at, amount in held:
            given[at] = amount
            left -= amount
        closed = {at for at, _ in held}
        open_ = [at for at in open_ if at not in closed]
    if open_:
        parts = {at: divmod(left * weights[at], whole) for at in open_}
        for at, (amount, _) in parts.items():
            given[at] = amount
        rest = left - sum(amount for amount, _ in parts.values())
        # A stable sort: of equal remainders the earlier group is first.
        for at in sorted(open_, key=lambda at: -parts[at][1])[:rest]:
            given[at] += 1
    return given


def _weight(size: int, tau: float) -> int:
    """``size ** tau``, as a multiple of 10^-29; 0 for nothing.

    The logarithm and the exponential of ``decimal`` are correctly rounded, and so are the same everywhere, unlike those
    of the platform.
    """
    if size == 0:
        return 0
    exponent = Decimal(repr(tau))
    power = _EXACT.exp(_EXACT.multiply(exponent, _EXACT.ln(Decimal(size))))
    rounded = Context(prec=_DIGITS).plus(power)
    return int(rounded.scaleb(_DIGITS - 1, Context(prec=2 * _DIGITS)))
