"""What people do without entropylaw, for the benchmarks: two ways to size candidates in Python, and ZIP over either.

`recompress` is what the authors' script does: compress everything selected again for each candidate. `copy` is the best
that Python's zlib offers: copy the compressor that has read everything selected, and feed it the candidate.
"""

import zlib
from collections.abc import Callable, Sequence

import numpy as np

Probe = Callable[[Sequence[bytes], Sequence[bytes]], list[int]]
"""Compressed sizes of a prefix, given in pieces, followed by each candidate."""


def recompress(prefix: Sequence[bytes], candidates: Sequence[bytes]) -> list[int]:
    """Compresses prefix and candidate from the start, each time."""
    head = b"".join(prefix)
    return [len(zlib.compress(head + candidate, 9)) for candidate in candidates]


def copy(prefix: Sequence[bytes], candidates: Sequence[bytes]) -> list[int]:
    """Compresses the prefix once, and each candidate with a copy of that compressor."""
    compressor = zlib.compressobj(9)
    written = len(compressor.compress(b"".join(prefix)))
    sizes = []
    for candidate in candidates:
        fork = compressor.copy()
        sizes.append(written + len(fork.compress(candidate)) + len(fork.flush()))
    return sizes


def zip_select(samples: Sequence[bytes], budget: int, k1: int, k2: int, k3: int, probe: Probe) -> list[int]:
    """The authors' script over ``probe``, with a stable sort as its lowest-k."""
    lengths = np.array([len(sample) for sample in samples])

    def ratios(chosen: list[int], indices: Sequence[int]) -> np.ndarray:
        prefix = [samples[index] for index in chosen]
        raw = lengths[chosen].sum() + lengths[list(indices)]
        sizes = np.array(probe(prefix, [samples[index] for index in indices]))
        return (raw / sizes).astype(np.float32)

    state = np.concatenate([ratios([], [index]) for index in range(len(samples))])
    selected: list[int] = []
    while len(selected) < budget:
        first = np.argsort(state, kind="stable")[:k1]
        values = state[first] = ratios(selected, first.tolist())
        block = first[np.argsort(values, kind="stable")[:k2]]
        state[block] = 1_000_000
        left, picks = block.tolist(), []
        for _ in range(k3):
            picks.append(left.pop(int(np.argmin(ratios(picks, left)))))
        selected += picks
    return selected
