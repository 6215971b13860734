"""``entropylaw.select``."""

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Unpack, overload

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.asked import Asked
from entropylaw.controls import Candidates
from entropylaw.controls.bands import MinScore
from entropylaw.controls.model import BandLike
from entropylaw.controls.quotas import QuotasLike
from entropylaw.methods.coverage import Coverage, CoverageKeywords, CoverageSelection
from entropylaw.methods.density import Density, DensityKeywords, DensitySelection
from entropylaw.methods.dsir import Dsir, DsirKeywords, DsirSelection
from entropylaw.methods.method import Method, Task
from entropylaw.methods.random import Random, RandomKeywords, RandomSelection
from entropylaw.methods.registry import BUILT_IN, options_by_methods
from entropylaw.methods.top import Top, TopKeywords, TopSelection
from entropylaw.methods.zip import Zip, ZipKeywords, ZipSelection
from entropylaw.methods.zipfit import Zipfit, ZipfitKeywords, ZipfitSelection
from entropylaw.pool import Pool, PoolLike, Render
from entropylaw.pool.arena import MEMORY, memory_limit
from entropylaw.pool.formats import Format
from entropylaw.pool.load import OnError
from entropylaw.results import Selection
from entropylaw.runs.checkpoint import identity
from entropylaw.storage.options import takes_storage_options


