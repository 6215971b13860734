"""Summaries on a terminal: with rich, if it is installed, in colours that tell a risk from a note."""

import sys
from collections.abc import Iterable

_STYLES = {"RISK": "bold red", "note": "yellow", "ok": "green"}
"""By the first word of a line."""


def print_lines(lines: Iterable[str]) -> None:
    """Prints a summary; where it does not go to a terminal, or without rich, as it is."""
    if sys.stdout.isatty():
        try:
            from rich.console import Console
        except ImportError:
            pass
        else:
            console = Console(soft_wrap=True, markup=False, emoji=False, highlight=False)
            for line in lines:
                console.print(line, style=_STYLES.get(line.partition(" ")[0]))
            return
    print("\n".join(lines))
