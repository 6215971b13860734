"""Compressed files, recognised by what they hold and unpacked piece by piece."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from entropylaw import zstd

CHUNK = 1 << 20
"""Bytes of a file read, or unpacked, at a time."""

ENDINGS = (".gz", ".zst", ".zstd", ".bz2", ".xz")
"""Ends of the names of files that are unpacked while they are read."""

CORRUPT = (zlib.error, lzma.LZMAError, zstd.ERROR, gzip.BadGzipFile)
"""What unpacking raises for data that are no data of their kind; ``bz2`` raises an OSError without a number."""

_XZ = b"\xfd7zXZ\x00"
_PACKED = 1 << 10
"""Bytes of zstd unpacked at a time: each could become 32 KiB."""

Unpack = Callable[[BinaryIO], Iterator[bytes]]


def unpacker(head: bytes) -> Unpack | None:
    """What unpacks a file that begins with ``head``, of 14 bytes at least if it has them; None if it is not packed."""
    if head.startswith(b"\x1f\x8b"):
        return _gzip
    if head.startswith(b"\x28\xb5\x2f\xfd") or (head[1:4] == b"\x2a\x4d\x18" and head[0] in range(0x50, 0x60)):
        return _zstd
    # After its four first bytes comes a block, or the end of a file that holds none.
    if head[:3] == b"BZh" and head[4:10] in (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"):
        return _bzip2
    if head.startswith(_XZ):
        return _xz
    return None


def plain(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of a file that is not packed."""
    while chunk := file.read(CHUNK):
        yield chunk


def _gzip(file: BinaryIO) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file) as unpacked:
        yield from plain(unpacked)  # type: ignore[arg-type]


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


def _zstd(file: BinaryIO) -> Iterator[bytes]:
    """Frame by frame, because only a single frame's reader tells that its end is missing."""
    frame = None
    pieces: list[bytes] = []
    size = 0
    while packed := file.read(_PACKED):
        while packed:
            frame = frame or zstd.decompressor()
            pieces.append(frame.decompress(packed))
            size += len(pieces[-1])
            packed = b""
            if frame.eof:
                packed, frame = frame.unused_data, None
        if size >= CHUNK:
            yield b"".join(pieces)
            pieces, size = [], 0
    if size:
        yield b"".join(pieces)
    if frame is not None:
        raise EOFError
