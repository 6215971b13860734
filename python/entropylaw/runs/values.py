"""Values of parameters as JSON can hold them: plain ones as they are, all others as a tagged object.

A tagged object says what it is by its member ``type``, and by hashes what it holds: an array, a file, data that were
read like the pool, or an object of Python, of which nothing is kept but the name.
"""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from entropylaw.controls.tokens import TokenizerFile
from entropylaw.pool import Pool
from entropylaw.untrusted import Strict

Count = Annotated[int, msgspec.Meta(ge=0)]
Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]

_PARAMETER = "parameter_"


class Array(Strict, tag_field="type", tag="array"):
    """An array of one dimension, which lies in the archive beside the manifest."""

    dtype: str
    """As NumPy writes it, little-endian: ``<f8``."""
    length: Count
    sha256: Hash
    """Of its bytes."""


class File(Strict, tag_field="type", tag="file"):
    """A file that was read, such as a tokenizer's."""

    name: str
    bytes: Count
    sha256: Hash
    """Of its bytes."""


class Stored(Strict, omit_defaults=True):
    """A file with records."""

    name: str
    bytes: Count
    etag: str | None = None
    """Of an object in storage: the hash or number that its storage gave to what it held."""
    modified: str | None = None
    """Of an object in storage: the time of its last change, as its storage wrote it."""


class Data(Strict, tag_field="type", tag="data"):
    """Data that were read as the pool was, such as an anchor."""

    files: tuple[Stored, ...]
    """None if they were no files."""
    samples: Count
    bytes: Count
    sha256: Hash
    """Of the samples; see ``Pool.fingerprint``."""


class Object(Strict, tag_field="type", tag="object"):
    """An object of Python, which no file can hold."""

    name: str


def described(pool: Pool) -> dict[str, Any]:
    """A pool's files and fingerprint, as JSON can hold them."""
    files = [source.described() for source in pool.records.files()]
    return {"files": files, **pool.fingerprint._asdict()}


def encoded(value: Any) -> Any:
    """A parameter as JSON can hold it."""
    if isinstance(value, np.generic):
        value = value.item()
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return {str(key): encoded(item) for key, item in value.items()}
        case list() | tuple():
            return [encoded(item) for item in value]
    return msgspec.to_builtins(_tagged(value))


def _tagged(value: Any) -> Array | File | Data | Object:
    if isinstance(value, Pool):
        return msgspec.convert({"type": "data", **described(value)}, Data)
    if isinstance(value, np.ndarray):
        portable = _portable(value)
        return Array(dtype=portable.dtype.str, length=len(portable), sha256=array_hash(portable))
    if isinstance(value, TokenizerFile):
        return File(name=value.name, bytes=value.size, sha256=value.sha256)
    return Object(name=getattr(value, "__qualname__", type(value).__qualname__))


def array_hash(array: NDArray[Any]) -> str:
    """SHA-256 of an array's elements, little-endian."""
    return hashlib.sha256(_portable(array).tobytes()).hexdigest()


def archive_name(parameter: str) -> str:
    """What a parameter that is an array is called in the archive."""
    return _PARAMETER + parameter


def arrays_of(parameters: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """The parameters that are arrays, by their names in the archive."""
    return {archive_name(name): _portable(value) for name, value in parameters.items() if isinstance(value, np.ndarray)}


def _portable(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(array.dtype.newbyteorder("<"), copy=False)
