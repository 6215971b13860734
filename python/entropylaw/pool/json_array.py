"""A JSON array, read as it comes: some items at a time, each of which can be given back as the bytes that it came in.

The core tells where items are and leaves unread what they are (``_core.ArrayItems``). Some megabytes of them, made an
array of their own, are checked by msgspec, or by Python's own parser, which takes a little more (NaN). What is wrong
with them Python's parser says, which is given these items and a little of what comes behind them as if they were the
file. So no more than some items is held, and an error says what it would say if all of the file had been read.
"""

import json
from collections.abc import Iterator
from typing import Any, NoReturn

import msgspec
import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.errors import EntropyLawError, json_reason
from entropylaw.pool import charset
from entropylaw.pool.block import Block
from entropylaw.pool.layouts import BOM, array_fault, stand_in

_BLOCK = 1 << 22
"""Bytes of items that are worth reading together."""
_BEHIND = 1 << 16
"""Bytes that are looked at behind an item that can't be read, to tell what it is."""
_REMEDY = "mend it there, or store one record a line, where --on-error skip can pass over a broken one"


def array_blocks(name: str, head: bytes, chunks: Iterator[bytes]) -> Iterator[Block]:
    """The items of the array that a file is: it begins with ``head``, the bracket included, and ``chunks`` follow.

    Raises
    ------
    EntropyLawError
        If it is not JSON, once the blocks before the fault are given.
    """
    return _Array(name, head, chunks).blocks()


class _Array:
    def __init__(self, name: str, head: bytes, chunks: Iterator[bytes]) -> None:
        self._name = name
        self._chunks = chunks
        self._held = [head]
        """What is in no block yet, from ``_start`` on."""
        self._start = 0
        self._line, self._column = 1, 0
        """Where that begins: the line, and the characters of it before that."""
        self._mark = len(BOM) if head.startswith(BOM) else 0
        """Bytes at the start of what is held that are no part of the text."""
        self._opening = b""
        """What makes an array of items from there on."""
        self._before = b""
        """The same, with an item that stands for all those before."""
        bracket = head.index(b"[")
        self._items = _core.ArrayItems(bracket)
        self._spans: list[NDArray[np.int64]] = []
        self._feed(head[bracket:])

    def blocks(self) -> Iterator[Block]:
        items = self._items
        while items.odd is None:
            if items.cut is not None and items.cut - self._start >= _BLOCK:
                yield self._block(items.cut, items.cut - 1)
            if not (chunk := next(self._chunks, b"")):
                break
            self._held.append(chunk)
            self._feed(chunk)
        if items.odd is not None or items.end is None:
            self._refuse()
        yield self._block(self._start + sum(map(len, self._held)), items.end - 1)

    def _feed(self, piece: bytes) -> None:
        self._spans.append(np.stack(self._items.feed(piece), axis=1))

    def _block(self, end: int, stop: int) -> Block:
        """What is held up to ``end``, where the array itself has a comma or a bracket at ``stop``."""
        held = b"".join(self._held)
        self._held = [held]
        self._check(held[self._mark : stop - self._start])
        content = held[: end - self._start]
        spans = np.concatenate(self._spans)
        here = spans[:, 0] < end
        found = spans[here] - self._start
        block = Block(content, self._line, self._start, found)
        if not self._before and len(found):
            self._before = b"[" + stand_in(content[slice(*found[0])]) + b","
        self._advance(content)
        self._held, self._spans = [held[len(content) :]], [spans[~here]]
        return block

    def _advance(self, content: bytes) -> None:
        """What is held begins behind ``content``."""
        bytes_of = np.frombuffer(content, dtype=np.int8)
        # Several times faster than `bytes.count`.
        if breaks := int(np.count_nonzero(bytes_of == ord("\n"))):
            self._line += breaks
            self._column = 0
            bytes_of = bytes_of[content.rindex(b"\n") + 1 :]
        # Of a character of several bytes, all but the first are below -64.
        self._column += int(np.count_nonzero(bytes_of[self._mark if not breaks else 0 :] >= -64))
        self._start += len(content)
        self._mark, self._opening = 0, b"["

    def _check(self, items: bytes) -> None:
        """Raises EntropyLawError if these items, with their opening, are no JSON."""
        text = b"".join([self._opening, items, b"]"])
        try:
            msgspec.json.decode(text, type=list[msgspec.Raw])
        except (msgspec.MsgspecError, RecursionError):
            try:
                json.loads(text.decode())
            except (ValueError, RecursionError):
                self._refuse()

    def _refuse(self) -> NoReturn:
        """Says what is wrong with what is held, or behind it."""
        behind = 0
        for chunk in self._chunks:
            self._held.append(chunk)
            if (behind := behind + len(chunk)) >= _BEHIND:
                break
        content = b"".join(self._held)[self._mark :]
        if behind >= _BEHIND:
            content = _whole_characters(content)
        parse_whole(self._name, self._before + content, _REMEDY, self._line, self._column - len(self._before))
        raise AssertionError(f"{self._name}: is JSON")


def _whole_characters(text: bytes) -> bytes:
    """``text`` without a part of a character at its end."""
    try:
        text.decode()
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            return text[: error.start]
    return text


def parse_whole(name: str, content: bytes, remedy: str, line: int = 1, column: int = 0) -> Any:
    """The value of a file that is one JSON value, by Python's own parser.

    ``line`` and ``column`` are where the file begins, if it is made of what comes behind something else: the number of
    a line, from 1 on, and the characters of it before the first one of ``content``.

    Raises
    ------
    EntropyLawError
        If it is not UTF-8 or not JSON: with the line, what was found, and the remedy, which is ``remedy`` if the fault
        is that of an item.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line += content.count(b"\n", 0, error.start)
        found = f"byte 0x{content[error.start]:02x}"
        encoding = charset.likely(content[error.start :])
        raise EntropyLawError(f"{name}:{line}: is not UTF-8: found {found}; {charset.remedy(encoding)}") from None
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if (fault := array_fault(text, error.pos)) is not None:
            reason, remedy = fault
        else:
            reason = json_reason(error, error.colno + (column if error.lineno == 1 else 0), "file")
        raise EntropyLawError(f"{name}:{line + error.lineno - 1}: is not a JSON array: {reason}; {remedy}") from None
    except RecursionError:
        raise EntropyLawError(f"{name}: is nested too deeply to be read as JSON") from None
    except ValueError:
        raise EntropyLawError(f"{name}: has an integer of more digits than Python reads; {remedy}") from None
