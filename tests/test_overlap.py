"""Samples that hold text of a benchmark: against the definition, and what is done about them."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import entropylaw
from entropylaw import EntropyLawError, _core
from entropylaw.cli import main
from entropylaw.pool import load

QUESTION = "If a train leaves the station at noon, how many miles has it gone by 3?"
ANSWER = "A train goes far. " + QUESTION.upper().replace(",", " --") + " It depends!"


def words_of(text: str) -> list[str]:
    letters = re.sub(r"[^\w\s]|_", "", text.lower())
    return re.sub(r"([\u4e00-\u9fff])", r" \1 ", letters).split()


def runs_of(words: list[str], length: int) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + length]) for at in range(len(words) - length + 1)}


def naive(pool: list[str], texts: list[str]) -> list[tuple[int, int]]:
    """Sample and first text, for every sample that holds text of a benchmark in one file."""
    parts = [(words, min(len(words), 13)) for words in map(words_of, texts)]
    holders: dict[tuple[str, ...], int] = {}
    for words, length in parts:
        for run in runs_of(words, length):
            holders[run] = holders.get(run, 0) + 1
    found = []
    for index, sample in enumerate(map(words_of, pool)):
        for number, (words, length) in enumerate(parts):
            if length == 0 or (length < 8 and sample != words):
                continue
            wanted = {run for run in runs_of(words, length) if length < 8 or holders[run] <= 10}
            if wanted & runs_of(sample, length):
                found.append((index, number))
                break
    return found


def naive_shares(pool: list[str], texts: list[str]) -> list[float | None]:
    """Of each text, the share of its different runs of 8 words that some sample has."""
    known = set().union(*(runs_of(words_of(sample), 8) for sample in pool))
    wanted = [runs_of(words_of(text), 8) for text in texts]
    return [len(runs & known) / len(runs) if runs else None for runs in wanted]


def overlap(pool: list[str], texts: list[str], threads: int = 2) -> list[tuple[int, int]]:
    samples, benchmark = load(pool), load(texts)
    groups = np.zeros(len(texts), dtype=np.uint32)
    matches, comparable, run_texts, seen = _core.find_overlap(
        samples.data, samples.offsets, benchmark.data, benchmark.offsets, groups, threads=threads
    )
    runs, had = (np.bincount(of, minlength=len(texts)).tolist() for of in (run_texts, run_texts[seen]))
    shares = [some / every if every else None for some, every in zip(had, runs, strict=True)]
    assert shares == naive_shares(pool, texts)
    for sample, text, start, end in matches.tolist():
        run = words_of(samples.sample(sample)[start:end].decode())
        assert len(run) == min(13, len(words_of(texts[text])))
        assert tuple(run) in runs_of(words_of(texts[text]), len(run))
        assert comparable[text]
    return [(sample, text) for sample, text, *_ in matches.tolist()]


short = st.lists(st.sampled_from(["a", "B", "b,", "C.", "--", "é", "中文"]), min_size=1, max_size=40).map(" ".join)


@given(pool=st.lists(short, min_size=1, max_size=12), texts=st.lists(short, min_size=1, max_size=14))
@example(pool=["a " * 13], texts=["a " * 13] * 11)
@example(pool=["a " * 13], texts=["a " * 13] * 10)
@example(pool=["a b b b b b b", "a b b b b b b b a", "a"], texts=["a b b b b b b b", "a b b", "A."])
def test_agrees_with_the_definition(pool: list[str], texts: list[str]) -> None:
    expected = naive(pool, texts)
    assert overlap(pool, texts, 1) == expected
    assert overlap(pool, texts, 4) == expected


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool of which the samples 3, 4 and 8 hold text of ``test.jsonl``, and 8 of ``other.jsonl`` too."""
    monkeypatch.chdir(tmp_path)
    pool = [f"sample number {n} says {n * n} of something" for n in range(12)]
    other = "the quick brown fox jumps over the lazy dog and then he sleeps in the sun"
    pool[3], pool[4], pool[8] = ANSWER, f"{ANSWER} Or not.", f"{QUESTION} {other}"
    for name, texts in (("pool", pool), ("test", [QUESTION, "Yes."]), ("other", [other, "not there " * 9])):
        Path(f"{name}.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))


def run(command: str) -> int:
    return main(command.split())


METHODS: list[dict[str, Any]] = [{"method": "zip"}, {"method": "coverage"}]


@pytest.mark.parametrize("how", METHODS)
def test_what_holds_text_of_a_benchmark_is_excluded(files: None, how: dict[str, Any]) -> None:
    benchmark = ["test.jsonl", "other.jsonl"]
    selection = entropylaw.select("pool.jsonl", budget=12, benchmark=benchmark, decontaminate=True, **how)
    assert sorted(selection.indices.tolist()) == [n for n in range(12) if n not in (3, 4, 8)]
    assert selection.controls["excluded"] == {"contaminated": 3}
    found = selection.controls["contamination"]
    assert found["samples"] == 3
    file = {"what": "benchmark", "texts": 2, "not_comparable": 0}
    assert found["files"] == [
        {**file, "name": "test.jsonl", "samples": 3, "known_texts": 1, "known_share": 1.0},
        {**file, "name": "other.jsonl", "samples": 1, "known_texts": 1, "known_share": 0.5},
    ]
    matched = "IF A TRAIN LEAVES THE STATION AT NOON -- HOW MANY MILES HAS IT"
    assert found["examples"][0] == {"sample": "pool.jsonl:4", "text": "test.jsonl:1", "matched": matched}
    assert [example["text"] for example in found["examples"][2:]] == ["test.jsonl:1", "other.jsonl:1"]
    reported = entropylaw.select("pool.jsonl", budget=12, benchmark=benchmark, decontaminate="report", **how)
    assert len(reported) == 12 and reported.controls["excluded"] == {}
    assert reported.controls["contamination"] == found


def test_so_is_what_holds_text_of_the_target(files: None) -> None:
    selection = entropylaw.select(
        "pool.jsonl", budget=12, method="coverage", target="test.jsonl", benchmark="other.jsonl", decontaminate=True
    )
    assert selection.controls["excluded"] == {"contaminated": 3}
    files_of = selection.controls["contamination"]["files"]
    assert [(file["what"], file["name"], file["samples"]) for file in files_of] == [
        ("target", "test.jsonl", 3),
        ("benchmark", "other.jsonl", 1),
    ]


def test_a_benchmark_in_memory_is_named_as_what_it_is(files: None) -> None:
    for benchmark in ([QUESTION], iter([QUESTION])):
        selection = entropylaw.select("pool.jsonl", budget=5, benchmark=benchmark, decontaminate=True)
        (file,) = selection.controls["contamination"]["files"]
        assert (file["name"], file["texts"], file["samples"]) == ("the benchmark", 1, 3)


def test_command_line_and_replay(files: None, capsys: pytest.CaptureFixture[str]) -> None:
    command = "select pool.jsonl -o out.jsonl --budget 5 -q --benchmark test.jsonl other.jsonl --decontaminate"
    assert run(command) == 0
    said = capsys.readouterr().out
    assert "excluded  3 by contaminated; 9 candidates left\n" in said
    assert "overlap   3 samples hold text of test.jsonl (2 texts, 1 in the pool by 70 % or more)\n" in said
    assert "overlap   1 samples hold text of other.jsonl (2 texts, 1 in the pool by 70 % or more)\n" in said
    manifest = json.loads(Path("out.jsonl.manifest.json").read_text())
    assert manifest["parameters"]["decontaminate"] == "exclude"
    assert [file["name"] for file in manifest["parameters"]["benchmark"]["files"]] == ["test.jsonl", "other.jsonl"]
    assert manifest["contamination"]["samples"] == 3
    entropylaw.replay("out.jsonl.manifest.json")
    Path("test.jsonl").rename("moved.jsonl")
    with pytest.raises(EntropyLawError, match=r"test\.jsonl: cannot be read: .*; name the benchmark where it is now"):
        entropylaw.replay("out.jsonl.manifest.json")
    assert run("replay out.jsonl.manifest.json -q --benchmark moved.jsonl other.jsonl") == 0
    with pytest.raises(EntropyLawError, match="the benchmark is not the one of"):
        entropylaw.replay("out.jsonl.manifest.json", benchmark="moved.jsonl")
    assert run("select pool.jsonl -o moved.jsonl --budget 5 --benchmark moved.jsonl --decontaminate") == 2
    assert "moved.jsonl: is a file of the benchmark; name another file for the records" in capsys.readouterr().err


def test_a_checkpoint_is_of_one_benchmark(files: None) -> None:
    how: Any = {"budget": 5, "method": "coverage", "decontaminate": True, "checkpoint": "work"}
    first = entropylaw.select("pool.jsonl", benchmark="test.jsonl", **how)
    again = entropylaw.select("pool.jsonl", benchmark="test.jsonl", resume=True, **how)
    assert again.indices.tolist() == first.indices.tolist()
    with pytest.raises(EntropyLawError, match=r"work: .*parameters\.benchmark"):
        entropylaw.select("pool.jsonl", benchmark="other.jsonl", resume=True, **how)


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        (
            {"decontaminate": True},
            "decontaminate looks for text of a benchmark, or of the target; name one: benchmark= (--benchmark) or "
            "target= (--target)",
        ),
        (
            {"benchmark": "test.jsonl"},
            "a benchmark is what decontaminate looks for; say what to do with samples that hold text of it: "
            "decontaminate= (--decontaminate) 'exclude' or 'report'",
        ),
        (
            {"benchmark": "test.jsonl", "decontaminate": "maybe"},
            "decontaminate is 'maybe'; it must be 'exclude' or 'report'",
        ),
        ({"benchmark": [], "decontaminate": True}, "the benchmark is empty: there are no records"),
        (
            {"benchmark": "pool.jsonl", "decontaminate": True, "length_band": "1:"},
            "nothing is left to select from: of 12 samples, 12 by contaminated are excluded",
        ),
    ],
)
def test_messages(files: None, rest: dict[str, Any], message: str) -> None:
    with pytest.raises(EntropyLawError) as error:
        entropylaw.select("pool.jsonl", budget=3, **rest)
    assert str(error.value) == message


def test_the_report_shows_the_matched_text(files: None) -> None:
    pytest.importorskip("vl_convert", reason="reports are drawn by vl-convert-python")
    command = (
        "select pool.jsonl -o out.jsonl --budget 5 -q --benchmark test.jsonl --decontaminate report --report a.html"
    )
    assert run(command) == 0
    page = Path("a.html").read_text()
    assert "3 samples of the pool hold text of test.jsonl" in page
    assert "IF A TRAIN LEAVES THE STATION AT NOON -- HOW MANY MILES HAS IT" in page
