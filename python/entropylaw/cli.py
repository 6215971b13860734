"""The command ``entropylaw``."""

import argparse
import contextlib
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from entropylaw.errors import EntropyLawError

if TYPE_CHECKING:
    from entropylaw.measuring import Ratio
    from entropylaw.pool import Pool
    from entropylaw.progress import ProgressLine
    from entropylaw.results import Selection

# Heavy imports wait until a command needs them: `--help` and a usage error answer at once.

_EXIT_ERROR = 2
_EXIT_INTERRUPTED = 130
_SHOWN_SOURCES = 12

_SELECT_EPILOG = """
examples:
  entropylaw select pool.jsonl -o subset.jsonl --budget 10000
  entropylaw select shard-*.jsonl.zst -o subset.jsonl.gz --budget 10% --field response
  entropylaw select pool.json -o subset.jsonl --budget 1000 --preset reference
  entropylaw select pool.jsonl -o subset.jsonl --budget 50MB --method coverage

The records come out byte for byte, one a line, in pick order; <OUT>.manifest.json says how they were chosen.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code: 0, 2 for input or parameters to mend, 130 when interrupted."""
    arguments = _parser().parse_args(argv)
    return command(lambda: arguments.run(arguments), quiet=arguments.quiet)


def command(run: Callable[[], object], quiet: bool = False) -> int:
    """Runs ``run``; what a user can mend becomes one line on standard error, not a traceback."""
    try:
        with _exits_on_sigterm(), _messages(quiet):
            run()
    except EntropyLawError as error:
        print(f"entropylaw: {error}", file=sys.stderr)
        return _EXIT_ERROR
    except MemoryError:
        print("entropylaw: out of memory; select from a smaller pool, or from fewer files at a time", file=sys.stderr)
        return _EXIT_ERROR
    except KeyboardInterrupt:
        print("entropylaw: interrupted; nothing was written", file=sys.stderr)
        return _EXIT_INTERRUPTED
    except BrokenPipeError:
        # Who reads the output has closed it. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="entropylaw", description="Select LLM training data by compression ratio, and measure it."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    select = commands.add_parser(
        "select",
        help="select a subset of a pool",
        description="Select the samples of a pool that tell a model most for their size.",
        epilog=_SELECT_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_input(select)
    select.add_argument("-o", "--output", required=True, metavar="OUT", help="where the chosen records go (.gz, .zst)")
    select.add_argument(
        "--budget",
        required=True,
        metavar="N",
        help="samples to select, a share such as 10%%, or (coverage) bytes such as 50MB",
    )
    select.add_argument("--method", choices=["zip", "coverage"], default="zip", help="how to select [%(default)s]")
    select.add_argument("--force", action="store_true", help="replace output files that exist")
    zip_ = select.add_argument_group("options of zip")
    zip_.add_argument("--preset", choices=["paper", "reference"], help="which ZIP [paper]")
    zip_.add_argument("--k1", type=int, help="candidates sized in each round [10000]")
    zip_.add_argument("--k2", type=int, help="of these, those to pick from [200]")
    zip_.add_argument("--k3", type=int, help="of these, those picked [100]")
    coverage = select.add_argument_group("options of coverage")
    coverage.add_argument("--unit", choices=["byte", "word"], help="what n-grams are made of [byte]")
    coverage.add_argument("--ngram", type=int, help="so many bytes, or up to so many words [5, 3]")
    coverage.add_argument("--gamma", type=float, help="weight of common n-grams, 0 to 1 [0.85]")
    coverage.add_argument("--alpha", type=float, help="price of length, 0 to 1 [1 for bytes, 0.9 for samples]")
    coverage.add_argument("--min-df", type=int, help="samples that an n-gram must be in [2]")
    coverage.add_argument("--min-contexts", type=int, help="left contexts that it must follow, 1 or 2 [2]")
    coverage.add_argument(
        "--initial-subset", metavar="FILE", help="data that you have already: the selection does not repeat it"
    )
    select.set_defaults(run=_select)

    ratio = commands.add_parser(
        "ratio",
        help="measure R, the compression ratio, of a data set",
        description="Measure R = raw bytes / compressed bytes (zlib, level 9) of a data set and of its sources.",
    )
    _add_input(ratio)
    ratio.set_defaults(run=_ratio)
    return parser


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from entropylaw import __version__

        print(f"entropylaw {__version__}")
        parser.exit()


def _add_input(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "pool", nargs="+", metavar="POOL", help="JSON array or JSON Lines, plain, gzip or zstd; - for standard input"
    )
    parser.add_argument("--render", choices=["text", "json"], default="text", help="what is sized [%(default)s]")
    parser.add_argument("--schema", help="sharegpt, openai, alpaca, completion, text or string [detected]")
    parser.add_argument(
        "--field", help="the field that holds the text, instead of a schema; a.b for one inside another"
    )
    parser.add_argument(
        "--on-error", choices=["raise", "skip"], default="raise", help="records that can't be read [%(default)s]"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="how many to use [all]")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress, no notes")


