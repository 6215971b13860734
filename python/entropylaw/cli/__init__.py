"""The command ``entropylaw``: a module for each of its commands."""

import argparse
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn

from entropylaw.cli import compare, config, law, ratio, replay, score, select
from entropylaw.cli.parser import Parser
from entropylaw.errors import EntropyLawError

# Heavy imports wait until a command needs them: `--help` and a usage error answer at once.

_EXIT_ERROR = 2
_EXIT_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code: its own, 2 for input or parameters to mend, 130 when interrupted."""
    argv = list(sys.argv[1:] if argv is None else argv)
    parser, commands = _parser()
    if code := command(lambda: config.read(commands, argv)):
        return code
    arguments = parser.parse_args(argv)
    return command(lambda: arguments.run(arguments), quiet=arguments.quiet)


def command(run: Callable[[], int | None], quiet: bool = False) -> int:
    """Runs ``run``, which may return an exit code; what a user can mend becomes one line on standard error."""
    try:
        with _exits_on_sigterm(), _messages(quiet):
            return run() or 0
    except EntropyLawError as error:
        print(f"entropylaw: {error}", file=sys.stderr)
        return _EXIT_ERROR
    except MemoryError:
        print("entropylaw: out of memory; select from a smaller pool, or from fewer files at a time", file=sys.stderr)
        return _EXIT_ERROR
    except KeyboardInterrupt:
        print("entropylaw: interrupted; nothing was written", file=sys.stderr)
        return _EXIT_INTERRUPTED
    except BrokenPipeError:
        # Who reads the output has closed it. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> "tuple[argparse.ArgumentParser, argparse._SubParsersAction[argparse.ArgumentParser]]":
    parser: argparse.ArgumentParser = Parser(
        prog="entropylaw", description="Select LLM training data by compression ratio, and measure it."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (select, replay, score, ratio, compare, law):
        module.add(commands)
    config.add(commands)
    return parser, commands


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from entropylaw import __version__

        print(f"entropylaw {__version__}")
        parser.exit()


@contextlib.contextmanager
def _exits_on_sigterm() -> Iterator[None]:
    """Lets SIGTERM unwind like an exception, so that temporary files are removed."""

    def leave(*_: object) -> NoReturn:
        sys.exit(128 + signal.SIGTERM)

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
    handler.setFormatter(logging.Formatter("entropylaw: %(message)s"))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
