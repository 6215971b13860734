"""Writing files whole or not at all."""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

import zstandard

from entropylaw.errors import EntropyLawError


def check_writable(path: str | os.PathLike[str], force: bool) -> None:
    """Finds out before the work whether its result can be written to ``path``.

    Raises
    ------
    EntropyLawError
        If there is a file already and ``force`` is not set, if it is not a regular one, or if its directory is missing
        or can't be written to.
    """
    target = Path(path)
    if target.is_dir():
        raise EntropyLawError(f"{target}: is a directory; name a file in it")
    if target.exists() and not target.is_file():
        raise EntropyLawError(f"{target}: is not a regular file; name one")
    if target.exists() and not force:
        raise EntropyLawError(f"{target}: the file exists; name another, or replace it (force=True, --force)")
    with _explained(target), tempfile.TemporaryFile(dir=target.resolve().parent):
        pass


@dataclass
class Staged:
    """A file that is written but not yet in its place."""

    target: Path
    """Where it goes."""
    _temporary: Path
    _replaced: bool = False

    def bytes(self) -> int:
        """Its size."""
        return self._temporary.stat().st_size

    def sha256(self) -> str:
        """The hash of what is in it."""
        with self._temporary.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


class Outputs:
    """Files that take their places together when the block ends, and are nowhere if it fails.

    Each is written to a temporary file in its own directory and reaches the disk. At the end of the block the files of
    ``remove`` go, then all are renamed in the order in which they were written. The last one is renamed when the
    names of the others have reached the disk: where it is, they are. If a rename fails, the files renamed before it
    are removed, except where they replaced older ones.
    """

    def __init__(self) -> None:
        self.staged: list[Staged] = []
        """What is written so far, in the order in which it will be renamed; targets may still be changed."""
        self._obsolete: list[Path] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self._rename()
        finally:
            for staged in self.staged:
                with contextlib.suppress(OSError):
                    staged._temporary.unlink()

    @contextlib.contextmanager
    def file(self, path: str | os.PathLike[str], *, compress: bool = True) -> Iterator[IO[bytes]]:
        """Writes the next file. With ``compress`` it is compressed if ``path`` ends in ``.gz``, ``.zst`` or ``.zstd``.

        Raises
        ------
        EntropyLawError
            If it can't be written, for example because the disk is full.
        """
        target = Path(path).resolve()
        with _explained(target):
            descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
            self.staged.append(Staged(target, Path(name)))
            with os.fdopen(descriptor, "wb") as file:
                with _compressed(file, target.suffix if compress else "") as content:
                    yield content
                file.flush()
                os.fsync(file.fileno())
            _set_usual_mode(name)

    def remove(self, path: str | os.PathLike[str]) -> None:
        """Has a file of an older output removed, if there is one, before the new ones are renamed."""
        self._obsolete.append(Path(path).resolve())

    def _rename(self) -> None:
        for path in self._obsolete:
            with _explained(path):
                path.unlink(missing_ok=True)
        try:
            for staged in self.staged:
                if staged is self.staged[-1]:
                    self._sync_directories()
                staged._replaced = staged.target.exists()
                with _explained(staged.target):
                    staged._temporary.replace(staged.target)
        except BaseException:
            for staged in self.staged:
                if not staged._temporary.exists() and not staged._replaced:
                    staged.target.unlink(missing_ok=True)
            raise
        self._sync_directories()

    def _sync_directories(self) -> None:
        for directory in {staged.target.parent for staged in self.staged}:
            _sync_directory(directory)


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], *, compress: bool = True) -> Iterator[IO[bytes]]:
    """One file that takes the place of ``path`` when the block ends, and is nowhere if it fails; see ``Outputs``."""
    with Outputs() as outputs, outputs.file(path, compress=compress) as file:
        yield file


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Writes ``value`` as JSON; see ``replacing``."""
    with replacing(path) as file:
        file.write(json_bytes(value))


def json_bytes(value: Any) -> bytes:
    """``value`` as JSON for people and programs; names of files that are not UTF-8 come out with escapes."""
    try:
        return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:
        # A lone surrogate, which UTF-8 can't hold; an escape can.
        return json.dumps(value, indent=1).encode() + b"\n"


@contextlib.contextmanager
def _explained(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EntropyLawError(f"{target}: cannot be written: {error.strerror or error}") from None


@contextlib.contextmanager
def _compressed(file: IO[bytes], suffix: str) -> Iterator[IO[bytes]]:
    if suffix == ".gz":
        import gzip

        # No name and no time in the header: equal content, equal file.
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as content:
            yield cast(IO[bytes], content)
    elif suffix in (".zst", ".zstd"):
        with zstandard.ZstdCompressor(level=9).stream_writer(file, closefd=False) as content:
            yield cast(IO[bytes], content)
    else:
        yield file


def _set_usual_mode(name: str) -> None:
    """The mode that ``open`` would have given it; a temporary file is its owner's alone."""
    mask = os.umask(0)
    os.umask(mask)
    Path(name).chmod(0o666 & ~mask)


def _sync_directory(directory: Path) -> None:
    """Makes the rename last. Not everywhere can a directory be synced; the rename is done all the same."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
