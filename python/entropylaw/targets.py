"""The rule about files of the user: what a run writes, replaces or removes is nothing that it reads, and no two of its
targets are one.

Files are compared by what they are, not by their names: through symbolic and hard links, and where a name leads that no
file has yet. Objects in storage are compared by their URLs, however these are written. Every command asks before it
reads anything, and writers ask again, with what was read in fact.
"""

import os
import stat
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from entropylaw.errors import EntropyLawError
from entropylaw.places import is_file, stat_of
from entropylaw.storage.urls import is_url, normalised, shown

if TYPE_CHECKING:
    from entropylaw.pool import Pool

STANDARD = "-"
"""Standard input or output, where a file is named."""

Identity = tuple[int, int, str]
"""Device and inode of a file; or of the directory that it would be in, and its name; or nothing, and a URL."""


class File(NamedTuple):
    """A file that a run reads or writes."""

    path: str
    what: str
    """What it is to the run, for people: ``a file of the pool``, ``the report``."""


def check_targets(targets: Iterable[File], inputs: Iterable[File] = (), checkpoint: str | None = None) -> None:
    """Finds out before the work whether it would touch what it reads, or write two things to one place.

    Parameters
    ----------
    targets
        Files that will be written, replaced or removed.
    inputs
        Files that are read.
    checkpoint
        A directory in which none of either may be.

    Raises
    ------
    EntropyLawError
        If so; with the name of the target, what else it is, and under which name.
    """
    targets, inputs = list(targets), list(inputs)
    read: dict[Identity, File] = {}
    for file in inputs:
        if (identity := identity_of(file.path, sys.__stdin__)) is not None:
            read.setdefault(identity, file)
    written: dict[Identity, File] = {}
    for file in targets:
        if (identity := identity_of(file.path, sys.__stdout__)) is None:
            continue
        if (other := read.get(identity)) is not None:
            raise EntropyLawError(f"{_name(file)}: is {_also(other, file)}; name another file for {file.what}")
        if (other := written.setdefault(identity, file)) is not file:
            raise EntropyLawError(
                f"{_name(file)}: {_also(other, file, ',')} would go there too; name another file for {file.what}"
            )
    if checkpoint is not None:
        _check_directory(checkpoint, [file for file in [*inputs, *targets] if file.path != STANDARD])


def _check_directory(checkpoint: str, files: Iterable[File]) -> None:
    if is_url(checkpoint):
        raise EntropyLawError(
            f"{shown(checkpoint)}: a checkpoint is locked and appended to, which storage can't do; name a local one"
        )
    directory, above = _identity(checkpoint), set(_places(checkpoint))
    for file in files:
        if directory is not None and directory in _places(file.path):
            relation = "is" if directory == _identity(file.path) else "holds"
        elif _identity(file.path) in above:
            relation = "would lie in"
        else:
            continue
        raise EntropyLawError(
            f"{checkpoint}: the directory of the checkpoint {relation} {file.path}, {file.what}; name one for the "
            "checkpoint alone"
        )


def check_name(path: str | os.PathLike[str]) -> None:
    """Refuses ``-`` as the name of a file to write, where standard output is not what it stands for.

    Raises
    ------
    EntropyLawError
        If it is that.
    """
    if os.fspath(path) == STANDARD:
        raise EntropyLawError(
            "-: this can't go to standard output, only records (`select`, `replay`) and scores can; name a file"
        )


def identity_of(path: str, standard: Any = None) -> Identity | None:
    """What the file at ``path`` is; None for what is no file, such as a terminal or a pipe.

    ``standard`` is the stream that ``-`` stands for.
    """
    if path == STANDARD:
        try:
            found = os.fstat(standard.fileno())
        except (AttributeError, OSError, ValueError):
            return None
        return (found.st_dev, found.st_ino, "") if stat.S_ISREG(found.st_mode) else None
    known = None if is_url(path) else stat_of(path)
    return None if known is not None and not stat.S_ISREG(known.st_mode) else _identity(path)


def files_of(pool: "Pool", what: str) -> Iterator[File]:
    """The files that a pool was read from."""
    for path in pool.records.paths():
        yield File(path, what)


def files_behind(pool: "Pool", parameters: Mapping[str, Any]) -> Iterator[File]:
    """The files that a selection is made from: of its pool, and what its parameters name."""
    from entropylaw.pool import Pool

    yield from files_of(pool, "a file of the pool")
    for name in ("anchor", "target", "benchmark"):
        if isinstance(beside := parameters.get(name), Pool):
            yield from files_of(beside, f"a file of the {name}")
    tokens = parameters.get("tokens")
    if isinstance(tokens, str | os.PathLike) and (is_url(tokens) or is_file(tokens)):
        yield File(os.fspath(tokens), "the tokenizer")


def _name(file: File) -> str:
    return "standard output" if file.path == STANDARD else shown(file.path)


def _also(other: File, file: File, end: str = "") -> str:
    """What else the file is, and its name there if that is another one."""
    return other.what if other.path in (file.path, STANDARD) else f"{other.what}, {shown(other.path)}{end}"


def _identity(path: str) -> Identity | None:
    """What a file or directory is, or would be; None if the directory that it would be in is missing too."""
    if is_url(path):
        return 0, 0, normalised(path)
    if (found := stat_of(path)) is not None:
        return found.st_dev, found.st_ino, ""
    directory, name = os.path.split(_real(path))
    if (parent := stat_of(directory)) is None:
        return None
    # Where case or the form of accents don't count, two names that differ in nothing else are one.
    return parent.st_dev, parent.st_ino, unicodedata.normalize("NFC", name).casefold()


def _places(path: str) -> Iterator[Identity]:
    """What a file or directory is, and the directories that it is in."""
    if is_url(path):
        return
    real = Path(_real(path))
    for place in (real, *real.parents):
        if (found := _identity(str(place))) is not None:
            yield found


def _real(path: str) -> str:
    return path if "\0" in path else os.path.realpath(path)
