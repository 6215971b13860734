"""The compiled core. Arrays passed in are borrowed: don't write to them during a call."""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, Literal, Self, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Buffer

from entropylaw.pool.columnar import Layout

__all__ = [
    "JOURNAL_HEADER",
    "ArrayItems",
    "Controls",
    "Partition",
    "Picks",
    "Progress",
    "ReadRecords",
    "RecordReader",
    "Sizer",
    "__version__",
    "auto_one_in",
    "clusters",
    "densities",
    "dsir_scores",
    "find_duplicates",
    "find_overlap",
    "first_copies",
    "first_gains",
    "measure",
    "measure_each",
    "novelty",
    "request_changes",
    "select",
    "select_parts",
    "thread_count",
    "weighted_keys",
    "zipfit_scores",
]

__version__: str
JOURNAL_HEADER: bytes
"""What the file of a journal begins with."""

def thread_count(threads: int | None = None) -> int:
    """How many threads a call uses that asks for so many, from 1 to 4,096; by default as many as this process may use
    at once, by its affinity and its quota of the processors (cgroups)."""

def auto_one_in(size: int) -> int:
    """One in how many n-grams coverage keeps of a pool of so many bytes, unless it is told."""

@final
class Progress:
    """How far a long call is; passed to ``progress`` callbacks."""

    @property
    def stage(self) -> Literal["count", "score", "global", "local", "pick", "measure"]:
        """``score``: sizing the pool, or first gains; ``global``: stages 1 and 2; ``local``: stage 3; ``measure``: see
        ``ratio``; ``count``: counting n-grams; ``pick``: picking until the budget is reached."""
    @property
    def done(self) -> int:
        """Steps of this stage that are done: samples seen, or picked; in ``pick`` what the budget counts, for ``ratio``
        bytes."""
    @property
    def total(self) -> int:
        """Steps in this stage."""
    @property
    def round(self) -> int:
        """The round, from 1 on; 0 before the first."""
    @property
    def picked(self) -> int:
        """Samples selected so far."""
    @property
    def ratio(self) -> float:
        """R of the samples selected so far; 0.0 before there are any, and where it is not measured."""

@final
class Controls:
    """What every method respects: a budget in some unit, quotas, weights, and what is known already.

    ``costs``: tokens of each sample. ``groups``: of each sample, its row in ``quotas``, which has the least and the
    most of the budget that the group gets. ``weights``: how much each sample is wanted, about 1 on average. What is
    known is indices of samples, or samples from elsewhere. ``shares``: what each group gets; quotas then say what it
    may get of the rest, once no sample fits its group's share.
    """

    def __new__(
        cls,
        budget: int,
        *,
        unit: str = "samples",
        costs: NDArray[np.uint32] | None = None,
        groups: NDArray[np.uint32] | None = None,
        quotas: NDArray[np.uint64] | None = None,
        shares: NDArray[np.uint64] | None = None,
        weights: NDArray[np.float64] | None = None,
        known_indices: NDArray[np.int64] | None = None,
        known_data: NDArray[np.uint8] | None = None,
        known_offsets: NDArray[np.int64] | None = None,
    ) -> Self: ...

def first_copies(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    *,
    known_data: NDArray[np.uint8] | None = None,
    known_offsets: NDArray[np.int64] | None = None,
    threads: int | None = None,
) -> NDArray[np.int64]:
    """For each sample the first one that equals it, often itself; -1 if a known sample does. Shape ``(samples,)``."""

@final
class Picks:
    """What a method picked, and what it tells of how."""

    @property
    def indices(self) -> NDArray[np.int64]:
        """In pick order, shape ``(picks,)``."""
    @property
    def trace(self) -> dict[str, NDArray[Any]]:
        """Arrays by name, see ``select``: of each pick; of each sample, in input order; or of each round."""
    @property
    def facts(self) -> dict[str, Any]:
        """What there is to say of the whole selection, by name."""
    @property
    def seconds(self) -> dict[str, float]:
        """How long each stage took."""

