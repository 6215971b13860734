"""What is shown: errors and warnings in colour on a terminal, and summaries there with rich, if it is installed.

Whatever the data hold, a line stays one line and commands no terminal. A standard output that takes no more, such as
one that goes to a full disk, is an error of one line; one that lacks a character gets its escape.
"""

import contextlib
import json
import logging
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from typing import IO, Any, TextIO

from entropylaw.display import display
from entropylaw.errors import EntropyLawError
from entropylaw.output import say_placed

ERROR_COLOUR = "\x1b[1;31m"
NO_COLOUR = "\x1b[0m"

_COLOURS = ((logging.ERROR, ERROR_COLOUR), (logging.WARNING, "\x1b[33m"))
"""Bold red and yellow, by the level that they begin at."""

_STYLES = {"RISK": "bold red", "note": "yellow", "ok": "green"}
"""By the first word of a line."""


def print_lines(lines: Iterable[str], stream: TextIO | None = None) -> None:
    """Prints a summary, to standard output unless told otherwise; to no terminal, or without rich, as it is."""
    shown = [display(line) for line in lines]
    stream = stream or sys.stdout
    with _explained(stream):
        if stream.isatty():
            try:
                from rich.console import Console
            except ImportError:
                pass
            else:
                console = Console(file=stream, soft_wrap=True, markup=False, emoji=False, highlight=False)
                for line in shown:
                    console.print(line, style=_STYLES.get(line.partition(" ")[0]))
                return
        print("\n".join(shown), file=stream)


def print_json(value: Any, stream: TextIO | None = None) -> None:
    """Prints a summary for programs; what can't be shown, or the stream can't hold, is an escape of JSON."""
    stream = stream or sys.stdout
    text = json.dumps(value, indent=1, ensure_ascii=False)
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=1)
    if not text.replace("\n", "").isprintable():
        text = "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
    with _explained(stream):
        print(text, file=stream)


def print_text(text: str) -> None:
    """Prints text that is for a file, as it is."""
    with _explained(sys.stdout):
        sys.stdout.write(text)


def print_file(file: IO[bytes]) -> None:
    """Copies a file, from its start, to standard output: what is written to ``-``."""
    file.seek(0)
    with _explained(sys.stdout):
        sys.stdout.flush()
        part = "a part of standard output"
        say_placed(part)
        shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        say_placed("standard output", instead_of=part)


def flush() -> None:
    """Has standard output take what it was given."""
    with _explained(sys.stdout):
        pass


@contextlib.contextmanager
def streams() -> Iterator[None]:
    """Makes standard streams that take any text, and that are there, for the time of the block."""
    # First those that are closed, or the next file that is opened would be one of them.
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY), "r")
    if sys.stdout is None:
        # It refuses what is written to it, as a closed one does.
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    stream: Any = sys.stdout
    errors = getattr(stream, "errors", None)
    takes_all = errors is not None and hasattr(stream, "reconfigure")
    if takes_all:
        stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        if takes_all:
            with contextlib.suppress(OSError, ValueError):
                stream.reconfigure(errors=errors)
        try:
            sys.stderr.flush()
        except (OSError, ValueError):
            drop(sys.stderr)


def drop(stream: TextIO) -> None:
    """Has what a stream could not take forgotten; Python would complain once more when it flushes at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def say(text: str, level: int = logging.INFO) -> None:
    """Says a line on standard error; if that takes no more, there is nobody to tell."""
    with contextlib.suppress(OSError, ValueError):
        print(labelled(text, level, sys.stderr), file=sys.stderr)


def labelled(text: str, level: int, stream: TextIO) -> str:
    """A message as one line that begins with this program's name, in the colour of its level if the stream has colours.

    Whatever the message quotes, nothing but that colour commands the terminal.
    """
    name, line = "entropylaw:", display(text)
    colour = next((code for least, code in _COLOURS if level >= least), None)
    if colour and has_colours(stream):
        name = f"{colour}{name}{NO_COLOUR}"
    return f"{name} {line}"


def has_colours(stream: TextIO) -> bool:
    """Whether a stream is a terminal with colours, and nobody asked for none (no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    try:
        return stream.isatty()
    except ValueError:
        return False


@contextlib.contextmanager
def _explained(stream: TextIO) -> Iterator[None]:
    try:
        yield
        stream.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        drop(stream)
        reason = getattr(error, "strerror", None) or error
        name = "standard error" if stream is sys.stderr else "standard output"
        raise EntropyLawError(f"{name}: cannot be written: {reason}") from None
