"""L: the mean loss of the first epoch, from the losses that a trainer logs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ENOUGH = 6  # Logged losses that a trend can be seen in.
_BEND = 2 / 3  # Of the way from no change to a straight line in log step.
_WHOLE = 0.999  # Share of the epoch that counts as all of it: trainers round.


@dataclass(frozen=True)
class FirstEpoch:
    """The loss of the first epoch, or of the part of it that was seen.

    Attributes
    ----------
    mean : float
        L: the mean loss of the epoch, each step counted alike; projected to the epoch's end if it is not over.
    error : float
        Standard error of ``mean``: 0 if the epoch is over, infinite if too little was seen to project.
    seen_mean : float
        Mean loss of the steps that were seen.
    fraction : float
        Share of the epoch's steps that were seen, at most 1.
    steps : float
        Steps of the epoch that were seen.
    """

    mean: float
    error: float
    seen_mean: float
    fraction: float
    steps: float

    @property
    def complete(self) -> bool:
        """Whether the epoch is over."""
        return self.fraction == 1.0


def first_epoch(
    starts: Sequence[float], steps: Sequence[float], losses: Sequence[float], epoch_steps: float
) -> FirstEpoch:
    """Averages the first epoch, each logged loss weighted with the steps that it is the mean of.

    A loss that is logged at step s is the mean over the steps since the last log. One that reaches into the second
    epoch counts with its steps in the first. Before the epoch is over, the rest is projected from the last two thirds
    seen: two thirds of the way from no change to a straight line in the logarithm of the step, with an error that
    reaches from one to beyond the other and holds the scatter (simulated: ``tests/test_law_logs.py``).

    Parameters
    ----------
    starts, steps
        Each loss is the mean over steps ``start + 1`` to ``step``.
    losses
        The logged losses, finite.
    epoch_steps
        Optimizer steps of an epoch.
    """
    begin = np.minimum(np.asarray(starts, dtype=np.float64), epoch_steps)
    end = np.minimum(np.asarray(steps, dtype=np.float64), epoch_steps)
    weight = end - begin
    inside = weight > 0
    weight, end, values = weight[inside], end[inside], np.asarray(losses, dtype=np.float64)[inside]
    if not len(values):
        return FirstEpoch(math.nan, math.inf, math.nan, 0.0, 0.0)
    seen = _mean(values, weight)
    count = float(weight.sum())
    # Steps that were not logged, after a resume, are gone: the epoch is over when its end was logged.
    fraction = float(end[-1]) / epoch_steps
    if fraction >= _WHOLE:
        return FirstEpoch(seen, 0.0, seen, 1.0, count)
    if len(values) < _ENOUGH:
        return FirstEpoch(seen, math.inf, seen, fraction, count)
    third = len(values) // 3
    parts = slice(-2 * third, -third), slice(-third, None)
    before, level = (_mean(values[part], weight[part]) for part in parts)
    middle = end - weight / 2
    since, now = (_mean(np.log(middle[part]), weight[part]) for part in parts)
    # Losses fall like a power of the step or slower. The rest lies between no change and a straight line in log step.
    reach = (_mean_log(float(end[-1]), epoch_steps) - now) / (now - since)
    change = reach * (level - before)
    # Scatter about the trend, from differences of neighbours.
    tail = np.diff(values[-2 * third :])
    scatter = float(tail @ tail) / (2 * len(tail))
    rest = (1 - fraction) * epoch_steps / float(weight[-third:].mean())
    bent = _BEND * reach
    noise = scatter / third * ((1 + bent) ** 2 + bent**2) + scatter / max(rest, 1.0)
    error = math.sqrt(noise + (_BEND * change) ** 2)
    level += _BEND * change
    mean = fraction * seen + (1 - fraction) * level
    return FirstEpoch(mean, (1 - fraction) * error, seen, fraction, count)


def _mean(values: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Weighted mean: ``np.average``, which takes three times as long while a training step waits."""
    return float(values @ weight) / float(weight.sum())


def _mean_log(low: float, high: float) -> float:
    """Mean of the logarithm over an interval."""
    return (high * (math.log(high) - 1) - low * (math.log(low) - 1)) / (high - low)
