"""The judge's parts that need no PyTorch: what is held out, what is selected, and what becomes of the results."""

import json
import random
import re
import sys
import zlib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import entropylaw
from conftest import ROOT
from entropylaw.cli.advice import ADVISED, UNLABELLED

sys.path.append(str(ROOT / "benches"))

from judge import data, law, parts, plan, rows, subsets, table, variants
from judge.data import Record
from judge.encoding import Tokens
from judge.settings import Settings, rows_for

WORDS = ["the", "cat", "sat", "on", "a", "mat", "and", "then", "some", "other", "things", "came", "to", "be", "said"]


def record(rng: random.Random, family: str, words: int) -> Record:
    prompt = " ".join([family, *rng.choices(WORDS, k=8), str(rng.random())])
    return Record(prompt, " ".join(rng.choices(WORDS, k=words)), family)


def question(number: int) -> Record:
    prompt = f"Please answer with true or false, question: is {number} even?\n\nAnswer format: true/false"
    return Record(prompt, f"the correct answer is {'false' if number % 2 else 'true'}", "adapters/boolq")


@pytest.fixture(scope="module")
def records() -> list[Record]:
    rng = random.Random(0)
    found = [record(rng, "chat", 60) for _ in range(600)] + [record(rng, "maths", 20) for _ in range(300)]
    return [*found, *map(question, range(400)), *(record(rng, "few", 5) for _ in range(10))]


@pytest.fixture(scope="module")
def pool(records: list[Record], tmp_path_factory: pytest.TempPathFactory) -> subsets.Pool:
    path = tmp_path_factory.mktemp("judge") / "pool.jsonl"
    data.write(records, path)
    return subsets.Pool("plain", records, path, [len(one.text.split()) + 1 for one in records])


@pytest.mark.parametrize(
    ("source", "family"),
    [
        ("alpaca_eval/gpt4", "alpaca_eval"),
        ("t0/a/b", "t0"),
        ("gsm8k", "gsm8k"),
        ("adapters/boolq/train", "adapters/boolq"),
        ("adapters/boolq/test", "adapters/boolq"),
        ("adapters", "adapters"),
        ("", ""),
    ],
)
def test_families(source: str, family: str) -> None:
    assert data.family_of(source) == family


@pytest.mark.parametrize(
    ("stored", "found"),
    [
        (
            {"conversations": [{"value": "a"}, {"value": "b"}, {"value": "c"}], "source": "t0/x"},
            Record("a\nb", "c", "t0"),
        ),
        ({"instruction": "a", "input": "b", "output": "c", "source": "s"}, Record("a\nb", "c", "s")),
        ({"instruction": "a", "input": "", "output": "c"}, Record("a", "c", "")),
        ({"conversations": [{"value": " "}, {"value": "c"}]}, None),
        ({"instruction": "a", "output": "\n"}, None),
    ],
)
def test_records(stored: dict[str, Any], found: Record | None) -> None:
    assert data.record_of(stored) == found


def test_a_record_of_another_kind() -> None:
    with pytest.raises(ValueError, match=r"^a record with neither conversations nor an instruction: text, n$"):
        data.record_of({"text": "", "n": 1})


def test_the_file_holds_the_same_text(pool: subsets.Pool) -> None:
    assert data.read([pool.path]) == list(pool.records)
    from entropylaw.pool import load

    read = load(str(pool.path))
    assert [read.sample(n).decode() for n in range(len(read))] == [one.text for one in pool.records]


def test_no_held_out_prompt_is_in_the_pool(records: list[Record]) -> None:
    copies = [Record(f"  {one.prompt.upper()} ", "another answer", "copies") for one in records]
    left, task = data.split([*records, *copies], heldout=600, questions=5)
    aside = {one.prompt for one in records} - {one.prompt for one in left}
    assert 0.02 < len(aside) / len(records) < 0.08
    assert {one.prompt.strip().lower() for one in left}.isdisjoint(prompt.lower() for prompt in aside)
    for family, members in task.heldout.items():
        assert {one.prompt.strip().lower() for one in members} <= {prompt.lower() for prompt in aside}
        assert {one.family for one in members} == {family}
        assert len({one.prompt for one in members}) == len(members)
        assert 200 <= sum(data.size(one.text) for one in members) < 600 + 4_000
    assert set(task.heldout) == {"adapters/boolq", "chat", "copies", "maths"}
    assert task.unmeasured == ["few"]
    assert sum(task.weights.values()) == pytest.approx(1)
    assert len(task.questions) == 5


