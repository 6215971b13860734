"""Which objects in storage a URL stands for: one, those that a pattern matches, or the data in a directory."""

import glob
from collections.abc import Iterator

from entropylaw.errors import EntropyLawError
from entropylaw.pool.formats import Format
from entropylaw.pool.lakes import values_noted
from entropylaw.pool.paths import (
    HIDDEN,
    data_files,
    is_metadata,
    listed,
    matches,
    of_one_format,
    relative,
    splits_noted,
)
from entropylaw.storage.failures import explained
from entropylaw.storage.objects import StoredObject, located
from entropylaw.storage.urls import WEB, check_url, protocol_of, shown

_METADATA = 1 << 26
"""Bytes of a file of metadata that are read."""


def stored(url: str, given: Format | None, notes: list[tuple[int, str]]) -> tuple[bool, list[StoredObject], list[str]]:
    """Whether it is one object, what is read, sorted by name, and the names of what is left out; see ``expanded``.

    Raises
    ------
    EntropyLawError
        If it stands for nothing, or the storage can't be asked; see ``expanded``.
    """
    check_url(url)
    if protocol_of(url) in WEB:
        # The pages that a server makes of directories are no lists to rely on.
        if "*" in url:
            raise EntropyLawError(f"{shown(url)}: the web has no lists of files; name each of them")
        return True, [located(url)], []
    found = located(url.rstrip("/"))
    info = found.info()
    if info is None and glob.has_magic(found.path):
        matching, left_out = _matching(found)
        notes.extend(values_noted(found.shown, [file.shown for file in matching], inside=False))
        return False, matching, left_out
    if info is None or info.get("type") != "directory":
        # That there is none, whoever reads it will say.
        return True, [found], []
    files: dict[str, StoredObject] = {}
    data: list[tuple[str, bool]] = []
    for file, is_data in _walked(found):
        files[file.shown] = file
        data.append((file.shown, is_data))
    read, left_out = of_one_format(found.shown, sorted(data, key=lambda item: item[0].split("/")), given)
    notes.extend(splits_noted(found.shown, read))
    notes.extend(values_noted(found.shown, [relative(name, found.shown) for name in read], inside=True))
    return False, [files[name] for name in read], left_out


def _walked(root: StoredObject) -> Iterator[tuple[StoredObject, bool]]:
    """The objects in a directory and below, and whether they may be data; as ``paths`` finds them here."""
    queue = [root]
    for directory in queue:
        entries = _entries(directory)
        data = data_files(directory.shown, entries.keys(), lambda name, of=entries: of[name][0].content(_METADATA))  # type: ignore[misc]
        for name, (entry, is_directory) in entries.items():
            if name.startswith(HIDDEN):
                continue
            if is_directory:
                queue.append(entry)
            else:
                yield entry, not is_metadata(name) and (data is None or name in data)


def _matching(pattern: StoredObject) -> tuple[list[StoredObject], list[str]]:
    parts = pattern.path.split("/")
    at = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    base, wanted = _named(pattern, "/".join(parts[:at])), parts[at:]
    everywhere = "**" in wanted
    files: dict[str, StoredObject] = {}
    left_out = []
    queue: list[tuple[StoredObject, list[str]]] = [(base, [])]
    for directory, above in queue:
        for name, (entry, is_directory) in _entries(directory).items():
            inside = [*above, name]
            found = matches(inside, wanted)
            if is_directory and (everywhere or matches(inside, wanted[: len(inside)])):
                queue.append((entry, inside))
            if found and (is_metadata(name) or is_directory):
                if not (everywhere and is_directory):
                    left_out.append(entry.shown)
            elif found:
                files[entry.shown] = entry
    if not files:
        other = f", but for {listed(sorted(left_out))}; name an object itself to read it" if left_out else ""
        raise EntropyLawError(f"{pattern.shown}: no object matches{other}")
    return [files[name] for name in sorted(files)], sorted(left_out)


def _entries(directory: StoredObject) -> dict[str, tuple[StoredObject, bool]]:
    """What is in a directory, by name, and whether that is a directory.

    By listing one after the other: what finds all at once passes over those that can't be listed.
    """
    with explained(directory.url, "read"):
        try:
            found = directory.fs.ls(directory.path, detail=True)
        except FileNotFoundError:
            return {}
    entries = {}
    for info in found:
        path = str(info["name"]).rstrip("/")
        # An object of no bytes whose name ends in a slash is how some tools make directories.
        if path != directory.path.rstrip("/"):
            entries[path.rpartition("/")[2]] = _named(directory, path), info.get("type") == "directory"
    return dict(sorted(entries.items()))


def _named(near: StoredObject, path: str) -> StoredObject:
    """What is called ``path`` where ``near`` is, its URL written as that one is."""
    if near.url.endswith(near.path):
        url = near.url.removesuffix(near.path) + path
    else:
        url = str(near.fs.unstrip_protocol(path))
    return StoredObject(url, near.fs, path)
