"""Which format a file has, and which files a pool's paths stand for."""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from entropylaw.errors import EntropyLawError
from entropylaw.pool.source import Source

Format = Literal["json", "parquet", "arrow", "csv", "tsv"]

_ENDINGS: dict[str, Format] = {
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".csv": "csv",
    ".tsv": "tsv",
}
_PACKED = (".gz", ".zst", ".zstd")
_NO_DATA = (".manifest.json", "dataset_info.json")
"""Ends of the names of files that lie beside data and are none."""


def named_format(path: str | os.PathLike[str]) -> Format | None:
    """The format that a file has by its name; None if the name doesn't tell."""
    name = os.fspath(path).lower()
    for packed in _PACKED:
        name = name.removesuffix(packed)
    return next((kind for ending, kind in _ENDINGS.items() if name.endswith(ending)), None)


def format_of(source: Source) -> Format:
    """The format that a file has by what it holds; CSV and TSV by its name, because they look like anything.

    Raises
    ------
    EntropyLawError
        If it is not what its name says, or a format of this kind that is packed once more.
    """
    named = named_format(source.name)
    with source.open() as file:
        magic = file.read(6)
    if magic.startswith(b"PAR1"):
        return "parquet"
    if magic == b"ARROW1" or magic.startswith(b"\xff\xff\xff\xff"):
        return "arrow"
    if magic.startswith(b"FEA1"):
        raise EntropyLawError(f"{source.name}: is Feather version 1; write it again as Feather version 2 or Parquet")
    if named in ("parquet", "arrow"):
        found = "is compressed as a whole; unpack it" if not source.is_plain() else f"begins with {magic!r}"
        raise EntropyLawError(f"{source.name}: is not a file of {named.capitalize()}: it {found}")
    return named or "json"


def expanded(paths: Iterable[str | os.PathLike[str]]) -> Iterator[str | os.PathLike[str]]:
    """The files that paths, patterns and directories stand for, in the order given; within each sorted by name.

    Raises
    ------
    EntropyLawError
        If a pattern or directory stands for none, or a directory for files of several formats.
    """
    for path in paths:
        name = os.fspath(path)
        if Path(name).is_dir():
            yield from _inside(name)
        elif glob.has_magic(name) and not Path(name).exists():
            matches = glob.glob(name, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute patterns
            found = sorted(match for match in matches if Path(match).is_file())
            if not found:
                raise EntropyLawError(f"{name}: no file matches")
            yield from found
        else:
            yield path


def _inside(directory: str) -> list[str]:
    found: dict[str, list[str]] = {}
    for path in sorted(Path(directory).rglob("*")):
        hidden = any(part.startswith((".", "_")) for part in path.relative_to(directory).parts)
        if (kind := named_format(path)) and not hidden and path.is_file() and not path.name.endswith(_NO_DATA):
            found.setdefault(kind, []).append(str(path))
    if not found:
        raise EntropyLawError(f"{directory}: the directory holds no data files ({', '.join(_ENDINGS)})")
    if len(found) > 1:
        example = f"{directory.rstrip('/')}/*{Path(max(found.values(), key=len)[0]).suffix}"
        kinds = " and ".join(f"{len(files)} of {kind}" for kind, files in found.items())
        raise EntropyLawError(
            f"{directory}: the directory holds files of several formats: {kinds}; name some: {example}"
        )
    return next(iter(found.values()))