def test_long_records_are_held_out_and_not_predicted() -> None:
    rng = random.Random(3)
    long = [record(rng, "long", 2_000) for _ in range(300)]
    left, task = data.split([*long, *(record(rng, "short", 20) for _ in range(600))], heldout=600)
    assert len(left) < 900
    assert sum(one.family == "long" for one in left) < 300
    assert (list(task.heldout), task.unmeasured) == (["short"], ["long"])


def test_the_split_depends_on_no_order(records: list[Record]) -> None:
    mixed = random.Random(1).sample(records, len(records))
    left, task = data.split(records)
    other, same = data.split(mixed)
    assert same.digest == task.digest
    assert set(other) == set(left)
    assert data.split(records, heldout=500)[1].digest != task.digest


def test_samples_to_select_for_are_held_out_and_not_examined(records: list[Record]) -> None:
    left, task = data.split([*records, *records], heldout=1_500)
    assert set(task.targets) == set(task.heldout)
    assert task.targets["chat"]
    for family, samples in task.targets.items():
        assert {one.family for one in samples} <= {family}
        prompts = {one.prompt for one in samples}
        assert len(prompts) == len(samples)
        assert not prompts & {one.prompt for one in [*left, *task.heldout[family]]}


@pytest.mark.parametrize("method", ["coverage", "dsir", "zipfit", "random"])
def test_methods_that_take_a_target_get_it(pool: subsets.Pool, method: str, tmp_path: Path) -> None:
    """Of one family's samples, the families' share of what is selected tells."""
    target = tmp_path / "target.jsonl"
    data.write(map(question, range(1_000, 1_040)), target)
    aimed = subsets.select(replace(pool, target=target), method, 3_000, "bytes", 0)
    plain = subsets.select(pool, method, 3_000, "bytes", 0) if method in ("coverage", "random") else None
    if method == "random":
        assert plain is not None
        assert aimed.digest == plain.digest
    else:
        assert aimed.families["adapters/boolq"] > 0.9 * aimed.tokens
        assert plain is None or plain.families["adapters/boolq"] < 0.5 * plain.tokens


@pytest.mark.parametrize(
    ("prompt", "response", "answers", "right"),
    [
        (
            "q\n\nAnswer format: true/false",
            "the correct answer is false",
            ["the correct answer is true", "the correct answer is false"],
            1,
        ),
        (
            "q Answer1: x Answer format: answer1/answer2/answer3",
            "the correct answer is answer1\n",
            [f"the correct answer is answer{n}" for n in (1, 2, 3)],
            0,
        ),
    ],
)
def test_questions(prompt: str, response: str, answers: list[str], right: int) -> None:
    found = data.question_of(Record(prompt, response, "f"))
    assert found == data.Question("f", f"{prompt}\n", answers, right)


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        ("q", "the correct answer is true"),
        ("q\nAnswer format: true/false", "the correct answer is maybe"),
        ("q\nAnswer format: true/false", "true"),
        ("q\nAnswer format: true", "it is true"),
        ("Answer format: a/b then more", "it is a"),
    ],
)
def test_what_is_no_question(prompt: str, response: str) -> None:
    assert data.question_of(Record(prompt, response, "f")) is None


def bytes_of(records: list[Record]) -> int:
    return sum(data.size(one.text) for one in records)


@pytest.mark.parametrize("name", ["junk", "near-duplicates"])
def test_what_variants_add(records: list[Record], name: str) -> None:
    found = variants.VARIANTS[name](records)
    added = list((Counter(found) - Counter(records)).elements())
    assert len(found) == len(records) + len(added)
    share = {"junk": 0.1, "near-duplicates": 0.3}[name]
    assert bytes_of(added) / bytes_of(found) == pytest.approx(share, abs=0.01)
    assert {one.family for one in added} <= {one.family for one in records}
    assert found == variants.VARIANTS[name](records)
    if name == "near-duplicates":
        by_family = {family: [one for one in records if one.family == family] for family in ("maths", "chat")}
        for copy in added[:20]:
            words = set(copy.text.split())
            near = max(len(words & set(one.text.split())) / len(words) for one in by_family.get(copy.family, records))
            assert near > 0.7


