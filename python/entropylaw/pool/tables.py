"""Tables: files of Parquet and Arrow, and what gives Arrow data in memory. A few batches of rows at a time."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from entropylaw.errors import EntropyLawError
from entropylaw.pool import unread_columns
from entropylaw.pool.arrow import bytes_of, reason
from entropylaw.pool.arrow_types import converted, holds, is_extension, takeable
from entropylaw.pool.containers import package_of
from entropylaw.pool.frames import frame_table
from entropylaw.pool.joining import grouped, in_one
from entropylaw.pool.source import Source
from entropylaw.pool.spool import Spool

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_ROWS = 512
"""Rows read at a time. More are hardly faster, and rows may be megabytes long."""
_REMEDY = "write it again as Arrow, uncompressed and without dictionaries"


class Table:
    """Rows that can be read again and again."""

    def __init__(self, name: str, schema: pa.Schema, source: Source | None = None) -> None:
        names = schema.names
        if twice := sorted({column for column in names if names.count(column) > 1}):
            raise EntropyLawError(f"{name}: has more than one column named {twice[0]!r}; rename one of them")
        schema = _with_extensions(schema)
        for field in schema:
            _check_column(name, field)
        self.name = name
        self.source = source
        self.stored = schema
        """The columns in the types that they have."""
        self.schema = pa.schema([field.with_type(takeable(field.type)) for field in schema], schema.metadata)
        """The columns in the types that they are read in; see ``takeable``."""
        self.first_row = 0
        """Rows of the file, or of whatever it is a part of, before its own."""
        self.unread: unread_columns.Counts = {}
        """The columns that the last call of ``batches`` has left out of the rows that it has read."""

    def has_rows(self) -> bool:
        """Whether it has any rows; one without decides nothing, whatever columns it has."""
        try:
            return any(batch.num_rows for batch in self._read(None))
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from None

    def columns_remedy(self) -> str | None:
        """What to do about its columns, if they are not those that are looked for."""
        return None

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """All rows, or some columns of them.

        Raises
        ------
        EntropyLawError
            If they can't be read.
        """
        if self.source is not None:
            self.source.check_unchanged()
        unpacked = 0
        self.unread = {}
        try:
            for group in self._grouped(columns):
                if self.source is not None:
                    unpacked += sum(map(bytes_of, group))
                    self.source.check_unpacked(unpacked, _REMEDY)
                rows = pa.Table.from_batches(group)
                if columns is not None:
                    self._leave(rows, columns)
                    # Before they are joined: what is not asked for, such as images, is not to be copied.
                    rows = rows.select(list(columns))
                for batch in in_one(rows):
                    for start in range(0, batch.num_rows, _ROWS):
                        yield self._settled(batch.slice(start, _ROWS))
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise self._unreadable(error) from None

    def _grouped(self, columns: Sequence[str] | None) -> Iterator[list[pa.RecordBatch]]:
        """What is read, in groups of batches that can be joined."""
        if self.stored.types == self.schema.types:
            return grouped(self._read(columns), _ROWS)
        # Not all types that need converting can be joined.
        return ([batch] for batch in self._read(columns))

    def _leave(self, rows: pa.Table, columns: Sequence[str]) -> None:
        """Counts the columns of some rows that are not asked for."""
        self.unread = unread_columns.added(self.unread, unread_columns.of_rows(rows, columns))

    def paths(self) -> list[str]:
        """The files with a name that are read for it."""
        return [self.source.origin] if self.source and self.source.origin else []

    def check_rendered(self, size: int) -> None:
        """Raises EntropyLawError if samples of ``size`` bytes are more than a file of this size ever holds.

        Values that a file holds once, in a dictionary, may be in many rows.
        """
        if self.source is not None:
            self.source.check_unpacked(size, _REMEDY)

    def position(self, rows: int) -> int:
        """Bytes of the file that are read when ``rows`` rows are, as far as can be told."""
        return self.source.position if self.source else 0

    def take(self, rows: NDArray[np.int64]) -> Iterator[pa.RecordBatch]:
        """The rows at rising positions."""
        return _taken(self.batches(), rows)

    def _read(self, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        raise NotImplementedError

    def _settled(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        types = [self.schema.field(name).type for name in batch.schema.names]
        if batch.schema.types == types:
            return batch
        arrays = [converted(column, kind) for column, kind in zip(batch.columns, types, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)

    def _unreadable(self, error: BaseException) -> EntropyLawError:
        return EntropyLawError(f"{self.name}: cannot be read: {reason(error)}")


class ParquetTable(Table):
    """A Parquet file, or some of its row groups, one after the other."""

    def __init__(self, source: Source, groups: range | None = None) -> None:
        import pyarrow.parquet as pq

        self._parquet = pq
        self._path = source
        try:
            with source.open() as file, self._opened(file) as parquet:
                schema = parquet.schema_arrow
                self._groups = range(parquet.num_row_groups) if groups is None else groups
                read = [parquet.metadata.row_group(n) for n in self._groups]
                before = sum(parquet.metadata.row_group(n).num_rows for n in range(self._groups.start))
                self._ends = np.cumsum([group.num_rows for group in read], dtype=np.int64)
                # A page is unpacked as a whole.
                source.check_unpacked(sum(group.total_byte_size for group in read), _REMEDY)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(source.name, "Parquet", error) from None
        super().__init__(source.name, schema, source)
        self.first_row = before

    def has_rows(self) -> bool:
        return bool(self._ends.any())

    def _opened(self, file: Any) -> "pq.ParquetFile":
        return self._parquet.ParquetFile(file, pre_buffer=False, buffer_size=1 << 20)

    def _read(self, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        with self._path.open() as file, self._opened(file) as parquet:
            chosen = None if columns is None else list(columns)
            yield from parquet.iter_batches(_ROWS, row_groups=list(self._groups), columns=chosen)
            if columns is not None:
                self.unread = unread_columns.of_parquet(parquet.metadata, columns, self._groups)

    def _leave(self, rows: pa.Table, columns: Sequence[str]) -> None:
        """Only those that are asked for are in the rows: the file says what the others hold."""

    def position(self, rows: int) -> int:
        """Bytes of the file that are read when ``rows`` rows are, as if all rows were alike."""
        return self._path.size * rows // int(self._ends[-1])

    def take(self, rows: NDArray[np.int64]) -> Iterator[pa.RecordBatch]:
        """The rows at rising positions, from the row groups that they are in."""
        self._path.check_unchanged()
        cuts = np.searchsorted(rows, self._ends).tolist()
        taken = 0
        try:
            with self._path.open() as file, self._opened(file) as parquet:
                for group, end, cut in zip(self._groups, self._ends.tolist(), cuts, strict=True):
                    if cut > taken:
                        start = end - parquet.metadata.row_group(group).num_rows
                        read = parquet.iter_batches(_ROWS, row_groups=[group])
                        yield from _taken(map(self._settled, read), rows[taken:cut] - start)
                    taken = cut
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: BaseException) -> EntropyLawError:
        return _damaged(self.name, "Parquet", error)


class ArrowTable(Table):
    """A file of the Arrow IPC format: with an index at its end, or a stream."""

    def __init__(self, source: Source) -> None:
        self._path = source
        try:
            with source.open() as file, self._reader(file) as reader:
                schema = reader.schema
        except (pa.ArrowException, OSError) as error:
            raise _damaged(source.name, "Arrow", error) from None
        super().__init__(source.name, schema, source)

    def _reader(self, file: BinaryIO) -> "pa.ipc.RecordBatchFileReader | pa.ipc.RecordBatchStreamReader":
        indexed = file.read(6) == b"ARROW1"
        file.seek(0)
        data = pa.memory_map(self._path.path) if self._path.path else file
        return pa.ipc.open_file(data) if indexed else pa.ipc.open_stream(data)

    def _read(self, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        with self._path.open() as file, self._reader(file) as reader:
            if isinstance(reader, pa.ipc.RecordBatchFileReader):
                yield from map(reader.get_batch, range(reader.num_record_batches))
            else:
                yield from reader

    def _unreadable(self, error: BaseException) -> EntropyLawError:
        return _damaged(self.name, "Arrow", error)


class MemoryTable(Table):
    """A table that somebody holds in memory, as batches."""

    def __init__(self, schema: pa.Schema, held: Sequence[pa.RecordBatch]) -> None:
        super().__init__("the pool", schema)
        self._held = held

    def _read(self, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        return iter(self._held)


class SpooledTable(Table):
    """Batches that come only once, kept in a temporary file."""

    def __init__(self, reader: pa.RecordBatchReader) -> None:
        self._spool = Spool("the pool")
        try:
            with pa.ipc.new_stream(self._spool.file, reader.schema) as writer:
                for batch in reader:
                    writer.write_batch(batch)
        except OSError as error:
            if error.errno is None:
                # Not of the file, but of what gives the batches.
                raise
            raise self._spool.full(error) from None
        self._spool.finish()
        super().__init__("the pool", reader.schema)

    def _read(self, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        with self._spool.open() as file, pa.ipc.open_stream(file) as reader:
            yield from reader


class DatasetTable(Table):
    """A ``datasets.Dataset``, with the selection, order and types that it has."""

    def __init__(self, dataset: Any) -> None:
        if dataset.format["type"] == "custom":
            raise EntropyLawError(
                "the data set has a transform, which rows get only as they are looked at; apply it with map(), or drop "
                "it with reset_format()"
            )
        self._dataset = dataset.with_format("arrow")
        super().__init__("the data set", dataset.features.arrow_schema)

    def _read(self, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        # All columns: they lie in a mapped file, of which those that are not asked for are hardly looked at.
        for table in self._dataset.iter(_ROWS):
            yield from table.to_batches()

    def paths(self) -> list[str]:
        """The files that the data set maps into memory."""
        return [str(file["filename"]) for file in self._dataset.cache_files]

    def take(self, rows: NDArray[np.int64]) -> Iterator[pa.RecordBatch]:
        """The rows at rising positions."""
        for start in range(0, len(rows), _ROWS):
            yield from map(self._settled, self._dataset[rows[start : start + _ROWS].tolist()].to_batches())


def streamed_table(dataset: Any) -> Table | None:
    """A ``datasets.IterableDataset`` in the types of its features, by way of a file: it may come only once.

    None if it does not come in these types: of what has been mapped, ``datasets`` guesses the types batch by batch.
    """
    schema = dataset.features.arrow_schema

    def batches() -> Iterator[pa.RecordBatch]:
        for table in dataset.with_format("arrow").iter(_ROWS):
            yield from table.select(schema.names).cast(schema).to_batches()

    try:
        return SpooledTable(pa.RecordBatchReader.from_batches(schema, batches()))
    except (pa.ArrowException, KeyError):
        return None


def table_of(rows: Any) -> Table:
    """What has ``__arrow_c_stream__``: rows in memory as they lie there, rows that come only once by way of a file.

    Raises
    ------
    EntropyLawError
        If a column has a type that Arrow doesn't know.
    """
    try:
        if isinstance(rows, pa.RecordBatchReader):
            return SpooledTable(rows)
        if isinstance(rows, pa.RecordBatch):
            return MemoryTable(rows.schema, [rows])
        if package_of(rows) in ("pandas", "polars") and hasattr(rows, "columns"):
            table = frame_table(rows)
            return MemoryTable(table.schema, table.to_batches())
        try:
            reader = pa.RecordBatchReader.from_stream(rows)
            held = list(reader) if hasattr(rows, "__len__") else None
        except (pa.ArrowInvalid, TypeError):
            # One column, such as a pandas or polars series.
            column = pa.chunked_array(rows if hasattr(rows, "__arrow_c_stream__") else [pa.array(rows)])
            objects = pa.types.is_struct(column.type)
            table = pa.Table.from_struct_array(column) if objects else pa.table({"text": column})
            return MemoryTable(table.schema, table.to_batches())
        return SpooledTable(reader) if held is None else MemoryTable(reader.schema, held)
    except (pa.ArrowException, TypeError) as error:
        raise EntropyLawError(f"the {type(rows).__name__} can't be read as a table: {reason(error)}") from None


def _with_extensions(schema: pa.Schema) -> pa.Schema:
    """The schema with the extension types that its fields are marked with, if they are known."""
    try:
        known = pa.ipc.read_schema(schema.serialize())
    except (pa.ArrowException, TypeError, ValueError):
        # A mark on a type that can't have it.
        return schema
    pairs = zip(schema, known, strict=True)
    # Reading it again loses types that nobody has registered, and names that don't count.
    keep = (field.type == other.type or holds(field.type, is_extension) for field, other in pairs)
    return pa.schema([known.field(n) if not kept else schema.field(n) for n, kept in enumerate(keep)], schema.metadata)


def _check_column(name: str, field: pa.Field) -> None:
    """Refuses types whose rows can't be had.

    Raises
    ------
    EntropyLawError
        If a column is of one: an object with two members of one name, or what Arrow can't take rows from.
    """

    def twice(kind: pa.DataType) -> bool:
        names = [kind.field(n).name for n in range(kind.num_fields)] if pa.types.is_struct(kind) else []
        return len(names) > len(set(names))

    if holds(field.type, twice):
        raise EntropyLawError(
            f"{name}: column {field.name!r} is {field.type}, which has two members of one name; rename one of them"
        )
    try:
        plain = converted(pa.nulls(1, field.type), takeable(field.type)).take(pa.array([0]))
        converted(plain, field.type)
    except pa.ArrowException:
        raise EntropyLawError(
            f"{name}: column {field.name!r} is {field.type}, which rows can't be taken from; store it in another type"
        ) from None


def _taken(batches: Iterable[pa.RecordBatch], rows: NDArray[np.int64]) -> Iterator[pa.RecordBatch]:
    start = taken = 0
    for batch in batches:
        end = start + batch.num_rows
        cut = int(np.searchsorted(rows, end))
        if cut > taken:
            yield batch.take(pa.array(rows[taken:cut] - start))
        start, taken = end, cut
        if taken == len(rows):
            return


def _damaged(name: str, what: str, error: BaseException) -> EntropyLawError:
    return EntropyLawError(f"{name}: cannot be read as {what}: {reason(error)}; is the file whole?")
