"""What is known of each sample besides its text: fields of the records, or arrays that were given."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entropylaw import parameters
from entropylaw.errors import EntropyLawError
from entropylaw.pool import Pool
from entropylaw.pool.columns import group_name


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
    values = values_of(name, given)
    if values.shape != (len(pool),):
        raise EntropyLawError(f"{name} has shape {values.shape}; it must have a number for each of {len(pool)} samples")
    if not np.isfinite(values).all():
        at = int(np.flatnonzero(~np.isfinite(values))[0])
        raise EntropyLawError(f"{pool.records.where(at)}: {name} is {values[at]}; it must be finite")
    return values


def values_of(name: str, given: "Sequence[float] | NDArray[Any]") -> NDArray[np.float64]:
    """Numbers that were given for each sample.

    Raises
    ------
    EntropyLawError
        If they are none.
    """
    try:
        values = np.asarray(parameters.unmasked(given))
        # Text is not taken for the number that it may spell.
        if values.ndim == 1 and values.dtype.kind in "biufO" and not any(isinstance(v, str | bytes) for v in values):
            return values.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        pass
    raise EntropyLawError(
        f"{name} is {parameters.shown(given)}; it must be the name of a field, or a number for each sample"
    )


def labels_of(given: "Sequence[str] | NDArray[Any]") -> NDArray[np.str_]:
    """Groups that were given for each sample; as in a field, what is missing is the group without a name.

    Raises
    ------
    EntropyLawError
        If they are none.
    """
    try:
        values = parameters.unmasked(given)
        labels = np.asarray(values)
        if labels.ndim == 1 and labels.dtype.kind in "biufUOT":
            if labels is values and labels.dtype.kind in "biuU":
                named: NDArray[np.str_] = labels.astype(np.str_)
                return named
            return np.array([group_name(value) for value in _listed(values)], dtype=np.str_)
    except (TypeError, ValueError):
        pass
    raise EntropyLawError(
        f"group_by is {parameters.shown(given)}; it must be the name of a field, or a group for each sample"
    )


def _listed(values: Any) -> Any:
    """The values in a column of pyarrow, polars, pandas or NumPy, or whatever else, as Python has them: as an array,
    whole numbers of which some are missing would be floats."""
    for name in ("to_pylist", "to_list", "tolist"):
        if hasattr(values, name):
            return getattr(values, name)()
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
    labels = labels_of(given)
    if labels.shape != (len(pool),):
        raise EntropyLawError(
            f"group_by has shape {labels.shape}; it must name a group for each of {len(pool)} samples"
        )
    names, groups = np.unique(labels, return_inverse=True)
    return groups.astype(np.uint32), tuple(names.tolist())
