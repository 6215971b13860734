"""What an older output has left where a new one goes: which of its files may be removed, and which are in the way."""

import json
import os
import re
from pathlib import Path

from entropylaw.errors import EntropyLawError
from entropylaw.runs.manifest import manifest_path
from entropylaw.saving.endings import ending, unpacked

_LARGEST = 1 << 26
"""Bytes of a manifest that is read for this."""


class Names:
    """The names of an output's files: its own, and those of its shards."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        name = self._path.name
        # Cut where the number of a shard goes.
        at = len(unpacked(name)) - len(ending(name)) or len(name)
        self._stem, self._suffix = name[:at], name[at:]
        self._shards = re.compile(re.escape(self._stem) + r"-\d{5,}-of-\d{5,}" + re.escape(self._suffix))

    def shard(self, number: int, count: int) -> Path:
        """The name of a shard."""
        return self._path.with_name(f"{self._stem}-{number:05}-of-{count:05}{self._suffix}")

    def is_shard(self, path: str | os.PathLike[str]) -> bool:
        """Whether a file would be taken for a shard of this output: by its name, and because it is beside it."""
        there, here = (os.path.realpath(Path(part).absolute().parent) for part in (path, self._path))
        return there == here and bool(self._shards.fullmatch(Path(path).name))

    def old_files(self) -> list[Path]:
        """The records of the older output that are there: files that its manifest names, and that it can have made.

        A manifest is a file that anybody may have written. One that names others removes none of them.
        """
        own = (name for name in _named(manifest_path(self._path)) if name == self._path.name or self._is_own(name))
        return sorted(path for name in own if os.path.lexists(path := self._path.with_name(name)))

    def strange_shards(self) -> list[Path]:
        """What looks like shards of this output, and is named by no manifest."""
        ours = set(self.old_files())
        try:
            there = [self._path.with_name(name) for name in os.listdir(self._path.absolute().parent)]  # noqa: PTH208
        except OSError:
            return []
        return sorted(path for path in there if self._is_own(path.name) and path not in ours)

    def _is_own(self, name: str) -> bool:
        return self._shards.fullmatch(name) is not None

    def check_room(self) -> None:
        """Finds out before the work whether shards can be written.

        Raises
        ------
        EntropyLawError
            If there are others of the name: whoever reads ``stem-*`` would find two sets.
        """
        if strange := self.strange_shards():
            raise EntropyLawError(
                f"{strange[0]}: would be taken for a shard of {self._path}, and {manifest_path(self._path)} does not "
                "name it; move it away, or name another output"
            )


def _named(manifest: str) -> set[str]:
    """The files of records that a manifest names, but for names that lead elsewhere; none if it is no manifest."""
    try:
        with Path(manifest).open("rb") as file:
            content = json.loads(file.read(_LARGEST))
        names = {entry["name"] for entry in content["output"]["files"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()
    return {name for name in names if isinstance(name, str) and name == Path(name).name}
