"""``entropylaw select --ray``."""

import argparse
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from entropylaw.cli.advice import advise
from entropylaw.cli.controls import resumable
from entropylaw.cli.files import inputs
from entropylaw.cli.pool import progress_line, with_beside
from entropylaw.cli.terminal import print_json, print_lines
from entropylaw.errors import EntropyLawError
from entropylaw.places import is_directory
from entropylaw.targets import STANDARD

if TYPE_CHECKING:
    from entropylaw.integrations.ray import RaySelection
    from entropylaw.methods import Method
    from entropylaw.pool.records import Records

_NOT_THERE = {
    "report": "a report looks at all samples",
    "plot": "a figure looks at all samples",
}
"""What a run on Ray can't write, and why."""
_NOT_IN_DIRECTORY = ("shards", "indices_only", "stanza")


def add_ray(parser: argparse.ArgumentParser) -> None:
    """Adds where to select."""
    ray = parser.add_argument_group("on a Ray cluster")
    ray.add_argument(
        "--ray",
        nargs="?",
        const="",
        metavar="ADDRESS",
        help="select on the machines of the cluster there, or the one of RAY_ADDRESS, or a new one here; if OUT is a "
        "directory (OUT/), each writes what it has",
    )
    ray.add_argument("--partitions", type=int, metavar="N", help="parts of the pool [one a machine]")


def check_ray(arguments: argparse.Namespace) -> None:
    """Raises EntropyLawError if options don't go together with ``--ray``, or without it."""
    if arguments.ray is None:
        if arguments.partitions is not None:
            raise EntropyLawError("partitions are those of a Ray cluster: name it, or begin one here: --ray [ADDRESS]")
        return
    for name, why in _NOT_THERE.items():
        if getattr(arguments, name) is not None:
            raise EntropyLawError(f"{why}, which are on other machines here; leave out --{name}, or --ray")
    if is_output_directory(arguments.output):
        for name in _NOT_IN_DIRECTORY:
            if getattr(arguments, name):
                raise EntropyLawError(
                    f"--{name.replace('_', '-')} does not go with a directory, in which each part writes a file of its "
                    "own; name a file"
                )
        if "ratio" in (arguments.add_columns or ()):
            raise EntropyLawError(
                "the column 'ratio' is not added by parts, in a directory; add rank, gain or weight, or name a file"
            )


def is_output_directory(path: str) -> bool:
    """Whether what is named is a directory, and not a file of records."""
    return path.endswith("/") or is_directory(path)


def run_on_ray(arguments: argparse.Namespace, method: "Method", controls: Mapping[str, Any], start: float) -> None:
    """Runs the command, which began at ``start``, once its options are checked."""
    try:
        from entropylaw.integrations.ray.select import asked_for, begun
    except ImportError as error:
        raise EntropyLawError(f"--ray: {error}") from None
    from entropylaw.cli.select import selection_lines
    from entropylaw.integrations.ray.saving import check_output
    from entropylaw.runs import checkpoint

    if is_output_directory(arguments.output):
        check_output(arguments.output, arguments.force, inputs(arguments), arguments.checkpoint)
    method, controls = with_beside(arguments, method, controls)
    advise(arguments)
    with resumable(arguments), progress_line(arguments) as progress:
        asked = asked_for(
            budget=arguments.budget,
            method=method,
            options=controls,
            render=arguments.render,
            schema=arguments.schema,
            field=arguments.field,
            on_error=arguments.on_error,
            format=arguments.format,
            memory=arguments.memory,
            threads=arguments.threads,
            progress=progress,
            checkpoint=arguments.checkpoint,
            resume=arguments.resume,
        )
        selection = begun(
            arguments.pool,
            asked,
            partitions=arguments.partitions,
            address=arguments.ray or None,
            check=lambda records: _check_records(arguments, records),
        )
    with selection:
        summary = selection.summary() | _saved(arguments, selection)
        if arguments.checkpoint:
            checkpoint.remove(arguments.checkpoint)
        stats = selection.stats
        summary["ray"] = {
            "partitions": stats.partitions,
            "restarts": stats.restarts,
            "round_trips": stats.round_trips,
            "bytes_sent": stats.bytes_sent,
            "bytes_received": stats.bytes_received,
            "memory": list(stats.memory),
        }
        stream = sys.stderr if arguments.output == STANDARD else None
        if arguments.json:
            print_json(summary, stream)
            return
        lines = selection_lines(summary, selection.selection.facts(), time.perf_counter() - start)
        lines.append(
            f"ray       {stats.partitions} parts, up to {max(stats.memory) / 1e6:,.0f} MB each; {stats.round_trips:,} "
            f"round trips, {stats.bytes_sent / 1e6:,.1f} MB sent, {stats.bytes_received / 1e6:,.1f} MB received"
            + (f"; {stats.restarts} made again" if stats.restarts else "")
        )
        print_lines(lines, stream)


def _check_records(arguments: argparse.Namespace, records: "Records") -> None:
    """Finds out, once the pool is read, whether its records can be written."""
    from entropylaw.cli.select import saving_of
    from entropylaw.saving.holding import check_records

    if is_output_directory(arguments.output):
        added = [f"entropylaw_{name}" for name in arguments.add_columns or ()]
        check_records(records, "parquet" if records.tabular else None, added)
    else:
        saving_of(arguments).check_records(records)


def _saved(arguments: argparse.Namespace, selection: "RaySelection") -> dict[str, Any]:
    """Writes the records: where they are, or through here to a file; says where that is."""
    from entropylaw.cli.select import save, saving_of
    from entropylaw.integrations.ray.saving import MANIFEST, PICKS
    from entropylaw.runs.manifest import manifest_hash
    from entropylaw.storage.urls import is_url, joined, shown

    if not is_output_directory(arguments.output):
        return save(saving_of(arguments), selection.selection)
    names: Any = tuple(arguments.add_columns or ())
    files = selection.save(arguments.output, force=arguments.force, columns=names)
    directory = arguments.output.rstrip("/")
    picks, manifest = (
        joined(f"{directory}/", name) if is_url(directory) else f"{directory}/{name}" for name in (PICKS, MANIFEST)
    )
    return {
        "output": [shown(file) for file in files],
        "picks": shown(picks),
        "manifest": shown(manifest),
        "manifest_sha256": manifest_hash(manifest),
    }
