"""The callback under real trainers, with a tiny model of random weights, on the CPU; `make test-train` runs it."""

import copy
import json
import logging
import os
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from entropylaw import EntropyLaw, EntropyLawError
from entropylaw.law import read_log

torch = pytest.importorskip("torch", reason="the callback's tests need PyTorch; `make test-train` installs it")
transformers = pytest.importorskip("transformers", reason="the callback needs transformers; see `make test-train`")

from entropylaw.integrations.transformers import EntropyLawCallback  # noqa: E402

torch.set_num_threads(1)  # A model so small is slower with more.

VOCABULARY, LENGTH = 32, 16
SAMPLES = 104


def law_that_expects(loss: float, spread: float = 0.02) -> EntropyLaw:
    """A law whose runs had about this loss at R = 2.5, and ten similar ones."""
    rng = np.random.default_rng(0)
    R = np.linspace(2, 3, 12)
    L = loss - 0.1 * (R - 2.5) + rng.normal(0, spread, 12)
    return EntropyLaw(form="R + L").fit(R, L, 9 - R - L + rng.normal(0, 0.02, 12))


def samples() -> list[dict[str, Any]]:
    """Sequences with a pattern that can be learned."""
    generator = torch.Generator().manual_seed(0)
    starts = torch.randint(0, VOCABULARY, (SAMPLES,), generator=generator)
    rows = [(start + torch.arange(LENGTH) * 3) % VOCABULARY for start in starts]
    return [{"input_ids": row, "labels": row} for row in rows]


def train(directory: Path, callbacks: list[Any], resume: bool = False, attach: Any = None, **options: Any) -> Any:
    """Trains from the same weights in the same order each time."""
    transformers.set_seed(0)
    config = transformers.GPT2Config(
        vocab_size=VOCABULARY,
        n_positions=LENGTH,
        n_embd=16,
        n_layer=1,
        n_head=2,
        resid_pdrop=0,
        embd_pdrop=0,
        attn_pdrop=0,
        bos_token_id=0,
        eos_token_id=0,
    )
    settings: dict[str, Any] = {
        "output_dir": str(directory),
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-2,
        "num_train_epochs": 2,
        "logging_steps": 5,
        "save_strategy": "no",
        "report_to": [],
        "disable_tqdm": True,
        "use_cpu": True,
    }
    trainer = transformers.Trainer(
        model=transformers.GPT2LMHeadModel(config),
        args=transformers.TrainingArguments(**(settings | options)),
        train_dataset=samples(),
        eval_dataset=samples()[:8],
        callbacks=callbacks,
    )
    if attach is not None:
        attach.attach(trainer)
    trainer.train(resume_from_checkpoint=resume or None)
    trainer.save_state()
    return trainer


def losses_of(trainer: Any) -> dict[int, float]:
    return {entry["step"]: entry["loss"] for entry in trainer.state.log_history if "loss" in entry}


@pytest.fixture(scope="module")
def every_step(tmp_path_factory: pytest.TempPathFactory) -> dict[int, float]:
    """The loss of each of the first epoch's 26 steps."""
    trainer = train(tmp_path_factory.mktemp("oracle"), [], logging_steps=1)
    return {step: loss for step, loss in losses_of(trainer).items() if step <= 26}


@pytest.mark.parametrize("logging_steps", [1, 5, 7, 26])
def test_the_loss_of_the_first_epoch(tmp_path: Path, every_step: dict[int, float], logging_steps: int) -> None:
    callback = EntropyLawCallback(law_that_expects(2.0), R=2.5)
    trainer = train(tmp_path, [callback], logging_steps=logging_steps)
    assert callback.verdict is not None
    assert callback.verdict.fraction == 1
    expected = np.mean(list(every_step.values()))
    # A log that reaches into the second epoch is split as if its steps were alike.
    assert pytest.approx(expected, rel=1e-3 if 26 % logging_steps == 0 else 0.02) == callback.verdict.L
    # What the callback saw is what the trainer has written.
    epoch = read_log(tmp_path / "trainer_state.json").first_epoch()
    assert epoch.complete
    assert pytest.approx(epoch.mean) == callback.verdict.L
    assert trainer.state.global_step == 52


