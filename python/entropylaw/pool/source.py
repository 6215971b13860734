"""Files, plain or compressed, as streams of bytes.

Compression is recognised by what a file holds, not by its name, so a ``.gz`` that some download tool has already
unpacked reads as well.
"""

import gzip
import io
import os
import shutil
import stat
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, cast

import zstandard

from entropylaw.errors import EntropyLawError

if TYPE_CHECKING:
    from typing_extensions import Buffer

CHUNK = 1 << 20
"""Bytes read at a time."""

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE = (b"\x2a\x4d\x18", range(0x50, 0x60))
_ZSTD_MAX_WINDOW = 1 << 31
_ZSTD_READ = 1 << 10
"""Bytes unpacked at a time: each could become 32 KiB."""
_BOMB_RATIO = 250
"""How many times its stored size a file may unpack to, if that is more than ``_BOMB_SIZE``. JSON packs 3 to 30 fold."""
_BOMB_SIZE = 1 << 28


class Source:
    """One file of a pool. It is read more than once, so a pipe is copied to a temporary file first.

    Raises
    ------
    EntropyLawError
        If the file is missing, a directory, unreadable or empty.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.name = os.fspath(path)
        # Whoever changes the working directory meanwhile means the same file still.
        self._file = Path(path).absolute()
        self._spool: BinaryIO | None = None
        self.position = 0
        """Bytes, as they are stored, that the last call of ``chunks`` has read so far."""
        try:
            if self.name == "-":
                self.name = "standard input"
                self._spool = _spooled(sys.stdin.buffer)
            else:
                found = Path(self.name).stat()
                if stat.S_ISDIR(found.st_mode):
                    raise EntropyLawError(f"{self.name}: is a directory")
                if not stat.S_ISREG(found.st_mode):
                    with Path(self.name).open("rb") as pipe:
                        self._spool = _spooled(pipe)
            self._identity = self._identify()
        except FileNotFoundError:
            raise EntropyLawError(f"{self.name}: no such file") from None
        except OSError as error:
            raise EntropyLawError(f"{self.name}: cannot be read: {error.strerror or error}") from None
        if self.size == 0:
            raise EntropyLawError(f"{self.name}: the file is empty")

    @classmethod
    def spooled(cls, name: str, spool: BinaryIO) -> "Source":
        """A source of what has been written to a temporary file."""
        source = cls.__new__(cls)
        source.name = name
        source.position = 0
        source._spool = spool
        source.remember()
        return source

    def remember(self) -> None:
        """Takes the file as it is now for the one that was read."""
        self._identity = self._identify()

    @property
    def path(self) -> str | None:
        """Where the file lies, if it has a name."""
        return None if self._spool else str(self._file)

    def _identify(self) -> tuple[int, ...]:
        found = os.fstat(self._spool.fileno()) if self._spool else self._file.stat()
        return found.st_size, found.st_mtime_ns, found.st_ino

    @property
    def size(self) -> int:
        """Bytes in the file as it is stored."""
        return self._identity[0]

    def check_unchanged(self) -> None:
        """Raises EntropyLawError if the file is not the one that was read first."""
        try:
            same = self._identify() == self._identity
        except OSError:
            same = False
        if not same:
            raise EntropyLawError(f"{self.name}: the file has changed since it was read; run again")

    def check_unpacked(self, size: int, remedy: str) -> None:
        """Raises EntropyLawError, with ``remedy``, if ``size`` bytes are more than a file of this kind ever holds."""
        if size > max(_BOMB_RATIO * self.size, _BOMB_SIZE):
            raise EntropyLawError(
                f"{self.name}: stopped at {size:,} bytes from {self.size:,} stored ones, more than {_BOMB_RATIO} "
                f"times as many: is it a decompression bomb? If you trust it, {remedy}"
            )

    def open(self) -> BinaryIO:
        """The file as it is stored, from its start."""
        if self._spool is None:
            return self._file.open("rb")
        spool = os.fdopen(os.dup(self._spool.fileno()), "rb")
        spool.seek(0)
        return spool

    def is_plain(self) -> bool:
        """Whether the stored bytes are the content."""
        with self.open() as file:
            return _codec(file.read(4)) is None

    def content(self) -> io.BufferedReader:
        """The content, decompressed, as a file; see ``chunks``."""
        return io.BufferedReader(_Chunks(self.chunks()), CHUNK)

    def chunks(self) -> Iterator[bytes]:
        """The content, decompressed, in pieces.

        Raises
        ------
        EntropyLawError
            If the file is truncated or corrupt, or can't be read.
        """
        try:
            with self.open() as file:
                codec = _codec(file.read(4))
                file.seek(0)
                unpacked = 0
                for chunk in _READERS[codec](file):
                    self.position = file.tell()
                    unpacked += len(chunk)
                    self.check_unpacked(unpacked, "unpack it and name the unpacked file")
                    yield chunk
        except EOFError:
            raise EntropyLawError(f"{self.name}: the file is truncated: its compressed data end too soon") from None
        except (zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as error:
            raise EntropyLawError(f"{self.name}: its compressed data are corrupt: {error}") from None
        except OSError as error:
            raise EntropyLawError(f"{self.name}: cannot be read: {error.strerror or error}") from None


class _Chunks(io.RawIOBase):
    """A file of what an iterator yields."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer") -> int:
        while not self._left:
            try:
                self._left = memoryview(next(self._chunks))
            except StopIteration:
                return 0
        target = memoryview(buffer).cast("B")
        size = min(len(target), len(self._left))
        target[:size] = self._left[:size]
        self._left = self._left[size:]
        return size


def _spooled(pipe: BinaryIO) -> BinaryIO:
    spool = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - lives as long as its source
    shutil.copyfileobj(pipe, spool, CHUNK)
    spool.flush()
    return spool


def _codec(magic: bytes) -> Literal["gzip", "zstd"] | None:
    if magic.startswith(_GZIP):
        return "gzip"
    rest, firsts = _ZSTD_SKIPPABLE
    if magic == _ZSTD or (magic[1:] == rest and magic[0] in firsts):
        return "zstd"
    return None


def _plain(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def _gunzip(file: BinaryIO) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file) as unpacked:
        while chunk := unpacked.read(CHUNK):
            yield chunk


def _unzstd(file: BinaryIO) -> Iterator[bytes]:
    """Frame by frame, because only a single frame's reader tells that its end is missing."""
    unpacker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_MAX_WINDOW)
    frame = None
    pieces: list[bytes] = []
    size = 0
    while packed := file.read(_ZSTD_READ):
        while packed:
            frame = frame or unpacker.decompressobj()
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


_READERS = {None: _plain, "gzip": _gunzip, "zstd": _unzstd}
