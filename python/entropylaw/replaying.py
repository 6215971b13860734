"""``entropylaw.replay``."""

import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from entropylaw import _core
from entropylaw import parameters as check
from entropylaw.controls import Controls
from entropylaw.errors import EntropyLawError
from entropylaw.manifest import Manifest
from entropylaw.methods import method_with, option_names
from entropylaw.pool import Pool, PoolLike
from entropylaw.pool.load import unless_named
from entropylaw.results import Selection
from entropylaw.selecting import load_for, select

_log = logging.getLogger("entropylaw")


def replay(
    manifest: str | os.PathLike[str] | Manifest,
    *,
    pool: PoolLike | None = None,
    threads: int | None = None,
    progress: Callable[[_core.Progress], object] | None = None,
) -> Selection:
    """Repeats a selection from its manifest, and checks that it comes out the same.

    Parameters
    ----------
    manifest
        The manifest that ``Selection.save`` wrote, beside the ``.picks.npz`` that goes with it.
    pool : optional
        The pool, if its files are not where they were. It may be cut into other files, or stored in another format: the
        samples have to be the same, in the same order.
    threads, progress
        As for ``select``.

    Returns
    -------
    Selection
        The same as then.

    Raises
    ------
    EntropyLawError
        If the pool is another one, or the selection comes out otherwise: with what differs.
    """
    check.threads(threads)
    check.callback("progress", progress)
    then = manifest if isinstance(manifest, Manifest) else Manifest.read(check.path("manifest", manifest))
    version = then.content["entropylaw"]
    if version != _core.__version__:
        _log.warning("the selection was made by entropylaw %s, this is %s", version, _core.__version__)
    parameters = then.parameters()
    if parameters.get("render") == "repr":
        # Implied by the preset, and nothing to ask for.
        parameters["render"] = "text"
    method = then.content["method"]
    # Before selecting, which takes longer than reading.
    if pool is not None:
        # It may be stored otherwise now.
        parameters["format"] = unless_named(pool, parameters.get("format"))
    found = _read(_files(then) if pool is None else pool, method, parameters, threads, progress)
    _check_pool(then, found)
    try:
        now: Selection = select(found, method=method, **parameters, threads=threads, progress=progress)
    except TypeError as error:
        raise EntropyLawError(f"{then.path}: has a parameter that this version doesn't know: {error}") from None
    _check_picks(then, now)
    return now


def _files(then: Manifest) -> list[Path]:
    """The files that the pool was read from, as long as they have not changed."""
    if not then.files or any(file["name"] == "standard input" for file in then.files):
        raise EntropyLawError(f"{then.path}: the pool was not read from files; name one (pool=, --pool)")
    for file in then.files:
        path = Path(file["name"])
        try:
            found = path.stat().st_size
        except OSError as error:
            raise EntropyLawError(
                f"{path}: cannot be read: {error.strerror or error}; name the pool where it is now (pool=, --pool)"
            ) from None
        if found != file["bytes"]:
            raise EntropyLawError(
                f"{path}: has {found:,} bytes, and had {file['bytes']:,} then: the pool has changed; name the one of "
                "then (pool=, --pool)"
            )
    return [Path(file["name"]) for file in then.files]


def _read(
    pool: PoolLike | Pool,
    method: str,
    parameters: Mapping[str, Any],
    threads: int | None,
    progress: Callable[[Any], object] | None,
) -> Pool:
    """The pool, read as ``select`` would read it."""

    def given(names: Iterable[str]) -> dict[str, Any]:
        return {name: parameters[name] for name in names if name in parameters}

    return load_for(
        pool,
        method=method_with(method, given(option_names(method))),
        controls=Controls(**given(field.name for field in fields(Controls) if field.name != "anchor")),
        **given(("render", "schema", "field", "on_error", "format")),
        threads=threads,
        progress=progress,
    )


def _check_pool(then: Manifest, pool: Pool) -> None:
    wanted, found = then.content["pool"], pool.fingerprint._asdict()
    differ = [f"{found[key]:,} {key}, not {wanted[key]:,}" for key in ("samples", "bytes") if found[key] != wanted[key]]
    if not differ and found["sha256"] != wanted["sha256"]:
        differ = ["as many samples and bytes, but other content or another order"]
    if differ:
        raise EntropyLawError(f"the pool is not the one of {then.path}: it has {' and '.join(differ)}")


def _check_picks(then: Manifest, now: Selection) -> None:
    wanted, found = then.arrays["indices"], now.indices
    if np.array_equal(wanted, found):
        return
    common = min(len(wanted), len(found))
    different = np.flatnonzero(wanted[:common] != found[:common])
    first = int(different[0]) if len(different) else common
    where = now.pool.records.where

    def named(indices: Sequence[int] | Any) -> str:
        return f"sample {indices[first]} ({where(int(indices[first]))})" if first < len(indices) else "none"

    raise EntropyLawError(
        f"the selection is not the one of {then.path}: {len(found):,} picks, then {len(wanted):,}; they differ from "
        f"pick {first + 1:,} on: {named(found)}, then {named(wanted)}"
    )
