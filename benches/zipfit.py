"""ZIP-FIT's scores against gzip of each pair, in one run: ``python benches/zipfit.py [POOL]``.

The alternative is what the published package ``zip-fit`` does, at level 9: Python's gzip of each sample with each of
the target's, and NumPy's mean; in one process, and in as many as there are cores, as the package has it. All have to
come to the same scores, to the last digit. Seconds are of the clock and of the processors.
"""

import argparse
import gzip
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import entropylaw
from entropylaw import _core
from entropylaw.demo import write_pool

_target: list[tuple[bytes, int]] = []


def size(text: bytes) -> int:
    return len(gzip.compress(text, 9))


def begin(target: list[bytes]) -> None:
    """Sizes the target alone, in each process."""
    _target.extend((sample, size(sample)) for sample in target)


def score(sample: bytes) -> float:
    own = size(sample)
    return float(np.mean([1 - (size(sample + other) - min(own, alone)) / max(own, alone) for other, alone in _target]))


def by_pairs(samples: list[bytes], target: list[bytes], processes: int) -> NDArray[np.float64]:
    with multiprocessing.get_context("fork").Pool(processes, begin, (target,)) as workers:
        return np.array(workers.map(score, samples, chunksize=100))


def ours(samples: list[bytes], target: list[bytes]) -> NDArray[np.float64]:
    pool, aim = entropylaw.load(samples), entropylaw.load(target)
    return _core.zipfit_scores(pool.data, pool.offsets[:-1], pool.offsets[1:], (aim.data, aim.offsets))


def timed(work: Callable[[], NDArray[np.float64]]) -> tuple[NDArray[np.float64], float, float]:
    """What the work comes to, its seconds by the clock, and those of all processors."""

    def spent() -> float:
        both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(used.ru_utime + used.ru_stime for used in both)

    clock, processors = time.perf_counter(), spent()
    found = work()
    return found, time.perf_counter() - clock, spent() - processors


def main() -> None:
    parser = argparse.ArgumentParser(prog="benches/zipfit.py", description=__doc__.split("\n", 1)[0])
    parser.add_argument("pool", nargs="?", help="JSON or JSON Lines [the demo pool]")
    parser.add_argument("--samples", type=int, default=20_000, help="so many of the pool, evenly spaced")
    parser.add_argument("--target", type=int, default=24, help="of which so many are the target, evenly spaced")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        path = given.pool
        if path is None:
            path = Path(directory, "demo.jsonl")
            write_pool(path)
        pool = entropylaw.load([path], paths=True)
    spaced = np.linspace(0, len(pool) - 1, min(given.samples, len(pool))).astype(int)
    samples = [pool.sample(index) for index in spaced.tolist()]
    target = [samples[index] for index in np.linspace(0, len(samples) - 1, given.target).astype(int).tolist()]
    print(f"{len(samples):,} samples of {np.mean([*map(len, samples)]):,.0f} bytes, ", end="")
    print(f"{len(target)} of the target's of {np.mean([*map(len, target)]):,.0f}, {os.cpu_count()} cores", flush=True)
    found, clock, processors = timed(lambda: ours(samples, target))
    print(f"entropylaw         {clock:8.1f} s  {processors:8.1f} s of the processors", flush=True)
    for processes in sorted({1, os.cpu_count() or 1}):
        scores, seconds, spent = timed(partial(by_pairs, samples, target, processes))
        if not np.array_equal(scores, found):
            raise SystemExit(f"the scores by {processes} processes are others")
        line = f"gzip, {processes:2} processes {seconds:8.1f} s  {spent:8.1f} s of the processors"
        print(f"{line}: {seconds / clock:.1f} and {spent / processors:.1f} times as long", flush=True)


if __name__ == "__main__":
    main()
