"""``entropylaw.select``."""

import logging
import re
import sys
from collections.abc import Callable
from typing import Literal

from entropylaw import _core
from entropylaw.errors import EntropyLawError
from entropylaw.pool import Pool, PoolLike, Render, load
from entropylaw.pool.load import OnError
from entropylaw.results import Round, Selection

_log = logging.getLogger("entropylaw")


def select(
    pool: PoolLike | Pool,
    *,
    budget: int | str,
    method: Literal["zip"] = "zip",
    preset: Literal["paper", "reference"] = "paper",
    k1: int = 10_000,
    k2: int = 200,
    k3: int = 100,
    render: Render = "text",
    schema: str | None = None,
    field: str | None = None,
    on_error: OnError = "raise",
    whole_rounds: bool = False,
    threads: int | None = None,
    progress: Callable[[_core.Progress], object] | None = None,
) -> Selection:
    """Selects the samples of a pool whose union compresses least.

    ZIP (arXiv 2407.06645, section 4) repeats rounds of three stages until the budget is reached: take the ``k1``
    samples of lowest state (R of the selection with the sample added, as last computed); recompute those and keep the
    ``k2`` lowest; of these, pick ``k3`` one by one so that R of the picks stays lowest.

    Parameters
    ----------
    pool
        A path, a list of paths, a list of texts (str or bytes), or a list of records (dict). Files hold a JSON array or
        JSON Lines, plain, gzip or zstd.
    budget : int or str
        Samples to select, or a share of the pool such as ``"10%"`` (rounded down). More than the pool holds selects all
        of it, with a warning.
    method : {"zip"}
        The method.
    preset : {"paper", "reference"}
        ``paper``: the paper's algorithm, with exact comparisons and ties to the lower index. ``reference``: the
        authors' script, to the same records in the same order; its samples are always Python's ``repr`` of the records.
    k1, k2, k3 : int
        Width of the stages; ``k1 >= k2 >= k3 >= 1``.
    render : {"text", "json"} or callable
        How a record becomes the sample that is sized: its text, the record as it is stored, or what a function of the
        parsed record returns.
    schema : {"sharegpt", "openai", "alpaca", "completion", "text", "string"}, optional
        Where a record's text is; by default detected.
    field : str, optional
        The field that holds the text (``a.b`` for one inside another), instead of a schema.
    on_error : {"raise", "skip"}
        What to do about records that can't be read.
    whole_rounds : bool
        Finish the round in which the budget is reached, and so select up to ``k3 - 1`` samples more, as the authors'
        script does.
    threads : int, optional
        How many to use; by default as many as the process may. The result does not depend on it.
    progress : callable, optional
        Called about 20 times a second with a ``Progress``. What it raises ends the selection.

    Returns
    -------
    Selection

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
    """
    if method != "zip":
        raise EntropyLawError(f"there is no method {method!r}; there is 'zip'")
    if preset not in ("paper", "reference"):
        raise EntropyLawError(f"there is no preset {preset!r}; there are 'paper' and 'reference'")
    if not k1 >= k2 >= k3 >= 1:
        raise EntropyLawError(
            f"each stage narrows the one before: k1 >= k2 >= k3 >= 1 must hold, not k1={k1}, k2={k2}, k3={k3}"
        )
    samples_of = parse_budget(budget)
    renders = rendering(preset, render, schema, field)
    pool = load(pool, render=renders, schema=schema, field=field, on_error=on_error)
    if (preset == "reference") != (pool.options["render"] == "repr"):
        rendered = pool.options["render"]
        raise EntropyLawError(f"the pool was rendered as {rendered!r}, which does not go with preset {preset!r}")
    count = samples_of(len(pool))
    result = _core.zip_select(
        pool.data,
        pool.offsets,
        preset=preset,
        budget=min(count, len(pool)),
        k1=min(k1, sys.maxsize),
        k2=min(k2, sys.maxsize),
        k3=min(k3, sys.maxsize),
        whole_rounds=whole_rounds,
        threads=threads,
        progress=progress,
    )
    warnings = _warnings(pool, preset, count, k1, result)
    for warning in warnings:
        _log.warning("%s", warning)
    return Selection(
        indices=result.indices,
        ratios=result.ratios,
        initial_ratios=result.initial_ratios,
        rounds=tuple(Round(*round_) for round_ in result.rounds),
        pool_ratio=result.pool_ratio,
        method=method,
        parameters={
            "preset": preset,
            "budget": budget if isinstance(budget, str) else int(budget),
            "k1": k1,
            "k2": k2,
            "k3": k3,
            "whole_rounds": whole_rounds,
            **pool.options,
        },
        codec=result.codec,
        version=_core.__version__,
        seconds={"read": pool.seconds, **dict(result.seconds)},
        warnings=warnings,
        pool=pool,
    )


def rendering(
    preset: str, render: Render, schema: str | None = None, field: str | None = None
) -> Render | Literal["repr"]:
    """How a preset renders records.

    Raises
    ------
    EntropyLawError
        If the reference is to render them otherwise than the script does.
    """
    if preset != "reference":
        return render
    if (render, schema, field) != ("text", None, None):
        raise EntropyLawError(
            "preset 'reference' sizes Python's repr of whole records, as the authors' script does: it takes no render, "
            "schema or field"
        )
    return "repr"


def parse_budget(budget: int | str) -> Callable[[int], int]:
    """How many samples a budget means, given how many the pool has.

    Raises
    ------
    EntropyLawError
        If it is not a number of samples or a share, or comes to none (then when the pool is known).
    """
    if isinstance(budget, str) and (share := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", budget)):
        percent = share[1]
        # Exactly: 0.1 % of 1,000 is 1, which floating point may miss.
        whole, _, decimals = percent.partition(".")
        numerator, denominator = int(whole + decimals), 100 * 10 ** len(decimals)
        if not 0 < numerator <= denominator:
            raise EntropyLawError(f"the budget is {budget!r}; a share must be above 0% and at most 100%")

        def of(samples: int) -> int:
            count: int = samples * numerator // denominator
            if count:
                return count
            raise EntropyLawError(f"the budget {budget!r} of {samples} samples is less than one sample; raise it")

        return of
    try:
        count = int(budget)
    except (TypeError, ValueError):
        raise EntropyLawError(
            f"the budget is {budget!r}; it must be a number of samples, or a share such as '10%'"
        ) from None
    if count < 1 or count != float(budget) or isinstance(budget, bool):
        raise EntropyLawError(f"the budget is {budget!r}; it must be a whole number of samples, at least 1")
    return lambda samples: count


def _warnings(pool: Pool, preset: str, budget: int, k1: int, result: _core.ZipResult) -> tuple[str, ...]:
    selected, samples = len(result.indices), len(pool)
    warnings = []
    if preset == "reference" and samples < k1:
        warnings.append(f"the pool has {samples} samples, fewer than k1 = {k1}: the authors' script would have failed")
    if budget > samples:
        warnings.append(f"the budget of {budget} samples is more than the {samples} of the pool")
    if result.end == "too_few_left":
        warnings.append(
            f"stopped at {selected} of {budget} samples: fewer than k1 = {k1} are left that no block has held yet, and "
            "the authors' script selects samples twice from here on; use a smaller k1, or preset 'paper'"
        )
    elif result.end == "exhausted" and selected < min(budget, samples):
        warnings.append(
            f"stopped at {selected} of {budget} samples: this preset never looks again at the k2 - k3 samples that "
            "each round leaves behind, and no others are left; use k3 = k2, or preset 'paper'"
        )
    return tuple(warnings)
