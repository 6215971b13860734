"""Zstandard by Python's own library, ``compression.zstd``."""

import contextlib
from collections.abc import Iterator
from typing import IO, Any

try:
    from compression import zstd
except ImportError:
    # The same for Python before 3.14, which tests compare with the package that is used there.
    from backports import zstd

VERSION = str(zstd.zstd_version)
ERROR = zstd.ZstdError
_MAX_WINDOW_LOG = 31


def compressor(level: int, raw: int, window_log: int, job: int, threads: int) -> Any:
    """What compresses ``raw`` bytes in jobs of ``job`` bytes, looking back ``2 ** window_log``, far back too."""
    keys = zstd.CompressionParameter
    options = {
        keys.compression_level: level,
        keys.window_log: window_log,
        keys.enable_long_distance_matching: 1,
        keys.nb_workers: threads,
        keys.job_size: job,
    }
    stream = zstd.ZstdCompressor(options=options)
    stream.set_pledged_input_size(raw)
    return stream


def decompressor() -> Any:
    """What unpacks one frame: ``decompress``, ``eof`` and ``unused_data``."""
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _MAX_WINDOW_LOG})


@contextlib.contextmanager
def writer(file: IO[bytes], level: int) -> Iterator[Any]:
    """A file to write to, whose bytes go compressed to ``file``, which stays open."""
    with zstd.ZstdFile(file, "wb", level=level) as content:
        yield content