@pytest.mark.parametrize("others", ["many", "few"])
def test_a_majority(records: list[Record], others: str) -> None:
    chosen = [one for one in records if one.family == "chat" or others == "many" or one.family == "few"]
    found = variants.with_majority(chosen)
    assert set(found) <= set(chosen)
    assert bytes_of([one for one in found if one.family == "chat"]) / bytes_of(found) == pytest.approx(0.9, abs=0.05)


METHODS = ["random", "families-number", "zip", "coverage-byte", "coverage unit=word alpha=0.9"]


@pytest.mark.parametrize("unit", subsets.UNITS)
@pytest.mark.parametrize("method", METHODS)
def test_subsets_fill_the_budget(pool: subsets.Pool, method: str, unit: str) -> None:
    found = subsets.select(pool, method, 20_000, unit, seed=0)
    amount = subsets.amount_of(pool, 20_000, unit)
    assert 0.97 * amount < (found.bytes if unit == "bytes" else found.tokens) <= amount
    assert len(set(found.indices)) == found.samples
    assert found.tokens == sum(found.families.values()) == sum(pool.tokens[index] for index in found.indices)
    assert found.digest == subsets.select(pool, method, 20_000, unit, seed=0).digest
    again = subsets.select(pool, method, 20_000, unit, seed=1)
    assert (again.digest != found.digest) == subsets.is_seeded(method)


def test_equal_tokens_are_what_the_bytes_are_on_average(pool: subsets.Pool) -> None:
    a_token = sum(pool.sizes("bytes")) / sum(pool.tokens)
    assert subsets.amount_of(pool, 20_000, "tokens") == pytest.approx(20_000 / a_token, abs=1)


def test_families_are_balanced(pool: subsets.Pool) -> None:
    found = subsets.select(pool, "families-number", 15_000, "bytes", seed=2)
    numbers = Counter(pool.records[index].family for index in found.indices)
    assert numbers.pop("few") == 10
    assert max(numbers.values()) - min(numbers.values()) <= 2


def test_copies_are_selected_once(tmp_path: Path, records: list[Record]) -> None:
    twice = [one for one in records[:50] for _ in range(2)]
    data.write(twice, tmp_path / "twice.jsonl")
    pool = subsets.Pool("plain", twice, tmp_path / "twice.jsonl", [1] * 100)
    for method in METHODS:
        found = subsets.select(pool, method, 10**6, "bytes", seed=0)
        assert sorted(found.indices) == list(range(0, 100, 2)), method


@pytest.mark.parametrize("unit", subsets.UNITS)
@pytest.mark.parametrize("share", [0, 0.5, 0.9])
def test_copies_on_purpose(pool: subsets.Pool, share: float, unit: str) -> None:
    found = subsets.select(pool, f"copies share={share}", 20_000, unit, seed=0)
    amount = subsets.amount_of(pool, 20_000, unit)
    sizes = pool.sizes(unit)
    assert 0.97 * amount < sum(sizes[index] for index in found.indices) <= amount
    once = sum(sizes[index] for index in set(found.indices))
    assert once / amount == pytest.approx(1 - share, abs=0.03)
    assert len({pool.records[index].text for index in found.indices}) == len(set(found.indices))
    assert found.digest == subsets.select(pool, f"copies share={share}", 20_000, unit, seed=0).digest
    assert found.digest != subsets.select(pool, f"copies share={share}", 20_000, unit, seed=1).digest


