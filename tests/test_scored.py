"""Methods that score every sample once: the scores as they are defined, and what is told of the picks."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import entropylaw
import scores_oracle
from entropylaw import EntropyLawError, _core, cli
from entropylaw.pool import load

TEXT = Path(__file__).with_name("oracle.py").read_text()
TEXTS = [TEXT[n * 60 :][: 20 + 37 * (n % 9)] for n in range(90)]
TARGET = [TEXT[n * 190 :][:150] for n in range(11)]
# Words, marks and white space; what a change of case makes longer; broken text as bytes.
PIECES = [b"the ", b"Cat", b"a_1", b", ", b"\n", b"...", b"\xc3\x89t\xc3\xa9 ", b"\xe6\x97\xa5", b"\xc4\xb0x", b"\xff"]
samples = st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join)


def columns(texts: Any) -> tuple[Any, Any, Any]:
    pool = load(texts)
    return pool.data, pool.offsets[:-1], pool.offsets[1:]


def whole(texts: Any) -> tuple[Any, Any]:
    pool = load(texts)
    return pool.data, pool.offsets


@given(pool=st.lists(samples, min_size=1, max_size=12), target=st.lists(samples, min_size=1, max_size=4))
def test_log_weights_are_those_of_bags_of_words(pool: list[bytes], target: list[bytes]) -> None:
    texts = [sample.decode(errors="replace") for sample in pool]
    aims = [sample.decode(errors="replace") for sample in target]
    if not any(map(str.split, aims)):
        with pytest.raises(EntropyLawError, match="the target has no words: there is nothing to select for"):
            _core.dsir_scores(*columns(texts), whole(aims))
        return
    weights, words = scores_oracle.dsir([text.encode() for text in texts], [text.encode() for text in aims])
    for threads in (1, 4):
        found, counted = _core.dsir_scores(*columns(texts), whole(aims), threads=threads)
        assert found.tolist() == weights
        assert counted.tolist() == words


@settings(max_examples=30)
@given(pool=st.lists(samples, min_size=1, max_size=8), beside=st.lists(samples, max_size=3))
def test_densities_are_those_of_shared_buckets(pool: list[bytes], beside: list[bytes]) -> None:
    texts, others = ([sample.decode(errors="replace") for sample in some] for some in (pool, beside))
    expected = scores_oracle.densities([text.encode() for text in texts], [text.encode() for text in others])
    for threads in (1, 4):
        known = whole(others) if others else None
        found, logs = _core.densities(*columns(texts), beside=known, threads=threads)
        assert found.tolist() == expected
        assert logs.tolist() == [-scores_oracle.ln(density) for density in expected]


@pytest.mark.parametrize("count", [1, 7, 8, 9, 11])
def test_scores_are_those_of_gzip(count: int) -> None:
    """As the public package takes them: gzip of each pair, and NumPy's mean. To the last digit."""
    import gzip

    def size(text: str) -> int:
        return len(gzip.compress(text.encode(), 9))

    def likeness(x: str, y: str) -> float:
        own, other = size(x), size(y)
        return 1 - (size(x + y) - min(own, other)) / max(own, other)

    texts = ["", "é", *TEXTS[:30], "".join(TEXTS) * 4]
    expected = [float(np.mean([likeness(x, y) for y in TARGET[:count]])) for x in texts]
    for threads in (1, 4):
        found = _core.zipfit_scores(*columns(texts), whole(TARGET[:count]), threads=threads)
        assert found.tolist() == expected
    exact = scores_oracle.zipfit([text.encode() for text in texts], [text.encode() for text in TARGET[:count]])
    assert max(abs(Fraction(score) - mean) for score, mean in zip(expected, exact, strict=True)) < 1e-15


def test_a_seed_draws_these_samples_on_every_platform() -> None:
    """Written down once: whatever else changes, a seed must not draw others."""
    pool = [f"{'the cat sat ' * (n % 4)}{n * n} {n}" for n in range(60)]
    drawn = {
        (method, seed): entropylaw.select(pool, method=method, seed=seed, budget=8, **options).indices.tolist()
        for method, options in (("dsir", {"target": ["the cat 3", "9 sat"]}), ("density", {}))
        for seed in (0, 2**63 - 1)
    }
    assert drawn == {
        ("dsir", 0): [24, 20, 44, 28, 0, 12, 40, 48],
        ("dsir", 2**63 - 1): [12, 36, 44, 8, 32, 28, 24, 48],
        ("density", 0): [0, 24, 20, 44, 3, 58, 30, 9],
        ("density", 2**63 - 1): [33, 27, 51, 36, 47, 12, 44, 8],
    }


def test_what_the_rankings_of_dsir_are() -> None:
    weights, words = scores_oracle.dsir([text.encode() for text in TEXTS], [text.encode() for text in TARGET])
    means = [weight / max(1, count) for weight, count in zip(weights, words, strict=True)]
    for ranking, keys in (("sum", weights), ("mean", means)):
        selection = entropylaw.select(TEXTS, method="dsir", target=TARGET, ranking=ranking, budget=20)  # type: ignore[call-overload]
        order = sorted(range(len(TEXTS)), key=lambda n: (-keys[n], n))[:20]
        assert selection.indices.tolist() == order
        assert selection.gains.tolist() == [keys[n] for n in order]


