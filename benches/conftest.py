"""Pools for the benchmarks, and the ratios between what they measure."""

import io
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard

from entropylaw import demo
from entropylaw.pool import Pool, load

REAL = Path(__file__).parents[2] / "shared" / "data" / "pool-96k.jsonl.zst"
OURS = "entropylaw"


@pytest.fixture(scope="session", params=["demo", "real"])
def pool(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pool:
    """The demo pool, and 20,000 instruction records where they are at hand."""
    if request.param == "demo":
        path = tmp_path_factory.mktemp("pool") / "pool.jsonl"
        demo.write_pool(path)
        return load(path)
    if not REAL.exists():
        pytest.skip("no real data beside the project")
    with REAL.open("rb") as packed:
        lines = io.BufferedReader(zstandard.ZstdDecompressor(max_window_size=1 << 31).stream_reader(packed))
        path = tmp_path_factory.mktemp("pool") / "pool.jsonl"
        path.write_bytes(b"".join(next(lines) for _ in range(20_000)))
    return load(path)


@pytest.fixture(params=["random", "ZIP-like"])
def prefix_and_candidates(request: pytest.FixtureRequest, pool: Pool) -> tuple[list[bytes], list[bytes]]:
    """200 samples to start from and 500 to size: random ones, or those of lowest R, which ZIP looks at."""
    if request.param == "random":
        order = np.random.default_rng(0).permutation(len(pool))
    else:
        from entropylaw import select

        order = np.argsort(select(pool, budget=1, k1=1, k2=1, k3=1).initial_ratios, kind="stable")
    samples = [pool.sample(index) for index in order[:700].tolist()]
    return samples[:200], samples[200:]


def pytest_terminal_summary(terminalreporter: Any, config: Any) -> None:
    """How many times faster entropylaw is than each alternative, by medians of this run."""
    session = getattr(config, "_benchmarksession", None)
    groups: dict[str, dict[str, float]] = defaultdict(dict)
    for bench in session.benchmarks if session else []:
        if bench.stats.data:
            groups[bench.group][bench.extra_info["how"]] = bench.stats.median
    if groups:
        terminalreporter.section(
            f"{OURS} against the alternatives, on one thread if nothing else is said, medians of this run"
        )
    for group, medians in groups.items():
        ours = medians.get(OURS)
        for how, median in medians.items():
            if ours and how != OURS:
                terminalreporter.write_line(f"{group}: {median / ours:8.1f}x faster than {how}")
