"""``entropylaw compare``."""

import argparse
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from entropylaw.cli.files import check_files
from entropylaw.cli.pool import add_reading, progress_line
from entropylaw.cli.ratio import add_measures, as_dict
from entropylaw.cli.report import add_report, check_report, write_report
from entropylaw.cli.terminal import print_json, print_lines
from entropylaw.display import display

if TYPE_CHECKING:
    from entropylaw.comparing import Comparison, Version
    from entropylaw.report import Page

_GROUPS = 30
_EPILOG = """
examples:
  entropylaw compare v1.jsonl v2.jsonl
  entropylaw compare x1.jsonl x2.jsonl x3.jsonl --shuffle 0 --report versions.html

A version is a file, a pattern in quotes, or a directory. docs/measuring.md says what each number means.
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the parser."""
    compare = commands.add_parser(
        "compare",
        help="compare versions of a data set, and what each adds",
        description="Versions of a data set side by side: size, R, repeated samples, groups, and what each version "
        "adds to the ones before.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    compare.add_argument("versions", nargs="+", metavar="VERSION", help="two or more data sets, oldest first")
    add_reading(compare)
    add_measures(compare)
    add_report(compare)
    compare.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Runs the command."""
    from entropylaw.comparing import compare

    check_files(arguments)
    check_report(arguments)
    with progress_line(arguments) as progress:
        result = compare(
            *arguments.versions,
            codecs=arguments.codec.split(","),
            shuffle=arguments.shuffle,
            render=arguments.render,
            schema=arguments.schema,
            field=arguments.field,
            group_by=arguments.group_by,
            on_error=arguments.on_error,
            format=arguments.format,
            memory=arguments.memory,
            threads=arguments.threads,
            progress=progress,
        )

    def page() -> "Page":
        from entropylaw.report.measures import comparison_page

        return comparison_page(result)

    write_report(arguments, page)
    if arguments.json:
        print_json([_as_dict(version) for version in result.versions])
    else:
        print_lines(_lines(result))


def _as_dict(version: "Version") -> dict[str, Any]:
    row: dict[str, Any] = {"name": version.name, **as_dict(version.ratio)}
    if novelty := version.novelty:
        row["novelty"] = {
            "samples_seen": novelty.samples_seen,
            "share_seen": novelty.samples_seen / version.ratio.samples,
            "bits_per_byte": novelty.bits,
            "new_ngrams": novelty.ngrams,
        }
    return row


def _lines(result: "Comparison") -> Iterator[str]:
    width = max(12, *(len(_short(version.name)) for version in result.versions))
    first = max([26, *(len(_short(name)) for name in result.groups[:_GROUPS])])

    def row(title: str, values: Iterable[str]) -> str:
        return f"{title:<{first}}" + "".join(f"  {value:>{width}}" for value in values)

    names = [_short(version.name) for version in result.versions]
    yield row("", names)
    for title, values in result.table():
        yield row(title, values)
    if result.groups:
        yield ""
        yield row("share of samples, R", names)
        for name in result.groups[:_GROUPS]:
            yield row(_short(name) or "(none)", (_group(version, name) for version in result.versions))
        if len(result.groups) > _GROUPS:
            yield f"and {len(result.groups) - _GROUPS} groups more: --json has them"
    yield f"R = bytes / compressed bytes, one stream a version, order: {result.order}"


def _group(version: "Version", name: str) -> str:
    part = version.ratio.by_source.get(name)
    return "-" if part is None else f"{part.samples / version.ratio.samples:.1%} {part.ratio:.2f}"


def _short(name: str, most: int = 40) -> str:
    """A name on one line, its end if it is long."""
    shown = display(name)
    return shown if len(shown) <= most else f"…{shown[-most + 1 :]}"
