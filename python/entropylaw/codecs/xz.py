"""xz: ``xz -9``, which looks back 64 MiB."""

import lzma
from typing import ClassVar

from entropylaw.codecs.compressor import Compressor, Stream

_MEMORY = (3, 9, 17, 32, 48, 94, 94, 186, 370, 674)
"""Of a stream, in MiB, by level (xz(1))."""


class Xz(Compressor):
    """xz, on one thread. liblzma does not tell Python its version."""

    name: ClassVar[str] = "xz"
    levels: ClassVar[tuple[int, int, int]] = (9, 0, 9)
    about: ClassVar[str] = "Level 9 unless another is named; it looks back 64 MiB."

    def described(self, level: int, raw: int) -> str:
        return f"xz (liblzma) level {level}"

    def stream(self, level: int, raw: int, threads: int) -> Stream:
        return lzma.LZMACompressor(preset=level)

    def memory(self, level: int, raw: int, threads: int) -> int:
        return _MEMORY[level] << 20
