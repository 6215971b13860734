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
from entropylaw.asked import load_for
from entropylaw.controls import Controls
from entropylaw.controls.tokens import TokenizerFile
from entropylaw.errors import EntropyLawError
from entropylaw.methods import method_named, method_with
from entropylaw.methods.option import options_of
from entropylaw.pool import Pool, PoolLike
from entropylaw.pool.formats import Format
from entropylaw.pool.load import unless_named
from entropylaw.results import Selection
from entropylaw.runs.layout import PoolPart
from entropylaw.runs.manifest import Manifest
from entropylaw.runs.values import Data, File, Stored
from entropylaw.selecting import select
from entropylaw.storage.objects import Version, located
from entropylaw.storage.options import takes_storage_options
from entropylaw.storage.urls import as_path, is_cut, is_url
from entropylaw.untrusted import brief

_log = logging.getLogger("entropylaw")


@takes_storage_options
def replay(
    manifest: str | os.PathLike[str] | Manifest,
    *,
    pool: PoolLike | Pool | None = None,
    anchor: PoolLike | Pool | None = None,
    target: PoolLike | Pool | None = None,
    benchmark: PoolLike | Pool | None = None,
    tokens: str | os.PathLike[str] | None = None,
    storage_options: Mapping[str, Any] | None = None,
    threads: int | None = None,
    progress: Callable[[_core.Progress], object] | None = None,
) -> Selection:
    """Repeats a selection from its manifest, and checks that it comes out the same.

    A manifest is read as what anybody may have written: no parameter of it names a file to be written, and what it has
    read is held to the fingerprints in it. The URLs that it names are asked for as you.

    Parameters
    ----------
    manifest
        The manifest that ``Selection.save`` wrote, beside the ``.picks.npz`` that goes with it.
    pool, anchor, target, benchmark : optional
        The pool, the anchor, the target and the benchmark, if their files are not where they were. They may be cut into
        other files, or stored in another format: the samples have to be the same, in the same order.
    tokens : path, optional
        The file of the tokenizer, if it is not where it was.
    storage_options, threads, progress
        As for ``select``.

    Returns
    -------
    Selection
        The same as then.

    Raises
    ------
    EntropyLawError
        If the manifest or what it names can't be read, if the pool, what goes beside it, the tokenizer or what controls
        read are others, or if the selection comes out otherwise: with what differs.
    """
    check.threads(threads)
    check.callback("progress", progress)
    then = manifest if isinstance(manifest, Manifest) else Manifest.read(check.path("manifest", manifest))
    version = then.content.entropylaw
    if version != _core.__version__:
        _log.warning("the selection was made by entropylaw %s, this is %s", brief(version), _core.__version__)
    parameters = then.keywords()
    if parameters["render"] == "repr":
        # Implied by the preset, and nothing to ask for.
        parameters["render"] = "text"
    if tokens is not None:
        tokens = check.path("tokens", tokens)
    beside = {"anchor": anchor, "target": target, "benchmark": benchmark}
    recorded = {name: data for name in beside if isinstance(data := getattr(then.parameters, name, None), Data)}
    if anchor is not None and "anchor" not in recorded:
        raise EntropyLawError(f"{then.path}: the selection was made without an anchor from elsewhere; give none")
    for name in ("target", "benchmark"):
        if beside[name] is not None and name not in recorded:
            raise EntropyLawError(f"{then.path}: the selection was made without a {name}; give none")
    if tokens is not None and not isinstance(then.parameters.tokens, File):
        raise EntropyLawError(f"{then.path}: the selection was made without a tokenizer's file; give none")
    if isinstance(then.parameters.tokens, File):
        parameters["tokens"] = _tokenizer(then, then.parameters.tokens, tokens)
    method: Any = then.content.method
    stored = parameters.pop("format", None)

    def read(what: str, recorded: PoolPart | Data, instead: PoolLike | Pool | None) -> Pool:
        found = _read(
            _files(then, what, recorded.files) if instead is None else instead,
            method,
            parameters,
            what,
            # What is given instead may be stored otherwise now.
            stored if instead is None else unless_named(instead, stored),
            threads,
            progress,
        )
        _check_samples(then, what, recorded, found, check_files=instead is None)
        return found

    # All before selecting, which takes longer than reading.
    found = read("pool", then.content.pool, pool)
    for name, data in recorded.items():
        parameters[name] = read(name, data, beside[name])
    now: Selection = select(found, method=method, **parameters, threads=threads, progress=progress)
    _check_controls(then, now)
    _check_picks(then, now)
    return now


