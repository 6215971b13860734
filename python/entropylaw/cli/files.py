"""Which of the arguments name files: what a command reads, and what it writes."""

import argparse
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from entropylaw.errors import EntropyLawError
from entropylaw.places import is_file
from entropylaw.storage.urls import is_url
from entropylaw.targets import STANDARD, File, check_name, check_targets


def _paths(given: Any, format: Any = None) -> Iterator[str]:
    """The files that paths, patterns and directories stand for; of directories, those of ``format``, if given."""
    from entropylaw.pool.paths import expanded

    for path in [given] if isinstance(given, str) else given:
        yield from (os.fspath(file) for file in expanded([path], format).paths)


def _plain(given: Any, format: Any = None) -> Iterator[str]:
    yield from [given] if isinstance(given, str) else given


def _template(given: str, format: Any = None) -> Iterator[str]:
    from entropylaw.pool.template import template_text

    if template_text(given) not in (None, given):
        yield given


def _tokenizer(given: str, format: Any = None) -> Iterator[str]:
    if given.endswith(".json") and (is_url(given) or is_file(given)):
        yield given


READ: dict[str, tuple[str, Callable[[Any, Any], Iterable[str]]]] = {
    "pool": ("a file of the pool", _paths),
    "anchor": ("a file of the anchor", _paths),
    "target": ("a file of the target", _paths),
    "benchmark": ("a file of the benchmark", _paths),
    "versions": ("a file of a version", _paths),
    "data": ("a file of the data", _paths),
    "render": ("the template", _template),
    "tokens": ("the tokenizer", _tokenizer),
    "config": ("the file of options", _plain),
    "manifest": ("the manifest to repeat", _plain),
    "runs": ("the runs", _plain),
    "law": ("the law", _plain),
    "log": ("a training log", _plain),
    "logs": ("a training log", _plain),
}
"""The arguments, of all commands, that name files to read: what they are, and how to find them."""

WRITTEN = {"output": "the output", "report": "the report", "plot": "the figure"}
"""Those that name files to write, but for the directory ``checkpoint``."""


_NAMES = {
    **{name: what for name, (what, files) in READ.items() if files in (_paths, _plain)},
    **WRITTEN,
    "checkpoint": "the directory of the checkpoint",
}


def check_names(arguments: argparse.Namespace) -> None:
    """Refuses empty names of files and directories, whatever the command.

    Raises
    ------
    EntropyLawError
        If one is.
    """
    for name, what in _NAMES.items():
        given = getattr(arguments, name, None)
        for path in [given] if isinstance(given, str) else given or ():
            check_named(path, what)


def check_named(path: str, what: str) -> None:
    """Refuses an empty name: it would be taken for the working directory, or for none.

    Raises
    ------
    EntropyLawError
        If it is empty; ``what`` it would be the name of.
    """
    if not path:
        raise EntropyLawError(
            f"the name of {what} is empty, as a variable of the shell is that is not set; name it, or leave it out"
        )


def inputs(arguments: argparse.Namespace) -> list[File]:
    """The files that a command reads."""
    return [
        File(path, what)
        for name, (what, files) in READ.items()
        if (given := getattr(arguments, name, None))
        for path in files(given, getattr(arguments, "format", None))
    ]


def written(arguments: argparse.Namespace, *names: str) -> list[File]:
    """The files that a command writes by these arguments, and standard output if that is a file.

    Raises
    ------
    EntropyLawError
        If one of them would be standard output.
    """
    files = [File(path, WRITTEN[name]) for name in names if (path := getattr(arguments, name, None)) is not None]
    for file in files:
        check_name(file.path)
    # If the records go there, the summary does not.
    return files if getattr(arguments, "output", None) == STANDARD else [File(STANDARD, "what is printed"), *files]


def check_files(arguments: argparse.Namespace) -> None:
    """Finds out before the work whether a command that writes these files alone would touch others."""
    check_targets(written(arguments, *WRITTEN), inputs(arguments))
