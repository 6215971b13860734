"""Which format a file has."""

import os
from typing import Any, Literal, get_args

from entropylaw import parameters
from entropylaw.errors import EntropyLawError
from entropylaw.pool.compression import ENDINGS as PACKED
from entropylaw.pool.foreign import check_text, foreign
from entropylaw.pool.source import Source
from entropylaw.storage.urls import ending_part

Format = Literal["json", "csv", "tsv", "parquet", "arrow"]
FORMATS: tuple[Format, ...] = get_args(Format)

ENDINGS: dict[str, Format] = {
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".jsonlines": "json",
    ".jl": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".csv": "csv",
    ".tsv": "tsv",
}
_TITLES: dict[Format, str] = {"json": "JSON", "csv": "CSV", "tsv": "TSV", "parquet": "Parquet", "arrow": "Arrow"}


def named_format(path: str | os.PathLike[str]) -> Format | None:
    """The format that a file has by its name; None if the name doesn't tell."""
    name = ending_part(path).lower()
    for packed in PACKED:
        name = name.removesuffix(packed)
    return next((kind for ending, kind in ENDINGS.items() if name.endswith(ending)), None)


def title(kind: Format) -> str:
    """What a format is called."""
    return _TITLES[kind]


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
    held: Format | None = None
    if head.startswith(b"PAR1"):
        held = "parquet"
    elif head.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        held = "arrow"
    if held is not None:
        if given not in (None, held):
            raise EntropyLawError(
                f"{source.name}: is {title(held)}, not {title(given)}; leave out the format (format=, --format)"
            )
        return held
    if (found := foreign(head)) is not None:
        what, remedy = found
        raise EntropyLawError(f"{source.name}: {what}; {remedy}")
    if named in ("parquet", "arrow"):
        packed = not source.is_plain()
        if packed:
            check_text(source.name, next(source.chunks(), b""))
        found_ = "is compressed as a whole; unpack it" if packed else f"begins with {head[:6]!r}"
        raise EntropyLawError(f"{source.name}: is not a file of {title(named)}: it {found_}")
    return named or "json"
