"""``entropylaw.compare``."""

import hashlib
import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core, parameters
from entropylaw.codecs import Codec, Job, sizes
from entropylaw.distribution import Duplicates
from entropylaw.errors import EntropyLawError
from entropylaw.measuring import Ratio, parsed, pieces_of, ratio
from entropylaw.order import seed, shuffled
from entropylaw.pool import Pool, PoolLike, Render, load
from entropylaw.pool.arena import MEMORY, memory_limit
from entropylaw.pool.formats import Format
from entropylaw.pool.load import OnError
from entropylaw.storage.options import takes_storage_options
from entropylaw.storage.urls import as_path

NGRAM = 5
"""Bytes of the n-grams that are counted: those of coverage."""


@dataclass(frozen=True)
class Novelty:
    """What a version has that the ones before it lack.

    Attributes
    ----------
    samples_seen : int
        Samples that are in a version before, to the byte.
    bits : dict[str, float]
        By codec, compressed bits a byte of the version, behind all versions before: how much longer it makes their
        compressed stream, for each of its bytes. 0: all of it was there.
    ngrams : float
        Share of the version's recurring n-grams (5 bytes, in two samples at least, after two different left contexts)
        that no version before has; 0 if none recur. Above 4 MB estimated from a sample of the n-grams, always the same.
    """

    samples_seen: int
    bits: dict[str, float]
    ngrams: float


@dataclass(frozen=True)
class Version:
    """A version of a data set.

    Attributes
    ----------
    name : str
        What it is called.
    ratio : Ratio
        R by codec and group, duplicates, R and length of its samples.
    novelty : Novelty | None
        What it adds to the versions before; None for the first.
    pool : Pool
        Its samples.
    """

    name: str
    ratio: Ratio
    novelty: Novelty | None
    pool: Pool = field(repr=False)

    @property
    def duplicates(self) -> Duplicates:
        """Its samples that repeat others of it."""
        assert self.ratio.duplicates is not None
        return self.ratio.duplicates

    def bits(self, codec: str) -> float:
        """Compressed bits a byte of the version alone: 8 / R."""
        part = self.ratio.by_codec[codec]
        return 8 * part.compressed_bytes / max(part.raw_bytes, 1)


@dataclass(frozen=True)
class Comparison:
    """Versions of a data set, in the order given.

    Attributes
    ----------
    versions : tuple[Version, ...]
        The versions.
    codecs : tuple[str, ...]
        Names of the codecs.
    order : str
        The order in which the samples of each version were compressed.
    """

    versions: tuple[Version, ...]
    codecs: tuple[str, ...]
    order: str

    @property
    def groups(self) -> list[str]:
        """The groups of all versions, the one with most samples in any version first."""
        most: dict[str, int] = {}
        for version in self.versions:
            for name, part in version.ratio.by_source.items():
                most[name] = max(most.get(name, 0), part.samples)
        return sorted(most, key=lambda name: (-most[name], name))

    def table(self) -> list[tuple[str, list[str]]]:
        """What was measured of each version, row by row: a title, and text for each of them."""

        def row(title: str, value: Callable[[Version], str]) -> tuple[str, list[str]]:
            return title, [value(version) for version in self.versions]

        def added(title: str, value: Callable[[Version, Novelty], str]) -> tuple[str, list[str]]:
            return row(title, lambda version: value(version, version.novelty) if version.novelty else "")

        rows = [
            row("samples", lambda version: f"{version.ratio.samples:,}"),
            row("bytes", lambda version: f"{version.ratio.raw_bytes:,}"),
        ]
        for codec in self.codecs:
            rows.append(row(f"R {codec}", lambda version: f"{version.ratio.by_codec[codec].ratio:.3f}"))  # noqa: B023
        rows += [
            row("repeated exactly", lambda version: f"{version.duplicates.exact_share:.1%}"),
            row("repeated nearly", lambda version: f"{version.duplicates.near_share:.1%}"),
            added("in a version before", lambda version, new: f"{new.samples_seen / version.ratio.samples:.1%}"),
        ]
        for codec in self.codecs:
            if not Codec.parse(codec).in_core:
                rows.append(row(f"bits a byte alone, {codec}", lambda version: f"{version.bits(codec):.3f}"))  # noqa: B023
                rows.append(added(f"bits a byte behind, {codec}", lambda _, new: f"{new.bits[codec]:.3f}"))  # noqa: B023
        return [*rows, added("new recurring n-grams", lambda _, new: f"{new.ngrams:.1%}")]


