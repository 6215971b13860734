"""What is where a path of the user leads.

A path that leads nowhere, for whatever reason, is no file and no directory here: whoever opens it says why.
"""

import os
import stat
from pathlib import Path

from entropylaw.storage.urls import is_url, joined


def stat_of(path: str | os.PathLike[str]) -> os.stat_result | None:
    """What the system says of a file or directory, through links; None where there is none, or none can be seen."""
    try:
        return Path(path).stat()
    except (OSError, ValueError):
        return None


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether it is a regular file."""
    found = stat_of(path)
    return found is not None and stat.S_ISREG(found.st_mode)


def is_directory(path: str | os.PathLike[str]) -> bool:
    """Whether it is a directory."""
    found = stat_of(path)
    return found is not None and stat.S_ISDIR(found.st_mode)


def beside(path: str | os.PathLike[str], name: str) -> str:
    """The file called ``name`` in the directory of a file, or of the object that a URL names."""
    where = os.fspath(path)
    return joined(where, name) if is_url(where) else str(Path(where).parent / name)
