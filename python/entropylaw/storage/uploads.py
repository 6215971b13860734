"""Files that are uploaded: each whole or not at all, in order, and none of them left behind if one fails.

A partial object never has its final name. Where a storage has the object only when all of it has arrived (``s3://``,
``gs://``, ``az://``), it is put there at once; a commit of the hub is one as well. Elsewhere a file grows where it is
written: there it gets a name that begins with a dot, and is renamed once its size is right.
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
from entropylaw.storage.urls import WEB, joined, last_part, protocol_of, shown

_WHOLE = ("s3", "gs", "az")
"""Where an object is there when all of it has arrived, and never before."""
_PIECE = 1 << 22


def check_writable(url: str | os.PathLike[str], force: bool) -> None:
    """Finds out before the work whether its result can go to ``url``, as far as asking tells.

    Raises
    ------
    EntropyLawError
        If there is an object already and ``force`` is not set, or if nothing can be written there.
    """
    text = os.fspath(url)
    if protocol_of(text) in WEB:
        raise EntropyLawError(
            f"{shown(text)}: the web can only be read; write to a bucket (s3://, gs://, az://) or a file"
        )
    target = located(text)
    if not last_part(text):
        raise EntropyLawError(f"{target.shown}: is a bucket or a directory; name an object in it")
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
    """Uploads files to URLs, one after the other, once the objects ``remove`` are gone.

    Without ``force``, no object is replaced. If one fails, those before it are removed, except where they replaced
    older ones; what can't be removed either is said to be written.

    Raises
    ------
    EntropyLawError
        If one can't be written.
    """
    for url in remove:
        obsolete = located(url)
        if obsolete.exists("written"):
            with explained(url, "removed"):
                obsolete.fs.rm_file(obsolete.path)
    new: list[StoredObject] = []
    try:
        for local, url in files:
            target = located(url)
            existed = target.exists("written")
            if existed and not force:
                raise _exists(target)
            _put(local, target, force)
            say_placed(target.shown)
            if not existed:
                new.append(target)
    except BaseException:
        for target in new:
            # Whatever the storage raises now, what was raised first tells more.
            with contextlib.suppress(Exception):
                target.fs.rm_file(target.path)
                unsay_placed(target.shown)
        raise


def _exists(target: StoredObject) -> EntropyLawError:
    return EntropyLawError(f"{target.shown}: the object exists; name another, or replace it (force=True, --force)")


def _put(local: Path, target: StoredObject, force: bool) -> None:
    """Uploads a file, whole or not at all, and makes sure of its size."""
    protocol = protocol_of(target.url)
    size = local.stat().st_size
    with explained(target.url, "written"):
        if protocol in _WHOLE:
            _put_at_once(local, target, force)
        elif protocol == "hf":
            _write(local, target.fs, target.path)
        else:
            _put_and_rename(local, target, force)
    written = target.version().size
    if written not in (None, size):
        with contextlib.suppress(Exception):
            target.fs.rm_file(target.path)
        raise EntropyLawError(f"{target.shown}: has {written:,} bytes after {size:,} were written; run again")


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


def _put_and_rename(local: Path, target: StoredObject, force: bool) -> None:
    hidden = f".{last_part(target.url)[:100]}.{secrets.token_hex(6)}.tmp"
    temporary = located(joined(target.url, hidden))
    fs, path = target.fs, temporary.path
    try:
        with contextlib.suppress(NotImplementedError, FileExistsError):
            fs.makedirs(fs._parent(target.path), exist_ok=True)
        _write(local, fs, path)
        if (written := fs.info(path).get("size")) not in (None, local.stat().st_size):
            raise OSError(f"{written:,} bytes have arrived of {local.stat().st_size:,}")
        if not force and target.exists("written"):
            raise FileExistsError
        fs.mv(path, target.path)
    except BaseException:
        with contextlib.suppress(Exception):
            fs.rm_file(path)
        raise


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
