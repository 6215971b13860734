"""The characters that ``repr`` leaves as they are: those of the version of Unicode that this Python knows."""

from functools import cache

import numpy as np

_PLANE = 0x1_0000


@cache
def printable() -> bytes:
    """A bit for each character, from the lowest of the first byte on: whether ``repr`` leaves it as it is."""
    kept = np.zeros(17 * _PLANE, dtype=bool)
    # Of ASCII, repr writes escapes with what it leaves.
    kept[:0x80] = [chr(code).isprintable() for code in range(0x80)]
    for start in range(0, len(kept), _PLANE):
        codes = np.arange(max(start, 0x80), start + _PLANE, dtype="<u4")
        shown = repr(codes.tobytes().decode("utf-32-le", "surrogatepass")).encode("utf-32-le")
        left = np.frombuffer(shown, dtype="<u4")
        kept[left[left >= 0x80]] = True
    return np.packbits(kept, bitorder="little").tobytes()
