"""Manifests: what a run was, in a file that explains it and suffices to repeat it.

A manifest is short, however many samples were picked. What is known of every pick goes to a NumPy archive beside it,
and so do parameters that are arrays.
"""

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entropylaw.errors import EntropyLawError
from entropylaw.pool import Pool

_PARAMETER = "parameter_"


def manifest_path(path: str | os.PathLike[str]) -> str:
    """Where the manifest of an output goes."""
    return f"{os.fspath(path)}.manifest.json"


def picks_path(path: str | os.PathLike[str]) -> str:
    """Where the arrays of an output go."""
    return f"{os.fspath(path)}.picks.npz"


def manifest_hash(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a manifest, and so of the run: of pool, parameters, picks and output by their own hashes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def encoded(value: Any) -> Any:
    """A parameter as JSON can hold it, or what JSON can say of it: arrays and pools by length and hash."""
    if isinstance(value, Pool):
        count, size, digest = value.fingerprint
        files = [{"name": source.name, "bytes": source.size} for source in value.records.files()]
        return {"files": files, "samples": count, "bytes": size, "sha256": digest}
    if isinstance(value, np.ndarray):
        return {"array": len(value)}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): encoded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encoded(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return {"object": getattr(value, "__qualname__", type(value).__qualname__)}


def arrays_of(parameters: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """The parameters that are arrays, by their names in the archive."""
    return {_PARAMETER + name: value for name, value in parameters.items() if isinstance(value, np.ndarray)}


@dataclass(frozen=True)
class Manifest:
    """A manifest that was read."""

    path: Path
    content: Mapping[str, Any]
    """What it says."""
    arrays: Mapping[str, NDArray[Any]]
    """The archive beside it."""

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> "Manifest":
        """Reads a manifest and its archive.

        Raises
        ------
        EntropyLawError
            If one of them is missing, is no such file, or does not belong to the other.
        """
        path = Path(path)
        try:
            content = json.loads(path.read_bytes())
        except OSError as error:
            raise EntropyLawError(f"{path}: cannot be read: {error.strerror or error}") from None
        except (ValueError, RecursionError):
            raise EntropyLawError(f"{path}: is not JSON; name the manifest, {manifest_path('OUT')}") from None
        keys = {"entropylaw": str, "method": str, "parameters": dict, "pool": dict, "output": dict, "picks": dict}
        for key, kind in keys.items():
            if not isinstance(content, dict) or not isinstance(content.get(key), kind):
                raise EntropyLawError(f"{path}: is not a manifest of a selection: it has no {key!r} that fits")
        return cls(path, content, _read_arrays(path.parent / str(content["picks"].get("name")), content["picks"]))

    @property
    def files(self) -> list[Mapping[str, Any]]:
        """The files of the pool: their names and bytes."""
        return list(self.content["pool"].get("files", []))

    def parameters(self) -> dict[str, Any]:
        """The parameters as ``entropylaw.select`` takes them; files as lists of paths.

        Raises
        ------
        EntropyLawError
            If one of them is a Python object, which no file can hold.
        """
        return {name: self._decoded(name, value) for name, value in self.content["parameters"].items()}

    def _decoded(self, name: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._decoded(name, item) for item in value]
        if not isinstance(value, dict):
            return value
        if "array" in value:
            return self.arrays[_PARAMETER + name]
        if "object" in value or ("sha256" in value and not value["files"]):
            raise EntropyLawError(
                f"{self.path}: {name} was an object in Python, which a manifest can't hold; call entropylaw.select"
            )
        if "sha256" in value:
            return [Path(file["name"]) for file in value["files"]]
        return {key: self._decoded(name, item) for key, item in value.items()}


def _read_arrays(path: Path, expected: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != expected.get("sha256"):
                raise EntropyLawError(f"{path}: is not the file that the manifest was written with: its hash differs")
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
    except OSError as error:
        raise EntropyLawError(f"{path}: cannot be read: {error.strerror or error}; it goes with the manifest") from None
    except (ValueError, zipfile.BadZipFile) as error:
        raise EntropyLawError(f"{path}: is not a NumPy archive: {error}") from None