def test_chances_go_by_weight_and_density() -> None:
    """Nine copies of one text, and one of another: each copy has a ninth of the other's chance of being first."""
    pool = ["the same text over and over"] * 9 + ["something else entirely"]
    first = [entropylaw.select(pool, method="density", seed=seed, budget=1).indices[0] for seed in range(300)]
    assert abs(first.count(9) - 150) < 4 * 75**0.5
    wanted = [1.0] * 9 + [3.0]
    first = [
        entropylaw.select(pool, method="density", seed=seed, budget=1, weight=wanted).indices[0] for seed in range(300)
    ]
    assert abs(first.count(9) - 225) < 4 * 57**0.5


@pytest.mark.parametrize(
    ("how", "rule", "why"),
    [
        (
            {"method": "dsir", "target": TARGET, "seed": 4},
            "Each was drawn, from all that was left and fitted, with a chance in proportion to its importance weight, "
            "seed 4.",
            "log importance weight ",
        ),
        (
            {"method": "dsir", "target": TARGET, "ranking": "mean"},
            "Each is, of all that was left and fitted, the sample of highest log importance weight a word; of equal "
            "ones the first.",
            "log importance weight a word ",
        ),
        (
            {"method": "zipfit", "target": TARGET},
            "Each is, of all that was left and fitted, the sample of highest score; of equal ones the first.",
            "score ",
        ),
        (
            {"method": "density"},
            "Each was drawn, from all that was left and fitted, with a chance in inverse proportion to the number of "
            "samples that are like it, seed 0.",
            "inverse density ",
        ),
    ],
)
def test_a_selection_explains_itself(how: Any, rule: str, why: str) -> None:
    selection = entropylaw.select(TEXTS, budget="2KB", **how)
    assert selection.rule() == rule
    assert selection.why(0) == f"{why}{selection.gains[0]:,.6g}"
    assert set(selection.seconds) >= {"read", "pick"}


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"method": "dsir"}, "method 'dsir' selects for a target: say what that is: target= (--target)"),
        ({"method": "zipfit"}, "method 'zipfit' selects for a target: say what that is: target= (--target)"),
        ({"method": "dsir", "target": ["", " "]}, "the target has no words: there is nothing to select for"),
        ({"method": "dsir", "target": TARGET, "ranking": "best"}, "there is no ranking 'best'; there are 'sampled', "),
        ({"method": "density", "target": TARGET}, "target is an option of method 'coverage', 'dsir' and 'zipfit'; "),
        ({"method": "zipfit", "target": TARGET, "seed": 1}, "seed is an option of method 'random', 'dsir' and 'densi"),
        ({"method": "density", "seed": -1}, "seed is -1; it must be a whole number from 0 to 9,223,372,036,854,775,8"),
        ({"method": "zipfit", "target": TARGET, "budget": "3B"}, "nothing fits the budget of 3B: each of the 90 samp"),
    ],
)
def test_what_does_not_fit(how: Any, message: str) -> None:
    with pytest.raises(EntropyLawError) as error:
        entropylaw.select(TEXTS, **({"budget": 5} | how))
    assert str(error.value).startswith(message)


def test_the_commands_select_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pool, target, out = (tmp_path / name for name in ("pool.jsonl", "dev.jsonl", "out.jsonl"))
    pool.write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    target.write_text("".join(json.dumps({"text": text}) + "\n" for text in TARGET))
    for method, options in (
        ("dsir", {"target": target, "ranking": "mean"}),
        ("zipfit", {"target": target}),
        ("density", {"seed": 3}),
    ):
        flags = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        command = ["select", str(pool), "-o", str(out), "--budget", "9", "--method", method, *flags, "--force", "-q"]
        assert cli.main(command) == 0
        selection = entropylaw.select(pool, method=method, budget=9, **options)  # type: ignore[call-overload]
        rows = [json.loads(line)["text"] for line in out.read_text().splitlines()]
        assert rows == [TEXTS[index] for index in selection.indices.tolist()]
    # Before the pool is read, which is not there.
    assert cli.main(["select", "nowhere.jsonl", "-o", str(out), "--force", "--method", "zipfit", "--budget", "9"]) == 2
    assert "method 'zipfit' selects for a target" in capsys.readouterr().err


@pytest.mark.parametrize("method", ["dsir", "zipfit", "density"])
def test_what_a_progress_raises_ends_them(method: str) -> None:
    def stop(progress: entropylaw.Progress) -> None:
        raise KeyboardInterrupt

    options = {} if method == "density" else {"target": TARGET}
    with pytest.raises(KeyboardInterrupt):
        entropylaw.select(TEXTS, method=method, budget=5, progress=stop, **options)
