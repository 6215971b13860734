"""Coverage selection against the oracle that computes every gain at every step."""

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import entropylaw
from coverage_oracle import Oracle
from entropylaw import CoverageSelection, EntropyLawError, _core
from entropylaw.cli import main
from entropylaw.methods.coverage import Coverage
from entropylaw.pool import load
from limits import Limits

WORDS = ["the ", "cat ", "sat ", "on ", "a ", "mat. ", "é ", "日本", "0", "xyz" * 9, "\n\t "]
texts = st.one_of(
    st.lists(st.sampled_from(WORDS), max_size=14).map("".join),
    st.text(max_size=25),
    st.sampled_from(["", "a", "the cat sat on a mat. " * 3]),
)
pools = st.one_of(
    st.lists(texts, min_size=1, max_size=25),
    # Duplicates, up to all samples equal.
    st.lists(st.sampled_from(["", "x", "the cat ", "the cat sat", "a cat sat"]), min_size=1, max_size=30),
)
OPTIONS = ("unit", "ngram", "gamma", "alpha", "min_df", "min_contexts", "features")
SOME_TEXT = [f"{a} {b} {c}." for a in ("the cat", "a dog", "no man") for b in ("sat", "ran") for c in ("here", "home")]


@st.composite
def options(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "unit": draw(st.sampled_from(["byte", "word"])),
        "ngram": draw(st.integers(1, 8)),
        "gamma": draw(st.sampled_from([0.0, 0.5, 0.85, 1.0])),
        "alpha": draw(st.sampled_from([0.0, 0.5, 0.9, 1.0])),
        "min_df": draw(st.integers(1, 3)),
        "min_contexts": draw(st.integers(1, 2)),
        "features": draw(st.sampled_from(["auto", "all", "1/2", "1/4", "1/64"])),
    }


def select(pool: Any, **rest: Any) -> CoverageSelection:
    """What the oracle does: copies are samples like any other."""
    return entropylaw.select(pool, method="coverage", **({"dedupe": False} | rest))


def is_greedy(selection: CoverageSelection) -> None:
    """What holds of every selection."""
    assert selection.objective == sum(selection.gains.tolist())
    assert 0 <= selection.coverage <= 1
    assert len(set(selection.indices.tolist())) == len(selection)


@given(pool=pools, how=options(), budget=st.integers(1, 30), in_bytes=st.booleans())
@example(pool=SOME_TEXT * 2, how={"unit": "word"}, budget=30, in_bytes=False)
@example(pool=SOME_TEXT * 2, how={}, budget=200, in_bytes=True)
@example(pool=["a" * 7] * 30, how={"min_contexts": 1}, budget=30, in_bytes=False)
def test_agrees_with_the_oracle(pool: list[str], how: dict[str, Any], budget: int, in_bytes: bool) -> None:
    samples = [text.encode() for text in pool]
    asked = f"{budget * 5}B" if in_bytes else budget
    if in_bytes and min(map(len, samples)) > budget * 5:
        return
    runs = [select(pool, budget=asked, threads=threads, **how) for threads in (1, 4)]
    used = {name: runs[0].parameters[name] for name in OPTIONS}
    oracle = Oracle(samples, runs[0].slots, **used)
    picks, gains = oracle.select(Limits(budget * 5, list(map(len, samples))) if in_bytes else Limits(budget))
    for run in runs:
        is_greedy(run)
        assert run.indices.tolist() == picks
        assert run.gains.tolist() == gains
        assert run.coverage == pytest.approx(oracle.coverage(), abs=1e-4)
    assert runs[0].evaluations == runs[1].evaluations


