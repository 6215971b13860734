"""The command ``entropylaw``: a module for each of its commands."""

import argparse
import contextlib
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn, TextIO

from entropylaw.cli import compare, completion, config, law, ratio, replay, score, select, show, storage
from entropylaw.cli.files import check_names
from entropylaw.cli.help import shorten
from entropylaw.cli.parser import Parser
from entropylaw.cli.terminal import drop, flush, labelled, print_lines, say, streams
from entropylaw.errors import EntropyLawError
from entropylaw.output import placed_files

# Heavy imports wait until a command needs them: `--help` and a usage error answer at once. Only the options of methods
# can't be known without the methods.

_EXIT_ERROR = 2
_EXIT_INTERRUPTED = 130
_EXIT_CLOSED = 1

_SHOWN_FILES = 4


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code: its own, 2 for input or parameters to mend, 130 when interrupted."""
    argv = list(sys.argv[1:] if argv is None else argv)
    parser, commands = _parser()
    arguments = argparse.Namespace()

    def parse() -> None:
        config.read(commands, argv)
        parser.parse_args(argv, arguments)
        check_names(arguments)

    if code := command(parse):
        return code
    return command(lambda: storage.run(arguments), quiet=arguments.quiet)


def command(run: Callable[[], int | None], quiet: bool = False) -> int:
    """Runs ``run``, which may return an exit code; what a user can mend becomes one line on standard error.

    That line also says which files are in their places already, if the run got that far.
    """
    try:
        return _told(run, quiet)
    except KeyboardInterrupt:
        # All was said already.
        return _EXIT_INTERRUPTED


def _told(run: Callable[[], int | None], quiet: bool) -> int:
    with streams(), placed_files() as placed:
        try:
            with _exits_on_sigterm(), _messages(quiet):
                try:
                    code = run() or 0
                except SystemExit:
                    # Help is written by who parses the command line, to an output that may be full.
                    flush()
                    raise
                flush()
                return code
        except EntropyLawError as error:
            return _end(_EXIT_ERROR, str(error), placed)
        except MemoryError:
            said = "out of memory; select from a smaller pool, or from fewer files at a time"
            return _end(_EXIT_ERROR, said, placed)
        except KeyboardInterrupt:
            return _end(_EXIT_INTERRUPTED, "interrupted", placed or ["nothing"])
        except _TerminatedError:
            return _end(128 + signal.SIGTERM, "terminated", placed or ["nothing"])
        except BrokenPipeError:
            # Who reads the output has closed it, which is no fault.
            drop(sys.stdout)
            return _end(_EXIT_CLOSED, "standard output was closed", placed) if placed else _EXIT_CLOSED
        except OSError as error:
            # Files that a user has named have messages of their own.
            said = f"temporary files cannot be used: {error.strerror or error}; make room, or set TMPDIR"
            return _end(_EXIT_ERROR, said, placed)


def _end(code: int, said: str, placed: list[str]) -> int:
    """Says why a run ended, and what it has written; returns ``code``."""
    if placed:
        more = f" and {len(placed) - _SHOWN_FILES:,} more" if len(placed) > _SHOWN_FILES else ""
        was = "was" if len(placed) == 1 else "were"
        said = f"{said}; {', '.join(placed[:_SHOWN_FILES])}{more} {was} written"
    say(said, logging.ERROR)
    return code


class _TerminatedError(SystemExit):
    """SIGTERM came."""


def _parser() -> "tuple[argparse.ArgumentParser, argparse._SubParsersAction[argparse.ArgumentParser]]":
    parser: argparse.ArgumentParser = Parser(
        prog="entropylaw", description="Select LLM training data by compression ratio, and measure it."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (select, replay, show, score, ratio, compare, law):
        module.add(commands)
    storage.add(commands)
    completion.add(commands, parser)
    config.add(commands)
    shorten(parser)
    return parser, commands


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from entropylaw import __version__

        print_lines([f"entropylaw {__version__}"])
        parser.exit()


@contextlib.contextmanager
def _exits_on_sigterm() -> Iterator[None]:
    """Lets SIGTERM unwind like an exception, so that temporary files are removed."""

    def leave(*_: object) -> NoReturn:
        raise _TerminatedError

    try:
        before = signal.signal(signal.SIGTERM, leave)
    except ValueError:
        # Not the main thread: somebody calls `main` from a program of theirs.
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _messages(quiet: bool) -> Iterator[None]:
    """Shows the library's messages on standard error."""
    logger = logging.getLogger("entropylaw")
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine(handler.stream))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


class _OneLine(logging.Formatter):
    """Messages on one line each, whatever they quote."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def format(self, record: logging.LogRecord) -> str:
        return labelled(super().format(record), record.levelno, self._stream)
