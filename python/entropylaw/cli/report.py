"""What the commands that can write a report have in common."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from entropylaw.report import Page


def add_report(parser: argparse._ActionsContainer) -> None:
    """Adds where to write a report and its figures, and whether to replace what is there."""
    parser.add_argument("--report", metavar="HTML", help="write a report, one file to open in a browser")
    parser.add_argument("--plot", metavar="FIGURE", help="write its charts as a figure (.png, .svg)")
    parser.add_argument("--force", action="store_true", help="replace output files that exist")


def check_report(arguments: argparse.Namespace) -> None:
    """Finds out before the work whether they can be written."""
    if arguments.report is not None or arguments.plot is not None:
        from entropylaw.report import check_report as check

        check(arguments.report, arguments.plot, arguments.force)


def write_report(arguments: argparse.Namespace, page: "Callable[[], Page]") -> None:
    """Writes what was asked for; makes the page only then."""
    if arguments.report is None and arguments.plot is None:
        return
    from entropylaw.report import write_plot
    from entropylaw.report import write_report as write

    made = page()
    if arguments.report is not None:
        write(made, arguments.report, force=arguments.force)
    if arguments.plot is not None:
        write_plot(made, arguments.plot, force=arguments.force)