def test_subsets_know_their_ratios(pool: subsets.Pool) -> None:
    assert subsets.select(pool, "base", 0, "bytes", 0).ratios == {}
    ratios = [subsets.select(pool, f"copies share={share}", 20_000, "bytes", 0).ratios["xz"] for share in (0, 0.5, 0.9)]
    assert ratios == sorted(ratios)
    found = subsets.select(pool, "random", 20_000, "bytes", 0)
    text = "".join(pool.records[index].text for index in found.indices).encode()
    assert found.ratios["zlib"] == len(text) / len(zlib.compress(text, 9))


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("zip", ("zip", {})),
        ("coverage-word", ("coverage", {"unit": "word"})),
        (
            "coverage alpha=0.9 balance=0 group_by=family dedupe=False",
            ("coverage", {"alpha": 0.9, "balance": 0, "group_by": "family", "dedupe": False}),
        ),
    ],
)
def test_calls(method: str, call: tuple[str, dict[str, Any]]) -> None:
    assert subsets.call_of(method) == call


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("best", "^no method 'best'; there are base, random, families-number, zip, coverage-byte, "),
        ("coverage taste=2", "^'coverage taste=2': entropylaw .* has no option 'taste'$"),
        ("copies share=1", "^'copies share=1': copies have a share from 0 to below 1, as in 'copies share=0.5'$"),
        ("copies", "^'copies': copies have a share from 0 to below 1"),
        ("coverage alpha", "^'coverage alpha': 'alpha' is no option=value$"),
    ],
)
def test_what_is_no_method(method: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        subsets.check(method)


@pytest.mark.parametrize("advice", [ADVISED, UNLABELLED])
def test_what_is_advised_is_judged(advice: str) -> None:
    for method in subsets.DEFAULT:
        subsets.check(method)
    options = dict(re.findall(r"--(\S+)(?: (?!--)(\S+))?", advice))
    name = options.pop("method")
    assert options.pop("dedupe") == ""  # As all that is judged.
    wanted = {option.replace("-", "_"): value for option, value in options.items()}
    judged = [method.split() for method in subsets.DEFAULT]
    if "balance" in wanted:
        # The judge's families are in a field of their own.
        wanted["group_by"] = "family"
    assert wanted in [dict(option.split("=", 1) for option in given) for method, *given in judged if method == name]


@pytest.mark.parametrize(
    ("budget", "expected"), [(3_000, 4), (100_000, 4), (300_000, 4), (10**6, 8), (3 * 10**6, 16), (10**7, 32)]
)
def test_rows_of_a_step(budget: int, expected: int) -> None:
    assert rows_for(budget) == expected


def test_jobs(pool: subsets.Pool) -> None:
    methods = ["base", "random", "coverage-byte"]
    found = list(plan.jobs(pool, methods, [6_000, 3_000], subsets.UNITS, [4, 7], Settings(), [3, 1], thin_above=3_000))
    assert found[0].subset.indices == []
    assert (found[0].subset.pool, found[0].seed, found[0].settings) == ("", 0, Settings(epochs=0, rows=0))
    assert [
        (job.subset.budget, job.settings.epochs, job.seed, job.subset.unit, job.subset.method) for job in found[1:]
    ] == [
        (budget, epochs, seed, unit, method)
        for budget, epochs, units in ((3_000, 1, subsets.UNITS), (3_000, 3, subsets.UNITS), (6_000, 1, ("tokens",)))
        for seed in (4, 7)
        for unit in units
        for method in methods[1:]
    ]
    assert {job.settings.rows for job in found[1:]} == {4}
    picked = {(job.subset.method, job.subset.unit, job.subset.budget, job.subset.digest) for job in found}
    assert len(picked) == 1 + 3 * (2 + 1)


def test_tokens_of_some_records() -> None:
    tokens = Tokens(np.array([1, 2, 0, 3, 0, 4, 5, 6, 0], np.uint32), np.array([3, 5, 9]))
    assert tokens.lengths.tolist() == [3, 2, 4]
    some = tokens.only([2, 0])
    assert [some.of(n).tolist() for n in range(2)] == [[4, 5, 6, 0], [1, 2, 0]]
    assert tokens.only([]).lengths.tolist() == []


def row(method: str, seed: int, macro: float, *, text: str | None = None, **changes: Any) -> dict[str, Any]:
    subset = {"pool": "plain", "method": method, "budget": 3_000, "unit": "bytes"}
    subset |= {"samples": 10, "bytes": 2_990, "tokens": 700, "digest": data.digest([text or f"{method} {seed}"])}
    if method == "base":
        subset |= {"pool": "", "budget": 0, "unit": "tokens", "digest": data.digest([])}
    found: dict[str, Any] = {
        "subset": subset,
        "seed": seed,
        "model": "abc",
        "model_name": "tiny",
        "exam": "def",
        "settings": {"epochs": 0 if method == "base" else 1, "rows": 4, "context": 256, "rate": 1e-4},
        "versions": {"torch": "2"},
        "device": "cpu",
    } | changes
    bits = {"macro": macro, "micro": macro - 0.1, "families": {"chat": macro - 0.2, "maths": macro + 0.2}}
    scores = {"text": bits, "response": bits, "accuracy": {"adapters/boolq": 0.5, "adapters/ARC-Easy": 0.25}}
    return {"key": rows.key_of(found), **found, "scores": scores}


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"model": "other"},
        {"exam": "other"},
        {"settings": {"epochs": 2, "rows": 4, "rate": 1e-4}},
        {"versions": {"torch": "3"}},
        {"device": "gpu"},
    ],
)
def test_keys(change: dict[str, Any]) -> None:
    known = row("random", 0, 1.0)
    assert rows.key_of(known | {"scores": None, "model_name": "renamed"}) == known["key"]
    assert rows.key_of(known | change) != known["key"]


