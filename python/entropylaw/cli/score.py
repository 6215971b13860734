"""``entropylaw score``."""

import argparse
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from entropylaw.cli.files import inputs, written
from entropylaw.cli.options import add_options
from entropylaw.cli.parser import Parser
from entropylaw.cli.pool import add_pool, load_pool, progress_line
from entropylaw.cli.terminal import print_file, print_json, print_lines
from entropylaw.storage.urls import shown
from entropylaw.targets import STANDARD, File, check_targets

if TYPE_CHECKING:
    from entropylaw.scoring import Scores

_EPILOG = """
examples:
  entropylaw score pool.jsonl -o scores.parquet
  entropylaw score shards/*.parquet -o scores.csv.gz --unit word
  entropylaw score pool.jsonl -o scores.parquet --target dev.jsonl

A row for each sample, in input order: index, source, bytes, ratio (R of the sample alone) and first_gain (by how much
it would raise coverage's objective as the first pick; divide by bytes to compare samples of different length); with
--alignment also alignment (bits of each byte of the response that what stands before it tells).
"""


def add(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Adds the command to the parser."""
    score = commands.add_parser(
        "score",
        help="score every sample of a pool alone",
        description="Write R and the first gain of every sample of a pool, without selecting.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_pool(score)
    score.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help=".parquet, .arrow, .csv, .tsv, .json or .jsonl (.gz, .zst); - for CSV on standard output",
    )
    score.add_argument(
        "--alignment", action="store_true", help="also score how much of its response each instruction tells"
    )
    score.add_argument("--force", action="store_true", help="replace a file that exists")

    def add_coverage() -> None:
        from entropylaw.scoring import OPTIONS

        add_options(score.add_argument_group("options of coverage"), OPTIONS)

    score.add_later(add_coverage)
    score.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Runs the command."""
    from entropylaw.scoring import OPTIONS, check, score

    read = inputs(arguments)
    check_targets([File(arguments.output, "the scores"), *written(arguments)], read)
    check(arguments.output, arguments.force, read)
    pool = load_pool(arguments, arguments.render)
    options = {option.name: getattr(arguments, option.name) for option in OPTIONS}
    if arguments.target:
        options["target"] = load_pool(arguments, arguments.render, arguments.target, beside=True)
    with progress_line(arguments) as progress:
        scores = score(pool, **options, alignment=arguments.alignment, threads=arguments.threads, progress=progress)
    stream = None
    if arguments.output == STANDARD:
        stream = sys.stderr
        with tempfile.TemporaryFile() as file:
            scores.write(file, "scores.csv")
            print_file(file)
    else:
        scores.save(arguments.output, force=arguments.force)
    summary = _summary(scores) | {"output": shown(arguments.output)}
    if arguments.json:
        print_json(summary, stream)
    else:
        print_lines(_lines(summary), stream)


def _summary(scores: "Scores") -> dict[str, Any]:
    import numpy as np

    from entropylaw.runs.values import described, encoded

    def spread(values: Any) -> dict[str, float]:
        least, median, most = np.quantile(values, [0, 0.5, 1], method="inverted_cdf").tolist()
        return {"least": least, "median": median, "greatest": most}

    summary = {
        "entropylaw": scores.version,
        "parameters": {name: encoded(value) for name, value in scores.parameters.items()},
        "pool": described(scores.pool),
        "ratio": spread(scores.ratios),
        "first_gain": spread(scores.first_gains),
        "without_gain": int(np.count_nonzero(scores.first_gains == 0)),
        "seconds": {stage: round(seconds, 3) for stage, seconds in scores.seconds.items()},
    }
    if scores.alignment is not None:
        summary["alignment"] = spread(scores.alignment)
    return summary


def _lines(summary: dict[str, Any]) -> list[str]:
    def spread(name: str) -> str:
        values = summary[name]
        return f"{values['least']:,.4g} to {values['greatest']:,.4g}, median {values['median']:,.4g}"

    spent = ", ".join(f"{stage} {took:.1f}" for stage, took in summary["seconds"].items())
    lines = [
        f"scored    {summary['pool']['samples']:,} samples, {summary['pool']['bytes']:,} bytes",
        f"R alone   {spread('ratio')}",
        f"gain      {spread('first_gain')}; none in {summary['without_gain']:,} samples",
        *([f"alignment {spread('alignment')} bits a byte"] if "alignment" in summary else []),
        f"seconds   {sum(summary['seconds'].values()):.1f} ({spent})",
    ]
    return lines if summary["output"] == STANDARD else [*lines, f"written   {summary['output']}"]
