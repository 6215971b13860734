"""What an older output has left where a new one goes: which of its files may be removed, and which are in the way."""

import json
import os
import re
from abc import ABC, abstractmethod
from pathlib import Path

from entropylaw.errors import EntropyLawError
from entropylaw.runs.manifest import manifest_path
from entropylaw.saving.endings import ending, unpacked
from entropylaw.storage.objects import located, read_bytes
from entropylaw.storage.urls import is_url, joined, last_part, normalised, shown

_LARGEST = 1 << 26
"""Bytes of a manifest that is read for this."""


def named_by(manifest: str) -> set[str]:
    """The files of records that a manifest names, but for names that lead elsewhere; none if it is no manifest."""
    try:
        content = json.loads(read_bytes(manifest, _LARGEST))
        names = {entry["name"] for entry in content["output"]["files"]}
    except EntropyLawError:
        # Storage can't be asked, which does not make it another file.
        raise
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()
    return {name for name in names if isinstance(name, str) and name == Path(name).name}


class Names(ABC):
    """The names of an output's files: its own, and those of its shards."""

    def __init__(self, path: str, name: str) -> None:
        self._path = path
        self._name = name
        # Cut where the number of a shard goes.
        at = len(unpacked(name)) - len(ending(name)) or len(name)
        self._stem, self._suffix = name[:at], name[at:]
        self._shards = re.compile(re.escape(self._stem) + r"-\d{5,}-of-\d{5,}" + re.escape(self._suffix))

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> "Names":
        """Those of the output at ``path``, which may be a URL."""
        return _StoredNames(os.fspath(path)) if is_url(path) else _FileNames(os.fspath(path))

    def shard(self, number: int, count: int) -> str:
        """The name of a shard, with its directory."""
        return self._beside(f"{self._stem}-{number:05}-of-{count:05}{self._suffix}")

    @abstractmethod
    def is_shard(self, path: str) -> bool:
        """Whether a file would be taken for a shard of this output: by its name, and because it is beside it."""

    def old_files(self) -> list[str]:
        """The records of the older output that are there: files that its manifest names, and that it can have made.

        A manifest is a file that anybody may have written. One that names others removes none of them.
        """
        own = (name for name in self._named() if name == self._name or self._is_own(name))
        return sorted(path for name in own if self._exists(path := self._beside(name)))

    def strange_shards(self) -> list[str]:
        """What looks like shards of this output, and is named by no manifest."""
        ours = set(self.old_files())
        own = (self._beside(name) for name in self._there() if self._is_own(name))
        return sorted(path for path in own if path not in ours)

    def check_room(self) -> None:
        """Finds out before the work whether shards can be written.

        Raises
        ------
        EntropyLawError
            If there are others of the name: whoever reads ``stem-*`` would find two sets.
        """
        if strange := self.strange_shards():
            raise EntropyLawError(
                f"{shown(strange[0])}: would be taken for a shard of {shown(self._path)}, and "
                f"{manifest_path(shown(self._path))} does not name it; move it away, or name another output"
            )

    def _is_own(self, name: str) -> bool:
        return self._shards.fullmatch(name) is not None

    def _named(self) -> set[str]:
        """The files of records that the manifest names, but for names that lead elsewhere; none without a manifest."""
        manifest = manifest_path(self._path)
        return named_by(manifest) if self._exists(manifest) else set()

    @abstractmethod
    def _beside(self, name: str) -> str:
        """The path, or URL, of another name in the output's directory."""

    @abstractmethod
    def _exists(self, path: str) -> bool:
        """Whether there is a file, or an object."""

    @abstractmethod
    def _there(self) -> list[str]:
        """All names in the output's directory."""


class _FileNames(Names):
    def __init__(self, path: str) -> None:
        super().__init__(path, Path(path).name)

    def is_shard(self, path: str) -> bool:
        if is_url(path):
            return False
        there, here = (os.path.realpath(Path(part).absolute().parent) for part in (path, self._path))
        return there == here and self._is_own(Path(path).name)

    def _beside(self, name: str) -> str:
        return str(Path(self._path).with_name(name))

    def _exists(self, path: str) -> bool:
        return os.path.lexists(path)

    def _there(self) -> list[str]:
        try:
            return os.listdir(Path(self._path).absolute().parent)  # noqa: PTH208
        except OSError:
            return []


class _StoredNames(Names):
    def __init__(self, url: str) -> None:
        super().__init__(url, last_part(url))

    def is_shard(self, path: str) -> bool:
        beside = is_url(path) and normalised(joined(path, "x")) == normalised(joined(self._path, "x"))
        return beside and self._is_own(last_part(path))

    def _beside(self, name: str) -> str:
        return joined(self._path, name)

    def _exists(self, path: str) -> bool:
        return located(path).exists("written")

    def _there(self) -> list[str]:
        return located(self._path).beside()
