"""A parser that takes no option twice, and may wait with some of them until it is asked.

argparse would quietly let the last one of two count.
"""

import argparse
from collections.abc import Callable, Sequence
from typing import Any


class Parser(argparse.ArgumentParser):
    """A parser of the command line; those of its commands are of the same kind."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.given: set[str] = set()
        """The options with values that were met so far."""
        for name in (None, "store"):
            self.register("action", name, _Once)
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
        return super().parse_known_args(args, namespace)

    def format_help(self) -> str:
        """See ``argparse``."""
        self.complete()
        return super().format_help()


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
