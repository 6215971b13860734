"""Controls in the few types that a manifest can hold, whatever a user gives them in."""

import math
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from entropylaw.controls.bands import Band
from entropylaw.controls.fields import labels_of, values_of
from entropylaw.controls.model import Controls
from entropylaw.controls.tokens import TIKTOKEN, TokenizerFile, is_tokenizer


def plain(controls: Controls) -> Controls:
    """The same controls: texts, numbers, lists and mappings of Python, arrays of NumPy; a tokenizer's file is read.

    What does not fit stays as it is, for those who use it to refuse.

    Raises
    ------
    EntropyLawError
        If a tokenizer's file can't be read.
    """
    values: dict[str, Any] = {}
    if isinstance(controls.quota, Mapping):
        values["quota"] = {str(group): _amount(amount) for group, amount in controls.quota.items()}
    if isinstance(controls.min_score, Mapping):
        # JSON has no infinite numbers; as texts they are understood.
        scores = controls.least_scores.items()
        values["min_score"] = {name: least if math.isfinite(least) else str(least) for name, least in scores}
    for name in ("quota", "min_score"):
        given = getattr(controls, name)
        if given is not None and not isinstance(given, str | Mapping):
            values[name] = list(given)
    for name, band in (("length_band", controls.lengths), ("ratio_band", controls.ratios)):
        if band is not None and not isinstance(getattr(controls, name), str):
            values[name] = _bounds(band)
    if controls.dedupe is not None:
        values["dedupe"] = bool(controls.dedupe)
    if not isinstance(controls.group_by, str):
        values["group_by"] = labels_of(controls.group_by)
    if controls.weight is not None and not isinstance(controls.weight, str):
        values["weight"] = values_of("weight", controls.weight)
    values["tokens"] = _tokens(controls.tokens)
    return replace(controls, **values)


def _amount(amount: Any) -> int | str:
    """An amount of a quota."""
    return int(amount) if isinstance(amount, int | np.integer) else str(amount)


def _bounds(band: Band) -> tuple[float | None, float | None]:
    """The bounds of a band, None for an open end."""
    low, high = (None if math.isinf(bound) else bound for bound in (band.low, band.high))
    return low, high


def _tokens(tokens: Any) -> Any:
    """What counts tokens; a file of it as it is now."""
    if not is_tokenizer(tokens):
        return tokens if tokens is None or isinstance(tokens, str) else values_of("tokens", tokens)
    if isinstance(tokens, TokenizerFile) or (isinstance(tokens, str) and tokens.startswith(TIKTOKEN)):
        return tokens
    return TokenizerFile.read(tokens) if isinstance(tokens, str | os.PathLike) else tokens
