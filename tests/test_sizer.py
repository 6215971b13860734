"""`Sizer`, `ratio` and the real zlib."""

import array
import copy
import mmap
import pickle
import random
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    with pytest.raises(
        entropylaw.EntropyLawError, match="the sample is of type str; it must be bytes, or a buffer of them"
    ):
        entropylaw.Sizer().append("text")  # type: ignore[arg-type]


TEXT = b"the quick brown fox jumps over the lazy dog, and back. " * 3


def mapped(tmp_path: Path) -> mmap.mmap:
    (tmp_path / "mapped").write_bytes(TEXT)
    with (tmp_path / "mapped").open("r+b") as file:
        return mmap.mmap(file.fileno(), 0)


@pytest.mark.parametrize(
    "kind",
    [
        bytes,
        bytearray,
        memoryview,
        lambda text: memoryview(text * 2)[: len(text)],
        lambda text: memoryview(b"".join(bytes([byte, 0]) for byte in text))[::2],
        lambda text: array.array("B", text),
        lambda text: np.frombuffer(text, dtype=np.uint8),
        lambda text: np.frombuffer(text, dtype=np.uint8).copy(),
        lambda text: np.frombuffer(text[::-1], dtype=np.uint8)[::-1],
    ],
)
def test_any_buffer_of_bytes_is_a_sample(kind: Callable[[bytes], Any]) -> None:
    sizer, other = entropylaw.Sizer(), entropylaw.Sizer()
    sizer.append(kind(TEXT))
    other.append(TEXT)
    assert (len(sizer), sizer.size()) == (len(TEXT), len(zlib.compress(TEXT, 9)))
    assert sizer.probe([kind(b"the lazy fox")]).tolist() == other.probe([b"the lazy fox"]).tolist()


def test_mapped_files_are_samples(tmp_path: Path) -> None:
    sizer = entropylaw.Sizer()
    sizer.append(mapped(tmp_path))
    assert sizer.size() == len(zlib.compress(TEXT, 9))


@pytest.mark.parametrize("wrong", [3, None, [1, 2], np.zeros(3), np.zeros(3, dtype=np.int16), array.array("i", [1])])
def test_other_buffers_are_refused(wrong: Any) -> None:
    """Numbers of several bytes are no bytes: which of them comes first would depend on the machine."""
    with pytest.raises(entropylaw.EntropyLawError, match=r"the sample is .*; it must be bytes, or a buffer of them"):
        entropylaw.Sizer().append(wrong)


@pytest.mark.parametrize("length", [0, 1, 300, 32_768, 40_000, 200_000])
@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, entropylaw.Sizer.copy, lambda s: pickle.loads(pickle.dumps(s))]
)
def test_copies_go_on_by_themselves(again: Callable[[entropylaw.Sizer], entropylaw.Sizer], length: int) -> None:
    """In the middle of a block, a match or a window: every later size is that of the prefix."""
    chooser = random.Random(length)
    prefix = bytes(chooser.choices(b"abcdefgh   ", k=length))
    sizer = entropylaw.Sizer()
    sizer.append(prefix)
    other = again(sizer)
    assert len(other) == length and other.size() == sizer.size() == len(zlib.compress(prefix, 9))
    candidates = [prefix[-n:] + b"abc" for n in (1, 100, 5000)]
    assert other.probe(candidates).tolist() == [len(zlib.compress(prefix + each, 9)) for each in candidates]
    other.append(TEXT)
    assert other.size() == len(zlib.compress(prefix + TEXT, 9))
    assert (len(sizer), sizer.size()) == (length, len(zlib.compress(prefix, 9)))


def test_a_small_stack_is_enough() -> None:
    """Threads have 128 KiB of it under musl, and 512 under macOS; what is large of a sizer lies elsewhere."""
    found: list[object] = []

    def work() -> None:
        sizer = entropylaw.Sizer()
        sizer.append(TEXT * 900)
        other = pickle.loads(pickle.dumps(sizer.copy()))
        found.append(other.probe([TEXT, TEXT * 900], threads=1).tolist())
        found.append(other.size())

    before = threading.stack_size(128 << 10)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    sizes = [len(zlib.compress(TEXT * 900 + more, 9)) for more in (TEXT, TEXT * 900, b"")]
    assert found == [sizes[:2], sizes[2]]


def test_damaged_states_are_refused() -> None:
    sizer = entropylaw.Sizer()
    sizer.append(TEXT)
    _, _, state = sizer.__reduce__()
    for wrong, said in ((b"", "not a saved deflate prefix"), (state[:-1], "cut off"), (state[:-1] + b"x", "checksum")):
        with pytest.raises(entropylaw.EntropyLawError, match=said):
            entropylaw.Sizer().__setstate__(wrong)
    with pytest.raises(entropylaw.EntropyLawError, match="the state of the sizer is None; it must be bytes"):
        entropylaw.Sizer().__setstate__(None)  # type: ignore[arg-type]


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
