"""Pools as people have them: with junk, with near-duplicates, with one family of nine tenths."""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence

from judge.data import Record, size
from quality.junk import junk

_JUNK = 0.10
_NEAR = 0.30
_MAJORITY = 0.90
_EDITED = 0.05
"""Words of a near-duplicate that differ."""


def with_junk(records: Sequence[Record]) -> list[Record]:
    """A tenth of the bytes is junk of four kinds, each item alone, under the families of real records."""
    rng = random.Random(0)
    share = _JUNK / (1 - _JUNK)
    texts = [record.text.encode(errors="replace") for record in records]
    items = [item.decode(errors="replace") for _, item in junk(texts, share, copies=1, seed=0)]
    spoiled = [
        Record(item[: len(item) // 2], item[len(item) // 2 :], rng.choice(records).family)
        for item in items
        if item[: len(item) // 2].strip() and item[len(item) // 2 :].strip()
    ]
    return _shuffled([*records, *spoiled], rng)


def with_near_duplicates(records: Sequence[Record]) -> list[Record]:
    """Three tenths of the bytes are copies of other records in which one word of twenty is another one."""
    rng = random.Random(1)
    wanted = sum(size(record.text) for record in records) * _NEAR / (1 - _NEAR)
    copies = []
    while wanted > 0:
        record = rng.choice(records)
        copy = Record(_edited(record.prompt, rng), _edited(record.response, rng), record.family)
        copies.append(copy)
        wanted -= size(copy.text)
    return _shuffled([*records, *copies], rng)


def _edited(text: str, rng: random.Random) -> str:
    words = text.split(" ")
    for _ in range(max(1, round(len(words) * _EDITED))):
        words[rng.randrange(len(words))] = rng.choice(words)
    return " ".join(words)


def with_majority(records: Sequence[Record]) -> list[Record]:
    """The largest family has nine tenths of the bytes: the others, or itself where it has more, are thinned out."""
    rng = random.Random(2)
    bytes_of: dict[str, int] = defaultdict(int)
    for record in records:
        bytes_of[record.family] += size(record.text)
    largest = max(sorted(bytes_of), key=bytes_of.__getitem__)
    others = sum(bytes_of.values()) - bytes_of[largest]
    odds = _MAJORITY / (1 - _MAJORITY) * others / bytes_of[largest]
    return [
        record for record in records if rng.random() < (min(1, odds) if record.family == largest else min(1, 1 / odds))
    ]


def _shuffled(records: list[Record], rng: random.Random) -> list[Record]:
    rng.shuffle(records)
    return records


VARIANTS: dict[str, Callable[[Sequence[Record]], list[Record]]] = {
    "plain": list,
    "junk": with_junk,
    "near-duplicates": with_near_duplicates,
    "majority": with_majority,
}