def test_a_key_is_of_the_text_not_of_the_name() -> None:
    assert row("random", 0, 1.0, text="same")["key"] == row("zip", 0, 1.0, text="same")["key"]
    assert row("random", 0, 1.0, text="one")["key"] != row("random", 0, 1.0, text="other")["key"]


def test_rows_are_found_out_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rows.jsonl"
    results = rows.Results(path)
    first = row("random", 0, 0.8, text="same")
    unscored = {name: value for name, value in first.items() if name != "scores"}
    assert not results.settled(unscored)
    assert not path.exists()
    results.add(first)
    assert results.settled(unscored)
    twin = row("zip", 0, 0.9, text="same")
    del twin["scores"]
    assert rows.Results(path).settled(twin)
    stored = rows.read(path)
    assert [(one["subset"]["method"], one["scores"]["text"]["macro"]) for one in stored] == [
        ("random", 0.8),
        ("zip", 0.8),
    ]
    assert rows.Results(path).settled(twin)
    assert len(rows.read(path)) == 2


def test_a_row_that_was_cut_off_gives_way(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows.append(path, row("random", 0, 0.8))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:100])
    assert len(rows.read(path)) == 1
    rows.append(path, row("random", 1, 0.7))
    assert [one["seed"] for one in rows.read(path)] == [0, 1]
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_the_table() -> None:
    found = [row("base", 0, 1.0), row("random", 0, 0.8), row("random", 1, 0.7), row("zip", 0, 0.9)]
    elsewhere = row("random", 0, 0.1, device="gpu")
    head = "| subset | seeds | samples | bytes | tokens | macro | micro | macro, responses | micro, responses | "
    random_bits = "0.750 ± 0.071 | 0.650 ± 0.071"
    assert table.markdown([*found, elsewhere]).split("\n") == [
        "**plain pool, 3,000 bytes, 1 epoch, 4 rows of 256 tokens a step; tiny, cpu**",
        "",
        f"{head}right answers |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
        "| base | 1 | 10 | 2,990 | 700 | 1.000 | 0.900 | 1.000 | 0.900 | 0.375 |",
        f"| random | 2 | 10 | 2,990 | 700 | {random_bits} | {random_bits} | 0.375 ± 0.000 |",
        "| zip | 1 | 10 | 2,990 | 700 | 0.900 | 0.800 | 0.900 | 0.800 | 0.375 |",
        "",
        "**plain pool, 3,000 bytes, 1 epoch, 4 rows of 256 tokens a step; tiny, gpu**",
        "",
        f"{head}right answers |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
        "| random | 1 | 10 | 2,990 | 700 | 0.100 | 0.000 | 0.100 | 0.000 | 0.375 |",
        "",
    ]
    assert "| chat | 0.800 | 0.550 ± 0.071 | 0.700 |" in table.families(found)
    assert "| base | 1 |" in table.markdown(found[:1])