def test_metrics_are_logged_until_the_epoch_is_over(tmp_path: Path) -> None:
    trainer = train(tmp_path, [EntropyLawCallback(law_that_expects(2.0), R=2.5)], logging_steps=2)
    entries = json.loads((tmp_path / "trainer_state.json").read_text())["log_history"]
    seen = {entry["step"] for entry in entries if "entropy_law/L" in entry}
    # Six losses are needed to project; nothing is done in the second epoch.
    assert seen == set(range(12, 27, 2))
    last = next(entry for entry in entries if entry["step"] == 26)
    names = {"R", "L", "L_error", "L_expected", "L_limit", "Z", "Z_low", "Z_high", "fraction", "risk"}
    assert {key.removeprefix("entropy_law/") for key in last if key.startswith("entropy_law/")} == names
    assert last["entropy_law/fraction"] == 1
    assert last["entropy_law/L_error"] == 0
    assert trainer.state.global_step == 52


def test_gradient_accumulation(tmp_path: Path) -> None:
    """13 batches of 8, accumulated by 2: 7 optimizer steps, the last of a single batch."""
    options = {"per_device_train_batch_size": 8, "gradient_accumulation_steps": 2}
    oracle = losses_of(train(tmp_path / "oracle", [], logging_steps=1, **options))
    assert set(oracle) == set(range(1, 15))
    callback = EntropyLawCallback(law_that_expects(2.0), R=2.5)
    train(tmp_path / "run", [callback], logging_steps=1, **options)
    assert callback.verdict is not None
    assert callback.verdict.fraction == 1
    assert pytest.approx(np.mean([oracle[step] for step in range(1, 8)]), rel=1e-3) == callback.verdict.L


