"""Zstandard by the package ``zstandard``."""

import contextlib
from collections.abc import Iterator
from typing import IO, Any

import zstandard

VERSION = ".".join(map(str, zstandard.ZSTD_VERSION))
ERROR = zstandard.ZstdError
_MAX_WINDOW = 1 << 31


def compressor(level: int, raw: int, window_log: int, job: int, threads: int) -> Any:
    """What compresses ``raw`` bytes in jobs of ``job`` bytes, looking back ``2 ** window_log``, far back too."""
    parameters = zstandard.ZstdCompressionParameters.from_level(
        level, source_size=raw, window_log=window_log, enable_ldm=True, job_size=job, threads=threads
    )
    return zstandard.ZstdCompressor(compression_params=parameters).compressobj(size=raw)


def decompressor() -> Any:
    """What unpacks one frame: ``decompress``, ``eof`` and ``unused_data``."""
    return zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).decompressobj()


@contextlib.contextmanager
def writer(file: IO[bytes], level: int) -> Iterator[Any]:
    """A file to write to, whose bytes go compressed to ``file``, which stays open."""
    with zstandard.ZstdCompressor(level=level).stream_writer(file, closefd=False) as content:
        yield content
