"""What records hold beside their text: the group that each belongs to, and numbers such as scores."""

import math
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entropylaw.pool.encode import is_missing
from entropylaw.pool.schema import RecordError, find, kind

USUAL_GROUP = "source"
"""The field that names a record's group, unless another is named."""


class Columns:
    """Collects fields of records, one value a record.

    Parameters
    ----------
    group_by
        The field that names a record's group; records without it, or with NaN, are in the group ``""``.
    numbers
        Fields that hold a number in every record.
    """

    def __init__(self, group_by: str, numbers: Sequence[str] = ()) -> None:
        self._group_by = group_by
        self._groups = array("I")
        self._group_ids: dict[str, int] = {}
        self._numbers = {name: array("d") for name in numbers}

    @property
    def group_field(self) -> str:
        """The field that names a record's group."""
        return self._group_by

    @property
    def number_fields(self) -> tuple[str, ...]:
        """The fields that hold numbers."""
        return tuple(self._numbers)

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields that are kept."""
        return self._group_by, *self._numbers

    def of(self, record: Any) -> tuple[str, list[float]]:
        """A record's group and its numbers.

        Raises
        ------
        RecordError
            If a number is missing, or is none.
        """
        values = [_number(record, name) for name in self._numbers]
        try:
            group = find(record, self._group_by)
        except KeyError:
            group = None
        return group_name(group), values

    def add(self, fields: tuple[str, list[float]]) -> None:
        """Keeps what ``of`` has found in a record."""
        name, values = fields
        self._groups.append(self._group_ids.setdefault(name, len(self._group_ids)))
        for column, value in zip(self._numbers.values(), values, strict=True):
            column.append(value)

    def add_many(self, names: Sequence[str], codes: NDArray[np.uint32], numbers: Sequence[NDArray[np.float64]]) -> None:
        """Keeps the fields of many records, whose groups are the ``codes`` of ``names``."""
        used, first = np.unique(codes, return_index=True)
        ids = np.zeros(len(names), dtype=np.uint32)
        for code in used[np.argsort(first)].tolist():
            ids[code] = self._group_ids.setdefault(names[code], len(self._group_ids))
        self._groups.frombytes(ids[codes].tobytes())
        for column, values in zip(self._numbers.values(), numbers, strict=True):
            column.frombytes(values.tobytes())

    @property
    def groups(self) -> NDArray[np.uint32]:
        """Position of each record's group in ``group_names``."""
        return np.frombuffer(self._groups, dtype=np.uint32)

    @property
    def group_names(self) -> tuple[str, ...]:
        """The groups, in the order in which they were met."""
        return tuple(self._group_ids)

    @property
    def numbers(self) -> Mapping[str, NDArray[np.float64]]:
        """The numbers, by field."""
        return {name: np.frombuffer(column, dtype=np.float64) for name, column in self._numbers.items()}


def is_absent(value: Any) -> bool:
    """Whether a value stands for none: null, NaN, or what pandas and NumPy have where one is missing."""
    if value is None or is_missing(value):
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError, ArithmeticError):
        # What compares to neither true nor false, or to nothing, is there.
        return False


def group_name(value: Any) -> str:
    """What the group is called that a value stands for; one that is absent, for the group without a name."""
    if isinstance(value, str):
        return value
    return "" if is_absent(value) else str(value)


def _number(record: Any, field: str) -> float:
    try:
        value = find(record, field)
    except KeyError:
        found = f"the keys {', '.join(map(repr, record))}" if isinstance(record, dict) and record else kind(record)
        # What counts tokens may be a field, or a tokenizer's file.
        remedy = "there is no file of that name either; name one of both" if field.endswith(".json") else None
        raise RecordError(f"the record has no field {field!r}: found {found}", remedy) from None
    if isinstance(value, np.integer | np.floating):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RecordError(f"{field!r} is {kind(value)}, not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise RecordError(f"{field!r} is {number}; a number must be finite")
    return number