@takes_storage_options
def compare(
    *versions: PoolLike | Pool,
    names: Sequence[str] | None = None,
    codecs: Sequence[str] = ("zlib", "zstd"),
    shuffle: int | None = None,
    render: Render = "text",
    schema: str | None = None,
    field: str | None = None,
    group_by: str = "source",
    on_error: OnError = "raise",
    format: Format | None = None,
    memory: int | str = MEMORY,
    storage_options: Mapping[str, Any] | None = None,
    threads: int | None = None,
    progress: Callable[[Any], object] | None = None,
) -> Comparison:
    """Measures versions of a data set side by side, and what each adds to the ones before.

    Parameters
    ----------
    versions
        Two or more data sets, each as ``select`` takes a pool.
    names : sequence of str, optional
        What to call them; by default by their files, or v1, v2 and so on.
    codecs
        As for ``ratio``. Novelty in bits a byte is measured with those that look back far: not with zlib.
    shuffle : int, optional
        As for ``ratio``: compress each version in an order that does not depend on the order of its samples.
    memory
        Bytes of samples that are held in memory, of all versions together.
    group_by
        The field that names a record's group.
    render, schema, field, on_error, format, storage_options, threads, progress
        As for ``ratio``.

    Returns
    -------
    Comparison

    Raises
    ------
    EntropyLawError
        If there are fewer than two versions, the data can't be used, or a parameter doesn't fit.

    Examples
    --------
    >>> import entropylaw
    >>> old = [f"sample {n} says that {n} times {n} is {n * n}" for n in range(200)]
    >>> new = [f"quite another thing, {n}, has now been added to it" for n in range(50)]
    >>> version = entropylaw.compare(old, old + new).versions[1]
    >>> version.novelty.samples_seen
    200
    >>> version.novelty.bits["zstd"] < version.bits("zstd")
    True
    """
    chosen = parsed(codecs)
    workers = parameters.threads(threads)
    shuffle = seed(shuffle)
    if len(versions) < 2:
        raise EntropyLawError(f"there is {len(versions)} version to compare; name two or more")
    names = None if names is None else parameters.texts("names", names, "a name for each version")
    if names is not None and len(names) != len(versions):
        raise EntropyLawError(f"there are {len(names)} names for {len(versions)} versions; give one for each")
    each = memory_limit(memory) // len(versions)
    pools = [
        load(
            version,
            render=render,
            schema=schema,
            field=field,
            group_by=group_by,
            on_error=on_error,
            format=format,
            memory=each,
            threads=threads,
            progress=progress,
        )
        for version in versions
    ]
    called = list(names) if names is not None else _names(pools)
    ratios = [
        ratio(
            pool,
            codecs=codecs,
            shuffle=shuffle,
            distribution=True,
            duplicates=True,
            threads=workers,
            progress=progress,
        )
        for pool in pools
    ]
    orders = [None if shuffle is None else shuffled(pool, shuffle) for pool in pools]
    bits = _bits(pools, orders, ratios, [codec for codec in chosen if not codec.in_core], workers, progress)
    seen = _seen(pools)
    made = []
    for at, pool in enumerate(pools):
        novelty = None
        if at:
            before = [(other.data, other.offsets) for other in pools[:at]]
            recurring, lacking, _ = _core.novelty(
                pool.data, pool.offsets, before, ngram=NGRAM, threads=workers, progress=progress
            )
            novelty = Novelty(seen[at], bits[at], lacking / max(recurring, 1))
        made.append(Version(called[at], ratios[at], novelty, pool))
    return Comparison(tuple(made), tuple(codec.key for codec in chosen), ratios[0].order)


def _names(pools: Sequence[Pool]) -> list[str]:
    """By the first file, as short as they differ."""
    paths = [as_path(files[0].name) if (files := pool.records.files()) else None for pool in pools]
    short = [Path(path).name if path else f"v{number}" for number, path in enumerate(paths, start=1)]
    if len(set(short)) == len(short):
        return short
    long = [os.fspath(path) if path else f"v{number}" for number, path in enumerate(paths, start=1)]
    return long if len(set(long)) == len(long) else [f"v{number}" for number in range(1, len(pools) + 1)]


def _seen(pools: Sequence[Pool]) -> list[int]:
    """How many samples of each version are in one before it."""
    known: set[bytes] = set()
    counts = []
    for pool in pools:
        digests = [hashlib.blake2b(pool.sample(index), digest_size=16).digest() for index in range(len(pool))]
        counts.append(sum(digest in known for digest in digests))
        known.update(digests)
    return counts


def _bits(
    pools: Sequence[Pool],
    orders: Sequence[NDArray[np.int64] | None],
    ratios: Sequence[Ratio],
    codecs: Sequence[Codec],
    threads: int,
    progress: Callable[[Any], object] | None,
) -> list[dict[str, float]]:
    """Bits a byte of each version behind those before, by codec: the difference of two sizes."""

    def pieces(count: int) -> Iterator[bytes]:
        return itertools.chain.from_iterable(
            pieces_of(pool, order) for pool, order in zip(pools[:count], orders[:count], strict=True)
        )

    raws = list(itertools.accumulate(len(pool.data) for pool in pools))
    jobs = [
        Job(codec, raws[count - 1], lambda count=count: pieces(count))  # type: ignore[misc]
        for codec in codecs
        for count in range(2, len(pools) + 1)
    ]
    found = iter(sizes(jobs, threads, progress))
    bits: list[dict[str, float]] = [{} for _ in pools]
    for codec in codecs:
        before = ratios[0].by_codec[codec.key].compressed_bytes
        for at in range(1, len(pools)):
            size = next(found)
            bits[at][codec.key] = 8 * (size - before) / max(len(pools[at].data), 1)
            before = size
    return bits
