"""Selecting for a target, at equal bytes: ``python benches/quality/targeted.py POOL --every 6 --json targeted.json``.

Of each family of sources, records are set aside: a target to select for, and a test. No answer to a prompt of either
may be selected. Then subsets are selected with the rest of the family in the pool, and with all of it removed. They are
as good as PPMd, used as a model, predicts the test after reading them: ``size(subset + test) - size(subset)``, in bits
per byte. These are proxies: no language model is trained. Needs the package with its extra ``bench``.
"""

import argparse
import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import measures
from at_random import pick_random
from heldout import family_of, prompt_of

import entropylaw
from entropylaw.demo import write_pool
from entropylaw.pool import load

Pick = Callable[[Sequence[bytes], Sequence[bytes], int], list[int]]


def pick_at_random(samples: Sequence[bytes], target: Sequence[bytes], size: int, *, seed: int) -> list[int]:
    return pick_random(samples, size, seed=seed)


def pick_coverage(samples: Sequence[bytes], target: Sequence[bytes], size: int, **options: Any) -> list[int]:
    if "target_weight" in options:
        options["target"] = list(target)
    return entropylaw.select(list(samples), method="coverage", budget=f"{size}B", **options).indices.tolist()


METHODS: dict[str, Pick] = {
    **{f"random-{seed}": partial(pick_at_random, seed=seed) for seed in range(3)},
    "coverage": pick_coverage,
    **{f"target-{weight}": partial(pick_coverage, target_weight=weight) for weight in (0.5, 0.9, 0.99)},
}


class Pool:
    """Samples with their prompts and families."""

    def __init__(self, path: str | Path, every: int) -> None:
        pool = load([path], paths=True)
        kept = range(0, len(pool), every)
        records = [json.loads(raw) for raw in pool.records.raw(kept)]
        self.samples = [pool.sample(index) for index in kept]
        self.prompts = [prompt_of(record) for record in records]
        self.families = [family_of(record) for record in records]

    def members(self, family: str, seed: int) -> list[int]:
        """A family's samples, one a prompt, in an order that only seed and samples decide."""
        first: dict[str, int] = {}
        for index, name in enumerate(self.families):
            if name == family:
                first.setdefault(self.prompts[index], index)
        rank = lambda index: hashlib.sha256(b"%d\0%s" % (seed, self.samples[index])).digest()  # noqa: E731
        return sorted(first.values(), key=rank)

    def up_to(self, size: int, indices: Sequence[int]) -> list[int]:
        """The first of these samples that have so many bytes together."""
        taken = []
        for index in indices:
            if size <= 0:
                break
            size -= len(self.samples[index])
            taken.append(index)
        return taken


def measure(pool: Pool, family: str, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """A row for each way of selecting for this family."""
    members = pool.members(family, arguments.seed)
    target = pool.up_to(arguments.target, members)
    test = pool.up_to(arguments.test, members[len(target) :])
    aside = {pool.prompts[index] for index in [*target, *test]}
    wanted = [pool.samples[index] for index in target]
    text = {family: b"\n".join(pool.samples[index] for index in test)}
    about = {"family": family, "target": len(target), "test": sum(map(len, text.values()))}
    rows = []
    for removed in (False, True):
        left = [
            index
            for index, name in enumerate(pool.families)
            if pool.prompts[index] not in aside and not (removed and name == family)
        ]
        samples = [pool.samples[index] for index in left]
        for name in arguments.methods:
            picked = METHODS[name](samples, wanted, arguments.budget)
            subset = b"\n".join(samples[index] for index in picked)
            bits = measures.bits_per_byte(subset, text, measures.ppmd)[family]
            own = sum(len(samples[index]) for index in picked if pool.families[left[index]] == family)
            rows.append(about | {"removed": removed, "method": name, "bits": bits, "own": own / len(subset)})
    return rows


def table(rows: list[dict[str, Any]], methods: Sequence[str]) -> str:
    """Bits per byte, and the means of their ratios to the best random subset."""
    width = max(12, *(len(row["family"]) for row in rows))
    lines = [f"{'family':{width}} {'pool':8} {'target':>6} " + " ".join(f"{name:>11}" for name in methods)]
    for removed in (False, True):
        ratios: dict[str, list[float]] = {name: [] for name in methods}
        for family in dict.fromkeys(row["family"] for row in rows):
            of = {row["method"]: row for row in rows if row["family"] == family and row["removed"] == removed}
            best = min((row["bits"] for name, row in of.items() if name.startswith("random")), default=float("nan"))
            for name in methods:
                ratios[name].append(of[name]["bits"] / best)
            values = " ".join(f"{of[name]['bits']:>11.3f}" for name in methods)
            lines.append(f"{family:{width}} {_pool(removed):8} {next(iter(of.values()))['target']:>6} {values}")
        means = " ".join(f"{sum(found) / len(found):>11.3f}" for found in ratios.values())
        lines.append(f"{'mean ratio':{width}} {_pool(removed):8} {'':6} {means}")
    return "\n".join(lines)


def _pool(removed: bool) -> str:
    return "removed" if removed else "in pool"


def main() -> None:
    parser = argparse.ArgumentParser(prog="benches/quality/targeted.py", description=__doc__.split("\n", 1)[0])
    parser.add_argument("pool", nargs="?", help="JSON or JSON Lines [the demo pool]")
    parser.add_argument("--every", type=int, default=1, help="of the pool, every so manieth record")
    parser.add_argument("--budget", type=int, default=300_000, help="bytes to select")
    parser.add_argument("--target", type=int, default=60_000, help="bytes of the target")
    parser.add_argument(
        "--test", type=int, default=40_000, help="bytes of the test; of more, PPMd learns from the test itself"
    )
    parser.add_argument("--families", type=int, default=6, help="so many families of sources, the largest")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--seed", type=int, default=0, help="which records are set aside")
    parser.add_argument("--json", type=Path, help="where to write the results")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as directory:
        path = arguments.pool
        if path is None:
            path = Path(directory, "demo.jsonl")
            write_pool(path)
        pool = Pool(path, arguments.every)
    size: dict[str, int] = {}
    for family, sample in zip(pool.families, pool.samples, strict=True):
        size[family] = size.get(family, 0) + len(sample)
    print(f"{len(pool.samples):,} samples, {sum(size.values()):,} bytes", flush=True)
    rows: list[dict[str, Any]] = []
    for family in sorted(size, key=lambda name: (-size[name], name))[: arguments.families]:
        rows += measure(pool, family, arguments)
        if arguments.json:
            about = {"entropylaw": entropylaw.__version__} | {
                name: getattr(arguments, name) for name in ("seed", "every", "budget", "target", "test")
            }
            arguments.json.write_text(json.dumps(about | {"rows": rows}, indent=1))
    print(table(rows, arguments.methods))


if __name__ == "__main__":
    main()
