"""From whatever a user calls a pool to a :class:`Pool`."""

import logging
import os
import time
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from entropylaw.errors import EntropyLawError
from entropylaw.pool.columns import Columns
from entropylaw.pool.model import FileRecords, MemoryRecords, Pool, Records
from entropylaw.pool.render import Renderer
from entropylaw.pool.schema import RecordError, Render
from entropylaw.pool.source import Source
from entropylaw.pool.split import split

PoolLike = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Sequence[bytes] | Sequence[Mapping[str, Any]]
"""A path, a list of paths, a list of texts (str or bytes) or a list of records (dict).

A list of str is a list of paths if each of them ends like a data file (``.json``, ``.jsonl``, ``.ndjson``, also with
``.gz``, ``.zst``, ``.zstd``), and a list of texts otherwise.
"""

OnError = Literal["raise", "skip"]

_DATA_FILES = tuple(
    ending + packed for ending in (".json", ".jsonl", ".ndjson") for packed in ("", ".gz", ".zst", ".zstd")
)
_log = logging.getLogger("entropylaw")


def load(
    pool: PoolLike | Pool,
    *,
    render: Render | Literal["repr"] = "text",
    schema: str | None = None,
    field: str | None = None,
    on_error: OnError = "raise",
    group_by: str = "source",
    numbers: Sequence[str] = (),
    paths: bool = False,
) -> Pool:
    """Reads and renders a pool.

    Parameters
    ----------
    pool
        See ``PoolLike``. A ``Pool`` is returned as it is.
    render, schema, field
        See ``Renderer``.
    on_error : {"raise", "skip"}
        What to do about a record that can't be parsed or rendered. ``Pool.skipped`` lists those that were skipped.
    group_by
        The field that names a record's group (``a.b`` for one inside another).
    numbers
        Fields that hold a number in every record, for ``Pool.numbers``.
    paths
        Take every str for a path, whatever it ends like.

    Raises
    ------
    EntropyLawError
        If the pool or a record of it can't be used; the message names file and line.
    """
    if isinstance(pool, Pool):
        return pool
    if on_error not in ("raise", "skip"):
        raise EntropyLawError(f"on_error is {on_error!r}; it must be 'raise' or 'skip'")
    renderer = Renderer(render, schema, field)
    options = {"render": renderer.name, "schema": schema, "field": field, "on_error": on_error}
    builder = _Builder(renderer, options, Columns(group_by, numbers))
    if (files := _paths(pool, paths)) is not None:
        return _load_files(files, builder)
    return _load_objects(pool, builder)


def _load_files(paths: Sequence[str | os.PathLike[str]], builder: "_Builder") -> Pool:
    sources = [Source(path) for path in paths]
    records = FileRecords(sources)
    for number, source in enumerate(sources):
        for line, start, raw in split(source):
            try:
                builder.add(builder.renderer.parse(raw), f"{source.name}:{line}", raw)
            except RecordError as error:
                builder.refuse(f"{source.name}:{line}", error)
            else:
                records.add(number, line, start, len(raw))
    return builder.build(records)


def _load_objects(objects: Any, builder: "_Builder") -> Pool:
    objects = list(objects)
    records = MemoryRecords(objects)
    for index, record in enumerate(objects):
        where = f"record {index}"
        if not isinstance(record, str | bytes | bytearray | dict):
            raise EntropyLawError(f"{where}: is {type(record).__name__}; a pool is made of str, bytes or dict")
        try:
            builder.add(record, where)
        except RecordError as error:
            builder.refuse(where, error)
        else:
            records.add(index)
    return builder.build(records)


def _paths(pool: Any, any_str: bool) -> Sequence[str | os.PathLike[str]] | None:
    """The paths that a pool stands for; None if it is made of samples or records."""
    if isinstance(pool, str | os.PathLike):
        return [pool]
    if isinstance(pool, bytes | bytearray | Mapping) or not hasattr(pool, "__iter__"):
        raise EntropyLawError(
            f"the pool is {type(pool).__name__}; it must be a path, or a list of paths, texts or records (dict)"
        )
    if not isinstance(pool, Sequence):
        return None
    if pool and all(
        isinstance(item, os.PathLike) or (isinstance(item, str) and (any_str or item.lower().endswith(_DATA_FILES)))
        for item in pool
    ):
        return pool
    return None


class _Builder:
    """Collects samples."""

    def __init__(self, renderer: Renderer, options: Mapping[str, str | None], columns: Columns) -> None:
        self.renderer = renderer
        self._columns = columns
        self._options = options
        self._skip = options["on_error"] == "skip"
        self._began = time.perf_counter()
        self._skipped: list[str] = []
        self._data = bytearray()
        self._ends = array("q", [0])

    def add(self, record: Any, where: str, raw: bytes | None = None) -> None:
        """Renders a record and keeps its sample; raises RecordError if that can't be done."""
        sample = self.renderer.render(record, where, raw)
        self._columns.add(record)
        self._data += sample
        self._ends.append(len(self._data))

    def refuse(self, where: str, error: RecordError) -> None:
        """A record that can't be used."""
        if not self._skip:
            raise EntropyLawError(
                f"{where}: {error}; mend or remove the record, or skip such records (on_error='skip', --on-error skip)"
            ) from None
        self._skipped.append(f"{where}: {error}")

    def build(self, records: Records) -> Pool:
        """The pool."""
        if len(self._ends) == 1:
            names = ", ".join(source.name for source in records.files())
            reason = f"all {len(self._skipped)} records were skipped" if self._skipped else "there are no records"
            raise EntropyLawError(f"{names or 'the pool'}: the pool is empty: {reason}")
        schema = self.renderer.schema.name if self.renderer.schema else ""
        pool = Pool(
            data=np.frombuffer(self._data, dtype=np.uint8),
            offsets=np.frombuffer(self._ends, dtype=np.int64),
            groups=self._columns.groups,
            group_names=self._columns.group_names,
            numbers=self._columns.numbers,
            records=records,
            schema=schema,
            options=self._options,
            skipped=tuple(self._skipped),
            seconds=time.perf_counter() - self._began,
        )
        _log.info("%d samples, %d bytes%s", len(pool), len(pool.data), f", schema {schema}" if schema else "")
        if self._skipped:
            _log.warning("records skipped: %d, the first: %s", len(self._skipped), self._skipped[0])
        if empty := int(np.count_nonzero(pool.lengths() == 0)):
            _log.warning("%d samples are empty; with R = 0 they rank first", empty)
        return pool
