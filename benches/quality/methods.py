"""The methods that are compared, each within the same budget."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Literal

import entropylaw

Unit = Literal["bytes", "tokens"]

_TOKEN = re.compile(rb"[A-Za-z]{1,6}|[0-9]{1,3}|[\x80-\xff]{1,3}|[^A-Za-z0-9\s\x80-\xff]{1,2}|\n+")


@dataclass(frozen=True)
class Problem:
    """What there is to select from, and what for."""

    samples: Sequence[bytes]
    target: Sequence[bytes] = ()
    """Samples of a task, for the methods that take some."""
    orders: dict[str, list[int]] = field(default_factory=dict)
    """Orders that are known from the start, by method: they serve every budget."""

    @cached_property
    def costs(self) -> dict[Unit, list[int]]:
        """What each sample costs. Tokens are runs of letters, digits or marks, cut up as tokenizers do: about four
        bytes each in English, and no tokenizer has to be at hand."""
        return {
            "bytes": [len(sample) for sample in self.samples],
            "tokens": [len(_TOKEN.findall(sample)) for sample in self.samples],
        }

    def amount(self, unit: Unit, size: int) -> int:
        """The budget: so many bytes, or the tokens that so many bytes of the pool have on average."""
        costs = self.costs
        return size if unit == "bytes" else size * sum(costs["tokens"]) // sum(costs["bytes"])

    def cut(self, order: Sequence[int], unit: Unit, amount: int) -> list[int]:
        """The samples of ``order`` that fit; what does not is passed over, as in ``select``."""
        chosen = []
        costs = self.costs[unit]
        for index in order:
            if costs[index] <= amount:
                chosen.append(index)
                amount -= costs[index]
        return chosen


def _random(problem: Problem, seed: int) -> list[int]:
    return random.Random(seed).sample(range(len(problem.samples)), len(problem.samples))


def _ordered(problem: Problem, method: str, **options: Any) -> list[int]:
    """All samples in the order in which a method takes them that scores them once; of equal ones the first."""
    if options.pop("targeted", False):
        options["target"] = list(problem.target)
    every: Any = {"method": method, "budget": len(problem.samples), "dedupe": True, **options}
    return entropylaw.select(list(problem.samples), **every).indices.tolist()


_ORDERS: dict[str, Callable[[Problem], list[int]]] = {
    **{f"random-{seed}": partial(_random, seed=seed) for seed in range(3)},
    "density": partial(_ordered, method="density"),
    "dsir": partial(_ordered, method="dsir", targeted=True),
    "dsir-mean": partial(_ordered, method="dsir", targeted=True, ranking="mean"),
    "zipfit": partial(_ordered, method="zipfit", targeted=True),
}
_SELECTED: dict[str, dict[str, Any]] = {
    "zip": {"method": "zip"},
    "coverage": {"method": "coverage"},
    "coverage-word": {"method": "coverage", "unit": "word"},
    **{f"target-{weight}": {"method": "coverage", "target_weight": weight} for weight in (0.5, 0.9)},
}
_SAMPLED: dict[str, dict[str, Any]] = {
    f"coverage-{share}": {"method": "coverage", "features": share} for share in ("1/2", "1/4", "1/8", "1/16")
}
TARGETED = ("dsir", "dsir-mean", "zipfit", *(name for name in _SELECTED if name.startswith("target")))
"""Those that select for a target."""
_RANDOM = tuple(name for name in _ORDERS if name.startswith("random"))
METHODS = tuple(dict.fromkeys((*_RANDOM, *_SELECTED, *_ORDERS)))
TO_ASK_FOR = tuple(_SAMPLED)
"""Coverage with a part of the n-grams: only if it is asked for."""


def pick(name: str, problem: Problem, unit: Unit, amount: int) -> list[int]:
    """The samples that a method selects within a budget."""
    if name in _ORDERS:
        if name not in problem.orders:
            problem.orders[name] = _ORDERS[name](problem)
        return problem.cut(problem.orders[name], unit, amount)
    options = dict((_SELECTED | _SAMPLED)[name])
    if name in TARGETED:
        options["target"] = list(problem.target)
    if unit == "tokens":
        options["tokens"] = problem.costs["tokens"]
    budget = f"{amount}B" if unit == "bytes" else f"{amount} tokens"
    return entropylaw.select(list(problem.samples), budget=budget, **options).indices.tolist()
