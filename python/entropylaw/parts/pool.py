"""A pool whose samples are in its parts: what a selection asks of it is asked of them."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from entropylaw.controls.agree import united
from entropylaw.parts.part import Loaded
from entropylaw.parts.parts import Layout, Parts
from entropylaw.parts.pieces import Listed
from entropylaw.parts.reading import Reading
from entropylaw.pool import Pool
from entropylaw.pool.builder import check_any, tell
from entropylaw.pool.records import Records, schema_of_columns
from entropylaw.pool.render import parse
from entropylaw.pool.unread import Unread

_TOGETHER = 512
"""Samples or records that are fetched at a time."""
_TEXT = 1 << 23
"""Bytes of text that are fetched at a time."""
_LENGTHS = 1 << 20
"""Lengths that are fetched at a time."""


@dataclass(frozen=True, eq=False)
class PartedPool(Pool):
    """A pool in parts. It holds no text: samples are fetched when they are asked for, some at a time."""

    parts: Parts = field(repr=False)
    layout: Layout = field(repr=False)
    """Samples of each part."""
    loaded: Sequence[Loaded] = field(repr=False)

    @classmethod
    def of(
        cls, parts: Parts, loaded: Sequence[Loaded], files: Sequence[Listed], reading: Reading, left_out: Sequence[str]
    ) -> Self:
        """The pool of parts that are read.

        Raises
        ------
        EntropyLawError
            If it is empty.
        """
        layout = Layout([part.samples for part in loaded])
        skipped = tuple(why for part in loaded for why in part.skipped)
        skips = np.concatenate(
            [part.skips + first for part, first in zip(loaded, layout.firsts.tolist(), strict=False)]
        )
        check_any(len(layout), [file.name for file in files], skipped)
        pool = cls(
            data=np.zeros(0, dtype=np.uint8),
            offsets=np.zeros(1, dtype=np.int64),
            groups=np.zeros(0, dtype=np.uint32),
            group_names=united([part.group_names for part in loaded], in_order=True),
            numbers={},
            records=PartedRecords(parts, layout, all(part.tabular for part in loaded if part.samples), files),
            schema=next((part.schema for part in loaded if part.schema), ""),
            unread=_united_unread(loaded),
            options=reading.options(reading.renderer()),
            skipped=skipped,
            skips=skips,
            left_out=tuple(left_out),
            seconds=max(part.seconds for part in loaded),
            parts=parts,
            layout=layout,
            loaded=loaded,
        )
        empty = [name for part in loaded for name in part.without_records]
        tell(pool, reading.group_by, empty, sum(part.empty for part in loaded))
        return pool

    def __len__(self) -> int:
        return len(self.layout)

    @property
    def size(self) -> int:
        """Bytes of all samples."""
        return sum(part.bytes for part in self.loaded)

    def fetch(self, method: str, indices: NDArray[np.int64], *arguments: Any) -> NDArray[Any]:
        """What a method of each part returns for samples, an array, in their order."""
        split = self.layout.split(indices)
        asked = [(positions, *arguments) if len(positions) else None for positions in split]
        return self.layout.joined(indices, self.parts.call(method, asked))

    def sample(self, index: int) -> bytes:
        """A sample's bytes."""
        return next(fetched(self.parts, self.layout, "samples", [index]))  # type: ignore[no-any-return]

    def lengths(self) -> NDArray[np.int64]:
        """Bytes of each sample: an array as long as the pool, which the leader does without."""
        return np.concatenate(self.parts.all("lengths", slice(None)))

    def lengths_of(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Bytes of some samples."""
        return self.fetch("lengths", indices)

    @cached_property
    def fingerprint(self) -> Any:
        """Number, bytes and hash of the samples: all text passes through here, some megabytes at a time."""
        from entropylaw.pool.model import Fingerprint

        digest = hashlib.sha256()
        for number, part in enumerate(self.loaded):
            for start in range(0, part.samples, _LENGTHS):
                lengths = self.parts.one(number, "lengths", slice(start, start + _LENGTHS))
                digest.update(lengths.astype("<i8").tobytes())
        for number, part in enumerate(self.loaded):
            for start in range(0, part.bytes, _TEXT):
                digest.update(self.parts.one(number, "text", start, start + _TEXT))
        return Fingerprint(len(self), self.size, digest.hexdigest())

    def group_counts(self, indices: NDArray[np.int64] | None = None) -> dict[str, int]:
        """How many samples, of all or of ``indices``, are in each group, most first; empty if there is no source."""
        counts = dict.fromkeys(self.group_names, 0)
        if indices is None:
            found = [part.group_counts for part in self.loaded]
        else:
            split = self.layout.split(indices)
            groups = self.parts.call("groups", [(positions,) if len(positions) else None for positions in split])
            found = [
                () if part is None else tuple(np.bincount(part, minlength=len(loaded.group_names)).tolist())
                for part, loaded in zip(groups, self.loaded, strict=True)
            ]
        for part, loaded in zip(found, self.loaded, strict=True):
            for name, count in zip(loaded.group_names, part, strict=False):
                counts[name] += count
        named = [(name, count) for name, count in counts.items() if count]
        return {} if self.group_names == ("",) else dict(sorted(named, key=lambda item: (-item[1], item[0])))


class PartedRecords(Records):
    """The records of a pool in parts, fetched some at a time."""

    def __init__(self, parts: Parts, layout: Layout, tabular: bool, files: Sequence[Listed]) -> None:
        super().__init__()
        self._remote, self._layout = parts, layout
        self._tabular = tabular
        self._files = files

    def __len__(self) -> int:
        return len(self._layout)

    @property
    def tabular(self) -> bool:
        """Whether all records are rows of tables."""
        return self._tabular

    def files(self) -> list[Any]:
        """The files that they are in."""
        return [_Described(file) for file in self._files]

    def paths(self) -> list[str]:
        """The files with a name that are read for them."""
        return [str(file.path) for file in self._files]

    def where(self, index: int) -> str:
        """Where a record is, for people."""
        number = int(self._layout.owner(np.array([index]))[0])
        found: str = self._remote.one(number, "where", index - int(self._layout.firsts[number]))
        return found

    def raw(self, indices: Iterable[int]) -> Iterator[bytes]:
        """Records as one line of JSON each, in the order asked for."""
        return fetched(self._remote, self._layout, "raw", indices)

    def objects(self, indices: Iterable[int]) -> Iterator[Any]:
        """Records as Python objects, in the order asked for."""
        return map(parse, self.raw(indices))

    def tables(self) -> list[Any]:
        """The columns of each part that is a table, with its name."""
        nothing = np.zeros(0, dtype=np.int64)
        return [table for part in self._remote.all("columns", nothing) for table in part.tables]

    def schema(self, indices: Iterable[int] = ()) -> Any:
        """The columns and types of ``rows``."""
        rising = np.unique(np.fromiter(indices, dtype=np.int64))
        found = self._remote.call("columns", [(part,) for part in self._layout.split(rising)])
        return schema_of_columns(found)

    def rows(self, indices: Iterable[int], schema: Any = None) -> Iterator[Any]:
        """Records as rows, in the order asked for, in batches of the type ``schema``."""
        import pyarrow as pa

        wanted = np.fromiter(indices, dtype=np.int64)
        schema = self.schema(wanted) if schema is None else schema
        for start in range(0, len(wanted), _TOGETHER):
            some = wanted[start : start + _TOGETHER]
            split = self._layout.split(some)
            tables = self._remote.call("table", [(part, schema, {}) if len(part) else None for part in split])
            order = np.argsort(np.argsort(self._layout.owner(some), kind="stable"), kind="stable")
            whole = pa.concat_tables([table for table in tables if table is not None])
            yield from whole.take(pa.array(order)).combine_chunks().to_batches()


@dataclass(frozen=True)
class _Described:
    """A file, as far as a manifest and a check of outputs need it."""

    file: Listed

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def origin(self) -> str:
        return str(self.file.path)

    def described(self) -> Mapping[str, Any]:
        return self.file.described


@dataclass(frozen=True)
class _Texts(Records):
    """Where the texts of a benchmark are, for people: what is left of its records when it goes to a part."""

    names: tuple[tuple[str, int], ...]
    places: tuple[str, ...]

    def parts(self) -> list[tuple[str, int]]:
        return list(self.names)

    def where(self, index: int) -> str:
        return self.places[index]


def sendable(pool: Pool, *, with_places: bool = False) -> Pool:
    """The samples of a pool that goes to the parts beside theirs, without its files."""
    names = tuple(pool.records.parts())
    places = tuple(map(pool.records.where, range(len(pool)))) if with_places else ()
    nothing = np.zeros(0, dtype=np.uint32)
    return replace(
        pool, data=np.asarray(pool.data), groups=nothing, numbers={}, records=_Texts(names, places), options={}
    )


def fetched(parts: Parts, layout: Layout, method: str, indices: Iterable[int], *arguments: Any) -> Iterator[Any]:
    """What a method of the parts returns for each of some positions in the whole, in their order; some at a time."""
    wanted = np.fromiter(indices, dtype=np.int64)
    if len(wanted) and (wanted.min() < 0 or wanted.max() >= len(layout)):
        raise IndexError(f"the pool has {len(layout)} records; asked for {wanted.min()} to {wanted.max()}")
    for start in range(0, len(wanted), _TOGETHER):
        some = wanted[start : start + _TOGETHER]
        asked = [(positions, *arguments) if len(positions) else None for positions in layout.split(some)]
        yield from layout.merged(some, parts.call(method, asked))


def _united_unread(loaded: Sequence[Loaded]) -> tuple[Unread, ...]:
    found: dict[str, Unread] = {}
    for part in loaded:
        for member in part.unread:
            known = found.get(member.member, Unread(member.member, 0, 0))
            found[member.member] = Unread(member.member, known.records + member.records, known.bytes + member.bytes)
    return tuple(sorted(found.values(), key=lambda unread: (-unread.bytes, -unread.records, unread.member)))