def _select(arguments: argparse.Namespace) -> None:
    start = time.perf_counter()
    from entropylaw.budget import Budget
    from entropylaw.methods import METHODS, method_with, option_names
    from entropylaw.output import check_writable
    from entropylaw.results import manifest_path
    from entropylaw.selecting import select

    for output in (arguments.output, manifest_path(arguments.output)):
        check_writable(output, arguments.force)
    budget = Budget.parse(arguments.budget)
    options = {
        option: value
        for method in METHODS
        for option in option_names(method)
        if (value := getattr(arguments, option, None)) is not None
    }
    # Before the pool is read: it may be large, and the options wrong.
    method = method_with(arguments.method, options)
    pool = _load(arguments, method.rendering(arguments.render, arguments.schema, arguments.field))
    known = options.pop("initial_subset", None)
    if known is not None:
        options["initial_subset"] = _load(arguments, arguments.render, [known])
    samples = None if budget.size else budget.samples(len(pool))
    if samples is not None and samples > len(pool):
        raise EntropyLawError(f"the budget is {samples} samples, but the pool has only {len(pool)}; lower it")
    with _progress(arguments, samples) as progress:
        selection: Selection = select(
            pool,
            budget=arguments.budget,
            method=arguments.method,
            **options,
            threads=arguments.threads,
            progress=progress,
        )
    selection.save(arguments.output, force=arguments.force)
    summary = selection.summary() | {"output": arguments.output, "manifest": manifest_path(arguments.output)}
    if arguments.json:
        print(json.dumps(summary, indent=1, ensure_ascii=False))
    else:
        print("\n".join(selection_lines(summary, time.perf_counter() - start)))


def _ratio(arguments: argparse.Namespace) -> None:
    from entropylaw.measuring import ratio

    pool = _load(arguments, arguments.render)
    with _progress(arguments) as progress:
        result = ratio(pool, threads=arguments.threads, progress=progress)
    if arguments.json:
        print(json.dumps(_as_dict(result), indent=1, ensure_ascii=False))
    else:
        print("\n".join(_ratio_lines(result)))


def _load(arguments: argparse.Namespace, render: Any, paths: list[str] | None = None) -> "Pool":
    from entropylaw.pool import load

    return load(
        paths or arguments.pool,
        render=render,
        schema=arguments.schema,
        field=arguments.field,
        on_error=arguments.on_error,
        paths=True,
    )


def _progress(arguments: argparse.Namespace, budget: int | None = None) -> "ProgressLine":
    from entropylaw.progress import ProgressLine

    return ProgressLine(budget=budget, quiet=arguments.quiet)


def selection_lines(summary: dict[str, Any], seconds: float) -> list[str]:
    """The summary of a selection, for people."""
    selected, pool = summary["selection"], summary["pool"]
    spent = ", ".join(f"{stage} {took:.1f}" for stage, took in summary["seconds"].items())
    of_pool = ""
    if "ratio" in pool:
        about = "about " if pool["ratio_bytes"] < pool["bytes"] else ""
        of_pool = f", {about}{pool['ratio']:.3f} pool"
    lines = [
        f"selected  {selected['samples']:,} of {pool['samples']:,} samples, "
        f"{selected['bytes']:,} of {pool['bytes']:,} bytes",
        f"R         {selected['ratio']:.3f} selected{of_pool} ({summary['codec']})",
    ]
    if "coverage" in selected:
        lines.append(f"coverage  {selected['coverage']:.1%} of the n-grams that recur in the pool, by weight")
    if selected["sources"]:
        shown = list(selected["sources"].items())[:_SHOWN_SOURCES]
        more = len(selected["sources"]) - len(shown)
        rest = f", and {more} more" if more else ""
        lines.append("sources   " + ", ".join(f"{name or '(none)'} {count:,}" for name, count in shown) + rest)
    if pool["skipped"]:
        lines.append(f"skipped   {pool['skipped']:,} records, listed in the manifest")
    lines.append(f"seconds   {seconds:.1f} ({spent})")
    lines.append(f"written   {summary['output']}, {summary['manifest']}")
    return lines


def _ratio_lines(result: "Ratio") -> list[str]:
    lines = [f"{'R':>8}  {'samples':>11}  {'bytes':>15}  {'compressed':>15}  source"]
    rows = [("all", result), *sorted(result.by_source.items(), key=lambda item: item[1].ratio)]
    lines.extend(
        f"{row.ratio:8.3f}  {row.samples:11,}  {row.raw_bytes:15,}  {row.compressed_bytes:15,}  {name or '(none)'}"
        for name, row in rows
    )
    return [*lines, f"R = bytes / compressed bytes, {result.codec}"]


def _as_dict(result: "Ratio") -> dict[str, Any]:
    row: dict[str, Any] = {
        "ratio": result.ratio,
        "raw_bytes": result.raw_bytes,
        "compressed_bytes": result.compressed_bytes,
        "samples": result.samples,
        "codec": result.codec,
    }
    if result.by_source:
        row["by_source"] = {name: _as_dict(part) for name, part in result.by_source.items()}
    return row


@contextlib.contextmanager
def _exits_on_sigterm() -> Iterator[None]:
    """Lets SIGTERM unwind like an exception, so that temporary files are removed."""

    def leave(*_: object) -> NoReturn:
        sys.exit(128 + signal.SIGTERM)

    try:
        before = signal.signal(signal.SIGTERM, leave)
    except ValueError:
        # Not the main thread: somebody calls `main` from a program of theirs.
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _messages(quiet: bool) -> Iterator[None]:
    """Shows the library's messages on standard error."""
    logger = logging.getLogger("entropylaw")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("entropylaw: %(message)s"))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


if __name__ == "__main__":
    sys.exit(main())
