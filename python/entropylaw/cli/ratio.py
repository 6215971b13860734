"""``entropylaw ratio``."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from entropylaw.cli.pool import add_pool, load_pool, progress_line

if TYPE_CHECKING:
    from entropylaw.measuring import Ratio


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the parser."""
    ratio = commands.add_parser(
        "ratio",
        help="measure R, the compression ratio, of a data set",
        description="Measure R = raw bytes / compressed bytes (zlib, level 9) of a data set and of its sources.",
    )
    add_pool(ratio)
    ratio.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Runs the command."""
    from entropylaw.measuring import ratio

    pool = load_pool(arguments, arguments.render)
    with progress_line(arguments) as progress:
        result = ratio(pool, threads=arguments.threads, progress=progress)
    if arguments.json:
        print(json.dumps(_as_dict(result), indent=1, ensure_ascii=False))
    else:
        print("\n".join(_ratio_lines(result)))


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
