"""``entropylaw completion``: what makes a shell complete commands, options and their values."""

import argparse
import functools

from entropylaw.cli.files import READ, WRITTEN
from entropylaw.cli.parser import Parser
from entropylaw.cli.terminal import print_text
from entropylaw.errors import EntropyLawError

_EPILOG = """
for this shell, or, in its start-up file, for every one:
  eval "$(entropylaw completion bash)"
  eval "$(entropylaw completion zsh)"          # after compinit
  entropylaw completion fish | source
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", parser: argparse.ArgumentParser) -> None:
    """Adds the command to the parser, of which all that is in it when the command runs is completed."""
    completion = commands.add_parser(
        "completion",
        help="print what makes a shell complete this command",
        description="Print a script that makes a shell complete commands, options and their values.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    completion.add_argument("shell", choices=["bash", "zsh", "fish"], help="the shell")
    completion.set_defaults(run=functools.partial(run, parser), quiet=False)


def run(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Runs the command."""
    try:
        import shtab
    except ImportError:
        raise EntropyLawError(
            "the scripts are made by shtab, which is not installed: pip install 'entropylaw[completion]'"
        ) from None
    _complete_files(parser, shtab.FILE)
    print_text(shtab.complete(parser, shell=arguments.shell) + "\n")


def _complete_files(parser: argparse.ArgumentParser, how: object) -> None:
    """Marks what takes the name of a file, in a parser and those of its commands, with all of their options."""
    if isinstance(parser, Parser):
        parser.complete()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                _complete_files(inner, how)
        elif action.dest in READ or action.dest in WRITTEN:
            action.complete = how  # type: ignore[attr-defined]
