"""A pool in memory: samples in one buffer, and the way back to the records that they came from."""

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from entropylaw.pool.render import as_json
from entropylaw.pool.source import Source
from entropylaw.pool.split import on_one_line


class Fingerprint(NamedTuple):
    """What a pool's samples are: equal fingerprints, equal samples in equal order."""

    samples: int
    bytes: int
    sha256: str
    """Of the sample lengths (int64, little-endian), then of the samples."""


class Records(Protocol):
    """The records behind the samples of a pool."""

    def where(self, index: int) -> str:
        """Where a record is, for people."""

    def raw(self, indices: Iterable[int]) -> Iterator[bytes]:
        """Records as one line of JSON each, in the order asked for; from files, the bytes that are there."""

    def files(self) -> list[Source]:
        """The files that they are in."""


@dataclass(frozen=True, eq=False)
class Pool:
    """Samples to choose from, in input order. ``len(pool)`` is their number."""

    data: NDArray[np.uint8] = field(repr=False)
    """All samples, one after the other."""
    offsets: NDArray[np.int64] = field(repr=False)
    """Sample ``i`` is ``data[offsets[i]:offsets[i + 1]]``; shape ``(len(pool) + 1,)``."""
    groups: NDArray[np.uint32] = field(repr=False)
    """Position of each sample's group in ``group_names``."""
    group_names: tuple[str, ...]
    """Values of the field that groups records, by default ``source``; ``""`` stands for none."""
    numbers: Mapping[str, NDArray[np.float64]] = field(repr=False)
    """The fields that were read as numbers, one a sample."""
    records: Records = field(repr=False)
    schema: str
    """Name of the schema that the records have; ``""`` if the rendering needs none."""
    options: Mapping[str, str | None]
    """How it was read: ``render``, ``schema``, ``field``, ``on_error``."""
    skipped: tuple[str, ...]
    """Where and why records were skipped."""
    seconds: float
    """Seconds that reading and rendering took."""

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def sample(self, index: int) -> bytes:
        """A sample's bytes."""
        return self.data[self.offsets[index] : self.offsets[index + 1]].tobytes()

    def lengths(self) -> NDArray[np.int64]:
        """Bytes of each sample."""
        return np.diff(self.offsets)

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """Number, bytes and hash of the samples."""
        digest = hashlib.sha256(self.lengths().astype("<i8").tobytes())
        digest.update(self.data.data)
        return Fingerprint(len(self), len(self.data), digest.hexdigest())

    def group_counts(self, indices: NDArray[np.int64] | None = None) -> dict[str, int]:
        """How many samples, of all or of ``indices``, are in each group, most first; empty if there is no source."""
        groups = self.groups if indices is None else self.groups[indices]
        counts = np.bincount(groups, minlength=len(self.group_names)).tolist()
        named = [(name, count) for name, count in zip(self.group_names, counts, strict=True) if count]
        return {} if self.group_names == ("",) else dict(sorted(named, key=lambda item: (-item[1], item[0])))


class FileRecords:
    """Records in files, found again by their offsets: a pool holds no text twice."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._source = array("I")
        self._line = array("q")
        self._start = array("q")
        self._length = array("q")

    def add(self, source: int, line: int, start: int, length: int) -> None:
        """The next record: its file, its line, its offset and length in the file's content."""
        self._source.append(source)
        self._line.append(line)
        self._start.append(start)
        self._length.append(length)

    def files(self) -> list[Source]:
        return list(self._sources)

    def where(self, index: int) -> str:
        return f"{self._sources[self._source[index]].name}:{self._line[index]}"

    def raw(self, indices: Iterable[int]) -> Iterator[bytes]:
        wanted = list(indices)
        by_source: dict[int, list[int]] = {}
        for index in sorted(set(wanted)):
            by_source.setdefault(self._source[index], []).append(index)
        found: dict[int, bytes] = {}
        for number, mine in by_source.items():
            self._sources[number].check_unchanged()
            found.update(self._read(self._sources[number], mine))
        return (on_one_line(found[index]) if b"\n" in found[index] else found[index] for index in wanted)

    def _read(self, source: Source, indices: list[int]) -> Iterator[tuple[int, bytes]]:
        """Records of one file, in the order of their offsets."""
        if source.is_plain():
            with source.open() as file:
                for index in indices:
                    file.seek(self._start[index])
                    yield index, file.read(self._length[index])
            return
        chunks = source.chunks()
        buffer, offset = b"", 0
        for index in indices:
            start, length = self._start[index], self._length[index]
            while offset + len(buffer) < start:
                offset += len(buffer)
                buffer = next(chunks)
            pieces = [buffer[start - offset :]]
            missing = length - len(pieces[0])
            while missing > 0:
                offset += len(buffer)
                buffer = next(chunks)
                pieces.append(buffer[:missing])
                missing -= len(buffer)
            yield index, b"".join(pieces)[:length]


class MemoryRecords:
    """Records that are Python objects."""

    def __init__(self, records: Sequence[Any]) -> None:
        self._records = records
        self._kept = array("q")

    def add(self, index: int) -> None:
        """The next record is ``records[index]``."""
        self._kept.append(index)

    def files(self) -> list[Source]:
        return []

    def where(self, index: int) -> str:
        return f"record {self._kept[index]}"

    def raw(self, indices: Iterable[int]) -> Iterator[bytes]:
        return (as_json(self._records[self._kept[index]]) for index in indices)
