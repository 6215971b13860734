"""What the commands that read a pool have in common."""

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from entropylaw.methods import Method
    from entropylaw.pool import Pool
    from entropylaw.progress import ProgressLine


def add_pool(parser: argparse.ArgumentParser) -> None:
    """Adds the pool, how to read it, and what every such command takes."""
    parser.add_argument(
        "pool",
        nargs="+",
        metavar="POOL",
        help="files (JSON Lines, JSON, CSV, also gzip, zstd, bzip2 or xz; Parquet, Arrow), patterns, directories, or "
        "URLs of these (s3://, hf://, ...); - for standard input",
    )
    add_reading(parser)


def add_reading(parser: argparse.ArgumentParser, rendering: str = "%(default)s") -> None:
    """Adds how to read a pool, and what every such command takes; ``rendering`` is what the usual one is called."""
    parser.add_argument(
        "--render",
        default="text",
        metavar="WHAT",
        help="what is sized: text, json (the record as it is stored), a Jinja template such as '{{ question }} "
        f"{{{{ answer }}}}', or a file of one (.jinja) [{rendering}]",
    )
    parser.add_argument(
        "--schema", help="preference, sharegpt, openai, alpaca, completion, text, dialogue or string [detected]"
    )
    parser.add_argument(
        "--field", help="the field that holds the text, instead of a schema; a.b for one inside another"
    )
    parser.add_argument(
        "--on-error", choices=["raise", "skip"], default="raise", help="records that can't be read [%(default)s]"
    )
    parser.add_argument(
        "--format",
        choices=["json", "csv", "tsv", "parquet", "arrow"],
        help="what the files hold, whatever their names, such as CSV on standard input [by name and content]",
    )
    parser.add_argument(
        "--memory",
        default="2GB",
        metavar="SIZE",
        help="text held in memory, and twice as much of what coverage makes of it; more lies in files [%(default)s]",
    )
    parser.add_argument("--threads", type=int, metavar="N", help="how many to use [all]")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress, no notes")


def load_pool(
    arguments: argparse.Namespace,
    render: Any,
    paths: list[str] | None = None,
    *,
    group_by: str = "source",
    numbers: Sequence[str] = (),
    beside: bool = False,
) -> "Pool":
    """Reads the pool, or other files in the same way; of files ``beside`` it, ``--format`` is what no name tells."""
    from entropylaw.pool import load
    from entropylaw.pool.load import unless_named

    with progress_line(arguments) as progress:
        return load(
            arguments.pool if paths is None else paths,
            render=render,
            schema=arguments.schema,
            field=arguments.field,
            on_error=arguments.on_error,
            format=unless_named(paths, arguments.format) if beside else arguments.format,
            group_by=group_by,
            numbers=numbers,
            paths=True,
            memory=arguments.memory,
            threads=arguments.threads,
            progress=progress,
        )


def with_beside(
    arguments: argparse.Namespace, method: "Method", controls: Mapping[str, Any]
) -> tuple["Method", dict[str, Any]]:
    """Method and controls with what is read beside the pool: the method's data, an anchor, a benchmark."""
    from entropylaw.asked import with_data

    rendering = method.rendering(arguments.render, arguments.schema, arguments.field)
    beside = {
        name: load_pool(arguments, rendering, paths, beside=True)
        for name in ("anchor", "benchmark")
        if (paths := getattr(arguments, name))
    }
    method = with_data(method, lambda _, files: load_pool(arguments, rendering, files, beside=True))
    return method, {**controls, **beside}


def progress_line(arguments: argparse.Namespace, budget: int | None = None) -> "ProgressLine":
    """The progress that a terminal shows."""
    from entropylaw.progress import ProgressLine

    return ProgressLine(budget=budget, quiet=arguments.quiet)
