"""Subsets to judge: each method's picks at a budget in bytes or in tokens."""

import ast
import inspect
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

import entropylaw
from entropylaw.methods import methods
from entropylaw.methods.option import options_of
from judge.data import Record, digest, size

UNITS = ("tokens", "bytes")

_OWN = ("base", "random", "families-number")
_COPIES = "copies"
_CALLS = {"zip": "zip", "coverage-byte": "coverage unit=byte", "coverage-word": "coverage unit=word"}

DEFAULT = (
    "base",
    "random",
    "random balance=0.5 group_by=family length_band=50: ratio_band=1.1:8",
    "random balance=0 group_by=family",
    "random length_band=50:800 ratio_band=1.1:8",
    "random balance=0 group_by=cluster:64 length_band=50:800 ratio_band=1.1:8",
    "families-number",
    "coverage balance=0 group_by=family",
    *_CALLS,
)
"""What is compared unless others are named: what docs/which-method.md advises, and what it advises against."""


@dataclass(frozen=True)
class Pool:
    """What is selected from."""

    name: str
    records: Sequence[Record]
    path: Path
    """The same, as a file."""
    tokens: Sequence[int]
    """Of each record, the separator included."""
    target: Path | None = None
    """A file of samples of what is selected for."""

    @cached_property
    def bytes(self) -> Sequence[int]:
        """Of each record's text."""
        return [size(record.text) for record in self.records]

    def sizes(self, unit: str) -> Sequence[int]:
        """The size of each record."""
        return self.tokens if unit == "tokens" else self.bytes

    @cached_property
    def distinct(self) -> Sequence[int]:
        """The first of the records with the same text, in order."""
        first = {record.text: index for index, record in reversed(list(enumerate(self.records)))}
        return sorted(first.values())


@dataclass(frozen=True)
class Subset:
    """Records that a method picked, and where from."""

    pool: str
    method: str
    budget: int
    """In bytes; see ``amount_of`` for what that is in tokens."""
    unit: str
    indices: list[int]
    samples: int
    bytes: int
    tokens: int
    families: dict[str, int]
    """Tokens of each family."""
    ratios: dict[str, float]
    """R of the texts in order, by the name of the codec; empty if there are none."""
    digest: str
    """SHA-256 of the texts, in order."""

    def about(self) -> dict[str, Any]:
        """All but the indices."""
        found = asdict(self)
        del found["indices"]
        return found


def is_seeded(method: str) -> bool:
    """Whether a seed decides what a method picks, not only how a model is trained on it."""
    return method in _OWN[1:] or method.split()[0] in ("random", _COPIES)


