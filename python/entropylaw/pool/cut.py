"""Some lines of a file of JSON Lines, so that several can read a large one at once."""

import io
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from entropylaw.pool.source import Source

if TYPE_CHECKING:
    from typing_extensions import Buffer

_PIECE = 1 << 20
"""Bytes that are read at a time."""


class CutSource(Source):
    """The bytes from ``start`` to before ``end`` of an uncompressed file here, which begin and end at line breaks."""

    def __init__(self, path: str | os.PathLike[str], start: int, end: int) -> None:
        super().__init__(path)
        self._start, self._end = start, end

    @property
    def size(self) -> int:
        """Bytes of the lines."""
        return self._end - self._start

    @property
    def has_begin(self) -> bool:
        """Whether they are the first lines."""
        return self._start == 0

    def numbered(self, line: int) -> int:
        """The number of a line in the file."""
        return line + self._lines_before

    @cached_property
    def _lines_before(self) -> int:
        # Only who has to say where a record is wants to know, and reads what is before for it.
        with super().open() as file:
            return sum(
                int(np.count_nonzero(np.frombuffer(piece, dtype=np.uint8) == ord("\n")))
                for piece in _pieces(file, self._start)
            )

    def open(self) -> BinaryIO:
        """The lines, from the first."""
        return io.BufferedReader(_Window(super().open(), self._start, self._end), _PIECE)


def line_begin(path: str, offset: int) -> int:
    """Where the first line begins that does so at ``offset`` or behind it; the end of the file if none does."""
    with Path(path).open("rb") as file:
        file.seek(max(offset - 1, 0))
        if offset > 0:
            file.readline()
        return file.tell()


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (piece := file.read(min(_PIECE, size))):
        size -= len(piece)
        yield piece


class _Window(io.RawIOBase):
    """A part of a file, as a file."""

    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        self._file, self._start, self._end = file, start, end
        self._position = 0

    def close(self) -> None:
        self._file.close()
        super().close()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._end - self._start}[whence]
        if begin + offset < 0:
            raise OSError("a position before the start of the file")
        self._position = begin + offset
        return self._position

    def readinto(self, buffer: "Buffer") -> int:
        target = memoryview(buffer).cast("B")
        left = max(self._end - self._start - self._position, 0)
        self._file.seek(self._start + self._position)
        piece = self._file.read(min(len(target), left))
        target[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)
