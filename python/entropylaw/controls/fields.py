"""What is known of each sample besides its text: fields of the records, or arrays that were given."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entropylaw.errors import EntropyLawError
from entropylaw.pool import Pool


def numbers_of(pool: Pool, name: str, given: "str | Sequence[float] | NDArray[Any]") -> NDArray[np.float64]:
    """A field of the pool, or numbers that were given for each sample.

    Raises
    ------
    EntropyLawError
        If there is no such field, or not a finite number for each sample.
    """
    if isinstance(given, str):
        if given not in pool.numbers:
            raise EntropyLawError(
                f"{name} is {given!r}, a field that the pool was not read with; load(numbers=[{given!r}])"
            )
        return pool.numbers[given]
    try:
        values = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise EntropyLawError(f"{name} must be a field's name, or a number for each sample") from None
    if values.shape != (len(pool),):
        raise EntropyLawError(f"{name} has shape {values.shape}; it must have a number for each of {len(pool)} samples")
    if not np.isfinite(values).all():
        at = int(np.flatnonzero(~np.isfinite(values))[0])
        raise EntropyLawError(f"{pool.records.where(at)}: {name} is {values[at]}; it must be finite")
    return values


def refuse(pool: Pool, name: str, values: NDArray[Any], wrong: NDArray[np.bool_], remedy: str) -> None:
    """Raises EntropyLawError if any value is wrong: with where it is, what was found and the remedy."""
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise EntropyLawError(f"{pool.records.where(at)}: {name} is {values[at]:g}; {remedy}")


def groups_of(pool: Pool, given: "str | Sequence[str] | NDArray[Any]") -> tuple[NDArray[np.uint32], tuple[str, ...]]:
    """Each sample's group, and the names of the groups; by a field of the pool, or as they were given for each sample.

    Raises
    ------
    EntropyLawError
        If there is not a name for each sample.
    """
    if isinstance(given, str):
        if given != pool.options["group_by"]:
            raise EntropyLawError(
                f"group_by is {given!r}, but the pool was read with {pool.options['group_by']!r}; read it anew"
            )
        return pool.groups, pool.group_names
    labels = np.asarray(given, dtype=str)
    if labels.shape != (len(pool),):
        raise EntropyLawError(
            f"group_by has shape {labels.shape}; it must name a group for each of {len(pool)} samples"
        )
    names, groups = np.unique(labels, return_inverse=True)
    return groups.astype(np.uint32), tuple(names.tolist())