def _tokenizer(then: Manifest, recorded: File, instead: str | os.PathLike[str] | None) -> TokenizerFile:
    """The tokenizer's file, as long as it is the one of then."""
    remedy = "name the one of then (tokens=, --tokens)"
    name = recorded.name if instead is None else os.fspath(instead)
    found = _size(name, remedy)
    if found != recorded.bytes:
        raise EntropyLawError(
            f"{brief(name)}: is not the tokenizer of {then.path}: it has {found:,} bytes, not {recorded.bytes:,}; "
            f"{remedy}"
        )
    file = TokenizerFile.read(name)
    if file.sha256 != recorded.sha256:
        raise EntropyLawError(
            f"{brief(name)}: is not the tokenizer of {then.path}: it has as many bytes, but other content; {remedy}"
        )
    return file


def _files(then: Manifest, what: str, files: Sequence[Stored]) -> list[os.PathLike[str]]:
    """The files that the pool, or what goes beside it, was read from, as long as they are there."""
    option = f"({what}=, --{what})"
    if not files or any(file.name in ("standard input", "-") for file in files):
        raise EntropyLawError(f"{then.path}: the {what} was not read from files; name one {option}")
    for file in files:
        _size(file.name, f"name the {what} where it is now {option}")
    return [as_path(file.name) for file in files]


def _size(name: str, remedy: str) -> int:
    """Bytes of a regular file, or of an object in storage.

    Nothing else is opened because a manifest names it: reading a pipe may never end.
    """
    if is_url(name):
        if is_cut(name):
            raise EntropyLawError(f"{brief(name)}: is a URL whose signature or password was not recorded; {remedy}")
        try:
            return located(name).version().size or 0
        except EntropyLawError as error:
            raise EntropyLawError(f"{brief(str(error))}; or {remedy}") from None
    try:
        path = Path(name)
        size = path.stat().st_size
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EntropyLawError(f"{brief(name)}: cannot be read: {reason}; {remedy}") from None
    if not path.is_file():
        raise EntropyLawError(f"{brief(name)}: is not a regular file; {remedy}")
    return size


def _read(
    data: PoolLike | Pool,
    method: str,
    parameters: Mapping[str, Any],
    what: str,
    format: Format | None,
    threads: int | None,
    progress: Callable[[Any], object] | None,
) -> Pool:
    """The pool, or what goes beside it, read as ``select`` would read it."""

    def given(names: Iterable[str]) -> dict[str, Any]:
        return {name: parameters[name] for name in names if name in parameters}

    return load_for(
        data,
        method=method_with(method, given(option.name for option in options_of(method_named(method)))),
        controls=Controls(**given(field.name for field in fields(Controls) if field.name != "anchor")),
        beside=what != "pool",
        **given(("render", "schema", "field", "on_error")),
        format=format,
        threads=threads,
        progress=progress,
    )


def _check_samples(then: Manifest, what: str, recorded: PoolPart | Data, pool: Pool, check_files: bool) -> None:
    """Raises EntropyLawError unless the samples are those of then. What the files hold besides may have changed."""
    found = pool.fingerprint
    wanted = (recorded.samples, recorded.bytes, recorded.sha256)
    if found == wanted:
        stored = [file for file in recorded.files if is_url(file.name)]
        for change in _changed(stored, pool) if check_files else ():
            _log.warning("%s; its samples are the same", change)
        return
    differ = [
        f"{now:,} {unit}, not {before:,}"
        for unit, now, before in zip(("samples", "bytes"), found[:2], wanted[:2], strict=True)
        if now != before
    ] or ["as many samples and bytes, but other content or another order"]
    raise EntropyLawError(
        f"the {what} is not the one of {then.path}: it has {' and '.join(differ)}"
        + "".join(f"; {change}" for change in _changed(recorded.files, pool)[:1] if check_files)
        + f"; name the one of then ({what}=, --{what})"
    )


def _changed(files: Sequence[Stored], pool: Pool) -> list[str]:
    """Which of the files are others than then, by their sizes; of objects in storage, by what it says of them."""
    changes = []
    now = {described["name"]: described for source in pool.records.files() if (described := source.described())}
    for file in files:
        found = now.get(file.name, {"bytes": file.bytes})
        if found["bytes"] != file.bytes:
            changes.append(f"{brief(file.name)} has {found['bytes']:,} bytes, and had {file.bytes:,} then")
        elif is_url(file.name) and _version(found).differs(Version(file.bytes, file.etag, file.modified)):
            changes.append(f"{brief(file.name)} is another object than then, though as large")
    return changes


def _version(described: Mapping[str, Any]) -> Version:
    return Version(described["bytes"], described.get("etag"), described.get("modified"))


def _check_controls(then: Manifest, now: Selection) -> None:
    """Raises EntropyLawError if the controls came to something else than then, though the samples are the same."""
    wanted, found = then.content.fingerprints, now.controls["fingerprints"]
    if differ := sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name)):
        raise EntropyLawError(
            f"the controls do not come to what they did for {then.path}: other {brief(', '.join(differ))}; the records "
            "have the same text, but other values in the fields that controls read; name the pool of then (pool=, "
            "--pool)"
        )


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
