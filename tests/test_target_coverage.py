"""Coverage for a target: against the oracle, through every control, in files, and what is said about it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import entropylaw
from coverage_oracle import Oracle
from entropylaw import CoverageSelection, EntropyLawError
from entropylaw.cli import main
from entropylaw.runs.manifest import Manifest
from limits import Limits
from test_coverage import SOME_TEXT, options, pools

TARGET = ["a dog ran home", "what a dog ran here", "a dog ran here"]
OPTIONS = ("unit", "ngram", "gamma", "alpha", "min_df", "min_contexts", "features", "target_weight")


def select(pool: Any, **rest: Any) -> CoverageSelection:
    """What the oracle does: copies are samples like any other."""
    return entropylaw.select(pool, method="coverage", **({"dedupe": False} | rest))


def oracle_of(selection: CoverageSelection, pool: list[str], target: list[str]) -> Oracle:
    used = {name: selection.parameters[name] for name in OPTIONS}
    return Oracle([text.encode() for text in pool], selection.slots, target=[text.encode() for text in target], **used)


@given(
    pool=pools,
    target=pools,
    how=options(),
    weight=st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0]),
    budget=st.integers(1, 30),
    in_bytes=st.booleans(),
)
@example(pool=SOME_TEXT * 2, target=TARGET, how={"unit": "word"}, weight=0.9, budget=30, in_bytes=False)
@example(pool=SOME_TEXT * 2, target=TARGET, how={}, weight=0.9, budget=30, in_bytes=True)
@example(pool=SOME_TEXT, target=["kX9#qz!"], how={}, weight=1.0, budget=9, in_bytes=False)
def test_agrees_with_the_oracle(
    pool: list[str], target: list[str], how: dict[str, Any], weight: float, budget: int, in_bytes: bool
) -> None:
    lengths = [len(text.encode()) for text in pool]
    asked = f"{budget * 5}B" if in_bytes else budget
    if in_bytes and min(lengths) > budget * 5:
        return
    runs = [select(pool, target=target, target_weight=weight, budget=asked, threads=n, **how) for n in (1, 4)]
    oracle = oracle_of(runs[0], pool, target)
    picks, gains = oracle.select(Limits(budget * 5, lengths) if in_bytes else Limits(budget))
    for run in runs:
        found = run.target
        assert found is not None and run.target_coverage is found.curve
        assert run.indices.tolist() == picks
        assert run.gains.tolist() == gains
        assert found.curve.tolist() == pytest.approx(oracle.curve, abs=1e-4)
        assert found.in_pool == pytest.approx(oracle.reached(oracle.aims), abs=1e-4)
        assert run.coverage == pytest.approx(oracle.coverage(), abs=1e-4)
        assert (found.samples, found.recurring) == (len(target), len(oracle.recurring))
        assert found.recurring_in_pool == len(oracle.recurring & oracle.in_pool)
    assert runs[0].evaluations == runs[1].evaluations


@given(pool=pools, target=pools, how=options(), budget=st.integers(1, 20))
def test_a_target_of_no_weight_changes_nothing(
    pool: list[str], target: list[str], how: dict[str, Any], budget: int
) -> None:
    general = select(pool, budget=budget, **how)
    targeted = select(pool, budget=budget, target=target, target_weight=0, **how)
    assert targeted.indices.tolist() == general.indices.tolist()
    assert targeted.gains.tolist() == general.gains.tolist()
    assert (targeted.objective, targeted.coverage) == (general.objective, general.coverage)


@given(pool=pools, target=pools, how=options(), weight=st.sampled_from([0.5, 0.9, 1.0]))
def test_shares_of_the_target_rise_to_what_the_pool_has(
    pool: list[str], target: list[str], how: dict[str, Any], weight: float
) -> None:
    selection = select(pool, budget="100%", target=target, target_weight=weight, **how)
    found = selection.target
    assert found is not None
    assert np.all(np.diff(found.curve) >= 0)
    assert 0 <= found.curve[0] <= found.coverage == found.in_pool <= 1
    assert selection.coverage == 1


@given(pool=pools, target=pools, known=pools, how=options())
def test_a_known_pool_is_covered_already(
    pool: list[str], target: list[str], known: list[str], how: dict[str, Any]
) -> None:
    known = [text for text in known if text not in pool]
    selection = select(pool, budget=5, target=target, anchor=known, **how)
    oracle = oracle_of(selection, pool, target)
    for text in known:
        oracle.know(text.encode())
    assert (selection.indices.tolist(), selection.gains.tolist()) == oracle.select(Limits(5))
    assert selection.target is not None
    assert selection.target.curve.tolist() == pytest.approx(oracle.curve, abs=1e-4)


def test_weights_of_samples_count() -> None:
    weights = [1.0 + n % 3 for n in range(len(SOME_TEXT))]
    selection = select(SOME_TEXT, budget=6, target=TARGET, weight=weights)
    oracle = oracle_of(selection, SOME_TEXT, TARGET)
    assert (selection.indices.tolist(), selection.gains.tolist()) == oracle.select(Limits(6), weights=weights)


def test_what_is_common_to_more_samples_than_16_bits_count() -> None:
    """What most samples have is known to be common, and what few have to be the target's own."""
    pool = [["the cat", "the mat"][n % 2] for n in range(70_000)] + [f"the dog {n}" for n in range(3)]
    selection = select(pool, budget=1, target=["the dog", "the cow"], target_weight=1, alpha=0)
    assert selection.indices.tolist() == [70_000]
    # Of the target's n-grams the pool has `the d`, `he do` and `e dog`, which only three samples have; and lacks three.
    weight = 35_001.5**0.85 * 2 * 35_001.5 / (35_001.5 + 3)
    assert selection.objective == pytest.approx(3 * weight * np.log(11), rel=1e-4)


