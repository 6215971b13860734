"""A compressor and its level, by name: ``zlib``, ``zstd``, ``xz``, and ``zstd:19`` or ``xz:6`` for another level."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from entropylaw import parameters
from entropylaw.codecs.compressor import Compressor
from entropylaw.codecs.xz import Xz
from entropylaw.codecs.zlib_core import Zlib
from entropylaw.codecs.zstd_long import Zstd
from entropylaw.errors import EntropyLawError

_OURS: tuple[type[Compressor], ...] = (Zlib, Zstd, Xz)
CODECS: Mapping[str, Compressor] = {kind.name: kind() for kind in _OURS}
"""The compressors by name."""


@dataclass(frozen=True)
class Codec:
    """A compressor and its level."""

    name: str
    level: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Understands the name of a compressor, and a level after a colon.

        Raises
        ------
        EntropyLawError
            If there is no such codec or level.
        """
        name, _, level = parameters.text("the codec", text, "its name").partition(":")
        if name not in CODECS:
            raise EntropyLawError(f"there is no codec {text!r}; there are {', '.join(CODECS)}, and levels: zstd:19")
        usual, low, high = CODECS[name].levels
        if not level:
            return cls(name, usual)
        if not level.isascii() or not level.isdigit() or not low <= int(level) <= high:
            span = f"is level {low} only, the paper's" if low == high else f"takes levels from {low} to {high}"
            raise EntropyLawError(f"the codec is {text!r}; {name} {span}")
        return cls(name, int(level))

    @property
    def compressor(self) -> Compressor:
        """The compressor."""
        return CODECS[self.name]

    @property
    def key(self) -> str:
        """How it is written, shortest."""
        return self.name if self.level == self.compressor.levels[0] else f"{self.name}:{self.level}"

    @property
    def version(self) -> str | None:
        """Of the library that compresses, where sizes depend on it and it can be told."""
        return self.compressor.version

    @property
    def in_core(self) -> bool:
        """Whether the core sizes with it."""
        return self.compressor.in_core

    def described(self, raw: int) -> str:
        """Compressor, version and parameters for a set of ``raw`` bytes."""
        return self.compressor.described(self.level, raw)

    def size(self, raw: int, pieces: Iterable[bytes], threads: int = 1) -> int:
        """Compressed bytes of ``pieces``, ``raw`` bytes together, at any number of ``threads``; not in the core."""
        try:
            stream = self.compressor.stream(self.level, raw, threads)
            return sum(len(stream.compress(piece)) for piece in pieces) + len(stream.flush())
        except self.compressor.errors as error:
            raise MemoryError(f"{self.name}: {error}") from None

    def memory(self, raw: int, threads: int = 1) -> int:
        """About so many bytes are taken while ``raw`` bytes are sized; not in the core."""
        return self.compressor.memory(self.level, raw, threads)
