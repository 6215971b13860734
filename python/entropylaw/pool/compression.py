"""Compressed files, recognised by what they hold and unpacked piece by piece."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from entropylaw import zstd
from entropylaw.pool import gzip_members, zstd_frames
from entropylaw.pool.ahead import ahead

CHUNK = 1 << 20
"""Bytes of a file read, or unpacked, at a time."""

ENDINGS = (".gz", ".zst", ".zstd", ".bz2", ".xz")
"""Ends of the names of files that are unpacked while they are read."""

CORRUPT = (zlib.error, lzma.LZMAError, zstd.ERROR, gzip.BadGzipFile)
"""What unpacking raises for data that are no data of their kind; ``bz2`` raises an OSError without a number."""

_XZ = b"\xfd7zXZ\x00"

Unpack = Callable[[BinaryIO, int], Iterator[bytes]]
"""What gives the content of a file, from its start, in pieces that are not empty, by so many threads."""


def unpacker(head: bytes) -> Unpack | None:
    """What unpacks a file that begins with ``head``, of 14 bytes at least if it has them; None if it is not packed."""
    if head.startswith(gzip_members.MAGIC):
        return gzip_members.unpack
    if head.startswith(zstd_frames.MAGIC) or zstd_frames.is_skippable(head):
        return zstd_frames.unpack
    # After its four first bytes comes a block, or the end of a file that holds none.
    if head[:3] == b"BZh" and head[4:10] in (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"):
        return _by_another(_bzip2)
    if head.startswith(_XZ):
        return _by_another(_xz)
    return None


def plain(file: BinaryIO, threads: int = 1) -> Iterator[bytes]:
    """The bytes of a file that is not packed, read by whoever asks for them."""
    while chunk := file.read(CHUNK):
        yield chunk


def _by_another(unpack: Callable[[BinaryIO], Iterator[bytes]]) -> Unpack:
    """One stream, unpacked by one thread beside the one that asks for it, if there may be two."""

    def pieces(file: BinaryIO, threads: int) -> Iterator[bytes]:
        return ahead(unpack(file)) if threads > 1 else unpack(file)

    return pieces


def _bzip2(file: BinaryIO) -> Iterator[bytes]:
    return _streams(file, bz2.BZ2Decompressor, b"BZh")


def _xz(file: BinaryIO) -> Iterator[bytes]:
    return _streams(file, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ), _XZ, padding=b"\0")


def _streams(file: BinaryIO, make: Callable[[], Any], magic: bytes, padding: bytes = b"") -> Iterator[bytes]:
    """Stream by stream, because the modules' own files take what is no stream for the end."""
    stream = make()
    while True:
        packed = b""
        if stream.eof:
            packed = (stream.unused_data or file.read(CHUNK)).lstrip(padding)
            while not packed:
                if not (packed := file.read(CHUNK)):
                    return
                packed = packed.lstrip(padding)
            if not packed.startswith(magic[: len(packed)]):
                raise lzma.LZMAError("what follows its end is not compressed")
            stream = make()
        elif stream.needs_input and not (packed := file.read(CHUNK)):
            raise EOFError
        if unpacked := stream.decompress(packed, CHUNK):
            yield unpacked
