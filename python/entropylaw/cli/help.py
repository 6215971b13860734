"""Help in two lengths: ``--help`` has the options that most people need, ``--help-all`` every one, by groups."""

import argparse
from typing import Any, NoReturn

from entropylaw.cli.parser import Parser

COMMON = {
    "select": (
        "output",
        "budget",
        "method",
        "target",
        "group_by",
        "balance",
        "quota",
        "dedupe",
        "length_band",
        "ratio_band",
        "report",
    ),
    "score": ("output", "target", "field", "schema", "json", "quiet"),
    "ratio": ("codec", "quick", "group_by", "shuffle", "show", "field", "report", "json", "quiet"),
    "compare": ("codec", "group_by", "shuffle", "field", "report", "json", "quiet"),
    "law check": ("law", "data", "log", "against", "tolerance", "report", "json", "quiet"),
}
"""What ``--help`` shows of the commands with many options, in this order; of the others it shows all."""


def shorten(parser: argparse.ArgumentParser, name: str = "") -> None:
    """Gives a parser, and those of its commands, ``--help-all``."""
    commands = next((action for action in parser._actions if isinstance(action, argparse._SubParsersAction)), None)
    if isinstance(parser, Parser):
        parser.common = COMMON.get(name, ())
    shown = "show all options and exit" if name in COMMON else argparse.SUPPRESS
    parser.add_argument("--help-all", action=_HelpAll, nargs=0, dest="help", default=argparse.SUPPRESS, help=shown)
    for command, inner in commands.choices.items() if commands else ():
        shorten(inner, f"{name} {command}".strip())


class _HelpAll(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        if isinstance(parser, Parser):
            parser.common = ()
        parser.print_help()
        parser.exit()
