"""Options of methods as arguments of a command: made of what each method declares."""

import argparse
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from entropylaw.cli.parser import Parser
    from entropylaw.methods.option import Option


def add_methods(parser: "Parser", method: argparse.Action) -> None:
    """Adds the options of all methods, and their names to the argument ``method``."""
    from entropylaw.methods import methods
    from entropylaw.methods.registry import options_by_methods

    found = methods()
    method.choices = list(found)
    for names, options in options_by_methods(found).items():
        *most, last = names
        group = parser.add_argument_group(f"options of {', '.join(most)} and {last}" if most else f"options of {last}")
        add_options(group, options)


def add_options(group: "argparse._ArgumentGroup", options: "Iterable[Option]") -> None:
    """Adds options."""
    for option in options:
        flag = f"--{option.name.replace('_', '-')}"
        shown = f" [{option.shown}]" if option.shown and option.kind is not bool else ""
        text = (option.what + shown).replace("%", "%%")
        if option.is_data:
            group.add_argument(flag, nargs="+", metavar="FILE", help=text)
        elif option.kind is bool:
            group.add_argument(flag, action=argparse.BooleanOptionalAction, help=text)
        elif option.kind is str:
            group.add_argument(flag, choices=option.words or None, help=text)
        elif option.words:
            group.add_argument(flag, type=_number_or(option), metavar="X", help=text)
        else:
            number = int if option.kind is int else float
            group.add_argument(flag, type=number, metavar="N" if number is int else "X", help=text)


def given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options of methods that were given; of data, the files."""
    from entropylaw.methods import methods
    from entropylaw.methods.option import options_of

    return {
        option.name: value
        for method in methods().values()
        for option in options_of(method)
        if (value := getattr(arguments, option.name, None)) is not None
    }


def _number_or(option: "Option") -> Callable[[str], Any]:
    """What makes a number of an argument, unless it is one of the option's words."""

    def number(text: str) -> Any:
        if text in option.words:
            return text
        try:
            return (option.kind or float)(text)
        except ValueError:
            words = " or ".join(map(repr, option.words))
            raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor {words}") from None

    return number
