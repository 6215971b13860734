"""Copies and sums over parts of a pool, against what they are by definition."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from entropylaw import load
from entropylaw.controls.copies import Copies, Hashes, compare, slices
from entropylaw.controls.part import exact_sum
from entropylaw.parts.parts import Layout


@given(
    parts=st.lists(st.lists(st.sampled_from("abcdef"), max_size=8), min_size=1, max_size=5),
    known=st.sets(st.integers(0, 30)),
)
def test_copies_are_found_over_parts(parts: list[list[str]], known: set[int]) -> None:
    whole = [text for part in parts for text in part]
    known = {index for index in known if index < len(whole)}
    taken = {whole[index] for index in known}
    wanted = [
        index
        for index, text in enumerate(whole)
        if index not in known and (text in taken or whole.index(text) != index)
    ]
    firsts = Layout([len(part) for part in parts]).firsts.tolist()
    each = []
    for part, first in zip(parts, firsts, strict=False):
        mine = np.array(sorted(index - first for index in known if first <= index < first + len(part)), dtype=np.int64)
        each.append(Copies(load(part), None, None, mine, 1) if part else None)
    there = [copies for copies in each if copies is not None]
    if not there:
        return
    for low, high in [(0, 1 << 31), (1 << 31, 1 << 32)]:
        met = compare([copies.hashes(low, high) for copies in there])
        for copies, told_ in zip(there, met, strict=True):
            copies.meet(low, high, told_)
    found = [
        index + first
        for copies, first in zip(each, firsts, strict=False)
        if copies is not None
        for index in copies.found().tolist()
    ]
    assert [index for index in found if index not in known] == wanted


def test_slices_hold_all_hashes() -> None:
    bounds = slices(50_000_000)
    assert bounds[0][0] == 0 and bounds[-1][1] == 1 << 32 and len(bounds) > 1
    assert all(before[1] == after[0] for before, after in pairwise(bounds))
    nothing = Hashes(np.zeros((0, 2), dtype=np.uint64), np.zeros(0, dtype=np.bool_))
    assert [len(met.before) for met in compare([nothing, nothing])] == [0, 0]


@given(st.lists(st.floats(0, 1e300), max_size=20))
@example([1e300, 1.0, 5e-324, 0.1] * 5)
def test_sums_are_exact(values: list[float]) -> None:
    assert sum(map(Fraction, exact_sum(np.array(values)))) == sum(map(Fraction, values))
