"""Balanced shares and random orders as they are defined: exact fractions, whole numbers, and one sum at a time."""

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction

from limits import Limits

_MASK = 2**64 - 1
_PLACES = 40


def power(size: int, tau: float) -> Fraction:
    """``size ** tau`` by a whole root, exact where it is a whole number, else rounded down after 40 places."""
    exponent = Fraction(repr(tau))
    p, q = exponent.numerator, exponent.denominator
    return Fraction(root(size**p * 10 ** (_PLACES * q), q), 10**_PLACES) if size else Fraction(0)


def root(number: int, degree: int) -> int:
    """The largest whole number whose power is not above ``number``."""
    low, high = 0, 1 << -(-number.bit_length() // degree)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**degree <= number else (low, middle - 1)
    return low


def shares(
    budget: int, tau: float, available: Mapping[str, int], quotas: Mapping[str, tuple[int, int]]
) -> dict[str, int]:
    """The shares: ``min(max(level * size ** tau, least), most)``, at the level at which they sum up to the budget."""
    groups = [group for group, have in available.items() if have]
    weight = {group: power(available[group], tau) for group in groups}
    least = {group: quotas.get(group, (0, 0))[0] for group in groups}
    most = {group: min(available[group], quotas.get(group, (0, budget))[1]) for group in groups}

    def at(level: Fraction) -> dict[str, Fraction]:
        return {g: min(max(level * weight[g], Fraction(least[g])), Fraction(most[g])) for g in groups}

    goal = min(budget, sum(most.values()))
    turns = sorted({Fraction(0), *(bound[g] / weight[g] for g in groups for bound in (least, most))})
    exact = at(turns[-1])
    for low, high in itertools.pairwise(turns):
        below, above = sum(at(low).values()), sum(at(high).values())
        if below <= goal <= above:
            # Between two turns the sum is a straight line.
            exact = at(low if above == below else low + (high - low) * (goal - below) / (above - below))
            break
    found = {group: math.floor(share) for group, share in exact.items()}
    remainders = sorted(groups, key=lambda group: found[group] - exact[group])
    for group in remainders[: goal - sum(found.values())]:
        found[group] += 1
    return {group: found.get(group, 0) for group in available}


def splitmix(state: int) -> int:
    """What SplitMix64 makes of its state."""
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    state = (state ^ state >> 27) * 0x94D049BB133111EB & _MASK
    return state ^ state >> 31


def drawn(
    samples: int, seed: int, limits: Limits, known: Collection[int] = (), weights: Sequence[float] | None = None
) -> list[int]:
    """What random selection draws."""
    numbers = [splitmix(splitmix(seed) + (index + 1) * 0x9E3779B97F4A7C15 & _MASK) for index in range(samples)]

    def turn(index: int) -> tuple[float, int]:
        wait = -math.log(((numbers[index] >> 12) + 0.5) / 2**52)
        weight = 1.0 if weights is None else weights[index]
        return (wait / weight if weight else math.inf), -numbers[index]

    return in_order(sorted((index for index in range(samples) if index not in known), key=turn), limits)


def in_order(order: list[int], limits: Limits) -> list[int]:
    """Each in its turn if it fits."""
    picks: list[int] = []
    while limits.left() and (fitting := limits.fitting(order)):
        order.remove(fitting[0])
        limits.take(fitting[0])
        picks.append(fitting[0])
    return picks
