"""How a model is trained. Needs no PyTorch."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """How a model is trained."""

    epochs: int = 1
    rows: int = 4
    """Rows of ``context`` tokens in a step."""
    context: int = 256
    rate: float = 1e-4
    """The learning rate at the start, from where a cosine takes it to zero."""
    precision: str = "bfloat16"
    """Of the products: ``bfloat16`` (autocast; weights stay in float32) or ``float32``."""


def rows_for(budget: int) -> int:
    """Rows in a step, for a budget in bytes: 4 at 300 KB, 8 at 1 MB, 16 at 3 MB, 32 at 10 MB."""
    return 4 * 2 ** max(0, round(math.log(budget / 300_000, 10 ** (1 / 2))))
