"""Select among the documents of datatrove, by three blocks that run one after the other.

``Collect`` keeps the documents of each task, ``Select`` selects from all of them in one task, and ``Keep`` passes on
those that were chosen. The picks are those of ``entropylaw.select`` on the documents in the order of the tasks.
"""

import gzip
import os
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any

import msgspec

from entropylaw.errors import EntropyLawError
from entropylaw.methods import Method
from entropylaw.selecting import select

try:
    from datatrove.io import DataFolderLike, get_datafolder
    from datatrove.pipeline.base import DocumentsPipeline, PipelineStep
    from datatrove.pipeline.writers.disk_base import DiskWriter
    from datatrove.utils.typeshelper import StatHints
except ImportError:
    raise ImportError("these blocks need datatrove; install it with: pip install datatrove") from None

_TYPE = "🗜 - ENTROPYLAW"
_DOCUMENTS, _PICKS = ".documents.jsonl.gz", ".picks.json"


class _Pick(msgspec.Struct, array_like=True):
    """A document that was chosen."""

    position: int
    """Among the documents of its task, from 0."""
    id: str
    rank: int
    gain: float


class _Picks(msgspec.Struct):
    """What was chosen of a task's documents."""

    documents: int
    picks: list[_Pick]
    """By position."""


class Collect(PipelineStep):  # type: ignore[misc]
    """Keeps the documents of each task for ``Select``: text, id and metadata.

    Parameters
    ----------
    output_folder
        Where to, a file for each task.
    """

    type = _TYPE
    name = "collect"

    def __init__(self, output_folder: DataFolderLike) -> None:
        super().__init__()
        self.output_folder = get_datafolder(output_folder)

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> None:
        """Writes the documents."""
        encode = msgspec.json.Encoder(enc_hook=str).encode
        with self.output_folder.open(_named(rank, _DOCUMENTS), "wb", compression="gzip") as file:
            for document in data:
                self.stat_update(StatHints.total)
                line = {**document.metadata, "text": document.text, "id": document.id}
                file.write(encode(line) + b"\n")


class Select(PipelineStep):  # type: ignore[misc]
    """Selects from all that ``Collect`` kept. Runs as one task.

    Parameters
    ----------
    input_folder
        What ``Collect`` wrote.
    output_folder
        Where the picks go, a file for each task of ``Collect``.
    budget, method, options
        As for ``entropylaw.select``; a field of the metadata is named as it is there, as in ``weight="score"``.
    manifest : path, optional
        Also write the positions of the picks among all documents here, and the manifest beside it.

    Raises
    ------
    EntropyLawError
        If there is nothing to select from, or a parameter doesn't fit; if there is more than one task.
    """

    type = _TYPE
    name = "select"

    def __init__(
        self,
        input_folder: DataFolderLike,
        output_folder: DataFolderLike,
        budget: int | str,
        method: str | Method = "zip",
        *,
        manifest: str | os.PathLike[str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self.input_folder = get_datafolder(input_folder)
        self.output_folder = get_datafolder(output_folder)
        self.budget, self.method, self.options, self.manifest = budget, method, options, manifest

    def run(self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1) -> None:
        """Selects, and writes the picks."""
        if world_size != 1:
            raise EntropyLawError(f"Select sees all documents and runs as one task, not as {world_size}: tasks=1")
        names = sorted(self.input_folder.list_files(glob_pattern=f"*{_DOCUMENTS}"))
        if not names:
            raise EntropyLawError(f"{self.input_folder.path}: holds nothing that Collect wrote; run it before")
        with tempfile.TemporaryDirectory() as directory, self.track_time():
            files = [Path(directory) / f"{number:06d}.jsonl.gz" for number in range(len(names))]
            for name, path in zip(names, files, strict=True):
                with self.input_folder.open(name, "rb") as source, path.open("wb") as copy:
                    _copy(source, copy)
            given = {"field": "text", **self.options}
            chosen: Any = select(files, budget=self.budget, method=self.method, **given)
            counts = _counts(files)
            if self.manifest is not None:
                chosen.save(self.manifest, indices_only=True, force=True)
            ids = [record["id"] for record in chosen]
        self.stat_update(StatHints.total, value=len(chosen.pool))
        self.stat_update(StatHints.forwarded, value=len(chosen))
        rows, gains = chosen.rows.tolist(), chosen.gains.tolist()
        ranked = sorted(zip(rows, ids, range(1, len(rows) + 1), gains, strict=True))
        start, at = 0, 0
        for name, count in zip(names, counts, strict=True):
            picks = []
            while at < len(ranked) and ranked[at][0] < start + count:
                row, id_, place, gain = ranked[at]
                picks.append(_Pick(row - start, id_, place, gain))
                at += 1
            start += count
            with self.output_folder.open(name.removesuffix(_DOCUMENTS) + _PICKS, "wb") as file:
                file.write(msgspec.json.encode(_Picks(count, picks)))


class Keep(PipelineStep):  # type: ignore[misc]
    """Passes on the documents that ``Select`` chose, in the order in which they come.

    It needs the same reader, blocks and number of tasks before it that ``Collect`` had. Each document that it passes on
    has ``entropylaw_rank`` (1 is the first pick) and ``entropylaw_gain`` in its metadata.

    Parameters
    ----------
    input_folder
        What ``Select`` wrote.
    exclusion_writer : optional
        What writes the documents that were not chosen.

    Raises
    ------
    EntropyLawError
        If the documents are not those that ``Collect`` kept.
    """

    type = _TYPE
    name = "keep"

    def __init__(self, input_folder: DataFolderLike, exclusion_writer: DiskWriter | None = None) -> None:
        super().__init__()
        self.input_folder = get_datafolder(input_folder)
        self.exclusion_writer = exclusion_writer

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        """Yields the chosen documents."""
        name = _named(rank, _PICKS)
        if not self.input_folder.isfile(name):
            raise EntropyLawError(
                f"{name}: is not in {self.input_folder.path}: run Select, with as many tasks before it"
            )
        with self.input_folder.open(name, "rb") as file:
            found = msgspec.json.decode(file.read(), type=_Picks)
        remedy = "give Keep the reader, the blocks and the number of tasks that Collect had"
        picks = iter(found.picks)
        pick = next(picks, None)
        count = 0
        with self.exclusion_writer or nullcontext() as excluded:
            for position, document in enumerate(data):
                count += 1
                self.stat_update(StatHints.total)
                if pick is None or position != pick.position:
                    self.stat_update(StatHints.dropped)
                    if excluded is not None:
                        excluded.write(document, rank)
                    continue
                if document.id != pick.id:
                    raise EntropyLawError(
                        f"document {position} of task {rank} is {document.id!r}, and was {pick.id!r}; {remedy}"
                    )
                document.metadata["entropylaw_rank"] = pick.rank
                document.metadata["entropylaw_gain"] = pick.gain
                pick = next(picks, None)
                self.stat_update(StatHints.forwarded)
                self.update_doc_stats(document)
                yield document
        if count != found.documents:
            raise EntropyLawError(f"task {rank} has {count:,} documents, and had {found.documents:,}; {remedy}")


def _named(rank: int, ending: str) -> str:
    return f"{rank:06d}{ending}"


def _copy(source: IO[bytes], copy: IO[bytes]) -> None:
    while chunk := source.read(1 << 20):
        copy.write(chunk)


def _counts(files: list[Path]) -> list[int]:
    """Documents in each file."""
    counts = []
    for path in files:
        with gzip.open(path, "rb") as file:
            counts.append(sum(1 for _ in file))
    return counts
