"""The entropy law of the judge's rows: ``python -m judge.law`` fits Z to R and L, with ``entropylaw law fit``.

R is that of a subset's text, L the mean loss of the first epoch, and Z minus the bits a byte of held-out text. A law is
local, so there is one for each budget, unit and number of epochs, over all pools that were judged by the same exam.
Needs no PyTorch.
"""

import argparse
import csv
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from entropylaw.cli import main as command
from entropylaw.law.observations import MIN_OBSERVATIONS
from judge import rows, table


class Part(NamedTuple):
    """What runs must share for one law: the judge's own setting, and how much was trained on, how often."""

    setting: tuple[str, ...]
    budget: int
    unit: str
    epochs: int
    rows: int

    @property
    def name(self) -> str:
        """For people, and for names of files."""
        return f"{self.budget}-{self.unit}-{self.epochs}-{self.rows}"


def parts(found: Sequence[table.Row]) -> Iterator[tuple[Part, list[table.Row]]]:
    """The runs of each law, in the order of the rows; the untrained model is no run."""
    members: dict[Part, list[table.Row]] = defaultdict(list)
    for row in found:
        subset, settings = row["subset"], row["settings"]
        if subset["method"] != "base":
            part = Part(table.setting_of(row), subset["budget"], subset["unit"], settings["epochs"], settings["rows"])
            members[part].append(row)
    yield from members.items()


def observation(row: table.Row, codec: str, text: str, mean: str) -> Mapping[str, Any]:
    """A run as ``entropylaw law fit`` reads it.

    Raises
    ------
    ValueError
        If the row does not say R.
    """
    subset = row["subset"]
    name = f"{subset['method']}, {subset['pool']}, seed {row['seed']}"
    if codec not in subset.get("ratios", {}):
        raise ValueError(f"the row of {name} has no R by {codec}")
    return {
        "name": name,
        "R": subset["ratios"][codec],
        "L": row["scores"]["first_epoch_loss"],
        "Z": -row["scores"][text][mean],
    }


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m judge.law", description=(__doc__ or "").split("\n\n", 1)[0])
    parser.add_argument("--work", type=Path, default=Path("demo/judge"), help="where rows.jsonl is [%(default)s]")
    parser.add_argument("--codec", choices=["zlib", "xz"], default="xz", help="of R [%(default)s]")
    parser.add_argument("--text", choices=["text", "response"], default="text", help="all text, or responses alone")
    parser.add_argument("--mean", choices=["macro", "micro"], default="macro", help="over families [%(default)s]")
    parser.add_argument("--pools", nargs="+", help="only runs of these [all]")
    parser.add_argument("--methods", nargs="+", help="only runs whose subset's method begins so [all]")
    asked = parser.parse_args(argv)
    found = [
        row
        for row in rows.read(asked.work / "rows.jsonl")
        if (not asked.pools or row["subset"]["pool"] in asked.pools)
        and (not asked.methods or row["subset"]["method"].startswith(tuple(asked.methods)))
    ]
    folder = asked.work / "law"
    fitted = 0
    named: Counter[str] = Counter()
    for part, members in parts(found):
        if len(members) < MIN_OBSERVATIONS:
            continue
        try:
            runs = [observation(row, asked.codec, asked.text, asked.mean) for row in members]
        except ValueError as error:
            parser.error(str(error))
        folder.mkdir(parents=True, exist_ok=True)
        named[part.name] += 1
        # Other models, exams or settings have laws of their own.
        another = f"-{named[part.name]}" if named[part.name] > 1 else ""
        path = folder / f"{part.name}-{asked.codec}-{asked.text}-{asked.mean}{another}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(runs[0]))
            writer.writeheader()
            writer.writerows(runs)
        call = ["law", "fit", str(path), "-o", str(path.with_suffix(".json")), "--codec", asked.codec, "--force"]
        call += ["--plot", str(path.with_suffix(".svg")), "--report", str(path.with_suffix(".html"))]
        print(f"{part.budget:,} bytes, equal {part.unit}, epochs: {part.epochs}, rows a step: {part.rows}", flush=True)
        print(f"$ entropylaw {' '.join(call)}", flush=True)
        if code := command(call):
            sys.exit(code)
        fitted += 1
    if not fitted:
        parser.error(f"a law needs at least {MIN_OBSERVATIONS} runs of the same budget; judge more subsets first")


if __name__ == "__main__":
    main()
