"""From whatever a user calls a pool to a :class:`Pool`."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from entropylaw import parameters
from entropylaw.errors import EntropyLawError
from entropylaw.places import is_directory
from entropylaw.pool.arena import MEMORY, memory_limit
from entropylaw.pool.arrow import need_arrow
from entropylaw.pool.builder import Builder
from entropylaw.pool.columns import USUAL_GROUP, Columns
from entropylaw.pool.containers import Rows, in_arrow, package_of
from entropylaw.pool.encode import in_json_types
from entropylaw.pool.formats import KINDS, Format, check_format, format_of, named_format
from entropylaw.pool.json_files import read_json
from entropylaw.pool.layouts import BOM
from entropylaw.pool.lines import LineRecords
from entropylaw.pool.mistaken import check_no_names, check_no_open_file
from entropylaw.pool.model import Pool
from entropylaw.pool.paths import expanded
from entropylaw.pool.reading import Report
from entropylaw.pool.records import ObjectRecords, json_line
from entropylaw.pool.render import Renderer
from entropylaw.pool.schema import RecordError, Render
from entropylaw.pool.source import Source
from entropylaw.pool.spool import Spool
from entropylaw.pool.staging import opened
from entropylaw.storage.options import takes_storage_options

if TYPE_CHECKING:
    from entropylaw.pool.tables import Table


class SupportsArrow(Protocol):
    """What gives its rows by the Arrow C stream interface."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


PoolLike = (
    str
    | os.PathLike[str]
    | Sequence[str | os.PathLike[str]]
    | Iterable[bytes]
    | Iterable[str]
    | Iterable[Mapping[str, Any]]
    | SupportsArrow
    | Rows
)
"""A path, a list of paths, texts (str or bytes) or records (dict), a table, or one split of a ``datasets.DatasetDict``.

A path is a file, a pattern such as ``shards/*.parquet``, or a directory, which stands for the data files in it; or the
URL of one of these, such as ``s3://bucket/shards/*.parquet``, with the extra ``entropylaw[storage]``. A list of str is
a list of paths if each of them ends like a data file (``.jsonl``, ``.parquet``, ``.csv.gz``), and a list of texts
otherwise; one that holds other names of files, and an open file, are refused. A table is whatever has
``__arrow_c_stream__``: a frame of pandas, polars, Daft or PySpark, a relation of DuckDB, a ``pyarrow.Table``; or what
can be asked for one: a data set or scanner of pyarrow or Lance, a lazy frame.
Iterables that can be read only once are kept in a temporary file.
"""

OnError = Literal["raise", "skip"]


