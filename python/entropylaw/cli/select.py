"""``entropylaw select``."""

import argparse
import itertools
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from entropylaw.cli.advice import ADVISED, UNLABELLED, ZIP_UNLESS_NAMED, advise
from entropylaw.cli.controls import add_checkpoint, add_controls, control_lines, given_controls, resumable
from entropylaw.cli.files import inputs, written
from entropylaw.cli.options import add_methods, given
from entropylaw.cli.parser import Parser
from entropylaw.cli.pool import add_pool, load_pool, progress_line, with_beside
from entropylaw.cli.ray import add_ray, check_ray, is_output_directory, run_on_ray
from entropylaw.cli.report import add_report, check_report, write_report
from entropylaw.cli.terminal import print_file, print_json, print_lines
from entropylaw.display import short
from entropylaw.storage.urls import shown
from entropylaw.targets import STANDARD

if TYPE_CHECKING:
    from entropylaw.explaining import Fact
    from entropylaw.report import Page
    from entropylaw.results import Selection
    from entropylaw.runs.manifest import Manifest
    from entropylaw.saving import Saving

_SHOWN_SOURCES = 100
"""Characters of the line of sources."""

_EPILOG = f"""
advised for training data, and where records do not say where they come from:
  entropylaw select pool.jsonl -o subset.jsonl --budget 50MB \\
      {ADVISED}
  entropylaw select pool.jsonl -o subset.jsonl --budget 50MB \\
      {UNLABELLED}

examples:
  entropylaw select pool.jsonl -o subset.jsonl --budget 10000
  entropylaw select shard-*.jsonl.zst -o subset.jsonl.gz --budget 10% --field response
  entropylaw select pool.json -o subset.jsonl --budget 1000 --preset reference
  entropylaw select pool.jsonl -o subset.jsonl --budget 50MB --method coverage
  entropylaw select pool.jsonl -o subset.jsonl --budget 2MB --method coverage --target dev.jsonl
  entropylaw select pool.jsonl -o subset.jsonl --budget 10% --benchmark test.jsonl --decontaminate
  entropylaw select pool.jsonl -o subset.jsonl --budget '2M tokens' --tokens n_tokens --quota 'gsm8k>=10%,*<=30%'

The records come out byte for byte, one a line; <OUT>.manifest.json says how they were chosen, and `entropylaw replay`
repeats it.
"""


