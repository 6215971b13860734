"""ZIP the slow way: recompresses everything with Python's zlib for every candidate.

Two functions, `paper` and `reference`, each the whole algorithm in the plainest form, to check the fast one against.
"""

import math
import zlib
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from limits import Limits

BURNT = 1_000_000.0


def compressed(data: bytes) -> int:
    """Length of what zlib makes of ``data``."""
    return len(zlib.compress(data, 9))


def paper(
    samples: Sequence[bytes],
    budget: int,
    k1: int,
    k2: int,
    k3: int,
    limits: Limits | None = None,
    weights: Sequence[float] | None = None,
    anchor: bytes = b"",
    known: Sequence[int] = (),
) -> list[int]:
    """The paper's algorithm: exact ratios, ties to the lower index, nothing burnt, exact budget.

    ``limits`` take the place of ``budget``. What is known stands before everything selected: ``anchor``, or the samples
    ``known``. A weight multiplies what a sample adds to the compressed size.
    """
    limits = limits or Limits(budget)
    before = anchor or b"".join(samples[index] for index in known)

    def ratio(prefix: bytes, chosen: list[int], candidate: int) -> Fraction:
        base = prefix + b"".join(samples[index] for index in chosen)
        data = base + samples[candidate]
        size, grown = Fraction(compressed(data)), compressed(data) - compressed(base)
        if weights is not None and grown > 0:
            size += grown * (Fraction(math.floor(weights[candidate] * 65_536 + 0.5), 65_536) - 1)
        return Fraction(len(data)) / size if size else Fraction(10**30)

    state = {index: ratio(b"", [], index) for index in range(len(samples)) if index not in known}
    selected: list[int] = []
    while limits.left() and (fitting := limits.fitting(state)):
        first = sorted(fitting, key=lambda index: (state[index], index))[:k1]
        for index in first:
            state[index] = ratio(before, selected, index)
        block = sorted(first, key=lambda index: (state[index], index))[:k2]
        picks: list[int] = []
        while len(picks) < k3 and limits.left() and (block := [index for index in block if limits.fits(index)]):
            best = min(block, key=lambda index: (ratio(b"", picks, index), index))
            picks.append(best)
            block.remove(best)
            del state[best]
            limits.take(best)
        selected += picks
    return selected


def reference(
    records: Sequence[object],
    budget: int,
    k1: int,
    k2: int,
    k3: int,
    lowest: Callable[[Sequence[float], int], list[int]],
) -> list[int]:
    """The authors' script, whole rounds, with ``lowest(values, k)``; it stops where the script goes wrong."""

    def ratio(chosen: Sequence[int], candidate: int) -> np.float32:
        data = str([records[index] for index in [*chosen, candidate]]).encode()
        return np.float32(len(data) / compressed(data))

    state = [ratio([], index) for index in range(len(records))]
    left = len(records)
    selected: list[int] = []
    while len(selected) < budget and left and (left >= k1 or len(records) < k1):
        first = lowest(state, min(k1, left))
        values = [ratio(selected, index) for index in first]
        for index, value in zip(first, values, strict=True):
            state[index] = value
        block = [first[position] for position in lowest(values, min(k2, len(first)))]
        for index in block:
            state[index] = np.float32(BURNT)
        left -= len(block)
        picks: list[int] = []
        for _ in range(min(k3, len(block))):
            values = [np.float32(BURNT) if index in picks else ratio(picks, index) for index in block]
            picks.append(block[lowest(values, 1)[0]])
        selected += picks
    return selected


def libstdcxx_lowest(values: Sequence[float], k: int) -> list[int]:
    """Positions of the k lowest as ``torch.topk(values, k, largest=False)`` orders them, by libstdc++'s algorithms."""
    order = list(range(len(values)))

    def less(a: int, b: int) -> bool:
        return bool(values[a] < values[b])

    if k * 64 <= len(order):
        _partial_sort(order, 0, k, len(order), less)
    else:
        _nth_element(order, k - 1, less)
        _sort(order, k - 1, less)
    return order[:k]


Less = Callable[[int, int], bool]


def _sift(v: list[int], first: int, hole: int, size: int, value: int, less: Less) -> None:
    top, child = hole, hole
    while child < (size - 1) // 2:
        child = 2 * (child + 1)
        if less(v[first + child], v[first + child - 1]):
            child -= 1
        v[first + hole] = v[first + child]
        hole = child
    if size % 2 == 0 and child == (size - 2) // 2:
        child = 2 * (child + 1)
        v[first + hole] = v[first + child - 1]
        hole = child - 1
    while hole > top and less(v[first + (hole - 1) // 2], value):
        v[first + hole] = v[first + (hole - 1) // 2]
        hole = (hole - 1) // 2
    v[first + hole] = value


def _heap_select(v: list[int], first: int, middle: int, last: int, less: Less) -> None:
    size = middle - first
    for parent in range((size - 2) // 2, -1, -1):
        _sift(v, first, parent, size, v[first + parent], less)
    for i in range(middle, last):
        if less(v[i], v[first]):
            value, v[i] = v[i], v[first]
            _sift(v, first, 0, size, value, less)


def _partial_sort(v: list[int], first: int, middle: int, last: int, less: Less) -> None:
    _heap_select(v, first, middle, last, less)
    for end in range(middle - 1, first, -1):
        value, v[end] = v[end], v[first]
        _sift(v, first, 0, end - first, value, less)


def _partition(v: list[int], first: int, last: int, less: Less) -> int:
    a, b, c = first + 1, first + (last - first) // 2, last - 1
    if less(v[a], v[b]):
        median = b if less(v[b], v[c]) else c if less(v[a], v[c]) else a
    else:
        median = a if less(v[a], v[c]) else c if less(v[b], v[c]) else b
    v[first], v[median] = v[median], v[first]
    low, high = first + 1, last
    while True:
        while less(v[low], v[first]):
            low += 1
        high -= 1
        while less(v[first], v[high]):
            high -= 1
        if low >= high:
            return low
        v[low], v[high] = v[high], v[low]
        low += 1


def _insert(v: list[int], i: int, first: int, less: Less) -> None:
    value = v[i]
    if less(value, v[first]):
        v[first + 1 : i + 1] = v[first:i]
        v[first] = value
        return
    while less(value, v[i - 1]):
        v[i] = v[i - 1]
        i -= 1
    v[i] = value


def _nth_element(v: list[int], nth: int, less: Less) -> None:
    first, last = 0, len(v)
    depth = 2 * (len(v).bit_length() - 1)
    while last - first > 3:
        if depth == 0:
            _heap_select(v, first, nth + 1, last, less)
            v[first], v[nth] = v[nth], v[first]
            return
        depth -= 1
        cut = _partition(v, first, last, less)
        first, last = (cut, last) if cut <= nth else (first, cut)
    for i in range(first + 1, last):
        _insert(v, i, first, less)


def _sort(v: list[int], last: int, less: Less) -> None:
    def introsort(first: int, last: int, depth: int) -> None:
        while last - first > 16:
            if depth == 0:
                _partial_sort(v, first, last, last, less)
                return
            depth -= 1
            cut = _partition(v, first, last, less)
            introsort(cut, last, depth)
            last = cut

    if last > 1:
        introsort(0, last, 2 * (last.bit_length() - 1))
        for i in range(1, last):
            _insert(v, i, 0, less)
