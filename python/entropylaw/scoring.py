"""``entropylaw.score``."""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core, parameters
from entropylaw.alignment import alignment as alignment_of
from entropylaw.distribution import distribution_of
from entropylaw.methods.coverage import Coverage, Features
from entropylaw.methods.option import options_of
from entropylaw.output import check_writable, replacing
from entropylaw.pool import Pool, PoolLike, Render, load
from entropylaw.pool.arena import MEMORY
from entropylaw.pool.formats import Format
from entropylaw.pool.load import OnError, reading_beside, unless_named
from entropylaw.saving import tables
from entropylaw.storage.options import takes_storage_options
from entropylaw.targets import STANDARD, File, check_name, check_targets, files_behind

_OF_PICKS = ("alpha",)
"""What of coverage decides which sample is picked, and not what it adds."""

OPTIONS = tuple(option for option in options_of(Coverage) if option.name not in _OF_PICKS)
"""The options of coverage that scores depend on."""

COLUMNS = ("index", "source", "bytes", "ratio", "first_gain", "alignment")
"""All that may be written; the last one if it was asked for."""


@dataclass(frozen=True, eq=False)
class Scores:
    """What every sample of a pool is worth alone. ``len(scores)`` is their number.

    Attributes
    ----------
    ratios : NDArray[np.float64]
        R of each sample alone, under zlib, level 9; 0 for empty ones; shape ``(len(scores),)``.
    lengths : NDArray[np.int64]
        Bytes of each sample; shape ``(len(scores),)``.
    first_gains : NDArray[np.float64]
        By how much each sample would raise coverage's objective as the first pick: the weight of what it holds that
        recurs in the pool or is in the target; shape ``(len(scores),)``. Long samples hold more: divide by ``lengths``
        to compare.
    alignment : NDArray[np.float64] | None
        How many bits of each byte of a sample's response its instruction tells, if that was asked for; shape
        ``(len(scores),)``. It may be given to ``select`` as ``weight``. See ``score``.
    parameters : Mapping[str, Any]
        What the first gains depend on, and how records were read and rendered.
    version : str
        Version of entropylaw.
    seconds : Mapping[str, float]
        Seconds spent, by stage.
    pool : Pool
        The pool; ``pool.groups`` and ``pool.group_names`` say which source each sample is from.
    """

    ratios: NDArray[np.float64] = field(repr=False)
    lengths: NDArray[np.int64] = field(repr=False)
    first_gains: NDArray[np.float64] = field(repr=False)
    alignment: NDArray[np.float64] | None = field(repr=False)
    parameters: Mapping[str, Any]
    version: str
    seconds: Mapping[str, float] = field(repr=False)
    pool: Pool = field(repr=False)

    def __len__(self) -> int:
        return len(self.ratios)

    @property
    def rows(self) -> NDArray[np.int64]:
        """Positions of the samples in what the pool was read from, counted from 0 over all files, with records that
        were skipped; shape ``(len(scores),)``."""
        return self.pool.rows(np.arange(len(self)))

    @takes_storage_options
    def save(
        self,
        path: str | os.PathLike[str],
        *,
        force: bool = False,
        storage_options: Mapping[str, Any] | None = None,
    ) -> None:
        """Writes a table of a row for each sample, in input order: ``index`` (of ``rows``), ``source``,
        ``bytes``, ``ratio`` and ``first_gain``, and ``alignment`` if there is one.

        Parameters
        ----------
        path
            Where to: ``.parquet``, ``.arrow`` (both need pyarrow), ``.csv``, ``.tsv`` or ``.jsonl``; the last three are
            compressed if ``.gz`` or ``.zst`` follows.
        force
            Replace a file that exists.
        storage_options : mapping, optional
            For a URL, as for ``select``.

        Raises
        ------
        EntropyLawError
            If the name says none of these, or the file exists, can't be written, or is one of the pool or the target.
        """
        path, force = parameters.path("path", path), parameters.flag("force", force)
        check_name(path)
        check(path, force, files_behind(self.pool, self.parameters))
        with replacing(path, force) as file:
            self.write(file, path)

    def write(self, file: IO[bytes], path: str | os.PathLike[str]) -> None:
        """Writes the table to an open file, in the format that the name of ``path`` stands for; see ``save``."""
        columns: dict[str, tables.Column] = {
            "index": self.rows,
            "source": tables.Coded(self.pool.groups, self.pool.group_names),
            "bytes": self.lengths,
            "ratio": self.ratios,
            "first_gain": self.first_gains,
        }
        if self.alignment is not None:
            columns["alignment"] = self.alignment
        tables.write(file, path, columns)


