"""A pool in memory: samples in one buffer, and the way back to the records that they came from."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from entropylaw.pool.records import Records
from entropylaw.pool.unread import Unread, described, shares


class Fingerprint(NamedTuple):
    """What a pool's samples are: equal fingerprints, equal samples in equal order.

    Attributes
    ----------
    samples : int
        Their number.
    bytes : int
        Bytes of all of them.
    sha256 : str
        Of the sample lengths (int64, little-endian), then of the samples.
    """

    samples: int
    bytes: int
    sha256: str


@dataclass(frozen=True, eq=False)
class Pool:
    """Samples to choose from, in input order. ``len(pool)`` is their number.

    Attributes
    ----------
    data : NDArray[np.uint8]
        The bytes of all samples, one after the other; shape ``(pool.size,)``.
    offsets : NDArray[np.int64]
        Sample ``i`` is ``data[offsets[i]:offsets[i + 1]]``; shape ``(len(pool) + 1,)``.
    groups : NDArray[np.uint32]
        Position of each sample's group in ``group_names``; shape ``(len(pool),)``.
    group_names : tuple[str, ...]
        Values of the field that groups records, by default ``source``; ``""`` stands for none.
    numbers : Mapping[str, NDArray[np.float64]]
        The fields that were read as numbers; shape ``(len(pool),)`` each.
    records : Records
        The way back to the records that the samples came from.
    schema : str
        Name of the schema that the records have; ``""`` if the rendering needs none.
    unread : tuple[Unread, ...]
        The members of the records that are not in the samples, most text first; for the rendering ``text``.
    options : Mapping[str, Any]
        How it was read: ``render``, ``schema``, ``field``, ``on_error``, ``group_by``, ``format``.
    skipped : tuple[str, ...]
        Where and why records were skipped.
    skips : NDArray[np.int64]
        How many samples come before each skipped record, rising; shape ``(len(skipped),)``.
    left_out : tuple[str, ...]
        Files in the directories that were named, or matched by patterns, that are not read: no data by their names.
    seconds : float
        Seconds that reading and rendering took.
    """

    data: NDArray[np.uint8] = field(repr=False)
    offsets: NDArray[np.int64] = field(repr=False)
    groups: NDArray[np.uint32] = field(repr=False)
    group_names: tuple[str, ...]
    numbers: Mapping[str, NDArray[np.float64]] = field(repr=False)
    records: Records = field(repr=False)
    schema: str
    unread: tuple[Unread, ...] = field(repr=False)
    options: Mapping[str, Any]
    skipped: tuple[str, ...]
    skips: NDArray[np.int64] = field(repr=False)
    left_out: tuple[str, ...] = field(repr=False)
    seconds: float

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def sample(self, index: int) -> bytes:
        """A sample's bytes."""
        return self.data[self.offsets[index] : self.offsets[index + 1]].tobytes()

    @property
    def size(self) -> int:
        """Bytes of all samples."""
        return len(self.data)

    def lengths(self) -> NDArray[np.int64]:
        """Bytes of each sample."""
        return np.diff(self.offsets)

    def lengths_of(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Bytes of some samples."""
        return self.offsets[indices + 1] - self.offsets[indices]

    @property
    def total_rows(self) -> int:
        """Records of what the pool was read from, those that were skipped among them."""
        return len(self) + len(self.skips)

    def rows(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Positions of samples in what the pool was read from, where skipped records count; over all files."""
        found: NDArray[np.int64] = indices + np.searchsorted(self.skips, indices, side="right")
        return found

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """Number, bytes and hash of the samples."""
        digest = hashlib.sha256(self.lengths().astype("<i8").tobytes())
        digest.update(self.data.data)
        return Fingerprint(len(self), len(self.data), digest.hexdigest())

    def unread_shares(self) -> list[float]:
        """The share of each of ``unread`` in all text of the records."""
        return shares(self.unread, self.size)

    def left_unread(self, characters: int = 150) -> str:
        """What ``unread`` lists, in words: as many members as about so many characters hold."""
        return described(self.unread, self.size, characters)

    def group_counts(self, indices: NDArray[np.int64] | None = None) -> dict[str, int]:
        """How many samples, of all or of ``indices``, are in each group, most first; empty if there is no source."""
        groups = self.groups if indices is None else self.groups[indices]
        counts = np.bincount(groups, minlength=len(self.group_names)).tolist()
        named = [(name, count) for name, count in zip(self.group_names, counts, strict=True) if count]
        return {} if self.group_names == ("",) else dict(sorted(named, key=lambda item: (-item[1], item[0])))