@overload
def select(
    pool: PoolLike | Pool,
    *,
    budget: int | str,
    method: Literal["zip"] | Zip = "zip",
    **options: Unpack[ZipKeywords],
) -> ZipSelection: ...
@overload
def select(
    pool: PoolLike | Pool,
    *,
    budget: int | str,
    method: Literal["coverage"] | Coverage,
    **options: Unpack[CoverageKeywords],
) -> CoverageSelection: ...
@overload
def select(
    pool: PoolLike | Pool,
    *,
    budget: int | str,
    method: Literal["random"] | Random,
    **options: Unpack[RandomKeywords],
) -> RandomSelection: ...
@overload
def select(
    pool: PoolLike | Pool, *, budget: int | str, method: Literal["top"] | Top, **options: Unpack[TopKeywords]
) -> TopSelection: ...
@overload
def select(
    pool: PoolLike | Pool, *, budget: int | str, method: Literal["dsir"] | Dsir, **options: Unpack[DsirKeywords]
) -> DsirSelection: ...
@overload
def select(
    pool: PoolLike | Pool, *, budget: int | str, method: Literal["zipfit"] | Zipfit, **options: Unpack[ZipfitKeywords]
) -> ZipfitSelection: ...
@overload
def select(
    pool: PoolLike | Pool,
    *,
    budget: int | str,
    method: Literal["density"] | Density,
    **options: Unpack[DensityKeywords],
) -> DensitySelection: ...
@overload
def select(pool: PoolLike | Pool, *, budget: int | str, method: str | Method, **options: Any) -> Selection: ...
@takes_storage_options
def select(
    pool: PoolLike | Pool,
    *,
    budget: int | str,
    method: str | Method = "zip",
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
    id: str | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    initial_subset: PoolLike | Pool | Sequence[int] | NDArray[np.integer[Any]] | None = None,
    render: Render = "text",
    schema: str | None = None,
    field: str | None = None,
    on_error: OnError = "raise",
    format: Format | None = None,
    memory: int | str = MEMORY,
    storage_options: Mapping[str, Any] | None = None,
    threads: int | None = None,
    progress: Callable[[_core.Progress], object] | None = None,
    **options: Any,
) -> Selection:
    """Selects the samples of a pool that tell most for their size.

    ``method="zip"`` selects samples whose union compresses least (arXiv 2407.06645), ``"coverage"`` those that hold
    together what recurs in the pool, or what it has in common with a target; ``"dsir"`` and ``"zipfit"`` those whose
    words are those of a target, or that compress well with it (arXiv 2302.03169, 2410.18194); ``"density"`` draws all
    kinds of text alike (arXiv 2402.09668), ``"random"`` all samples, and ``"top"`` takes those of highest weight.
    ``help(entropylaw.Zip)``, ``entropylaw.Coverage``, ``entropylaw.Dsir`` and so on say how, and list their options.

    Parameters
    ----------
    pool
        A path or URL (file, pattern or directory), a list of them, of texts (str or bytes) or of records (dict), a
        generator of these, a frame or another Arrow table, or a ``datasets.Dataset``. Files hold JSON Lines, a JSON
        array or CSV, plain, gzip, zstd, bzip2 or xz, or Parquet or Arrow; tables need pyarrow (``entropylaw[arrow]``).
    budget : int or str
        Samples to select; bytes of samples, as they are rendered: ``"50MB"`` (10^6), ``"1.5GiB"`` (2^30); tokens:
        ``"2M tokens"`` (10^6); or a share, rounded down, of the pool's samples, ``"10%"``, or of what else it holds,
        ``"10% bytes"``, ``"10% tokens"``. It is never exceeded: a sample larger than what is left is passed over. More
        than there is selects all of it, with a warning.
    method : str or Method
        The method: ``"zip"``, ``"coverage"``, ``"random"``, ``"top"``, ``"dsir"``, ``"zipfit"`` or ``"density"``, or
        the name of one that an installed package offers. Or the method itself with its options, such as
        ``entropylaw.Coverage(gamma=0.7)``.
    options
        Those of the method, such as ``gamma=0.7``. An option of another one is an error.
    group_by : str or sequence of str
        The field that names a record's group (``a.b`` for one inside another), or the group of each sample, of which
        one that is missing has no name; or ``"cluster:64"``: so many groups, from 2 to 1,024, of samples that are
        written alike.
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
        matter. What a sample adds, or its score, counts so many times; for ``random``, ``dsir`` and ``density`` it is
        drawn so many times as likely, and ``top`` goes by nothing else.
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
    tokens
        For a budget in tokens, what counts them: a field, an array, a ``tokenizers.Tokenizer`` or the path of its
        ``.json``, a ``tiktoken.Encoding`` or ``"tiktoken:NAME"``, a fast tokenizer of transformers, or a function from
        a list of texts to their numbers of tokens.
    decontaminate : bool or {"exclude", "report"}
        Look for samples that hold text of ``benchmark`` or ``target``, a run of 13 words in lower case and without
        punctuation, and exclude them (``True`` is ``"exclude"``), or only say which they are.
    benchmark : optional
        For ``decontaminate``: anything that ``pool`` may be, read in the same way, such as a benchmark's test split.
    id : str, optional
        The field that names a record (``a.b`` for one inside another), for ``Selection.ids``.
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
        Bytes of samples that are held in memory, such as ``"2GB"``, and twice as many of what ``coverage`` makes of
        them; more lie in temporary files. It changes no pick.
    storage_options : mapping, optional
        For URLs, such as ``s3://bucket/pool/*.jsonl`` (``entropylaw[storage]``): what the storage needs to know, as its
        fsspec file system takes it, such as ``{"anon": True}``. They are recorded nowhere.
    threads : int, optional
        How many to use; by default as many as the process may. The result does not depend on it.
    progress : callable, optional
        Called about 20 times a second with a ``Progress``. What it raises ends the selection.

    Returns
    -------
    Selection
        ``ZipSelection``, ``CoverageSelection`` and so on: each method makes its own.

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
    asked = Asked.of(
        budget=budget,
        method=method,
        options=options,
        group_by=group_by,
        quota=quota,
        balance=balance,
        min_score=min_score,
        weight=weight,
        length_band=length_band,
        ratio_band=ratio_band,
        dedupe=dedupe,
        anchor=anchor,
        tokens=tokens,
        decontaminate=decontaminate,
        benchmark=benchmark,
        id=id,
        checkpoint=checkpoint,
        resume=resume,
        initial_subset=initial_subset,
        render=render,
        schema=schema,
        field=field,
        on_error=on_error,
        format=format,
        memory=memory,
        threads=threads,
        progress=progress,
    ).with_data()
    chosen = asked.method
    candidates = Candidates.of(
        asked.read(pool), asked.budget, asked.controls, chosen.dedupes, threads, progress, asked.target
    )
    task = Task(candidates, threads, progress, memory=memory_limit(memory))
    return asked.run(task, identity(chosen, candidates) if asked.checkpoint else {})


def _signature() -> inspect.Signature:
    """What ``select`` takes, with the options of this package's methods."""
    written = inspect.signature(select)
    common = [each for each in written.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    options = [
        inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=option.type)
        for each in options_by_methods(BUILT_IN).values()
        for option in each
    ]
    at = [each.name for each in common].index("method") + 1
    return written.replace(parameters=[*common[:at], *options, *common[at:]])


# For `help`, and for whoever completes what is typed.
select.__signature__ = _signature()  # type: ignore[attr-defined]
