"""Writing the chosen records where they are: a file for each part, and the manifest when all are there."""

import contextlib
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from entropylaw.errors import EntropyLawError
from entropylaw.integrations.ray.actors import Actors
from entropylaw.output import Outputs, Staged, json_bytes
from entropylaw.parts.pool import PartedPool
from entropylaw.saving import Saving
from entropylaw.saving.replaced import named_by
from entropylaw.storage.objects import located
from entropylaw.storage.uploads import staging, upload
from entropylaw.storage.urls import is_url, joined, shown
from entropylaw.targets import File, check_targets

if TYPE_CHECKING:
    from entropylaw.integrations.ray.selection import RaySelection

MANIFEST, PICKS = "manifest.json", "picks.npz"
_SHARDS = ("part-?????-of-?????.jsonl", "part-?????-of-?????.parquet")


def save(
    selection: "RaySelection",
    actors: Actors,
    pool: PartedPool,
    directory: str,
    force: bool,
    columns: dict[str, NDArray[Any]],
) -> list[str]:
    """See ``RaySelection.save``."""
    order = np.argsort(selection.indices)
    rising = selection.indices[order]
    added = {name: values[order] for name, values in columns.items()}
    # The types are those of all parts together.
    schema = pool.records.schema(rising.tolist()) if pool.records.tabular else None
    split = pool.layout.split(rising)
    owner = pool.layout.owner(rising)
    writing = [number for number, positions in enumerate(split) if len(positions)]
    ending = "jsonl" if schema is None else "parquet"
    names = {part: f"part-{at:05}-of-{len(writing):05}.{ending}" for at, part in enumerate(writing)}
    saving = Saving(
        f"subset.{ending}",
        sort="input",
        shards=len(writing),
        counts=tuple(len(split[part]) for part in writing),
        columns=tuple(name.removeprefix("entropylaw_") for name in columns),
    )
    where = _place(directory)
    where.check(force, [File(path, "a file of the pool") for path in pool.records.paths()])
    with where.filled(list(names.values())) as output:
        arguments: list[Any] = [None] * len(actors)
        for part, name in names.items():
            mine = owner == part
            values = {column: array[mine] for column, array in added.items()}
            arguments[part] = (where.path(name), split[part], schema, values, output.temporary(name))
        for part, found in enumerate(actors.call("write", arguments)):
            if found is not None:
                output.add(names[part], *found)
        written = output.written()
        with output.file(PICKS) as file:
            arrays: dict[str, Any] = selection.selection.arrays()
            np.savez(file, **arrays)
        described = json_bytes(saving.described(selection.selection, written, output.written()[-1]))
        with output.file(MANIFEST) as file:
            file.write(described)
    return [where.path(name) for name in names.values()]


def check_output(directory: str, force: bool, inputs: Sequence[File], checkpoint: str | None = None) -> None:
    """Finds out before the work whether its result can be written; ``inputs``: what the run reads; ``checkpoint``: the
    directory where it records its work.

    Raises
    ------
    EntropyLawError
        If it can't be, or there is an output already.
    """
    where = _place(directory)
    check_targets([File(where.path(MANIFEST), "the manifest")], inputs, checkpoint)
    where.check(force, inputs)


def _place(directory: str) -> "_Directory | _Stored":
    return _Stored(directory) if is_url(directory) else _Directory(directory)


class _Place(ABC):
    """A directory, and what may be removed from it."""

    @abstractmethod
    def path(self, name: str) -> str:
        """A file in it."""

    @abstractmethod
    def names(self) -> list[str]:
        """All names in it."""

    def old(self) -> list[str]:
        """The files of an older output that are there: those that its manifest names, the picks and the manifest.

        Raises
        ------
        EntropyLawError
            If there are others of such names: other tools make them too, and whoever reads the directory would find two
            sets.
        """
        there = sorted(name for name in self.names() if _is_ours(name))
        named = named_by(self.path(MANIFEST)) if MANIFEST in there else set()
        ours = {MANIFEST, PICKS, *named} if named else set()
        for name in there:
            if name not in ours:
                raise EntropyLawError(
                    f"{shown(self.path(name))}: would be taken for a part of the output, and no manifest of entropylaw "
                    "there names it; move it away, or name another directory"
                )
        return there


