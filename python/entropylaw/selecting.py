"""``entropylaw.select``."""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal, cast, overload

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core, parameters
from entropylaw.budget import Budget
from entropylaw.controls import Candidates, Controls
from entropylaw.controls.bands import MinScore
from entropylaw.controls.model import BandLike
from entropylaw.controls.quotas import QuotasLike
from entropylaw.errors import EntropyLawError
from entropylaw.methods import Method, check_needs, method_with
from entropylaw.methods.coverage import Coverage, CoverageSelection, Features
from entropylaw.methods.random import RandomSelection
from entropylaw.methods.top import TopSelection
from entropylaw.methods.zip import ZipSelection
from entropylaw.output import placed_files
from entropylaw.pool import Pool, PoolLike, Render, load
from entropylaw.pool.arena import MEMORY
from entropylaw.pool.formats import Format
from entropylaw.pool.load import OnError, reading_beside, unless_named
from entropylaw.results import Selection
from entropylaw.runs.checkpoint import Checkpoint, identity
from entropylaw.targets import check_targets, files_behind

_log = logging.getLogger("entropylaw")

_MOST_INDEX = 2**63 - 1


@overload
def select(
    pool: PoolLike | Pool,
    *,
    budget: int | str,
    method: Literal["zip"] = "zip",
    preset: Literal["paper", "reference"] | None = None,
    k1: int | None = None,
    k2: int | None = None,
    k3: int | None = None,
    whole_rounds: bool | None = None,
    group_by: str | Sequence[str] | NDArray[Any] = "source",
    quota: QuotasLike | None = None,
    balance: float | None = None,
    min_score: MinScore | None = None,
    weight: str | Sequence[float] | NDArray[Any] | None = None,
    length_band: BandLike | None = None,
    ratio_band: BandLike | None = None,
    dedupe: bool | None = None,
    anchor: PoolLike | Pool | Sequence[int] | NDArray[np.integer[Any]] | None = None,
    tokens: Any = None,
    decontaminate: bool | Literal["exclude", "report"] | None = None,
    benchmark: PoolLike | Pool | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    initial_subset: PoolLike | Pool | Sequence[int] | NDArray[np.integer[Any]] | None = None,
    render: Render = "text",
    schema: str | None = None,
    field: str | None = None,
    on_error: OnError = "raise",
    format: Format | None = None,
    memory: int | str = MEMORY,
    threads: int | None = None,
    progress: Callable[[_core.Progress], object] | None = None,
) -> ZipSelection: ...
@overload
def select(
    pool: PoolLike | Pool,
    *,
    budget: int | str,
    method: Literal["coverage"],
    unit: Literal["byte", "word"] | None = None,
    ngram: int | None = None,
    gamma: float | None = None,
    alpha: float | Literal["auto"] | None = None,
    min_df: int | None = None,
    min_contexts: int | None = None,
    features: Features | None = None,
    target: PoolLike | Pool | None = None,
    target_weight: float | None = None,
    group_by: str | Sequence[str] | NDArray[Any] = "source",
    quota: QuotasLike | None = None,
    balance: float | None = None,
    min_score: MinScore | None = None,
    weight: str | Sequence[float] | NDArray[Any] | None = None,
    length_band: BandLike | None = None,
    ratio_band: BandLike | None = None,
    dedupe: bool | None = None,
    anchor: PoolLike | Pool | Sequence[int] | NDArray[np.integer[Any]] | None = None,
    tokens: Any = None,
    decontaminate: bool | Literal["exclude", "report"] | None = None,
    benchmark: PoolLike | Pool | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    initial_subset: PoolLike | Pool | Sequence[int] | NDArray[np.integer[Any]] | None = None,
    render: Render = "text",
    schema: str | None = None,
    field: str | None = None,
    on_error: OnError = "raise",
    format: Format | None = None,
    memory: int | str = MEMORY,
    threads: int | None = None,
    progress: Callable[[_core.Progress], object] | None = None,
) -> CoverageSelection: ...
@overload
def select(
    pool: PoolLike | Pool,
    *,
    budget: int | str,
    method: Literal["random"],
    seed: int | None = None,
    group_by: str | Sequence[str] | NDArray[Any] = "source",
    quota: QuotasLike | None = None,
    balance: float | None = None,
    min_score: MinScore | None = None,
    weight: str | Sequence[float] | NDArray[Any] | None = None,
    length_band: BandLike | None = None,
    ratio_band: BandLike | None = None,
    dedupe: bool | None = None,
    anchor: PoolLike | Pool | Sequence[int] | NDArray[np.integer[Any]] | None = None,
    tokens: Any = None,
    decontaminate: bool | Literal["exclude", "report"] | None = None,
    benchmark: PoolLike | Pool | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    initial_subset: PoolLike | Pool | Sequence[int] | NDArray[np.integer[Any]] | None = None,
    render: Render = "text",
    schema: str | None = None,
    field: str | None = None,
    on_error: OnError = "raise",
    format: Format | None = None,
    memory: int | str = MEMORY,
    threads: int | None = None,
    progress: Callable[[_core.Progress], object] | None = None,
) -> RandomSelection: ...
@overload
def select(
    pool: PoolLike | Pool,
    *,
    budget: int | str,
    method: Literal["top"],
    group_by: str | Sequence[str] | NDArray[Any] = "source",
    quota: QuotasLike | None = None,
    balance: float | None = None,
    min_score: MinScore | None = None,
    weight: str | Sequence[float] | NDArray[Any],
    length_band: BandLike | None = None,
    ratio_band: BandLike | None = None,
    dedupe: bool | None = None,
    anchor: PoolLike | Pool | Sequence[int] | NDArray[np.integer[Any]] | None = None,
    tokens: Any = None,
    decontaminate: bool | Literal["exclude", "report"] | None = None,
    benchmark: PoolLike | Pool | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    initial_subset: PoolLike | Pool | Sequence[int] | NDArray[np.integer[Any]] | None = None,
    render: Render = "text",
    schema: str | None = None,
    field: str | None = None,
    on_error: OnError = "raise",
    format: Format | None = None,
    memory: int | str = MEMORY,
    threads: int | None = None,
    progress: Callable[[_core.Progress], object] | None = None,
) -> TopSelection: ...
def select(
    pool: PoolLike | Pool,
    *,
    budget: int | str,
    method: Literal["zip", "coverage", "random", "top"] = "zip",
    preset: Literal["paper", "reference"] | None = None,
    k1: int | None = None,
    k2: int | None = None,
    k3: int | None = None,
    whole_rounds: bool | None = None,
    unit: Literal["byte", "word"] | None = None,
    ngram: int | None = None,
    gamma: float | None = None,
    alpha: float | Literal["auto"] | None = None,
    min_df: int | None = None,
    min_contexts: int | None = None,
    features: Features | None = None,
    target: PoolLike | Pool | None = None,
    target_weight: float | None = None,
    seed: int | None = None,
    group_by: str | Sequence[str] | NDArray[Any] = "source",
    quota: QuotasLike | None = None,
    balance: float | None = None,
    min_score: MinScore | None = None,
    weight: str | Sequence[float] | NDArray[Any] | None = None,
    length_band: BandLike | None = None,
    ratio_band: BandLike | None = None,
    dedupe: bool | None = None,
    anchor: PoolLike | Pool | Sequence[int] | NDArray[np.integer[Any]] | None = None,
    tokens: Any = None,
    decontaminate: bool | Literal["exclude", "report"] | None = None,
    benchmark: PoolLike | Pool | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    initial_subset: PoolLike | Pool | Sequence[int] | NDArray[np.integer[Any]] | None = None,
    render: Render = "text",
    schema: str | None = None,
    field: str | None = None,
    on_error: OnError = "raise",
    format: Format | None = None,
    memory: int | str = MEMORY,
    threads: int | None = None,
    progress: Callable[[_core.Progress], object] | None = None,
) -> Selection:
    """Selects the samples of a pool that tell most for their size.

    ``method="zip"`` (arXiv 2407.06645, section 4) selects samples whose union compresses least. It repeats rounds of
    three stages until the budget is reached: take the ``k1`` samples of lowest state (R of the selection with the
    sample added, as last computed); recompute those and keep the ``k2`` lowest; of these, pick ``k3`` one by one so
    that R of the picks stays lowest.

    ``method="coverage"`` selects samples that hold, together, as much as possible of what recurs in the pool. Each pick
    is the sample of largest ``gain / bytes ** alpha``, where gain is by how much it raises the sum over n-grams of
    ``df ** gamma * log((c + 0.1) / 0.1)``: ``c`` selected samples and ``df`` samples of the pool have the n-gram. An
    n-gram that does not recur (``min_df``, ``min_contexts``) does not count.

    With a ``target``, samples of what the selection is for, coverage selects what they have in common with the pool. Of
    ``N`` samples of the pool ``df`` have an n-gram, and ``tdf`` of the target's ``T``; instead of ``df ** gamma`` it
    weighs ``y ** gamma * 2 * y / (y + df)``, where ``y = (1 - target_weight) * df + target_weight * tdf * N / T``, and
    ``df`` in the first term is 0 for an n-gram that does not recur.

    ``method="random"`` draws samples at random, the same ones for a seed on every platform; ``method="top"`` takes
    those of highest ``weight``, of equal ones the first.

    Parameters
    ----------
    pool
        A path (file, pattern or directory), a list of paths, texts (str or bytes) or records (dict), a generator of
        these, a frame or another Arrow table, or a ``datasets.Dataset``. Files hold JSON Lines, a JSON array or CSV,
        plain, gzip, zstd, bzip2 or xz, or Parquet or Arrow; tables need pyarrow (``entropylaw[arrow]``).
    budget : int or str
        Samples to select; bytes of samples, as they are rendered: ``"50MB"`` (10^6), ``"1.5GiB"`` (2^30); tokens:
        ``"2M tokens"`` (10^6); or a share, rounded down, of the pool's samples, ``"10%"``, or of what else it holds,
        ``"10% bytes"``, ``"10% tokens"``. It is never exceeded: a sample larger than what is left is passed over. More
        than there is selects all of it, with a warning.
    method : {"zip", "coverage", "random", "top"}
        The method. An option of another one is an error.
    preset : {"paper", "reference"}
        For ``zip``; ``paper`` by default. ``paper``: the paper's algorithm, with exact comparisons and ties to the
        lower index. ``reference``: the authors' script, to the same records in the same order; its samples are always
        Python's ``repr`` of the records.
    k1, k2, k3 : int
        For ``zip``: width of the stages, by default 10,000, 200 and 100; ``k1 >= k2 >= k3 >= 1``.
    whole_rounds : bool
        For ``zip``: finish the round in which the budget is reached, and so select up to ``k3 - 1`` samples more, as
        the authors' script does; by default not.
    unit : {"byte", "word"}
        For ``coverage``: what n-grams are made of; ``byte`` by default. ``word`` predicts held-out text about as well
        and takes less junk, but more samples that repeat a prompt.
    ngram : int
        For ``coverage``: exactly so many bytes, by default 5; or up to so many words, by default 3. From 1 to 8.
    gamma : float
        For ``coverage``: how much more n-grams count that many samples have, from 0 (not at all) to 1; by default
        0.85.
    alpha : float or "auto"
        For ``coverage``: how much samples pay for their length, from 0 (not at all) to 1 (gain a byte). ``auto``, the
        default, is 1 for budgets in bytes and 0.9 for budgets in samples, which keeps about the pool's mean length.
    min_df, min_contexts : int
        For ``coverage``: an n-gram recurs if it is in ``min_df`` samples (by default 2, at most 65,535) and after
        ``min_contexts`` different left contexts of four bytes (by default 2; 1 for no such demand). The latter keeps
        copied noise out.
    features : {"auto", "all", "1/2", "1/4", "1/8", "1/16", "1/32", "1/64"}
        For ``coverage``: how many of the n-grams count. A hash decides which, the same ones everywhere; memory and time
        fall with them. ``auto``, the default, takes all of a pool of up to 1.7 GB of text, and of a larger one what
        tables and lists have room for in 4 GiB (``docs/large-pools.md``). What was taken is in ``parameters``.
    seed : int
        For ``random``: another seed draws other samples; from 0, the default, to 2^63 - 1.
    group_by : str or sequence of str
        The field that names a record's group (``a.b`` for one inside another), or the group of each sample; or
        ``"cluster:64"``: so many groups, from 2 to 1,024, of samples that are written alike.
    quota : str, sequence of str or mapping, optional
        What groups get of the budget: ``"gsm8k=10%,t0<=20%,*>=1%"`` or ``{"gsm8k": "10%", "t0": "<=20%"}``. Exactly, at
        most or at least; a share of the budget, or an amount in its unit; ``*`` stands for every group not named.
        Quotas that can't be met are an error.
    balance : float, optional
        Shares the budget among all groups: each gets so much of it as its size in the budget's unit to this power asks
        for, from 0 (all groups alike) to 1 (as the pool has them). A group that has less gives the rest to the others;
        quotas hold.
    min_score : str, sequence of str or mapping, optional
        ``"quality>=0.5,score>=3"`` or ``{"quality": 0.5, "score": 3}``: samples with less in a field are excluded.
    weight : str or array of float, optional
        A field, or numbers for each sample, that say how much it is wanted: finite, not negative; only their ratios
        matter. What a sample adds counts so many times; for ``random`` it is drawn so many times as likely, and ``top``
        goes by nothing else.
    length_band, ratio_band : str or (float, float), optional
        Samples outside are excluded: ``"50:8000"`` bytes as rendered; ``"1.2:6"``, R of the sample alone (below: too
        noisy, above: too repetitive). ``"50:"`` has one bound.
    dedupe : bool, optional
        Whether of equal samples only the first may be selected; by default for ``coverage`` yes, for the others
        no.
    anchor
        What you have already: not to be selected, and its content counts as known. Anything that ``pool`` may be, read
        in the same way, copies of which are not selected either; or indices of samples of the pool. For ``zip`` it
        stands before the selection, where deflate sees no more than 32 KiB back: ``coverage`` sees all of it.
        ``initial_subset`` is another name for it.
    target : optional
        For ``coverage``: what the selection is for, such as a hundred samples of a task. Anything that ``pool`` may be,
        read in the same way. Nothing is selected from it, and it does not count as known. What of the pool equals it is
        selected like anything else: leave it out if the target is a benchmark.
    target_weight : float
        For ``coverage`` with a ``target``: how much it counts beside the pool, from 0, not at all, to 1, alone; by
        default 0.9.
    tokens
        For a budget in tokens, what counts them: a field, an array, a ``tokenizers.Tokenizer`` or the path of its
        ``.json``, a ``tiktoken.Encoding`` or ``"tiktoken:NAME"``, a fast tokenizer of transformers, or a function from
        a list of texts to their numbers of tokens.
    decontaminate : bool or {"exclude", "report"}
        Look for samples that hold text of ``benchmark`` or ``target``, a run of 13 words in lower case and without
        punctuation, and exclude them (``True`` is ``"exclude"``), or only say which they are.
    benchmark : optional
        For ``decontaminate``: anything that ``pool`` may be, read in the same way, such as a benchmark's test split.
    checkpoint : path, optional
        A directory, made if need be, where the work is recorded as it is done.
    resume : bool
        Go on with the selection recorded in ``checkpoint``, to the result that it would have had; begin one if there is
        none. Pool, parameters and version must be the same.
    render : {"text", "json"}, str or callable
        How a record becomes a sample: its text; the record as it is stored; what a Jinja template makes of it, such as
        ``"{{ question }} {{ answer }}"`` or the path of a file that ends in ``.jinja`` (``entropylaw[template]``); or
        what a function of the parsed record returns.
    schema : {"preference", "sharegpt", "openai", "alpaca", "completion", "text", "dialogue", "string"}, optional
        Where a record's text is; by default detected.
    field : str, optional
        The field that holds the text (``a.b`` for one inside another), instead of a schema.
    on_error : {"raise", "skip"}
        What to do about records that can't be read.
    format : {"json", "csv", "tsv", "parquet", "arrow"}, optional
        The format of the pool's files, such as standard input's, whatever their names; of an anchor's, a target's or a
        benchmark's, if none of their names tells. By default by name (CSV, TSV) and content.
    memory : int or str
        Bytes of samples that are held in memory, such as ``"2GB"``; more of them lie in a temporary file.
    threads : int, optional
        How many to use; by default as many as the process may. The result does not depend on it.
    progress : callable, optional
        Called about 20 times a second with a ``Progress``. What it raises ends the selection.

    Returns
    -------
    ZipSelection, CoverageSelection, RandomSelection or TopSelection

    Raises
    ------
    EntropyLawError
        If the pool can't be used, or a parameter doesn't fit.

    Examples
    --------
    >>> import entropylaw
    >>> pool = ["the cat sat on the mat. " * 8, "colourless green ideas sleep furiously", "the cat sat. " * 12]
    >>> selection = entropylaw.select(pool, budget=2)
    >>> selection.indices.tolist()
    [1, 2]
    >>> pool = ["a dog sat", "kX9#qz!", "the cat sat on a mat", "there sat the cat", "kX9#qz!", "the cat ran"]
    >>> selection = entropylaw.select(pool, method="coverage", budget="30B")
    >>> selection.indices.tolist()[:2], selection.coverage
    ([5, 3], 1.0)
    >>> entropylaw.select(pool, method="random", seed=1, budget=3).indices.tolist()
    [3, 0, 5]
    """
    understood = Budget.parse(budget)
    if checkpoint is not None:
        checkpoint = parameters.path("checkpoint", checkpoint)
    resume = parameters.flag("resume", resume)
    chosen = method_with(
        method,
        {
            "preset": preset,
            "k1": k1,
            "k2": k2,
            "k3": k3,
            "whole_rounds": whole_rounds,
            "unit": unit,
            "ngram": ngram,
            "gamma": gamma,
            "alpha": alpha,
            "min_df": min_df,
            "min_contexts": min_contexts,
            "features": features,
            "target": target,
            "target_weight": target_weight,
            "seed": seed,
        },
    )
    if isinstance(chosen, Coverage):
        chosen.check()
    controls = Controls(
        group_by=group_by,
        quota=quota,
        balance=balance,
        min_score=min_score,
        weight=weight,
        length_band=length_band,
        ratio_band=ratio_band,
        dedupe=dedupe,
        tokens=tokens,
        decontaminate=decontaminate,
        benchmark=benchmark,
    )
    controls.check(understood)
    check_needs(method, controls)
    controls.check_overlap(target)
    if resume and checkpoint is None:
        raise EntropyLawError("resume needs the checkpoint to resume from: checkpoint= (--checkpoint) its directory")
    if anchor is not None and initial_subset is not None:
        raise EntropyLawError("anchor and initial_subset are two names of the same; give one")
    anchor = initial_subset if anchor is None else anchor
    read = partial(
        load_for,
        method=chosen,
        controls=controls,
        render=render,
        schema=schema,
        field=field,
        on_error=on_error,
        format=format,
        memory=memory,
        threads=threads,
        progress=progress,
    )
    if anchor is not None:
        known = _indices(anchor)
        controls = replace(controls, anchor=read(cast(PoolLike, anchor), beside=True) if known is None else known)
    if isinstance(chosen, Coverage) and target is not None:
        with reading_beside("target"):
            chosen = replace(chosen, target=read(target, beside=True))
    if benchmark is not None:
        with reading_beside("benchmark"):
            controls = replace(controls, benchmark=read(benchmark, beside=True))
    aim = getattr(chosen, "target", None)
    candidates = Candidates.of(read(pool), understood, controls, chosen.dedupes, threads, progress, aim)
    if checkpoint is None:
        selection: Selection = chosen.run(candidates, threads, progress)
    else:
        files = files_behind(candidates.pool, {**candidates.parameters, "target": aim})
        check_targets([], files, os.fspath(checkpoint))
        # A command that ends early says which outputs it has written; a checkpoint is none.
        with placed_files(), Checkpoint.open(checkpoint, identity(method, chosen, candidates), resume) as opened:
            selection = chosen.run(candidates, threads, progress, opened.journal)
    for warning in selection.warnings:
        _log.warning("%s", warning)
    return selection


