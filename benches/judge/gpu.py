"""Runs a bundle's jobs, several at a time on one device: small models leave a large one idle most of the time.

Started by ``gpu.sh``. Needs PyTorch and transformers; nothing of ``entropylaw``.
"""

import argparse
import json
import multiprocessing
import os
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any

import numpy as np
import torch

from judge import rows, table
from judge.encoding import Tokens
from judge.evaluate import evaluate
from judge.exam import Exam, glimpse
from judge.judging import Judge
from judge.settings import Settings

_OFF = 0.02
"""By how much another machine's macro of the base model may differ: rounding is far below it, a wrong model above."""


class Bundle:
    """What ``judge.bundle`` wrote, unpacked."""

    def __init__(self, directory: Path) -> None:
        plan = json.loads((directory / "plan.json").read_text())
        self.model = directory / plan["model"]
        self.expected: float = plan["expected"]
        self.exam = Exam.read(plan["exam"])
        self.subsets: list[dict[str, Any]] = plan["subsets"]
        self.jobs: list[dict[str, Any]] = plan["jobs"]
        self._tokens = Tokens(np.load(directory / "ids.npy", mmap_mode="r"), np.load(directory / "ends.npy"))

    def tokens(self, subset: int) -> Tokens | None:
        """The tokens of a subset's records; None for that of the base model."""
        indices = self.subsets[subset]["indices"]
        return self._tokens.only(indices) if indices else None

    def row(self, judge: Judge, job: dict[str, Any]) -> dict[str, Any]:
        """A job's row without scores."""
        return judge.row(self.subsets[job["subset"]]["about"], job["seed"], Settings(**job["settings"]))


_worker: tuple[Bundle, Judge] | None = None


def _begin(directory: Path, device: str, threads: int) -> None:
    global _worker
    torch.set_num_threads(threads)
    bundle = Bundle(directory)
    _worker = bundle, Judge(bundle.model, bundle.exam, device)


def _find_out(job: dict[str, Any]) -> dict[str, Any]:
    assert _worker is not None
    bundle, judge = _worker
    scores = judge.scores(bundle.tokens(job["subset"]), job["seed"], Settings(**job["settings"]))
    return bundle.row(judge, job) | {"scores": scores}


def check_model(judge: Judge, expected: float) -> None:
    """Compares the base model's macro on a few passages with what the bundle's maker found.

    Raises
    ------
    SystemExit
        If it is another model, or is read as another one.
    """
    found = evaluate(judge.untrained(), glimpse(judge.exam), "float32")["text"]["macro"]
    if abs(found - expected) > _OFF * expected:
        raise SystemExit(f"the base model has {found:.4f} bits a byte here, {expected:.4f} where the bundle was made")


def main() -> None:
    parser = argparse.ArgumentParser(prog="gpu.sh", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--out", type=Path, default=Path("rows.jsonl"), help="where rows go [%(default)s]")
    parser.add_argument("--minutes", type=float, default=9, help="no job is started that would end later [%(default)s]")
    parser.add_argument("--workers", type=int, help="jobs at a time [6 on a GPU, 1 on a CPU]")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    started = time.monotonic()
    deadline = started + 60 * arguments.minutes
    workers = arguments.workers or (6 if arguments.device.startswith("cuda") else 1)
    threads = max(1, len(os.sched_getaffinity(0)) // workers)
    torch.set_num_threads(threads)
    bundle = Bundle(arguments.bundle)
    judge = Judge(bundle.model, bundle.exam, arguments.device)
    check_model(judge, bundle.expected)
    results = rows.Results(arguments.out)
    planned = [bundle.row(judge, job) for job in bundle.jobs]
    first = {row["key"]: job for row, job in reversed(list(zip(planned, bundle.jobs, strict=True)))}
    todo = dict.fromkeys(row["key"] for row in planned if not results.settled(row))
    waiting = [first[key] for key in todo]
    print(f"{len(waiting)} of {len(bundle.jobs)} jobs to do, {workers} at a time, on {arguments.device}", flush=True)
    del judge
    late, slowest = 0, 0.0
    running: set[Future[dict[str, Any]]] = set()
    with ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), _begin, (arguments.bundle, arguments.device, threads)
    ) as pool:
        while waiting or running:
            while waiting and len(running) < workers:
                job = waiting.pop(0)
                about = bundle.subsets[job["subset"]]["about"]
                size = about["tokens"] * job["settings"]["epochs"]
                # The slowest tokens so far, in seconds each, foretell the next job; before any is done, nothing does.
                if time.monotonic() + slowest * size > deadline:
                    late += 1
                    continue
                running.add(pool.submit(_find_out, job))
            finished, running = wait(running, return_when=FIRST_COMPLETED) if running else (set(), running)
            for future in finished:
                row = future.result()
                results.add(row)
                seconds = row["scores"]["seconds"]
                size = row["subset"]["tokens"] * row["settings"]["epochs"]
                if size:
                    slowest = max(slowest, sum(seconds.values()) / size)
                print(
                    f"{time.monotonic() - started:6.1f} s  {row['subset']['method']}, {row['subset']['budget']:,} "
                    f"{row['subset']['unit']}, seed {row['seed']}, {row['settings']['epochs']} epochs: "
                    f"macro {row['scores']['text']['macro']:.4f} in {sum(seconds.values()):.1f} s",
                    flush=True,
                )
    # Those of the same text under another name.
    found = sum(map(results.settled, planned))
    print(table.markdown(rows.read(arguments.out)))
    print(f"{found} of {len(planned)} jobs are done, {late} are left for another call,", end=" ")
    print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
