"""ZIP against the oracle that recompresses everything."""

import functools
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import entropylaw
import oracle
from entropylaw.cli import main

WORDS = ["the ", "cat ", "sat ", "on ", "a ", "mat. ", "é", "0", "xyz" * 9]
texts = st.one_of(
    st.text(max_size=30),
    st.lists(st.sampled_from(WORDS), max_size=12).map("".join),
    st.sampled_from(["", "a", "b", "the cat sat on a mat. " * 10]),
)
pools = st.one_of(
    st.lists(texts, min_size=1, max_size=30),
    # Duplicates, up to all samples equal.
    st.lists(st.sampled_from(["", "x", "the cat ", "the cat sat"]), min_size=1, max_size=40),
)


@st.composite
def parameters(draw: st.DrawFn) -> dict[str, int]:
    """Some larger than the pool, often equal to one another."""
    k1 = draw(st.integers(1, 45))
    k2 = draw(st.one_of(st.integers(1, k1), st.just(k1)))
    k3 = draw(st.one_of(st.integers(1, k2), st.just(k2)))
    return {"budget": draw(st.integers(1, 45)), "k1": k1, "k2": k2, "k3": k3}


def trace(samples: list[bytes], indices: list[int], opening: bytes, separator: bytes, closing: bytes) -> list[float]:
    """R of the selected set after each pick."""
    sets = [opening + separator.join(samples[i] for i in indices[: n + 1]) + closing for n in range(len(indices))]
    return [len(data) / oracle.compressed(data) for data in sets]


@given(pool=pools, k=parameters())
@example(pool=[""], k={"budget": 1, "k1": 1, "k2": 1, "k3": 1})
@example(pool=["a"] * 40, k={"budget": 40, "k1": 10, "k2": 5, "k3": 5})
@example(pool=["", "", "a"], k={"budget": 3, "k1": 45, "k2": 45, "k3": 1})
def test_paper_agrees_with_the_oracle(pool: list[str], k: dict[str, int]) -> None:
    samples = [text.encode() for text in pool]
    selection = entropylaw.select(pool, preset="paper", threads=2, **k)
    indices = selection.indices.tolist()
    assert indices == oracle.paper(samples, **k)
    assert len(indices) == min(k["budget"], len(pool)) == len(set(indices))
    assert selection.ratios.tolist() == trace(samples, indices, b"", b"", b"")
    assert selection.initial_ratios.tolist() == [len(s) / oracle.compressed(s) for s in samples]
    assert selection.pool_ratio == len(b"".join(samples)) / oracle.compressed(b"".join(samples))
    assert sum(round_.picked for round_ in selection.rounds) == len(indices)
    assert selection.rounds[-1].ratio == selection.ratio


@pytest.mark.parametrize("preset", ["paper", "reference"])
def test_a_pool_of_more_samples_than_16_bits_count_agrees_with_the_oracle(
    monkeypatch: pytest.MonkeyPatch, preset: Any
) -> None:
    """The lowest states lie beyond sample 65,535, and most states are ties."""
    # Few texts, so that the oracle need not compress each sample anew.
    monkeypatch.setattr(oracle, "compressed", functools.cache(oracle.compressed))
    pool = [["the cat sat ", "the cat sat on a mat "][n % 2] * 20 for n in range(65_600)]
    pool += [f"{'xyz'[n % 3]} {'qrst'[n % 4]} {n % 5}" for n in range(30)]
    k = {"budget": 10, "k1": 24, "k2": 8, "k3": 5}
    selection = entropylaw.select(pool, preset=preset, threads=2, **k)
    if preset == "paper":
        expected = oracle.paper([text.encode() for text in pool], **k)
    else:
        expected = oracle.reference(pool, lowest=oracle.libstdcxx_lowest, **k)
    assert selection.indices.tolist() == expected
    assert len(selection.rounds) == 2 and min(expected) >= 65_536


@given(pool=pools, k=parameters())
@example(pool=["a"] * 40, k={"budget": 40, "k1": 10, "k2": 5, "k3": 5})
@example(pool=["x", "y"], k={"budget": 2, "k1": 3, "k2": 2, "k3": 1})
def test_reference_agrees_with_the_oracle(pool: list[str], k: dict[str, int]) -> None:
    records = [{"text": text, "n": number % 3} for number, text in enumerate(pool)]
    expected = oracle.reference(records, **k, lowest=oracle.libstdcxx_lowest)
    whole = entropylaw.select(records, preset="reference", whole_rounds=True, threads=2, **k)
    assert whole.indices.tolist() == expected
    cut = entropylaw.select(records, preset="reference", threads=2, **k)
    assert cut.indices.tolist() == expected[: k["budget"]]
    assert len(set(expected)) == len(expected)
    samples = [repr(record).encode() for record in records]
    assert cut.ratios.tolist() == trace(samples, cut.indices.tolist(), b"[", b", ", b"]")


def test_the_oracles_lowest_k_is_that_of_libstdcxx() -> None:
    """The same vectors as the Rust port is checked with: two ports that agree could still be wrong together."""
    from pathlib import Path

    checked = 0
    for line in (Path(__file__).parent / "data/libstdcxx_topk.tsv").read_text().splitlines():
        seed, n, distinct, pattern, k, expected = map(int, line.split("\t"))
        if pattern or n > 200:
            continue
        state = (seed * 0x9E3779B97F4A7C15 | 1) % 2**64
        keys = []
        for _ in range(n):
            state ^= state << 13 & (2**64 - 1)
            state ^= state >> 7
            state ^= state << 17 & (2**64 - 1)
            keys.append(float((state >> 11) % distinct))
        digest = 0xCBF29CE484222325
        for index in oracle.libstdcxx_lowest(keys, k):
            digest = (digest ^ index) * 0x100000001B3 % 2**64
        assert digest == expected, line
        checked += 1
    assert checked > 200


