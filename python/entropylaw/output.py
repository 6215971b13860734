"""Writing files whole or not at all."""

import contextlib
import hashlib
import json
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

from entropylaw.errors import EntropyLawError
from entropylaw.storage.urls import is_url

_placed: ContextVar[list[str] | None] = ContextVar("placed", default=None)

_LONGEST_PREFIX = 100
"""Bytes of a target's name that the name of its temporary file has; a name may have 255 in all."""


@contextlib.contextmanager
def placed_files() -> Iterator[list[str]]:
    """A list to which every file that takes its place within the block is added, by the name that it was given."""
    names: list[str] = []
    token = _placed.set(names)
    try:
        yield names
    finally:
        _placed.reset(token)


def check_writable(path: str | os.PathLike[str], force: bool) -> None:
    """Finds out before the work whether its result can be written to ``path``.

    Raises
    ------
    EntropyLawError
        If there is a file already and ``force`` is not set, if it is not a regular one, or if its directory is missing
        or can't be written to.
    """
    if is_url(path):
        from entropylaw.storage import uploads

        uploads.check_writable(path, force)
        return
    target = Path(path)
    with _explained(target):
        resolved = _resolved(path)
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            # Asked first because it says more than Path.exists, such as that the name is too long.
            resolved.stat()
        if target.is_dir() or os.fspath(path).endswith(("/", os.sep)):
            raise EntropyLawError(f"{os.fspath(path)}: is a directory; name a file in it")
        if target.exists() and not target.is_file():
            raise EntropyLawError(f"{target}: is not a regular file; name one")
        if target.exists() and not force:
            raise EntropyLawError(f"{target}: the file exists; name another, or replace it (force=True, --force)")
        with tempfile.TemporaryFile(dir=resolved.parent):
            pass


def say_placed(name: str, instead_of: str = "") -> None:
    """Adds a name to the list of ``placed_files``, if somebody keeps one; ``instead_of`` is taken from it."""
    if (placed := _placed.get()) is not None:
        if instead_of in placed:
            placed.remove(instead_of)
        placed.append(name)


def unsay_placed(name: str) -> None:
    """Takes a name from that list again: the file is gone."""
    if (placed := _placed.get()) is not None and name in placed:
        placed.remove(name)


@dataclass
class Staged:
    """A file that is written but not yet in its place."""

    path: Path
    """Where it goes, as it was named."""
    target: Path
    """Where that is, through links."""
    _temporary: Path
    _replaced: bool = False
    told: tuple[int, str] | None = None
    """Its size and hash, if whoever wrote it said so."""

    def rename(self, path: Path) -> None:
        """Has it go to another name in the same directory; a link of that name is replaced, not followed."""
        self.path, self.target = path, self.target.with_name(path.name)

    def bytes(self) -> int:
        """Its size."""
        if self.told is not None:
            return self.told[0]
        return self._temporary.stat().st_size

    def sha256(self) -> str:
        """The hash of what is in it."""
        if self.told is not None:
            return self.told[1]
        with self._temporary.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


class Outputs:
    """Files that take their places together when the block ends, and are nowhere if it fails.

    Each is written to a temporary file in its own directory and reaches the disk. At the end of the block the files of
    ``remove`` go, then all are renamed in the order in which they were written. The last one is renamed when the
    names of the others have reached the disk: where it is, they are. If a rename fails, the files renamed before it
    are removed, except where they replaced older ones. What replaces a file has its permissions. Ctrl-C and SIGTERM
    wait for the renames, which take moments.

    Of several processes or threads that write to the same directories, one after the other has its files take their
    places, so that those of two never mix. ``last_look`` is called when it is this one's turn: another may have been
    faster. What it raises leaves everything as it is.
    """

    def __init__(self, last_look: Callable[[], object] = lambda: None) -> None:
        self.staged: list[Staged] = []
        """What is written so far, in the order in which it will be renamed."""
        self._last_look = last_look
        self._obsolete: list[Path] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                with _alone_in({staged.target.parent for staged in self.staged}):
                    self._last_look()
                    with _uninterrupted():
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
        named = Path(path)
        with _explained(named):
            target = _resolved(path)
            prefix = os.fsdecode(os.fsencode(f".{target.name}")[:_LONGEST_PREFIX])
            descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f"{prefix}.", suffix=".tmp")
            self.staged.append(Staged(named, target, Path(name)))
            with os.fdopen(descriptor, "wb") as file:
                with _compressed(file, named.suffix.lower() if compress else "") as content:
                    yield content
                file.flush()
                os.fsync(file.fileno())

    def adopt(self, path: Path, temporary: Path, size: int, sha256: str) -> None:
        """The next file is one that another process has written beside its place.

        Raises
        ------
        EntropyLawError
            If it is not there, or another one.
        """
        with _explained(path):
            found = temporary.stat().st_size
            if found != size:
                raise EntropyLawError(f"{path}: has {found:,} bytes here, and {size:,} were written elsewhere")
            self.staged.append(Staged(path, _resolved(path), temporary, told=(size, sha256)))

    def remove(self, path: str | os.PathLike[str]) -> None:
        """Has a file of an older output removed, if there is one, before the new ones are renamed.

        Of a link, only the link goes.
        """
        self._obsolete.append(Path(path).absolute())

    def _rename(self) -> None:
        for staged in self.staged:
            # Not before: until then it is its owner's alone, and shards have no names.
            with _explained(staged.path):
                _set_mode(staged)
        for path in self._obsolete:
            with _explained(path):
                path.unlink(missing_ok=True)
        try:
            for staged in self.staged:
                if staged is self.staged[-1]:
                    self._sync_directories()
                staged._replaced = os.path.lexists(staged.target)
                with _explained(staged.path):
                    staged._temporary.replace(staged.target)
                say_placed(str(staged.path))
        except BaseException:
            for staged in self.staged:
                if not staged._temporary.exists() and not staged._replaced:
                    staged.target.unlink(missing_ok=True)
                    unsay_placed(str(staged.path))
            raise
        self._sync_directories()

    def _sync_directories(self) -> None:
        for directory in {staged.target.parent for staged in self.staged}:
            _sync_directory(directory)


