"""Random subsets of so many bytes: what every method has to beat."""

import random
from collections.abc import Sequence


def cut(samples: Sequence[bytes], order: Sequence[int], size: int) -> list[int]:
    """The samples of ``order`` that fit ``size`` bytes together; what does not fit is passed over, as in ``select``."""
    chosen = []
    for index in order:
        if len(samples[index]) <= size:
            chosen.append(index)
            size -= len(samples[index])
    return chosen


def pick_random(samples: Sequence[bytes], size: int, *, seed: int) -> list[int]:
    return cut(samples, random.Random(seed).sample(range(len(samples)), len(samples)), size)
