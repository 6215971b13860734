"""Reading a part of a pool as it would be read within the whole."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from entropylaw.errors import EntropyLawError
from entropylaw.parts.pieces import Piece
from entropylaw.pool import Pool, Render
from entropylaw.pool.arena import memory_limit
from entropylaw.pool.arrow import need_arrow
from entropylaw.pool.builder import Builder
from entropylaw.pool.columns import Columns
from entropylaw.pool.cut import CutSource
from entropylaw.pool.formats import KINDS, Format, format_of
from entropylaw.pool.load import OnError, read_file
from entropylaw.pool.reading import Report
from entropylaw.pool.render import Renderer
from entropylaw.pool.schema import SCHEMAS, RecordError
from entropylaw.pool.source import Source
from entropylaw.pool.split import blocks
from entropylaw.pool.staging import opened


@dataclass(frozen=True)
class Reading:
    """How records are read; see ``entropylaw.load``."""

    render: Render
    schema: str | None
    field: str | None
    on_error: OnError
    group_by: str
    format: Format | None
    numbers: tuple[str, ...]
    memory: int | str

    def renderer(self, settled: "Settled | None" = None) -> Renderer:
        """What makes samples of records, whose schema may be ``settled``."""
        renderer = Renderer(self.render, self.schema, self.field)
        if settled is not None and renderer.schema is None:
            renderer.schema, renderer.schema_from = SCHEMAS[settled.schema], settled.by
        return renderer

    def options(self, renderer: Renderer) -> dict[str, Any]:
        """What a pool says of how it was read."""
        return {
            "render": renderer.given,
            "schema": self.schema,
            "field": self.field,
            "on_error": self.on_error,
            "group_by": self.group_by,
            "format": self.format,
        }


@dataclass(frozen=True)
class Settled:
    """The schema of a pool, which its first record decides."""

    schema: str
    by: str | None
    """Where that record is."""


@dataclass(frozen=True)
class Rows:
    """Rows of a table in memory, as a part of a pool."""

    blocks: Sequence[Any]
    """Tables of Arrow."""
    first: int
    """Rows of the whole before them."""


def settle(data: Sequence[Piece] | Rows, reading: Reading) -> Settled | None:
    """The schema that the first record decides; None if there is none that does, or none is asked for.

    What can't be read is left for whoever reads all of it.
    """
    renderer = reading.renderer()
    if renderer.name != "text" or renderer.schema is not None:
        return None
    try:
        if isinstance(data, Rows):
            for table in _tables(data):
                _settle_table(table, renderer)
                if renderer.schema is not None:
                    break
        else:
            for piece in data:
                _settle_file(_opened(piece), piece, reading, renderer)
                if renderer.schema is not None:
                    break
    except EntropyLawError:
        pass
    return None if renderer.schema is None else Settled(renderer.schema.name, renderer.schema_from)


def _settle_file(source: Source, piece: Piece, reading: Reading, renderer: Renderer) -> None:
    kind = KINDS[format_of(source, reading.format) if source.size else "json"]
    if piece.groups is not None or kind.rows is not None:
        need_arrow(f"{source.name}: reading {kind.title}")
        _settle_table(_table_of(source, piece, kind.rows), renderer)
        return
    for block in blocks(source):
        for record in block.records():
            where = f"{source.name}:{source.numbered(record.line)}"
            try:
                renderer.render(renderer.parse(record.raw), where, record.raw)
            except RecordError:
                if reading.on_error != "skip":
                    return
            if renderer.schema is not None:
                return


def _settle_table(table: Any, renderer: Renderer) -> None:
    from entropylaw.pool.outline import outline

    if table.has_rows():
        renderer.columns(outline(table.schema), table.name, table.columns_remedy())


def read_part(
    data: Sequence[Piece] | Rows,
    reading: Reading,
    settled: Settled | None,
    threads: int | None,
    progress: Callable[[Any], object] | None,
) -> tuple[Pool, list[str]]:
    """The part, which may have no records; and the names of what has none.

    Raises
    ------
    EntropyLawError
        If a file or a record of it can't be used.
    """
    renderer = reading.renderer(settled)
    columns = Columns(reading.group_by, reading.numbers)
    limit = memory_limit(reading.memory)
    builder = Builder(renderer, reading.options(renderer), columns, limit, threads)
    if isinstance(data, Rows):
        from entropylaw.pool.table_records import read_table

        for table in _tables(data):
            read_table(table, builder)
        return builder.collected(), []
    # Objects in storage are copied several at a time.
    whole = iter(opened([piece.path for piece in data if _is_whole(piece)], progress))
    sources = [next(whole) if _is_whole(piece) else _opened(piece) for piece in data]
    for piece, source in zip(data, sources, strict=True):
        source.name = piece.name
    builder.report = Report(progress, sources)
    for piece, source in zip(data, sources, strict=True):
        before = len(builder.records) + builder.skipped
        if piece.groups is None:
            read_file(source, reading.format, builder)
        else:
            from entropylaw.pool.table_records import read_table

            read_table(_table_of(source, piece, None), builder)
        if _is_whole(piece) and len(builder.records) + builder.skipped == before:
            builder.no_records(source.name)
        builder.report.next_file(source)
    return builder.collected(), builder.without_records


def _is_whole(piece: Piece) -> bool:
    return piece.lines is None and piece.groups is None


def _opened(piece: Piece) -> Source:
    source = Source(piece.path) if piece.lines is None else CutSource(piece.path, *piece.lines)
    source.name = piece.name
    return source


def _table_of(source: Source, piece: Piece, rows: Callable[[Source], Any] | None) -> Any:
    from entropylaw.pool.tables import ParquetTable

    if piece.groups is not None:
        return ParquetTable(source, range(*piece.groups))
    assert rows is not None
    return rows(source)


def _tables(data: Rows) -> Iterator[Any]:
    """The rows, each run of blocks of the same columns and types as a table: so it does not matter to them which blocks
    are in the same part."""
    import pyarrow as pa

    from entropylaw.pool.tables import MemoryTable

    first = data.first
    for schema, run in groupby((block for block in data.blocks if block.num_rows), key=lambda block: block.schema):
        whole = pa.concat_tables(run)
        table = MemoryTable(schema, whole.to_batches())
        table.first_row = first
        first += whole.num_rows
        yield table
