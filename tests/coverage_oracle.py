"""Coverage as it is defined: every gain is computed anew before every pick, from the text.

Slow and plain. It hashes as the package does, because two n-grams in one slot count as one.
"""

import math
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from limits import Limits

_MASK = 2**64 - 1
_WORD = re.compile(rb"[0-9A-Za-z_\xc2-\xdf][0-9A-Za-z_\x80-\xdf]*|[^ \t-\r][\x80-\xbf]*")


def mix(word: int) -> int:
    product = (word ^ 0x9E3779B97F4A7C15) * 0xD1B54A32D192ED03
    return (product >> 64 ^ product) & _MASK


def chain(state: int, word: int) -> int:
    return mix((state << 29 | state >> 35) & _MASK ^ word)


def byte_grams(sample: bytes, n: int) -> Iterator[tuple[int, bytes]]:
    """Hash and left context of every run of n bytes."""
    for at in range(len(sample) - n + 1):
        yield mix(int.from_bytes(sample[at : at + n].ljust(8, b"\0"))), sample[max(0, at - 4) : at]


def word_grams(sample: bytes, n: int) -> Iterator[tuple[int, bytes]]:
    """Hash and left context of every run of one to n words, in five bytes or more."""
    words = [(match.start(), match.end(), _word_hash(match[0])) for match in _WORD.finditer(sample)]
    for first, (start, _, hash_) in enumerate(words):
        run = mix(hash_)
        for last, (_, end, _) in enumerate(words[first : first + n], first):
            if last > first:
                run = chain(run, words[last][2])
            if end - start >= 5:
                yield run, sample[max(0, start - 4) : start]


def _word_hash(word: bytes) -> int:
    pieces = [int.from_bytes(word[at : at + 8]) for at in range(0, len(word), 8)]
    hash_ = 0
    for piece in pieces[:-1]:
        hash_ = chain(hash_, piece)
    return chain(hash_ ^ len(word), pieces[-1])


@dataclass
class Oracle:
    """What the package should find in a pool."""

    samples: Sequence[bytes]
    slots: int
    unit: str
    ngram: int
    gamma: float
    alpha: float
    min_df: int
    min_contexts: int
    features: str = "auto"
    """What counts; all of pools as small as the ones here, if it is not said."""
    target: Sequence[bytes] = ()
    target_weight: float = 0.0

    def __post_init__(self) -> None:
        df: dict[int, int] = {}
        contexts: dict[int, set[int]] = {}
        for sample in self.samples:
            found = self._occurrences(sample)
            for slot in {slot for slot, _ in found}:
                df[slot] = df.get(slot, 0) + 1
            for slot, before in found:
                # The package tells contexts apart by 65,534 fingerprints.
                contexts.setdefault(slot, set()).add((mix(int.from_bytes(before)) >> 32) * 65_534 >> 32)
        # The package counts with 16 bits.
        df = {slot: min(n, 65_535) for slot, n in df.items()}
        self.df = {s: n for s, n in df.items() if n >= self.min_df and len(contexts[s]) >= self.min_contexts}
        self.weights = {slot: n**self.gamma for slot, n in self.df.items()}
        self.aims: dict[int, float] = {}
        self.missing = 0.0
        if self.target:
            self._aim()
        self.lists = [self._features(sample) for sample in self.samples]
        self.selected: dict[int, int] = {}
        self.curve: list[float] = []
        largest = max([65_535**self.gamma, *self.weights.values()])
        self.scale = 1
        while largest * math.log(11) * self.scale * 2 < 2**32 - 1:
            self.scale *= 2

    def _aim(self) -> None:
        """Weighs what target and pool hold, as documented."""
        n, t, share = len(self.samples), len(self.target), self.target_weight

        def weigh(df: int, recurring: int, tdf: int) -> float:
            y = (1 - share) * recurring + share * (tdf * n / t)
            return float(y**self.gamma * (2 * y / (y + (recurring if share == 0 else df)))) if y else 0.0

        of_pool = [self._hashes(sample) for sample in self.samples]
        of_target = [self._hashes(sample) for sample in self.target]
        has, wants = set().union(*of_pool), set().union(*of_target)
        weights = {slot: weigh(df, df, 0) for slot, df in self.df.items()}
        by_slot: dict[int, set[int]] = {}
        for hash_ in has & wants:
            by_slot.setdefault(hash_ * self.slots >> 64, set()).add(hash_)
        for slot, hashes in by_slot.items():
            df, tdf = (sum(not hashes.isdisjoint(found) for found in each) for each in (of_pool, of_target))
            weights[slot] = self.aims[slot] = weigh(df, self.df.get(slot, 0), tdf)
        self.missing = sum(weigh(0, 0, sum(hash_ in found for found in of_target)) for hash_ in wants - has)
        self.in_pool, self.recurring = has, {h for h in wants if sum(h in found for found in of_target) > 1}
        self.weights = {slot: weight for slot, weight in weights.items() if weight > 0}

    def _grams(self, sample: bytes) -> Iterator[tuple[int, bytes]]:
        """Those that count."""
        grams = byte_grams if self.unit == "byte" else word_grams
        one_in = 1 if self.features in ("auto", "all") else int(self.features.removeprefix("1/"))
        return (found for found in grams(sample, self.ngram) if found[0] % one_in == 0)

    def _hashes(self, sample: bytes) -> set[int]:
        return {hash_ for hash_, _ in self._grams(sample)}

    def reached(self, has: Collection[int] | None = None) -> float:
        """Share of the target, by weight, that is selected; or that is in these slots."""
        total = sum(self.aims.values()) + self.missing
        held = self.selected if has is None else has
        return sum(weight for slot, weight in self.aims.items() if slot in held) / total if total else 1.0

    def _occurrences(self, sample: bytes) -> list[tuple[int, bytes]]:
        return [(hash_ * self.slots >> 64, before) for hash_, before in self._grams(sample)]

    def _features(self, sample: bytes) -> set[int]:
        return {slot for slot, _ in self._occurrences(sample)} & self.weights.keys()

    def know(self, sample: bytes) -> None:
        for slot in self._features(sample):
            self.selected[slot] = self.selected.get(slot, 0) + 1

    def gain(self, index: int) -> int:
        """What a sample would add, in units of ``1 / scale``."""

        def marginal(slot: int) -> int:
            c = self.selected.get(slot, 0)
            return math.floor(self.weights[slot] * math.log((c + 1.1) / (c + 0.1)) * self.scale + 0.5)

        return sum(map(marginal, self.lists[index]))

    def select(
        self,
        limits: Limits,
        known: Collection[int] = (),
        weights: Sequence[float] | None = None,
        lengths: Sequence[int] | None = None,
    ) -> tuple[list[int], list[float]]:
        """Picks and their gains; ``lengths``: of the samples, by default in bytes."""
        left = [index for index in range(len(self.samples)) if index not in known]
        for index in known:
            self.know(self.samples[index])
        picks, gains = [], []
        lengths = lengths or [len(sample) for sample in self.samples]
        weights = weights or [1.0] * len(self.samples)
        while limits.left() and (fitting := limits.fitting(left)):
            gain = {index: self.gain(index) for index in fitting}
            best = max(fitting, key=lambda i: (weights[i] * gain[i] / max(1, lengths[i]) ** self.alpha, -i))
            left.remove(best)
            limits.take(best)
            picks.append(best)
            gains.append(gain[best] / self.scale)
            self.know(self.samples[best])
            self.curve.append(self.reached())
        return picks, gains

    def coverage(self) -> float:
        total = sum(self.weights.values())
        return sum(self.weights[slot] for slot in self.selected) / total if total else 1.0
