"""A drop-in for the authors' script: ``python -m entropylaw.zip_py`` in the place of ``python ZIP.py``.

It takes the script's flags and defaults and writes, byte for byte, the file that the script writes. Where the script
fails or selects records twice, it says so and stops with what is selected.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from entropylaw.errors import EntropyLawError
from entropylaw.targets import File, check_targets


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    from entropylaw.cli import command

    arguments = _parser().parse_args(argv)
    return command(lambda: _run(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m entropylaw.zip_py",
        description="Select a subset with ZIP, as the authors' script does: same flags, same file.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--data_path", default="./pool.json", help="the pool: a JSON array of records")
    parser.add_argument("--save_path", default="./zip_selected_data.json", help="the selected records")
    parser.add_argument("--budget", type=int, default=1000, help="records to select, rounded up to whole rounds of k3")
    parser.add_argument("--k1", type=int, default=10000, help="candidates sized in each round")
    parser.add_argument("--k2", type=int, default=200, help="of these, those to pick from")
    parser.add_argument("--k3", type=int, default=100, help="of these, those picked")
    parser.add_argument("--n_jobs", type=int, default=64, help="threads; at most one a core")
    return parser


def _run(arguments: argparse.Namespace) -> None:
    from entropylaw import parameters
    from entropylaw.cli.terminal import print_text
    from entropylaw.output import check_writable, replacing
    from entropylaw.progress import ProgressLine
    from entropylaw.selecting import select

    # To the script, "-" is the name of a file.
    target = File(str(Path.cwd() / arguments.save_path), "the selection")
    check_targets([target], [File(arguments.data_path, "the pool")])
    # The script writes over what else is there.
    check_writable(arguments.save_path, force=True)
    records = _read(arguments.data_path)
    with ProgressLine(budget=arguments.budget) as progress:
        selection = select(
            records,
            budget=arguments.budget,
            preset="reference",
            k1=arguments.k1,
            k2=arguments.k2,
            k3=arguments.k3,
            whole_rounds=True,
            threads=min(arguments.n_jobs, parameters.threads(None)),
            progress=progress,
        )
    chosen = [records[index] for index in selection.indices.tolist()]
    with replacing(arguments.save_path, force=True, compress=False) as file:
        # What `json.dump` writes to a file, in one piece: the encoder in C makes it several times faster.
        file.write(json.dumps(chosen).encode())
    sources = Counter(str(record.get("source", "")) for record in chosen)
    print_text(f"selected {len(chosen)}, including {dict(sources)}\n")


def _read(path: str) -> list[dict[str, object]]:
    """The records, by Python's own parser: the file written has to repeat its numbers, escapes and order of keys."""
    from entropylaw.pool.foreign import check_text
    from entropylaw.pool.json_array import parse_whole
    from entropylaw.pool.source import HEAD, Source

    content = b"".join(Source(path).chunks())
    check_text(path, content[:HEAD])
    if not content.strip():
        raise EntropyLawError(f"{path}: the file is empty; the script reads a JSON array of records")
    records = parse_whole(path, content, "the script takes one JSON array (`entropylaw select` takes JSON Lines too)")
    if not isinstance(records, list) or not records:
        found = "an empty array" if records == [] else f"one {type(records).__name__}"
        raise EntropyLawError(f"{path}: must be a JSON array of records; found {found}")
    for number, record in enumerate(records):
        if not isinstance(record, dict):
            raise EntropyLawError(f"{path}: record {number} is {type(record).__name__}, not an object")
    return records


if __name__ == "__main__":
    sys.exit(main())
