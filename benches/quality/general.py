"""Selecting from a pool for its own sake: how well subsets predict its held-out text, and what junk they hold."""

import random
from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Any

import heldout
import measures
from junk import KINDS, junk
from methods import Problem, Unit, pick

Row = dict[str, Any]


def rows(
    task: heldout.Task, names: list[str], unit: Unit, size: int, share: float, workers: Executor, problem: Problem
) -> Iterator[Row]:
    """A row for each method, at one budget; ``share`` of the pool's bytes is added in junk, where that is measured."""
    amount = problem.amount(unit, size)
    for name in names:
        picked = pick(name, problem, unit, amount)
        row = {"task": "general", "unit": unit, "budget": size, "method": name}
        row |= _quality(task, picked, workers)
        if share and unit == "bytes" and (name.startswith(("coverage", "zip")) or name == "random-0"):
            row["junk"] = _junk_shares(task.samples, name, size, share)
        yield row


def _quality(task: heldout.Task, picked: list[int], workers: Executor) -> Row:
    """The measures of a subset."""
    subset = b"\n".join(task.samples[index] for index in picked)
    bits = {
        model: workers.submit(measures.bits_per_byte, subset, task.heldout, size)
        for model, size in measures.MODELS.items()
    }
    row: Row = {"samples": len(picked), "bytes": sum(len(task.samples[index]) for index in picked)}
    for model, future in bits.items():
        families = future.result()
        row[model] = {
            "macro": sum(families.values()) / len(families),
            "micro": sum(task.weights[family] * value for family, value in families.items()),
            "families": families,
        }
    duplicates = 1 - len({task.prompts[index] for index in picked}) / len(picked)
    return row | measures.ratios(subset) | {"duplicate_prompts": duplicates}


def _junk_shares(samples: list[bytes], name: str, size: int, share: float) -> dict[str, dict[str, float]]:
    """Shares of junk in the bytes selected from a pool with ``share`` of junk, single and in three copies."""
    result = {}
    for copied, copies in (("single", 1), ("copied", 3)):
        mixed = [*junk(samples, share, copies, seed=copies), *(("", sample) for sample in samples)]
        random.Random(copies).shuffle(mixed)
        texts = [text for _, text in mixed]
        spent = dict.fromkeys(("", *KINDS), 0)
        for index in pick(name, Problem(texts), "bytes", size):
            spent[mixed[index][0]] += len(texts[index])
        total = sum(spent.values())
        result[copied] = {"all": 1 - spent.pop("") / total} | {kind: size / total for kind, size in spent.items()}
    return result


def table(found: list[Row]) -> str:
    """The results, for people."""
    head = f"{'unit':6} {'budget':>11}  {'method':14} {'samples':>8}  {'PPMd macro':>10} {'micro':>6}  {'xz macro':>8}"
    lines = [head + f" {'micro':>6}  {'R zlib':>6} {'R xz':>6}  {'dup.prompts':>11}  {'junk':>6} {'copied':>6}"]
    for row in found:
        junk = row.get("junk", {})
        shares = " ".join(f"{junk[kind]['all']:6.1%}" if kind in junk else f"{'-':>6}" for kind in ("single", "copied"))
        lines.append(
            f"{row['unit']:6} {row['budget']:>11,}  {row['method']:14} {row['samples']:>8,}  "
            f"{row['ppmd']['macro']:>10.3f} {row['ppmd']['micro']:>6.3f}  "
            f"{row['xz']['macro']:>8.3f} {row['xz']['micro']:>6.3f}  {row['R_zlib']:>6.2f} {row['R_xz']:>6.2f}  "
            f"{row['duplicate_prompts']:>11.1%}  {shares}"
        )
    return "\n".join(lines)
