"""Selecting for a target.

Of each family of sources, records are set aside: a target to select for, and a test. No answer to a prompt of either
may be selected. Then subsets are selected with the rest of the family in the pool, and with all of it removed.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measures
from heldout import family_of, prompt_of
from methods import Problem, Unit, pick

from entropylaw.pool import load

Row = dict[str, Any]


class Pool:
    """Samples with their prompts and families."""

    def __init__(self, path: str | Path, every: int) -> None:
        pool = load([path], paths=True)
        kept = range(0, len(pool), every)
        records = [json.loads(raw) for raw in pool.records.raw(kept)]
        self.samples = [pool.sample(index) for index in kept]
        self.prompts = [prompt_of(record) for record in records]
        self.families = [family_of(record) for record in records]

    def largest(self, count: int) -> list[str]:
        """The families with the most bytes."""
        size: dict[str, int] = {}
        for family, sample in zip(self.families, self.samples, strict=True):
            size[family] = size.get(family, 0) + len(sample)
        return sorted(size, key=lambda name: (-size[name], name))[:count]

    def members(self, family: str, seed: int) -> list[int]:
        """A family's samples, one a prompt, in an order that only seed and samples decide."""
        first: dict[str, int] = {}
        for index, name in enumerate(self.families):
            if name == family:
                first.setdefault(self.prompts[index], index)
        rank = lambda index: hashlib.sha256(b"%d\0%s" % (seed, self.samples[index])).digest()  # noqa: E731
        return sorted(first.values(), key=rank)

    def up_to(self, size: int, indices: Sequence[int]) -> list[int]:
        """The first of these samples that have so many bytes together."""
        taken = []
        for index in indices:
            if size <= 0:
                break
            size -= len(self.samples[index])
            taken.append(index)
        return taken


@dataclass(frozen=True)
class Sizes:
    """What is set aside of a family, in bytes."""

    target: int = 60_000
    test: int = 40_000
    """Of more, PPMd learns from the test itself."""


def rows(
    pool: Pool,
    family: str,
    removed: bool,
    names: Sequence[str],
    budgets: Sequence[tuple[Unit, int]],
    sizes: Sizes,
    seed: int,
    workers: Executor,
) -> Iterator[Row]:
    """A row for each budget and method of selecting for this family."""
    members = pool.members(family, seed)
    target = pool.up_to(sizes.target, members)
    test = pool.up_to(sizes.test, members[len(target) :])
    aside = {pool.prompts[index] for index in [*target, *test]}
    text = {family: b"\n".join(pool.samples[index] for index in test)}
    left = [
        index
        for index, name in enumerate(pool.families)
        if pool.prompts[index] not in aside and not (removed and name == family)
    ]
    problem = Problem([pool.samples[index] for index in left], [pool.samples[index] for index in target])
    for unit, size in budgets:
        amount = problem.amount(unit, size)
        waiting = []
        for name in names:
            picked = pick(name, problem, unit, amount)
            subset = b"\n".join(problem.samples[index] for index in picked)
            own = sum(len(problem.samples[index]) for index in picked if pool.families[left[index]] == family)
            row = {"task": "removed" if removed else "in pool", "family": family, "unit": unit, "budget": size}
            row |= {"method": name, "target": len(target), "test": len(text[family]), "samples": len(picked)}
            row["own"] = own / len(subset)
            bits = {
                model: workers.submit(measures.bits_per_byte, subset, text, compressed)
                for model, compressed in measures.MODELS.items()
            }
            waiting.append((row, bits))
        for row, bits in waiting:
            yield row | {model: future.result()[family] for model, future in bits.items()}
