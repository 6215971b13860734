"""Collecting the samples of a pool."""

import logging
import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.errors import EntropyLawError
from entropylaw.pool.arena import Arena
from entropylaw.pool.columns import USUAL_GROUP, Columns
from entropylaw.pool.layouts import RECORD_REMEDY
from entropylaw.pool.mistaken import note_records_as_text
from entropylaw.pool.model import Pool
from entropylaw.pool.paths import listed
from entropylaw.pool.reading import Report
from entropylaw.pool.records import Records
from entropylaw.pool.render import Renderer
from entropylaw.pool.schema import RecordError
from entropylaw.pool.unread import unread_of

_log = logging.getLogger("entropylaw")

UNREAD_NOTE = "not in the samples: %s"
"""What is said of the members that samples leave unread."""


class Builder:
    """Collects samples, and what else is kept of each record."""

    def __init__(
        self,
        renderer: Renderer,
        options: Mapping[str, Any],
        columns: Columns,
        memory: int,
        threads: int | None = None,
        report: Report | None = None,
    ) -> None:
        self.renderer = renderer
        self.columns = columns
        self.records = Records()
        self._options = options
        self._skip = options["on_error"] == "skip"
        self._began = time.perf_counter()
        self._skipped: list[str] = []
        self._skips = array("q")
        """For each skipped record, how many samples came before it."""
        self.without_records: list[str] = []
        """Files that hold none."""
        self.left_out: list[str] = []
        """Files that were found where the pool is, and are not read."""
        self.report = report or Report(None, [])
        self._threads = threads
        self._reader: _core.RecordReader | None = None
        self._unread: dict[str, list[int]] = {}
        self._arena = Arena(memory)
        self._ends = array("q", [0])

    @property
    def size(self) -> int:
        """Bytes of the samples so far."""
        return len(self._arena)

    @property
    def skipped(self) -> int:
        """Records that were skipped so far."""
        return len(self._skipped)

    def add(self, record: Any, where: str, raw: bytes | None = None, fields: Any = None, own: bool = False) -> None:
        """Renders a record and keeps its sample; raises RecordError if that can't be done.

        ``fields`` is where its group and numbers are, if they are not to be taken from the record as it is. A record of
        our ``own`` is not needed any more: a rendering may change it.
        """
        try:
            values = self.columns.of(record if fields is None else fields)
        except RecordError:
            # What is wrong with its text comes first.
            self.renderer.render(record, where, raw, own)
            raise
        sample, unread = self.renderer.render(record, where, raw, own)
        self.columns.add(values)
        self._arena.append(sample)
        self._ends.append(len(self._arena))
        self.leave({path: (1, size) for path, size in unread.items()})

    def leave(self, unread: Mapping[str, tuple[int, int]]) -> None:
        """Members that samples leave unread: in how many records, with how many bytes of text."""
        for path, (records, size) in unread.items():
            known = self._unread.setdefault(path, [0, 0])
            known[0] += records
            known[1] += size

    def reader(self) -> "_core.RecordReader | None":
        """What reads records faster, once the schema is known; None if this rendering takes Python."""
        if self._reader is None and (text := self.renderer.compiled()) is not None:
            self._reader = _core.RecordReader(
                **text._asdict(),
                group_by=self.columns.group_field,
                numbers=list(self.columns.number_fields),
                threads=self._threads,
            )
        return self._reader

    def add_many(self, samples: NDArray[np.uint8], lengths: NDArray[np.int64]) -> None:
        """Keeps samples that have been rendered; their columns are the caller's to add."""
        ends = np.cumsum(lengths, dtype=np.int64) + len(self._arena)
        self._arena.append(samples.data)
        self._ends.frombytes(ends.tobytes())

    def add_read(
        self,
        read: "_core.ReadRecords",
        group_names: Sequence[str],
        groups: NDArray[np.uint32],
        numbers: Sequence[NDArray[np.float64]],
    ) -> Iterator[tuple[slice, int | None]]:
        """Keeps the samples that the core has rendered, with their columns, run by run.

        Yields each run of records that is kept, which may be empty, and the one after it that was left to Python, None
        at the end. Whoever takes them adds that one before asking for more, so that all stay in order.
        """
        self.leave(read.unread)
        ends = np.concatenate([[0], np.cumsum(np.maximum(read.lengths, 0))])
        count, done = len(read.lengths), 0
        for left in [*np.flatnonzero(read.lengths < 0).tolist(), count]:
            run = slice(done, left)
            if left > done:
                self.add_many(read.data[ends[done] : ends[left]], read.lengths[run])
                self.columns.add_many(group_names, groups[run], [column[run] for column in numbers])
            yield run, left if left < count else None
            done = left + 1

    def refuse(self, where: str, error: RecordError, remedy: str = RECORD_REMEDY) -> None:
        """A record that can't be used; ``remedy`` is what to do about it, unless ``error`` knows better."""
        if not self._skip:
            raise EntropyLawError(f"{where}: {error}; {error.remedy or remedy}") from None
        self._skipped.append(f"{where}: {error}")
        self._skips.append(len(self._ends) - 1)

    def no_records(self, name: str) -> None:
        """A file that holds none."""
        self.without_records.append(name)

    def build(self) -> Pool:
        """The pool.

        Raises
        ------
        EntropyLawError
            If it is empty.
        """
        pool = self.collected()
        check_any(len(pool), [source.name for source in self.records.files()], self._skipped)
        tell(pool, self.columns.group_field, self.without_records, int(np.count_nonzero(pool.lengths() == 0)))
        if self.renderer.name == "text" and pool.schema in ("", "string", "text"):
            note_records_as_text(pool)
        return pool

    def collected(self) -> Pool:
        """What was collected, even if it is nothing."""
        return Pool(
            data=self._arena.finish(),
            offsets=np.frombuffer(self._ends, dtype=np.int64),
            groups=self.columns.groups,
            group_names=self.columns.group_names,
            numbers=self.columns.numbers,
            records=self.records,
            schema=self.renderer.schema.name if self.renderer.schema else "",
            unread=unread_of(self._unread, self.columns.fields),
            options=self._options,
            skipped=tuple(self._skipped),
            skips=np.frombuffer(self._skips, dtype=np.int64),
            left_out=tuple(self.left_out),
            seconds=time.perf_counter() - self._began,
        )


