"""From a file's bytes to the bytes of its records.

JSON Lines are split at ``\\n`` only: U+2028 and its like occur inside real records.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np

from entropylaw.errors import EntropyLawError
from entropylaw.pool.block import Block
from entropylaw.pool.foreign import check_text
from entropylaw.pool.json_array import array_blocks
from entropylaw.pool.layouts import BOM
from entropylaw.pool.source import HEAD, Source

_SPACE = b" \t\r\n"
_BLOCK = 1 << 22
"""Bytes of lines that are worth reading together."""
_LONGEST = 1 << 30
"""Bytes of the longest line that is read."""
_LINE_BREAK = re.compile(rb"[\r\n][ \t\r\n]*")


def blocks(source: Source) -> Iterator[Block]:
    """The content of a file: the items of a JSON array, or lines.

    Raises
    ------
    EntropyLawError
        If the file can't be read, or is an array that is not JSON from the next block on: beyond a broken item no
        other can be found.
    """
    chunks = source.chunks()
    if not source.has_begin:
        yield from _lines(source, chunks, 0)
        return
    begin: list[bytes] = []
    for chunk in chunks:
        begin.append(chunk)
        if chunk.removeprefix(BOM).strip(_SPACE):
            break
    head = b"".join(begin)
    check_text(source.name, head[:HEAD])
    bom = len(BOM) if head.startswith(BOM) else 0
    if head[bom:].lstrip(_SPACE).startswith(b"["):
        yield from array_blocks(source.name, head, chunks)
    else:
        yield from _lines(source, chain([head[bom:]], chunks), bom)


def on_one_line(raw: bytes) -> bytes:
    """``raw`` without line breaks. In JSON they are space between tokens, never part of a string."""
    *lines, last = _LINE_BREAK.split(raw)
    return b" ".join([*(line.rstrip(b" \t") for line in lines), last])


def _lines(source: Source, chunks: Iterable[bytes], start: int) -> Iterator[Block]:
    line, pieces, size = 1, [], 0
    for chunk in chunks:
        pieces.append(chunk)
        size += len(chunk)
        if size < _BLOCK or b"\n" not in chunk:
            if size > _LONGEST:
                raise EntropyLawError(
                    f"{source.name}:{source.numbered(line)}: no line break in {_LONGEST} bytes; is the file "
                    "one record a line? If a record is that long, take it out"
                )
            continue
        content = b"".join(pieces)
        end = content.rindex(b"\n") + 1
        pieces, size = [content[end:]], len(content) - end
        yield Block(content[:end], line, start, None)
        # Several times faster than `bytes.count`.
        line += int(np.count_nonzero(np.frombuffer(content, dtype=np.uint8)[:end] == ord("\n")))
        start += end
    yield Block(b"".join(pieces), line, start, None)
