"""Files, plain or compressed, as streams of bytes.

Compression is recognised by what a file holds, not by its name, so a ``.gz`` that some download tool has already
unpacked reads as well.
"""

import io
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from entropylaw import _core
from entropylaw.errors import EntropyLawError, clause
from entropylaw.pool.compression import CHUNK, CORRUPT, plain, unpacker
from entropylaw.pool.spool import Spool
from entropylaw.storage.objects import StoredObject, Version, located, told_as_json, version_of
from entropylaw.storage.urls import is_url

if TYPE_CHECKING:
    from typing_extensions import Buffer

HEAD = 1 << 12
"""Bytes at the start of a file that say what it is."""

_BOMB_RATIO = 250
"""How many times its stored size a file may unpack to, if that is more than ``_BOMB_SIZE``. JSON packs 3 to 30 fold."""
_BOMB_SIZE = 1 << 28


class Source:
    """One file of a pool. It is read more than once, so a pipe is copied to a temporary file first, and so is an object
    in storage: ``version`` is what it was when it was asked for, and ``copied`` hears how many bytes of it are here.
    ``threads`` unpack it, by default as many as the process may use.

    Whatever ``open``, ``content`` and ``chunks`` give has a position of its own: any number of them may be read by
    turns, and by several threads at once.

    Raises
    ------
    EntropyLawError
        If the file is missing, a directory or unreadable, or standard input that has been read before.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        version: Version | None = None,
        copied: Callable[[int], object] | None = None,
        threads: int | None = None,
    ) -> None:
        self.name = os.fspath(path)
        self._spool: Spool | None = None
        self._object: StoredObject | None = None
        self._version = Version(None, None, None)
        self._path = Path(self.name)
        self.position = 0
        """Bytes, as they are stored, that the last call of ``chunks`` has read so far."""
        self.threads = threads
        if is_url(path):
            self._copy(located(path), version, copied)
            return
        try:
            if self.name == "-":
                self.name = "standard input"
                self._spool = Spool.of(self.name, _standard_input())
            else:
                # Not normalised: `link/..` is where the link leads.
                self._path = Path.cwd() / self.name if not self._path.is_absolute() else self._path
                found = self._path.stat()
                if stat.S_ISDIR(found.st_mode):
                    raise EntropyLawError(f"{self.name}: is a directory")
                if not stat.S_ISREG(found.st_mode):
                    with self._path.open("rb") as pipe:
                        self._spool = Spool.of(self.name, pipe)
            self._identity = self._identify()
        except FileNotFoundError:
            raise EntropyLawError(f"{self.name}: no such file") from None
        except OSError as error:
            raise EntropyLawError(f"{self.name}: cannot be read: {error.strerror or error}") from None

    def _copy(self, found: StoredObject, version: Version | None, copied: Callable[[int], object] | None) -> None:
        """Takes a local copy of an object for the file."""
        self.name = found.shown
        self._object = found
        self._version = version or found.version()
        self._spool = Spool(self.name)
        found.copy_to(self._spool.write, self._version, copied)
        self._spool.finish()
        self.remember()

    @classmethod
    def spooled(cls, name: str, spool: Spool) -> "Source":
        """A source of what has been written to a temporary file."""
        source = cls.__new__(cls)
        source.name = name
        source.position = 0
        source.threads = None
        source._object = None
        source._spool = spool
        source.remember()
        return source

    def remember(self) -> None:
        """Takes the file as it is now for the one that was read."""
        self._identity = self._identify()

    @property
    def path(self) -> str | None:
        """Where the file lies, wherever the working directory is by now, if it has a name."""
        return None if self._spool else str(self._path)

    @property
    def origin(self) -> str | None:
        """What it was read from, as it may be compared: the path of a file or a URL; None if it has no name."""
        return self._object.url if self._object else self.path

    @property
    def has_begin(self) -> bool:
        """Whether what is read of it begins where the file does."""
        return True

    def numbered(self, line: int) -> int:
        """The number in the file of a line of what is read of it, both from 1 on."""
        return line

    def described(self) -> dict[str, Any]:
        """What a manifest says of it: its name and size, of an object in storage also what tells it from another."""
        described: dict[str, Any] = {"name": self.name, "bytes": self.size}
        return described | (told_as_json(self._version) if self._object else {})

    def stamp(self) -> tuple[Any, ...]:
        """What tells the file from what it was at another time, on whatever machine it is looked at."""
        return tuple(self._version) if self._object else self._identity[:2]

    def _identify(self) -> tuple[int, ...]:
        if self._spool:
            return self._spool.identity()
        found = self._path.stat()
        return found.st_size, found.st_mtime_ns, found.st_ino

    @property
    def size(self) -> int:
        """Bytes in the file as it is stored."""
        return self._identity[0]

    def check_unchanged(self) -> None:
        """Raises EntropyLawError if the file is not the one that was read first."""
        if self._object is not None:
            found = self._object.info()
            if found is None or self._version.differs(version_of(found)):
                raise EntropyLawError(f"{self.name}: the object has changed since it was read; run again")
            return
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
        return self._path.open("rb") if self._spool is None else self._spool.open()

    def head(self) -> bytes:
        """How the file begins, as it is stored."""
        with self.open() as file:
            return file.read(HEAD)

    def is_plain(self) -> bool:
        """Whether the stored bytes are the content."""
        return unpacker(self.head()) is None

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
                unpack = unpacker(file.read(HEAD)) or plain
                file.seek(0)
                unpacked = 0
                for chunk in unpack(file, _core.thread_count(self.threads)):
                    self.position = file.tell()
                    unpacked += len(chunk)
                    self.check_unpacked(unpacked, "unpack it and name the unpacked file")
                    yield chunk
        except EOFError:
            raise EntropyLawError(
                f"{self.name}: the file is truncated: its compressed data end too soon; fetch it anew"
            ) from None
        except (*CORRUPT, OSError) as error:
            if isinstance(error, CORRUPT) or error.errno is None:
                if "dictionary" in str(error).lower():
                    raise EntropyLawError(
                        f"{self.name}: is compressed with a dictionary; unpack it: zstd -d -D DICTIONARY FILE"
                    ) from None
                raise EntropyLawError(
                    f"{self.name}: its compressed data are corrupt: {clause(str(error))}; fetch or make it anew"
                ) from None
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


_read_before: object = None
"""Standard input, if it has been read to its end."""


def _standard_input() -> BinaryIO:
    global _read_before
    if sys.stdin is None:
        raise EntropyLawError("standard input: is closed; name a file")
    if _read_before is sys.stdin:
        raise EntropyLawError("standard input: has been read before, and can be read only once; name a file")
    _read_before = sys.stdin
    return sys.stdin.buffer
