"""``entropylaw.ratio``."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core, parameters
from entropylaw.codecs import AT_ONCE, Codec, Job, grouped, sizes
from entropylaw.distribution import Distribution, Duplicates, distribution_of, duplicates_of
from entropylaw.errors import EntropyLawError
from entropylaw.order import described, seed, shuffled
from entropylaw.pool import Pool, PoolLike, Render, load
from entropylaw.pool.arena import MEMORY
from entropylaw.pool.formats import Format
from entropylaw.pool.load import OnError
from entropylaw.storage.options import takes_storage_options


class Compressed(NamedTuple):
    """What a codec makes of a set.

    Attributes
    ----------
    raw_bytes : int
        Bytes of the samples, one after the other.
    compressed_bytes : int
        Bytes that ``codec`` makes of them.
    codec : str
        Compressor, version, and what else the size depends on.
    """

    raw_bytes: int
    compressed_bytes: int
    codec: str

    @property
    def ratio(self) -> float:
        """R: raw bytes / compressed bytes."""
        return self.raw_bytes / self.compressed_bytes


@dataclass(frozen=True)
class Ratio:
    """How redundant a data set is (arXiv 2407.06645, section 3): low R, little redundancy, much to learn.

    Attributes
    ----------
    raw_bytes : int
        Bytes of the samples, one after the other.
    compressed_bytes : int
        Bytes that ``codec`` makes of them.
    samples : int
        Number of samples.
    codec : str
        Compressor and version: the first of those asked for, zlib level 9 by default.
    by_source : Mapping[str, Ratio]
        The same for the samples of each group (by default their ``source``) alone, in order of first appearance; empty
        if records have none. Without distribution and duplicates.
    by_codec : Mapping[str, Compressed]
        The same under every codec asked for, by name; the first is the one above.
    order : str
        The order in which the samples were compressed: ``input`` or ``shuffled, seed N``.
    render : str
        How records were rendered as samples: ``text``, ``json``, a template as it reads, or the name of a function.
    distribution : Distribution | None
        R and length of every sample, if asked for.
    duplicates : Duplicates | None
        Samples that repeat others, if asked for.
    """

    raw_bytes: int
    compressed_bytes: int
    samples: int
    codec: str
    by_source: Mapping[str, "Ratio"] = field(default_factory=dict)
    by_codec: Mapping[str, Compressed] = field(default_factory=dict)
    order: str = "input"
    render: str = "text"
    distribution: Distribution | None = None
    duplicates: Duplicates | None = None

    @property
    def ratio(self) -> float:
        """R: raw bytes / compressed bytes."""
        return self.raw_bytes / self.compressed_bytes

    def __float__(self) -> float:
        return self.ratio


@takes_storage_options
def ratio(
    data: PoolLike | Pool,
    *,
    codecs: Sequence[str] = ("zlib",),
    shuffle: int | None = None,
    distribution: bool = False,
    duplicates: bool = False,
    render: Render = "text",
    schema: str | None = None,
    field: str | None = None,
    group_by: str | None = "source",
    on_error: OnError = "raise",
    format: Format | None = None,
    memory: int | str = MEMORY,
    storage_options: Mapping[str, Any] | None = None,
    threads: int | None = None,
    progress: Callable[[Any], object] | None = None,
) -> Ratio:
    """Measures R of a data set, and of each group in it.

    The samples are concatenated and compressed as one stream. zlib, which the paper takes, looks back 32 KiB:
    repetition over longer distances does not show in its R; it does under ``zstd`` and ``xz``.

    Parameters
    ----------
    data
        As for ``select``: a path, a list of paths, of texts, or of records.
    codecs : sequence of {"zlib", "zstd", "xz"}
        Compressors to measure with. ``zlib`` is ``zlib.compress(raw, 9)``; ``zstd`` level 3 with a window over the
        whole set, up to 2 GiB; ``xz`` level 9, which looks back 64 MiB. ``zstd:19`` and ``xz:6`` name another level.
    shuffle : int, optional
        Compress the samples in an order that depends on this seed and on the samples, and not on the order that they
        are in; by default in input order.
    distribution
        Also size every sample alone.
    duplicates
        Also find exact and near-duplicates.
    group_by : str, optional
        The field that names a record's group; None measures no groups.
    render, schema, field, on_error, format, memory, storage_options, threads
        As for ``select``.
    progress : callable, optional
        Called about 20 times a second with something that has the attributes ``stage``, ``done`` and ``total``. What it
        raises ends the work.

    Returns
    -------
    Ratio

    Raises
    ------
    EntropyLawError
        If the data can't be used, or a parameter doesn't fit.

    Examples
    --------
    >>> import entropylaw
    >>> round(entropylaw.ratio(["to be or not to be"] * 50).ratio, 1)
    27.3
    >>> entropylaw.ratio(["to be", "or not", "to be"], duplicates=True).duplicates.exact
    1
    """
    chosen = parsed(codecs)
    workers = parameters.threads(threads)
    shuffle = seed(shuffle)
    distribution = parameters.flag("distribution", distribution)
    duplicates = parameters.flag("duplicates", duplicates)
    pool = load(
        data,
        render=render,
        schema=schema,
        field=field,
        group_by="source" if group_by is None else group_by,
        on_error=on_error,
        format=format,
        memory=memory,
        threads=threads,
        progress=progress,
    )
    order = None if shuffle is None else shuffled(pool, shuffle)
    names = () if group_by is None or pool.group_names == ("",) else pool.group_names
    by_codec, by_group = _measured(pool, names, order, chosen, workers, progress)
    counts = pool.group_counts()
    first = chosen[0].key
    rendering = pool.options["render"]
    rendered = rendering if isinstance(rendering, str) else getattr(rendering, "__qualname__", repr(rendering))

    def made(of: Mapping[str, Compressed], samples: int, **more: Any) -> Ratio:
        raw, size, codec = of[first]
        return Ratio(raw, size, samples, codec, by_codec=of, order=described(shuffle), render=rendered, **more)

    parts = {name: made(of, counts[name]) for name, of in by_group.items()}
    return made(
        by_codec,
        len(pool),
        by_source=parts,
        distribution=distribution_of(pool, workers, progress) if distribution else None,
        duplicates=duplicates_of(pool, workers, progress) if duplicates else None,
    )


def parsed(codecs: Sequence[str]) -> list[Codec]:
    """The codecs of these names, each once.

    Raises
    ------
    EntropyLawError
        If there is no such codec, or none at all.
    """
    names = [codecs] if isinstance(codecs, str) else parameters.texts("codecs", codecs, "a codec's name, or several")
    found = list(dict.fromkeys(map(Codec.parse, names)))
    if not found:
        raise EntropyLawError("there is no codec to measure with; name one, for example 'zlib'")
    return found


def pieces_of(pool: Pool, indices: NDArray[np.int64] | None) -> Iterator[bytes]:
    """The bytes of these samples, in this order, or of all of them, in pieces to compress."""
    if indices is not None:
        data = pool.data.data
        spans = zip(pool.offsets[indices].tolist(), pool.offsets[indices + 1].tolist(), strict=True)
        yield from grouped(data[start:end] for start, end in spans)
        return
    for start in range(0, len(pool.data), AT_ONCE):
        yield pool.data[start : start + AT_ONCE].tobytes()


def _measured(
    pool: Pool,
    names: Sequence[str],
    order: NDArray[np.int64] | None,
    codecs: Sequence[Codec],
    threads: int,
    progress: Callable[[Any], object] | None,
) -> tuple[dict[str, Compressed], dict[str, dict[str, Compressed]]]:
    """The whole set by codec, and each group by name and codec; no groups if there are no ``names``."""
    groups = pool.groups if order is None else pool.groups[order]
    members = _members(groups, len(names), order)
    raws = [len(pool.data), *(int(pool.lengths()[indices].sum()) for indices in members)]
    found: dict[str, list[Compressed]] = {}
    for codec in codecs:
        if codec.in_core:
            found[codec.key] = _by_zlib(pool, order, len(names), threads, progress)
            continue
        jobs = [
            Job(codec, raw, lambda indices=indices: pieces_of(pool, indices))  # type: ignore[misc]
            for raw, indices in zip(raws, [order, *members], strict=True)
        ]
        made = sizes(jobs, threads, progress)
        found[codec.key] = [Compressed(raw, size, codec.described(raw)) for raw, size in zip(raws, made, strict=True)]
    whole = {key: rows[0] for key, rows in found.items()}
    return whole, {name: {key: rows[at + 1] for key, rows in found.items()} for at, name in enumerate(names)}


def _members(groups: NDArray[np.uint32], count: int, order: NDArray[np.int64] | None) -> list[NDArray[np.int64]]:
    """The samples of each group, in the order that they are compressed in."""
    if not count:
        return []
    by_group = np.argsort(groups, kind="stable")
    cuts = np.cumsum(np.bincount(groups, minlength=count))[:-1]
    return np.split(by_group if order is None else order[by_group], cuts)


def _by_zlib(
    pool: Pool,
    order: NDArray[np.int64] | None,
    count: int,
    threads: int,
    progress: Callable[[Any], object] | None,
) -> list[Compressed]:
    measures, codec = _core.measure(
        pool.data, pool.offsets, pool.groups, count, order=order, threads=threads, progress=progress
    )
    return [Compressed(raw, size, codec) for raw, size in measures.tolist()]