class _Directory(_Place):
    """A directory that all nodes share."""

    def __init__(self, directory: str) -> None:
        # Whoever writes there may have another working directory.
        self._path = Path.cwd() / directory
        self._token = secrets.token_hex(6)
        self._outputs = Outputs()

    def path(self, name: str) -> str:
        """A file in it."""
        return str(self._path / name)

    def names(self) -> list[str]:
        """The files in it."""
        return [path.name for path in self._path.iterdir()]

    def temporary(self, name: str) -> str:
        """What a file is called while it is written."""
        return str(self._path / f".{name}.{self._token}.tmp")

    def check(self, force: bool, inputs: Sequence[File]) -> None:
        """Raises EntropyLawError if it can't be written to, or holds an output already."""
        try:
            self._path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EntropyLawError(f"{self._path}: cannot be written: {error.strerror or error}") from None
        check_targets([File(self.path(name), "the records") for name in self.names() if _is_ours(name)], inputs)
        if (there := self.old()) and not force:
            exists = f"{self.path(there[0])}: the file exists"
            raise EntropyLawError(f"{exists}; name another directory, or replace what is there (force=True, --force)")

    @contextlib.contextmanager
    def filled(self, names: list[str]) -> Iterator["_Directory"]:
        """Has what is written take its place at the end of the block, and be nowhere if it fails."""
        try:
            with self._outputs:
                # Nobody may find shards of two sets, or the old manifest beside new records.
                for name in self.old():
                    if name not in names:
                        self._outputs.remove(self._path / name)
                yield self
        finally:
            for name in names:
                with contextlib.suppress(OSError):
                    Path(self.temporary(name)).unlink()

    def add(self, name: str, size: int, sha256: str) -> None:
        """A part has written a file."""
        if not Path(self.temporary(name)).exists():
            raise EntropyLawError(
                f"{self._path}: a node has written {name} there, which is not to be seen here; name a directory "
                "that all nodes share, or a URL"
            )
        self._outputs.adopt(Path(self.path(name)), Path(self.temporary(name)), size, sha256)

    def file(self, name: str) -> Any:
        """A file that is written here."""
        return self._outputs.file(self.path(name))

    def written(self) -> list[Staged]:
        """What is written so far."""
        return self._outputs.staged.copy()


class _Stored(_Place):
    """A directory in storage, to which the parts upload what they write."""

    def __init__(self, directory: str) -> None:
        self._url = directory.rstrip("/") + "/"
        self._written: list[Staged] = []
        self._local = Path()

    def path(self, name: str) -> str:
        """An object in it."""
        return joined(self._url, name)

    def temporary(self, name: str) -> str:
        """Nothing: the parts have places of their own."""
        return ""

    def check(self, force: bool, inputs: Sequence[File]) -> None:
        """Raises EntropyLawError if it holds an output already."""
        if (there := self.old()) and not force:
            exists = f"{shown(self.path(there[0]))}: the object exists"
            raise EntropyLawError(f"{exists}; name another directory, or replace what is there (force=True, --force)")

    def names(self) -> list[str]:
        """The objects in it."""
        return located(self.path("x")).beside()

    @contextlib.contextmanager
    def filled(self, names: list[str]) -> Iterator["_Stored"]:
        """Uploads the manifest last; removes what parts have uploaded if anything fails."""
        for name in sorted(self.old(), key=lambda name: name != MANIFEST):
            if name == MANIFEST or name not in names:
                target = located(self.path(name))
                target.fs.rm_file(target.path)
        try:
            with staging() as directory:
                self._local = directory
                yield self
                upload([(directory / name, self.path(name)) for name in (PICKS, MANIFEST)], force=True)
        except BaseException:
            for name in names:
                target = located(self.path(name))
                with contextlib.suppress(Exception):
                    target.fs.rm_file(target.path)
            raise

    def add(self, name: str, size: int, sha256: str) -> None:
        """A part has uploaded an object."""
        self._written.append(Staged(Path(name), Path(name), Path(name), told=(size, sha256)))

    @contextlib.contextmanager
    def file(self, name: str) -> Iterator[Any]:
        """A file that is written here, and uploaded."""
        path = self._local / name
        with path.open("wb") as file:
            yield file
        self._written.append(Staged(path, path, path))

    def written(self) -> list[Staged]:
        """What is written so far."""
        return self._written.copy()


def _is_ours(name: str) -> bool:
    return name in (MANIFEST, PICKS) or any(fnmatch(name, shard) for shard in _SHARDS)
