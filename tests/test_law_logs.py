"""L from training logs: the formats that trainers write, resumes, epochs that are not over, and what is malformed."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from entropylaw import EntropyLawError
from entropylaw.cli import main
from entropylaw.law import first_epoch, read_log


def history(losses: list[float], every: int = 10, epoch_steps: int = 50) -> list[dict[str, Any]]:
    """What ``Trainer.state.log_history`` holds."""
    return [
        {"epoch": n * every / epoch_steps, "grad_norm": 1.0, "learning_rate": 1e-4, "loss": loss, "step": n * every}
        for n, loss in enumerate(losses, 1)
    ]


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


LOSSES = [3.0, 2.0, 1.8, 1.7, 1.5, 1.0, 0.9]
SUMMARY = {"epoch": 1.4, "step": 70, "total_flos": 1.0, "train_loss": 1.7, "train_runtime": 1.0}
EVALUATION = {"epoch": 0.4, "eval_loss": 9.0, "eval_runtime": 1.0, "step": 20}


def state(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {"best_metric": None, "epoch": 1.4, "global_step": 70, "log_history": entries, "max_steps": 100}


def llama_factory(entries: list[dict[str, Any]], total: int = 100) -> str:
    """``trainer_log.jsonl``, as LLaMA-Factory's callback writes it."""
    rows = [
        {"current_steps": e["step"], "total_steps": total, "loss": e["loss"], "lr": 1e-4, "epoch": e["epoch"]}
        | {"percentage": 100 * e["step"] / total, "elapsed_time": "0:00:01", "remaining_time": "0:00:01"}
        for e in entries
    ]
    last = {"current_steps": 70, "total_steps": total, "epoch": 1.4, "percentage": 70.0, "elapsed_time": "0:00:01"}
    return "".join(json.dumps(row) + "\n" for row in [*rows, last])


ENTRIES = history(LOSSES)
FORMATS: dict[str, Any] = {
    "trainer_state.json": state([*ENTRIES[:2], EVALUATION, *ENTRIES[2:], SUMMARY]),
    "log_history.json": ENTRIES,
    "trainer_log.jsonl": llama_factory(ENTRIES),
    "wandb.jsonl": "\n".join(
        json.dumps({"train/loss": e["loss"], "train/global_step": e["step"], "train/epoch": e["epoch"]})
        for e in ENTRIES
    ),
    "log.csv": "step,loss,epoch,eval_loss\n"
    + "".join(f"{e['step']},{e['loss']},{e['epoch']},\n" for e in ENTRIES)
    + "70,,1.4,2.0\n",
    "wandb.csv": '\ufeff"train/global_step","train/loss","train/epoch"\r\n'
    + "".join(f'"{e["step"]}","{e["loss"]}","{e["epoch"]}"\r\n' for e in ENTRIES),
}


@pytest.mark.parametrize("name", FORMATS)
def test_formats(tmp_path: Path, name: str) -> None:
    log = read_log(write(tmp_path / name, FORMATS[name]))
    assert log.steps == (10, 20, 30, 40, 50, 60, 70)
    assert log.losses == tuple(LOSSES)
    assert log.epoch_steps == pytest.approx(50)
    assert not log.preference
    epoch = log.first_epoch()
    assert epoch.complete
    assert epoch.error == 0
    assert epoch.mean == pytest.approx(np.mean(LOSSES[:5]))


def test_steps_weigh_alike(tmp_path: Path) -> None:
    """``logging_first_step``, then every 20: the losses are means over 1, 19, 20 and 20 steps."""
    entries = [{"step": step, "loss": loss, "epoch": step / 50} for step, loss in [(1, 9), (20, 3), (40, 2), (60, 1)]]
    epoch = read_log(write(tmp_path / "state.json", state(entries))).first_epoch()
    # Half of the last one is in the second epoch.
    assert epoch.mean == pytest.approx((1 * 9 + 19 * 3 + 20 * 2 + 10 * 1) / 50)
    assert epoch.steps == 50


def test_a_loss_logged_twice_counts_once(tmp_path: Path) -> None:
    entries = [entry for entry in ENTRIES for _ in range(2)]
    assert read_log(write(tmp_path / "s.json", state(entries))).first_epoch().mean == pytest.approx(2.0)


def test_after_a_resume_the_new_losses_count(tmp_path: Path) -> None:
    """LLaMA-Factory appends: steps 30 and 40 are there twice."""
    again = [entry | {"loss": 1.2} for entry in ENTRIES[2:5]]
    log = read_log(write(tmp_path / "trainer_log.jsonl", llama_factory(ENTRIES[:4]) + llama_factory(again)))
    assert log.steps == (10, 20, 30, 40, 50)
    assert log.losses == (3.0, 2.0, 1.2, 1.2, 1.2)


def test_preference_losses_are_told_apart(tmp_path: Path) -> None:
    entries = [entry | {"rewards/margins": 0.1, "rewards/chosen": 0.2} for entry in ENTRIES]
    assert read_log(write(tmp_path / "s.json", state(entries))).preference
    assert not read_log(write(tmp_path / "t.json", state(ENTRIES))).preference
    factory = llama_factory(ENTRIES).replace('"lr"', '"accuracy": 0.7, "lr"')
    assert read_log(write(tmp_path / "trainer_log.jsonl", factory)).preference


