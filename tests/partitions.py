"""Pools in several partitions, in this process: what tests of them need."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core

Samples = tuple[NDArray[np.uint8], NDArray[np.int64]]


def samples(texts: Sequence[bytes]) -> Samples:
    """Bytes and offsets."""
    ends = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    return np.frombuffer(b"".join(texts), dtype=np.uint8), ends


@dataclass(frozen=True)
class Case:
    """A pool and what is asked of a selection, but for the method."""

    texts: Sequence[bytes]
    budget: int
    unit: str = "samples"
    costs: NDArray[np.uint32] | None = None
    groups: NDArray[np.uint32] | None = None
    quotas: NDArray[np.uint64] | None = None
    shares: NDArray[np.uint64] | None = None
    weights: NDArray[np.float64] | None = None
    known: Sequence[int] = ()
    known_texts: Sequence[bytes] = ()

    def pool(self) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
        """Bytes, starts and ends."""
        data, offsets = samples(self.texts)
        return data, offsets[:-1], offsets[1:]

    def limits(self) -> dict[str, Any]:
        """What both ways to select are told."""
        data, offsets = samples(self.known_texts) if self.known_texts else (None, None)
        return {
            "unit": self.unit,
            "quotas": self.quotas,
            "shares": self.shares,
            "known_data": data,
            "known_offsets": offsets,
        }

    def here(self, method: str, options: dict[str, Any], *, threads: int = 1, journal: Any = None) -> _core.Picks:
        """What is selected from the whole pool."""
        known = np.array(self.known, dtype=np.int64) if self.known else None
        controls = _core.Controls(
            self.budget,
            costs=self.costs,
            groups=self.groups,
            weights=self.weights,
            known_indices=known,
            **self.limits(),
        )
        return _core.select(method, *self.pool(), controls, options, threads=threads, journal=journal)


@dataclass
class Parts:
    """Partitions that die: after every so many requests one of them is made anew. Called as ``select_parts`` asks."""

    case: Case
    cuts: Sequence[int]
    dies_every: int = 0
    fails_at: int | None = None
    threads: int = 1
    asked: int = 0
    requests: list[tuple[int, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.parts = [self.partition(number) for number in range(len(self.cuts) - 1)]
        self.log: list[list[bytes]] = [[] for _ in self.parts]

    def partition(self, number: int) -> _core.Partition:
        """A partition that has answered nothing."""
        first, end = list(pairwise(self.cuts))[number]
        data, starts, ends = self.case.pool()

        def cut(array: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if array is None else array[first:end]

        known = [index - first for index in self.case.known if first <= index < end]
        return _core.Partition(
            data,
            starts[first:end],
            ends[first:end],
            first=first,
            costs=cut(self.case.costs),
            groups=cut(self.case.groups),
            weights=cut(self.case.weights),
            known=np.array(known, dtype=np.int64),
            threads=self.threads,
        )

    def anew(self, number: int) -> _core.Partition:
        """A partition brought to where one is that has answered all requests until now."""
        partition = self.partition(number)
        for request in self.log[number]:
            partition.answer(request)
        return partition

    def __call__(self, requests: list[bytes | None]) -> list[bytes]:
        self.asked += 1
        if self.asked == self.fails_at:
            raise ConnectionError("no route to partition")
        if self.dies_every and self.asked % self.dies_every == 0:
            number = self.asked % len(self.parts)
            self.parts[number] = self.anew(number)
        replies = []
        for number, (partition, request) in enumerate(zip(self.parts, requests, strict=True)):
            if request is None:
                replies.append(b"")
                continue
            replies.append(partition.answer(request))
            self.requests.append((number, request))
            if (changes := _core.request_changes(request)) is not None:
                self.log[number].append(changes)
        return replies

    def select(self, method: str, options: dict[str, Any], *, journal: Any = None) -> _core.Picks:
        """What is selected from these partitions."""
        limits = self.case.limits()
        return _core.select_parts(
            method, self, options, parts=len(self.parts), budget=self.case.budget, journal=journal, threads=2, **limits
        )
