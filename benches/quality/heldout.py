"""Held-out text: whole prompts are set aside, so that no answer to a held-out prompt can be selected."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from entropylaw.pool import Pool

_BYTES_A_FAMILY = 150_000
_SHARE = 10  # At most one in so many prompts of a family is held out.


@dataclass(frozen=True)
class Task:
    """A pool to select from, and what to predict with the selection."""

    samples: list[bytes]
    """What may be selected."""
    prompts: list[str]
    """Their prompts."""
    heldout: dict[str, bytes]
    """The held-out text of each family of sources."""
    weights: dict[str, float]
    """Each family's share of the pool's bytes."""


def prompt_of(record: Any) -> str:
    """What a record asks: its first turn, its instruction and input, or its first line."""
    if not isinstance(record, dict):
        return str(record).split("\n", 1)[0]
    for turns, text in (("conversations", "value"), ("messages", "content")):
        if turns in record:
            return str(record[turns][0][text])
    if "instruction" in record:
        return f"{record['instruction']}\n{record.get('input', '')}"
    return str(record.get("prompt", record.get("text", ""))).split("\n", 1)[0]


def family_of(record: Any) -> str:
    """The source up to its first slash: the models that answer the same prompts are one family."""
    return str(record.get("source", "")).split("/", 1)[0] if isinstance(record, dict) else ""


def split(pool: Pool, families: int, seed: int) -> Task:
    """Sets prompts aside, in an order that only the seed and the prompts decide.

    Of each held-out prompt one record is predicted, and none may be selected, whatever its source. Only the
    ``families`` with the most bytes are predicted.
    """
    prompts, sources = [], []
    for raw in pool.records.raw(range(len(pool))):
        record = json.loads(raw)
        prompts.append(prompt_of(record))
        sources.append(family_of(record))
    lengths = pool.lengths().tolist()
    size: dict[str, int] = defaultdict(int)
    members: dict[str, list[int]] = defaultdict(list)
    for index, source in enumerate(sources):
        size[source] += lengths[index]
        members[source].append(index)
    largest = sorted(size, key=lambda name: (-size[name], name))[:families]
    total = sum(size[name] for name in largest)

    def rank(index: int) -> bytes:
        return hashlib.sha256(f"{seed}\0{prompts[index]}\0{index}".encode(errors="replace")).digest()

    def prompt_rank(prompt: str) -> bytes:
        return hashlib.sha256(f"{seed}\0{prompt}".encode(errors="replace")).digest()

    aside: set[str] = set()
    heldout = {}
    for family in largest:
        first: dict[str, int] = {}
        for index in sorted(members[family], key=rank):
            first.setdefault(prompts[index], index)
        chosen = list(_up_to(sorted(first, key=prompt_rank)[: max(1, len(first) // _SHARE)], first, lengths))
        aside.update(chosen)
        heldout[family] = b"\n".join(pool.sample(first[prompt]) for prompt in chosen)
    left = [index for index, prompt in enumerate(prompts) if prompt not in aside]
    return Task(
        samples=[pool.sample(index) for index in left],
        prompts=[prompts[index] for index in left],
        heldout=heldout,
        weights={family: size[family] / total for family in largest},
    )


def _up_to(prompts: list[str], record: dict[str, int], lengths: list[int]) -> Iterator[str]:
    spent = 0
    for prompt in prompts:
        if spent >= _BYTES_A_FAMILY:
            return
        spent += lengths[record[prompt]]
        yield prompt
