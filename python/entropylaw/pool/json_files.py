"""Reading JSON files: the ordinary records compiled, the others one by one in Python."""

from typing import TYPE_CHECKING

import numpy as np

from entropylaw.errors import EntropyLawError
from entropylaw.pool.block import Block, RawRecord
from entropylaw.pool.builder import Builder
from entropylaw.pool.layouts import BOM, items_fault, lines_fault, record_remedy
from entropylaw.pool.lines import LineRecords
from entropylaw.pool.render import parse
from entropylaw.pool.schema import RecordError
from entropylaw.pool.source import Source
from entropylaw.pool.split import blocks

if TYPE_CHECKING:
    from entropylaw import _core


def read_json(source: Source, builder: Builder) -> None:
    """Reads all records of a file.

    Raises
    ------
    EntropyLawError
        If the file can't be read, or a record of it.
    """
    records = LineRecords(source)
    for block in blocks(source):
        rest = block
        if builder.reader() is None:
            for record in block.records():
                _read_one(record, block, records, builder)
                # The first record decides on the schema; until then nothing is compiled.
                if builder.reader() is not None:
                    rest = block.after(record)
                    break
        if (reader := builder.reader()) is not None:
            _read_block(rest, reader, records, builder)
        builder.report(source.position)
    builder.records.add(records)


def _read_one(record: RawRecord, block: Block, records: LineRecords, builder: Builder) -> None:
    where = records.at_line(record.line)
    try:
        builder.add(builder.renderer.parse(record.raw), where, record.raw, own=True)
    except RecordError as error:
        if records.has_begin:
            _check_layout(record, block, where, error)
        builder.refuse(where, error, record_remedy(record.raw))
    else:
        records.add(record.line, record.start, len(record.raw))


def _check_layout(record: RawRecord, block: Block, where: str, error: RecordError) -> None:
    """Raises EntropyLawError if the first record of a file can't be read because of what the file is."""
    at = record.start - block.start
    if block.content[:at].strip(b"[ \t\r\n\xef\xbb\xbf") or block.start > len(BOM):
        return
    if block.spans is None:
        fault = lines_fault(block.content[at:])
    else:
        try:
            fault = items_fault(parse(record.raw))
        except RecordError:
            fault = None
    if fault is not None:
        raise EntropyLawError(f"{where}: {fault.what}; {fault.remedy}") from error


def _read_block(block: Block, reader: "_core.RecordReader", records: LineRecords, builder: Builder) -> None:
    if block.spans is None:
        read = reader.lines(block.content)
        lines = block.line + read.lines.astype(np.int64)
    else:
        starts, ends = np.ascontiguousarray(block.spans.T)
        try:
            read = reader.spans(block.content, starts, ends)
        except EntropyLawError as error:
            raise EntropyLawError(f"{records.name}: {error}") from None
        breaks = np.flatnonzero(np.frombuffer(block.content, dtype=np.uint8) == ord("\n"))
        lines = block.line + np.searchsorted(breaks, read.starts)
    for run, left in builder.add_read(read, read.group_names, read.groups, read.numbers):
        records.add_many(lines[run], read.starts[run] + block.start, read.sizes[run])
        if left is not None:
            start, size = int(read.starts[left]), int(read.sizes[left])
            raw = block.content[start : start + size]
            record = RawRecord(int(lines[left]), block.start + start, raw).unmarked()
            if record.raw and not record.raw.isspace():
                _read_one(record, block, records, builder)