@takes_storage_options
def load(
    pool: PoolLike | Pool,
    *,
    render: Render = "text",
    schema: str | None = None,
    field: str | None = None,
    on_error: OnError = "raise",
    group_by: str = "source",
    format: Format | None = None,
    numbers: Sequence[str] = (),
    paths: bool = False,
    memory: int | str = MEMORY,
    storage_options: Mapping[str, Any] | None = None,
    threads: int | None = None,
    progress: Callable[[Any], object] | None = None,
) -> Pool:
    """Reads and renders a pool.

    Parameters
    ----------
    pool
        See ``PoolLike``. A ``Pool`` is returned as it is, and so must have been read as the other options say.
    render, schema, field
        See ``Renderer``.
    on_error : {"raise", "skip"}
        What to do about a record that can't be parsed or rendered. ``Pool.skipped`` lists those that were skipped.
    group_by
        The field that names a record's group (``a.b`` for one inside another).
    format : {"json", "csv", "tsv", "parquet", "arrow"}, optional
        The format of the pool's files, whatever their names; of a directory, only files of this format are read. By
        default CSV and TSV are told by their names, the others by what they hold.
    numbers
        Fields that hold a number in every record, for ``Pool.numbers``.
    paths
        Take every str for a path, whatever it ends like.
    memory : int or str
        Bytes of samples that are held in memory, such as ``"2GB"``; if there are more, all lie in a temporary file that
        is mapped into memory.
    storage_options : mapping, optional
        What the storage that URLs name needs to know, as its fsspec file system takes it. An option whose name is a
        protocol holds a mapping of options for that one alone.
    threads : int, optional
        How many to use; by default as many as the process may. The result does not depend on it.
    progress : callable, optional
        Called about 20 times a second, while files are read, with a ``Reading``. What it raises ends the reading.

    Raises
    ------
    EntropyLawError
        If the pool or a record of it can't be used; the message names file and line.
    """
    parameters.reading(
        render=render,
        schema=schema,
        field=field,
        on_error=on_error,
        group_by=group_by,
        threads=threads,
        progress=progress,
    )
    check_format(format)
    if isinstance(pool, Pool):
        given: dict[str, Any] = {
            "render": render,
            "schema": schema,
            "field": field,
            "on_error": on_error,
            "group_by": group_by,
        }
        given["format"] = format
        _check_read(pool, given, memory)
        return pool
    pool = cast(PoolLike, in_arrow(pool))
    renderer = Renderer(render, schema, field)
    options = {
        "render": renderer.given,
        "schema": schema,
        "field": field,
        "on_error": on_error,
        "group_by": group_by,
        "format": format,
    }
    builder = Builder(renderer, options, Columns(group_by, numbers), memory_limit(memory), threads)
    if (files := _paths(pool, paths or format is not None)) is not None:
        found = expanded(files, format)
        found.tell()
        builder.left_out += found.left_out
        sources = opened(found.paths, progress, threads)
        builder.report = Report(progress, sources)
        for source in sources:
            before = len(builder.records)
            skipped = builder.skipped
            read_file(source, format, builder)
            if len(builder.records) == before and builder.skipped == skipped:
                builder.no_records(source.name)
            builder.report.next_file(source)
    elif format is not None:
        raise EntropyLawError("a format is that of files, and the pool is none; leave it out (format=)")
    elif (table := _table(pool)) is not None:
        from entropylaw.pool.table_records import read_table

        read_table(table, builder)
    elif isinstance(pool, Sequence):
        _read_objects(pool, builder)
    else:
        _read_stream(cast(Iterable[Any], pool), builder)
    return builder.build()


_USUAL: Mapping[str, Any] = {
    "render": "text",
    "schema": None,
    "field": None,
    "on_error": "raise",
    "group_by": USUAL_GROUP,
    "format": None,
}
"""What is not asked for in particular, so that a pool may have been read otherwise."""


def _check_read(pool: Pool, given: Mapping[str, Any], memory: int | str) -> None:
    """Raises EntropyLawError if a pool was not read as ``given``: it can't be read again."""
    for name, value in given.items():
        read = pool.options.get(name, _USUAL[name])
        if value != _USUAL[name] and value != read:
            raise EntropyLawError(
                f"{name} is {_named(value)}, but the pool was read with {_named(read)}; read it so "
                f"(load(..., {name}=...)), or give what it was read from"
            )
    if memory != MEMORY:
        raise EntropyLawError(f"memory is {memory!r}, but the pool has been read already; give memory= to load")


def _named(value: Any) -> str:
    return getattr(value, "__name__", "a function") if callable(value) else repr(value)


@contextlib.contextmanager
def reading_beside(what: str) -> Iterator[None]:
    """Says of what can't be read what it is, beside the pool: records in memory have no name that tells."""
    try:
        yield
    except EntropyLawError as error:
        said = str(error)
        if said.startswith("the pool is "):
            raise EntropyLawError(said.replace("the pool", f"the {what}", 1)) from None
        raise EntropyLawError(f"the {what}: {said.removeprefix('the pool: ')}") from None


def unless_named(pool: Any, format: Format | None) -> Format | None:
    """``format``, for what is read beside the pool that it was given for; None if that is no files, or a name tells."""
    paths = [pool] if isinstance(pool, str | os.PathLike) else pool
    if format is None or not isinstance(paths, Sequence) or not all(isinstance(p, str | os.PathLike) for p in paths):
        return None
    return None if any(named_format(path) or is_directory(path) for path in paths) else format


