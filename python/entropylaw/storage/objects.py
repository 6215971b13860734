"""An object in storage: what it is, whether it is still that one, and a copy of it here."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from entropylaw.errors import EntropyLawError
from entropylaw.storage.failures import explained, status_of
from entropylaw.storage.options import options_for
from entropylaw.storage.urls import WEB, check_url, is_url, protocol_of, shown

_PIECE = 1 << 22
"""Bytes that are asked for at a time: few enough to arrive within a second, or so."""

# What backends call the hash, or the number, of what an object holds.
_TAGS = ("ETag", "etag", "e_tag", "VersionId", "generation", "md5Hash", "content_md5", "Content-MD5", "blob_id")
_TIMES = ("LastModified", "last_modified", "Last-Modified", "updated", "mtime", "created")


class Version(NamedTuple):
    """What tells an object from another one of its name."""

    size: int | None
    """Bytes; None if the server does not say before they are read."""
    etag: str | None
    """The hash or number that the storage gives to what an object holds."""
    modified: str | None
    """The time of its last change, as the storage writes it."""

    def differs(self, other: "Version") -> bool:
        """Whether an object of the other version holds something else, as far as can be told."""
        if None not in (self.size, other.size) and self.size != other.size:
            return True
        if self.etag is not None and other.etag is not None:
            # A time may change with a copy, or differ from server to server.
            return self.etag != other.etag
        return None not in (self.modified, other.modified) and self.modified != other.modified


@dataclass(frozen=True, eq=False)
class StoredObject:
    """An object, or a directory, in storage; use ``located``."""

    url: str
    """As it was given. ``shown`` is for people."""
    fs: Any
    """The file system that it is in, an ``fsspec.AbstractFileSystem``."""
    path: str
    """What it is called there."""

    @property
    def shown(self) -> str:
        """What it is called in messages and manifests."""
        return shown(self.url)

    def __fspath__(self) -> str:
        return self.url

    def info(self, doing: str = "read") -> Mapping[str, Any] | None:
        """What the storage says of it, asked anew; None if there is none.

        Raises
        ------
        EntropyLawError
            If the storage can't be asked.
        """
        with explained(self.url, doing):
            try:
                # What was listed before may be of another time.
                self.fs.invalidate_cache()
                found: Mapping[str, Any] = self.fs.info(self.path)
            except FileNotFoundError as error:
                why = error.__cause__
                # On the web, whatever goes wrong is called a file that is missing.
                if protocol_of(self.url) in WEB and isinstance(why, Exception) and status_of(why) not in (404, 410):
                    raise why from None
                return None
            return found

    def exists(self, doing: str = "read") -> bool:
        """Whether there is an object of that name; a directory is none."""
        found = self.info(doing)
        return found is not None and found.get("type") != "directory"

    def is_directory(self) -> bool:
        """Whether there is a directory of that name, and so no object."""
        found = self.info()
        return found is not None and found.get("type") == "directory"

    def beside(self) -> list[str]:
        """The names of what is in its directory; none if there is no such directory yet."""
        with explained(self.url, "read"):
            try:
                self.fs.invalidate_cache()
                found = self.fs.ls(self.fs._parent(self.path), detail=False)
            except FileNotFoundError:
                return []
            return [str(name).rstrip("/").rpartition("/")[2] for name in found]

    def version(self, doing: str = "read") -> Version:
        """What it is now.

        Raises
        ------
        EntropyLawError
            If there is none, or it is a directory.
        """
        with explained(self.url, doing):
            found = self.info(doing)
            if found is None:
                raise FileNotFoundError
            if found.get("type") == "directory":
                raise IsADirectoryError
            return version_of(found)

    def copy_to(
        self, write: Callable[[bytes], int], version: Version, progress: Callable[[int], object] | None = None
    ) -> None:
        """Gives all that it holds, which is ``version``, to ``write``; ``progress`` hears how many bytes that is.

        Raises
        ------
        EntropyLawError
            If it can't be read, or has changed meanwhile; what ``write`` raises is left as it is.
        """
        size = 0
        for piece in self._pieces():
            size += write(piece)
            if progress is not None:
                progress(size)
        if version.size not in (None, size):
            raise EntropyLawError(f"{self.shown}: gave {size:,} bytes, and has {version.size:,}; run again")
        if version.differs(self.version()):
            raise EntropyLawError(f"{self.shown}: the object has changed while it was read; run again")

    def _pieces(self) -> Iterator[bytes]:
        with explained(self.url, "read"):
            file = self._opened()
        try:
            while True:
                with explained(self.url, "read"):
                    piece = file.read(_PIECE)
                if not piece:
                    return
                yield piece
        finally:
            with contextlib.suppress(Exception):
                file.close()

    def content(self, most: int) -> bytes:
        """What it holds, ``most`` bytes at most, of an object that is read at once.

        Raises
        ------
        EntropyLawError
            If it can't be read.
        """
        self.version()
        content = b""
        for piece in self._pieces():
            content += piece
            if len(content) >= most:
                break
        return content[:most]

    def _opened(self) -> BinaryIO:
        # A stream, where a server may not give parts of a file.
        size = 0 if protocol_of(self.url) in (*WEB, "hf") else _PIECE
        opened: BinaryIO = self.fs.open(self.path, "rb", block_size=size)
        return opened


def located(url: str | os.PathLike[str]) -> StoredObject:
    """What a URL names, with the options that are in use; nothing is asked of the storage yet.

    Raises
    ------
    EntropyLawError
        If it names no storage, or what reads it is not installed.
    """
    if isinstance(url, StoredObject):
        return url
    text = os.fspath(url)
    check_url(text)
    with explained(text, "read"):
        from fsspec import get_filesystem_class

        # Not `url_to_fs`: it takes a name with `::` in it for a chain.
        kind = get_filesystem_class(text.partition("://")[0].lower())
        given = kind._get_kwargs_from_urls(text) | options_for(text)
        return StoredObject(text, kind(**given), kind._strip_protocol(text))


def version_of(info: Mapping[str, Any]) -> Version:
    """The version of an object of which the storage says ``info``."""
    size = info.get("size")
    held = info.get("lfs")
    known = {**info, "ETag": held.get("sha256")} if isinstance(held, Mapping) else info
    tag = next((str(known[name]).strip('"') for name in _TAGS if known.get(name)), None)
    time: Any = next((known[name] for name in _TIMES if known.get(name)), None)
    written = None if time is None else str(time.isoformat() if hasattr(time, "isoformat") else time)
    return Version(size if isinstance(size, int) else None, tag, written)


def read_bytes(path: str | os.PathLike[str], most: int = -1) -> bytes:
    """What a file, or the object that a URL names, holds; ``most`` bytes at most, if that is not negative.

    Raises
    ------
    OSError, ValueError
        If it is a file that can't be read.
    EntropyLawError
        If it is an object that can't be read.
    """
    if is_url(path):
        return located(path).content(most if most >= 0 else 1 << 62)
    with Path(path).open("rb") as file:
        return file.read(most)


@contextlib.contextmanager
def local_copy(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A file, or for the time of the block a copy of the object that a URL names."""
    if not is_url(path):
        yield Path(path)
        return
    found = located(path)
    version = found.version()
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "copy"
        with target.open("wb") as file:
            found.copy_to(file.write, version)
        yield target


def told_as_json(version: Version) -> dict[str, Any]:
    """What a manifest says of an object beside its name and its size."""
    return {name: value for name, value in (("etag", version.etag), ("modified", version.modified)) if value}
