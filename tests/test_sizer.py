"""`Sizer`, `ratio` and the real zlib."""

import random
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import entropylaw

pieces = st.lists(st.one_of(st.binary(max_size=200), st.text("abc ", max_size=400).map(str.encode)), max_size=12)


@given(prefix=pieces, candidates=pieces)
def test_probes_are_one_shot_sizes(prefix: list[bytes], candidates: list[bytes]) -> None:
    sizer = entropylaw.Sizer()
    for piece in prefix:
        sizer.append(piece)
    before = b"".join(prefix)
    sizes = sizer.probe(candidates)
    assert sizes.dtype == np.int64
    assert sizes.tolist() == [len(zlib.compress(before + candidate, 9)) for candidate in candidates]
    assert sizer.size() == len(zlib.compress(before, 9))
    assert len(sizer) == len(before)


def test_threads_change_nothing() -> None:
    chooser = random.Random(3)
    words = [chooser.randbytes(5) for _ in range(300)]
    candidates = [b"".join(chooser.choices(words, k=200)) for _ in range(150)]
    sizer = entropylaw.Sizer()
    sizer.append(b"".join(candidates[:40]))
    expected = [len(zlib.compress(b"".join([*candidates[:40], candidate]), 9)) for candidate in candidates]
    for threads in (1, 2, 5, None):
        assert sizer.probe(candidates, threads=threads).tolist() == expected


def test_a_prefix_at_the_edge_of_the_window_is_sized_as_in_one_shot() -> None:
    """65,535 bytes: the length at which a copied `compressobj` differs from one-shot compression."""
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    copies_differ = 0
    for seed in range(40):
        chooser = random.Random(seed)
        prefix = bytearray(chooser.choices(letters, k=65_535))
        prefix[65_274:65_374] = prefix[32_768:32_868]
        candidate = bytes(chooser.choices(letters, k=400))
        expected = len(zlib.compress(bytes(prefix) + candidate, 9))
        sizer = entropylaw.Sizer()
        sizer.append(bytes(prefix))
        assert sizer.probe([candidate]).tolist() == [expected]
        stream = zlib.compressobj(9)
        head = stream.compress(bytes(prefix))
        copy = stream.copy()
        copies_differ += len(head + copy.compress(candidate) + copy.flush()) != expected
    assert copies_differ, "no case reaches the edge"


def test_sizers_refuse_what_they_do_not_know() -> None:
    with pytest.raises(entropylaw.EntropyLawError, match="no codec"):
        entropylaw.Sizer(codec="rar")
    with pytest.raises(entropylaw.EntropyLawError, match="threads is 0"):
        entropylaw.Sizer().probe([b"a"], threads=0)
    with pytest.raises(entropylaw.EntropyLawError, match="the sample is of type str; it must be bytes or bytearray"):
        entropylaw.Sizer().append("text")  # type: ignore[arg-type]


def test_ratio_by_source(tmp_path: Path) -> None:
    records = [{"text": text * 20, "source": source} for text, source in [("ab", "x"), ("cd", "y"), ("ab", "x")]]
    records.append({"text": "no source"})
    result = entropylaw.ratio(records)
    sets = {"x": "ab" * 40, "y": "cd" * 20, "": "no source"}
    whole = "".join(record["text"] for record in records).encode()
    assert (result.raw_bytes, result.compressed_bytes) == (len(whole), len(zlib.compress(whole, 9)))
    assert result.ratio == float(result) == len(whole) / len(zlib.compress(whole, 9))
    assert list(result.by_source) == ["x", "y", ""]
    for source, text in sets.items():
        assert result.by_source[source].compressed_bytes == len(zlib.compress(text.encode(), 9))
    assert result.by_source["x"].samples == 2
    assert result.samples == 4


def test_ratio_without_sources() -> None:
    result = entropylaw.ratio(["to be or not to be"] * 50)
    assert result.by_source == {}
    assert result.compressed_bytes == len(zlib.compress(b"to be or not to be" * 50, 9))
