"""The NumPy archive beside a manifest, read without trust: no array is, before its header says what it will take."""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from entropylaw.errors import EntropyLawError
from entropylaw.storage.objects import local_copy, located
from entropylaw.storage.urls import is_url, shown
from entropylaw.untrusted import brief

_SUFFIX = ".npy"


class Expected(NamedTuple):
    """An array that an archive has to hold."""

    dtype: str
    """As NumPy writes it; ``<U`` for text of any length."""
    length: int


class _MisfitError(Exception):
    """Why an archive is not as expected."""


def read_arrays(path: str, size: int, sha256: str, expected: Mapping[str, Expected]) -> dict[str, NDArray[Any]]:
    """The ``expected`` arrays of the archive at ``path``, which has ``size`` bytes and the hash ``sha256``.

    Others are left alone. Members are stored as they are, not compressed, so that none is larger than the file.

    Raises
    ------
    EntropyLawError
        If it can't be read, is another file, or an array is missing or of another type or length.
    """
    where = shown(path)
    try:
        _check_size(path, size)
        with local_copy(path) as copy, copy.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                raise EntropyLawError(f"{where}: is not the file that the manifest was written with: its hash differs")
            file.seek(0)
            with zipfile.ZipFile(file) as archive:
                return {name: _array(archive, size, name, array) for name, array in expected.items()}
    except EntropyLawError:
        raise
    except OSError as error:
        raise EntropyLawError(
            f"{where}: cannot be read: {error.strerror or error}; it goes with the manifest"
        ) from None
    except _MisfitError as error:
        raise EntropyLawError(f"{where}: does not fit the manifest: {brief(str(error))}") from None
    except MemoryError:
        raise EntropyLawError(f"{where}: does not fit into memory") from None
    except (ValueError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile) as error:
        raise EntropyLawError(f"{where}: is not a NumPy archive: {brief(str(error))}") from None


def _check_size(path: str, size: int) -> None:
    """Finds out that it is another file before any of it is read, or copied from storage."""
    if is_url(path):
        found = located(path).version().size
    else:
        if Path(path).exists() and not Path(path).is_file():
            raise EntropyLawError(f"{path}: is not a regular file; it goes with the manifest")
        found = Path(path).stat().st_size
    if found not in (None, size):
        raise EntropyLawError(
            f"{shown(path)}: is not the file that the manifest was written with: it has {found:,} bytes, not {size:,}"
        )


def _array(archive: zipfile.ZipFile, archive_size: int, name: str, expected: Expected) -> NDArray[Any]:
    try:
        member = archive.getinfo(name + _SUFFIX)
    except KeyError:
        raise _MisfitError(f"it has no array {name!r}") from None
    if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
        raise _MisfitError(f"its array {name!r} is compressed, as none that we write is")
    with archive.open(member) as file:
        shape, dtype = _header(file)
        wanted = expected.dtype
        if not (dtype.str == wanted or (wanted == "<U" and dtype.kind == "U")) or shape != (expected.length,):
            raise _MisfitError(
                f"its array {name!r} is of {dtype}, shape {shape}; it should be of {np.dtype(wanted)}, shape "
                f"({expected.length},)"
            )
        size = expected.length * dtype.itemsize
        if size > min(member.file_size, archive_size) - file.tell():
            raise _MisfitError(f"its array {name!r} is cut off")
        return np.frombuffer(bytearray(file.read(size)), dtype=dtype) if size else np.zeros(expected.length, dtype)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(file)
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
    if read is None:
        raise _MisfitError(f"an array in it has version {version}, as none that we write has")
    shape, _, dtype = read(file)
    return shape, dtype
