"""What the end of an output's name says: how it is compressed, and its format."""

import os
from pathlib import PurePath

from entropylaw.pool.formats import WRITTEN, Format
from entropylaw.storage.urls import ending_part

PACKED = (".gz", ".zst", ".zstd")
"""Ends of names for what can be compressed as a whole."""


def unpacked(path: str | os.PathLike[str]) -> str:
    """A file's name without the end that stands for a compression."""
    name = ending_part(path)
    return next((name[: -len(end)] for end in PACKED if name.lower().endswith(end)), name)


def ending(path: str | os.PathLike[str]) -> str:
    """The end that stands for a format, such as ``.jsonl``; empty if there is none."""
    return PurePath(unpacked(path)).suffix


def written_format(path: str | os.PathLike[str]) -> Format | None:
    """The format that the ending stands for; None if there is no ending, or it stands for none."""
    return WRITTEN.get(ending(path).lower())


def is_array(path: str | os.PathLike[str]) -> bool:
    """Whether the name stands for one array of JSON, rather than lines of it."""
    return ending(path).lower() == ".json"


def is_packed(path: str | os.PathLike[str]) -> bool:
    """Whether the name stands for a file that is compressed as a whole."""
    return unpacked(path) != ending_part(path)
