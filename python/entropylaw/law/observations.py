"""Observations: training runs whose R, first-epoch loss and performance are known."""

import csv
import io
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from entropylaw import parameters
from entropylaw.errors import EntropyLawError
from entropylaw.storage.objects import read_bytes
from entropylaw.storage.urls import shown

MIN_OBSERVATIONS = 4
_NUMBERS = ("R", "L", "Z", "weight")
_LABELS = ("name", "backbone", "stage")


@dataclass(frozen=True, eq=False)
class Observations:
    """Training runs, in the order in which they were given. ``len(observations)`` is their number; arrays have shape
    ``(len(observations),)``.

    Attributes
    ----------
    names : tuple[str, ...]
        What each run is called.
    R : NDArray[np.float64]
        Compression ratio of each run's training set.
    L : NDArray[np.float64] | None
        Mean loss of each run's first epoch (nats a token, as trainers log it); None if not measured.
    Z : NDArray[np.float64]
        Performance of each run, higher is better.
    weight : NDArray[np.float64]
        Relative precision of each Z, with mean 1.
    groups : tuple[str, ...]
        Backbone and stage of each run: the law is fitted within them. All ``""`` if there is only one.
    stages : tuple[str, ...]
        Training stage of each run, such as ``sft`` or ``dpo``; ``""`` if not said.
    """

    names: tuple[str, ...]
    R: NDArray[np.float64]
    L: NDArray[np.float64] | None
    Z: NDArray[np.float64]
    weight: NDArray[np.float64]
    groups: tuple[str, ...]
    stages: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def of(
        cls,
        R: ArrayLike,
        L: ArrayLike | None,
        Z: ArrayLike,
        *,
        weight: ArrayLike | None = None,
        backbone: Sequence[str] | None = None,
        stage: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
    ) -> "Observations":
        """Checks what a user passes; see ``EntropyLaw.fit``.

        Raises
        ------
        EntropyLawError
            If the observations can't carry a law: fewer than 4, of different lengths, not finite, or constant.
        """
        r, z = _numbers("R", R), _numbers("Z", Z)
        n = len(r)
        loss = None if L is None else _numbers("L", L)
        weights = np.ones(n) if weight is None else _numbers("weight", weight)
        labels = _labels("names", names, n) or tuple(f"run {number}" for number in range(1, n + 1))
        backbones, stages = _labels("backbone", backbone, n), _labels("stage", stage, n)
        for what, values in (("L", loss), ("Z", z), ("weight", weights)):
            if values is not None and len(values) != n:
                raise EntropyLawError(f"R has {n} values, but {what} has {len(values)}; give one of each per run")
        if n < MIN_OBSERVATIONS:
            raise EntropyLawError(f"{n} observations cannot carry a law; give at least {MIN_OBSERVATIONS} runs")
        if len(set(labels)) < n:
            twice = next(name for name in labels if labels.count(name) > 1)
            raise EntropyLawError(f"two runs are named {twice!r}; give each a name of its own")
        for what, values in (("R", r), ("L", loss), ("Z", z), ("weight", weights)):
            _check(what, values, labels)
        blank = ("",) * n
        groups = tuple("/".join(filter(None, pair)) for pair in zip(backbones or blank, stages or blank, strict=True))
        counts = {group: groups.count(group) for group in groups}
        if single := next((group for group, count in counts.items() if count < 2), None):
            raise EntropyLawError(
                f"group {single!r} has a single run, which says nothing about a law within it; add runs or leave it out"
            )
        for what, values in (("R", r), ("L", loss), ("Z", z)):
            if values is not None and not _varies(values, groups):
                within = " within its group" if len(counts) > 1 else ""
                raise EntropyLawError(f"{what} is the same in all runs{within}: no law can be fitted to it")
        return cls(labels, r, loss, z, weights / weights.mean(), groups, stages or blank)