def load_for(
    data: PoolLike | Pool,
    *,
    method: Method,
    controls: Controls,
    beside: bool = False,
    render: Render = "text",
    schema: str | None = None,
    field: str | None = None,
    on_error: OnError = "raise",
    format: Format | None = None,
    memory: int | str = MEMORY,
    threads: int | None = None,
    progress: Callable[[Any], object] | None = None,
) -> Pool:
    """Reads a pool as ``select`` does for a method and controls; or what goes ``beside`` it, such as an anchor, of
    which no numbers are needed."""
    # Before the method compares them with what it takes.
    parameters.reading(
        render=render,
        schema=schema,
        field=field,
        on_error=on_error,
        group_by=controls.group_field,
        threads=threads,
        progress=progress,
    )
    return load(
        data,
        render=method.rendering(render, schema, field),
        schema=schema,
        field=field,
        on_error=on_error,
        group_by="source" if beside else controls.group_field,
        format=unless_named(data, format) if beside else format,
        numbers=() if beside else controls.numbers,
        memory=memory,
        threads=threads,
        progress=progress,
    )


def _indices(subset: Any) -> NDArray[np.int64] | None:
    """A subset given by indices; None if it is something to read."""
    if not isinstance(subset, np.ndarray | Sequence) or isinstance(subset, str | bytes):
        return None
    if isinstance(subset, np.ndarray) or all(isinstance(item, int | np.integer) for item in subset):
        array = np.asarray(subset)
        if array.size and (array.ndim != 1 or array.dtype.kind not in "iu"):
            raise EntropyLawError(f"the anchor is an array of {array.dtype}, shape {array.shape}; give indices")
        if array.size and array.max() > _MOST_INDEX:
            raise EntropyLawError(f"the anchor has index {array.max()}, which no pool has")
        return np.unique(array.astype(np.int64).reshape(-1))
    return None
