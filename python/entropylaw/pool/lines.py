"""Records in JSON files, found again by their offsets: a pool holds no text twice."""

from array import array
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from entropylaw.errors import EntropyLawError
from entropylaw.pool.schema import RecordError
from entropylaw.pool.source import Source
from entropylaw.pool.split import on_one_line

_MOST = 2**32 - 1
"""Lines of a file, and bytes of a record: each is kept in 32 bits."""


class LineRecords:
    """The records of one JSON file."""

    tabular: Literal[False] = False

    def __init__(self, source: Source, named: bool = True) -> None:
        self.source: Source | None = source if named else None
        self.name = source.name
        self._file = source
        self._lines = array("I")
        self._starts = array("q")
        self._lengths = array("I")

    def add(self, line: int, start: int, length: int) -> None:
        """The next record: its line, its offset and length in the file's content.

        Raises
        ------
        EntropyLawError
            If lines or bytes are more than are counted.
        """
        self._check(line, length)
        self._lines.append(line)
        self._starts.append(start)
        self._lengths.append(length)

    def add_many(self, lines: NDArray[np.int64], starts: NDArray[np.int64], lengths: NDArray[np.uint32]) -> None:
        """The next records; see ``add``."""
        if len(lines):
            self._check(int(lines[-1]), int(lengths.max()))
        self._lines.frombytes(lines.astype(np.uint32).tobytes())
        self._starts.frombytes(starts.tobytes())
        self._lengths.frombytes(lengths.tobytes())

    def _check(self, line: int, length: int) -> None:
        if line > _MOST:
            raise EntropyLawError(
                f"{self.name}: has more than {_MOST:,} lines, as many as can be read; cut it into files of fewer"
            )
        if length > _MOST:
            raise EntropyLawError(
                f"{self.name}:{line}: the record has {length:,} bytes; up to {_MOST:,} can be read: cut it"
            )

    def __len__(self) -> int:
        return len(self._starts)

    def where(self, position: int) -> str:
        return self.at_line(self._lines[position])

    @property
    def has_begin(self) -> bool:
        """Whether the file's beginning is read."""
        return self._file.has_begin

    def at_line(self, line: int) -> str:
        """Where a record is that begins in a line of what is read of the file."""
        return f"{self._file.name}:{self._file.numbered(line)}"

    def paths(self) -> list[str]:
        return [self._file.origin] if self._file.origin else []

    def raw(self, positions: NDArray[np.int64]) -> Iterator[bytes]:
        self._file.check_unchanged()
        for raw in self._read(positions.tolist()):
            yield on_one_line(raw) if b"\n" in raw else raw

    def objects(self, positions: NDArray[np.int64]) -> Iterator[tuple[str, Any]]:
        from entropylaw.pool.shapes import exactly

        for position, raw in zip(positions.tolist(), self.raw(positions), strict=True):
            try:
                yield self.where(position), exactly(raw)
            except RecordError as error:
                raise EntropyLawError(f"{self.where(position)}: {error}; write JSON Lines, which keep it") from None

    def _read(self, positions: list[int]) -> Iterator[bytes]:
        if self._file.is_plain():
            with self._file.open() as file:
                for position in positions:
                    file.seek(self._starts[position])
                    yield file.read(self._lengths[position])
            return
        chunks = self._file.chunks()
        buffer, offset = b"", 0
        for position in positions:
            start, length = self._starts[position], self._lengths[position]
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
            yield b"".join(pieces)[:length]
