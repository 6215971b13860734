"""Training logs: what trainers write about their loss.

Read are Hugging Face's ``trainer_state.json`` (also of TRL and other trainers built on it), a ``log_history`` saved by
itself (JSON), LLaMA-Factory's ``trainer_log.jsonl`` and other JSON Lines, and CSV. What a file is shows in its content.
"""

import json
import logging
import math
import os
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from entropylaw import parameters
from entropylaw.errors import EntropyLawError
from entropylaw.law.loss import FirstEpoch, first_epoch
from entropylaw.law.observations import csv_rows, read_text
from entropylaw.storage.options import takes_storage_options
from entropylaw.storage.urls import shown

_STEP = ("step", "current_steps", "global_step", "train/global_step")
_LOSS = ("loss", "train/loss")
_EPOCH = ("epoch", "train/epoch")
# What only trainers of preferences log.
_PREFERENCE = ("rewards/chosen", "rewards/margins", "rewards/accuracies", "train/rewards/margins")
_log = logging.getLogger("entropylaw")


@dataclass(frozen=True)
class LossLog:
    """The training losses of a log, in the order of steps.

    Attributes
    ----------
    path : str
        The file.
    starts : tuple[float, ...]
        The step after which each loss was measured; 0 for the first.
    steps : tuple[float, ...]
        The step at which each loss was logged: it is the mean over the steps since its start.
    losses : tuple[float, ...]
        The losses that are finite.
    epoch_steps : float
        Optimizer steps of an epoch.
    preference : bool
        Whether the losses are a preference loss (DPO and its kin), which is no cross-entropy.
    diverged : float | None
        The first step whose loss was not finite.
    """

    path: str
    starts: tuple[float, ...]
    steps: tuple[float, ...]
    losses: tuple[float, ...]
    epoch_steps: float
    preference: bool
    diverged: float | None

    def first_epoch(self) -> FirstEpoch:
        """L and its uncertainty."""
        return first_epoch(self.starts, self.steps, self.losses, self.epoch_steps)


@takes_storage_options
def read_log(
    path: str | os.PathLike[str],
    *,
    epoch_steps: float | None = None,
    storage_options: Mapping[str, Any] | None = None,
) -> LossLog:
    """Reads the training losses of a log.

    After a resume, what was logged again replaces what was logged before. Evaluations and summaries are left out.

    Parameters
    ----------
    path
        The file.
    epoch_steps
        Optimizer steps of an epoch, for a log that has no ``epoch``.
    storage_options : mapping, optional
        For a URL, as for ``select``.

    Raises
    ------
    EntropyLawError
        If it can't be read, is no such log, has no training loss, or doesn't tell where the epoch ends.
    """
    where = parameters.path("path", path)
    epoch_steps = None if epoch_steps is None else parameters.real("epoch_steps", epoch_steps)
    if epoch_steps is not None and epoch_steps <= 0:
        raise EntropyLawError(f"epoch_steps is {epoch_steps:g}; it must be above 0")
    starts: list[float] = []
    steps: list[float] = []
    losses: list[float] = []
    preference, diverged, last_epoch = False, None, None
    for place, entry in _entries(where):
        # LLaMA-Factory writes the accuracy of rewards as `accuracy`.
        preference = preference or any(key in entry for key in _PREFERENCE) or {"accuracy", "total_steps"} <= set(entry)
        loss = _number(entry, _LOSS, place)
        if loss is None:
            continue
        step, epoch = _number(entry, _STEP, place), _number(entry, _EPOCH, place)
        if step is None or not (math.isfinite(step) and step > 0):
            raise EntropyLawError(f"{place}: a loss without its step ({_STEP[0]} or {_STEP[1]}, above 0); log the step")
        if steps and steps[-1] > step:
            kept = bisect_left(steps, step)
            del starts[kept:], steps[kept:], losses[kept:]
        if not math.isfinite(loss):
            diverged = step if diverged is None else diverged
        elif not steps or step > steps[-1]:
            starts.append(steps[-1] if steps else 0.0)
            steps.append(step)
            losses.append(loss)
        if epoch is not None and math.isfinite(epoch) and epoch > 0:
            last_epoch = step / epoch
    if not steps and diverged is None:
        raise EntropyLawError(f"{where}: has no training loss ('loss'); is it the log of a training run?")
    length = epoch_steps or last_epoch
    if length is None:
        raise EntropyLawError(
            f"{where}: does not say in which epoch a step is; name the steps of an epoch (epoch_steps=, --epoch-steps)"
        )
    return LossLog(shown(where), tuple(starts), tuple(steps), tuple(losses), length, preference, diverged)


def _entries(path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each entry of the log, with what to call its place."""
    text = read_text(path)
    head = text.lstrip()[:1]
    if not head:
        raise EntropyLawError(f"{path}: the file is empty")
    if head not in "[{":
        yield from ((f"{path}:{line}", row) for line, row in csv_rows(path))
        return
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        if head == "[" or "\n" not in text.strip() or text.lstrip()[1:2] in "\r\n":
            raise EntropyLawError(f"{path}:{error.lineno}: is not JSON: {error.msg}; is it cut off?") from None
        yield from _lines(path, text)
        return
    except RecursionError:
        raise EntropyLawError(f"{path}: is nested too deeply to be a log") from None
    if isinstance(whole, dict) and "log_history" in whole:
        whole = whole["log_history"]
    elif isinstance(whole, dict) and any(key in whole for key in _STEP):
        whole = [whole]
    if not isinstance(whole, list):
        found = ", ".join(map(repr, list(whole)[:5])) or "nothing" if isinstance(whole, dict) else type(whole).__name__
        raise EntropyLawError(f"{path}: is no training log: no 'log_history', found {found}")
    for number, entry in enumerate(whole):
        yield _entry(f"{path}: entry {number}", entry)


def _lines(path: str, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            if number == len(lines):
                _log.warning("%s:%d: the last line is not complete; left out", shown(path), number)
                return
            raise EntropyLawError(f"{path}:{number}: is not JSON: {error}") from None
        yield _entry(f"{path}:{number}", entry)


def _entry(place: str, entry: object) -> tuple[str, Mapping[str, Any]]:
    if not isinstance(entry, dict):
        raise EntropyLawError(f"{place}: an entry of a log must be an object, found {type(entry).__name__}")
    return place, entry


def _number(entry: Mapping[str, Any], names: tuple[str, ...], place: str) -> float | None:
    """The number under the first of the names that is there; None if it is null or left blank."""
    for name in names:
        value = entry.get(name)
        if value is None or value == "":
            continue
        try:
            if isinstance(value, bool):
                raise ValueError
            return float(value)
        except (TypeError, ValueError):
            raise EntropyLawError(f"{place}: {name!r} must be a number, found {value!r}") from None
    return None
