"""``--storage-option`` of every command: what the storage that URLs name needs to know."""

import argparse

from entropylaw.storage.options import parsed, using

HELP = "for URLs: an option of the storage, such as anon=true or s3.endpoint_url=URL; may be repeated"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the option to every command that is there."""
    from entropylaw.cli.config import leaves

    for parser in leaves(commands):
        parser.add_argument("--storage-option", action="append", metavar="NAME=VALUE", help=HELP)


def run(arguments: argparse.Namespace) -> int | None:
    """Runs a command with the options that it was given."""
    with using(parsed(getattr(arguments, "storage_option", None) or [])):
        code: int | None = arguments.run(arguments)
    return code