@contextlib.contextmanager
def _alone_in(directories: Iterable[Path]) -> Iterator[None]:
    """Waits until no other ``Outputs`` has files take their places in these directories.

    Not everywhere are there such locks; the renames are done all the same.
    """
    with contextlib.ExitStack() as held:
        # In one order, lest two wait for each other.
        for directory in sorted(directories):
            with contextlib.suppress(ImportError, OSError):
                import fcntl

                descriptor = os.open(directory, os.O_RDONLY)
                held.callback(os.close, descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Lets the signals that end a command act when the block is over."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    came: list[int] = []
    before: dict[int, Any] = {}
    try:
        if threading.current_thread() is threading.main_thread():
            for number in numbers:
                # None: somebody has set a handler that Python can't set again.
                if (handler := signal.getsignal(number)) is not None:
                    before[number] = handler
                    signal.signal(number, lambda number, _: came.append(number))
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        if came:
            signal.raise_signal(came[0])


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], force: bool, *, compress: bool = True) -> Iterator[IO[bytes]]:
    """One file that takes the place of ``path`` when the block ends, and is nowhere if it fails; see ``Outputs``.

    Without ``force``, it fails if there is a file of that name by then.
    """
    if is_url(path):
        from entropylaw.storage import uploads

        with uploads.replacing(path, force, compress=compress) as file:
            yield file
        return
    with Outputs(lambda: check_writable(path, force)) as outputs, outputs.file(path, compress=compress) as file:
        yield file


def write_json(path: str | os.PathLike[str], value: Any, force: bool) -> None:
    """Writes ``value`` as JSON; see ``replacing``."""
    with replacing(path, force) as file:
        file.write(json_bytes(value))


def json_bytes(value: Any, indent: int = 1) -> bytes:
    """``value`` as JSON for people and programs.

    Names of files that are not UTF-8 are in it as Python has them, a lone surrogate as an escape for each such byte:
    ``os.fsencode`` gives the name back.
    """
    try:
        return json.dumps(value, indent=indent, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent).encode() + b"\n"


@contextlib.contextmanager
def _explained(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if isinstance(error, FileNotFoundError) and not _resolved(target).parent.is_dir():
            reason = f"there is no directory {str(target.parent)!r}; make it, or name another"
        raise EntropyLawError(f"{target}: cannot be written: {reason}") from None


def _resolved(path: str | os.PathLike[str]) -> Path:
    """Where ``path`` leads to through links, also if there is no such file.

    Raises
    ------
    EntropyLawError
        If no file can have that name.
    """
    if "\0" in os.fspath(path):
        raise EntropyLawError(f"{os.fspath(path)}: no file can have this name; name another")
    return Path(os.path.realpath(path))


@contextlib.contextmanager
def _compressed(file: IO[bytes], suffix: str) -> Iterator[IO[bytes]]:
    if suffix == ".gz":
        import gzip

        # No name and no time in the header: equal content, equal file.
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as content:
            yield cast(IO[bytes], content)
    elif suffix in (".zst", ".zstd"):
        from entropylaw import zstd

        with zstd.writer(file, 9) as content:
            yield cast(IO[bytes], content)
    else:
        yield file


def _set_mode(staged: Staged) -> None:
    """Gives a file the mode of the one that it replaces: who could not read that can't read the new one. Without one,
    that which ``open`` would have given it; what another process has written has that."""
    try:
        mode = staged.target.stat().st_mode & 0o777
    except OSError:
        if staged.told is None:
            mask = os.umask(0)
            os.umask(mask)
            staged._temporary.chmod(0o666 & ~mask)
        return
    if os.name != "nt":
        # There it would only be protected from being renamed.
        with contextlib.suppress(OSError):
            staged._temporary.chmod(mode)


def _sync_directory(directory: Path) -> None:
    """Makes the rename last. Not everywhere can a directory be synced; the rename is done all the same."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
