"""Files that are uploaded: each whole or not at all, in order, and none of them left behind if one fails.

A partial object never has its final name. Where a storage has an object only when all of it has arrived (``s3://``,
``gs://``, ``az://``), it is put there at once, unless something is replaced; a commit of the hub is one as well.
Elsewhere a file grows where it is written: there it gets a name that begins with a dot, and is renamed once its size is
right.
"""

import contextlib
import inspect
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from entropylaw.errors import EntropyLawError
from entropylaw.output import placed_files, say_placed, unsay_placed
from entropylaw.output import replacing as replacing_file
from entropylaw.storage.failures import explained
from entropylaw.storage.objects import StoredObject, located
from entropylaw.storage.urls import WEB, check_url, last_part, protocol_of, shown

_WHOLE = ("s3", "gs", "az")
"""Where an object is there when all of it has arrived, and never before."""
_COPIED = ("s3", "gs")
"""Of these, where an object gets another name at once, and whole."""
_PIECE = 1 << 22
_LONGEST_PREFIX = 100
"""Characters of a name that its hidden one begins with."""


def check_target(url: str) -> None:
    """Finds out whether a URL can be that of an output, without asking the storage.

    Raises
    ------
    EntropyLawError
        If it is on the web, or names no object.
    """
    check_url(url)
    if protocol_of(url) in WEB:
        raise EntropyLawError(f"{shown(url)}: the web is only read; name a bucket (s3://, gs://, az://) or a file")
    if not last_part(url):
        raise EntropyLawError(f"{shown(url)}: is a bucket or a directory; name an object in it")


def check_writable(url: str | os.PathLike[str], force: bool) -> None:
    """Finds out before the work whether its result can go to ``url``, as far as asking tells.

    Raises
    ------
    EntropyLawError
        If there is an object already and ``force`` is not set, or if nothing can be written there.
    """
    check_target(os.fspath(url))
    target = located(url)
    found = target.info("written")
    if found is not None and found.get("type") == "directory":
        raise EntropyLawError(f"{target.shown}: is a directory; name an object in it")
    if found is not None and not force:
        raise _exists(target)
    _probe(target)


@contextlib.contextmanager
def replacing(url: str | os.PathLike[str], force: bool, *, compress: bool = True) -> Iterator[IO[bytes]]:
    """One file that is uploaded to ``url`` when the block ends, and is nowhere if it fails."""
    text = os.fspath(url)
    with staging() as directory:
        local = directory / last_part(text)
        with placed_files(), replacing_file(local, False, compress=compress) as file:
            yield file
        upload([(local, text)], force=force)


@contextlib.contextmanager
def staging() -> Iterator[Path]:
    """A directory for files on their way to storage, for the time of the block."""
    with tempfile.TemporaryDirectory(prefix="entropylaw-") as directory:
        yield Path(directory)


def upload(files: Sequence[tuple[Path, str]], *, force: bool, remove: Iterable[str] = ()) -> None:
    """Uploads files to URLs, in order; the objects ``remove`` go before the first of them is there.

    Without ``force``, no object is replaced. If one fails, those before it are removed, except where they replaced
    older ones; what can't be removed either is said to be written. What is replaced or removed is so when all of the
    files have arrived, under names that begin with a dot; only ``az://`` and the hub have no such names.

    Raises
    ------
    EntropyLawError
        If one can't be written.
    """
    uploads = [_Upload(local, located(url)) for local, url in files]
    obsolete = [target for target in map(located, remove) if target.exists("written")]
    try:
        for upload in uploads:
            upload.look(force)
        replaces = bool(obsolete) or any(upload.existed for upload in uploads)
        for upload in uploads:
            upload.arrive(replaces)
        for target in obsolete:
            with explained(target.url, "removed"):
                target.fs.rm_file(target.path)
        for upload in uploads:
            upload.place(force)
    except BaseException:
        for upload in reversed(uploads):
            upload.withdraw()
        raise


