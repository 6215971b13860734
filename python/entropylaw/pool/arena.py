"""Where samples lie: in memory up to a limit, in a memory-mapped temporary file beyond."""

import tempfile
from typing import IO

import numpy as np
from numpy.typing import NDArray

from entropylaw import parameters
from entropylaw.budget import Budget
from entropylaw.errors import EntropyLawError

MEMORY = "2GB"
"""How much text is held in memory, unless a user says otherwise."""
_BUFFER = 1 << 20


def memory_limit(memory: int | str) -> int:
    """Bytes that ``memory`` stands for: a number, or text such as ``"2GB"`` (10^9) or ``"1.5GiB"`` (2^30).

    Raises
    ------
    EntropyLawError
        If it stands for none.
    """
    try:
        if not isinstance(memory, str):
            return parameters.whole("memory", memory, 0)
        size = Budget.parse(memory)
    except EntropyLawError:
        size = None
    if size is None or size.unit != "bytes" or size.is_share:
        raise EntropyLawError(
            f"memory is {parameters.shown(memory)}; it must be an amount of bytes such as '2GB'"
        ) from None
    return int(size.amount)


class Arena:
    """Bytes, one piece after the other, held once."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()
        self._file: IO[bytes] | None = None
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def append(self, piece: bytes | memoryview) -> None:
        """Adds bytes at the end.

        Raises
        ------
        EntropyLawError
            If they don't fit on the disk.
        """
        self._size += len(piece)
        if self._file is None and self._size <= self._limit:
            self._held += piece
            return
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=_BUFFER)  # noqa: SIM115 - lives as long as its arena
                self._file.write(self._held)
                self._held = bytearray()
            self._file.write(piece)
        except OSError as error:
            raise self._full(error) from None

    def finish(self) -> NDArray[np.uint8]:
        """All bytes; read-only if they lie in the file, which is gone with the array."""
        if self._file is None:
            return np.frombuffer(self._held, dtype=np.uint8)
        try:
            self._file.flush()
        except OSError as error:
            raise self._full(error) from None
        return np.memmap(self._file, dtype=np.uint8, mode="r")

    def _full(self, error: OSError) -> EntropyLawError:
        return EntropyLawError(
            f"the samples exceed the {self._limit} bytes of memory allowed, and the temporary file in "
            f"{tempfile.gettempdir()} cannot be written: {error.strerror or error}; allow more memory (memory=, "
            "--memory), or name a larger directory in TMPDIR"
        )
