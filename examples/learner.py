"""A learner that trains in a second: PPMd, a compressor that predicts each byte from those before it.

It stands in for a language model. Like one it learns from what it reads, so that the bits it spends on the training
set are the loss of a first epoch, and the bits it then spends on held-out text are its performance. It is no language
model: what holds for it has to be shown again for one.
"""

import json
import math
import random
from pathlib import Path
from typing import Any

from entropylaw.demo import write_pool

STEP_BYTES = 4096  # A training step, so to speak.
_ORDER, _MEMORY = 6, 1 << 25


def _encoder() -> Any:
    # Here, so that a language model can learn without it.
    import pyppmd

    return pyppmd.Ppmd7Encoder(max_order=_ORDER, mem_size=_MEMORY)


def _size(data: bytes) -> int:
    encoder = _encoder()
    return len(encoder.encode(data)) + len(encoder.flush())


def train(samples: list[bytes]) -> list[dict[str, Any]]:
    """Reads the samples once; what a trainer would log: the mean loss of each step, in nats a byte."""
    data = b"\n".join(samples)
    steps = max(1, len(data) // STEP_BYTES)
    encoder, entries = _encoder(), []
    for step in range(1, steps + 1):
        end = step * STEP_BYTES if step < steps else len(data)
        piece = data[(step - 1) * STEP_BYTES : end]
        spent = len(encoder.encode(piece)) + (len(encoder.flush()) if step == steps else 0)
        entries.append({"step": step, "loss": spent * 8 * math.log(2) / len(piece), "epoch": step / steps})
    return entries


def performance(samples: list[bytes], heldout: bytes) -> float:
    """Held-out bits a byte after training, below 0 so that higher is better."""
    data = b"\n".join(samples)
    return -8 * (_size(data + heldout) - _size(data)) / len(heldout)


def write_log(path: Path, entries: list[dict[str, Any]]) -> None:
    """Writes what ``train`` logged as ``trainer_state.json``."""
    path.write_text(json.dumps({"log_history": entries, "global_step": entries[-1]["step"]}))


def pool(directory: Path, seed: int, held_out: float = 0.1) -> tuple[list[dict[str, str]], bytes]:
    """The demo pool, functions of Python's standard library, in random order; and text that is held out of it.

    Whole modules are held out, so that no part of them can be learned by heart.
    """
    path = directory / "pool.jsonl"
    write_pool(path)
    records = [json.loads(line) for line in path.read_text().splitlines()]
    rng = random.Random(seed)
    modules = sorted({record["source"] for record in records})
    rng.shuffle(modules)
    total, aside, size = sum(map(len, map(text, records))), set(), 0
    for module in modules:
        weight = sum(len(text(record)) for record in records if record["source"] == module)
        # A large module would be all there is.
        if size + weight <= held_out * total:
            aside.add(module)
            size += weight
    heldout = b"\n".join(text(record) for record in records if record["source"] in aside)
    rest = [record for record in records if record["source"] not in aside]
    rng.shuffle(rest)
    return rest, heldout


def text(record: dict[str, str]) -> bytes:
    """What is learned of a record."""
    return f"{record['instruction']}\n{record['output']}".encode()


def take(records: list[dict[str, str]], size: int) -> list[dict[str, str]]:
    """The first records, up to ``size`` bytes."""
    taken, spent = [], 0
    for record in records:
        if spent >= size:
            break
        taken.append(record)
        spent += len(text(record))
    return taken
