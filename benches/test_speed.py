"""Probes and whole selections: entropylaw against recompression and `compressobj.copy()`. Run by `make bench`."""

from typing import Any

import pytest

import baselines
import entropylaw
from entropylaw.pool import Pool

ALTERNATIVES = {"recompression": baselines.recompress, "compressobj.copy()": baselines.copy}
HOW = ["entropylaw", *ALTERNATIVES]
PREFIX, CANDIDATES, CHECKED = 200, 500, 20


def label(benchmark: Any, request: pytest.FixtureRequest, what: str, how: str) -> None:
    """Groups a benchmark with those of the same work."""
    names = [value for name, value in request.node.callspec.params.items() if name != "how"]
    benchmark.group = f"{what} [{', '.join(names)}]"
    benchmark.extra_info["how"] = how


@pytest.mark.parametrize("how", HOW)
def test_one_prefix_many_candidates(
    benchmark: Any, request: pytest.FixtureRequest, prefix_and_candidates: tuple[list[bytes], list[bytes]], how: str
) -> None:
    """Stage 2: one prefix, each candidate sized once."""
    prefix, candidates = prefix_and_candidates
    label(benchmark, request, "one prefix", how)
    sizer = entropylaw.Sizer()
    for sample in prefix:
        sizer.append(sample)
    if how in ALTERNATIVES:
        sizes = benchmark.pedantic(ALTERNATIVES[how], (prefix, candidates), rounds=3)
    else:
        sizes = benchmark(lambda: sizer.probe(candidates, threads=1).tolist())
    assert sizes[:CHECKED] == baselines.recompress(prefix, candidates[:CHECKED])


@pytest.mark.parametrize("how", HOW)
def test_selection(benchmark: Any, request: pytest.FixtureRequest, pool: Pool, how: str) -> None:
    """The whole of ZIP on 2,000 samples."""
    samples = [pool.sample(index) for index in range(2000)]
    stages = {"budget": 100, "k1": 400, "k2": 100, "k3": 50}
    label(benchmark, request, "selection", how)
    if how in ALTERNATIVES:
        picks = benchmark.pedantic(baselines.zip_select, (samples,), stages | {"probe": ALTERNATIVES[how]}, rounds=1)
        assert len(set(picks)) == 100
    else:
        selection = benchmark.pedantic(entropylaw.select, (samples,), stages | {"threads": 1}, rounds=3)
        assert len(selection) == 100


@pytest.mark.parametrize("how", ["entropylaw", "zlib.compress"])
def test_scoring(benchmark: Any, request: pytest.FixtureRequest, pool: Pool, how: str) -> None:
    """An empty prefix: each sample of the pool alone."""
    import zlib

    samples = [pool.sample(index) for index in range(2000)]
    label(benchmark, request, "scoring", how)
    if how == "entropylaw":
        sizer = entropylaw.Sizer()
        sizes = benchmark(lambda: sizer.probe(samples, threads=1).tolist())
    else:
        sizes = benchmark(lambda: [len(zlib.compress(sample, 9)) for sample in samples])
    assert sizes[:CHECKED] == [len(zlib.compress(sample, 9)) for sample in samples[:CHECKED]]


@pytest.mark.parametrize("how", ["entropylaw", "entropylaw on one thread", "zlib.compress"])
def test_whole_pool(benchmark: Any, request: pytest.FixtureRequest, pool: Pool, how: str) -> None:
    """R of the pool as one stream, on two threads."""
    import zlib

    raw = pool.data.tobytes()
    label(benchmark, request, "R of the pool, two threads", how)
    if how == "zlib.compress":
        size = benchmark.pedantic(lambda: len(zlib.compress(raw, 9)), rounds=5)
    else:
        threads = 2 if how == "entropylaw" else 1
        measured = {"group_by": None, "threads": threads}
        size = benchmark.pedantic(lambda: entropylaw.ratio(pool, **measured).compressed_bytes, rounds=5)
    assert size == len(zlib.compress(raw, 9))
