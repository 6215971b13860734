"""Which files a pool's paths stand for, and which of a directory are left out."""

import glob
import json
import logging
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

from entropylaw.errors import EntropyLawError
from entropylaw.places import is_directory, is_file, stat_of
from entropylaw.pool.formats import ENDINGS, Format, named_format
from entropylaw.pool.lakes import check_no_table, values_noted
from entropylaw.storage.urls import is_url, normalised, shown

_METADATA = (
    "*.manifest.json",
    "*dataset_info.json",
    "dataset_infos.json",
    "dataset_dict.json",
    "state.json",
    "cache-*.arrow",
)
"""Names of files that lie beside data and are none: those of this package, of ``datasets`` and of LLaMA-Factory."""
HIDDEN = (".", "_")
"""How the names of files begin that a directory does not show."""
_HELD_OUT = ("test", "validation", "valid", "val", "dev", "eval")
_NAMED = 5
"""Names that a message lists."""

_log = logging.getLogger("entropylaw")


class Files(NamedTuple):
    """What paths stand for."""

    paths: list[str | os.PathLike[str]]
    """The files, in the order in which they are read."""
    left_out: list[str]
    """Files beside them in the directories that were named, or that a pattern matches, but for hidden ones."""
    notes: list[tuple[int, str]]
    """What people should know of the choice, each with its level of logging."""

    def tell(self) -> None:
        """Logs the notes. Whoever reads the files does; others ask for the files as well."""
        for level, note in self.notes:
            _log.log(level, "%s", note)


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more."""
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def expanded(paths: Iterable[str | os.PathLike[str]], given: Format | None = None) -> Files:
    """The files that paths, patterns and directories stand for, in the order given; within each sorted by name.

    Of a directory, those are read that are data by their names; of format ``given``, if there is one. Links to
    directories are followed, and each directory is read once, even if links lead to it in a circle.

    Raises
    ------
    EntropyLawError
        If a pattern or directory stands for none, a directory for files of several formats or for several splits, or if
        a directory can't be read.
    """
    found = Files([], [], [])
    explicit: list[str] = []
    for path in paths:
        name = os.fspath(path)
        if name == "-" and name in explicit:
            raise EntropyLawError("standard input (-) is named twice, and can be read only once")
        read: Sequence[str | os.PathLike[str]]
        if is_url(name):
            from entropylaw.pool.stored_paths import stored

            one, read, left_out = stored(name, given, found.notes)
            if one:
                explicit.append(shown(name))
            name = shown(name)
        elif is_directory(name):
            read, left_out = inside = _inside(name, given)
            found.notes.extend(splits_noted(name, inside[0]))
            found.notes.extend(values_noted(name, [relative(file, name) for file in inside[0]], inside=True))
        elif glob.has_magic(name) and stat_of(name) is None:
            read, left_out = _matching(name)
            found.notes.extend(values_noted(name, read, inside=False))
        else:
            explicit.append(name)
            found.paths.append(path)
            continue
        found.paths.extend(read)
        found.left_out.extend(left_out)
        if left_out:
            found.notes.append(left_out_noted(name, len(read), left_out))
    found.notes.extend(_twice(found.paths))
    found.notes.extend(values_noted("the pool", explicit, inside=False))
    beside = {str(Path(name).parent) for name in explicit if not is_metadata(name)}
    if caches := [name for name in explicit if is_metadata(name) and str(Path(name).parent) in beside]:
        beside_it = "by the name, not data but what a tool keeps beside it; it is read"
        found.notes.append((logging.WARNING, f"{listed(caches)}: {beside_it}"))
    return found


def left_out_noted(name: str, read: int, left_out: Sequence[str]) -> tuple[int, str]:
    """A note of what is left out of what a directory, or a pattern, stands for."""
    inside = is_url(name) or is_directory(name)
    others = listed([relative(file, name) if inside else file for file in left_out])
    return logging.INFO, f"{name}: read {read} of {read + len(left_out)} files, left out: {others}"


def _twice(paths: Iterable[str | os.PathLike[str]]) -> Iterator[tuple[int, str]]:
    """A note for each file that is read twice, by one name or two."""
    seen: dict[tuple[int, int] | str, str] = {}
    for path in paths:
        name = os.fspath(path)
        identity: tuple[int, int] | str
        if is_url(name):
            identity, name = normalised(name), shown(name)
        elif (known := stat_of(name)) is not None:
            identity = known.st_dev, known.st_ino
        else:
            continue
        if (other := seen.get(identity)) is not None:
            which = name if name == other else f"{name} is the file {other}, and"
            yield logging.WARNING, f"{which} is read twice: each of its records counts twice"
        seen.setdefault(identity, name)


def is_metadata(name: str) -> bool:
    """Whether a file lies beside data, by its name, and is none."""
    return any(fnmatch(Path(name).name, pattern) for pattern in _METADATA)


def _inside(directory: str, given: Format | None) -> tuple[list[str], list[str]]:
    walked = sorted((Path(path), is_data) for path, is_data in _walked(directory))
    return of_one_format(directory, [(str(path), is_data) for path, is_data in walked], given)


def of_one_format(
    directory: str, found: Iterable[tuple[str, bool]], given: Format | None
) -> tuple[list[str], list[str]]:
    """Which of the files in a directory are read, and which are left out; of each is told whether it may be data.

    Raises
    ------
    EntropyLawError
        If there are none to read, or of several formats.
    """
    files: dict[Format, list[str]] = {}
    left_out = []
    for path, is_data in found:
        kind = named_format(path)
        if kind is None or not is_data or (given is not None and kind != given):
            left_out.append(path)
        else:
            files.setdefault(kind, []).append(path)
    if not files:
        wanted = ", ".join(ending for ending, kind in ENDINGS.items() if given in (None, kind))
        beside = f"; it holds {listed([relative(name, directory) for name in left_out])}" if left_out else ""
        remedy = "; name files, or a pattern such as DIR/*.txt, and their format (format=, --format)" if beside else ""
        raise EntropyLawError(f"{directory}: the directory holds no data files ({wanted}){beside}{remedy}")
    if len(files) > 1:
        example = f"{directory.rstrip('/')}/*{Path(max(files.values(), key=len)[0]).suffix}"
        kinds = " and ".join(f"{len(names)} of {kind}" for kind, names in files.items())
        raise EntropyLawError(
            f"{directory}: the directory holds files of several formats: {kinds}; name some: {example}, or the format "
            "(format=, --format)"
        )
    return next(iter(files.values())), left_out


def relative(file: str, directory: str) -> str:
    """What a file is called from a directory that it is in."""
    return file.removeprefix(f"{directory.rstrip('/')}/") if is_url(directory) else os.path.relpath(file, directory)


def _walked(directory: str) -> Iterator[tuple[str, bool]]:
    """The files in a directory and below, and whether they may be data."""
    queue = [directory]
    for path, entries in _directories(queue):
        if (only := _revision(path, entries)) is not None:
            queue.append(only)
            continue
        data = data_files(path, entries.keys(), lambda name, of=entries: Path(of[name].path).read_bytes())  # type: ignore[misc]
        for name, entry in entries.items():
            if name.startswith(HIDDEN):
                continue
            if _is_directory(entry):
                queue.append(entry.path)
            elif entry.is_symlink() or entry.is_file():
                # A link to nothing is a file that is missing, which whoever reads it will say.
                yield entry.path, not is_metadata(name) and (data is None or name in data)


def _directories(queue: list[str]) -> Iterator[tuple[str, dict[str, "os.DirEntry[str]"]]]:
    """The directories of a queue, to which more are added meanwhile, and what is in them; each once."""
    seen = set()
    for path in queue:
        entries = _entries(path)
        found = Path(path).stat()
        if (found.st_dev, found.st_ino) not in seen:
            seen.add((found.st_dev, found.st_ino))
            yield path, entries


def _entries(directory: str) -> dict[str, "os.DirEntry[str]"]:
    try:
        with os.scandir(directory) as entries:
            return {entry.name: entry for entry in sorted(entries, key=lambda entry: entry.name)}
    except OSError as error:
        raise EntropyLawError(f"{directory}: cannot be read: {error.strerror or error}") from None


def _is_directory(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # A link that leads in a circle, or where nobody may look.
        return False


def _revision(directory: str, entries: Mapping[str, "os.DirEntry[str]"]) -> str | None:
    """The one revision in a directory of the Hugging Face hub's cache; None if it is another directory."""
    if not {"blobs", "snapshots"} <= entries.keys():
        return None
    revisions = [entry.path for name, entry in _entries(entries["snapshots"].path).items() if _is_directory(entry)]
    if len(revisions) != 1:
        raise EntropyLawError(
            f"{directory}: is a cache of the Hugging Face hub with {len(revisions)} revisions; name one of them"
            + (f": {listed(revisions)}" if revisions else ", once it is fetched")
        )
    return revisions[0]


