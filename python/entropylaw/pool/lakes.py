"""Directories that are tables: in which a log says which files count, or the names of directories are values."""

import logging
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import PurePosixPath

from entropylaw.errors import EntropyLawError
from entropylaw.pool.formats import named_format

_LOGS = {
    "_delta_log": ("a Delta table", "deltalake"),
    ".hoodie": ("a Hudi table", "hudi, or Spark"),
}
"""What lies in a directory whose files don't all count: what that is, and what reads it."""
_ICEBERG = (".metadata.json", ".metadata.json.gz")


def check_no_table(directory: str, names: Collection[str], read: Callable[[str], bytes]) -> None:
    """Raises EntropyLawError if a directory, in which ``names`` are, belongs to a table whose log says which files
    count: others are of older versions, or deleted. ``read`` gives what a file in the directory holds."""
    for log, (what, reader) in _LOGS.items():
        if log in names:
            raise _table(directory, what, reader)
    above, last = os.path.split(directory.rstrip("/" + os.sep))
    if last == "metadata" and (found := sorted(name for name in names if name.endswith(_ICEBERG))):
        try:
            told = b"format-version" in read(found[-1]) or ".gz" in found[-1]
        except OSError:
            told = False
        if told:
            raise _table(above or ".", "an Iceberg table", "pyiceberg")


def _table(directory: str, what: str, reader: str) -> EntropyLawError:
    return EntropyLawError(
        f"{directory}: is {what}, whose log says which of its files count; read it with {reader}, and give the table"
    )


def values_noted(name: str, files: Iterable[str], *, inside: bool) -> Iterator[tuple[int, str]]:
    """A note if directories of the files are called like ``source=web``, as Spark, pandas and others write a column by
    whose values they cut a table: the files lack it.

    With ``inside``, the files are named from the directory ``name`` on. Otherwise they were named one by one, and what
    is the same for all of them is where they lie, and no column.
    """
    values: dict[str, set[str]] = {}
    formats = set()
    for file in files:
        formats.add(named_format(file))
        for part in PurePosixPath(file.replace(os.sep, "/")).parts[:-1]:
            column, equal, value = part.partition("=")
            if equal and column:
                values.setdefault(column, set()).add(value)
    if columns := [column for column, found in values.items() if inside or len(found) > 1]:
        example = f"{columns[0]}={min(values[columns[0]])}"
        kind = formats.pop() if len(formats) == 1 else None
        # Parquet is what it takes files for if nothing is said.
        how = f", format={kind!r}" if kind in ("json", "csv", "arrow") else ""
        yield (
            logging.WARNING,
            f"{name}: has directories for the values of {', '.join(map(repr, columns))}, such as {example!r}; they are "
            "not read into the records: if the files lack them, give "
            f"pyarrow.dataset.dataset(DIR, partitioning='hive'{how}) in Python",
        )
