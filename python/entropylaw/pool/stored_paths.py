"""Which objects in storage a URL stands for: one, those that a pattern matches, or the data in a directory."""

import glob
import posixpath
from collections.abc import Iterator

from entropylaw.errors import EntropyLawError
from entropylaw.pool.formats import Format
from entropylaw.pool.paths import HIDDEN, data_files, is_metadata, listed, of_one_format, relative, splits_noted
from entropylaw.storage.failures import explained
from entropylaw.storage.objects import StoredObject, located
from entropylaw.storage.urls import WEB, protocol_of, shown


def stored(url: str, given: Format | None, notes: list[tuple[int, str]]) -> tuple[bool, list[StoredObject], list[str]]:
    """Whether it is one object, what is read, sorted by name, and the names of what is left out; see ``expanded``.

    Raises
    ------
    EntropyLawError
        If it stands for nothing, or the storage can't be asked; see ``expanded``.
    """
    found = located(url.rstrip("/") if protocol_of(url) not in WEB else url)
    if protocol_of(url) in WEB:
        # The pages that a server makes of directories are no lists to rely on.
        if "*" in url:
            raise EntropyLawError(f"{found.shown}: the web has no lists of files; name each of them")
        return True, [found], []
    info = found.info()
    if info is None and glob.has_magic(found.path):
        return False, *_matching(found)
    if info is None or info.get("type") != "directory":
        # That there is none, whoever reads it will say.
        return True, [found], []
    files = {name: file for name, file in _found(found, found.path, recursive=True) if not _is_hidden(name, found)}
    data = sorted(_data_of(files), key=lambda item: item[0].split("/"))
    read, left_out = of_one_format(found.shown, data, given)
    notes.extend(splits_noted(found.shown, read))
    return False, [files[name] for name in read], left_out


def _matching(pattern: StoredObject) -> tuple[list[StoredObject], list[str]]:
    found = dict(_found(pattern, pattern.path, recursive=False))
    files = {name: file for name, file in found.items() if not is_metadata(name)}
    left_out = sorted(found.keys() - files.keys())
    if not files:
        other = f", but for {listed(left_out)}; name an object itself to read it" if left_out else ""
        raise EntropyLawError(f"{pattern.shown}: no object matches{other}")
    return [files[name] for name in sorted(files)], left_out


def _found(near: StoredObject, path: str, recursive: bool) -> Iterator[tuple[str, StoredObject]]:
    """The objects in a directory and below, or that match a pattern, by the names by which they are shown."""
    with explained(near.url, "read"):
        listing = near.fs.find(path, detail=True) if recursive else near.fs.glob(path, detail=True)
    for name, info in listing.items():
        # An object of no bytes whose name ends in a slash is how some tools make directories.
        if info.get("type") != "directory" and not name.endswith("/"):
            url = _url_of(near, name)
            yield shown(url), StoredObject(url, near.fs, name)


def _url_of(near: StoredObject, path: str) -> str:
    """The URL of what is called ``path`` where ``near`` is, written as that one is."""
    if near.url.endswith(near.path):
        return near.url.removesuffix(near.path) + path
    url: str = near.fs.unstrip_protocol(path)
    return url


def _is_hidden(name: str, directory: StoredObject) -> bool:
    *inside, last = relative(name, directory.shown).split("/")
    # As in a directory here: what tells of a Delta table is looked for before.
    return last.startswith(HIDDEN) or any(part.startswith(HIDDEN) and part != "_delta_log" for part in inside)


def _data_of(files: dict[str, StoredObject]) -> Iterator[tuple[str, bool]]:
    """The objects, and whether they may be data, as the metadata in each directory say."""
    names: dict[str, set[str]] = {}
    for name in files:
        parent, last = posixpath.split(name)
        names.setdefault(parent, set()).add(last)
        if posixpath.basename(parent) == "_delta_log":
            names.setdefault(posixpath.dirname(parent), set()).add("_delta_log")
    data = {
        parent: data_files(parent, inside, lambda name, of=parent: files[f"{of}/{name}"].content(1 << 26))  # type: ignore[misc]
        for parent, inside in sorted(names.items())
        if posixpath.basename(parent) != "_delta_log"
    }
    for name in files:
        parent, last = posixpath.split(name)
        if posixpath.basename(parent) != "_delta_log":
            named = data[parent]
            yield name, not is_metadata(name) and (named is None or last in named)
