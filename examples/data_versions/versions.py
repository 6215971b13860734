"""Five versions of a data set, one of them with a harmful increment: what the law says of each, and when."""

import argparse
import csv
import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from learner import performance, pool, take, text, train, write_log

import entropylaw
from entropylaw.cli import main as command
from entropylaw.law import read_log

Records = list[dict[str, str]]


def earlier_runs(records: Records, heldout: bytes, size: int, count: int, directory: Path) -> Path:
    """Runs to fit the law to: data sets of the same size, with more or fewer copies, each trained and evaluated."""
    path = directory / "runs.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "R", "L", "Z"])
        for run in range(count):
            rng = random.Random(run)
            fresh = take(rng.sample(records, len(records)), round(size * (1 - 0.6 * run / count)))
            data = fresh + take([rng.choice(fresh) for _ in records], size - sum(len(text(r)) for r in fresh))
            rng.shuffle(data)
            samples = [text(record) for record in data]
            log = directory / "log.json"
            write_log(log, train(samples))
            R = entropylaw.ratio(samples, codecs=["xz"]).ratio
            writer.writerow([f"run {run}", R, read_log(log).first_epoch().mean, performance(samples, heldout)])
    return path


def garbled(record: dict[str, str], rng: random.Random) -> dict[str, str]:
    """The record with the words of its answer in random order: what a broken export may leave."""
    words = record["output"].split(" ")
    rng.shuffle(words)
    return record | {"output": " ".join(words)}


def data_versions(records: Records, size: int) -> dict[str, Records]:
    """x1, and four versions that each replace a quarter of the one before by an increment; that of x4 is harmful."""
    rng = random.Random(2024)
    supply = iter(rng.sample(records, len(records)))

    def increment(share: float) -> Records:
        taken, spent = [], 0
        while spent < share * size:
            taken.append(next(supply))
            spent += len(text(taken[-1]))
        return taken

    versions = {"x1": increment(1.0)}
    for name, last in (("x2", "x1"), ("x3", "x2"), ("x4", "x3"), ("x5", "x3")):
        new = increment(0.25)
        if name == "x4":
            new = [garbled(record, rng) for record in new]
        versions[name] = rng.sample(versions[last], len(versions[last]))
        versions[name] = take(versions[name], size - sum(len(text(record)) for record in new)) + new
        rng.shuffle(versions[name])
    return versions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, default=Path("versions-demo"), help="where the files go [%(default)s]")
    parser.add_argument("--size", type=int, default=400_000, help="bytes of a version [%(default)s]")
    parser.add_argument("--runs", type=int, default=16, help="earlier runs to fit the law to [%(default)s]")
    arguments = parser.parse_args()
    arguments.dir.mkdir(parents=True, exist_ok=True)
    records, heldout = pool(arguments.dir, seed=1)
    runs = earlier_runs(records, heldout, arguments.size, arguments.runs, arguments.dir)
    law = str(arguments.dir / "law.json")
    run(["law", "fit", str(runs), "-o", law, "--codec", "xz", "--force"])
    for name, version in data_versions(records, arguments.size).items():
        data, log = arguments.dir / f"{name}.jsonl", arguments.dir / f"{name}-trainer_state.json"
        data.write_text("".join(json.dumps(record) + "\n" for record in version))
        samples = [text(record) for record in version]
        entries = train(samples)
        check = ["law", "check", "--law", law, "--data", str(data), "--against", "run 0", "-q"]
        print(f"\n== {name} before training")
        run(check)
        for share, when in ((0.3, "after 30 % of epoch 1"), (1.0, "after epoch 1")):
            write_log(log, entries[: round(len(entries) * share)])
            print(f"== {name} {when}")
            run([*check, "--log", str(log)])
        print(f"== {name} as it turned out: Z {performance(samples, heldout):.4f}")


def run(arguments: list[str]) -> None:
    """Runs the command and shows its exit code."""
    print(f"entropylaw {' '.join(arguments)}", flush=True)
    code = command(arguments)
    print(f"exit code {code}", flush=True)


if __name__ == "__main__":
    main()
