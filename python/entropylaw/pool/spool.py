"""Temporary files that are written once, then read from several places at once.

A descriptor has one position for all who hold it, copies made with ``dup`` and child processes included. So whoever
reads a spool keeps a position of his own and names it with every read.
"""

import io
import os
import tempfile
import threading
from typing import TYPE_CHECKING, BinaryIO

from entropylaw.errors import EntropyLawError

if TYPE_CHECKING:
    from typing_extensions import Buffer

_COPIED = 1 << 20
"""Bytes copied at a time."""


class Spool:
    """A temporary file, gone with its last reader. ``name`` says whose bytes it holds, for people."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as its spool
        """The file, to be written to from its start; what reads it calls ``finish`` first."""
        self._turn = threading.Lock()

    @classmethod
    def of(cls, name: str, pipe: BinaryIO) -> "Spool":
        """All that a pipe gives.

        Raises
        ------
        EntropyLawError
            If it does not fit on the disk; what reading the pipe raises is left as it is.
        """
        spool = cls(name)
        while piece := pipe.read(_COPIED):
            spool.write(piece)
        spool.finish()
        return spool

    def write(self, piece: bytes) -> int:
        """Adds bytes; returns how many.

        Raises
        ------
        EntropyLawError
            If they don't fit on the disk.
        """
        try:
            return self.file.write(piece)
        except OSError as error:
            raise self.full(error) from None

    def finish(self) -> None:
        """Makes what has been written readable.

        Raises
        ------
        EntropyLawError
            If it does not fit on the disk.
        """
        try:
            self.file.flush()
        except OSError as error:
            raise self.full(error) from None

    def full(self, error: OSError) -> EntropyLawError:
        """That the file can't be written."""
        return EntropyLawError(
            f"{self._name}: is kept in a temporary file in {tempfile.gettempdir()}, which cannot be written: "
            f"{error.strerror or error}; name a larger directory in TMPDIR"
        )

    def identity(self) -> tuple[int, ...]:
        """Size, time of the last change, and number of the file."""
        found = os.fstat(self.file.fileno())
        return found.st_size, found.st_mtime_ns, found.st_ino

    def open(self) -> BinaryIO:
        """What has been written, from its start."""
        return io.BufferedReader(_Reader(self))

    def read_into(self, buffer: memoryview, position: int) -> int:
        """Reads what lies at ``position``; returns how many bytes."""
        if hasattr(os, "preadv"):
            return os.preadv(self.file.fileno(), [buffer], position)
        with self._turn:
            self.file.seek(position)
            piece = self.file.read(len(buffer))
            buffer[: len(piece)] = piece
            return len(piece)


class _Reader(io.RawIOBase):
    """A spool, read from a position of its own."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._spool.identity()[0]}[whence]
        if start + offset < 0:
            raise OSError("a position before the start of the file")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: "Buffer") -> int:
        size = self._spool.read_into(memoryview(buffer).cast("B"), self._position)
        self._position += size
        return size
