"""Checkpoints: a selection's work recorded in a directory, to go on after whatever ended it.

The directory holds ``checkpoint.json``, which says what is selected from what and how, and ``journal``, to which the
core appends each piece of work as soon as it is done. Both are written so that a crash at any moment leaves a
checkpoint that can be resumed.
"""

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np

from entropylaw import _core
from entropylaw.controls import Candidates
from entropylaw.errors import EntropyLawError
from entropylaw.output import json_bytes, replacing
from entropylaw.pool import Pool

_log = logging.getLogger("entropylaw")

_HEADER, _JOURNAL, _LOCK = "checkpoint.json", "journal", "lock"


class Checkpoint:
    """A checkpoint in use by this process alone; use it in a ``with`` block."""

    def __init__(self, directory: Path, lock: IO[bytes]) -> None:
        self.journal = directory / _JOURNAL
        """The file that the core reads and appends to."""
        self._lock = lock

    @classmethod
    def open(cls, directory: str | os.PathLike[str], identity: Mapping[str, Any], resume: bool) -> Self:
        """Opens the checkpoint of the selection that ``identity`` says, made if there is none.

        Raises
        ------
        EntropyLawError
            If there is one and ``resume`` is not set; if it is of another selection, with the first difference; if
            another process uses it; or if it can't be read or written.
        """
        path = Path(directory)
        header = path / _HEADER
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock = _locked(path / _LOCK)
        except OSError as error:
            raise EntropyLawError(f"{path}: cannot be used for a checkpoint: {error.strerror or error}") from None
        try:
            if not header.exists():
                if resume:
                    _log.info("%s: there is no checkpoint yet; starting", path)
                (path / _JOURNAL).unlink(missing_ok=True)
                with replacing(header) as file:
                    file.write(json_bytes(identity))
            elif not resume:
                raise EntropyLawError(
                    f"{path}: holds a checkpoint already; resume it (resume=True, --resume), or name another directory"
                )
            else:
                _check(header, identity)
        except BaseException:
            lock.close()
            raise
        return cls(path, lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self._lock.close()


def remove(directory: str | os.PathLike[str]) -> None:
    """Removes a checkpoint that is not needed any more, and its directory if nothing else is in it."""
    path = Path(directory)
    # The header last: without it the rest is no checkpoint.
    with contextlib.suppress(OSError):
        for name in (_JOURNAL, _LOCK, _HEADER):
            (path / name).unlink(missing_ok=True)
        path.rmdir()


def identity(method: str, options: Any, candidates: Candidates) -> dict[str, Any]:
    """What a selection depends on: equal identities, equal selections."""
    pool = candidates.pool.fingerprint._asdict()
    arrays = (candidates.members, candidates.costs, candidates.groups, candidates.quotas, candidates.weights)
    return {
        "entropylaw": _core.__version__,
        "codec": _core.Sizer().codec,
        "method": method,
        "pool": pool,
        "budget": {"unit": candidates.budget.unit, "amount": candidates.amount},
        "parameters": {
            **{field.name: getattr(options, field.name) for field in fields(options)},
            **candidates.pool.options,
            **{name: _plain(value) for name, value in candidates.parameters.items()},
        },
        # Of what the parameters come to: files that they name may change.
        "candidates": _digest(arrays),
    }


def _plain(value: Any) -> Any:
    """A parameter as JSON can hold it: large or strange ones by what tells them from others."""
    if isinstance(value, Pool):
        return value.fingerprint._asdict()
    if isinstance(value, np.ndarray):
        return {"array": _digest([value])}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return {"array": _digest([np.asarray(value)])} if len(value) > 100 else [_plain(item) for item in value]
    if value is None or isinstance(value, str | int | float):
        return value
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _digest(arrays: Any) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        if array is not None:
            digest.update(f"{array.dtype.str} {array.shape} ".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        digest.update(b";")
    return digest.hexdigest()


def _check(header: Path, identity: Mapping[str, Any]) -> None:
    """Raises EntropyLawError unless the checkpoint is of the selection that ``identity`` says."""
    try:
        found = json.loads(header.read_bytes())
    except (OSError, ValueError) as error:
        raise EntropyLawError(f"{header}: cannot be read: {error}; start anew in another directory") from None
    expected = json.loads(json.dumps(identity))
    if (difference := _difference(found, expected)) is not None:
        where, theirs, ours = difference
        raise EntropyLawError(
            f"{header.parent}: is the checkpoint of another selection: {where} is {theirs} there, and {ours} now; "
            "repeat what it was begun with, or name another directory"
        )


def _difference(found: Any, expected: Any, where: str = "") -> tuple[str, str, str] | None:
    """Where two JSON values differ first, and what they are there."""
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in [*expected, *(key for key in found if key not in expected)]:
            inner = f"{where}.{key}" if where else key
            if difference := _difference(found.get(key), expected.get(key), inner):
                return difference
        return None
    return None if found == expected else (where, json.dumps(found), json.dumps(expected))


def _locked(path: Path) -> IO[bytes]:
    """The file at ``path``, which no other process can lock as long as it is open."""
    file = path.open("ab")
    try:
        import fcntl
    except ImportError:
        # Not everywhere are there such locks.
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise EntropyLawError(f"{path.parent}: another process is using this checkpoint") from None
    return file