def add(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Adds the command to the parser."""
    select = commands.add_parser(
        "select",
        help="select a subset of a pool",
        description="Select the samples of a pool that tell a model most for their size.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_pool(select)
    select.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help="where the chosen records go: .jsonl (.gz, .zst), .json, .csv, .tsv, .parquet or .arrow; - for standard "
        "output",
    )
    select.add_argument(
        "--budget",
        type=str,
        required=True,
        metavar="N",
        help="samples to select, a share such as 10%%, bytes such as 50MB, or tokens such as '2M tokens'",
    )
    method = select.add_argument("--method", default=ZIP_UNLESS_NAMED, help="how to select [zip]")
    output = select.add_argument_group("what is written")
    output.add_argument("--sort", choices=["pick", "input"], default="pick", help="order of the records [%(default)s]")
    output.add_argument(
        "--shards",
        type=str,
        metavar="N",
        help="so many files, or as many as it takes for each to hold at most, say, 500MB",
    )
    output.add_argument(
        "--add-columns",
        type=columns,
        metavar="NAMES",
        help="what to add to each record, as entropylaw_NAME: any of rank,gain,ratio,weight",
    )
    output.add_argument(
        "--indices-only",
        action="store_true",
        help="write positions in the pool, not records; OUT ends in .txt, .npy, .jsonl, .json, .csv, .tsv, .parquet or "
        ".arrow",
    )
    add_report(output)
    output.add_argument(
        "--stanza",
        choices=["llamafactory", "axolotl"],
        help="also print, and write beside OUT, the entry for this trainer's data configuration",
    )
    select.add_later(lambda: add_methods(select, method))
    add_controls(select)
    add_checkpoint(select)
    add_ray(select)
    select.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Runs the command."""
    start = time.perf_counter()
    from entropylaw.budget import Budget
    from entropylaw.controls import Controls
    from entropylaw.methods import method_with
    from entropylaw.methods.registry import check_needs
    from entropylaw.runs import checkpoint
    from entropylaw.selecting import select

    check_ray(arguments)
    on_ray = arguments.ray is not None
    saving = saving_of(arguments)
    if not (on_ray and is_output_directory(arguments.output)):
        saving.check(inputs(arguments), written(arguments, "report", "plot"), arguments.checkpoint)
    check_report(arguments)
    budget = Budget.parse(arguments.budget)
    # Before the pool is read: it may be large, and the options wrong.
    method = method_with(arguments.method, given(arguments))
    method.check()
    controls = given_controls(arguments)
    asked = Controls(**controls)
    asked.check(budget)
    check_needs(method, asked)
    replace(asked, benchmark=arguments.benchmark).check_overlap(getattr(method, "target", None))
    if on_ray:
        run_on_ray(arguments, method, controls, start)
        return
    rendering = method.rendering(arguments.render, arguments.schema, arguments.field)
    pool = load_pool(arguments, rendering, group_by=asked.group_field, numbers=asked.numbers)
    saving.check_records(pool.records)
    method, controls = with_beside(arguments, method, controls)
    advise(arguments)
    samples = min(budget.of(len(pool)), len(pool)) if budget.unit == "samples" else None
    with resumable(arguments), progress_line(arguments, samples) as progress:
        selection: Selection = select(
            pool,
            budget=arguments.budget,
            method=method,
            **controls,
            checkpoint=arguments.checkpoint,
            resume=arguments.resume,
            threads=arguments.threads,
            progress=progress,
        )
    summary = selection.summary() | save(saving, selection)
    if arguments.checkpoint:
        checkpoint.remove(arguments.checkpoint)

    def page() -> "Page":
        from entropylaw.report.selection import selection_page

        return selection_page(selection, arguments.threads)

    write_report(arguments, page)
    if saving.stanza_file:
        summary["stanza"] = saving.stanza_file
    stream = sys.stderr if saving.path == STANDARD else None
    if arguments.json:
        print_json(summary, stream)
    else:
        print_lines(selection_lines(summary, selection.facts(), time.perf_counter() - start), stream)


def saving_of(arguments: argparse.Namespace) -> "Saving":
    """How the records are to be written."""
    from entropylaw.saving import Saving

    return Saving(
        arguments.output,
        force=arguments.force,
        sort=arguments.sort,
        shards=arguments.shards,
        columns=tuple(arguments.add_columns or ()),
        indices_only=arguments.indices_only,
        stanza=arguments.stanza,
    )


def save(saving: "Saving", selection: "Selection", like: "Manifest | None" = None) -> dict[str, Any]:
    """Writes a selection; returns where it is, and what lies beside it, for the summary."""
    from entropylaw.runs.manifest import manifest_hash, picks_path

    if saving.path == STANDARD:
        with tempfile.TemporaryFile() as file:
            saving.write_lines(file, selection, like)
            print_file(file)
        return {"output": [STANDARD]}
    files = saving.write(selection, like)
    return {
        "output": files,
        "picks": shown(picks_path(saving.path)),
        "manifest": shown(saving.manifest),
        "manifest_sha256": manifest_hash(saving.manifest),
    }


def columns(text: str) -> list[str]:
    """The names in a list with commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def selection_lines(summary: dict[str, Any], facts: "Iterable[Fact]", seconds: float) -> list[str]:
    """The summary of a selection, and what its method tells, for people."""
    selected, pool = summary["selection"], summary["pool"]
    spent = ", ".join(f"{stage} {took:.1f}" for stage, took in summary["seconds"].items())
    of_pool = ""
    if "ratio" in pool:
        of_pool = f", {pool['ratio']:.3f} pool"
    lines = [
        f"selected  {selected['samples']:,} of {pool['samples']:,} samples, "
        f"{selected['bytes']:,} of {pool['bytes']:,} bytes",
        f"R         {selected['ratio']:.3f} selected{of_pool} ({summary['codec']})",
    ]
    lines += [f"{fact.name:9} {fact.value} {fact.about}" for fact in facts]
    if selected["sources"]:
        # The largest are enough to fill the line.
        first = itertools.islice(selected["sources"].items(), _SHOWN_SOURCES)
        sources = [f"{short(name) or '(none)'} {count:,}" for name, count in first]
        while len(sources) > 1 and len(", ".join(sources)) > _SHOWN_SOURCES:
            sources = sources[: len(sources) * 3 // 4]
        more = len(selected["sources"]) - len(sources)
        lines.append("sources   " + ", ".join(sources) + (f", and {more:,} more" if more else ""))
    lines += control_lines(summary)
    if pool["skipped"]:
        lines.append(f"skipped   {pool['skipped']:,} records; the manifest lists the first of them")
    lines.append(f"seconds   {seconds:.1f} ({spent})")
    if "manifest" in summary:
        output, *others = summary["output"]
        and_others = f" and {len(others):,} more" if others else ""
        lines.append(f"written   {output}{and_others}, {summary['picks']}, {summary['manifest']}")
        lines.append(f"manifest  sha256 {summary['manifest_sha256']}")
    if "stanza" in summary:
        from entropylaw.storage.objects import read_bytes

        lines += [f"stanza    {shown(summary['stanza'])}:", ""]
        lines += read_bytes(summary["stanza"]).decode(errors="replace").split("\n")
    return lines