def select(
    method: str,
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    controls: Controls,
    options: dict[str, Any],
    *,
    journal: str | PathLike[str] | None = None,
    threads: int | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> Picks:
    """Selects with a method from the pool whose sample ``i`` is ``data[starts[i]:ends[i]]``.

    ``options`` are those of the method, all of them and no others. ``journal``: a file that the work is written to;
    what it holds already is not done again.

    ``zip``: options ``preset``, ``k1``, ``k2``, ``k3``. Trace: ``gains`` and ``ratios`` of each pick,
    ``initial_ratios`` of each sample; of each round ``round_candidates``, ``round_block``, ``round_picked`` and
    ``round_ratio``. Facts: ``pool_ratio``, ``codec``, and ``end``: ``budget``, ``exhausted`` or
    ``too_few_left``.

    ``coverage``: options ``unit``, ``ngram``, ``gamma``, ``alpha``, ``min_df``, ``min_contexts``, ``one_in``: one in
    so many n-grams counts, a power of two up to 64; ``target``, None or the data and offsets of the samples to select
    for, and how much they count beside the pool, ``target_weight``.
    Trace: ``gains``, and with a target ``target_coverage``, the share of its n-grams, by weight, that are selected or
    known after each pick. Facts: ``objective``, ``coverage``, ``evaluations``, ``features``, ``slots``,
    ``collisions``; with a target ``target_in_pool``, the share of its n-grams that is in the pool,
    ``target_recurring``, how many are in two of its samples or more, and ``target_recurring_in_pool``, those of them
    that the pool has.

    ``random``: option ``seed``, an int. ``top``: option ``keys``, float64, one of each sample; the highest come first.
    """

@final
class Partition:
    """A part of a pool, which answers the requests of a coordinator, ``select_parts``.

    Its samples are ``data[starts[i]:ends[i]]``, of the whole pool those from index ``first`` on. ``costs``, ``groups``
    and ``weights`` are those of ``Controls``, of its own samples; ``known``: positions here of samples that are known.

    What it answers depends on its samples and on the requests that it has answered before. Raises EntropyLawError for
    what can't be answered. One that was interrupted has to be made anew.
    """

    def __new__(
        cls,
        data: NDArray[np.uint8],
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
        *,
        first: int,
        costs: NDArray[np.uint32] | None = None,
        groups: NDArray[np.uint32] | None = None,
        weights: NDArray[np.float64] | None = None,
        known: NDArray[np.int64] | None = None,
        threads: int | None = None,
    ) -> Self: ...
    def answer(self, request: Buffer) -> bytes:
        """The reply to a request. Lets go of the interpreter; threads that ask at once wait for each other."""

def request_changes(request: Buffer) -> bytes | None:
    """The part of a request that a partition's later answers depend on, as a request; None if there is none.

    A partition that is made anew from the same samples, and asked these parts of all requests that were answered, in
    their order, goes on where the other one was; their replies are of no use. It takes far less time than the requests
    did.
    """

def select_parts(
    method: str,
    ask: Callable[[list[bytes | None]], Sequence[bytes]],
    options: dict[str, Any],
    *,
    parts: int,
    budget: int,
    unit: str = "samples",
    quotas: NDArray[np.uint64] | None = None,
    shares: NDArray[np.uint64] | None = None,
    known_data: NDArray[np.uint8] | None = None,
    known_offsets: NDArray[np.int64] | None = None,
    journal: str | PathLike[str] | None = None,
    threads: int | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> Picks:
    """Selects from several partitions what ``select`` would from the pool that they are parts of.

    ``ask(requests)`` asks each of the ``parts`` partitions its request, all at the same time, and returns their replies
    in the same order: a request of None asks nothing, and its reply is ``b""``. It is called on the calling thread, and
    what it raises comes out of here. Requests to several that are equal are one object.

    Limits are those of ``Controls``; what is said of each sample is its partition's to know. The journal is that of
    ``select``, on whatever number of partitions it was begun.

    Methods: ``zip``, whose ``pool_ratio`` is None here, ``coverage`` and ``random``, with the options, traces and facts
    of ``select``. ``top``: no options; samples of highest weight come first. ``dsir``: ``target``, data and offsets;
    ``ranking``: ``sampled``, ``sum`` or ``mean``; ``seed``. The last two have a trace ``gains``, the score of each
    pick. Facts besides: ``round_trips``, ``bytes_sent`` and ``bytes_received``.
    """

def dsir_scores(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    target: tuple[NDArray[np.uint8], NDArray[np.int64]],
    *,
    threads: int | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Log importance weight of each sample for a target's data and offsets, and the words and pairs that it is the sum
    over; see ``entropylaw.Dsir``."""

def zipfit_scores(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    target: tuple[NDArray[np.uint8], NDArray[np.int64]],
    *,
    threads: int | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> NDArray[np.float64]:
    """Mean likeness of each sample to a target's, given by data and offsets; see ``entropylaw.Zipfit``."""

def densities(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    *,
    beside: tuple[NDArray[np.uint8], NDArray[np.int64]] | None = None,
    threads: int | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How many samples are like each one, those ``beside`` the pool included, and the logarithms of its inverse; see
    ``entropylaw.Density``."""

def weighted_keys(
    log_weights: NDArray[np.float64], *, wanted: NDArray[np.float64] | None = None, seed: int | None = None
) -> NDArray[np.float64]:
    """Keys for a selection in their order: logarithms of weights that are multiplied by ``wanted``, and with a seed
    noise that makes the highest key a sample's with a chance in proportion to its weight."""

def find_overlap(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    texts: NDArray[np.uint8],
    text_offsets: NDArray[np.int64],
    groups: NDArray[np.uint32],
    *,
    threads: int | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.uint32], NDArray[np.bool_]]:
    """Which samples hold a run of 13 words of a benchmark's texts, of which ``groups`` says what file each is from.

    Returns a row for each sample and group that go together, shape ``(matches, 4)``: the sample, the first text of the
    group that it has a run of, and where that run starts and ends in the sample, in bytes; which texts have a run to
    look for, shape ``(texts,)``; and of each run of 8 words the text that it is of, and whether some sample has it,
    shape ``(runs,)`` each: the same runs in the same order, whatever the pool.
    """

def measure(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    groups: NDArray[np.uint32],
    count: int,
    *,
    order: NDArray[np.int64] | None = None,
    threads: int | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> tuple[NDArray[np.int64], str]:
    """Raw and compressed bytes, shape ``(count + 1, 2)``: the whole pool, then groups ``0..count``; and the codec.

    The samples of ``order``, in that order; by default all of them in input order."""

def measure_each(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    *,
    threads: int | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> NDArray[np.int64]:
    """Compressed bytes of every sample alone, shape ``(samples,)``; by the codec of ``measure``."""

def find_duplicates(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    *,
    threads: int | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For every sample, the first one with the same bytes, and the first one of its cluster of near-duplicates; its own
    index where there is none before it. Both of shape ``(samples,)``."""

def clusters(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    *,
    count: int,
    threads: int | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> tuple[NDArray[np.uint32], list[str]]:
    """Groups of samples that are written alike, at most ``count``, the largest first: the group of each sample, shape
    ``(samples,)``, and the names of the groups."""

def novelty(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    before: Sequence[tuple[NDArray[np.uint8], NDArray[np.int64]]],
    *,
    ngram: int,
    threads: int | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> tuple[int, int, int]:
    """Of the pool's recurring n-grams of ``ngram`` bytes: how many were looked at, how many of these are in none of the
    pools ``before`` (data and offsets each), and ``shift``: one in ``2 ** shift`` was looked at."""

def first_gains(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    *,
    unit: str,
    ngram: int,
    gamma: float,
    min_df: int,
    min_contexts: int,
    one_in: int = 1,
    target: tuple[NDArray[np.uint8], NDArray[np.int64]] | None = None,
    target_weight: float = 0.0,
    threads: int | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> NDArray[np.float64]:
    """What each sample would add to coverage's objective as the first pick, shape ``(samples,)``."""

_Member = tuple[Sequence[str], str, bool, Sequence[str]]
"""Names, kind, whether it is optional, beside: as ``pool.schema.Member``."""

@final
class RecordReader:
    """Renders records that are as their schema has them; the others it leaves to the caller.

    Parameters
    ----------
    schema
        The members that samples are made of, what is read of a turn, and what of a call; or ``None``.
    field
        The field that holds the text, instead of the members; turns and calls in it are read as ``schema`` says.
    printable
        For ``repr`` of the record, if there is no schema: a bit for each character, whether Python shows it as it is;
        ``None`` for the record as it is stored.
    template
        What makes a sample of a record, if there is no schema; one of which ``template_keys`` knows the keys.
    group_by, numbers
        Fields to read besides.
    threads
        How many to use; ``None`` for as many as this process may. The result does not depend on it.
    """

    def __new__(
        cls,
        *,
        schema: tuple[Sequence[_Member], Sequence[_Member], Sequence[_Member]] | None = None,
        field: str | None = None,
        printable: bytes | None = None,
        template: str | None = None,
        group_by: str,
        numbers: Sequence[str],
        threads: int | None = None,
    ) -> Self: ...
    @staticmethod
    def template_keys(template: str) -> list[str] | None:
        """The keys of records that a template looks at; ``None`` if it is none of those that are rendered here."""
    def lines(self, buffer: bytes) -> ReadRecords:
        """Reads the lines that are not blank."""
    def spans(self, buffer: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> ReadRecords:
        """Reads the records ``buffer[starts[i]:ends[i]]``."""
    def rows(self, columns: Sequence[tuple[str, Layout]], count: int) -> ReadRecords:
        """Reads ``count`` rows of a table, of which these are the columns to read; without their groups and numbers."""

@final
class ArrayItems:
    """Finds the items of a JSON array that comes in pieces, without reading them: what it finds need not be JSON.

    Places are counted from that of the array's bracket on, which is ``start``.
    """

    def __new__(cls, start: int) -> Self: ...
    def feed(self, piece: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Start and end of each item that ends in the next piece; of none behind a byte that is odd."""
    @property
    def cut(self) -> int | None:
        """Behind the last comma between items, once there is one."""
    @property
    def end(self) -> int | None:
        """Behind the bracket that closes the array, once that is found."""
    @property
    def odd(self) -> int | None:
        """The first byte that can't be where it is, such as an item without a comma before it."""

@final
class ReadRecords:
    @property
    def data(self) -> NDArray[np.uint8]:
        """The samples, one after the other."""
    @property
    def lengths(self) -> NDArray[np.int64]:
        """Bytes of each record's sample; -1 for a record that is left to the caller."""
    @property
    def starts(self) -> NDArray[np.int64]:
        """Where each record begins in the buffer."""
    @property
    def sizes(self) -> NDArray[np.uint32]:
        """Bytes of each record."""
    @property
    def lines(self) -> NDArray[np.uint32]:
        """Line breaks before each record; empty if it was read by ``spans``."""
    @property
    def groups(self) -> NDArray[np.uint32]:
        """Position of each record's group in ``group_names``; 0 for one that is left."""
    @property
    def group_names(self) -> list[str]: ...
    @property
    def numbers(self) -> list[NDArray[np.float64]]:
        """Of each field asked for, its values; NaN for a record that is left."""
    @property
    def unread(self) -> dict[str, tuple[int, int]]:
        """The members that samples leave unread, such as ``messages[].name``: in how many records, with how many bytes
        of text. Records that are left don't count."""

@final
class Sizer:
    """What a compressor would produce, in bytes, without producing it.

    A sizer holds a *prefix*, at first empty. ``append`` adds to it; ``probe`` tells how large the prefix would become,
    compressed, with each of many candidates appended alone, and leaves it as it is. Sizes are exact: those of
    ``len(zlib.compress(prefix + candidate, 9))`` with classic zlib (RFC 1950, RFC 1951), header and checksum included.
    ``len(sizer)`` is the length of the prefix in bytes; what is being appended does not count before it is done.

    A probe does not depend on the length of the prefix, because deflate looks back 32 KiB.

    ``copy()`` makes another one with the same prefix, and a sizer can be pickled: both take the state of the
    compressor, not the prefix.

    Threads may share a sizer: probes run side by side, appends one after the other; none of them holds up the rest of
    the interpreter. Ctrl-C ends a wait, a probe and an append, which then has appended nothing. A forked process
    (``multiprocessing``, the workers of a ``DataLoader``) has a copy of its parent's sizers.

    Parameters
    ----------
    codec : {"zlib", "deflate"}
        The compressor: two names of zlib's deflate, level 9.

    Raises
    ------
    EntropyLawError
        If there is no such codec; by any method, if an argument is of the wrong kind, or if another thread was
        appending when this process was forked.

    Examples
    --------
    Which of two samples says more that is new:

    >>> from entropylaw import Sizer
    >>> sizer = Sizer()
    >>> sizer.append(b"the quick brown fox jumps over the lazy dog ")
    >>> (sizer.probe([b"the lazy dog ", b"a slow red cat "]) - sizer.size()).tolist()
    [0, 10]

    Normalised compression distance (Cilibrasi and Vitanyi, 2005):

    >>> def size(*parts):
    ...     sizer = Sizer()
    ...     for part in parts:
    ...         sizer.append(part)
    ...     return sizer.size()
    >>> x, y = b"the quick brown fox " * 20, b"the quick brown dog " * 20
    >>> round((size(x, y) - min(size(x), size(y))) / max(size(x), size(y)), 2)
    0.24
    """

    def __new__(cls, codec: str | None = None) -> Self: ...
    @property
    def codec(self) -> str:
        """Codec and version, such as manifests name it."""
    def append(self, sample: Buffer) -> None:
        """Adds a sample to the prefix, for good.

        Parameters
        ----------
        sample : bytes, or a buffer of them
            What to add: ``bytes``, ``bytearray``, ``memoryview``, ``mmap`` or an array of uint8; text is to be encoded
            first.

        Raises
        ------
        EntropyLawError
            If the sample is not bytes.

        Examples
        --------
        >>> from entropylaw import Sizer
        >>> sizer = Sizer()
        >>> sizer.append("naïve".encode())
        >>> len(sizer)
        6
        """
    def probe(self, samples: Sequence[Buffer], *, threads: int | None = None) -> NDArray[np.int64]:
        """Compressed size of the prefix with each sample appended alone; the prefix stays as it is.

        Parameters
        ----------
        samples : sequence of bytes, or of buffers of them
            The candidates.
        threads : int, optional
            How many to use, 1 to 4096; by default as many as this process may. The result does not depend on it.

        Returns
        -------
        ndarray of int64, shape ``(len(samples),)``
            Bytes, in the order of the samples.

        Raises
        ------
        EntropyLawError
            If one of the samples is not bytes, or they are no sequence; if there can't be so many threads.

        Examples
        --------
        >>> import zlib
        >>> from entropylaw import Sizer
        >>> sizer = Sizer()
        >>> sizer.append(b"abc" * 100)
        >>> int(sizer.probe([b"abcd"])[0]) == len(zlib.compress(b"abc" * 100 + b"abcd", 9))
        True
        """
    def size(self) -> int:
        """Compressed size of the prefix, in bytes.

        Examples
        --------
        >>> from entropylaw import Sizer
        >>> Sizer().size()
        8
        """
    def copy(self) -> Self:
        """A sizer with the same prefix, whose appends are its own. A long prefix takes no longer than a short one.

        Examples
        --------
        >>> from entropylaw import Sizer
        >>> sizer = Sizer()
        >>> sizer.append(b"the cat sat ")
        >>> other = sizer.copy()
        >>> other.append(b"on the mat")
        >>> len(sizer), len(other)
        (12, 22)
        """
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: object, /) -> Self: ...
    def __reduce__(self) -> tuple[type[Self], tuple[()], bytes]: ...
    def __setstate__(self, state: Buffer, /) -> None: ...
    def __len__(self) -> int:
        """Bytes in the prefix; what is being appended does not count before it is done. Never waits."""
