"""The keywords of ``select`` that go with every method, as types: each method adds its own.

``Controls``, the reader and ``select`` say what they mean.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.controls.bands import MinScore
from entropylaw.controls.model import BandLike
from entropylaw.controls.quotas import QuotasLike
from entropylaw.pool import Pool, PoolLike, Render
from entropylaw.pool.formats import Format
from entropylaw.pool.load import OnError


class CommonKeywords(TypedDict, total=False):
    """All but ``weight``, which some method can't do without."""

    group_by: str | Sequence[str] | NDArray[Any]
    quota: QuotasLike | None
    balance: float | None
    min_score: MinScore | None
    length_band: BandLike | None
    ratio_band: BandLike | None
    dedupe: bool | None
    anchor: PoolLike | Pool | Sequence[int] | NDArray[np.integer[Any]] | None
    tokens: Any
    decontaminate: bool | Literal["exclude", "report"] | None
    benchmark: PoolLike | Pool | None
    id: str | None
    checkpoint: str | os.PathLike[str] | None
    resume: bool
    initial_subset: PoolLike | Pool | Sequence[int] | NDArray[np.integer[Any]] | None
    render: Render
    schema: str | None
    field: str | None
    on_error: OnError
    format: Format | None
    memory: int | str
    storage_options: Mapping[str, Any] | None
    threads: int | None
    progress: Callable[[_core.Progress], object] | None


class SelectKeywords(CommonKeywords, total=False):
    """All."""

    weight: str | Sequence[float] | NDArray[Any] | None