def mixed_pool(size: int) -> list[str]:
    """Samples of many lengths with much in common."""
    chooser = random.Random(7)
    return ["".join(chooser.choices(WORDS, k=chooser.randint(0, 60))) for _ in range(size)]


@pytest.mark.parametrize("preset", ["paper", "reference"])
def test_the_number_of_threads_changes_nothing(preset: Any) -> None:
    pool = mixed_pool(600)
    runs = [
        entropylaw.select(pool, budget=150, preset=preset, k1=300, k2=60, k3=30, threads=threads)
        for threads in (1, 2, 3, 8)
    ]
    for run in runs[1:]:
        assert np.array_equal(run.indices, runs[0].indices)
        assert np.array_equal(run.ratios, runs[0].ratios)
    assert runs[0].rounds == runs[3].rounds


def test_a_smaller_budget_selects_a_prefix() -> None:
    pool = mixed_pool(200)
    large = entropylaw.select(pool, budget=90, k1=100, k2=20, k3=10)
    small = entropylaw.select(pool, budget=37, k1=100, k2=20, k3=10)
    assert small.indices.tolist() == large.indices.tolist()[:37]


@pytest.mark.parametrize(
    ("size", "k1", "k3", "warning"),
    [(9, 10, 5, "would have failed"), (30, 25, 2, "selects samples twice"), (9, 10, 2, "never looks again")],
)
def test_reference_says_where_the_script_fails(size: int, k1: int, k3: int, warning: str) -> None:
    selection = entropylaw.select(mixed_pool(size), budget=size, preset="reference", k1=k1, k2=5, k3=k3)
    assert any(warning in text for text in selection.warnings)


def test_paper_never_warns() -> None:
    assert entropylaw.select(mixed_pool(9), budget=9, k1=10, k2=5, k3=2).warnings == ()


@pytest.mark.parametrize(
    ("budget", "expected"), [("10%", 4), ("2.5%", 1), ("100%", 40), (" 50 % ", 20), ("7", 7), (np.int64(3), 3)]
)
def test_budgets(budget: Any, expected: int) -> None:
    assert len(entropylaw.select(mixed_pool(40), budget=budget)) == expected


@pytest.mark.parametrize("method", ["zip", "coverage", "random"])
@pytest.mark.parametrize(
    ("budget", "message"),
    [
        (5, None),
        ("5", None),
        ("100%", None),
        ("{size}B", None),
        (6, "the budget of 6 samples is more than the 5 of the pool"),
        ("6", "the budget of 6 samples is more than the 5 of the pool"),
        ("1k samples", "the budget of 1,000 samples is more than the 5 of the pool"),
        ("{more}B", "the budget of {more} bytes is more than the {size} of the pool"),
        ("6 tokens", "the budget of 6 tokens is more than the 5 of the pool"),
    ],
)
def test_a_budget_over_the_pool_selects_all_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], method: Any, budget: int | str, message: str | None
) -> None:
    """In Python and on the command line alike, whatever the budget counts."""
    samples = mixed_pool(5)
    size = sum(len(sample.encode()) for sample in samples)
    budget = budget.format(size=size, more=size + 1) if isinstance(budget, str) else budget
    how: dict[str, Any] = {"method": method, "dedupe": False} | ({"tokens": "n"} if "tokens" in str(budget) else {})
    pool = tmp_path / "pool.jsonl"
    pool.write_text("".join(json.dumps({"text": sample, "n": 1}) + "\n" for sample in samples))
    selection = entropylaw.select(pool, budget=budget, **how)
    assert sorted(selection.indices.tolist()) == [0, 1, 2, 3, 4]
    said = [message.format(size=size, more=size + 1)] if message else []
    assert [warning for warning in selection.warnings if "budget" in warning] == said
    output = tmp_path / "out.jsonl"
    options = ["--method", method, "--no-dedupe", *(["--tokens", "n"] if "tokens" in str(budget) else [])]
    assert main(["select", str(pool), "-o", str(output), "--budget", str(budget), *options, "-q"]) == 0
    assert output.read_bytes() == b"".join(record + b"\n" for record in selection.records())
    printed = capsys.readouterr().err.splitlines()
    assert [line.removeprefix("entropylaw: ") for line in printed if "budget" in line] == said
    assert json.loads(Path(f"{output}.manifest.json").read_text())["warnings"] == list(selection.warnings)


@pytest.mark.parametrize("preset", ["paper", "reference"])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_ratio_of_the_pool_is_that_of_all_samples_in_one_stream(preset: Any, threads: int) -> None:
    """Of a pool that is parsed in several pieces, and of what is left of it where others lie between."""
    chooser = random.Random(4)
    words = ["".join(chooser.choices("abcdefghij", k=5)) for _ in range(400)]
    texts = [" ".join(chooser.choices(words[: 400 - number], k=2_000)) for number in range(150)]
    kept: list[dict[str, Any]] = [{"text": text, "score": 1} for text in texts]
    others = [{"text": "x" * 3_000, "score": 0}] * 50
    samples = [repr(record) if preset == "reference" else record["text"] for record in kept]
    whole = ("[" + ", ".join(samples) + "]" if preset == "reference" else "".join(samples)).encode()
    for pool in (kept, [*kept[:40], *others, *kept[40:]]):
        selection = entropylaw.select(
            pool, preset=preset, budget=2, k1=2, k2=2, k3=1, min_score={"score": 1}, threads=threads
        )
        assert selection.pool_ratio == len(whole) / oracle.compressed(whole)
