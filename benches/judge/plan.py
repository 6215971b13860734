"""What is judged: the exam, and one job for each subset and seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from judge import data, subsets
from judge.encoding import Encoder, Tokens
from judge.exam import Exam
from judge.settings import Settings, rows_for
from judge.variants import VARIANTS


class Job(NamedTuple):
    """A row to find out."""

    subset: subsets.Subset
    seed: int
    settings: Settings


@dataclass(frozen=True)
class Prepared:
    """A pool to select from, with its tokens, and the exam."""

    pool: subsets.Pool
    tokens: Tokens
    exam: Exam
    task: data.Task


def prepare(
    paths: Sequence[str],
    variant: str,
    model: Path,
    work: Path,
    *,
    heldout: int,
    questions: int,
    every: int = 1,
    target: str | None = None,
    removed: bool = False,
) -> Prepared:
    """Reads the pools, holds prompts out, and makes a variant of what is left; files go to ``work``.

    With the family ``target``, subsets are for it and it alone is examined; ``removed`` takes it out of the pool.

    Raises
    ------
    ValueError
        If there are no samples of the family to select for, or none to examine.
    """
    records, task = data.split(data.read(paths, every), heldout=heldout, questions=questions)
    records = VARIANTS[variant](records)
    encoder = Encoder(model)
    exam = Exam.of(task, encoder)
    name, aim = variant, None
    work.mkdir(parents=True, exist_ok=True)
    if target is not None:
        if not task.targets.get(target):
            known = ", ".join(family for family, samples in task.targets.items() if samples)
            raise ValueError(f"{target}: not enough is held out of such a family; there is of {known}")
        samples = task.targets[target]
        aim = _written(samples, _digest(samples), work, "target")
        exam = exam.of_family(target)
        name = f"{variant}{f' without {target}' if removed else ''}, for {target}"
        records = [record for record in records if not (removed and record.family == target)]
    digest = _digest(records)
    path = _written(records, digest, work, "pool")
    tokens = encoder.cached(records, digest, work)
    pool = subsets.Pool(name, records, path, tokens.lengths.tolist(), aim)
    return Prepared(pool, tokens, exam, task)


def _digest(records: Sequence[data.Record]) -> str:
    return data.digest(part for record in records for part in record)


def _written(records: Sequence[data.Record], digest: str, work: Path, what: str) -> Path:
    path = work / f"{what}-{digest[:16]}.jsonl"
    data.write(records, path)
    return path


def jobs(
    pool: subsets.Pool,
    methods: Sequence[str],
    budgets: Sequence[int],
    units: Sequence[str],
    seeds: Sequence[int],
    settings: Settings,
    epochs: Sequence[int],
    thin_above: int | None = None,
) -> Iterator[Job]:
    """The jobs, small budgets and first seeds first; a subset is selected when its job's turn comes.

    Budgets above ``thin_above`` are judged in the first unit and for the fewest epochs alone: they take the most time.
    """
    if "base" in methods:
        # Neither trained nor drawn: one row for all pools.
        nothing = replace(subsets.select(pool, "base", 0, "tokens", 0), pool="")
        yield Job(nothing, 0, replace(settings, epochs=0, rows=0))
    chosen: dict[tuple[str, int, str, int], subsets.Subset] = {}
    for budget in sorted(budgets):
        thin = thin_above is not None and budget > thin_above
        for count in sorted(epochs)[: 1 if thin else None]:
            for seed in seeds:
                for unit in units[: 1 if thin else None]:
                    for method in methods:
                        if method == "base":
                            continue
                        drawn = seed if subsets.is_seeded(method) else seeds[0]
                        known = method, budget, unit, drawn
                        if known not in chosen:
                            chosen[known] = subsets.select(pool, *known)
                        rows = settings.rows or rows_for(budget)
                        yield Job(chosen[known], seed, replace(settings, epochs=count, rows=rows))