def test_the_figure(tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    found = [row("base", 0, 1.0), row("random", 0, 0.8), row("random", 1, 0.7)]
    chart = table.chart(
        dict(table.tables(found))["plain pool, 3,000 bytes, 1 epoch, 4 rows of 256 tokens a step; tiny, cpu"]
    )
    macro = [value for value in chart["data"]["values"] if value["series"] == "macro"]
    assert [value["name"] for value in macro] == ["base", "random"]
    assert macro[0]["low"] == macro[0]["high"] == 1.0
    assert macro[1]["high"] - macro[1]["low"] == pytest.approx(2 * 0.0707, abs=1e-4)
    assert table.figure(found, tmp_path / "table.svg")
    assert (tmp_path / "table.svg").read_text().startswith("<svg")


def test_parts(tmp_path: Path) -> None:
    whole = tmp_path / "whole" / "model.tar"
    whole.parent.mkdir()
    whole.write_bytes(random.Random(0).randbytes(2_500))
    there = tmp_path / "there"
    there.mkdir()
    cut = parts.cut(whole, there, limit=1_000)
    assert [path.stat().st_size for path in cut[:-1]] == [1_000, 1_000, 500]
    assert parts.join(there, "model.tar").read_bytes() == whole.read_bytes()
    cut[0].unlink()
    assert parts.join(there, "model.tar").read_bytes() == whole.read_bytes()


def test_parts_that_do_not_fit(tmp_path: Path) -> None:
    (tmp_path / "whole").write_bytes(bytes(2_500))
    there = tmp_path / "there"
    there.mkdir()
    cut = parts.cut(tmp_path / "whole", there, limit=1_000)
    cut[1].write_bytes(b"x")
    with pytest.raises(SystemExit, match=r"whole\.001: is not the part that whole\.json lists; copy it again$"):
        parts.join(there, "whole")
    cut[1].unlink()
    with pytest.raises(SystemExit, match=r"whole\.001: is missing$"):
        parts.join(there, "whole")
    cut[-1].unlink()
    with pytest.raises(SystemExit, match=r"whole\.json: is missing; it comes with the parts$"):
        parts.join(there, "whole")
    assert not (there / "whole").exists()


def run(R: float, seed: int, **changes: Any) -> dict[str, Any]:
    found = row("copies share=0.5", seed, 0.5 + 0.1 * R + 0.001 * (seed % 3), text=f"{R}", **changes)
    found["subset"]["ratios"] = {"xz": R, "zlib": R / 2}
    found["scores"]["first_epoch_loss"] = 3 - R / 10
    return found


def test_the_law(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("scipy")
    pytest.importorskip("vl_convert")
    others = [run(R, 9, settings={"epochs": 3, "rows": 4, "rate": 1e-4}) for R in (1.5, 2.5, 3.5)]
    elsewhere = [run(2 + n / 2, n, exam="another") for n in range(12)]
    for found in [row("base", 0, 1.0), *(run(2 + n / 2, n) for n in range(12)), *others, *elsewhere]:
        rows.append(tmp_path / "rows.jsonl", found)
    law.main(["--work", str(tmp_path)])
    said = capsys.readouterr().out
    assert said.startswith("3,000 bytes, equal bytes, epochs: 1, rows a step: 4\n$ entropylaw law fit ")
    assert "runs        12" in said
    assert "epochs: 3" not in said, "three runs carry no law"
    fitted = entropylaw.EntropyLaw.load(tmp_path / "law" / "3000-bytes-1-4-xz-text-macro.json")
    assert float(fitted.predict(4.0).mean[0]) == pytest.approx(-0.9, abs=0.01)
    assert (tmp_path / "law" / "3000-bytes-1-4-xz-text-macro.svg").exists()
    assert (tmp_path / "law" / "3000-bytes-1-4-xz-text-macro-2.json").exists(), "another exam has its own law"
    assert law.observation(run(2.0, 0), "zlib", "response", "micro") == {
        "name": "copies share=0.5, plain, seed 0",
        "R": 1.0,
        "L": 2.8,
        "Z": pytest.approx(-0.6),
    }


@pytest.mark.parametrize(
    ("found", "options", "message"),
    [
        ([], [], "a law needs at least 4 runs of the same budget; judge more subsets first"),
        ([row("zip", n, 1.0) for n in range(5)], [], "the row of zip, plain, seed 0 has no R by xz"),
        ([run(n + 1.0, n) for n in range(5)], ["--pools", "junk"], "a law needs at least 4 runs"),
        ([run(n + 1.0, n) for n in range(5)], ["--methods", "random"], "a law needs at least 4 runs"),
    ],
)
def test_rows_without_a_law(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], found: list[dict[str, Any]], options: list[str], message: str
) -> None:
    for one in found:
        rows.append(tmp_path / "rows.jsonl", one)
    with pytest.raises(SystemExit, match="2"):
        law.main(["--work", str(tmp_path), *options])
    assert message in capsys.readouterr().err
