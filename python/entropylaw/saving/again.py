"""Holding records that are written again to those that a manifest says were written."""

import hashlib
from collections.abc import Callable, Sequence
from typing import IO

from entropylaw.errors import EntropyLawError
from entropylaw.runs.manifest import Manifest
from entropylaw.saving import tables
from entropylaw.saving.endings import is_array

_CHUNK = 1 << 20


def _form(name: str) -> tuple[str, bool] | None:
    """In which form a file of that name holds records or positions; None if equal ones may make other files."""
    return (tables.format_of(name) or "json", is_array(name)) if tables.is_text(name) else None


def cut_hashes(file: IO[bytes], sizes: Sequence[int]) -> list[str]:
    """The hashes of what is in a file, cut into pieces of these sizes; one more if that is not all."""
    file.seek(0)
    found = []
    for size in sizes:
        digest, left = hashlib.sha256(), size
        while left and (part := file.read(min(left, _CHUNK))):
            digest.update(part)
            left -= len(part)
        found.append(digest.hexdigest())
    return found + ["more"] * bool(file.read(1))


def compare(path: str, written: Callable[[], list[str]], like: Manifest) -> None:
    """Compares the hashes of files of records, named like ``path``, if those of then and these are text in one form.

    Raises
    ------
    EntropyLawError
        If they differ.
    """
    wanted = like.content.output.files
    form = _form(path)
    if form is None or any(_form(file.name) != form for file in wanted):
        return
    if [file.sha256 for file in wanted] != written():
        raise EntropyLawError(
            f"the picks are those of {like.path}, but their records are not: something in them has changed that is not "
            "part of the samples, or how they are stored (a pool in another format, other white space); nothing was "
            "written"
        )