class _Upload:
    """A file on its way to an object."""

    def __init__(self, local: Path, target: StoredObject) -> None:
        self._local = local
        self._target = target
        self._protocol = protocol_of(target.url)
        self._hidden: StoredObject | None = None
        self._placed = False
        self.existed = False
        """Whether there was such an object before."""

    def look(self, force: bool) -> None:
        """Asks for an object that would be replaced."""
        self.existed = self._target.exists("written")
        if self.existed and not force:
            raise _exists(self._target)

    def arrive(self, replaces: bool) -> None:
        """Has the file arrive under another name, if it is not to be put in its place at once."""
        at_once = self._protocol == "hf" or self._protocol in _WHOLE
        if at_once and not (replaces and self._protocol in _COPIED):
            return
        fs, url = self._target.fs, self._target.url
        name = f".{last_part(url)[:_LONGEST_PREFIX]}.{secrets.token_hex(6)}.tmp"
        path = f"{self._target.path.rpartition('/')[0]}/{name}"
        self._hidden = StoredObject(url, fs, path)
        with explained(url, "written"):
            if self._protocol in _WHOLE:
                fs.put_file(str(self._local), path)
            else:
                with contextlib.suppress(NotImplementedError, FileExistsError):
                    fs.makedirs(fs._parent(path), exist_ok=True)
                _write(self._local, fs, path)
        self._check_size(self._hidden)

    def place(self, force: bool) -> None:
        """Has the object be there."""
        # Somebody may have been faster.
        if not self.existed and not force and self._target.exists("written"):
            raise _exists(self._target)
        with explained(self._target.url, "written"):
            if self._hidden is not None:
                self._placed = True
                _move(self._hidden, self._target)
            elif self._protocol in _WHOLE:
                _put_at_once(self._local, self._target, force)
            else:
                _write(self._local, self._target.fs, self._target.path)
            self._placed = True
        self._check_size(self._target)
        say_placed(self._target.shown)

    def withdraw(self) -> None:
        """Removes what has arrived, but for what replaced an older object."""
        # Whatever the storage raises now, what was raised first tells more.
        if self._hidden is not None:
            with contextlib.suppress(Exception):
                self._hidden.fs.rm_file(self._hidden.path)
        if self._placed and not self.existed:
            with contextlib.suppress(Exception):
                self._target.fs.rm_file(self._target.path)
                unsay_placed(self._target.shown)

    def _check_size(self, found: StoredObject) -> None:
        """Raises EntropyLawError unless all of the file has arrived."""
        size, written = self._local.stat().st_size, found.version("written").size
        if written not in (None, size):
            raise EntropyLawError(f"{found.shown}: has {written:,} bytes after {size:,} were written; run again")


def _exists(target: StoredObject) -> EntropyLawError:
    return EntropyLawError(f"{target.shown}: the object exists; name another, or replace it (force=True, --force)")


def _put_at_once(local: Path, target: StoredObject, force: bool) -> None:
    put = target.fs.put_file
    takes = inspect.signature(getattr(target.fs, "_put_file", put)).parameters
    # The storage itself refuses to replace an object that somebody has written since we looked.
    only_new: dict[str, Any] = {} if force else {"mode": "create"}
    if "mode" not in takes:
        only_new = {"overwrite": force} if "overwrite" in takes else {}
    try:
        put(str(local), target.path, **only_new)
    except NotImplementedError:
        put(str(local), target.path)
    except OSError as error:
        # Not every storage that speaks the protocol knows how.
        if "mode" not in only_new or "NotImplemented" not in str(error) + type(error).__name__:
            raise
        put(str(local), target.path)


def _move(hidden: StoredObject, target: StoredObject) -> None:
    """Renames an object; where that is to copy and to remove, without taking its name for a pattern."""
    from fsspec.spec import AbstractFileSystem

    if type(target.fs).mv is not AbstractFileSystem.mv:
        target.fs.mv(hidden.path, target.path)
        return
    target.fs.cp_file(hidden.path, target.path)
    # What has been copied is there, with the other name or without it.
    with contextlib.suppress(Exception):
        target.fs.rm_file(hidden.path)


def _write(local: Path, fs: Any, path: str) -> None:
    """Writes a file by opening it, and not at all if that fails: what is closed counts as written."""
    file = fs.open(path, "wb")
    try:
        with local.open("rb") as content:
            while piece := content.read(_PIECE):
                file.write(piece)
    except BaseException:
        with contextlib.suppress(Exception):
            file.discard()
        with contextlib.suppress(Exception):
            # What fsspec's files ask before they upload what they hold.
            file.closed = True
        raise
    file.close()


def _probe(target: StoredObject) -> None:
    """Finds out whether an object could be written, without writing any: of S3, by an upload that is not completed."""
    if protocol_of(target.url) != "s3":
        return
    with explained(target.url, "written"):
        bucket, key, _ = target.fs.split_path(target.path)
        begun = target.fs.call_s3("create_multipart_upload", Bucket=bucket, Key=key)
        # Who may write may not always do this; storage forgets such uploads in time.
        with contextlib.suppress(Exception):
            target.fs.call_s3("abort_multipart_upload", Bucket=bucket, Key=key, UploadId=begun["UploadId"])
