"""Compares methods at equal bytes and equal tokens: ``python benches/quality POOL --json results.json``.

*general*: prompts are held out first, and a subset is as good as a compressor, used as a model, predicts the held-out
text after reading it: ``size(subset + heldout) - size(subset)``, in bits per byte of the held-out text; *macro*:
families of sources weigh alike, *micro*: by their bytes in the pool. Then junk is injected, and counted in what is
selected. *in pool*, *removed*: subsets are selected for a target, some records of one family, and predict others of it;
with the rest of the family in the pool, and without.

Of equal samples every method but ZIP and random takes only the first. These are proxies: no language model is trained.
Needs the package with its extra ``bench``.
"""

import argparse
import json
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import general
import heldout
import summary
import targeted
from measures import MODELS
from methods import METHODS, TARGETED, TO_ASK_FOR, Problem

import entropylaw
from entropylaw.budget import Budget
from entropylaw.demo import write_pool
from entropylaw.pool import load

_RIVALS = ("dsir", "dsir-mean", "zipfit")


def _bytes(text: str) -> int:
    asked = Budget.parse(text)
    if asked.unit != "bytes" or asked.is_share:
        raise argparse.ArgumentTypeError(f"{text}: budgets are in bytes here, for example 1MB")
    return int(asked.amount)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benches/quality", description=__doc__.split("\n", 1)[0])
    parser.add_argument("pool", nargs="?", help="JSON or JSON Lines [the demo pool]")
    parser.add_argument("--tasks", nargs="+", choices=["general", "targeted"], default=["general", "targeted"])
    parser.add_argument("--units", nargs="+", choices=["bytes", "tokens"], default=["bytes", "tokens"])
    parser.add_argument(
        "--budgets", nargs="+", type=_bytes, default=[1_000_000, 3_000_000], help="bytes to select, in general"
    )
    parser.add_argument(
        "--target-budgets", nargs="+", type=_bytes, default=[100_000, 300_000], help="bytes to select for a target"
    )
    parser.add_argument("--methods", nargs="+", choices=METHODS + TO_ASK_FOR, default=list(METHODS))
    parser.add_argument("--families", type=int, default=8, help="predict so many families of sources, the largest")
    parser.add_argument("--target-families", type=int, default=6, help="select for so many of them")
    parser.add_argument("--every", type=int, default=1, help="of the pool, select for a target from every so manieth")
    parser.add_argument("--target", type=int, default=60_000, help="bytes of a target")
    parser.add_argument("--test", type=int, default=40_000, help="bytes that are predicted then")
    parser.add_argument("--seed", type=int, default=0, help="which prompts are held out, and which records set aside")
    parser.add_argument("--junk", type=float, default=0.05, help="share of junk to inject; 0 for none")
    parser.add_argument("--json", type=Path, help="where to write the results")
    parser.add_argument("--plot", type=Path, help="where to draw them: .svg; needs the extra report")
    return parser.parse_args()


class Results:
    """Rows, written after each step: runs are long."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.rows: list[dict[str, Any]] = []
        self._given = given

    def add(self, row: dict[str, Any]) -> None:
        self.rows.append(row)
        if self._given.json:
            about = {name: value for name, value in vars(self._given).items() if name not in ("json", "plot")}
            content = {"entropylaw": entropylaw.__version__, **about, "rows": self.rows}
            self._given.json.write_text(json.dumps(content, indent=1, default=str))


def in_general(path: str | Path, given: argparse.Namespace, results: Results, workers: ProcessPoolExecutor) -> None:
    task = heldout.split(load([path], paths=True), given.families, given.seed)
    print(f"{len(task.samples):,} samples, {sum(map(len, task.samples)):,} bytes to select from; held out: ", end="")
    print(", ".join(f"{family or '(none)'} {len(text):,}" for family, text in task.heldout.items()), flush=True)
    problem = Problem(task.samples)
    names = [name for name in given.methods if name not in TARGETED]
    print(general.table([]))
    for unit in given.units:
        for size in given.budgets:
            for row in general.rows(task, names, unit, size, given.junk, workers, problem):
                results.add(row)
                print(general.table([row]).split("\n")[1], flush=True)


def for_targets(path: str | Path, given: argparse.Namespace, results: Results, workers: ProcessPoolExecutor) -> None:
    pool = targeted.Pool(path, given.every)
    print(f"{len(pool.samples):,} samples, {sum(map(len, pool.samples)):,} bytes to select from for a target")
    budgets = [(unit, size) for unit in given.units for size in given.target_budgets]
    sizes = targeted.Sizes(given.target, given.test)
    names = [name for name in given.methods if name not in ("zip", "coverage-word")]
    print(f"{'family':12} {'pool':8} {'unit':6} {'budget':>9} {'target':>6} " + " ".join(f"{n:>10}" for n in names))
    for family in pool.largest(given.target_families):
        for removed in (False, True):
            found = list(targeted.rows(pool, family, removed, names, budgets, sizes, given.seed, workers))
            for row in found:
                results.add(row)
            for unit, size in budgets:
                line = [row for row in found if (row["unit"], row["budget"]) == (unit, size)]
                values = " ".join(f"{row['ppmd']:>10.3f}" for row in line)
                head = f"{family[:12]:12} {line[0]['task']:8} {unit:6} {size:>9,} {line[0]['target']:>6}"
                print(f"{head} {values}", flush=True)
    for model in MODELS:
        for unit, size in budgets:
            for ours in ("target-0.5", "target-0.9"):
                wins, cells = summary.ahead(results.rows, ours, _RIVALS, model, unit, size)
                print(f"{ours} ahead of {', '.join(_RIVALS)} in {wins} of {cells} ({model}, {size:,} {unit})")


def main() -> None:
    given = arguments()
    results = Results(given)
    with tempfile.TemporaryDirectory() as directory, ProcessPoolExecutor(os.cpu_count()) as workers:
        path = given.pool
        if path is None:
            path = Path(directory, "demo.jsonl")
            write_pool(path)
        if "general" in given.tasks:
            in_general(path, given, results, workers)
        if "targeted" in given.tasks:
            for_targets(path, given, results, workers)
    print("\nbits, as a mean ratio to the best random subset of each family")
    print(summary.table(results.rows))
    if given.plot:
        summary.plot(results.rows, given.plot)


if __name__ == "__main__":
    main()
