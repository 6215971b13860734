"""The formats of files that hold records, and which of them a file has."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from entropylaw import parameters
from entropylaw.errors import EntropyLawError
from entropylaw.pool.compression import ENDINGS as PACKED
from entropylaw.pool.foreign import check_text, foreign
from entropylaw.pool.source import Source

if TYPE_CHECKING:
    from entropylaw.pool.tables import Table
from entropylaw.storage.urls import ending_part

Format = Literal["json", "csv", "tsv", "parquet", "arrow"]


@dataclass(frozen=True)
class Kind:
    """A format of files that hold records. What each writes is in ``row_files``."""

    title: str
    endings: tuple[str, ...]
    """Ends of names."""
    written: tuple[str, ...]
    """Those of ``endings`` that outputs may have: fewer, because what takes a name by its end has to know it."""
    begins: tuple[bytes, ...] = ()
    """What its files begin with. A format whose files begin with anything is told by ``--format`` or their names."""
    rows: "Callable[[Source], Table] | None" = None
    """The table that a file is; None where records are not rows."""
    is_text: bool = True
    """Whether a file without anything in it is one without records, and may be compressed as a whole."""


def _parquet(source: Source) -> "Table":
    from entropylaw.pool.tables import ParquetTable

    return ParquetTable(source)


def _arrow(source: Source) -> "Table":
    from entropylaw.pool.tables import ArrowTable

    return ArrowTable(source)


def _csv(delimiter: str) -> "Callable[[Source], Table]":
    def rows(source: Source) -> "Table":
        from entropylaw.pool.csv_table import CsvTable

        return CsvTable(source, delimiter)

    return rows


KINDS: Mapping[Format, Kind] = {
    "json": Kind("JSON", (".json", ".jsonl", ".ndjson", ".jsonlines", ".jl"), (".json", ".jsonl", ".ndjson")),
    "parquet": Kind("Parquet", (".parquet", ".pq"), (".parquet",), (b"PAR1",), _parquet, is_text=False),
    "arrow": Kind(
        "Arrow",
        (".arrow", ".arrows", ".feather", ".ipc"),
        (".arrow", ".arrows", ".feather", ".ipc"),
        (b"ARROW1", b"\xff\xff\xff\xff"),
        _arrow,
        is_text=False,
    ),
    "csv": Kind("CSV", (".csv",), (".csv",), rows=_csv(",")),
    "tsv": Kind("TSV", (".tsv",), (".tsv",), rows=_csv("\t")),
}
"""The formats by name."""

FORMATS: tuple[Format, ...] = get_args(Format)
ENDINGS: Mapping[str, Format] = {ending: name for name, kind in KINDS.items() for ending in kind.endings}
WRITTEN: Mapping[str, Format] = {ending: name for name, kind in KINDS.items() for ending in kind.written}


def named_format(path: str | os.PathLike[str]) -> Format | None:
    """The format that a file has by its name; None if the name doesn't tell."""
    name = ending_part(path).lower()
    for packed in PACKED:
        name = name.removesuffix(packed)
    return next((kind for ending, kind in ENDINGS.items() if name.endswith(ending)), None)


def title(kind: Format) -> str:
    """What a format is called."""
    return KINDS[kind].title


def check_format(given: Any) -> None:
    """Raises EntropyLawError if there is no format of this name."""
    if given is not None:
        parameters.named("format", given, FORMATS)


def format_of(source: Source, given: Format | None = None) -> Format:
    """The format that a file has by what it holds; CSV and TSV by ``given`` or its name, because they look like
    anything.

    Raises
    ------
    EntropyLawError
        If it is not what ``given`` or its name says, or nothing that is read here.
    """
    named = given or named_format(source.name)
    head = source.head()
    held = next((name for name, kind in KINDS.items() if kind.begins and head.startswith(kind.begins)), None)
    if held is not None:
        if given not in (None, held):
            raise EntropyLawError(
                f"{source.name}: is {title(held)}, not {title(given)}; leave out the format (format=, --format)"
            )
        return held
    if (found := foreign(head)) is not None:
        what, remedy = found
        raise EntropyLawError(f"{source.name}: {what}; {remedy}")
    if named is not None and not KINDS[named].is_text:
        packed = not source.is_plain()
        if packed:
            check_text(source.name, next(source.chunks(), b""))
        found_ = "is compressed as a whole; unpack it" if packed else f"begins with {head[:6]!r}"
        raise EntropyLawError(f"{source.name}: is not a file of {title(named)}: it {found_}")
    return named or "json"