def test_a_pool_of_more_samples_than_16_bits_count_agrees_with_the_oracle(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is best lies beyond sample 65,535, some n-grams are in more samples than that, and most keys are ties."""
    # Few texts, so that the oracle need not take each sample apart anew.
    monkeypatch.setattr(Oracle, "_occurrences", functools.cache(Oracle._occurrences))
    monkeypatch.setattr(Oracle, "__hash__", object.__hash__, raising=False)
    monkeypatch.setattr(Oracle, "__eq__", object.__eq__)
    pool = [["the cat", "he cats"][n % 2] for n in range(65_600)]
    pool += [f"{'xyz'[n % 3]} the cat {'qrs'[n % 2]} best" for n in range(40)]
    samples = [text.encode() for text in pool]
    selection = select(pool, budget=5, alpha=0.0, threads=2)
    used = {name: selection.parameters[name] for name in OPTIONS}
    oracle = Oracle(samples, selection.slots, **used)
    assert max(oracle.df.values()) == 65_535
    picks, gains = oracle.select(Limits(5))
    assert selection.indices.tolist() == picks
    assert selection.gains.tolist() == gains
    assert min(picks) >= 65_536


@pytest.mark.parametrize(("collisions", "warns"), [(0.5, False), (0.5001, True), (1.0, True)])
def test_a_table_most_of_whose_n_grams_collide_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, collisions: float, warns: bool
) -> None:
    real = _core.select

    def colliding(*arguments: Any, **options: Any) -> _core.Picks:
        """What the core returns, with other collisions: it takes gigabytes of noise to have so many."""
        picks = real(*arguments, **options)
        picks.facts["collisions"] = collisions
        return picks

    monkeypatch.setattr(_core, "select", colliding)
    selection = select(SOME_TEXT, budget=3)
    assert selection.collisions == collisions
    message = f"{collisions:.0%} of the pool's {selection.features} n-grams share a slot of the table"
    assert [warning.startswith(message) for warning in selection.warnings] == [True] * warns


@given(pool=pools, known=st.sets(st.integers(0, 24), max_size=5), how=options())
def test_indices_known_are_counted_and_not_selected(pool: list[str], known: set[int], how: dict[str, Any]) -> None:
    known = {index for index in known if index < len(pool)}
    if len(known) == len(pool):
        return
    selection = select(pool, budget=5, initial_subset=sorted(known), **how)
    oracle = Oracle([text.encode() for text in pool], selection.slots, **how)
    assert (selection.indices.tolist(), selection.gains.tolist()) == oracle.select(Limits(5), known)


@given(pool=pools, known=pools, how=options())
def test_a_known_pool_is_counted_and_makes_nothing_recur(
    pool: list[str], known: list[str], how: dict[str, Any]
) -> None:
    known = [text for text in known if text not in pool]
    known = [text for text in known if text not in pool]
    selection = select(pool, budget=5, initial_subset=known, **how)
    oracle = Oracle([text.encode() for text in pool], selection.slots, **how)
    for text in known:
        oracle.know(text.encode())
    assert (selection.indices.tolist(), selection.gains.tolist()) == oracle.select(Limits(5))


@pytest.mark.parametrize("unit", ["byte", "word"])
def test_gains_never_rise_when_length_is_free(unit: Any) -> None:
    gains = select(SOME_TEXT * 3, budget=36, alpha=0, unit=unit, min_contexts=1).gains
    assert np.all(np.diff(gains) <= 0)
    assert gains[0] > 0


def test_a_duplicate_of_what_is_known_gains_a_quarter() -> None:
    """log(2.1 / 1.1) / log(1.1 / 0.1): the second sample with an n-gram, beside the first."""
    twins = ["the cat sat on the mat"] * 2
    fresh = select(twins, budget=1, min_contexts=1)
    again = select(twins, budget=1, min_contexts=1, initial_subset=[0])
    assert (fresh.indices.tolist(), again.indices.tolist()) == ([0], [1])
    assert again.objective == pytest.approx(0.26967 * fresh.objective, rel=1e-4)


def test_ties_go_to_the_lower_index() -> None:
    assert select(["the cat"] * 9, budget=9, min_contexts=1).indices.tolist() == list(range(9))
    assert select(["noise 1", "strange", "unheard"], budget=3).indices.tolist() == [0, 1, 2]


@pytest.mark.parametrize("unit", ["byte", "word"])
def test_copied_noise_is_left_alone(unit: Any) -> None:
    rng = np.random.default_rng(0)
    noise = ["".join(map(chr, rng.integers(0x61, 0x7B, 40))) for _ in range(20)]
    selection = select(noise * 3 + SOME_TEXT, budget=5, unit=unit)
    assert selection.indices.min() >= 60


@pytest.mark.parametrize(
    ("budget", "size"),
    [("100B", 100), ("0.1KB", 100), ("0.25 kib", 256), ("1MB", 10**6), ("1.5GiB", 3 << 29), ("1e0", None)],
)
def test_byte_budgets(budget: str, size: int | None) -> None:
    if size is None:
        with pytest.raises(EntropyLawError, match="it must be a number of samples, a share"):
            select(SOME_TEXT, budget=budget)
        return
    selection = select(SOME_TEXT, budget=budget)
    assert selection.raw_bytes <= size
    left = size - selection.raw_bytes
    assert all(len(text) > left for index, text in enumerate(SOME_TEXT) if index not in selection.indices)
    assert (len(selection.warnings) == 1) == (size > sum(map(len, SOME_TEXT)))
    assert selection.parameters["alpha"] == 1.0


def test_a_sample_too_large_is_passed_over() -> None:
    pool = ["the cat sat on the mat and then the cat sat on the cat", "a cat sat", "the cat sat on it"]
    assert 0 not in select(pool, budget="30B").indices
    with pytest.raises(EntropyLawError, match="nothing fits the budget of 3B"):
        select(pool, budget="3B")


def test_sample_budgets_price_length_less() -> None:
    assert select(SOME_TEXT, budget="50%").parameters["alpha"] == 0.9
    assert len(select(SOME_TEXT, budget="50%")) == 6
    assert "more than the 12 of the pool" in select(SOME_TEXT, budget=13).warnings[0]


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ({"k1": 5}, "k1 is an option of method 'zip'"),
        ({"preset": "paper"}, "preset is an option of method 'zip'"),
        ({"method": "zip", "gamma": 0.5}, "gamma is an option of method 'coverage'"),
        ({"unit": "line"}, "no unit 'line'"),
        ({"ngram": 0}, "ngram is 0; it must be a whole number from 1 to 8"),
        ({"ngram": 9}, "ngram is 9"),
        ({"ngram": 2.5}, "ngram is 2.5"),
        ({"gamma": 1.5}, "gamma is 1.5; it must be a number from 0 to 1"),
        ({"gamma": float("nan")}, "gamma is nan"),
        ({"alpha": -1}, "alpha is -1"),
        ({"alpha": "most"}, "alpha is 'most'"),
        ({"min_df": 0}, "min_df is 0"),
        ({"min_contexts": 3}, "min_contexts is 3; it must be a whole number from 1 to 2"),
        ({"initial_subset": [12]}, "the anchor has index 12, the pool 12 samples"),
        ({"initial_subset": [-1]}, "index -1"),
        ({"initial_subset": np.zeros(12)}, "is an array of float64"),
        ({"initial_subset": range(12)}, "nothing is left to select from: the anchor is the whole pool"),
        ({"budget": "0MB"}, "less than one byte"),
        ({"budget": "5XB"}, "such as '50MB'"),
        ({"threads": 0}, "threads is 0"),
    ],
)
def test_options(rest: dict[str, Any], message: str) -> None:
    with pytest.raises(EntropyLawError, match=message):
        entropylaw.select(SOME_TEXT, **({"budget": 2, "method": "coverage"} | rest))


def test_progress_and_interruption() -> None:
    seen = []
    select(SOME_TEXT, budget="50B", progress=seen.append)
    assert (seen[-1].stage, seen[-1].picked) == ("pick", len(select(SOME_TEXT, budget="50B")))
    assert 0 < seen[-1].done <= seen[-1].total == 50

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        select(SOME_TEXT, budget=2, progress=stop)


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pool, known, output = tmp_path / "pool.jsonl", tmp_path / "known.jsonl", tmp_path / "out.jsonl"
    pool.write_text("".join(json.dumps({"text": text}) + "\n" for text in SOME_TEXT))
    known.write_text(json.dumps({"text": SOME_TEXT[3]}) + "\n")
    command = ["select", str(pool), "-o", str(output), "--budget", "60B", "--method", "coverage", "-q"]
    assert main([*command, "--unit", "word", "--initial-subset", str(known)]) == 0
    said = capsys.readouterr().out
    expected = select(pool, budget="60B", unit="word", initial_subset=load(known))
    assert f"coverage  {expected.coverage:.1%}" in said
    assert output.read_bytes().splitlines() == list(expected.records())
    manifest = json.loads(Path(f"{output}.manifest.json").read_text())
    with np.load(f"{output}.picks.npz") as picks:
        assert picks["gains"].tolist() == expected.gains.tolist()
    assert manifest["selection"]["objective"] == expected.objective
    assert manifest["parameters"]["anchor"]["sha256"] == load(known).fingerprint.sha256
    assert main([*command, "--force", "--k1", "7"]) == 2
    assert "k1 is an option of method 'zip'" in capsys.readouterr().err


def test_an_initial_subset_is_read_like_the_pool(tmp_path: Path) -> None:
    path = tmp_path / "known.jsonl"
    path.write_text(json.dumps({"text": SOME_TEXT[0]}) + "\n")
    from_file = select([{"text": text} for text in SOME_TEXT], budget=4, initial_subset=path)
    from_memory = select(SOME_TEXT, budget=4, initial_subset=[SOME_TEXT[0]])
    assert from_file.indices.tolist() == from_memory.indices.tolist()


@pytest.mark.parametrize(
    ("size", "share"),
    [
        (0, "all"),
        (133_000_000, "all"),
        (1_717_986_918, "all"),
        (1_717_986_922, "1/2"),
        (4_900_000_000, "1/4"),
        (9_800_000_000, "1/8"),
        (50_000_000_000, "1/32"),
        (10**15, "1/64"),
    ],
)
def test_auto_keeps_the_n_grams_that_there_is_room_for(size: int, share: str) -> None:
    assert Coverage().settled(size).features == share
    for features in ("all", "1/2", "1/64"):
        assert Coverage(features=features).settled(size).features == features  # type: ignore[arg-type]


def test_auto_goes_by_the_samples_that_may_be_selected(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def auto(size: int) -> int:
        sizes.append(size)
        return 4

    monkeypatch.setattr(_core, "auto_one_in", auto)
    selection = select(SOME_TEXT, budget=3, length_band="17:")
    assert set(sizes) == {sum(len(text) for text in SOME_TEXT if len(text) >= 17)}
    assert selection.parameters["features"] == "1/4"
    assert selection.indices.tolist() == select(SOME_TEXT, budget=3, length_band="17:", features="1/4").indices.tolist()
    entropylaw.score(SOME_TEXT)
    assert sizes[-1] == sum(map(len, SOME_TEXT))


def test_features_on_the_command_line_and_in_a_replay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pool, subset = tmp_path / "pool.jsonl", tmp_path / "subset.jsonl"
    pool.write_text("".join(json.dumps({"text": f"{text} {n}"}) + "\n" for n, text in enumerate(SOME_TEXT * 3)))
    options = ["--method", "coverage", "--budget", "9", "--features", "1/2"]
    assert main(["select", str(pool), "-o", str(subset), *options, "--quiet"]) == 0
    expected = entropylaw.select(pool, method="coverage", budget=9, features="1/2")
    (manifest,) = tmp_path.glob("*.manifest.json")
    assert json.loads(manifest.read_text())["parameters"]["features"] == "1/2"
    again = entropylaw.replay(manifest)
    assert again.indices.tolist() == expected.indices.tolist()
    assert again.indices.tolist() != entropylaw.select(pool, method="coverage", budget=9).indices.tolist()
    assert main(["score", str(pool), "-o", str(tmp_path / "scores.csv"), "--features", "1/2", "--quiet"]) == 0
    with pytest.raises(SystemExit, match="2"):
        main(["select", str(pool), "-o", str(tmp_path / "none.jsonl"), *options[:-1], "1/3"])
    assert "argument --features: invalid choice: '1/3' (choose from 'auto', " in capsys.readouterr().err
    assert not (tmp_path / "none.jsonl").exists()


@pytest.mark.parametrize("unit", ["byte", "word"])
def test_memory_changes_nothing(tmp_path: Path, unit: str) -> None:
    words = [
        "the",
        "cat",
        "sat",
        "on",
        "a",
        "mat",
        "and",
        "then",
        "some",
        "other",
        "things",
        "came",
        "to",
        "be",
        "said",
    ]
    texts = [" ".join(words[(n * n + k * k * (n % 5)) % len(words)] for k in range(3 + n % 40)) for n in range(900)]
    path = tmp_path / "pool.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    all_of_it, *others = (select(path, budget=60, unit=unit, memory=memory) for memory in ("2GB", "1B", "20KB"))
    for found in others:
        assert found.indices.tolist() == all_of_it.indices.tolist()
        assert found.gains.tolist() == all_of_it.gains.tolist()
        assert found.summary()["work"] == all_of_it.summary()["work"]
