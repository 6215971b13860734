"""Manifests: what a run was, in a file that explains it and suffices to repeat it.

A manifest is short, however many samples were picked. What is known of every pick goes to a NumPy archive beside it,
and so do parameters that are arrays. Anybody may have written a manifest: what is read is typed, its parameters are on
a white list, and the only file that is joined to its directory is the archive.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from entropylaw.errors import EntropyLawError
from entropylaw.places import beside, is_file
from entropylaw.pool.template import is_template
from entropylaw.runs.archive import Expected, read_arrays
from entropylaw.runs.layout import FORMAT, Content, Parameters, parameters_type
from entropylaw.runs.values import Array, Object, archive_name, array_hash
from entropylaw.storage.objects import read_bytes
from entropylaw.storage.urls import is_url, shown
from entropylaw.untrusted import brief, fitted, read_json

_RENDERINGS = ("text", "json", "repr")
_REMEDY = "name the manifest, OUT.manifest.json"
_ARRAYS = {"group_by": "<U", "weight": "<f8", "tokens": "<f8", "anchor": "<i8"}
"""The parameters that may be arrays, and of what: a value for each sample, or positions in the pool."""


def manifest_path(path: str | os.PathLike[str]) -> str:
    """Where the manifest of an output goes."""
    return f"{os.fspath(path)}.manifest.json"


def picks_path(path: str | os.PathLike[str]) -> str:
    """Where the arrays of an output go."""
    return f"{os.fspath(path)}.picks.npz"


def manifest_hash(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a manifest, and so of the run: of pool, parameters, picks and output by their own hashes."""
    return hashlib.sha256(read_bytes(path)).hexdigest()


@dataclass(frozen=True)
class Manifest:
    """A manifest that was read."""

    path: str
    """Where it is; a URL without what is secret in it."""
    archive: str
    """The archive beside it, as it can be read."""
    content: Content
    """What it says."""
    parameters: Parameters
    """The parameters of the run; arrays by their hashes."""
    arrays: Mapping[str, NDArray[Any]]
    """Of the archive beside it: ``indices``, and parameters that are arrays, by their names there."""

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> "Manifest":
        """Reads a manifest and its archive.

        Raises
        ------
        EntropyLawError
            If one of them is missing, is no such file, or does not belong to the other.
        """
        given, path = os.fspath(path), shown(path)
        value = read_json(given, "a manifest of a selection", _REMEDY)
        if not isinstance(value, dict) or "manifest" not in value:
            raise EntropyLawError(f"{path}: is not a manifest of a selection: it has no 'manifest'; {_REMEDY}")
        if value["manifest"] != FORMAT or isinstance(value["manifest"], bool):
            found = brief(repr(value["manifest"]))
            raise EntropyLawError(
                f"{path}: is a manifest of format {found}, this version reads format {FORMAT}; select anew"
            )
        try:
            content = fitted(value, Content)
            parameters = fitted(content.parameters, parameters_type(content.method))
            _check(content, parameters)
        except EntropyLawError as error:
            raise EntropyLawError(f"{path}: is not a manifest that can be replayed: {error}") from None
        archive = beside(given, content.picks.name)
        return cls(path, archive, content, parameters, _arrays(path, archive, content, parameters))

    def keywords(self) -> dict[str, Any]:
        """The parameters that were given, as ``entropylaw.select`` takes them; but for data and files.

        Raises
        ------
        EntropyLawError
            If one of them is a Python object, which no file can hold.
        """
        found: dict[str, Any] = {}
        for name, value in msgspec.structs.asdict(self.parameters).items():
            if isinstance(value, Object):
                raise EntropyLawError(
                    f"{self.path}: {name} was an object in Python, which a manifest can't hold; call entropylaw.select"
                )
            if isinstance(value, Array):
                found[name] = self.arrays[archive_name(name)]
            elif value is not None and not isinstance(value, msgspec.Struct):
                found[name] = value
        return found


def _check(content: Content, parameters: Parameters) -> None:
    """Raises EntropyLawError if parts of a manifest don't go together."""
    render = parameters.render
    # Anything else names a file, which a manifest may not have us read.
    if isinstance(render, str) and render not in _RENDERINGS and not is_template(render):
        raise EntropyLawError(f"render is {brief(repr(render))}; it must be 'text', 'json', or the text of a template")
    tokens = parameters.tokens
    if isinstance(tokens, str) and tokens.endswith(".json") and (is_url(tokens) or is_file(tokens)):
        raise EntropyLawError(f"tokens is the field {brief(repr(tokens))}, but there is a file of that name here")
    for name, dtype in _ARRAYS.items():
        value = getattr(parameters, name)
        if not isinstance(value, Array):
            continue
        if not (value.dtype == dtype or (dtype == "<U" and value.dtype.startswith(dtype))):
            raise EntropyLawError(f"{name} is an array of {brief(value.dtype)!r}; it must be of {dtype!r}")
        samples = content.pool.samples
        if value.length > samples or (value.length < samples and name != "anchor"):
            raise EntropyLawError(f"{name} has {value.length:,} values, the pool {samples:,} samples")


def _arrays(path: str, archive: str, content: Content, parameters: Parameters) -> dict[str, NDArray[Any]]:
    picked = content.selection.get("samples")
    if not isinstance(picked, int) or isinstance(picked, bool) or not 0 < picked <= content.pool.samples:
        raise EntropyLawError(
            f"{path}: is not a manifest that can be replayed: it says that {brief(repr(picked))} of "
            f"{content.pool.samples:,} samples were selected"
        )
    given = {name: value for name in _ARRAYS if isinstance(value := getattr(parameters, name), Array)}
    expected = {archive_name(name): Expected(_ARRAYS[name], value.length) for name, value in given.items()}
    expected["indices"] = Expected("<i8", picked)
    arrays = read_arrays(archive, content.picks.bytes, content.picks.sha256, expected)
    for parameter, value in given.items():
        if array_hash(arrays[name := archive_name(parameter)]) != value.sha256:
            raise EntropyLawError(
                f"{shown(archive)}: does not fit the manifest: the hash of its array {name!r} differs"
            )
    indices = arrays["indices"]
    if not (indices.min() >= 0 and indices.max() < content.pool.samples and len(np.unique(indices)) == picked):
        raise EntropyLawError(
            f"{shown(archive)}: does not fit the manifest: its indices are not those of samples, each once"
        )
    return arrays