def test_the_target_is_what_is_selected() -> None:
    general = select(SOME_TEXT, budget=3)
    targeted = select(SOME_TEXT, budget=3, target=["no man sat", "no man was here"])
    assert not any("no man" in SOME_TEXT[index] for index in general.indices.tolist())
    assert ["no man" in SOME_TEXT[index] for index in targeted.indices.tolist()] == [True, True, True]
    assert [SOME_TEXT[index] for index in targeted.indices.tolist()[:2]] == ["no man sat here.", "no man sat home."]
    assert targeted.parameters["target_weight"] == 0.9
    assert "target" not in general.parameters and general.target is None and general.target_coverage is None


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pool and a target, in the current directory."""
    monkeypatch.chdir(tmp_path)
    write = lambda name, texts: Path(name).write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))  # noqa: E731
    write("pool.jsonl", [f"{text} {n}" for n, text in enumerate(SOME_TEXT * 5)])
    write("dev.jsonl", TARGET * 20)
    return tmp_path


COMMAND = "select pool.jsonl -o out.jsonl --budget 300B --method coverage --target dev.jsonl -q"


def run(command: str) -> int:
    return main(command.split())


def test_command_line(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(COMMAND) == 0
    said = capsys.readouterr().out
    selection = entropylaw.select("pool.jsonl", budget="300B", method="coverage", target="dev.jsonl")
    found = selection.target
    assert found is not None and selection.warnings == ()
    covered = f"{found.coverage:.1%} of its n-grams, by weight, are in the selection, {found.in_pool:.1%} in the pool"
    assert f"target    {covered}" in said
    assert Path("out.jsonl").read_bytes().splitlines() == list(selection.records())
    manifest = json.loads(Path("out.jsonl.manifest.json").read_text())
    assert manifest["parameters"]["target_weight"] == 0.9
    assert manifest["parameters"]["target"] == {
        "type": "data",
        "files": [{"name": "dev.jsonl", "bytes": Path("dev.jsonl").stat().st_size}],
        **entropylaw.select("dev.jsonl", budget=1).pool.fingerprint._asdict(),
    }
    assert manifest["target"] == found.summary()
    with np.load("out.jsonl.picks.npz") as picks:
        assert picks["target_coverage"].tolist() == found.curve.tolist()
    assert run("replay out.jsonl.manifest.json -q") == 0
    assert "the same pool" in capsys.readouterr().out


def test_replay(files: Path) -> None:
    first = entropylaw.select("pool.jsonl", budget="300B", method="coverage", target="dev.jsonl", target_weight=0.5)
    first.save("out.jsonl")
    assert Manifest.read("out.jsonl.manifest.json").keywords()["target_weight"] == 0.5
    assert entropylaw.replay("out.jsonl.manifest.json").indices.tolist() == first.indices.tolist()
    Path("dev.jsonl").rename("moved.jsonl")
    with pytest.raises(EntropyLawError) as error:
        entropylaw.replay("out.jsonl.manifest.json")
    assert str(error.value) == (
        "dev.jsonl: cannot be read: No such file or directory; name the target where it is now (target=, --target)"
    )
    again = entropylaw.replay("out.jsonl.manifest.json", target="moved.jsonl")
    assert again.indices.tolist() == first.indices.tolist()
    assert run("replay out.jsonl.manifest.json -q --target moved.jsonl") == 0
    Path("dev.jsonl").write_text(Path("moved.jsonl").read_text().replace("dog", "cow"))
    with pytest.raises(EntropyLawError) as error:
        entropylaw.replay("out.jsonl.manifest.json")
    assert str(error.value) == (
        "the target is not the one of out.jsonl.manifest.json: it has as many samples and bytes, but other content or "
        "another order; name the one of then (target=, --target)"
    )
    Path("dev.jsonl").write_text('{"text": "the dog"}\n')
    with pytest.raises(EntropyLawError, match=r"the target is not the one of .*: it has 1 samples, not 60 and 7 bytes"):
        entropylaw.replay("out.jsonl.manifest.json")
    entropylaw.select("pool.jsonl", budget=3, method="coverage").save("plain.jsonl")
    with pytest.raises(EntropyLawError) as error:
        entropylaw.replay("plain.jsonl.manifest.json", target="dev.jsonl")
    assert str(error.value) == "plain.jsonl.manifest.json: the selection was made without a target; give none"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.update(target="dev.jsonl"), "expected `object | null`, got `str` - at `$.target`"),
        (lambda p: p["target"].update(sha256="x"), "at `$.target.sha256`"),
        (lambda p: p.pop("target"), "target_weight says how much a target counts"),
    ],
)
def test_a_manifest_of_another_target_is_refused(
    files: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    entropylaw.select("pool.jsonl", budget=3, method="coverage", target="dev.jsonl").save("out.jsonl")
    path = Path("out.jsonl.manifest.json")
    content = json.loads(path.read_text())
    change(content["parameters"])
    path.write_text(json.dumps(content))
    with pytest.raises(EntropyLawError) as error:
        entropylaw.replay(path)
    assert message in str(error.value)


def test_a_checkpoint_is_of_one_target(files: Path) -> None:
    how: Any = {"method": "coverage", "budget": "300B", "checkpoint": "work"}
    first = entropylaw.select("pool.jsonl", target="dev.jsonl", **how)
    Path("dev.jsonl").rename("moved.jsonl")
    again = entropylaw.select("pool.jsonl", target="moved.jsonl", resume=True, **how)
    assert again.indices.tolist() == first.indices.tolist()
    assert again.gains.tolist() == first.gains.tolist()
    assert first.target is not None and again.target is not None
    assert again.target.curve.tolist() == first.target.curve.tolist()
    assert again.evaluations < first.evaluations
    for other in ({"target": TARGET}, {"target": "moved.jsonl", "target_weight": 0.5}, {}):
        with pytest.raises(EntropyLawError, match=r"work: .*parameters\.target"):
            entropylaw.select("pool.jsonl", resume=True, **how, **other)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("select pool.jsonl --budget 3 --method coverage --target dev.jsonl -o dev.jsonl --force", "the records"),
        (
            "select pool.jsonl --budget 3 --method coverage --target dev.jsonl -o a.jsonl --report dev.jsonl",
            "the report",
        ),
        ("score pool.jsonl --target dev.jsonl -o dev.jsonl --force", "the scores"),
        ("replay out.jsonl.manifest.json -o dev.jsonl --force", "the records"),
    ],
)
def test_the_target_is_never_written(
    files: Path, capsys: pytest.CaptureFixture[str], command: str, message: str
) -> None:
    assert run(COMMAND) == 0
    before = Path("dev.jsonl").read_bytes()
    assert run(command) == 2
    assert f"dev.jsonl: is a file of the target; name another file for {message}" in capsys.readouterr().err
    assert Path("dev.jsonl").read_bytes() == before


def test_nor_by_what_was_selected(files: Path) -> None:
    selection = entropylaw.select("pool.jsonl", budget=3, method="coverage", target="dev.jsonl")
    scores = entropylaw.score("pool.jsonl", target="dev.jsonl")
    Path("dev").mkdir()
    for save in (selection.save, scores.save):
        with pytest.raises(EntropyLawError, match=r"dev\.jsonl: is a file of the target, .*dev\.jsonl; name another"):
            save("dev.jsonl", force=True)
    Path("dev.jsonl").rename("dev/dev.jsonl")
    with pytest.raises(
        EntropyLawError, match=r"dev: the directory of the checkpoint holds .*dev\.jsonl, a file of the target"
    ):
        entropylaw.select("pool.jsonl", budget=3, method="coverage", target="dev/dev.jsonl", checkpoint="dev")


def test_a_target_is_read_as_the_pool_is(files: Path) -> None:
    rows = [json.loads(line) for line in Path("pool.jsonl").read_text().splitlines()]
    Path("pool.csv").write_text("id,answer\n" + "".join(f"{n},{row['text']}\n" for n, row in enumerate(rows)))
    Path("dev.jsonl").write_text("".join(json.dumps({"answer": text}) + "\n" for text in TARGET))
    how: Any = {"method": "coverage", "budget": 9}
    expected = entropylaw.select("pool.jsonl", target=TARGET, **how).indices.tolist()
    found = entropylaw.select("pool.csv", target="dev.jsonl", field="answer", format="csv", **how)
    assert found.indices.tolist() == expected
    pool = Path("pool.csv").read_bytes()
    assert run("select pool.csv -o o.csv --field answer --budget 9 --method coverage --target dev.jsonl -q") == 0
    assert Path("o.csv").read_bytes().count(b"\n") == 10
    assert Path("pool.csv").read_bytes() == pool
    Path("dev.jsonl").write_text('{"answer": "the dog"}\n{"answer": 5}\n')
    with pytest.raises(EntropyLawError, match=r"dev\.jsonl:2: .*answer"):
        entropylaw.select("pool.csv", target="dev.jsonl", field="answer", **how)


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        (
            {"target_weight": 0.5},
            "target_weight says how much a target counts; say what to select for: target= (--target)",
        ),
        (
            {"target": TARGET, "method": "zip"},
            "target is an option of method 'coverage', 'dsir' and 'zipfit'; method 'zip' takes preset, k1, k2, k3, "
            "whole_rounds",
        ),
        ({"target": TARGET, "target_weight": 1.5}, "target_weight is 1.5; it must be a number from 0 to 1"),
        ({"target": TARGET, "target_weight": "all"}, "target_weight is 'all'; it must be a number from 0 to 1"),
    ],
)
def test_options(rest: dict[str, Any], message: str) -> None:
    with pytest.raises(EntropyLawError) as error:
        entropylaw.select(SOME_TEXT, **({"budget": 2, "method": "coverage"} | rest))
    assert str(error.value) == message


def test_warnings() -> None:
    pool = [f"{text} {n}" for n, text in enumerate(SOME_TEXT * 3)]

    def warned(target: list[str], **rest: Any) -> tuple[str, ...]:
        return select(pool, budget=9, target=target, **rest).warnings

    assert warned(TARGET * 14) == ()
    assert warned(TARGET * 13) == (
        "the target has 39 samples, fewer than the 40 that selecting for a target was measured with: what is in them "
        "by chance weighs as much as what they are examples of; add samples, or lower target_weight",
    )
    assert warned([f"{chr(33 + n) * 9}" for n in range(40)]) == (
        "no n-gram is in two samples of the target: they have nothing in common to select for",
    )
    assert warned(["Hunde liefen nach Hause, the cat"] * 40) == (
        "of the 28 n-grams that are in two samples of the target or more, 11% are in the pool: it holds little of this "
        "kind; look whether the target is in the pool's language and rendered alike",
    )


def test_an_empty_target() -> None:
    with pytest.raises(EntropyLawError) as error:
        select(SOME_TEXT, budget=2, target=[])
    assert str(error.value) == "the target is empty: there are no records"
    with pytest.raises(EntropyLawError, match=r"^the target: record 1: "):
        entropylaw.score(SOME_TEXT, target=["the cat", 5])


def test_scores_for_a_target(files: Path) -> None:
    plain = entropylaw.score("pool.jsonl")
    scores = entropylaw.score("pool.jsonl", target="dev.jsonl")
    selection = entropylaw.select("pool.jsonl", budget=1, method="coverage", target="dev.jsonl", alpha=0)
    assert scores.first_gains.max() == selection.gains[0]
    assert int(scores.first_gains.argmax()) == selection.indices[0]
    assert plain.first_gains.argmax() != scores.first_gains.argmax()
    zero = entropylaw.score("pool.jsonl", target="dev.jsonl", target_weight=0)
    assert zero.first_gains.tolist() == plain.first_gains.tolist()
    assert run("score pool.jsonl -o scores.csv --target dev.jsonl -q") == 0
    rows = Path("scores.csv").read_text().splitlines()[1:]
    assert [float(row.rpartition(",")[2]) for row in rows] == scores.first_gains.tolist()
    with pytest.raises(EntropyLawError, match="say what to select for"):
        entropylaw.score("pool.jsonl", target_weight=0.5)


def test_the_report_shows_how_much_of_the_target_is_covered(files: Path) -> None:
    pytest.importorskip("vl_convert", reason="reports are drawn by vl-convert-python")
    assert run(f"{COMMAND} --report report.html") == 0
    page = Path("report.html").read_text()
    selection = entropylaw.select("pool.jsonl", budget="300B", method="coverage", target="dev.jsonl")
    assert selection.target is not None
    assert "Target covered" in page and f"{selection.target.coverage:.1%}" in page
    assert run("select pool.jsonl -o plain.jsonl --budget 300B --method coverage -q --report plain.html") == 0
    assert "Target covered" not in Path("plain.html").read_text()
