"""``entropylaw.ratio``."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from entropylaw import _core
from entropylaw.pool import Pool, PoolLike, Render, load
from entropylaw.pool.load import OnError


@dataclass(frozen=True)
class Ratio:
    """How redundant a data set is (arXiv 2407.06645, section 3): low R, little redundancy, much to learn."""

    raw_bytes: int
    """Bytes of the samples, one after the other."""
    compressed_bytes: int
    """Bytes that ``codec`` makes of them."""
    samples: int
    """Number of samples."""
    codec: str
    """Compressor and version."""
    by_source: Mapping[str, "Ratio"] = field(default_factory=dict)
    """The same for the samples of each ``source`` alone, in order of first appearance; empty if records have none."""

    @property
    def ratio(self) -> float:
        """R: raw bytes / compressed bytes."""
        return self.raw_bytes / self.compressed_bytes

    def __float__(self) -> float:
        return self.ratio


def ratio(
    data: PoolLike | Pool,
    *,
    render: Render = "text",
    schema: str | None = None,
    field: str | None = None,
    on_error: OnError = "raise",
    threads: int | None = None,
    progress: Callable[[_core.Progress], object] | None = None,
) -> Ratio:
    """Measures R of a data set, and of each source in it.

    The samples are concatenated in input order and compressed as one stream by zlib, level 9. zlib looks back 32 KiB:
    repetition over longer distances does not show in R.

    Parameters
    ----------
    data
        As for ``select``: a path, a list of paths, of texts, or of records.
    render, schema, field, on_error, threads, progress
        As for ``select``.

    Returns
    -------
    Ratio

    Raises
    ------
    EntropyLawError
        If the data can't be used.

    Examples
    --------
    >>> import entropylaw
    >>> round(entropylaw.ratio(["to be or not to be"] * 50).ratio, 1)
    27.3
    """
    pool = load(data, render=render, schema=schema, field=field, on_error=on_error)
    names = pool.group_names
    measures, codec = _core.measure(
        pool.data, pool.offsets, pool.groups, len(names), threads=threads, progress=progress
    )
    (raw, size), *parts = measures.tolist()
    counts = pool.group_counts()
    by_source = {
        name: Ratio(part_raw, part_size, counts[name], codec)
        for name, (part_raw, part_size) in zip(names, parts, strict=True)
        if counts
    }
    return Ratio(raw, size, len(pool), codec, by_source)
