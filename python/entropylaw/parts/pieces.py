"""Which part of a pool reads what: files one after the other, large ones cut, so that all parts read about as much."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from entropylaw.errors import EntropyLawError
from entropylaw.pool.cut import line_begin
from entropylaw.pool.formats import Format, format_of
from entropylaw.pool.layouts import BOM
from entropylaw.pool.source import HEAD, Source
from entropylaw.storage.objects import located, told_as_json
from entropylaw.storage.urls import is_url

_EDGE = 0.05
"""The share of a part by which it may be larger or smaller for a cut to fall between two files."""
_SMALL = 1 << 16
"""Bytes of a file that is not worth cutting."""


@dataclass(frozen=True)
class Piece:
    """A file, or a part of one."""

    path: str | os.PathLike[str]
    name: str
    """What it is called in messages."""
    lines: tuple[int, int] | None = None
    """The bytes that are read: from where a line begins to before where another does."""
    groups: tuple[int, int] | None = None
    """The row groups that are read: from one to before another."""


@dataclass(frozen=True)
class Listed:
    """A file of the pool."""

    path: str | os.PathLike[str]
    """Where it is, for whoever reads it, whatever the working directory."""
    name: str
    """What it is called in messages and manifests."""
    size: int
    """Bytes, as they are stored."""
    described: Mapping[str, Any]
    """What a manifest says of it."""


def files_of(paths: Sequence[str | os.PathLike[str]]) -> list[Listed]:
    """The files at ``paths``, with their sizes.

    Raises
    ------
    EntropyLawError
        If one is not there, or can be read only once.
    """
    found = []
    for path in paths:
        if is_url(path):
            stored = located(path)
            version = stored.version()
            size = version.size or 0
            told = {"name": stored.shown, "bytes": size, **told_as_json(version)}
            found.append(Listed(path, stored.shown, size, told))
            continue
        if os.fspath(path) == "-" or not (Path(path).is_file() or not Path(path).exists()):
            raise EntropyLawError(
                f"{os.fspath(path)}: can be read only once, and here; parts of a pool are read by several: name a file"
            )
        # Whoever reads it may have another working directory.
        source = Source(path)
        found.append(Listed(str(Path.cwd() / path), source.name, source.size, source.described()))
    return found


def dealt(files: Sequence[Listed], parts: int, format: Format | None = None) -> list[list[Piece]]:
    """What each of so many parts reads: pieces in the order of the files. A part may have none.

    Parameters
    ----------
    files
        In their order.
    parts
        How many.
    format
        That of the files, if it was given.
    """
    total = sum(file.size for file in files)
    bounds = [total * number // parts for number in range(1, parts)]
    room = total / parts * _EDGE
    dealt: list[list[Piece]] = [[]]
    before = 0
    for file in files:
        after = before + file.size
        inside: list[int] = []
        # A cut goes before the file, into it, or behind it.
        while len(dealt) + len(inside) - 1 < len(bounds) and bounds[len(dealt) + len(inside) - 1] < after:
            inside.append(bounds[len(dealt) + len(inside) - 1] - before)
        early = sum(1 for at in inside if at <= room and dealt[-1])
        dealt += [[] for _ in range(early)]
        cuts = [at for at in inside[early:] if at < file.size - room]
        late = len(inside) - early - len(cuts)
        pieces = _cut(file, cuts, format) if cuts else [Piece(file.path, file.name)]
        dealt[-1].append(pieces[0])
        dealt += [[piece] for piece in pieces[1:]]
        # Cuts that could not be made leave parts without a piece.
        dealt += [[] for _ in range(len(cuts) + 1 - len(pieces) + late)]
        before = after
    return dealt + [[] for _ in range(parts - len(dealt))]


def _cut(file: Listed, offsets: Sequence[int], format: Format | None) -> list[Piece]:
    """A file as pieces, cut at about these offsets; whole if its kind can't be cut."""
    if is_url(file.path) or file.size < _SMALL:
        return [Piece(file.path, file.name)]
    source = Source(file.path)
    try:
        kind = format_of(source, format)
    except EntropyLawError:
        # Whoever reads it will say so.
        return [Piece(file.path, file.name)]
    if kind == "parquet":
        return _cut_groups(file, offsets)
    head = source.head()
    first = head.removeprefix(BOM).lstrip(b" \t\r\n")
    # An array is read as a whole; and what has no line here may be text of another encoding.
    if kind != "json" or not source.is_plain() or first[:1] not in (b"{", b'"') or len(head) < HEAD:
        return [Piece(file.path, file.name)]
    bounds = [0, *(line_begin(str(file.path), at) for at in offsets), file.size]
    return [Piece(file.path, file.name, lines=(low, high)) for low, high in pairwise(bounds)]


def _cut_groups(file: Listed, offsets: Sequence[int]) -> list[Piece]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.ParquetFile(file.path).metadata
    except (pa.ArrowException, OSError):
        return [Piece(file.path, file.name)]
    sizes = [metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups)]
    whole, at, bounds = sum(sizes) or 1, 0, [0]
    for offset in offsets:
        wanted = whole * offset / file.size
        while at < len(sizes) and sum(sizes[:at]) + sizes[at] / 2 < wanted:
            at += 1
        bounds.append(at)
    bounds.append(len(sizes))
    return [Piece(file.path, file.name, groups=(low, high)) for low, high in pairwise(bounds)]
