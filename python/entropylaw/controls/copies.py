"""Equal samples, of which the first stays that nothing else excludes: within a part of a pool, and over all parts.

Within a part they are compared byte for byte. Over parts, which can't see each other's text, they are compared by 128
bits of BLAKE2b, of the first of each set of equal samples alone. The hashes are compared in slices of their range, so
that whoever compares them never holds all.
"""

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.pool import Pool

_BYTES = 16
_SLICE = 1 << 21
"""Hashes that are compared at a time, about."""


class Hashes(NamedTuple):
    """The sets of equal samples of a part whose hashes are in a slice."""

    hashes: NDArray[np.uint64]
    """Shape ``(sets, 2)``, in rising order."""
    known: NDArray[np.bool_]
    """Whether one of the set is known, as the anchor's are."""


class Met(NamedTuple):
    """What a part is told of the sets that it has sent."""

    before: NDArray[np.bool_]
    """Whether an earlier part has such samples."""
    known: NDArray[np.bool_]
    """Whether such a sample is known, in any part."""


class Copies:
    """The equal samples of a part.

    Parameters
    ----------
    pool
        The part.
    members
        Positions of the samples that stay so far; None if all do.
    anchor
        Samples from elsewhere that are known.
    known
        Positions of samples that are known, all of which stay.
    """

    def __init__(
        self,
        pool: Pool,
        members: NDArray[np.int64] | None,
        anchor: Pool | None,
        known: NDArray[np.int64] | None,
        threads: int | None,
    ) -> None:
        # Of all samples, views: an array of 8 bytes a sample counts where samples are short.
        of = slice(None) if members is None else members
        self._pool = pool
        self._members = np.arange(len(pool))[of]
        self._first = _core.first_copies(
            pool.data,
            pool.offsets[:-1][of],
            pool.offsets[1:][of],
            known_data=None if anchor is None else anchor.data,
            known_offsets=None if anchor is None else anchor.offsets,
            threads=threads,
        )
        self._copies = self._first != np.arange(len(self._members))
        self._known = np.zeros(len(self._members), dtype=np.bool_)
        """Of the first of each set, whether one of the set is known."""
        if known is not None:
            self._known[self._first[np.searchsorted(self._members, known)]] = True
        self._hashes: NDArray[np.uint64] | None = None
        self._order: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        """The first of each set, in the order of their hashes."""

    def of_anchor(self) -> NDArray[np.int64]:
        """Positions of the samples that equal one of the anchor's."""
        return self._members[self._first < 0]

    def found(self) -> NDArray[np.int64]:
        """Positions of the samples that are copies."""
        copies = self._copies
        if self._known.any():
            copies = copies | self._known[self._first]
        found: NDArray[np.int64] = self._members[copies]
        return found

    def sets(self) -> int:
        """How many different samples there are."""
        return int(np.count_nonzero(self._first == np.arange(len(self._members))))

    def hashes(self, low: int, high: int) -> Hashes:
        """The hashes whose first 32 bits are from ``low`` to ``high - 1``."""
        if self._hashes is None:
            firsts = np.flatnonzero(self._first == np.arange(len(self._members)))
            data, offsets = self._pool.data.data, self._pool.offsets
            starts, ends = offsets[self._members[firsts]].tolist(), offsets[self._members[firsts] + 1].tolist()
            made = b"".join(
                hashlib.blake2b(data[start:end], digest_size=_BYTES).digest()
                for start, end in zip(starts, ends, strict=True)
            )
            hashes = np.frombuffer(made, dtype=">u8").reshape(-1, 2).astype(np.uint64)
            order = np.lexsort((hashes[:, 1], hashes[:, 0]))
            self._hashes, self._order = hashes[order], firsts[order]
        cut = self._cut(low, high)
        return Hashes(self._hashes[cut], self._known[self._order[cut]])

    def meet(self, low: int, high: int, met: Met) -> None:
        """Takes in what the other parts have of the hashes of a slice."""
        sets = self._order[self._cut(low, high)]
        self._copies[sets[met.before]] = True
        self._known[sets[met.known]] = True

    def _cut(self, low: int, high: int) -> slice:
        assert self._hashes is not None
        begins = (self._hashes[:, 0] >> np.uint64(32)).astype(np.int64)
        return slice(int(np.searchsorted(begins, low)), int(np.searchsorted(begins, high)))


def slices(sets: int) -> list[tuple[int, int]]:
    """Slices of the range of hashes, for so many in all; see ``Copies.hashes``."""
    count = max(1, -(-sets // _SLICE))
    bounds = [(1 << 32) * number // count for number in range(count + 1)]
    return list(pairwise(bounds))


def compare(parts: Sequence[Hashes]) -> list[Met]:
    """What each part is to know of the hashes of a slice; the first part is the earliest."""
    hashes = np.concatenate([part.hashes for part in parts])
    sizes = [len(part.hashes) for part in parts]
    owner = np.repeat(np.arange(len(parts)), sizes)
    order = np.lexsort((owner, hashes[:, 1], hashes[:, 0]))
    rising = hashes[order]
    again = np.zeros(len(rising), dtype=np.bool_)
    again[1:] = (rising[1:] == rising[:-1]).all(axis=1)
    group = np.cumsum(~again) - 1
    known = np.concatenate([part.known for part in parts])[order]
    group_known = np.zeros(int(group[-1]) + 1 if len(group) else 0, dtype=np.bool_)
    np.logical_or.at(group_known, group, known)
    before, is_known = np.zeros(len(rising), dtype=np.bool_), np.zeros(len(rising), dtype=np.bool_)
    before[order], is_known[order] = again, group_known[group]
    ends = np.cumsum(sizes)
    return [Met(before[end - size : end], is_known[end - size : end]) for end, size in zip(ends, sizes, strict=True)]
