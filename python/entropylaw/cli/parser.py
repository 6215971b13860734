"""A parser that takes no option twice, may wait with some of them until it is asked, and whose help may be short.

argparse would quietly let the last one of two count.
"""

import argparse
import difflib
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from entropylaw.cli.terminal import ERROR_COLOUR, NO_COLOUR, has_colours


class Parser(argparse.ArgumentParser):
    """A parser of the command line; those of its commands are of the same kind."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.given: set[str] = set()
        """The options with values that were met so far."""
        for name in (None, "store"):
            self.register("action", name, _Once)
        self.common: tuple[str, ...] = ()
        """The names of the options that help shows, in its order; empty: all."""
        self._later: list[tuple[int, Callable[[], None]]] = []

    def add_later(self, add: Callable[[], None]) -> None:
        """Calls ``add`` when this parser is used: what it needs may take long to import. Groups that it adds come after
        those that there are now."""
        self._later.append((len(self._action_groups), add))

    def complete(self) -> None:
        """Adds what was to be added later."""
        later, self._later = self._later, []
        for at, add in later:
            before = len(self._action_groups)
            add()
            added = self._action_groups[before:]
            del self._action_groups[before:]
            self._action_groups[at:at] = added

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """See ``argparse``."""
        self.complete()
        self.given.clear()
        found, unknown = super().parse_known_args(args, namespace)
        # Here, and not where all commands come together, it is known what was meant, and whose help to show.
        if unknown and not any(isinstance(action, argparse._SubParsersAction) for action in self._actions):
            self.error(f"unrecognized arguments: {' '.join(unknown)}{self._remedy(unknown[0])}")
        return found, unknown

    def _remedy(self, unknown: str) -> str:
        """What to do about an argument that this parser does not know."""
        if not unknown.startswith("-"):
            lists = [action for action in self._actions if not action.option_strings and action.nargs == "+"]
            return f"; name every {lists[0].metavar} in one place, with no option between them" if lists else ""
        known = [option for action in self._actions for option in action.option_strings]
        close = difflib.get_close_matches(unknown.partition("=")[0], known, n=1, cutoff=0.75)
        every = "--help-all" if self.common else "--help"
        return f"; did you mean {close[0]}?" if close else f"; {every} lists what there is"

    def error(self, message: str) -> NoReturn:
        """Says what is wrong with a command line, and ends with exit code 2."""
        self.print_usage(sys.stderr)
        head = f"{self.prog}: error:"
        if has_colours(sys.stderr):
            head = f"{ERROR_COLOUR}{head}{NO_COLOUR}"
        self.exit(2, f"{head} {message}\n")

    def format_usage(self) -> str:
        """What a command needs at least, if its help is short; else all."""
        self.complete()
        if not self.common:
            return super().format_usage()
        formatter = self._short_formatter()
        formatter.add_usage(None, [action for action in self._actions if action.required], [])
        return formatter.format_help()

    def format_help(self) -> str:
        """The help, with the common options alone if there are some."""
        self.complete()
        if not self.common:
            return super().format_help()
        # Of an option and the `--no-...` that takes it back, the option, which is the first.
        by_name = {action.dest: action for action in reversed(self._actions)}
        common = [by_name[name] for name in self.common if name in by_name]
        asks = [action for action in self._actions if action.dest == "help" and action.help != argparse.SUPPRESS]
        arguments = [action for action in self._actions if not action.option_strings]
        more = sum(action.help != argparse.SUPPRESS for action in self._actions)
        more -= len(asks) + len(arguments) + len(common)
        formatter = self._short_formatter()
        formatter.add_usage(None, [action for action in self._actions if action.required], [])
        formatter.add_text(self.description)
        for title, actions in (("arguments", arguments), ("common options", [*common, *asks])):
            formatter.start_section(title)
            formatter.add_arguments(actions)
            formatter.end_section()
        formatter.add_text(f"and {more} more: --help-all")
        formatter.add_text(self.epilog)
        return formatter.format_help()

    def _short_formatter(self) -> argparse.HelpFormatter:
        prog = self.prog
        self.prog = f"{prog} [options]"
        try:
            return self._get_formatter()
        finally:
            self.prog = prog


class _Once(argparse._StoreAction):
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        if option_string is not None and isinstance(parser, Parser):
            if self.dest in parser.given:
                all_at_once = ", with all that it is to have" if self.nargs in ("+", "*") else ""
                raise argparse.ArgumentError(self, f"is given twice; give it once{all_at_once}")
            parser.given.add(self.dest)
        super().__call__(parser, namespace, values, option_string)
