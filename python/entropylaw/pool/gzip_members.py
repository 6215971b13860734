"""Files of gzip: members one after the other, unpacked by whichever library is fastest here.

That is ISA-L if the package ``isal`` is installed, else zlib. Blocked gzip (BGZF, of ``bgzip``) says in the header of
each member where the next begins, so that all threads unpack it; other members are unpacked by one thread.

What either library doesn't take is unpacked once more by Python's own module from the member on in which it is: that
says what is wrong with it, whoever found it.
"""

import gzip
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO

from entropylaw.pool.ahead import Made, Task, ahead, made

try:
    from isal import isal_zlib
except ImportError:
    _library: Any = zlib
else:
    _library = isal_zlib

MAGIC = b"\x1f\x8b"
_PIECE = 1 << 20
"""Bytes of content in a piece, but for the last."""
_PACKED = 1 << 15
"""Bytes that are read at a time. What follows a member is copied with each, so that it should not be much."""
_WITH_HEADER = 31
_BLOCKED_HEADER = 18
_BLOCKED = b"\x06\x00BC\x02\x00"
"""What a member of blocked gzip has behind the first ten bytes: a field of two bytes, its size less 1."""
_BLOCK = 1 << 16
"""Bytes of content that such a member has, at most."""
_ERRORS = (zlib.error, _library.error)


def unpack(file: BinaryIO, threads: int) -> Iterator[bytes]:
    """The content of a file in pieces that are not empty.

    Raises
    ------
    EOFError
        If the last member is cut off.
    gzip.BadGzipFile, zlib.error
        If a member is damaged, or what follows one is none.
    """
    if threads == 1:
        yield from _members(file, 0)
        return
    blocks = _Blocks(file)
    try:
        yield from made(blocks.tasks(), threads)
        start = blocks.done
    except _OddError as error:
        start = error.start
    file.seek(start)
    yield from ahead(_members(file, start))


def _members(file: BinaryIO, start: int) -> Iterator[bytes]:
    """The content from a member on, which begins at ``start``, where the file is."""
    read, packed = start, b""
    member: Any = None
    pieces: list[bytes] = []
    size = 0
    given = 0
    """Bytes of the member's content, in pieces or before them."""
    ended = False
    while not ended:
        if not packed:
            packed = file.read(_PACKED)
            read += len(packed)
            ended = not packed
        if member is None:
            # Zeros fill up the last block of a tape.
            packed = packed.lstrip(b"\0") if read - len(packed) > 0 else packed
            if not packed:
                continue
            start, given = read - len(packed), 0
            member = _library.decompressobj(_WITH_HEADER)
        try:
            piece = member.decompress(packed, _PIECE)
        except _ERRORS:
            break
        if piece:
            # All that has been read may still give more.
            ended = False
            pieces.append(piece)
            size += len(piece)
            given += len(piece)
        packed = member.unconsumed_tail
        if member.eof:
            packed, member = member.unused_data, None
        if size >= _PIECE:
            yield b"".join(pieces)
            pieces, size = [], 0
    if size:
        yield b"".join(pieces)
    if member is not None:
        file.seek(start)
        yield from _behind(file, given)


def _behind(file: BinaryIO, given: int) -> Iterator[bytes]:
    """The content from here on, as Python's own module reads it, without the bytes of it that are given already."""
    with gzip.GzipFile(fileobj=file) as content:
        while piece := content.read(_PIECE):
            if len(piece) > given:
                yield piece[given:]
            given = max(given - len(piece), 0)


class _OddError(Exception):
    """A member is not as its header says; it begins at ``start``."""

    def __init__(self, start: int) -> None:
        super().__init__(start)
        self.start = start


class _Blocks:
    """The members of blocked gzip with which a file begins; ``done`` is where the file goes on behind them."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.done = 0

    def tasks(self) -> Iterator[Task]:
        """The tasks that unpack them."""
        start = self.done
        members: list[bytes] = []
        while (member := self._next()) is not None:
            members.append(member)
            self.done += len(member)
            if len(members) * _BLOCK >= _PIECE:
                yield Task(partial(_content, members, start), len(members) * _BLOCK)
                members, start = [], self.done
        if members:
            yield Task(partial(_content, members, start), len(members) * _BLOCK)

    def _next(self) -> bytes | None:
        """The next of them; None if there is none, or not all of it."""
        head = self._file.read(_BLOCKED_HEADER)
        if len(head) < _BLOCKED_HEADER or head[:4] != MAGIC + b"\x08\x04" or head[10:16] != _BLOCKED:
            return None
        size = int.from_bytes(head[16:], "little") + 1
        member = head + self._file.read(max(size - len(head), 0))
        return member if len(member) == size else None


def _content(members: list[bytes], start: int) -> Made:
    """The content of members that begin at ``start``, or of those before one that is odd."""
    pieces: list[bytes] = []
    for packed in members:
        member = _library.decompressobj(_WITH_HEADER)
        try:
            piece = member.decompress(packed, _BLOCK + 1)
        except _ERRORS:
            piece = b""
        if not member.eof or member.unused_data or len(piece) > _BLOCK:
            return [b"".join(pieces)], _OddError(start)
        pieces.append(piece)
        start += len(packed)
    return [b"".join(pieces)], None
