"""The sizer, from Python, beside Python's zlib: ``python benches/python_zlib.py POOL.jsonl``.

Samples are the lines of the file, of two kinds: *random* ones behind 100 others, and *ZIP-like* ones, the 10,000 least
compressible of the pool behind the lowest 200. All in one run, the least of a few repeats, on one thread but for the
last column. Sizes are compared, so that Python's zlib must be the classic one.
"""

import argparse
import random
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

import baselines
from entropylaw import Sizer

CANDIDATES, REPEATS = 10_000, 3


def least(evaluations: int, work: Callable[[], object]) -> float:
    """Microseconds per evaluation."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds) * 1e6 / evaluations


def measure(prefix: list[bytes], candidates: list[bytes]) -> list[float]:
    """Of one prefix and many candidates: us of Python's zlib and of the sizer, their ratio, and that of two threads."""
    sizer = Sizer()
    for sample in prefix:
        sizer.append(sample)
    baseline = baselines.copy if prefix else baselines.recompress
    if sizer.probe(candidates).tolist() != baseline(prefix, candidates):
        raise SystemExit(f"sizes differ: is zlib {zlib.ZLIB_RUNTIME_VERSION} the classic one?")
    # Reading the prefix counts, but once for all candidates.
    theirs = least(len(candidates), lambda: baseline(prefix, candidates))
    ours = least(len(candidates), lambda: sizer.probe(candidates, threads=1))
    two = least(len(candidates), lambda: sizer.probe(candidates, threads=2))
    return [theirs, ours, theirs / ours, ours / two]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pool", type=Path)
    pool = parser.parse_args().pool.read_bytes().splitlines()
    random.Random(1).shuffle(pool)
    sizes = Sizer().probe(pool)
    ranked = [pool[i] for i in np.argsort(np.array([len(sample) for sample in pool]) / sizes, kind="stable")]
    kinds = {
        "random": (pool[:100], pool[100 : 100 + CANDIDATES]),
        "ZIP-like": (ranked[:200], ranked[:CANDIDATES]),
    }
    print(f"{'us per evaluation':<36} {'zlib':>8} {'sizer':>8} {'ratio':>8} {'2 threads':>10}")
    for kind, (prefix, candidates) in kinds.items():
        for what, before in [("one prefix, compressobj.copy()", prefix), ("no prefix, zlib.compress()", [])]:
            theirs, ours, ratio, two = measure(before, candidates)
            print(f"{kind + ', ' + what:<40} {theirs:>6.1f} {ours:>8.2f} {ratio:>7.1f}x {two:>9.2f}x")


if __name__ == "__main__":
    main()
