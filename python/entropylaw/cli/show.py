"""``entropylaw show``."""

import argparse
import contextlib
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from entropylaw.cli.pool import add_pool, load_pool
from entropylaw.cli.terminal import print_json, print_lines

if TYPE_CHECKING:
    from entropylaw.pool import Pool

_EPILOG = """
examples:
  entropylaw show pool.jsonl
  entropylaw show shards/*.parquet -n 2 --field response

What is listed as unread is in the records, and not in the samples: a trainer may read it. A template
(--render '{{ question }} {{ answer }}') makes samples of whatever members it names.
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the parser."""
    show = commands.add_parser(
        "show",
        help="show what is sized of a pool's records, and what is not",
        description="Show a pool's schema, its first samples as they are sized, and what of its records is not.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_pool(show)
    show.add_argument("-n", "--samples", type=int, default=3, metavar="N", help="samples to show [%(default)s]")
    show.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Runs the command."""
    if arguments.samples < 0:
        from entropylaw.errors import EntropyLawError

        raise EntropyLawError(f"samples is {arguments.samples}; it must be at least 0")
    with _unread_apart():
        pool = load_pool(arguments, arguments.render)
    if arguments.json:
        print_json(_as_dict(pool, arguments.samples))
    else:
        print_lines(_lines(pool, arguments.samples))


@contextlib.contextmanager
def _unread_apart() -> Iterator[None]:
    """Keeps back the note of what is left unread while a pool is read: all of it is about to be shown."""
    from entropylaw.pool.builder import UNREAD_NOTE

    logger = logging.getLogger("entropylaw")

    def others(record: logging.LogRecord) -> bool:
        return record.msg != UNREAD_NOTE

    logger.addFilter(others)
    try:
        yield
    finally:
        logger.removeFilter(others)


def _as_dict(pool: "Pool", count: int) -> dict[str, Any]:
    return {
        "samples": len(pool),
        "bytes": len(pool.data),
        "schema": pool.schema,
        "unread": [
            member._asdict() | {"share": share} for member, share in zip(pool.unread, pool.unread_shares(), strict=True)
        ],
        "skipped": list(pool.skipped),
        "first": [
            {"where": pool.records.where(index), "sample": pool.sample(index).decode(errors="replace")}
            for index in range(min(count, len(pool)))
        ],
    }


def _lines(pool: "Pool", count: int) -> Iterator[str]:
    yield f"pool      {len(pool):,} samples, {len(pool.data):,} bytes"
    yield f"schema    {pool.schema or 'none: the rendering needs none'}"
    if pool.skipped:
        yield f"skipped   {len(pool.skipped):,} records, the first: {pool.skipped[0]}"
    from entropylaw.pool.unread import counted

    width = max((len(member.member) for member in pool.unread), default=0)
    for number, (member, share) in enumerate(zip(pool.unread, pool.unread_shares(), strict=True)):
        begin = "" if number else "unread"
        yield f"{begin:<10}{member.member:<{width}}  {share:6.1%} of the text, in {counted(member.records)}"
    for index in range(min(count, len(pool))):
        sample = pool.sample(index)
        yield f"sample    {pool.records.where(index)}, {len(sample):,} bytes:"
        # A line for each line of the sample: what else breaks lines is shown as an escape.
        yield from (f"  | {line}" for line in sample.decode(errors="replace").split("\n"))
