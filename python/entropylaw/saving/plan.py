"""Writing a selection: which files, in which order, and what is in them."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.budget import Budget
from entropylaw.errors import EntropyLawError
from entropylaw.output import Outputs, Staged, check_writable, json_bytes, placed_files
from entropylaw.pool.records import Records
from entropylaw.runs.layout import FORMAT
from entropylaw.runs.manifest import Manifest, manifest_path, picks_path
from entropylaw.saving import tables
from entropylaw.saving.again import compare, cut_hashes
from entropylaw.saving.content import content_of, row_format
from entropylaw.saving.holding import check_records
from entropylaw.saving.replaced import Names
from entropylaw.saving.stanzas import Fields, Trainer, check_stanza, stanza, stanza_path
from entropylaw.storage.urls import is_url, joined, last_part, shown
from entropylaw.targets import STANDARD, File, check_targets, files_behind

if TYPE_CHECKING:
    from entropylaw.results import Selection

COLUMNS = ("rank", "gain", "ratio", "weight")
"""What can be added to records."""

_PREFIX = "entropylaw_"
_LISTED = 1000
"""Sources, groups and skipped records that a manifest lists."""


@dataclass(frozen=True)
class Saving:
    """How a selection is written; see ``Selection.save``.

    Raises
    ------
    EntropyLawError
        If the options don't go together.
    """

    path: str
    force: bool = False
    sort: Literal["pick", "input"] = "pick"
    shards: int | str | None = None
    columns: tuple[str, ...] = ()
    indices_only: bool = False
    stanza: Trainer | None = None
    counts: tuple[int, ...] = ()
    """Records of each shard, if they are not to be about as many each."""

    def __post_init__(self) -> None:
        if self.sort not in ("pick", "input"):
            raise EntropyLawError(f"sort is {self.sort!r}; records are in the order 'pick' or 'input'")
        for column in self.columns:
            if column not in COLUMNS or self.columns.count(column) > 1:
                found = "given twice" if column in COLUMNS else "not one"
                raise EntropyLawError(f"column {column!r} is {found}; the columns to add are {', '.join(COLUMNS)}")
        if self.path == STANDARD and (self.shards is not None or self.stanza is not None):
            what = "shards" if self.shards is not None else "a stanza"
            raise EntropyLawError(f"standard output has no name that {what} could have; name a file")
        if self.indices_only:
            if self.shards is not None:
                raise EntropyLawError("indices are written to one file: give no shards with indices only")
            if self.stanza is not None:
                raise EntropyLawError("a stanza is for records: give none with indices only")
            if self.path != STANDARD:
                tables.check_format(self.path, self._names())
        else:
            row_format(self.path)
        if self.stanza is not None:
            check_stanza(self.stanza, self.path)
        self._sharding()

    @classmethod
    def as_in(cls, manifest: Manifest, path: str, *, force: bool = False) -> Self:
        """Writes to ``path`` what a manifest says was written."""
        how = manifest.content.output
        if path == STANDARD:
            # Standard output has no files to name: what would be in shards comes one after the other.
            return cls(path, force, how.sort, None, how.columns, how.indices_only)
        return cls(path, force, how.sort, how.shards, how.columns, how.indices_only, how.stanza, how.counts)

    @property
    def manifest(self) -> str:
        """Where the manifest goes."""
        return manifest_path(self.path)

    @property
    def stanza_file(self) -> str | None:
        """Where the stanza goes, if one was asked for."""
        return stanza_path(self.stanza, self.path) if self.stanza else None

    def check(self, inputs: Iterable[File] = (), others: Iterable[File] = (), checkpoint: str | None = None) -> None:
        """Finds out before the work whether its result can be written, and touches nothing else.

        Parameters
        ----------
        inputs
            Files that the run reads.
        others
            What the run writes besides.
        checkpoint
            The directory where it records its work.

        Raises
        ------
        EntropyLawError
            See ``check_targets`` and ``check_writable``; also if there are shards already that no manifest names.
        """
        inputs, others = list(inputs), list(others)
        if self.path == STANDARD:
            check_targets([File(STANDARD, "the records"), *others], inputs, checkpoint)
            return
        if is_url(self.path):
            from entropylaw.storage.uploads import check_target

            check_target(self.path)
        names = Names.of(self.path)
        if self.shards is not None:
            for file in [*inputs, *others]:
                if names.is_shard(file.path):
                    raise EntropyLawError(
                        f"{shown(file.path)}: {file.what}, would be taken for a shard of {shown(self.path)}; "
                        "name another output"
                    )
        check_targets([*self._targets(), *others], inputs, checkpoint)
        if self.shards is None:
            check_writable(self.path, self.force)
        else:
            names.check_room()
            if (old := names.old_files()) and not self.force:
                raise EntropyLawError(
                    f"{shown(old[0])}: the file exists; name another, or replace the set (force=True, --force)"
                )
        for path in self._beside():
            check_writable(path, self.force)

    def check_records(self, records: Records) -> None:
        """Finds out, once the pool is read, whether its records can be written; see ``holding.check_records``."""
        if not self.indices_only:
            check_records(records, row_format(self.path), [_PREFIX + column for column in self.columns])

    def _targets(self) -> Iterator[File]:
        """What is written, replaced or removed; of shards, what is there already: no other name of theirs is taken."""
        records = set(Names.of(self.path).old_files())
        if self.shards is None:
            records = {path for path in records if Path(path) != Path(self.path)} | {self.path}
        yield from (File(path, "the records") for path in sorted(records))
        yield from (File(path, what) for path, what in self._beside().items())

    def _beside(self) -> dict[str, str]:
        """The files beside the records, and what they are."""
        files = {self.manifest: "the manifest", picks_path(self.path): "the picks"}
        return files | ({self.stanza_file: "the stanza"} if self.stanza_file else {})

    def write(self, selection: "Selection", like: Manifest | None = None, named: str | None = None) -> list[str]:
        """Writes all files; returns those with the records. ``named`` is what the output will be called elsewhere.

        Raises
        ------
        EntropyLawError
            See ``Selection.save``; also if the records are not those that were written with ``like``. Files of
            another format and compressed ones are not compared: these may be others of the same records.
        """
        inputs = list(files_behind(selection.pool, selection.parameters))
        self.check(inputs)
        self.check_records(selection.pool.records)
        if is_url(self.path):
            return self._upload(selection, like, inputs)
        order = self._order(selection)
        members = self._members(selection, order)

        def look() -> None:
            # Again: another run may have written here meanwhile.
            self.check(inputs)
            # A reader of `subset-*` must not find shards of two sets.
            for old in Names.of(self.path).old_files():
                if Path(old) not in {staged.path for staged in outputs.staged}:
                    outputs.remove(old)

        with Outputs(look) as outputs:
            # Nobody may find the old manifest beside new records.
            outputs.remove(os.path.realpath(self.manifest))
            if self.indices_only:
                with outputs.file(self.path) as file:
                    tables.write(file, self.path, {"index": selection.rows[order], **members})
            else:
                self._write_records(outputs, selection, selection.indices[order], members)
            records = outputs.staged.copy()
            check_targets([File(str(staged.path), "the records") for staged in records], inputs)
            if like is not None:
                compare(self.path, lambda: [staged.sha256() for staged in records], like)
            names = [str(staged.path) for staged in records]
            if self.stanza:
                fields = Fields.of(selection.pool.records.raw(selection.indices.tolist()), selection.pool.schema)
                # What a trainer reads is where the records will be.
                at_last = names if named is None else [joined(named, Path(name).name) for name in names]
                content, _ = stanza(self.stanza, named or self.path, at_last, fields)
                path = stanza_path(self.stanza, self.path)
                with outputs.file(path) as file:
                    file.write(content)
            with outputs.file(picks_path(self.path)) as file:
                arrays: dict[str, Any] = selection.arrays()
                np.savez(file, **arrays)
            described = json_bytes(self.described(selection, records, outputs.staged[-1]))
            with outputs.file(self.manifest) as file:
                file.write(described)
        return names

    def _upload(self, selection: "Selection", like: Manifest | None, inputs: list[File]) -> list[str]:
        """Writes all files to a directory here, and uploads them: records before picks before the manifest."""
        from entropylaw.storage.uploads import staging, upload

        with staging() as directory:
            path = directory / last_part(self.path)
            with placed_files():
                written = replace(self, path=str(path), force=False).write(selection, like, shown(self.path))
            records = [(Path(file), joined(self.path, Path(file).name)) for file in written]
            check_targets([File(url, "the records") for _, url in records], inputs)
            # Again: another run may have written there meanwhile.
            self.check(inputs)
            others = [self.stanza_file] if self.stanza_file else []
            last = [(directory / last_part(url), url) for url in (*others, picks_path(self.path), self.manifest)]
            new = {url for _, url in records}
            # Nobody may find the old manifest beside new records, or shards of two sets.
            old = [self.manifest, *(url for url in Names.of(self.path).old_files() if url not in new)]
            upload([*records, *last], force=self.force, remove=old if self.force else ())
            return [shown(url) for _, url in records]

    def write_lines(self, file: IO[bytes], selection: "Selection", like: Manifest | None = None) -> None:
        """Writes the records, or positions, to an open file as lines of JSON.

        Raises
        ------
        EntropyLawError
            See ``write``.
        """
        order = self._order(selection)
        members = self._members(selection, order)
        if self.indices_only:
            plain = "indices.jsonl" if members else "indices.txt"
            tables.write(file, plain, {"index": selection.rows[order], **members})
        else:
            plain = "records.jsonl"
            content_of(plain, selection.pool.records, selection.indices[order], members).write(file)
        if like is not None:
            # What was in shards comes one after the other.
            sizes = [part.bytes for part in like.content.output.files]
            compare(plain, lambda: cut_hashes(file, sizes), like)

    def _order(self, selection: "Selection") -> NDArray[np.int64]:
        """The ranks of the picks, in the order in which they are written."""
        return np.arange(len(selection)) if self.sort == "pick" else np.argsort(selection.indices)

    def described(self, selection: "Selection", written: Sequence[Staged], archive: Staged) -> dict[str, Any]:
        """The manifest of records that are ``written``, and of the archive of picks."""
        # Without what the work took, equal runs make equal manifests, resumed ones too.
        summary = {key: value for key, value in selection.summary().items() if key not in ("seconds", "work")}
        for part in (summary["pool"], summary["selection"]):
            part["sources"], part["other_sources"] = _first(part["sources"])
        for name in ("quotas", "balance"):
            if groups := summary.get(name):
                most_first = dict(sorted(groups.items(), key=lambda item: -item[1]["selected"]))
                summary[name], summary[f"other_{name}"] = _first(most_first)
        *records, picks = (
            {"name": staged.path.name, "bytes": staged.bytes(), "sha256": staged.sha256()}
            for staged in (*written, archive)
        )
        kind, amount = self._sharding()
        options: dict[str, Any] = {
            "sort": self.sort,
            "shards": amount if kind == "count" and self.shards is not None else self.shards,
            "columns": list(self.columns),
            "indices_only": self.indices_only,
            "stanza": self.stanza,
        }
        if self.counts:
            options["counts"] = list(self.counts)
        skipped = list(selection.pool.skipped[:_LISTED])
        return {
            "manifest": FORMAT,
            **summary,
            "output": {**options, "files": records},
            "picks": picks,
            "skipped": skipped,
        }

    def _names(self) -> list[str]:
        return ["index", *(_PREFIX + column for column in self.columns)]

    def _members(self, selection: "Selection", order: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """What is added to each record, in the order in which they are written."""
        values: dict[str, NDArray[Any]] = {}
        for column in self.columns:
            if column == "rank":
                values[_PREFIX + column] = order + 1
            elif column == "gain":
                values[_PREFIX + column] = selection.gains[order]
            elif column == "weight":
                values[_PREFIX + column] = selection.sample_weights[order]
            else:
                values[_PREFIX + column] = _ratios(selection)[order]
        return values

    def _write_records(
        self,
        outputs: Outputs,
        selection: "Selection",
        indices: NDArray[np.int64],
        members: Mapping[str, NDArray[Any]],
    ) -> None:
        kind, amount = self._sharding()
        if kind == "count" and amount > len(indices):
            raise EntropyLawError(f"{amount} shards are more than the {len(indices)} records; ask for fewer")
        if self.counts and (len(self.counts) != amount or min(self.counts) < 1 or sum(self.counts) != len(indices)):
            raise EntropyLawError(f"the shards are of other numbers of records than the {len(indices)} that there are")
        content = content_of(self.path, selection.pool.records, indices, members)
        names = Names.of(self.path)
        small, larger = divmod(len(indices), amount)
        number = 0
        while not content.done():
            # How many shards there are is in their names; by size, it is known at the end.
            with outputs.file(self.path if self.shards is None else names.shard(number, amount)) as file:
                if kind == "count":
                    content.write(file, records=self.counts[number] if self.counts else small + (number < larger))
                else:
                    content.write(file, size=amount)
            number += 1
        if self.shards is None:
            return
        for at, staged in enumerate(outputs.staged):
            staged.rename(Path(names.shard(at, number)))

    def _sharding(self) -> tuple[Literal["count", "bytes"], int]:
        """The number of files, or the bytes that one may hold."""
        if self.shards is None:
            return "count", 1
        try:
            given = Budget.parse(self.shards)
        except EntropyLawError:
            given = None
        if given is None or given.is_share or given.unit == "tokens":
            raise EntropyLawError(
                f"shards is {self.shards!r}; it must be a number of files, or bytes for each such as '500MB'"
            )
        return "bytes" if given.unit == "bytes" else "count", int(given.amount)


def _first(groups: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """As many groups as a manifest lists, and how many it leaves out."""
    return dict(islice(groups.items(), _LISTED)), max(0, len(groups) - _LISTED)


def _ratios(selection: "Selection") -> NDArray[np.float64]:
    """R of each picked sample alone."""
    data = np.frombuffer(b"".join(selection.samples()), dtype=np.uint8)
    lengths = selection.pool.lengths_of(selection.indices)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    return lengths / _core.measure_each(data, offsets)