def check_any(samples: int, names: Sequence[str], skipped: Sequence[str]) -> None:
    """Raises EntropyLawError if a pool has no samples; ``names``: those of its files."""
    if samples:
        return
    reason = "there are no records"
    if skipped:
        reason = f"all {len(skipped)} records were skipped, the first: {skipped[0]}"
    raise EntropyLawError(f"{listed(names)}: the pool is empty: {reason}" if names else f"the pool is empty: {reason}")


def tell(pool: Pool, group_field: str, without_records: Sequence[str], empty: int) -> None:
    """Logs what people should know of a pool: its groups are by ``group_field``, and so many samples are ``empty``."""
    what = f", schema {pool.schema}" if pool.schema else ""
    _log.info("%s samples, %s bytes%s", f"{len(pool):,}", f"{pool.size:,}", what)
    if group_field != USUAL_GROUP and pool.group_names == ("",):
        _log.warning("no record has %r, by which groups are made: all are of one group", group_field)
    if without_records:
        _log.warning("files without records: %s", listed(without_records))
    if pool.skipped:
        _log.warning("records skipped: %d, the first: %s", len(pool.skipped), pool.skipped[0])
    if pool.unread:
        _log.info(UNREAD_NOTE, pool.left_unread())
    if empty:
        samples, ranks = ("1 sample is", "it ranks") if empty == 1 else (f"{empty:,} samples are", "they rank")
        _log.warning("%s empty; with R = 0 %s first", samples, ranks)
