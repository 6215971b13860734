"""Files of zstd: one frame, or many of them one after the other, which all threads unpack.

Where a frame ends is told without unpacking it: its header says how it is made, and each of its blocks how long it is
(RFC 8878, section 3.1). What its blocks may become bounds the memory. So it does not matter what wrote the frames
(``pzstd``, the seekable format, ``cat``), nor whether they say how long their content is. A frame that may become more
than is held of one, such as ``zstd`` makes of a whole file, is unpacked block by block by one other thread.

From the first frame on that is damaged or cut off, the file is unpacked in turn, which tells what is wrong with it.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

from entropylaw import zstd
from entropylaw.pool.ahead import Made, Task, made

MAGIC = b"\x28\xb5\x2f\xfd"
_LARGE = (1 << 23) + (1 << 16)
"""Bytes that a frame may become, and look back on, that is unpacked apart from others: 8 MiB, as counted here."""
_PIECE = 1 << 20
"""Bytes that blocks and frames may become which are unpacked together, unless a single one becomes more."""
_BLOCK = 1 << 17
"""Bytes that a block of a frame may become."""
_LEAST = 1 << 8
"""Bytes that the header of a frame, and a block, count for at least: there may be many that become nothing."""
_PACKED = 1 << 10
"""Bytes that are unpacked at a time if nothing is known of them: each could become 32 KiB."""
_RAW, _REPEATED, _RESERVED = 0, 1, 3


def is_skippable(head: bytes) -> bool:
    """Whether a frame that begins so holds no content."""
    return head[1:4] == b"\x2a\x4d\x18" and head[0] in range(0x50, 0x60)


def unpack(file: BinaryIO, threads: int) -> Iterator[bytes]:
    """The content of a file in pieces that are not empty.

    Raises
    ------
    EOFError
        If the last frame is cut off.
    zstd.ERROR
        If a frame is damaged, or what follows one is none.
    """
    frames = _Frames(file)
    if threads > 1:
        yield from made(frames.tasks(), threads)
        file.seek(frames.done)
    yield from _in_turn(file, frames.unfinished)


def _in_turn(file: BinaryIO, frame: Any = None) -> Iterator[bytes]:
    """Frame by frame, from the rest of one on if it is begun: only a single frame's reader tells that its end is
    missing."""
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
        if size >= _PIECE:
            yield b"".join(pieces)
            pieces, size = [], 0
    if size:
        yield b"".join(pieces)
    if frame is not None:
        raise EOFError


class _OddError(Exception):
    """What is read here is no whole frame."""


class _Header(NamedTuple):
    """How a frame begins."""

    packed: bytes
    least: int
    """Bytes that are needed to unpack it: its content or, if that is not told, the window."""
    block: int
    """Bytes that one of its blocks may become."""
    checksum: int
    """Bytes behind its last block."""


class _Block(NamedTuple):
    packed: bytes
    bound: int
    """Bytes that it becomes, at most."""


class _Frames:
    """The frames of a file, read from its start on.

    Attributes
    ----------
    done
        Where the file goes on behind what the tasks unpack.
    unfinished
        What unpacks the frame to which that belongs; None if a frame begins there.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.done = 0
        self.unfinished: Any = None

    def tasks(self) -> Iterator[Task]:
        """The tasks that unpack the frames, up to the first that is no whole one.

        A frame's reader keeps what it looks back on, so that content takes twice its bytes.
        """
        frames: list[list[bytes]] = []
        bound = 0
        try:
            while magic := self._file.read(4):
                if is_skippable(magic):
                    self._skip()
                elif magic != MAGIC:
                    break
                else:
                    header = self._header()
                    blocks = self._blocks(header)
                    held = [_Block(header.packed, _LEAST)]
                    size = _LEAST
                    if header.least <= _LARGE:
                        for block in blocks:
                            held.append(block)
                            if (size := size + block.bound) > _LARGE:
                                break
                    is_large = max(header.least, size) > _LARGE
                    if frames and (is_large or bound + size > _PIECE):
                        yield Task(partial(_whole, frames), 2 * bound)
                        frames, bound = [], 0
                    if is_large:
                        yield from self._parts(chain(held, blocks))
                    else:
                        frames.append([block.packed for block in _together(held)])
                        bound += size
                self.done = self._file.tell()
        except _OddError:
            pass
        if frames:
            yield Task(partial(_whole, frames), 2 * bound)

    def _parts(self, blocks: Iterator[_Block]) -> Iterator[Task]:
        """The tasks that unpack a large frame."""
        self.unfinished = frame = zstd.decompressor()

        def read() -> Iterator[_Block]:
            for block in blocks:
                self.done = self._file.tell()
                yield block

        for block in _together(read()):
            yield Task(partial(_part, frame, block.packed), block.bound, in_turn=True)
        self.unfinished = None

    def _read(self, size: int) -> bytes:
        content = self._file.read(size)
        if len(content) < size:
            raise _OddError
        return content

    def _skip(self) -> None:
        left = int.from_bytes(self._read(4), "little")
        while left:
            left -= len(self._read(min(left, _PIECE)))

    def _header(self) -> _Header:
        described = self._read(1)
        (flags,) = described
        single = flags >> 5 & 1
        window = b"" if single else self._read(1)
        dictionary = self._read((0, 1, 2, 4)[flags & 3])
        content = self._read((single, 2, 4, 8)[flags >> 6])
        size = int.from_bytes(content, "little") + (256 if flags >> 6 == 1 else 0)
        if flags & 8:
            raise _OddError
        looks_back = size
        if window:
            base = 1 << (10 + (window[0] >> 3))
            looks_back = base + base // 8 * (window[0] & 7)
        return _Header(
            MAGIC + described + window + dictionary + content,
            size if content else looks_back,
            min(looks_back, _BLOCK),
            4 if flags & 4 else 0,
        )

    def _blocks(self, header: _Header) -> Iterator[_Block]:
        """The blocks of a frame, the last of them with the frame's checksum."""
        last = False
        while not last:
            packed = self._read(3)
            described = int.from_bytes(packed, "little")
            last, kind, size = bool(described & 1), described >> 1 & 3, described >> 3
            if kind == _RESERVED or size > header.block:
                raise _OddError
            packed += self._read((1 if kind == _REPEATED else size) + (header.checksum if last else 0))
            yield _Block(packed, max(size if kind in (_RAW, _REPEATED) else header.block, _LEAST))


def _together(blocks: Iterable[_Block]) -> Iterator[_Block]:
    """Blocks that become a piece, as one.

    Raises
    ------
    _OddError
        If there is no next block, once all before it are given.
    """
    packed: list[bytes] = []
    bound = 0
    try:
        for block in blocks:
            if packed and bound + block.bound > _PIECE:
                yield _Block(b"".join(packed), bound)
                packed, bound = [], 0
            packed.append(block.packed)
            bound += block.bound
    except _OddError:
        yield _Block(b"".join(packed), bound)
        raise
    yield _Block(b"".join(packed), bound)


def _whole(frames: list[list[bytes]]) -> Made:
    """The content of whole frames; if one is damaged, of the blocks before the damage."""
    pieces: list[bytes] = []
    failed = None
    try:
        for blocks in frames:
            frame = zstd.decompressor()
            pieces.extend(frame.decompress(packed) for packed in blocks)
    except zstd.ERROR as error:
        failed = error
    return [b"".join(pieces)] if sum(map(len, pieces)) <= _PIECE else pieces, failed


def _part(frame: Any, packed: bytes) -> Made:
    """What the next blocks of a large frame become."""
    try:
        return [frame.decompress(packed)], None
    except zstd.ERROR as error:
        return [], error
