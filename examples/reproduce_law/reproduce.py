"""The entropy law in minutes, on a CPU: subsets of graded redundancy, their R, L and Z, and the law fitted to them."""

import argparse
import csv
import importlib.util
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
from learner import performance, pool, take, text, train, write_log

import entropylaw
from entropylaw.cli import main as command
from entropylaw.law import EntropyLaw, read_log


def subset(records: list[dict[str, str]], size: int, copied: float, seed: int) -> list[dict[str, str]]:
    """Records of ``size`` bytes together, of which a share are copies of others."""
    rng = random.Random(seed)
    fresh = take(rng.sample(records, len(records)), round(size * (1 - copied)))
    copies = take([rng.choice(fresh) for _ in range(size // 50)], size - sum(len(text(record)) for record in fresh))
    both = fresh + copies
    rng.shuffle(both)
    return both


def learner(
    arguments: argparse.Namespace, heldout: bytes
) -> Callable[[list[bytes]], tuple[list[dict[str, Any]], float]]:
    """What makes a log and a performance of a training set: PPMd, or a language model."""
    if arguments.model is None:
        return lambda samples: (train(samples), performance(samples, heldout))
    from language_model import LanguageModel

    directory = None if arguments.model == "smollm2" else Path(arguments.model)
    return LanguageModel(directory, arguments.dir / "models", heldout).learn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, default=Path("law-demo"), help="where the files go [%(default)s]")
    parser.add_argument("--model", help="fine-tune 'smollm2', or a Hugging Face directory, instead of PPMd")
    parser.add_argument("--size", type=int, help="bytes of each subset [400,000; for a model 60,000]")
    parser.add_argument("--runs", type=int, help="how many subsets [24; for a model 8]")
    parser.add_argument("--seed", type=int, default=0, help="of the subsets [%(default)s]")
    arguments = parser.parse_args()
    arguments.size = arguments.size or (400_000 if arguments.model is None else 60_000)
    arguments.runs = arguments.runs or (24 if arguments.model is None else 8)
    arguments.dir.mkdir(parents=True, exist_ok=True)
    records, heldout = pool(arguments.dir, arguments.seed)
    print(f"{len(records):,} records to train on, {len(heldout):,} bytes held out")
    learn = learner(arguments, heldout)
    rows: list[dict[str, Any]] = []
    for run in range(arguments.runs):
        copied = 0.9 * run / max(arguments.runs - 1, 1)
        samples = [text(record) for record in subset(records, arguments.size, copied, arguments.seed + run)]
        ratios = entropylaw.ratio(samples, codecs=["zlib", "xz"]).by_codec
        log = arguments.dir / f"trainer_state-{run:02}.json"
        entries, reached = learn(samples)
        write_log(log, entries)
        rows.append(
            {
                "name": f"{copied:.0%} copies",
                "R": ratios["xz"].ratio,
                "R_zlib": ratios["zlib"].ratio,
                "L": read_log(log).first_epoch().mean,
                "Z": reached,
            }
        )
        row = rows[-1]
        print(f"{row['name']:>12}  R {row['R']:.3f}  zlib {row['R_zlib']:.3f}  L {row['L']:.3f}  Z {row['Z']:.4f}")
    path = arguments.dir / "runs.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    fit = ["law", "fit", str(path), "-o", str(arguments.dir / "law.json"), "--codec", "xz", "--force"]
    if importlib.util.find_spec("vl_convert"):
        fit += ["--plot", str(arguments.dir / "law.png"), "--report", str(arguments.dir / "law.html")]
    else:
        print("no plot: it needs vl-convert (pip install 'entropylaw[report]')")
    print(f"\nentropylaw {' '.join(fit)}", flush=True)
    if command(fit):
        sys.exit(1)
    zlib = EntropyLaw(codec="zlib").fit([row["R_zlib"] for row in rows], None, [row["Z"] for row in rows])
    print(f"\nwith zlib's R instead, by R alone: {zlib.by_R.form}, leave-one-out error {zlib.by_R.loo_rmse:.3g}")
    law = EntropyLaw.load(arguments.dir / "law.json")
    print("\nsubsets without copies, and what the law predicts of them by R:")
    for name, picked in without_copies(records, arguments.size, arguments.seed):
        samples = [text(record) for record in picked]
        R = entropylaw.ratio(samples, codecs=["xz"]).ratio
        found = law.predict(R)
        span = f"{found.mean[0]:.4f} ({found.low[0]:.4f} to {found.high[0]:.4f})"
        print(f"{name:>12}  R {R:.3f}  Z {learn(samples)[1]:.4f}  predicted {span}")


def without_copies(records: list[dict[str, str]], size: int, seed: int) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Subsets that differ in how they were chosen, not in how often they repeat themselves."""
    for number in range(3):
        yield f"random {number}", subset(records, size, 0.0, 1000 + seed + number)
    samples = [text(record) for record in records]
    covering = entropylaw.select(samples, method="coverage", budget=f"{size}B")
    yield "coverage", [records[index] for index in covering.indices]
    zipped = entropylaw.select(samples, method="zip", budget=len(records) // 2, k1=1000)
    yield "zip", take([records[index] for index in zipped.indices], size)


if __name__ == "__main__":
    main()
