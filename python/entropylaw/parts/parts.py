"""All parts of a pool, wherever they are."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entropylaw.parts.part import Part

Arguments = Sequence[tuple[Any, ...] | None]
"""What a call of each part gets; None: that part is not called."""


@dataclass(frozen=True)
class Traffic:
    """What went between the leader and the parts."""

    round_trips: int = 0
    """Times that the leader waited for answers."""
    bytes_sent: int = 0
    """Of requests and arguments: bytes, text, arrays and numbers."""
    bytes_received: int = 0
    seconds: float = 0.0
    """How long that took."""

    def since(self, before: "Traffic") -> "Traffic":
        """What came after ``before``."""
        return Traffic(
            self.round_trips - before.round_trips,
            self.bytes_sent - before.bytes_sent,
            self.bytes_received - before.bytes_received,
            self.seconds - before.seconds,
        )


class Parts(ABC):
    """The parts of a pool, in order."""

    def __init__(self) -> None:
        self.restarts = 0
        """Parts that were lost, and made again."""
        self._round_trips = self._sent = self._received_bytes = 0

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def call(self, method: str, arguments: Arguments) -> list[Any]:
        """Calls a method of each part with its arguments; returns what they return, in order, None where none was
        called. What the first part in order raises is raised."""

    @property
    def traffic(self) -> Traffic:
        """What went between the leader and the parts so far."""
        return Traffic(self._round_trips, self._sent, self._received_bytes, time.perf_counter())

    def _count(self, sent: Any, received: Any) -> None:
        """Counts a round trip."""
        self._round_trips += 1
        self._sent += size_of(sent)
        self._received_bytes += size_of(received)

    def all(self, method: str, *arguments: Any) -> list[Any]:
        """Calls a method of every part with the same arguments."""
        return self.call(method, [arguments] * len(self))

    def one(self, number: int, method: str, *arguments: Any) -> Any:
        """Calls a method of one part."""
        return self.call(method, [arguments if at == number else None for at in range(len(self))])[number]

    def ask(self, requests: Sequence[bytes | None]) -> list[bytes]:
        """Has parts answer requests of a method's leader; ``b""`` where nothing is asked."""
        answers = self.call("answer", [None if request is None else (request,) for request in requests])
        return [b"" if answer is None else answer for answer in answers]

    @abstractmethod
    def close(self) -> None:
        """Ends the parts."""


class Here(Parts):
    """Parts in this process."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._parts = [Part() for _ in range(count)]

    def __len__(self) -> int:
        return len(self._parts)

    def call(self, method: str, arguments: Arguments) -> list[Any]:
        found = [
            None if given is None else part.call(method, *given)
            for part, given in zip(self._parts, arguments, strict=True)
        ]
        self._count(arguments, found)
        return found

    def close(self) -> None:
        self._parts = []


class Layout:
    """Where each part begins in the whole, if they have so many each."""

    def __init__(self, counts: Sequence[int]) -> None:
        self.counts = tuple(counts)
        self.firsts = np.array([0, *accumulate(counts)], dtype=np.int64)

    def __len__(self) -> int:
        return int(self.firsts[-1])

    def owner(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """The part that each is in."""
        return np.searchsorted(self.firsts, indices, side="right") - 1

    def split(self, indices: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Positions in each part, in the order asked for."""
        owner = self.owner(indices)
        return [indices[owner == part] - self.firsts[part] for part in range(len(self.counts))]

    def joined(self, indices: NDArray[np.int64], found: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """What parts returned for ``split(indices)``, in the order of the indices."""
        owner = self.owner(indices)
        kept = [part for part in found if part is not None and len(part)]
        whole = np.zeros(len(indices), dtype=kept[0].dtype if kept else np.int64)
        for number, part in enumerate(found):
            if part is not None:
                whole[owner == number] = part
        return whole

    def merged(self, indices: NDArray[np.int64], found: Sequence[Sequence[Any] | None]) -> Iterator[Any]:
        """The same, of lists."""
        streams = [iter(part or ()) for part in found]
        for owner in self.owner(indices).tolist():
            yield next(streams[owner])


def size_of(value: Any) -> int:
    """Bytes in a value: those of bytes, text and arrays, and 8 for each number."""
    if isinstance(value, bytes | str):
        return len(value)
    if isinstance(value, np.ndarray):
        return int(value.nbytes)
    if isinstance(value, list | tuple):
        return sum(map(size_of, value))
    if isinstance(value, int | float):
        return 8
    return 0