def read_file(source: Source, given: Format | None, builder: Builder) -> None:
    """Reads all records of a file, whose format is ``given`` or told by what it holds.

    Raises
    ------
    EntropyLawError
        If the file can't be read, or a record of it.
    """
    kind = KINDS[format_of(source, given) if source.size else "json"]
    if kind.rows is None or (kind.is_text and _is_blank(source)):
        # Nothing is nothing in every format.
        read_json(source, builder)
        return
    need_arrow(f"{source.name}: reading {kind.title}")
    from entropylaw.pool.table_records import read_table

    read_table(kind.rows(source), builder)


def _is_blank(source: Source) -> bool:
    return all(not chunk.removeprefix(BOM).strip() for chunk in source.chunks())


def _read_objects(objects: Sequence[Any], builder: Builder) -> None:
    records = ObjectRecords(objects)
    for index, record in enumerate(objects):
        if _kept(record, index, builder):
            records.add(index)
    builder.records.add(records)


def _read_stream(objects: Iterable[Any], builder: Builder) -> None:
    """Records that come only once, kept in a temporary file as lines of JSON."""
    spool = Spool("the pool")
    source = Source.spooled("the pool", spool)
    records = LineRecords(source, named=False)
    start = 0
    for index, record in enumerate(objects):
        if _kept(record, index, builder):
            line = json_line(record, f"record {index}")
            records.add(index + 1, start, len(line))
            start += spool.write(line + b"\n")
    spool.finish()
    source.remember()
    builder.records.add(records)


def _kept(record: Any, index: int, builder: Builder) -> bool:
    where = f"record {index}"
    if not isinstance(record, str | bytes | bytearray | dict):
        raise EntropyLawError(f"{where}: is {type(record).__name__}; a pool is made of str, bytes or dict")
    try:
        seen = in_json_types(record)
    except RecursionError:
        # Who renders it says so.
        seen = record
    try:
        # A function, and Python's repr, get what was given.
        builder.add(seen if builder.renderer.name in ("text", "template") else record, where, fields=seen)
    except RecordError as error:
        builder.refuse(where, error)
        return False
    return True


def _table(pool: Any) -> "Table | None":
    """The table that a pool in memory is; None if it is made of samples or records."""
    dataset = package_of(pool) == "datasets" and hasattr(pool, "with_format")
    arrow = hasattr(pool, "__arrow_c_stream__") or hasattr(pool, "__arrow_c_array__")
    # A stream of records whose types nobody knows is read record by record.
    streamed = dataset and not hasattr(pool, "__len__") and getattr(pool, "features", None) is not None
    if isinstance(pool, Mapping) or not (arrow or streamed or (dataset and hasattr(pool, "__len__"))):
        return None
    need_arrow(f"reading a {type(pool).__name__}")
    from entropylaw.pool.tables import DatasetTable, streamed_table, table_of

    if streamed:
        return streamed_table(pool)
    return DatasetTable(pool) if dataset else table_of(pool)


def _paths(pool: Any, any_str: bool) -> Sequence[str | os.PathLike[str]] | None:
    """The paths that a pool stands for; None if it is made of samples or records."""
    if isinstance(pool, str | os.PathLike):
        return [parameters.path("the pool", pool)]
    if isinstance(pool, Mapping) and pool and all(hasattr(part, "with_format") for part in pool.values()):
        splits = ", ".join(map(repr, pool))
        raise EntropyLawError(f"the pool has the splits {splits}; give one of them: pool[{next(iter(pool))!r}]")
    if isinstance(pool, bytes | bytearray | Mapping | Set) or not (
        (hasattr(pool, "__iter__") and getattr(pool, "ndim", 1) > 0) or hasattr(pool, "__arrow_c_stream__")
    ):
        # A set has another order in each process.
        raise EntropyLawError(
            f"the pool is {type(pool).__name__}; "
            "it must be a path, a table, or a list of paths, texts or records (dict)"
            + ("; collect() makes it one" if callable(getattr(pool, "collect", None)) else "")
        )
    check_no_open_file(pool)
    if not isinstance(pool, Sequence):
        return None
    if pool and all(
        isinstance(item, os.PathLike) or (isinstance(item, str) and (any_str or named_format(item) is not None))
        for item in pool
    ):
        return pool
    check_no_names(pool)
    return None
