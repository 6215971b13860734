"""A parser that takes no option twice: argparse would quietly let the last one count."""

import argparse
from collections.abc import Sequence
from typing import Any


class Parser(argparse.ArgumentParser):
    """A parser of the command line; those of its commands are of the same kind."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.given: set[str] = set()
        """The options with values that were met so far."""
        for name in (None, "store"):
            self.register("action", name, _Once)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """See ``argparse``."""
        self.given.clear()
        return super().parse_known_args(args, namespace)


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
