"""Scores as they are defined: sets and bags of words in plain Python, and gzip of each pair.

Slow and plain. It hashes as the package does, because two words in one bucket count as one.
"""

import gzip
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

from balance_oracle import splitmix
from coverage_oracle import _word_hash, chain, mix

_MASK = 2**64 - 1
_LN_2 = 0.6931471805599453
BUCKETS = 10_000
ROWS = 64


def words_and_pairs(sample: bytes) -> Iterator[int]:
    """Hashes of words, and of pairs of neighbours."""
    text = sample.decode(errors="replace").lower()
    words = [_word_hash(word.encode()) for word in re.findall(r"\w+|[^\w\s]+", text)]
    yield from map(mix, words)
    for first, second in itertools.pairwise(words):
        yield chain(mix(first), second)


def ln(x: float) -> float:
    """The natural logarithm, by the operations that make it the same everywhere."""
    fraction, exponent = math.frexp(x)
    fraction, exponent = 2 * fraction, exponent - 1
    if fraction > math.sqrt(2):
        fraction, exponent = fraction / 2, exponent + 1
    t = (fraction - 1) / (fraction + 1)
    series = 0.0
    for k in reversed(range(12)):
        series = series * (t * t) + 1 / (2 * k + 1)
    return 2 * t * series + exponent * _LN_2


def dsir(samples: Sequence[bytes], target: Sequence[bytes]) -> tuple[list[float], list[int]]:
    """Log importance weights, and the words and pairs that they are sums over."""
    bags = [Counter(hash_ * BUCKETS >> 64 for hash_ in words_and_pairs(sample)) for sample in (*samples, *target)]
    raw, wanted = (sum(some, Counter()) for some in (bags[: len(samples)], bags[len(samples) :]))
    of_raw, of_wanted = max(1, raw.total()), wanted.total()

    def worth(bucket: int) -> int:
        difference = ln(wanted[bucket] / of_wanted + 1e-8) - ln(raw[bucket] / of_raw + 1e-8)
        return math.floor(abs(difference) * 2**32 + 0.5) * (1 if difference > 0 else -1)

    own = bags[: len(samples)]
    sums = [sum(count * worth(bucket) for bucket, count in bag.items()) for bag in own]
    return [total / 2**32 for total in sums], [bag.total() for bag in own]


def zipfit(samples: Sequence[bytes], target: Sequence[bytes]) -> list[Fraction]:
    """Mean likeness to the target's samples."""

    def size(text: bytes) -> int:
        return len(gzip.compress(text, 9))

    def likeness(x: bytes, y: bytes) -> float:
        own, other = size(x), size(y)
        return 1 - (size(x + y) - min(own, other)) / max(own, other)

    return [sum((Fraction(likeness(x, y)) for y in target), Fraction(0)) / len(target) for x in samples]


def densities(samples: Sequence[bytes], beside: Sequence[bytes] = ()) -> list[float]:
    """How many samples are like each one, by the buckets that they share."""
    functions = []
    for at in range(2 * ROWS):
        random = mix(mix(at + 1))
        functions.append((random & 0xFFFFFFFF, random >> 32 | 1))
    slots = min(64 * (len(samples) + len(beside)), 1 << 18)

    def buckets(sample: bytes) -> list[int]:
        members = {hash_ >> 32 for hash_ in words_and_pairs(sample)}
        minima = [
            min(((member ^ key) * factor & 0xFFFFFFFF for member in members), default=0xFFFFFFFF)
            for key, factor in functions
        ]
        return [chain(chain(row, minima[2 * row]), minima[2 * row + 1]) * slots >> 64 for row in range(ROWS)]

    found = [buckets(sample) for sample in (*samples, *beside)]
    counts = [Counter(each[row] for each in found) for row in range(ROWS)]
    accident = 1 / slots
    return [
        max(1.0, (sum(counts[row][each[row]] for row in range(ROWS)) / ROWS - len(found) * accident) / (1 - accident))
        for each in found[: len(samples)]
    ]


def keys(logs: Sequence[float], wanted: Sequence[float] | None, seed: int | None) -> list[float]:
    """Keys of which the highest comes first."""

    def key(index: int) -> float:
        noise = 0.0
        if seed is not None:
            number = splitmix(splitmix(seed) + (index + 1) * 0x9E3779B97F4A7C15 & _MASK)
            noise = -ln(-ln(((number >> 12) + 0.5) / 2**52))
        factor = 1.0 if wanted is None else wanted[index]
        return logs[index] + (ln(factor) if factor else -math.inf) + noise

    return [key(index) for index in range(len(logs))]