def read_runs(path: str | os.PathLike[str]) -> Observations:
    """Reads observations from a CSV file with a header.

    Columns ``R`` and ``Z`` are required; ``name``, ``L``, ``weight``, ``backbone`` and ``stage`` are optional, others
    are left alone. ``L`` may be given for all runs or for none.

    Raises
    ------
    EntropyLawError
        If the file can't be read, or a value is missing or no number; the message names the line.
    """
    path = parameters.path("path", path)
    where = shown(path)
    rows = list(csv_rows(path))
    header = list(rows[0][1]) if rows else []
    for column in ("R", "Z"):
        if column not in header:
            found = ", ".join(header) or "no row of data"
            raise EntropyLawError(f"{where}: has no column {column!r}, found {found}; name R, Z and, if known, L")
    columns: dict[str, list[float]] = {}
    for name in _NUMBERS:
        if name in header and (name != "L" or any(row[name].strip() for _, row in rows)):
            columns[name] = [number(row[name], f"{where}:{line}", name) for line, row in rows]
    labels = {name: [row[name].strip() for _, row in rows] for name in _LABELS if name in header}
    try:
        return Observations.of(
            columns["R"],
            columns.get("L"),
            columns["Z"],
            weight=columns.get("weight"),
            backbone=labels.get("backbone"),
            stage=labels.get("stage"),
            names=labels.get("name"),
        )
    except EntropyLawError as error:
        raise EntropyLawError(f"{where}: {error}") from None


def csv_rows(path: str | os.PathLike[str]) -> Iterable[tuple[int, dict[str, str]]]:
    """The rows of a CSV file with their line numbers, by the names of its header.

    Raises
    ------
    EntropyLawError
        If the file can't be read, is no UTF-8, or a row has more or fewer fields than the header.
    """
    reader = csv.reader(io.StringIO(read_text(path), newline=""))
    where = shown(path)
    try:
        header = [name.strip() for name in next(reader, [])]
        if len(set(header)) < len(header):
            raise EntropyLawError(f"{where}:1: two columns have the same name; rename one")
        for row in reader:
            if not any(field.strip() for field in row):
                continue
            if len(row) != len(header):
                raise EntropyLawError(
                    f"{where}:{reader.line_num}: has {len(row)} fields, the header {len(header)}; mend the row"
                )
            yield reader.line_num, dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise EntropyLawError(f"{where}:{reader.line_num}: is not CSV: {error}") from None


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of a file.

    Raises
    ------
    EntropyLawError
        If it can't be read, or is no UTF-8.
    """
    try:
        return read_bytes(path).decode("utf-8-sig")
    except EntropyLawError:
        raise
    except FileNotFoundError:
        raise EntropyLawError(f"{shown(path)}: no such file") from None
    except OSError as error:
        raise EntropyLawError(f"{shown(path)}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise EntropyLawError(f"{shown(path)}: is not UTF-8 (byte {error.start}); convert it") from None


def number(text: str, where: str, column: str) -> float:
    """The number that a field holds; ``where`` names file and line."""
    try:
        return float(text)
    except ValueError:
        found = repr(text) if text.strip() else "nothing"
        raise EntropyLawError(f"{where}: {column} must be a number, found {found}") from None


def _numbers(what: str, values: ArrayLike) -> NDArray[np.float64]:
    try:
        array = np.asarray(parameters.unmasked(values), dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise EntropyLawError(f"{what} must be numbers, one per run") from None
    if array.ndim != 1:
        raise EntropyLawError(f"{what} must be one number per run, found an array of shape {array.shape}")
    return array


def _labels(what: str, values: Sequence[str] | None, n: int) -> tuple[str, ...] | None:
    if values is None:
        return None
    values = parameters.texts(what, values, "a text for each run")
    if len(values) != n:
        raise EntropyLawError(f"R has {n} values, but {what} has {len(values)}; give one of each per run")
    return values


def _check(what: str, values: NDArray[np.float64] | None, names: Sequence[str]) -> None:
    if values is None:
        return
    positive = what in ("R", "weight")
    for name, value in zip(names, values.tolist(), strict=True):
        if not math.isfinite(value):
            raise EntropyLawError(f"{what} of {name!r} is {value}; leave the run out, or measure it again")
        if positive and value <= 0:
            raise EntropyLawError(f"{what} of {name!r} is {value}; it must be above 0")


def _varies(values: NDArray[np.float64], groups: tuple[str, ...]) -> bool:
    """Whether they differ within any group, by more than rounding."""
    labels = np.array(groups)
    spread = max(float(np.ptp(values[labels == group])) for group in set(groups))
    return spread > 1e-9 * float(np.abs(values).max())
