"""How good a subset is, by compressors used as models."""

import lzma
import zlib
from collections.abc import Callable, Mapping

import pyppmd

_XZ = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 27}]


def ppmd(data: bytes) -> int:
    """Bytes under PPMd variant H, order 6: a strong model of the statistics of text."""
    encoder = pyppmd.Ppmd7Encoder(max_order=6, mem_size=1 << 28)
    return len(encoder.encode(data)) + len(encoder.flush())


def xz(data: bytes) -> int:
    """Bytes under LZMA with a window over everything: a model of repetition."""
    return len(lzma.compress(data, format=lzma.FORMAT_RAW, filters=_XZ))


MODELS: dict[str, Callable[[bytes], int]] = {"ppmd": ppmd, "xz": xz}


def bits_per_byte(subset: bytes, heldout: Mapping[str, bytes], size: Callable[[bytes], int]) -> dict[str, float]:
    """What each family's held-out text costs a model that has seen the subset."""
    alone = size(subset)
    return {family: 8 * (size(subset + text) - alone) / len(text) for family, text in heldout.items()}


def ratios(subset: bytes) -> dict[str, float]:
    """R of a subset: within 32 KiB, as the paper measures it, and over any distance."""
    return {"R_zlib": len(subset) / len(zlib.compress(subset, 9)), "R_xz": len(subset) / xz(subset)}