def test_divergence_is_reported_not_averaged(tmp_path: Path) -> None:
    entries = [*ENTRIES[:3], ENTRIES[3] | {"loss": math.nan}, ENTRIES[4]]
    log = read_log(write(tmp_path / "s.json", state(entries)))
    assert log.diverged == 40
    assert math.isfinite(log.first_epoch().mean)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"loss": math.nan}, "; training diverged: the loss at step 40 is not finite, left out"),
        ({"loss": math.inf}, "; training diverged: the loss at step 40 is not finite, left out"),
        ({"rewards/chosen": 0.2}, "; a preference loss, which is no L"),
    ],
)
def test_the_command_says_what_is_no_mean_of_an_epoch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any], said: str
) -> None:
    path = write(tmp_path / "s.json", state([*ENTRIES[:3], ENTRIES[3] | change, *ENTRIES[4:]]))
    assert main(["law", "loss", str(path)]) == 0
    assert capsys.readouterr().out.endswith(f"  {path}{said}\n")


def test_an_incomplete_last_line_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = read_log(write(tmp_path / "trainer_log.jsonl", llama_factory(ENTRIES)[:-40]))
    assert log.losses == tuple(LOSSES)
    assert "the last line is not complete" in caplog.text


def test_steps_of_an_epoch_may_be_named(tmp_path: Path) -> None:
    path = write(tmp_path / "log.csv", "step,loss\n" + "".join(f"{n},{2.0}\n" for n in range(1, 11)))
    with pytest.raises(EntropyLawError, match="does not say in which epoch"):
        read_log(path)
    assert read_log(path, epoch_steps=20).first_epoch().fraction == 0.5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("{", "is not JSON"),
        (json.dumps(state(ENTRIES))[:300], "is not JSON: .*; is it cut off"),
        (json.dumps(state(ENTRIES), indent=2)[:300], "is not JSON: .*; is it cut off"),
        ("[1, 2]", "entry 0: an entry of a log must be an object, found int"),
        ('{"a": 1}', "is no training log: no 'log_history', found 'a'"),
        (state([EVALUATION, SUMMARY]), "has no training loss"),
        (state([{"loss": 1.0, "epoch": 0.1}]), "entry 0: a loss without its step"),
        (state([{"loss": "low", "step": 1}]), "entry 0: 'loss' must be a number, found 'low'"),
        (state([{"loss": True, "step": 1}]), "must be a number, found True"),
        ('{"loss": 1, "step": 1}\nnonsense\n{"loss": 1, "step": 2}\n', ":2: is not JSON"),
        ("name,value\na,b\n", "has no training loss"),
        ("step,loss\n1,high\n", ":2: 'loss' must be a number, found 'high'"),
        ("step,loss\n1,2,3\n", ":2: has 3 fields, the header 2"),
        ("[" * 100_000, "nested too deeply|is not JSON"),
    ],
)
def test_malformed_logs(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(EntropyLawError, match=message):
        read_log(write(tmp_path / "log", content))


def test_missing_and_binary_logs(tmp_path: Path) -> None:
    with pytest.raises(EntropyLawError, match="no such file"):
        read_log(tmp_path / "no.json")
    with pytest.raises(EntropyLawError, match="cannot be read"):
        read_log(tmp_path)
    (tmp_path / "b").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(EntropyLawError, match="is not UTF-8"):
        read_log(tmp_path / "b")


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("noise", [0.02, 0.3])
def test_the_projection_holds_what_it_says(fraction: float, noise: float) -> None:
    """Losses that fall fast, then like a power of the step: two standard errors hold the epoch's mean in 9 of 10."""
    rng = np.random.default_rng(0)
    inside, wide = [], []
    for _ in range(200):
        n = int(rng.integers(60, 400))
        t = np.arange(1, n + 1) / n
        fast, slow = rng.uniform(0.1, 1.4), rng.uniform(0.1, 0.6)
        losses = 1 + fast * np.exp(-t / rng.uniform(0.01, 0.1)) + slow * (t + 0.05) ** -rng.uniform(0.1, 0.6)
        losses += rng.normal(0, noise, n)
        seen = max(6, int(n * fraction))
        epoch = first_epoch(range(seen), range(1, seen + 1), losses[:seen].tolist(), n)
        inside.append(abs(epoch.mean - losses.mean()) <= 2 * epoch.error)
        wide.append(epoch.error)
    assert np.mean(inside) >= 0.9
    assert np.median(wide) < 0.08 / fraction, "an interval that says nothing"


def test_too_little_is_not_projected() -> None:
    epoch = first_epoch([0, 10], [10, 20], [3.0, 2.0], 1000)
    assert epoch.error == math.inf
    assert epoch.seen_mean == 2.5
    assert epoch.fraction == 0.02


def test_loss_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "trainer_state.json", state(ENTRIES))
    assert main(["law", "loss", str(path)]) == 0
    assert capsys.readouterr().out.split() == ["2", str(path)]
    partly = write(tmp_path / "part.json", state(history([3.0 - n / 10 for n in range(8)], epoch_steps=160)))
    assert main(["law", "loss", str(partly)]) == 0
    assert "projected from 50% of epoch 1" in capsys.readouterr().out
    assert main(["law", "loss", "--json", str(partly)]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["seen_mean"] == pytest.approx(2.65)
    assert row["L"] < 2.65
    assert main(["law", "loss", str(tmp_path / "no.json")]) == 2
