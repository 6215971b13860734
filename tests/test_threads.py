"""Many threads at one sizer and one pool, as Python without the GIL lets them run; with it they take turns, often."""

import random
import sys
import sysconfig
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import entropylaw
from entropylaw.pool import load

THREADS = 8


@pytest.fixture(autouse=True)
def often() -> Iterator[None]:
    """Has the interpreter change threads after every few instructions."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def together(work: Callable[[int], Any], threads: int = THREADS) -> list[Any]:
    """What ``work`` returns in each of so many threads, which begin at the same moment."""
    start = threading.Barrier(threads)

    def run(number: int) -> Any:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def texts(count: int, seed: int = 0) -> list[bytes]:
    chooser = random.Random(seed)
    words = [chooser.randbytes(3).hex() for _ in range(200)]
    return [" ".join(chooser.choices(words, k=chooser.randrange(5, 60))).encode() for _ in range(count)]


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python has the GIL")
def test_the_package_leaves_the_gil_off() -> None:
    entropylaw.Sizer().append(b"the compiled module is loaded")
    assert not sys._is_gil_enabled()  # type: ignore[attr-defined]


def test_probes_see_whole_appends() -> None:
    """One thread appends, the others probe: each size is that behind one of the prefixes, and they never go back."""
    pieces, candidate = texts(40), texts(1, seed=1)[0]
    prefixes = [b"".join(pieces[:count]) for count in range(len(pieces) + 1)]
    sizes = [len(zlib.compress(prefix + candidate, 9)) for prefix in prefixes]
    assert sizes == sorted(set(sizes)), "each size tells its prefix"
    sizer = entropylaw.Sizer()
    done = threading.Event()

    def work(number: int) -> list[int]:
        seen = []
        if number == 0:
            for piece in pieces:
                sizer.append(piece)
            done.set()
        while True:
            last = done.is_set()
            seen.append(int(sizer.probe([candidate], threads=1 + number % 2)[0]))
            if last:
                return seen

    for seen in together(work):
        assert set(seen) <= set(sizes)
        assert seen == sorted(seen)
        assert seen[-1] == sizes[-1]
    assert len(sizer) == len(prefixes[-1])


def test_appends_of_all_threads_are_there() -> None:
    piece = texts(1)[0]
    sizer = entropylaw.Sizer()

    def work(_: int) -> None:
        for _ in range(25):
            before = len(sizer)
            sizer.append(piece)
            assert len(sizer) >= before + len(piece)
            assert sizer.size() > 0

    together(work)
    whole = piece * 25 * THREADS
    assert len(sizer) == len(whole)
    assert sizer.size() == len(zlib.compress(whole, 9))


def test_threads_share_a_pool(tmp_path: Path) -> None:
    """Every method, from one pool at once, picks and writes what it does alone."""
    path = tmp_path / "pool.jsonl"
    path.write_bytes(b"".join(b'{"text": "%s"}\n' % text for text in texts(300)))
    pool = load(path)
    calls: list[dict[str, Any]] = [
        {"method": "zip", "k1": 100, "k2": 20, "k3": 10},
        {"method": "coverage"},
        {"method": "coverage", "unit": "word", "dedupe": False},
        {"method": "random", "seed": 3},
    ]

    def select(number: int, output: Path) -> tuple[list[int], bytes]:
        selection = entropylaw.select(pool, budget=60, threads=1 + number % 3, **calls[number % len(calls)])
        selection.save(output)
        return selection.indices.tolist(), output.read_bytes()

    expected = [select(number, tmp_path / f"alone-{number}.jsonl") for number in range(len(calls))]
    found = together(lambda number: select(number, tmp_path / f"together-{number}.jsonl"))
    assert found == [expected[number % len(calls)] for number in range(THREADS)]


def test_threads_measure_one_pool() -> None:
    pool = load([text.decode() for text in texts(200)])
    expected = entropylaw.ratio(pool, codecs=["zlib", "zstd"]), entropylaw.score(pool)
    for found, scores in together(lambda _: (entropylaw.ratio(pool, codecs=["zlib", "zstd"]), entropylaw.score(pool))):
        assert {name: codec.compressed_bytes for name, codec in found.by_codec.items()} == {
            name: codec.compressed_bytes for name, codec in expected[0].by_codec.items()
        }
        assert np.array_equal(scores.first_gains, expected[1].first_gains)