class StopAt(transformers.TrainerCallback):  # type: ignore[misc, name-defined]
    """A run that is cut off."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        control.should_training_stop = state.global_step >= self.step


@pytest.mark.parametrize("cut", [10, 13])
def test_a_resumed_run_goes_on(tmp_path: Path, every_step: dict[int, float], cut: int) -> None:
    options = {"logging_steps": 5, "save_strategy": "steps", "save_steps": cut}
    train(tmp_path, [EntropyLawCallback(law_that_expects(2.0), R=2.5), StopAt(cut)], **options)
    callback = EntropyLawCallback(law_that_expects(2.0), R=2.5)
    trainer = train(tmp_path, [callback], resume=True, **options)
    assert trainer.state.global_step == 52
    assert callback.verdict is not None
    assert callback.verdict.fraction == 1
    # The steps between the last log and the checkpoint are in no loss.
    known = [step for step in every_step if step <= cut // 5 * 5 or step > cut]
    assert pytest.approx(np.mean([every_step[step] for step in known]), rel=0.03) == callback.verdict.L
    steps = [entry["step"] for entry in trainer.state.log_history if "entropy_law/L" in entry]
    assert steps == sorted(set(steps))


def test_a_run_with_too_high_a_loss_is_stopped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    callback = EntropyLawCallback(law_that_expects(0.5), R=2.5, stop=True)
    with caplog.at_level(logging.WARNING, "entropylaw"):
        trainer = train(tmp_path, [callback], logging_steps=1)
    # Three verdicts in a row, the first after six losses.
    assert trainer.state.global_step == 8
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "risk at step 8: the loss of epoch 1 is" in caplog.text


def test_a_run_with_the_expected_loss_is_left_alone(
    tmp_path: Path, every_step: dict[int, float], caplog: pytest.LogCaptureFixture
) -> None:
    expected = float(np.mean(list(every_step.values())))
    callback = EntropyLawCallback(law_that_expects(expected, spread=0.2), R=2.5, stop=True)
    with caplog.at_level(logging.WARNING, "entropylaw"):
        trainer = train(tmp_path, [callback], logging_steps=1)
    assert trainer.state.global_step == 52
    assert callback.verdict is not None and not callback.verdict.risk
    assert caplog.records == []


def test_without_stop_it_only_warns_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "entropylaw"):
        trainer = train(tmp_path, [EntropyLawCallback(law_that_expects(0.5), R=2.5)], logging_steps=1)
    assert trainer.state.global_step == 52
    assert len(caplog.records) == 1


def one_of_two(rank: int, directory: Path, port: int) -> None:
    """A process of a distributed run; writes down what it saw."""
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    warned: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: warned.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("entropylaw").addHandler(handler)
    callback = EntropyLawCallback(law_that_expects(0.5), R=2.5, stop=True)
    trainer = train(directory, [callback], logging_steps=1, ddp_backend="gloo")
    seen = [entry["step"] for entry in trainer.state.log_history if "entropy_law/L" in entry]
    assert callback.verdict is not None
    state = {"world": trainer.args.world_size, "step": trainer.state.global_step, "L": callback.verdict.L}
    (directory / f"{rank}.json").write_text(json.dumps({"state": state, "warned": warned, "seen": seen}))
    torch.distributed.destroy_process_group()


def test_of_two_processes_one_warns_and_both_stop(tmp_path: Path) -> None:
    if not torch.distributed.is_available() or not torch.distributed.is_gloo_available():
        pytest.skip("PyTorch was built without gloo")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(one_of_two, (tmp_path, port), nprocs=2)
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2))
    assert first["state"] == second["state"]
    # 13 steps an epoch: a verdict from the sixth loss on, the third of them stops the run.
    assert first["state"]["world"] == 2 and first["state"]["step"] == 8
    assert len(first["warned"]) == 1 and second["warned"] == []
    kept = json.loads((tmp_path / "trainer_state.json").read_text())["log_history"]
    assert [entry["step"] for entry in kept if "entropy_law/L" in entry] == first["seen"] == [6, 7, 8]


class Tracker(transformers.TrainerCallback):  # type: ignore[misc, name-defined]
    """What TensorBoard and its kin do: they take what is logged, when it is their turn."""

    def __init__(self) -> None:
        self.seen: list[set[str]] = []

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any], **kwargs: Any) -> None:
        self.seen.append(set(logs))


def test_trackers_see_the_metrics_when_it_comes_first(tmp_path: Path) -> None:
    before, after = Tracker(), Tracker()
    callback = EntropyLawCallback(law_that_expects(2.0), R=2.5)
    train(tmp_path / "a", [before], attach=callback, logging_steps=2)
    train(tmp_path / "b", [after, EntropyLawCallback(law_that_expects(2.0), R=2.5)], logging_steps=2)
    assert sum("entropy_law/L" in keys for keys in before.seen) == 8
    assert not any("entropy_law/L" in keys for keys in after.seen)


def test_other_logs_of_the_same_step_don_t_count(tmp_path: Path, every_step: dict[int, float]) -> None:
    """Evaluations, and a callback that logs a loss again."""

    class Again(transformers.TrainerCallback):  # type: ignore[misc, name-defined]
        trainer: Any = None

        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.trainer.log({"aux": 1.0})

        def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.trainer.log({"loss": 99.0})

    again, callback = Again(), EntropyLawCallback(law_that_expects(2.0), R=2.5)

    class Attached:
        def attach(self, trainer: Any) -> None:
            again.trainer = trainer

    train(tmp_path, [again, callback], attach=Attached(), logging_steps=1, eval_strategy="steps", eval_steps=5)
    assert callback.verdict is not None
    assert pytest.approx(np.mean(list(every_step.values())), rel=1e-3) == callback.verdict.L


def test_a_loss_that_is_no_number_is_a_risk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    callback = EntropyLawCallback(law_that_expects(2.0), R=2.5, stop=True)
    with caplog.at_level(logging.WARNING, "entropylaw"):
        trainer = train(tmp_path, [callback], logging_steps=1, learning_rate=1e30, logging_nan_inf_filter=False)
    assert trainer.state.global_step < 26
    assert "is not finite: training diverged" in caplog.text


def test_what_makes_no_sense_is_found_before_training() -> None:
    law = law_that_expects(2.0)
    for options, message in (
        ({"after": 2.0}, "after is 2.0"),
        ({"patience": 0}, "patience is 0"),
        ({"against": "v9"}, "no run 'v9'"),
        ({"tolerance": -1.0}, "tolerance is -1"),
    ):
        with pytest.raises(EntropyLawError, match=message):
            EntropyLawCallback(law, R=2.5, **options)
    with pytest.raises(EntropyLawError, match="above 0"):
        EntropyLawCallback(law, R=-1.0)


def tiny_language() -> tuple[Any, Any]:
    """A tokenizer of a few words, and a model of random weights for it."""
    tokenizers = pytest.importorskip("tokenizers")
    words = ["<pad>", "<eos>", "<unk>", *(f"w{n}" for n in range(29))]
    words_of = tokenizers.models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="<unk>")
    engine = tokenizers.Tokenizer(words_of)
    engine.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=engine, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>"
    )
    config = transformers.GPT2Config(
        vocab_size=32, n_positions=64, n_embd=16, n_layer=1, n_head=2, pad_token_id=0, eos_token_id=1, bos_token_id=1
    )
    transformers.set_seed(0)
    return tokenizer, transformers.GPT2LMHeadModel(config)


def text(n: int) -> str:
    return " ".join(f"w{(n + 3 * k) % 29}" for k in range(12))


SETTINGS: dict[str, Any] = {
    "per_device_train_batch_size": 4,
    "num_train_epochs": 1,
    "logging_steps": 1,
    "learning_rate": 1e-3,
    "save_strategy": "no",
    "report_to": [],
    "disable_tqdm": True,
    "use_cpu": True,
    "bf16": False,
}


def test_the_trainer_of_trl(tmp_path: Path) -> None:
    trl = pytest.importorskip("trl", reason="TRL is not installed; see `make test-train`")
    datasets = pytest.importorskip("datasets")
    tokenizer, model = tiny_language()
    callback = EntropyLawCallback(law_that_expects(3.4), R=2.5)
    trainer = trl.SFTTrainer(
        model=model,
        args=trl.SFTConfig(output_dir=str(tmp_path), max_length=32, gradient_accumulation_steps=2, **SETTINGS),
        train_dataset=datasets.Dataset.from_list([{"text": text(n)} for n in range(64)]),
        processing_class=tokenizer,
        callbacks=[callback],
    )
    trainer.train()
    trainer.save_state()
    log = read_log(tmp_path / "trainer_state.json")
    assert not log.preference
    assert log.steps == tuple(range(1, 9))
    assert callback.verdict is not None
    assert pytest.approx(np.mean(log.losses)) == callback.verdict.L
    assert log.first_epoch().mean == pytest.approx(callback.verdict.L)


def test_preference_logs_of_trl_are_recognised(tmp_path: Path) -> None:
    trl = pytest.importorskip("trl", reason="TRL is not installed; see `make test-train`")
    datasets = pytest.importorskip("datasets")
    tokenizer, model = tiny_language()
    rows = [{"prompt": text(n), "chosen": " " + text(n + 1), "rejected": " " + text(n + 2)} for n in range(16)]
    trainer = trl.DPOTrainer(
        model=model,
        ref_model=copy.deepcopy(model),
        args=trl.DPOConfig(output_dir=str(tmp_path), max_length=48, **SETTINGS),
        train_dataset=datasets.Dataset.from_list(rows),
        processing_class=tokenizer,
    )
    trainer.train()
    trainer.save_state()
    assert read_log(tmp_path / "trainer_state.json").preference
