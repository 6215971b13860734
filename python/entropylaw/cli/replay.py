"""``entropylaw replay``."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from entropylaw.cli.files import inputs, written
from entropylaw.cli.pool import progress_line
from entropylaw.cli.terminal import print_json, print_lines
from entropylaw.storage.urls import as_path, shown
from entropylaw.targets import STANDARD, File, check_targets

if TYPE_CHECKING:
    from entropylaw.runs.manifest import Manifest

_NAMED = ("pool", "anchor", "target", "benchmark", "tokens")
"""What a manifest names files of."""


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
    replay.add_argument("--target", nargs="+", metavar="FILE", help="the target, if its files are not where they were")
    replay.add_argument(
        "--benchmark", nargs="+", metavar="FILE", help="the benchmark, if its files are not where they were"
    )
    replay.add_argument("--tokens", metavar="FILE", help="the tokenizer's file, if it is not where it was")
    replay.add_argument(
        "-o", "--output", metavar="OUT", help="write the records again, in the same way; - for standard output"
    )
    replay.add_argument("--force", action="store_true", help="replace output files that exist")
    replay.add_argument("--threads", type=int, metavar="N", help="how many to use [all]")
    replay.add_argument("--json", action="store_true", help="print the summary as JSON")
    replay.add_argument("-q", "--quiet", action="store_true", help="no progress, no notes")
    replay.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Runs the command."""
    start = time.perf_counter()
    from entropylaw.cli.select import save, selection_lines
    from entropylaw.runs.manifest import Manifest
    from entropylaw.runs.replaying import replay
    from entropylaw.saving import Saving

    manifest = Manifest.read(arguments.manifest)
    saving = None
    read = [
        *inputs(arguments),
        *_files(manifest, [name for name in _NAMED if not getattr(arguments, name)]),
    ]
    check_targets(written(arguments), read)
    if arguments.output:
        saving = Saving.as_in(manifest, arguments.output, force=arguments.force)
        saving.check(read, written(arguments))
    moved: dict[str, Any] = {
        name: [as_path(file) for file in files]
        for name in ("pool", "anchor", "target", "benchmark")
        if (files := getattr(arguments, name))
    }
    with progress_line(arguments) as progress:
        selection = replay(
            manifest,
            **moved,
            tokens=arguments.tokens,
            threads=arguments.threads,
            progress=progress,
        )
    summary = selection.summary() | {"identical": True}
    if saving:
        summary |= save(saving, selection, manifest)
    stream = sys.stderr if saving and saving.path == STANDARD else None
    if arguments.json:
        print_json(summary, stream)
    else:
        first = f"replayed  {shown(arguments.manifest)}: the same pool, the same {len(selection):,} picks"
        print_lines([first, *selection_lines(summary, selection.facts(), time.perf_counter() - start)], stream)


def _files(manifest: "Manifest", names: Sequence[str]) -> Iterator[File]:
    """The files that a replay reads because the manifest names them: the archive beside it, and what else is asked."""
    from entropylaw.runs.values import Data
    from entropylaw.runs.values import File as Recorded

    yield File(manifest.archive, "the picks to repeat")
    if "pool" in names:
        yield from (File(file.name, "a file of the pool") for file in manifest.content.pool.files)
    for name in ("anchor", "target", "benchmark"):
        if name in names and isinstance(data := getattr(manifest.parameters, name, None), Data):
            yield from (File(file.name, f"a file of the {name}") for file in data.files)
    tokens = manifest.parameters.tokens
    if "tokens" in names and isinstance(tokens, Recorded):
        yield File(tokens.name, "the tokenizer")
