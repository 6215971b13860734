"""Pieces of a file of JSON, and the records in them."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_MARKS = re.compile(rb"(?:\xef\xbb\xbf)*")


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
