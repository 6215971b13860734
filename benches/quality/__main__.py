"""Compares methods at equal bytes: ``python benches/quality POOL --budgets 1MB 3MB --json results.json``.

Prompts are held out first. A subset is as good as a compressor, used as a model, predicts the held-out text after
reading it: ``size(subset + heldout) - size(subset)``, in bits per byte of the held-out text; *macro*: families of
sources weigh alike, *micro*: by their bytes in the pool. Then junk is injected, and counted in what is selected.

These are proxies: no language model is trained. Needs the package with its extra ``bench``.
"""

import argparse
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import heldout
import measures
from at_random import cut, pick_random
from junk import KINDS, junk

import entropylaw
from entropylaw.budget import Budget
from entropylaw.demo import write_pool
from entropylaw.pool import load

Pick = Callable[[Sequence[bytes], int], list[int]]


def pick_zip(samples: Sequence[bytes], size: int) -> list[int]:
    """ZIP takes a number of samples; a smaller one gives a prefix of a larger one's picks, so enough are cut."""
    budget = max(1, 4 * size * len(samples) // sum(map(len, samples)))
    while True:
        order = entropylaw.select(list(samples), budget=min(budget, len(samples))).indices.tolist()
        if sum(len(samples[index]) for index in order) >= size or len(order) == len(samples):
            return cut(samples, order, size)
        budget *= 2


def pick_coverage(samples: Sequence[bytes], size: int, *, unit: Any, features: Any = "auto") -> list[int]:
    selection = entropylaw.select(list(samples), method="coverage", budget=f"{size}B", unit=unit, features=features)
    return selection.indices.tolist()


METHODS: dict[str, Pick] = {
    **{f"random-{seed}": partial(pick_random, seed=seed) for seed in range(3)},
    "zip": pick_zip,
    "coverage-byte": partial(pick_coverage, unit="byte"),
    "coverage-word": partial(pick_coverage, unit="word"),
}

SAMPLED: dict[str, Pick] = {
    f"coverage-{share}": partial(pick_coverage, unit="byte", features=share) for share in ("1/2", "1/4", "1/8", "1/16")
}
"""With a part of the n-grams: to be asked for."""


def quality(task: heldout.Task, picked: list[int], workers: ProcessPoolExecutor) -> dict[str, Any]:
    """The measures of a subset."""
    subset = b"\n".join(task.samples[index] for index in picked)
    bits = {
        model: workers.submit(measures.bits_per_byte, subset, task.heldout, size)
        for model, size in measures.MODELS.items()
    }
    row: dict[str, Any] = {"samples": len(picked), "bytes": sum(len(task.samples[index]) for index in picked)}
    for model, future in bits.items():
        families = future.result()
        row[model] = {
            "macro": sum(families.values()) / len(families),
            "micro": sum(task.weights[family] * value for family, value in families.items()),
            "families": families,
        }
    duplicates = 1 - len({task.prompts[index] for index in picked}) / len(picked)
    return row | measures.ratios(subset) | {"duplicate_prompts": duplicates}


def junk_shares(samples: list[bytes], pick: Pick, size: int, share: float) -> dict[str, dict[str, float]]:
    """Shares of junk in the bytes selected from a pool with ``share`` of junk, single and in three copies."""
    result = {}
    for name, copies in (("single", 1), ("copied", 3)):
        mixed = [*junk(samples, share, copies, seed=copies), *(("", sample) for sample in samples)]
        random.Random(copies).shuffle(mixed)
        texts = [text for _, text in mixed]
        picked = pick(texts, size)
        spent = dict.fromkeys(("", *KINDS), 0)
        for index in picked:
            spent[mixed[index][0]] += len(texts[index])
        total = sum(spent.values())
        result[name] = {"all": 1 - spent.pop("") / total} | {kind: size / total for kind, size in spent.items()}
    return result


def table(rows: list[dict[str, Any]]) -> str:
    """The results, for people."""
    head = f"{'bytes':>11}  {'method':14} {'samples':>8}  {'PPMd macro':>10} {'micro':>6}  {'xz macro':>8} {'micro':>6}"
    lines = [head + f"  {'R zlib':>6} {'R xz':>6}  {'dup.prompts':>11}  {'junk':>6} {'copied':>6}  {'s':>6}"]
    for row in rows:
        found = row.get("junk", {})
        shares = " ".join(
            f"{found[kind]['all']:6.1%}" if kind in found else f"{'-':>6}" for kind in ("single", "copied")
        )
        lines.append(
            f"{row['budget']:>11,}  {row['method']:14} {row['samples']:>8,}  "
            f"{row['ppmd']['macro']:>10.3f} {row['ppmd']['micro']:>6.3f}  "
            f"{row['xz']['macro']:>8.3f} {row['xz']['micro']:>6.3f}  {row['R_zlib']:>6.2f} {row['R_xz']:>6.2f}  "
            f"{row['duplicate_prompts']:>11.1%}  {shares}  {row['seconds']:>6.1f}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="benches/quality", description=__doc__.split("\n", 1)[0])
    parser.add_argument("pool", nargs="?", help="JSON or JSON Lines [the demo pool]")
    parser.add_argument("--budgets", nargs="+", default=["1MB", "3MB"], help="bytes to select")
    parser.add_argument("--methods", nargs="+", choices=METHODS | SAMPLED, default=list(METHODS))
    parser.add_argument("--families", type=int, default=8, help="predict so many families of sources, the largest")
    parser.add_argument("--seed", type=int, default=0, help="which prompts are held out")
    parser.add_argument("--junk", type=float, default=0.05, help="share of junk to inject; 0 for none")
    parser.add_argument("--json", type=Path, help="where to write the results")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as directory:
        path = arguments.pool
        if path is None:
            path = Path(directory, "demo.jsonl")
            write_pool(path)
        task = heldout.split(load([path], paths=True), arguments.families, arguments.seed)
    print(f"{len(task.samples):,} samples, {sum(map(len, task.samples)):,} bytes to select from; held out: ", end="")
    print(", ".join(f"{family or '(none)'} {len(text):,}" for family, text in task.heldout.items()), flush=True)
    rows: list[dict[str, Any]] = []
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        for budget in arguments.budgets:
            asked = Budget.parse(budget)
            if asked.unit != "bytes" or asked.is_share:
                parser.error(f"{budget}: budgets are in bytes here, for example 1MB")
            size = int(asked.amount)
            for name in arguments.methods:
                start = time.perf_counter()
                pick = (METHODS | SAMPLED)[name]
                picked = pick(task.samples, size)
                row = {"budget": size, "method": name, "seconds": time.perf_counter() - start}
                row |= quality(task, picked, workers)
                if arguments.junk and (name.startswith(("coverage", "zip")) or name == "random-0"):
                    row["junk"] = junk_shares(task.samples, pick, size, arguments.junk)
                rows.append(row)
                print(table([row]) if len(rows) == 1 else table([row]).split("\n")[1], flush=True)
                if arguments.json:
                    about = {"entropylaw": entropylaw.__version__, "seed": arguments.seed, "junk": arguments.junk}
                    arguments.json.write_text(json.dumps(about | {"weights": task.weights, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
