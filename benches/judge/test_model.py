"""The judge's parts that train: ``make judge-test``, in the judge's own environment, with a tiny random model."""

import json
import math
import os
import random
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from judge import bundle, data, rows, weights
from judge.__main__ import main
from judge.data import Record
from judge.encoding import Encoder, Tokens
from judge.evaluate import evaluate
from judge.exam import Choice, Exam, glimpse
from judge.gpu import Bundle, check_model
from judge.judging import Judge
from judge.settings import Settings
from judge.train import packed

WORDS = ["the", "cat", "sat", "on", "a", "mat", "and", "then", "some", "other", "things", "came", "to", "be", "said"]
# Operations this small take longer on two threads, and the same sums are compared.
torch.set_num_threads(1)
FAST = Settings(rate=1e-2, precision="float32")


def records(count: int, longest: int = 40) -> list[Record]:
    rng = random.Random(0)
    found = []
    for number in range(count):
        if number % 3:
            words = " ".join(rng.choices(WORDS, k=rng.randrange(5, longest)))
            found.append(Record(f"what of {number}? ä", words, ("maths", "chat")[number % 2]))
        else:
            prompt = f"is {number} even?\n\nAnswer format: true/false"
            found.append(Record(prompt, f"the correct answer is {str(number % 2 == 0).lower()}", "adapters/boolq"))
    return found


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return weights.tiny(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def encoder(model: Path) -> Encoder:
    return Encoder(model)


@pytest.fixture(scope="module")
def exam(encoder: Encoder) -> Exam:
    _, task = data.split(records(1_500, longest=120), heldout=3_000, questions=10)
    return Exam.of(task, encoder)


@pytest.fixture(scope="module")
def judge(model: Path, exam: Exam) -> Judge:
    return Judge(model, exam, "cpu")


@pytest.fixture(scope="module")
def tokens(encoder: Encoder) -> Tokens:
    return encoder.records(records(60))


def test_tokens_are_those_of_the_text(encoder: Encoder) -> None:
    some = records(5)
    tokens = encoder.records(some)
    assert tokens.lengths.tolist() == [data.size(one.text) + 1 for one in some]
    assert all(tokens.of(n)[-1] == encoder.separator == 256 for n in range(5))


def test_tokens_are_made_once(encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = encoder.cached(records(5), "digest", tmp_path)
    monkeypatch.setattr(Encoder, "records", None)
    again = encoder.cached(records(5), "digest", tmp_path)
    assert np.array_equal(again.ids, first.ids)
    assert np.array_equal(again.ends, first.ends)


@pytest.mark.parametrize("context", [7, 64, 10_000])
def test_every_token_is_predicted_once(tokens: Tokens, context: int) -> None:
    batch = packed(tokens, 256, context, seed=3)
    labels = batch[:, 1:].flatten().tolist()
    kept = [label for label in labels if label != -100]
    assert sorted(kept) == sorted(tokens.ids.tolist())
    assert labels[: len(kept)] == kept
    assert batch[0, 0] == 256
    assert batch[1:, 0].tolist() == batch[:-1, -1].tolist()
    order = np.random.default_rng(3).permutation(len(tokens.ends)).tolist()
    assert kept == tokens.only(order).ids.tolist()


def test_training_is_repeatable_and_helps(judge: Judge, tokens: Tokens) -> None:
    base = judge.scores(None, 0, FAST)
    once = judge.scores(tokens, 0, FAST)
    again = judge.scores(tokens, 0, FAST)
    other = judge.scores(tokens, 1, FAST)
    longer = judge.scores(tokens, 0, replace(FAST, epochs=3))
    assert base["first_epoch_loss"] is None
    for name in ("text", "response", "accuracy", "first_epoch_loss"):
        assert once[name] == again[name]
    assert other["text"] != once["text"]
    assert longer["text"]["macro"] < once["text"]["macro"] < base["text"]["macro"] - 0.5
    assert judge.scores(None, 0, FAST)["text"] == base["text"]


def test_a_step_in_parts_is_the_same_step(judge: Judge, tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = replace(FAST, rate=1e-3, rows=8)
    whole = judge.scores(tokens, 0, settings)
    monkeypatch.setattr("judge.train._ROWS_AT_ONCE", 3)
    parts = judge.scores(tokens, 0, settings)
    assert parts["text"]["macro"] == pytest.approx(whole["text"]["macro"], rel=1e-4)
    assert parts["first_epoch_loss"] == pytest.approx(whole["first_epoch_loss"], rel=1e-4)
    assert judge.scores(tokens, 0, replace(settings, rows=3))["text"]["macro"] != pytest.approx(
        whole["text"]["macro"], rel=1e-4
    )


def costs(judge: Judge, ids: list[int]) -> list[float]:
    """Nats of each token but the first, of one sequence alone."""
    with torch.no_grad():
        logits = judge.untrained()(torch.tensor([ids])).logits[0].double().log_softmax(-1)
    return [-float(logits[n, token]) for n, token in enumerate(ids[1:])]


def test_batches_change_nothing(judge: Judge, exam: Exam) -> None:
    long = max(exam.passages, key=lambda passage: len(passage.ids))
    twice = long._replace(ids=long.ids * 3, bytes=long.bytes * 3, family="chat")
    whole = replace(exam, passages=[*exam.passages, twice])
    assert len(twice.ids) > 1_024
    found = evaluate(judge.untrained(), whole, "float32")
    nats: dict[str, list[float]] = {}
    for passage in whole.passages:
        alone = [
            cost
            for start in range(0, len(passage.ids), 1_024)
            for cost in costs(judge, [256, *passage.ids[start : start + 1_024]])
        ]
        one = nats.setdefault(passage.family, [0, 0, 0, 0])
        sums = math.fsum(alone), passage.bytes, math.fsum(alone[passage.head :]), passage.response_bytes
        for place, value in enumerate(sums):
            one[place] += value
    for family, (text, size, response, response_size) in nats.items():
        assert found["text"]["families"][family] == pytest.approx(text / size / math.log(2), rel=1e-5)
        assert found["response"]["families"][family] == pytest.approx(response / response_size / math.log(2), rel=1e-5)
    assert found["text"]["macro"] == pytest.approx(np.mean(list(found["text"]["families"].values())))


@pytest.mark.parametrize("kind", ["one token", "several"])
def test_the_likeliest_answer_is_chosen(judge: Judge, exam: Exam, kind: str) -> None:
    rng = random.Random(5)
    choices = []
    for number in range(12):
        ids = [rng.randrange(256) for _ in range(rng.randrange(3, 30))]
        answers = [[token] for token in rng.sample(range(256), 3)]
        if kind == "several":
            answers = [[*answer, *(rng.randrange(256) for _ in range(rng.randrange(4)))] for answer in answers]
        nats = [math.fsum(costs(judge, [256, *ids, *answer])[len(ids) :]) for answer in answers]
        best = nats.index(min(nats))
        choices.append(Choice("right" if number < 6 else "wrong", ids, answers, best if number < 6 else (best + 1) % 3))
    found = evaluate(judge.untrained(), replace(exam, choices=choices), "float32")
    assert found["accuracy"] == {"right": 1.0, "wrong": 0.0}


def test_questions_as_tokens(exam: Exam) -> None:
    assert len(exam.choices) == 10
    for choice in exam.choices:
        assert bytes(map(len, choice.answers)) == bytes([4, 5])
        assert choice.right in (0, 1)
        assert choice.answers[0][0] != choice.answers[1][0]


def test_a_hash_is_of_the_weights(model: Path) -> None:
    loaded = weights.load(model)
    known = weights.weights_hash(loaded)
    assert weights.weights_hash(weights.load(model)) == known
    with torch.no_grad():
        loaded.model.norm.weight[0] += 1e-3
    assert weights.weights_hash(loaded) != known


def test_the_packaged_weights(tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf")
    try:
        path = weights.packaged_gguf()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    directory = weights.smollm2(Path(os.environ.get("JUDGE_MODELS", tmp_path)))
    loaded = weights.load(directory)
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    for name, tensor in (("model.embed_tokens", "token_embd"), ("model.layers.29.mlp.up_proj", "blk.29.ffn_up")):
        packed_as = tensors[f"{tensor}.weight"]
        exact = gguf.quants.dequantize(packed_as.data, packed_as.tensor_type)
        found = loaded.get_submodule(name).weight.detach().numpy()
        assert found.shape == exact.shape
        assert np.all(np.abs(found - exact) <= np.abs(exact) * 2**-11 + 2**-25)
    config = json.loads((directory / "config.json").read_text())
    assert config["rope_theta"] == config["rope_parameters"]["rope_theta"] == 100_000
    assert Encoder(directory).separator == 0


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    data.write(records(1_500), tmp_path / "pool.jsonl")
    return tmp_path / "pool.jsonl"


def test_the_command(pool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    work = tmp_path / "work"
    call = ["--tiny", "--pools", str(pool), "--work", str(work), "--seeds", "0", "1", "--units", "bytes"]
    call += ["--only", "base", "random", "coverage-byte", "--epochs", "1", "2"]
    main(call)
    stored = rows.read(work / "rows.jsonl")
    assert len(stored) == 1 + 2 * 2 * 2
    assert len({row["key"] for row in stored}) == len(stored)
    assert "3,000 bytes, 2 epochs" in capsys.readouterr().out
    content = (work / "rows.jsonl").read_bytes()
    main([*call, "--seeds", "1", "0"])
    assert (work / "rows.jsonl").read_bytes() == content
    (work / "rows.jsonl").write_bytes(content[: content.rfind(b'"scores"')])
    main(call)
    again = rows.read(work / "rows.jsonl")
    assert [one["key"] for one in again] == [one["key"] for one in stored]
    assert again[-1]["scores"]["text"] == stored[-1]["scores"]["text"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--only", "best"], "no method 'best'"),
        (["--budgets", "10%"], "10%: budgets are in bytes here, for example 300KB"),
        (["--units", "words"], "invalid choice: 'words'"),
    ],
)
def test_what_it_refuses(wrong: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--tiny", *wrong])
    assert message in capsys.readouterr().err


def test_a_bundle_gives_the_same(pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work, there = tmp_path / "work", tmp_path / "there"
    monkeypatch.setattr(bundle.parts, "_LIMIT", 100_000)
    monkeypatch.setattr(bundle.parts.cut, "__defaults__", (100_000,))
    call = ["--tiny", "--pools", str(pool), "--work", str(work), "--only", "base", "random", "zip", "--precision"]
    call += ["float32", "--seeds", "0", "1", "--budgets", "3KB", "6KB", "--epochs", "1"]
    main(call)
    main([*call, "--bundle", str(there)])
    with pytest.raises(FileExistsError, match="is not empty"):
        main([*call, "--bundle", str(there)])
    assert len(list(there.glob("model.tar.0*"))) > 1
    assert all(path.stat().st_size <= 100_000 for path in there.iterdir())
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {
        "PYTHON": sys.executable
    }
    run = ["bash", str(there / "gpu.sh"), "--device", "cpu"]

    late = subprocess.run([*run, "--minutes", "0"], env=environment, capture_output=True, text=True, check=True)
    # Of 17 jobs, four have subsets that others have: random records have a token a byte here.
    assert "13 are left for another call" in late.stdout
    done = subprocess.run([*run, "--workers", "2"], env=environment, capture_output=True, text=True, check=True)
    assert "17 of 17 jobs are done, 0 are left for another call" in done.stdout

    def scores(path: Path) -> dict[str, float]:
        return {
            f"{row['subset']['method']} {row['subset']['unit']} {row['subset']['budget']} {row['seed']}": row["scores"][
                "text"
            ]["macro"]
            for row in rows.read(path)
        }

    assert scores(there / "rows.jsonl") == pytest.approx(scores(work / "rows.jsonl"), rel=1e-4)


def test_a_bundle_notices_another_model(judge: Judge, exam: Exam) -> None:
    expected = evaluate(judge.untrained(), glimpse(exam), "float32")["text"]["macro"]
    check_model(judge, expected)
    with pytest.raises(
        SystemExit, match=r"^the base model has .* bits a byte here, 4\.0000 where the bundle was made$"
    ):
        check_model(judge, 4.0)


@pytest.mark.parametrize("removed", [False, True])
def test_a_target(model: Path, pool: Path, tmp_path: Path, removed: bool) -> None:
    from judge.plan import prepare

    of = partial(prepare, [str(pool)], "plain", model, tmp_path, heldout=1_000, questions=4)
    whole, made = of(), of(target="chat", removed=removed)
    assert made.pool.name == ("plain without chat, for chat" if removed else "plain, for chat")
    assert {passage.family for passage in made.exam.passages} == {"chat"}
    assert (made.exam.choices, made.exam.weights) == ([], {"chat": 1.0})
    assert made.exam.digest != whole.exam.digest
    assert any(record.family == "chat" for record in made.pool.records) != removed
    assert len(made.pool.tokens) == len(made.pool.records)
    assert made.pool.target is not None
    assert made.pool.target.exists()
    with pytest.raises(ValueError, match=r"^nothing: not enough is held out of such a family; there is of "):
        of(target="nothing")


def test_what_a_bundle_holds(judge: Judge, exam: Exam, model: Path, pool: Path, tmp_path: Path) -> None:
    from judge.plan import jobs, prepare

    made = prepare([str(pool)], "plain", model, tmp_path / "work", heldout=1_000, questions=4)
    listed = list(jobs(made.pool, ["base", "random", "zip"], [3_000], ["bytes", "tokens"], [0, 1], FAST, [1]))
    bundle.write(tmp_path / "there", listed, made.tokens, made.exam, model, 1.0)
    for name in ("model.tar", "data.tar.xz"):
        bundle.parts.join(tmp_path / "there", name)
        subprocess.run(["tar", "xf", tmp_path / "there" / name, "-C", tmp_path / "there"], check=True)
    read = Bundle(tmp_path / "there")
    assert read.exam == made.exam
    assert len(read.jobs) == len(listed) == 9
    for stored, job in zip(read.jobs, listed, strict=True):
        assert read.row(judge, stored) == judge.row(job.subset.about(), job.seed, job.settings)
        shipped = read.tokens(stored["subset"])
        if job.subset.method == "base":
            assert shipped is None
        else:
            assert shipped is not None
            assert np.array_equal(shipped.ids, made.tokens.only(job.subset.indices).ids)
