"""Fine-tuning on a subset: deterministic for a seed on one machine."""

import math
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from judge.encoding import Tokens
from judge.settings import Settings

_IGNORED = -100
_ROWS_AT_ONCE = 16
"""Rows of a step that go through the model together: memory allows so many for several models on one device."""


def precision_for(device: torch.device) -> str:
    """bfloat16 where the hardware multiplies it."""
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    fast = (
        getattr(torch.cpu, "_is_avx512_bf16_supported", bool)() or getattr(torch.cpu, "_is_amx_tile_supported", bool)()
    )
    return "bfloat16" if fast else "float32"


def autocast(device: torch.device, precision: str) -> AbstractContextManager[Any]:
    """The context in which a model computes."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")


def packed(tokens: Tokens, separator: int, context: int, seed: int) -> torch.Tensor:
    """An epoch's rows, (rows, context + 1): records in an order of the seed, one after the other, cut anywhere.

    A row begins with the token before it, which is not predicted in it; the last is filled with tokens that are not.
    """
    order = np.random.default_rng(seed).permutation(len(tokens.ends)).tolist()
    ids = np.concatenate([[separator], *(tokens.of(index) for index in order)]).astype(np.int64)
    rows = max(1, math.ceil((len(ids) - 1) / context))
    filled = np.full(rows * context + 1, _IGNORED, np.int64)
    filled[: len(ids)] = ids
    return torch.from_numpy(np.stack([filled[n * context : (n + 1) * context + 1] for n in range(rows)]))


def _predicted(batch: torch.Tensor) -> int:
    return int((batch[:, 1:] != _IGNORED).sum())


def train(model: Any, tokens: Tokens, separator: int, settings: Settings, seed: int) -> float:
    """Trains the model, in place; returns the mean loss of the first epoch, in nats a token."""
    device = next(model.parameters()).device
    generator = np.random.default_rng([seed, 1])
    epochs = []
    for epoch in range(settings.epochs):
        rows = packed(tokens, separator, settings.context, seed=int(generator.integers(2**63)) if epoch else seed)
        epochs.append(rows[torch.from_numpy(generator.permutation(len(rows)))])
    steps = sum(math.ceil(len(rows) / settings.rows) for rows in epochs)
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.rate, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: (1 + math.cos(math.pi * step / steps)) / 2)
    model.train()
    losses, predicted = torch.zeros((), device=device), 0
    for epoch, rows in enumerate(epochs):
        for batch in rows.split(settings.rows):
            total = _predicted(batch)
            for part in batch.split(_ROWS_AT_ONCE):
                share = _predicted(part) / total
                part = part.to(device)
                with autocast(device, settings.precision):
                    logits = model(part[:, :-1].clamp(min=0)).logits.float()
                loss = functional.cross_entropy(logits.flatten(0, 1), part[:, 1:].flatten(), ignore_index=_IGNORED)
                (loss * share).backward()
                if epoch == 0:
                    losses += loss.detach() * (share * total)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
            predicted += total if epoch == 0 else 0
    return float(losses) / predicted
