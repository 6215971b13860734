"""Writing files whole or not at all."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

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


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], *, compress: bool = True) -> Iterator[IO[bytes]]:
    """A file that takes the place of ``path`` when the block ends, and is nowhere if it fails.

    The content goes to a temporary file in the same directory, reaches the disk, and is renamed. With ``compress`` it
    is compressed if ``path`` ends in ``.gz``, ``.zst`` or ``.zstd``.

    Raises
    ------
    EntropyLawError
        If it can't be written, for example because the disk is full.
    """
    target = Path(path).resolve()
    with _explained(target):
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
        try:
            with os.fdopen(descriptor, "wb") as file:
                with _compressed(file, target.suffix if compress else "") as content:
                    yield content
                file.flush()
                os.fsync(file.fileno())
            _set_usual_mode(name)
            Path(name).replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
        _sync_directory(target.parent)


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Writes ``value`` as JSON; see ``replacing``."""
    with replacing(path) as file:
        file.write(json.dumps(value, indent=1, ensure_ascii=False).encode(errors="surrogateescape") + b"\n")


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
