"""From a subset to a row: trains a fresh copy of the model on it, and examines the copy."""

import copy
import os
import platform
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import transformers

from judge import weights
from judge.encoding import Tokens
from judge.evaluate import evaluate
from judge.exam import Exam
from judge.rows import key_of
from judge.settings import Settings
from judge.train import train


class Judge:
    """A model, on a device, and what it is examined in."""

    def __init__(self, directory: Path, exam: Exam, device: str) -> None:
        # What cuBLAS needs for the same sums in the same order each time.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False
        self.device = torch.device(device)
        self.exam = exam
        self.name = directory.name
        model = weights.load(directory)
        self.model = weights.weights_hash(model)
        self._model = model.to(self.device)
        self._start = copy.deepcopy(model.state_dict())

    def untrained(self) -> Any:
        """The base model."""
        self._model.load_state_dict(self._start)
        return self._model

    def row(self, subset: dict[str, Any], seed: int, settings: Settings) -> dict[str, Any]:
        """The row of a subset, without its scores: what it is known by."""
        row = {
            "subset": subset,
            "seed": seed,
            "model": self.model,
            "model_name": self.name,
            "exam": self.exam.digest,
            "settings": asdict(settings),
            "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
            "device": device_name(self.device),
        }
        return {"key": key_of(row), **row}

    def scores(self, tokens: Tokens | None, seed: int, settings: Settings) -> dict[str, Any]:
        """Trains on the tokens, or not at all, and examines."""
        model = self.untrained()
        start = time.perf_counter()
        loss = train(model, tokens, self.exam.separator, settings, seed) if tokens is not None else None
        trained = time.perf_counter()
        found = evaluate(model, self.exam, settings.precision)
        seconds = {"train": round(trained - start, 2), "evaluate": round(time.perf_counter() - trained, 2)}
        return found | {"first_epoch_loss": loss, "seconds": seconds}


def device_name(device: torch.device) -> str:
    """The hardware, as far as it decides the last digits."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu {platform.machine()}, {torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads"
