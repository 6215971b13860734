"""Checkpoints: a selection's work recorded in a directory, to go on after whatever ended it.

The directory holds ``checkpoint.json``, which says what is selected from what and how, ``journal``, to which the core
appends each piece of work as soon as it is done, and ``entropylaw.lock``. The first two are written so that a crash at
any moment leaves a checkpoint that can be resumed. Each says in itself that it is ours: a file that does not is
somebody else's, and neither written nor removed.
"""

import contextlib
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from entropylaw import _core
from entropylaw.controls import Candidates
from entropylaw.errors import EntropyLawError
from entropylaw.methods.method import Method
from entropylaw.methods.option import options_of
from entropylaw.output import json_bytes, replacing
from entropylaw.pool.model import Fingerprint
from entropylaw.runs.values import Count, Hash, encoded
from entropylaw.untrusted import Strict, brief, fitted, read_json

_log = logging.getLogger("entropylaw")

_HEADER, _JOURNAL, _LOCK = "checkpoint.json", "journal", "entropylaw.lock"
_FORMAT = 1
_LOCK_HEADER = b"entropylaw lock 1\n"
_ELSEWHERE = "start anew in another directory"


class _Pool(Strict):
    samples: Count
    bytes: Count
    sha256: Hash


class _Budget(Strict):
    unit: str
    amount: Count


class Identity(Strict):
    """What a selection depends on: equal identities, equal selections. What ``checkpoint.json`` holds."""

    checkpoint: int
    """Version of this layout."""
    entropylaw: str
    codec: str
    method: str
    pool: _Pool
    budget: _Budget
    parameters: dict[str, Any]
    fingerprints: dict[str, Hash]
    """Of what the parameters come to: fields that they name may change."""


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
            # Before anything is written into a directory that may be somebody else's.
            _check_ours(path)
            lock = _locked(path / _LOCK)
        except OSError as error:
            raise EntropyLawError(f"{path}: cannot be used for a checkpoint: {error.strerror or error}") from None
        try:
            if not _check_ours(path):
                if resume:
                    _log.info("%s: there is no checkpoint yet; starting", path)
                (path / _JOURNAL).unlink(missing_ok=True)
                with replacing(header, force=True) as file:
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
    """Removes a checkpoint that is not needed any more, and its directory if nothing else is in it.

    Files that are not ours stay, whatever they are called.
    """
    path = Path(directory)
    with contextlib.suppress(OSError, EntropyLawError):
        if not _check_ours(path):
            return
        # The header last: without it the rest is no checkpoint.
        for name in (_JOURNAL, _LOCK, _HEADER):
            (path / name).unlink(missing_ok=True)
        path.rmdir()


def identity(method: Method, candidates: Candidates, fingerprint: Fingerprint | None = None) -> dict[str, Any]:
    """The identity of a selection, as JSON can hold it; see ``Identity``. ``fingerprint``: what tells the pool from
    another one, if it is not the pool's own."""
    parameters = {
        **{option.name: getattr(method, option.name) for option in options_of(type(method))},
        **candidates.pool.options,
        **candidates.parameters,
    }
    return {
        "checkpoint": _FORMAT,
        "entropylaw": _core.__version__,
        "codec": _core.Sizer().codec,
        "method": method.name,
        "pool": (fingerprint or candidates.pool.fingerprint)._asdict(),
        "budget": {"unit": candidates.budget.unit, "amount": candidates.amount},
        "parameters": {name: _nameless(encoded(value)) for name, value in parameters.items()},
        "fingerprints": candidates.fingerprints,
    }


def _nameless(value: Any) -> Any:
    """A parameter without the names of its files: they may be elsewhere when the selection goes on."""
    if isinstance(value, dict) and value.get("type") in ("data", "file"):
        return {key: item for key, item in value.items() if key not in ("files", "name")}
    return value


def _check_ours(directory: Path) -> bool:
    """Whether there is a checkpoint.

    Raises
    ------
    EntropyLawError
        If a file has the name of one of a checkpoint's, and is somebody else's.
    """
    header, journal, lock = (directory / name for name in (_HEADER, _JOURNAL, _LOCK))
    found = os.path.lexists(header)
    if found:
        _read(header)
    # A crash may have kept the beginning of a journal from being written, but not before there was a header.
    for path, beginning, may_be_cut in ((journal, _core.JOURNAL_HEADER, found), (lock, _LOCK_HEADER, True)):
        if os.path.lexists(path) and not _begins_with(path, beginning, may_be_cut):
            raise EntropyLawError(f"{path}: is no file of a checkpoint of entropylaw; name another directory")
    return found


def _begins_with(path: Path, beginning: bytes, may_be_cut: bool) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        content = file.read(len(beginning))
    return content == beginning or (may_be_cut and beginning.startswith(content))


def _read(header: Path) -> dict[str, Any]:
    """What a checkpoint says of its selection."""
    what = "a checkpoint of entropylaw"
    if os.path.lexists(header) and not header.is_file():
        raise EntropyLawError(f"{header}: is not {what}: it is not a regular file; name another directory")
    value = read_json(header, what, "name another directory")
    if not isinstance(value, dict) or "checkpoint" not in value:
        raise EntropyLawError(f"{header}: is not {what}: it has no 'checkpoint'; name another directory")
    if value["checkpoint"] != _FORMAT or isinstance(value["checkpoint"], bool):
        found = brief(repr(value["checkpoint"]))
        raise EntropyLawError(
            f"{header}: is a checkpoint of format {found}, this version reads format {_FORMAT}; {_ELSEWHERE}"
        )
    try:
        fitted(value, Identity)
    except EntropyLawError as error:
        raise EntropyLawError(f"{header}: is a damaged checkpoint: {error}; {_ELSEWHERE}") from None
    return value


def _check(header: Path, identity: Mapping[str, Any]) -> None:
    """Raises EntropyLawError unless the checkpoint is of the selection that ``identity`` says."""
    expected = json.loads(json.dumps(identity))
    if (difference := _difference(_read(header), expected)) is not None:
        where, theirs, ours = map(brief, difference)
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
    # As text, so that 1 is neither 1.0 nor true.
    theirs, ours = json.dumps(found), json.dumps(expected)
    return None if theirs == ours else (where, theirs, ours)


def _locked(path: Path) -> IO[bytes]:
    """The file at ``path``, which no other process can lock as long as it is open."""
    file = path.open("ab")
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:
        # Not everywhere are there such locks.
        pass
    except OSError:
        file.close()
        raise EntropyLawError(f"{path.parent}: another process is using this checkpoint") from None
    if file.tell() < len(_LOCK_HEADER):
        file.truncate(0)
        file.write(_LOCK_HEADER)
        file.flush()
    return file
