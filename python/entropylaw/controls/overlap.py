"""Samples that hold text of a benchmark, or of the target that the selection is for."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.pool import Pool

_EXAMPLES = 20
_SHOWN = 300
_KNOWN = 0.7
"""The share of its runs of 8 words that a pool has of a text that it is said to know; see PaLM (arXiv 2204.02311)."""


class Found(NamedTuple):
    """What a part of a pool has of a benchmark."""

    what: str
    """What the benchmark is to the selection."""
    files: tuple[tuple[str, int], ...]
    """The benchmark's files, and how many texts are in each."""
    having: tuple[int, ...]
    """By file, how many samples hold text of it."""
    silent: tuple[int, ...]
    """By file, how many texts have no run to look for."""
    run_texts: NDArray[np.uint32]
    """The text of each run of 8 words."""
    seen: NDArray[np.bool_]
    """Of each of these runs, whether the part has it."""
    examples: tuple[dict[str, str], ...]
    """The first samples that were found, and what they hold."""


@dataclass(frozen=True, eq=False)
class Overlap:
    """What of a part of a pool holds text of benchmarks."""

    holds: NDArray[np.bool_]
    """Of each sample, whether it does."""
    found: list[Found]
    """By benchmark."""

    @classmethod
    def of(
        cls,
        pool: Pool,
        benchmarks: Mapping[str, Pool],
        threads: int | None,
        progress: Callable[[_core.Progress], object] | None,
    ) -> Self:
        """Looks for the texts of benchmarks, each by what it is to the selection."""
        holds = np.zeros(len(pool), dtype=np.bool_)
        found = []
        for what, benchmark in benchmarks.items():
            # What lies in memory has no name of its own.
            files = tuple(
                (f"the {what}" if name == "the pool" else name, count) for name, count in benchmark.records.parts()
            )
            groups = np.repeat(np.arange(len(files), dtype=np.uint32), [count for _, count in files])
            matches, comparable, run_texts, seen = _core.find_overlap(
                pool.data, pool.offsets, benchmark.data, benchmark.offsets, groups, threads=threads, progress=progress
            )
            samples, texts = matches[:, 0], matches[:, 1]
            holds[samples] = True
            examples = []
            for sample, text, start, end in matches[:_EXAMPLES].tolist():
                matched = pool.sample(sample)[start:end].decode(errors="replace")
                where, whose = pool.records.where(sample), benchmark.records.where(text)
                examples.append({"sample": where, "text": whose, "matched": matched[:_SHOWN]})
            found.append(
                Found(
                    what,
                    files,
                    tuple(np.bincount(groups[texts], minlength=len(files)).tolist()),
                    tuple(np.bincount(groups[~comparable], minlength=len(files)).tolist()),
                    run_texts,
                    seen,
                    tuple(examples),
                )
            )
        return cls(holds, found)


def summary_of(samples: int, parts: Sequence[Sequence[Found]]) -> dict[str, Any]:
    """What was looked for, how many ``samples`` have it, and some of them, by what the parts of a pool have; for the
    manifest."""
    files: list[dict[str, Any]] = []
    examples: list[dict[str, str]] = []
    for of_parts in zip(*parts, strict=True):
        first = of_parts[0]
        # Several samples, in several parts, may hold a part of a text each.
        seen = np.logical_or.reduce([part.seen for part in of_parts])
        texts = sum(count for _, count in first.files)
        runs = np.bincount(first.run_texts, minlength=texts)
        shares = np.bincount(first.run_texts[seen], minlength=texts)[runs > 0] / runs[runs > 0]
        ends = np.cumsum([0, *(count for _, count in first.files)])
        at = np.concatenate([[0], np.cumsum(runs > 0)])[ends].tolist()
        for number, (name, count) in enumerate(first.files):
            known = shares[at[number] : at[number + 1]]
            files.append(
                {
                    "what": first.what,
                    "name": name,
                    "texts": count,
                    "not_comparable": first.silent[number],
                    "samples": sum(part.having[number] for part in of_parts),
                    "known_texts": int(np.count_nonzero(known >= _KNOWN)),
                    "known_share": math.fsum(known.tolist()) / len(known) if len(known) else None,
                }
            )
        found = [example for part in of_parts for example in part.examples]
        examples += found[: _EXAMPLES - len(examples)]
    return {"samples": samples, "files": files, "examples": examples}