def data_files(directory: str, names: Collection[str], read: Callable[[str], bytes]) -> set[str] | None:
    """The data files that the metadata of ``datasets`` name; None if there are no such metadata.

    Of a directory, ``names`` are in it, and ``read`` gives what one of them holds.
    """
    check_no_table(directory, names, read)
    splits = [str(split) for split in _member(names, read, "dataset_dict.json", "splits")]
    if len(splits) > 1:
        raise EntropyLawError(
            f"{directory}: holds the splits {', '.join(map(repr, splits))}; name one of them: "
            f"{directory.rstrip('/')}/{splits[0]}"
        )
    files = _member(names, read, "state.json", "_data_files")
    data = [str(file.get("filename")) for file in files if isinstance(file, dict)]
    if missing := [name for name in data if name not in names]:
        raise EntropyLawError(f"{directory.rstrip('/')}/{missing[0]}: no such file, though state.json names it")
    return set(data) if data else None


def _member(names: Collection[str], read: Callable[[str], bytes], name: str, key: str) -> list[Any]:
    """A list that a file of metadata holds; empty if there is none, or the file is another one of that name."""
    if name not in names:
        return []
    try:
        found = json.loads(read(name))
    except EntropyLawError:
        # Storage can't be asked, which is no other kind of file.
        raise
    except (OSError, ValueError, RecursionError):
        return []
    value = found.get(key) if isinstance(found, dict) else None
    return value if isinstance(value, list) else []


