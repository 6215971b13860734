"""``entropylaw replay``."""

import argparse
import time

from entropylaw.cli.pool import print_json, progress_line
from entropylaw.cli.terminal import print_lines


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the parser."""
    replay = commands.add_parser(
        "replay",
        help="repeat a selection from its manifest",
        description="Repeat a selection from its manifest, and check that the pool and the picks are the same.",
    )
    replay.add_argument("manifest", metavar="MANIFEST", help="what `entropylaw select` wrote as OUT.manifest.json")
    replay.add_argument("--pool", nargs="+", metavar="FILE", help="the pool, if its files are not where they were")
    replay.add_argument("--anchor", nargs="+", metavar="FILE", help="the anchor, if its files are not where they were")
    replay.add_argument("--tokens", metavar="FILE", help="the tokenizer's file, if it is not where it was")
    replay.add_argument("-o", "--output", metavar="OUT", help="write the records again, in the same way")
    replay.add_argument("--force", action="store_true", help="replace output files that exist")
    replay.add_argument("--threads", type=int, metavar="N", help="how many to use [all]")
    replay.add_argument("--json", action="store_true", help="print the summary as JSON")
    replay.add_argument("-q", "--quiet", action="store_true", help="no progress, no notes")
    replay.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Runs the command."""
    start = time.perf_counter()
    from pathlib import Path

    from entropylaw.cli.select import manifest_of, selection_lines
    from entropylaw.runs.manifest import Manifest
    from entropylaw.runs.replaying import replay
    from entropylaw.saving import Saving

    manifest = Manifest.read(arguments.manifest)
    saving = None
    if arguments.output:
        saving = Saving.as_in(manifest, arguments.output, force=arguments.force)
        saving.check()
    pool, anchor = ([Path(file) for file in files] if files else None for files in (arguments.pool, arguments.anchor))
    with progress_line(arguments) as progress:
        selection = replay(
            manifest,
            pool=pool,
            anchor=anchor,
            tokens=arguments.tokens,
            threads=arguments.threads,
            progress=progress,
        )
    summary = selection.summary() | {"identical": True}
    if saving:
        summary |= {"output": saving.write(selection, like=manifest)} | manifest_of(saving)
    if arguments.json:
        print_json(summary)
    else:
        print(f"replayed  {arguments.manifest}: the same pool, the same {len(selection):,} picks")
        print_lines(selection_lines(summary, time.perf_counter() - start))
