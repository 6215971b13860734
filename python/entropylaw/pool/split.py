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

from entropylaw.errors import EntropyLawError
from entropylaw.pool.source import Source

_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_SPACE = b" \t\r\n"
_BETWEEN_ITEMS = re.compile(rb"[ \t\r\n,]*")
_LINE_BREAK = re.compile(rb"[ \t]*[\r\n][ \t\r\n]*")


class RawRecord(NamedTuple):
    """A record as it is stored."""

    line: int
    """Line in which it begins, from 1 on."""
    start: int
    """Offset in the content of its file."""
    raw: bytes


def split(source: Source) -> Iterator[RawRecord]:
    """The records of a file: the items of a JSON array, or the lines that are not blank.

    Raises
    ------
    EntropyLawError
        If the file can't be read, or is an array that is not JSON: beyond a broken item no other can be found.
    """
    chunks = source.chunks()
    head = b""
    for chunk in chunks:
        head += chunk
        if head.removeprefix(_UTF8_BOM).strip(_SPACE):
            break
    if head.startswith(_UTF16_BOMS):
        raise EntropyLawError(f"{source.name}: the file is UTF-16, not UTF-8; convert it, for example with iconv")
    bom = len(_UTF8_BOM) if head.startswith(_UTF8_BOM) else 0
    if head[bom:].lstrip(_SPACE).startswith(b"["):
        yield from _items(source.name, b"".join([head, *chunks]), bom)
    else:
        yield from _lines(chain([head[bom:]], chunks), bom)


def on_one_line(raw: bytes) -> bytes:
    """``raw`` without line breaks. In JSON they are space between tokens, never part of a string."""
    return _LINE_BREAK.sub(b" ", raw)


def _lines(chunks: Iterable[bytes], start: int) -> Iterator[RawRecord]:
    number = 0
    pieces: list[bytes] = []
    # A line break more than there is: it ends a last line that has none, and adds a blank line, which doesn't count.
    for chunk in chain(chunks, [b"\n"]):
        first, *following = chunk.split(b"\n")
        pieces.append(first)
        for next_first in following:
            line = b"".join(pieces) if len(pieces) > 1 else pieces[0]
            number += 1
            if line and not line.isspace():
                yield RawRecord(number, start, line)
            start += len(line) + 1
            pieces = [next_first]


def _items(name: str, content: bytes, bom: int) -> Iterator[RawRecord]:
    try:
        items = msgspec.json.decode(memoryview(content)[bom:], type=list[msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError):
        # Either an error that the standard library locates better, or what it takes and msgspec doesn't (NaN).
        yield from _items_as_python_reads_them(name, content[bom:], bom)
        return
    line, counted = 1, 0
    end = content.index(b"[", bom) + 1
    for item in items:
        between = _BETWEEN_ITEMS.match(content, end)
        start = between.end() if between else end
        end = start + len(memoryview(item))
        line += content.count(b"\n", counted, start)
        counted = start
        yield RawRecord(line, start, content[start:end])


def parse_whole(name: str, content: bytes, remedy: str) -> tuple[str, Any]:
    """The text of a file that is one JSON value, and the value, by Python's own parser.

    Raises
    ------
    EntropyLawError
        If it is not UTF-8 or not JSON: with the line, what was found, and ``remedy``.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{content[error.start]:02x}"
        raise EntropyLawError(f"{name}:{line}: is not UTF-8: found {found}; convert the file to UTF-8") from None
    try:
        return text, json.loads(text)
    except json.JSONDecodeError as error:
        found = repr(text[error.pos : error.pos + 40]) if error.pos < len(text) else "the end of the file"
        raise EntropyLawError(
            f"{name}:{error.lineno}: is not a JSON array: {error.msg.lower()} at column {error.colno}, found {found}; "
            f"{remedy}"
        ) from None
    except RecursionError:
        raise EntropyLawError(f"{name}: is nested too deeply to be read as JSON") from None


def _items_as_python_reads_them(name: str, content: bytes, bom: int) -> Iterator[RawRecord]:
    remedy = "mend it there, or store one record a line, where --on-error skip can pass over a broken one"
    text, _ = parse_whole(name, content, remedy)
    decoder = json.JSONDecoder()
    position = text.index("[") + 1
    start = bom + position
    line = 1 + text.count("\n", 0, position)
    while True:
        between = re.compile(r"[ \t\r\n,]*").match(text, position)
        item = between.end() if between else position
        if text[item] == "]":
            return
        line += text.count("\n", position, item)
        start += item - position
        _, position = decoder.raw_decode(text, item)
        raw = text[item:position].encode()
        yield RawRecord(line, start, raw)
        line += raw.count(b"\n")
        start += len(raw)