def _matching(pattern: str) -> tuple[list[str], list[str]]:
    files = []
    left_out = []
    for match in sorted(_below(pattern) if "**" in Path(pattern).parts else glob.glob(pattern)):  # noqa: PTH207 - Path.glob takes no absolute patterns
        path = Path(match)
        if is_directory(path) or is_metadata(match) or not (path.is_symlink() or is_file(path)):
            left_out.append(match)
        else:
            files.append(match)
    if not files:
        other = f", but for {listed(left_out)}; name a file itself to read it" if left_out else ""
        raise EntropyLawError(f"{pattern}: no file matches{other}")
    return files, left_out


def _below(pattern: str) -> Iterator[str]:
    """The files that a pattern with ``**`` matches.

    ``glob`` would go round in circles where links lead back, and pass over directories that can't be read.
    """
    parts = Path(pattern).parts
    at = parts.index("**")
    base = str(Path(*parts[:at])) if at else ""
    roots = glob.glob(base) if glob.has_magic(base) else [base]  # noqa: PTH207
    for root in roots:
        queue = [root or "."] if is_directory(root or ".") else []
        for _, entries in _directories(queue):
            for entry in entries.values():
                if _is_directory(entry):
                    queue.append(entry.path)
                elif matches(Path(os.path.relpath(entry.path, root or ".")).parts, parts[at:]):
                    yield os.path.normpath(entry.path) if not root else entry.path


def matches(names: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the parts of a path match those of a pattern."""
    if not pattern or not names:
        return not names and all(part == "**" for part in pattern)
    if pattern[0] == "**":
        return matches(names, pattern[1:]) or (not names[0].startswith(".") and matches(names[1:], pattern))
    hidden = names[0].startswith(".") and not pattern[0].startswith(".")
    return not hidden and fnmatch(names[0], pattern[0]) and matches(names[1:], pattern[1:])


def splits_noted(directory: str, files: Sequence[str]) -> Iterator[tuple[int, str]]:
    """A note if the files are, by their names, both for training and for testing."""
    found = set()
    for file in files:
        parts = Path(relative(file, directory)).parts
        words = {part.replace("_", "-").replace(".", "-").split("-")[0].lower() for part in parts}
        found.update(words & {"train", *_HELD_OUT})
    if "train" in found and len(found) > 1:
        held = ", ".join(sorted(found - {"train"}))
        yield (
            logging.WARNING,
            f"{directory}: holds files named train and {held}, and all are read; name those that you want",
        )
