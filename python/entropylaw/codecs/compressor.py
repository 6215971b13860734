"""What a compressor is to this package."""

from abc import ABC, abstractmethod
from typing import ClassVar, Protocol


class Stream(Protocol):
    """Compresses what comes, piece by piece."""

    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class Compressor(ABC):
    """A compressor. Its sizes are those of one stream, at any number of threads."""

    name: ClassVar[str]
    levels: ClassVar[tuple[int, int, int]]
    """The level unless another is named, the lowest and the highest."""
    about: ClassVar[str]
    """What it is, and how far it looks back, for readers of a report."""
    in_core: ClassVar[bool] = False
    """Whether the core sizes with it; then it is never asked for streams."""
    errors: ClassVar[tuple[type[Exception], ...]] = ()
    """What its streams raise if there is no memory for them."""

    @property
    def version(self) -> str | None:
        """Of the library, where sizes depend on it and it can be told."""
        return None

    @abstractmethod
    def described(self, level: int, raw: int) -> str:
        """Compressor, version and parameters for a set of ``raw`` bytes."""

    @abstractmethod
    def stream(self, level: int, raw: int, threads: int) -> Stream:
        """A stream for a set of ``raw`` bytes."""

    @abstractmethod
    def memory(self, level: int, raw: int, threads: int) -> int:
        """About so many bytes are taken while ``raw`` bytes are sized."""
