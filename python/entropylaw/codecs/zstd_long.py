"""zstd with a window over the whole set: ``zstd -3 --long=W -B16MiB --no-check``."""

from typing import ClassVar

from entropylaw import zstd
from entropylaw.codecs.compressor import Compressor, Stream

LARGEST_WINDOW = 31
SMALLEST_WINDOW = 10
JOB = 1 << 24
"""Bytes of a job. Jobs of zstd's own choice are four windows long: the set would be a single one."""
_TABLES = (1, 1, 2, 3, 3, 3, 6, 6, 11, 21, 21, 41, 33, 49, 65, 33, 49, 50, 82, 162, 322, 642)
"""Of a large set, in MiB, by level from 1 on (``ZSTD_estimateCCtxSize_usingCParams`` of zstd 1.5.7)."""


class Zstd(Compressor):
    """zstd, whose window holds the set up to 2 GiB."""

    name: ClassVar[str] = "zstd"
    levels: ClassVar[tuple[int, int, int]] = (3, 1, 22)
    about: ClassVar[str] = "Level 3 unless another is named, with a window over the whole set, up to 2 GiB."
    errors: ClassVar[tuple[type[Exception], ...]] = (zstd.ERROR,)

    @property
    def version(self) -> str | None:
        return zstd.VERSION

    def described(self, level: int, raw: int) -> str:
        return f"zstd {self.version} level {level}, window 2^{window(raw)}"

    def stream(self, level: int, raw: int, threads: int) -> Stream:
        # With threads, even one, zstd cuts its input into the same jobs whatever their number; so does its tool.
        made: Stream = zstd.compressor(level, raw, window(raw), JOB, threads)
        return made

    def memory(self, level: int, raw: int, threads: int) -> int:
        log = window(raw)
        tables = min(_TABLES[level - 1] << 20, (16 << log) + (2 << 20))
        # Besides: what it looks back on, the table of what lies far back, and each thread's input and output.
        back = min(1 << log, raw) + (1 << log) // 8
        return tables + back + 2 * min(JOB, raw) * threads


def window(raw: int) -> int:
    """Base-2 logarithm of the window that holds ``raw`` bytes, as far as zstd goes."""
    return min(max((max(raw, 1) - 1).bit_length(), SMALLEST_WINDOW), LARGEST_WINDOW)
