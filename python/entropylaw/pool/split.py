"""From a file's bytes to the bytes of its records.

JSON Lines are split at ``\\n`` only: U+2028 and its like occur inside real records. The items of a JSON array are found
without being parsed, so that each can be given back as the bytes that it came in.
"""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from entropylaw.errors import EntropyLawError, json_reason
from entropylaw.pool import charset
from entropylaw.pool.foreign import check_text
from entropylaw.pool.layouts import BOM, array_fault
from entropylaw.pool.source import HEAD, Source

_SPACE = b" \t\r\n"
_BETWEEN_ITEMS = re.compile(rb"[ \t\r\n,]*")
_MARKS = re.compile(rb"(?:\xef\xbb\xbf)*")
_BLOCK = 1 << 22
"""Bytes of lines that are worth reading together."""
_LONGEST = 1 << 30
"""Bytes of the longest line that is read."""
_LINE_BREAK = re.compile(rb"[\r\n][ \t\r\n]*")


class RawRecord(NamedTuple):
    """A record as it is stored."""

    line: int
    """Line in which it begins, from 1 on."""
    start: int
    """Offset in the content of its file."""
    raw: bytes

    def unmarked(self) -> "RawRecord":
        """Without byte-order marks before it, which ``cat`` leaves where one file follows another: no part of it."""
        marks = _MARKS.match(self.raw)
        if marks is None or not marks.end():
            return self
        return RawRecord(self.line, self.start + marks.end(), self.raw[marks.end() :])


class Block(NamedTuple):
    """A piece of a file's content that holds whole records."""

    content: bytes
    line: int
    """Line in which it begins, from 1 on."""
    start: int
    """Offset in the content of its file."""
    spans: NDArray[np.int64] | None
    """Start and end of each record in the content, shape ``(records, 2)``; None if each line is one."""

    def records(self) -> Iterator[RawRecord]:
        """Its records; lines that are blank are none."""
        if self.spans is None:
            start = 0
            for number, raw in enumerate(self.content.split(b"\n")):
                record = RawRecord(self.line + number, self.start + start, raw).unmarked()
                if record.raw and not record.raw.isspace():
                    yield record
                start += len(raw) + 1
            return
        line, counted = self.line, 0
        for start, end in self.spans.tolist():
            line += self.content.count(b"\n", counted, start)
            counted = start
            yield RawRecord(line, self.start + start, self.content[start:end])

    def after(self, record: RawRecord) -> "Block":
        """What follows one of its records."""
        end = record.start - self.start + len(record.raw)
        if self.spans is None:
            return Block(self.content[end:], record.line, self.start + end, None)
        return self._replace(spans=self.spans[np.searchsorted(self.spans[:, 0], end) :])


def blocks(source: Source) -> Iterator[Block]:
    """The content of a file: the items of a JSON array, or lines.

    Raises
    ------
    EntropyLawError
        If the file can't be read, or is an array that is not JSON: beyond a broken item no other can be found.
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
        content = b"".join([head, *chunks])
        yield Block(content, 1, 0, _items(source.name, content, bom))
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


def _items(name: str, content: bytes, bom: int) -> NDArray[np.int64]:
    """Start and end of the items of an array."""
    try:
        items = msgspec.json.decode(memoryview(content)[bom:], type=list[msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError):
        # Either an error that the standard library locates better, or what it takes and msgspec doesn't (NaN).
        return np.array(list(_items_as_python_reads_them(name, content[bom:], bom)), dtype=np.int64).reshape(-1, 2)
    ends = []
    end = content.index(b"[", bom) + 1
    for item in items:
        between = _BETWEEN_ITEMS.match(content, end)
        start = between.end() if between else end
        end = start + len(memoryview(item))
        ends.append((start, end))
    return np.array(ends, dtype=np.int64).reshape(-1, 2)


def parse_whole(name: str, content: bytes, remedy: str) -> tuple[str, Any]:
    """The text of a file that is one JSON value, and the value, by Python's own parser.

    Raises
    ------
    EntropyLawError
        If it is not UTF-8 or not JSON: with the line, what was found, and the remedy, which is ``remedy`` if the fault
        is that of an item.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{content[error.start]:02x}"
        encoding = charset.likely(content[error.start :])
        raise EntropyLawError(f"{name}:{line}: is not UTF-8: found {found}; {charset.remedy(encoding)}") from None
    try:
        return text, json.loads(text)
    except json.JSONDecodeError as error:
        if (fault := array_fault(text, error.pos)) is not None:
            reason, remedy = fault
        else:
            reason = json_reason(error, error.colno, "file")
        raise EntropyLawError(f"{name}:{error.lineno}: is not a JSON array: {reason}; {remedy}") from None
    except RecursionError:
        raise EntropyLawError(f"{name}: is nested too deeply to be read as JSON") from None
    except ValueError:
        raise EntropyLawError(f"{name}: has an integer of more digits than Python reads; {remedy}") from None


def _items_as_python_reads_them(name: str, content: bytes, bom: int) -> Iterator[tuple[int, int]]:
    remedy = "mend it there, or store one record a line, where --on-error skip can pass over a broken one"
    text, _ = parse_whole(name, content, remedy)
    decoder = json.JSONDecoder()
    position = text.index("[") + 1
    start = bom + position
    while True:
        between = re.compile(r"[ \t\r\n,]*").match(text, position)
        item = between.end() if between else position
        if text[item] == "]":
            return
        start += item - position
        _, position = decoder.raw_decode(text, item)
        end = start + len(text[item:position].encode())
        yield start, end
        start = end