def check(path: str | os.PathLike[str], force: bool, inputs: Iterable[File]) -> None:
    """Finds out before the work whether scores can be written to ``path``, which is none of the files that are read."""
    check_targets([File(os.fspath(path), "the scores")], inputs)
    if os.fspath(path) != STANDARD:
        tables.check_format(path, COLUMNS)
        check_writable(path, force)


@takes_storage_options
def score(
    pool: PoolLike | Pool,
    *,
    unit: Literal["byte", "word"] | None = None,
    ngram: int | None = None,
    gamma: float | None = None,
    min_df: int | None = None,
    min_contexts: int | None = None,
    features: Features | None = None,
    target: PoolLike | Pool | None = None,
    target_weight: float | None = None,
    alignment: bool = False,
    render: Render = "text",
    schema: str | None = None,
    field: str | None = None,
    on_error: OnError = "raise",
    format: Format | None = None,
    memory: int | str = MEMORY,
    storage_options: Mapping[str, Any] | None = None,
    threads: int | None = None,
    progress: Callable[[_core.Progress], object] | None = None,
) -> Scores:
    """Scores every sample of a pool alone, without selecting.

    Parameters
    ----------
    pool, render, schema, field, on_error, format, memory, storage_options, threads, progress
        As for ``select``.
    unit, ngram, gamma, min_df, min_contexts, features
        Of coverage, as for ``select``: what n-grams are, which recur, and what they weigh.
    target, target_weight
        Of coverage, as for ``select``: samples of a task, for which to score, and how much they count.
    alignment
        Also how many bits of each byte of a sample's response its instruction tells: ``8 * (C(r) - (C(ir) - C(i))) /
        len(r)``, where C is the length under zlib, level 9, without header and checksum, ``r`` the response and ``i``
        all text before it; 0 without either, and where it is negative. The response is the output of an instruction,
        the completion of a prompt or the last turn, unless its role says that it is the user's. After the alignment of
        instruction and response in FedDQC (arXiv 2410.11540), which takes the losses of a language model.

    Returns
    -------
    Scores

    Raises
    ------
    EntropyLawError
        If the pool can't be used, or a parameter doesn't fit.

    Examples
    --------
    >>> import entropylaw
    >>> scores = entropylaw.score(["a dog sat", "kX9#qz!", "the cat sat on a mat", "there sat the cat", "the cat ran"])
    >>> scores.ratios.round(2).tolist()
    [0.53, 0.47, 0.77, 0.68, 0.58]
    >>> (scores.first_gains > 0).tolist()  # the others hold nothing that recurs
    [False, False, True, True, True]
    """
    parameters.threads(threads)
    parameters.callback("progress", progress)
    alignment = parameters.flag("alignment", alignment)
    given = {
        "unit": unit,
        "ngram": ngram,
        "gamma": gamma,
        "min_df": min_df,
        "min_contexts": min_contexts,
        "features": features,
        "target": target,
        "target_weight": target_weight,
    }
    method = Coverage(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    method.check()
    read = partial(
        load,
        render=render,
        schema=schema,
        field=field,
        on_error=on_error,
        memory=memory,
        threads=threads,
    )
    if target is not None:
        with reading_beside("target"):
            method = replace(method, target=read(target, format=unless_named(target, format)))
    samples = read(pool, format=format)
    began = time.perf_counter()
    aligned = alignment_of(samples, threads, progress) if alignment else None
    distribution = distribution_of(samples, threads, progress)
    measured = time.perf_counter()
    method = method.settled(len(samples.data))
    gains = _core.first_gains(samples.data, samples.offsets, **method.for_core(), threads=threads, progress=progress)
    return Scores(
        ratios=distribution.ratios,
        lengths=distribution.lengths,
        first_gains=gains,
        alignment=aligned,
        parameters={
            **{name: value for name, value in method.recorded().items() if name not in _OF_PICKS},
            **samples.options,
        },
        version=_core.__version__,
        seconds={"read": samples.seconds, "measure": measured - began, "gains": time.perf_counter() - measured},
        pool=samples,
    )
