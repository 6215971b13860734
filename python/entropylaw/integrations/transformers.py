"""Watch the first epoch of a Hugging Face ``Trainer``, and of what is built on it, such as TRL."""

import logging
import math
import os
from typing import Any

from entropylaw.errors import EntropyLawError
from entropylaw.law import EntropyLaw, Verdict, check, first_epoch

try:
    from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
except ImportError:
    raise ImportError("this callback needs transformers; install it with: pip install 'entropylaw[train]'") from None

_log = logging.getLogger("entropylaw")
_LOOKS = 50  # At most so many verdicts an epoch: the cost does not grow with how often losses are logged.


class EntropyLawCallback(TrainerCallback):  # type: ignore[misc]
    """Judges a run by the law while its first epoch goes on.

    Each time the trainer logs a loss, and at most 50 times an epoch, the loss of the whole epoch is projected and
    judged (``entropylaw.law.check``). The result is added to what is logged, as ``entropy_law/L``, ``L_error``,
    ``L_expected``, ``L_limit``, ``Z``, ``Z_low``, ``Z_high``, ``fraction`` and ``risk`` (0 or 1). A warning is given
    once, when ``patience`` verdicts in a row found a risk. After the first epoch nothing more is done.

    Losses are the trainer's own means over optimizer steps, whatever the gradient accumulation. A resumed run goes on
    from the ``log_history`` of its checkpoint.

    Parameters
    ----------
    law
        The fitted law, or the file that it is in.
    R
        Compression ratio of the training data, measured as the law's runs were: a number, or what
        ``entropylaw.ratio`` returned.
    against, group, tolerance, level
        As for ``entropylaw.law.check``.
    stop
        End the training when the warning is given.
    after
        Share of the epoch that must be seen before a verdict counts.
    patience
        Verdicts in a row that must find a risk. At the end of the epoch one is enough.

    Raises
    ------
    EntropyLawError
        If the law can't judge such a run.

    Examples
    --------
    ``trainer = Trainer(..., callbacks=[EntropyLawCallback("law.json", R=2.61)])``. Trackers such as TensorBoard are
    served before other callbacks, and see the metrics only if this one comes first: ``callback.attach(trainer)``
    instead of ``callbacks``.
    """

    def __init__(
        self,
        law: EntropyLaw | str | os.PathLike[str],
        R: Any,
        *,
        against: str | None = None,
        group: str | None = None,
        tolerance: float | None = None,
        level: float = 0.95,
        stop: bool = False,
        after: float = 0.1,
        patience: int = 3,
    ) -> None:
        if not 0 <= after <= 1:
            raise EntropyLawError(f"after is {after}; it must be a share of the epoch, from 0 to 1")
        if patience < 1:
            raise EntropyLawError(f"patience is {patience}; it must be at least 1")
        self.law = law if isinstance(law, EntropyLaw) else EntropyLaw.load(law)
        self.R = self.law.measurement.of(R)
        self.stop = stop
        self.after = after
        self.patience = patience
        self.verdict: Verdict | None = None
        """The last verdict."""
        self._options: dict[str, Any] = {"against": against, "group": group, "tolerance": tolerance, "level": level}
        # What makes no sense is found before training, not in the middle of it.
        self._before = check(self.law, self.R, **self._options)
        self._starts: list[float] = []
        self._steps: list[float] = []
        self._losses: list[float] = []
        self._diverged: int | None = None
        self._resumed = self._looked = self._risks = 0
        self._warned = self._over = False

    def attach(self, trainer: Any) -> None:
        """Adds the callback to a trainer, before its other callbacks: trackers then see what it logs."""
        trainer.add_callback(self)
        callbacks = trainer.callback_handler.callbacks
        callbacks.insert(0, callbacks.pop(callbacks.index(self)))

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Starts anew, or from what a checkpoint has logged."""
        self._starts, self._steps, self._losses, self._diverged = [], [], [], None
        self._resumed = self._looked = self._risks = 0
        self._warned = self._over = False
        for entry in state.log_history:
            if "loss" in entry and entry.get("epoch"):
                self._add(entry["step"], entry["loss"])
                self._over = entry["epoch"] >= 1
                if "entropy_law/risk" in entry:
                    self._risks = self._risks + 1 if entry["entropy_law/risk"] else 0
        # Steps between the last log and the checkpoint are in no loss that will be logged.
        self._resumed = state.global_step
        for reason in self._before.reasons:
            if state.is_world_process_zero and state.global_step == 0:
                _log.log(logging.WARNING if reason.risk else logging.INFO, "before training: %s", reason.message)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Judges a logged loss."""
        if self._over or logs is None or "loss" not in logs or not state.epoch or not state.global_step:
            return
        if not self._add(state.global_step, logs["loss"]):
            return
        self._over = state.epoch >= 1
        epoch_steps = state.global_step / state.epoch
        if not self._over and state.global_step - self._looked < epoch_steps / _LOOKS:
            return
        self._looked = state.global_step
        epoch = first_epoch(self._starts, self._steps, self._losses, epoch_steps)
        if not math.isfinite(epoch.error) and self._diverged is None:
            return
        verdict = check(self.law, self.R, epoch if self._losses else None, **self._options)
        self.verdict = verdict
        risk = verdict.risk or self._diverged is not None
        metrics = _metrics(verdict) | {"entropy_law/fraction": epoch.fraction, "entropy_law/risk": float(risk)}
        logs.update(metrics)
        if state.log_history and state.log_history[-1].get("step") == state.global_step:
            # What is kept in trainer_state.json is a copy.
            state.log_history[-1].update(metrics)
        counts = self._over or epoch.fraction >= self.after or self._diverged is not None
        self._risks = self._risks + 1 if risk and counts else 0
        if self._risks and (self._risks >= self.patience or self._over or self._diverged is not None):
            self._warn(state, control)

    def _warn(self, state: TrainerState, control: TrainerControl) -> None:
        if not self._warned and state.is_world_process_zero:
            reasons = [reason.message for reason in self.verdict.reasons if reason.risk] if self.verdict else []
            if self._diverged is not None:
                reasons.insert(0, f"the loss at step {self._diverged} is not finite: training diverged")
            _log.warning("risk at step %d: %s", state.global_step, "; ".join(reasons))
        self._warned = True
        if self.stop:
            control.should_training_stop = True

    def _add(self, step: int, loss: float) -> bool:
        """Takes the mean loss of the steps since the last one; False if they were counted already."""
        last = max(self._steps[-1] if self._steps else 0, self._resumed)
        if step <= last:
            return False
        if math.isfinite(loss):
            self._starts.append(last)
            self._steps.append(step)
            self._losses.append(float(loss))
        elif self._diverged is None:
            self._diverged = step
        return True


def _metrics(verdict: Verdict) -> dict[str, float]:
    values = {
        "R": verdict.R,
        "L": verdict.L,
        "L_error": verdict.L_error,
        "L_expected": verdict.expected_L,
        "L_limit": verdict.L_limit,
        "Z": verdict.Z,
        "Z_low": verdict.Z_low,
        "Z_high": verdict.Z_high,
    }
    return {f"entropy_law/{name}": float(value) for name, value in values.items() if value is not None}
