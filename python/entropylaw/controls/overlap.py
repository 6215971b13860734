"""Samples that hold text of a benchmark, or of the target that the selection is for."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.pool import Pool

_EXAMPLES = 20
_SHOWN = 300
_KNOWN = 0.7
"""The share of its runs of 8 words that a pool has of a text that it is said to know; see PaLM (arXiv 2204.02311)."""


@dataclass(frozen=True, eq=False)
class Overlap:
    """What of a pool holds text of benchmarks."""

    holds: NDArray[np.bool_]
    """Of each sample of the pool, whether it does."""
    summary: Mapping[str, Any]
    """What was looked for, how many samples have it, and some of them; for the manifest."""

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
        files: list[dict[str, Any]] = []
        examples: list[dict[str, str]] = []
        for what, benchmark in benchmarks.items():
            # What lies in memory has no name of its own.
            parts = [
                (f"the {what}" if name == "the pool" else name, count) for name, count in benchmark.records.parts()
            ]
            groups = np.repeat(np.arange(len(parts), dtype=np.uint32), [count for _, count in parts])
            matches, comparable, shares = _core.find_overlap(
                pool.data, pool.offsets, benchmark.data, benchmark.offsets, groups, threads=threads, progress=progress
            )
            samples, texts = matches[:, 0], matches[:, 1]
            holds[samples] = True
            having = np.bincount(groups[texts], minlength=len(parts)).tolist()
            silent = np.bincount(groups[~comparable], minlength=len(parts)).tolist()
            for number, ((name, count), unable, found) in enumerate(zip(parts, silent, having, strict=True)):
                known = shares[(groups == number) & ~np.isnan(shares)]
                files.append(
                    {
                        "what": what,
                        "name": name,
                        "texts": count,
                        "not_comparable": unable,
                        "samples": found,
                        "known_texts": int(np.count_nonzero(known >= _KNOWN)),
                        "known_share": math.fsum(known.tolist()) / len(known) if len(known) else None,
                    }
                )
            for sample, text, start, end in matches[: _EXAMPLES - len(examples)].tolist():
                matched = pool.sample(sample)[start:end].decode(errors="replace")
                where, whose = pool.records.where(sample), benchmark.records.where(text)
                examples.append({"sample": where, "text": whose, "matched": matched[:_SHOWN]})
        return cls(holds, {"samples": int(np.count_nonzero(holds)), "files": files, "examples": examples})