def call_of(method: str) -> tuple[str, dict[str, Any]]:
    """What ``select`` is called with for a method's name here, or for ``"coverage alpha=0.9 balance=0.5"``."""
    name, *options = _CALLS.get(method, method).split()
    values: dict[str, Any] = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals:
            raise ValueError(f"{method!r}: {option!r} is no option=value")
        try:
            values[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            values[key] = value
    return name, values


def check(method: str) -> None:
    """Finds out whether there is such a method.

    Raises
    ------
    ValueError
        If there is not.
    """
    if method in _OWN:
        return
    name, options = call_of(method)
    if name == _COPIES:
        if list(options) != ["share"] or not 0 <= options["share"] < 1:
            raise ValueError(f"{method!r}: copies have a share from 0 to below 1, as in 'copies share=0.5'")
        return
    if name not in methods():
        names = ", ".join([*_OWN, *_CALLS, "'copies share=0.5'"])
        raise ValueError(f"no method {method!r}; there are {names} and calls of {', '.join(methods())}")
    known = inspect.signature(entropylaw.select).parameters
    for option in options:
        if option not in known:
            raise ValueError(f"{method!r}: entropylaw {entropylaw.__version__} has no option {option!r}")


def amount_of(pool: Pool, budget: int, unit: str) -> int:
    """A budget in its unit: as many tokens as so many bytes of the pool are on average."""
    if unit == "bytes":
        return budget
    return round(budget * sum(pool.tokens) / sum(pool.bytes))


def select(pool: Pool, method: str, budget: int, unit: str, seed: int) -> Subset:
    """A method's subset; the seed is used by the random ones alone."""
    amount = amount_of(pool, budget, unit)
    if method == "base":
        indices: list[int] = []
    elif method in _OWN:
        indices = _random(pool, method, amount, unit, seed)
    elif method.split()[0] == _COPIES:
        indices = _copied(pool, call_of(method)[1]["share"], amount, unit, seed)
    else:
        indices = _called(pool, method, amount, unit, seed)
    chosen = [pool.records[index] for index in indices]
    families: dict[str, int] = defaultdict(int)
    for index in indices:
        families[pool.records[index].family] += pool.tokens[index]
    return Subset(
        pool=pool.name,
        method=method,
        budget=budget,
        unit=unit,
        indices=indices,
        samples=len(indices),
        bytes=sum(pool.bytes[index] for index in indices),
        tokens=sum(families.values()),
        families=dict(sorted(families.items())),
        ratios=ratios([record.text for record in chosen]),
        digest=digest(text for record in chosen for text in record[:2]),
    )


def ratios(texts: Sequence[str]) -> dict[str, float]:
    """R of texts in order, by zlib, which looks back 32 KiB, and by xz, which sees all of them."""
    if not texts:
        return {}
    found = entropylaw.ratio(list(texts), codecs=["zlib", "xz"])
    return {name: measured.ratio for name, measured in found.by_codec.items()}


def _copied(pool: Pool, share: float, amount: int, unit: str, seed: int) -> list[int]:
    """Random records, of which a share by size are once more what is there already, in random order."""
    rng = random.Random(seed)
    sizes = pool.sizes(unit)
    fresh = list(cut(rng.sample(pool.distinct, len(pool.distinct)), sizes, round(amount * (1 - share))))
    again: list[int] = []
    left = amount - sum(sizes[index] for index in fresh)
    while fitting := [index for index in fresh if sizes[index] <= left] if share else []:
        again.append(rng.choice(fitting))
        left -= sizes[again[-1]]
    return rng.sample(fresh + again, len(fresh) + len(again))


def _called(pool: Pool, method: str, amount: int, unit: str, seed: int) -> list[int]:
    name, options = call_of(method)
    if name == "random":
        options.setdefault("seed", seed)
    options.setdefault("dedupe", True)
    if pool.target is not None and "target" in {option.name for option in options_of(methods()[name])}:
        options.setdefault("target", str(pool.target))
    if unit == "tokens":
        options["tokens"] = np.asarray(pool.tokens)
    budget = f"{amount}B" if unit == "bytes" else f"{amount} tokens"
    return entropylaw.select(str(pool.path), method=name, budget=budget, **options).indices.tolist()


def _random(pool: Pool, method: str, amount: int, unit: str, seed: int) -> list[int]:
    rng = random.Random(seed)
    order = list(pool.distinct)
    rng.shuffle(order)
    sizes = pool.sizes(unit)
    if method == "random":
        return list(cut(order, sizes, amount))
    groups: dict[str, list[int]] = defaultdict(list)
    for index in order:
        groups[pool.records[index].family].append(index)
    return list(cut(_in_turn([groups[name] for name in sorted(groups)]), sizes, amount))


def cut(order: Iterable[int], sizes: Sequence[int], amount: int) -> Iterable[int]:
    """Those of an order that fit an amount together; what does not fit is passed over, as in ``select``."""
    for index in order:
        if sizes[index] <= amount:
            amount -= sizes[index]
            yield index


def _in_turn(groups: Sequence[Sequence[int]]) -> Iterable[int]:
    for place in range(max(map(len, groups), default=0)):
        for group in groups:
            if place < len(group):
                yield group[place]
