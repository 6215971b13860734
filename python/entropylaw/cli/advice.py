"""What ``entropylaw select`` says to somebody who has named no method."""

import argparse

from entropylaw.cli.terminal import say

ADVISED = "--method random --balance 0.5 --dedupe --length-band 50: --ratio-band 1.1:8"
"""What docs/which-method.md advises for training data."""

UNLABELLED = "--method random --dedupe --length-band 50:800 --ratio-band 1.1:8"
"""The same where records do not say where they come from."""


class _Unnamed(str):
    """A default that can be told from the same word on the command line or in a file of options."""


ZIP_UNLESS_NAMED = _Unnamed("zip")


def advise(arguments: argparse.Namespace) -> None:
    """Says in one line what was taken for a method, and what would be better for most, if none was named."""
    if arguments.method is ZIP_UNLESS_NAMED and getattr(arguments, "preset", None) is None and not arguments.quiet:
        say(
            "no --method: selects by zip, the paper's, which lowers R and prefers short, noisy samples; "
            f"for training data we advise {ADVISED} (entropylaw select --help)"
        )
    arguments.method = str(arguments.method)
