"""Unpacking by several threads: on any file, the bytes and the error that one thread comes to."""

import bz2
import gzip
import io
import json
import lzma
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entropylaw import EntropyLawError
from entropylaw.pool import ahead as ahead_module
from entropylaw.pool import gzip_members, load, zstd_frames
from entropylaw.pool.ahead import Made, Task, ahead, made
from entropylaw.pool.compression import unpacker
from entropylaw.pool.source import Source
from test_line_reader import told


@contextmanager
def small(large: int, piece: int, in_flight: int) -> Iterator[None]:
    """Frames are large, and pieces whole, from so many bytes on."""
    with (
        patch.object(zstd_frames, "_LARGE", large),
        patch.object(zstd_frames, "_PIECE", piece),
        patch.object(ahead_module, "_IN_FLIGHT", in_flight),
    ):
        yield


def unpacked(packed: bytes, threads: int) -> tuple[bytes, str | None]:
    """The content before the first error, and the error."""
    unpack = unpacker(packed[:4096])
    assert unpack is not None
    pieces = []
    try:
        for piece in unpack(io.BytesIO(packed), threads):
            assert piece
            pieces.append(piece)
    except Exception as error:
        return b"".join(pieces), f"{type(error).__name__}: {error}"
    return b"".join(pieces), None


def frame(content: bytes, *, size: bool = True, checksum: bool = False, cuts: int = 1, level: int = 1) -> bytes:
    """A frame of zstd, flushed after each of ``cuts`` pieces of its content."""
    packer = zstandard.ZstdCompressor(level=level, write_content_size=size, write_checksum=checksum)
    stream = packer.compressobj(size=len(content) if size else -1)
    step = -(-len(content) // cuts) or 1
    packed = [stream.compress(content[at : at + step]) + stream.flush(1) for at in range(0, len(content), step)]
    return b"".join([*packed, stream.flush()])


def skippable(content: bytes, kind: int = 0) -> bytes:
    return bytes([0x50 + kind]) + b"\x2a\x4d\x18" + len(content).to_bytes(4, "little") + content


CONTENTS = st.one_of(
    st.binary(max_size=400),
    st.integers(0, 300_000).map(lambda size: b"x" * size),
    st.integers(0, 40_000).map(lambda size: b"".join(b"%d\n" % (n * n) for n in range(size // 8))),
)
FRAMES = st.one_of(
    st.builds(frame, CONTENTS, size=st.booleans(), checksum=st.booleans(), cuts=st.integers(1, 5)),
    st.builds(skippable, st.binary(max_size=30), st.integers(0, 15)),
)


def spoiled(draw: st.DrawFn, packed: bytes) -> bytes:
    """Mostly with something wrong."""
    match draw(st.sampled_from(["whole", "cut", "byte", "behind", "whole"])):
        case "cut":
            return packed[: draw(st.integers(4, len(packed)))]
        case "byte":
            at = draw(st.integers(min(len(packed) - 1, 4), len(packed) - 1))
            return packed[:at] + bytes([packed[at] ^ draw(st.integers(1, 255))]) + packed[at + 1 :]
        case "behind":
            return packed + draw(st.binary(min_size=1, max_size=9) | st.sampled_from([packed[:3], packed[:4]]))
    return packed


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Frames, whole or spoiled."""
    return spoiled(draw, b"".join([draw(FRAMES), *draw(st.lists(FRAMES, max_size=6))]))


@given(
    damaged(),
    st.sampled_from([0, 100, 5_000, 1 << 24]),
    st.sampled_from([1, 3_000, 1 << 20]),
    st.sampled_from([1, 1 << 25]),
    st.integers(2, 4),
)
def test_frames_of_zstd(packed: bytes, large: int, piece: int, in_flight: int, threads: int) -> None:
    content, error = unpacked(packed, 1)
    with small(large, piece, in_flight):
        found, same = unpacked(packed, threads)
    if error is not None and same is None:
        # The size in the header of a frame whose last block is empty is checked only if all of it is there at once.
        assert error.endswith("Data corruption detected") and found.startswith(content)
        return
    assert same == error
    if error is None:
        assert found == content
    else:
        # How much of what comes before the damage is given may differ, but not what it is.
        least = min(len(found), len(content))
        assert found[:least] == content[:least]


def test_every_cut_of_frames(tmp_path: Path) -> None:
    whole = b"".join([
        frame(b"a" * 300, size=False),
        skippable(b"\x01\x02\x03\x04"),
        frame(b"b\n" * 3_000, checksum=True, cuts=3),
        frame(b""),
        frame(bytes(range(256)) * 2, size=False, checksum=True),
    ])  # fmt: skip
    for cut in range(4, len(whole) + 1):
        expected = unpacked(whole[:cut], 1)
        for large in (0, 1 << 24):
            with small(large, 1 << 20, 1 << 25):
                found, error = unpacked(whole[:cut], 2)
            assert error == expected[1]
            assert found == expected[0] or (error is not None and expected[0].startswith(found))


@pytest.mark.parametrize("size", [1, 100, 4_000, 1 << 22])
def test_frames_are_unpacked_by_other_threads(size: int) -> None:
    """Whatever their size, and in their order; the caller only reads where they end."""
    content = b"".join(b'{"text": "%d"}\n' % n for n in range(100 if size == 1 else 20_000))
    packed = b"".join(frame(content[at : at + size]) for at in range(0, len(content), size))
    used = set()
    make = zstd_frames.zstd.decompressor

    def decompressor() -> object:
        used.add(threading.current_thread().name.rpartition("_")[0])
        return make()

    with patch.object(zstd_frames.zstd, "decompressor", decompressor):
        assert unpacked(packed, 4) == (content, None)
    assert used == {"entropylaw-unpack"}


@pytest.mark.parametrize(
    ("packed", "least"),
    [
        (frame(b"") * 6_000, 2),
        (skippable(b"") * 5_000 + frame(b"a"), 1),
        (zstd_frames.MAGIC + b"\x00\x58" + b"\0\0\0" * 40_000 + b"\x01\0\0", 5),
        (frame(bytes(1 << 23), size=False), 1),
    ],
    ids=["frames", "skippable frames", "blocks", "8 MiB"],
)
def test_what_becomes_nothing_is_not_held_without_end(packed: bytes, least: int) -> None:
    tasks = list(zstd_frames._Frames(io.BytesIO(packed)).tasks())
    assert least <= len(tasks) <= 3 * least
    assert unpacked(packed, 2) == unpacked(packed, 1)


def blocked(content: bytes, size: int = 5_000, level: int = 6) -> bytes:
    """As ``bgzip`` packs, in blocks of so many bytes; at their end is an empty one."""
    packed = b""
    for at in [*range(0, len(content), size), len(content)]:
        piece = content[at : at + size]
        packer = zlib.compressobj(level, zlib.DEFLATED, -15)
        deflated = packer.compress(piece) + packer.flush()
        head = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0" + (len(deflated) + 25).to_bytes(2, "little")
        packed += head + deflated + zlib.crc32(piece).to_bytes(4, "little") + len(piece).to_bytes(4, "little")
    return packed


MEMBERS = st.one_of(
    st.builds(gzip.compress, CONTENTS, st.integers(0, 9)),
    st.builds(blocked, CONTENTS, st.sampled_from([7_000, 50_000])),
    st.builds(bytes, st.integers(0, 40)),
)


def by_gzip(packed: bytes, size: int) -> tuple[bytes, str | None]:
    """What Python's own module makes of a file."""
    content = b""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            while piece := file.read1(size):
                content += piece
    except Exception as error:
        return content, f"{type(error).__name__}: {error}"
    return content, None


@pytest.fixture(params=["zlib", "isal"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both that unpack gzip."""
    if request.param == "zlib":
        module: Any = zlib
    else:
        module = pytest.importorskip("isal.isal_zlib", reason="one library of two, the extra entropylaw[gzip]")
    monkeypatch.setattr(gzip_members, "_library", module)
    monkeypatch.setattr(gzip_members, "_ERRORS", (zlib.error, module.error))


@pytest.mark.usefixtures("library")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.sampled_from([1, 9_000, 1 << 20]), st.integers(1, 3))
def test_members_of_gzip(data: st.DataObject, piece: int, threads: int) -> None:
    first = data.draw(MEMBERS.filter(lambda member: member.startswith(b"\x1f\x8b")))
    packed = spoiled(data.draw, b"".join([first, *data.draw(st.lists(MEMBERS, max_size=4))]))
    content, error = by_gzip(packed, 1 << 16)
    with patch.object(gzip_members, "_PIECE", piece):
        found, same = unpacked(packed, threads)
    assert same == error
    if error is None:
        assert found == content
    else:
        least = min(len(found), len(content))
        assert found[:least] == content[:least]


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("threads", [1, 2])
def test_every_cut_of_members(threads: int) -> None:
    whole = gzip.compress(b"a" * 300) + bytes(3) + blocked(b"b\n" * 100, 150) + gzip.compress(b"") + blocked(b"c", 1)
    for packed in (whole, whole[-28:] + whole):
        for cut in range(2, len(packed) + 1):
            assert unpacked(packed[:cut], threads) == by_gzip(packed[:cut], 100)


def test_blocks_of_gzip_are_unpacked_by_other_threads() -> None:
    content = b"".join(b'{"text": "%d"}\n' % n for n in range(60_000))
    packed = blocked(content, 65_280)
    used = set()
    make = gzip_members._library.decompressobj

    def decompressor(bits: int) -> object:
        used.add(threading.current_thread().name.rpartition("_")[0])
        return make(bits)

    with patch.object(gzip_members._library, "decompressobj", decompressor):
        assert unpacked(packed, 4) == (content, None)
    assert used == {"entropylaw-unpack"}


def test_what_is_ahead_is_bounded() -> None:
    begun = []

    def task(number: int) -> Task:
        def make() -> Made:
            begun.append(number)
            return [b"%d," % number], None

        return Task(make, 10, in_turn=number % 3 == 0)

    with small(1, 1, 40):
        pieces = made(map(task, range(100)), 3)
        assert next(pieces) == b"0,"
        time.sleep(0.01)
        assert max(begun) <= 5
        assert b"".join(pieces) == b"".join(b"%d," % number for number in range(1, 100))
    assert sorted(begun) == list(range(100))


def test_errors_come_behind_what_precedes_them() -> None:
    def broken(number: int) -> Task:
        return Task(lambda: ([b"%d" % number, b""], ValueError(f"behind {number}") if number == 5 else None), 1)

    pieces = made(map(broken, range(9)), 4)
    assert [next(pieces) for _ in range(6)] == [b"0", b"1", b"2", b"3", b"4", b"5"]
    with pytest.raises(ValueError, match="behind 5"):
        next(pieces)

    def some() -> Iterator[bytes]:
        yield b"one"
        raise EOFError

    stream = ahead(some())
    assert next(stream) == b"one"
    with pytest.raises(EOFError):
        next(stream)


def test_nothing_goes_on_when_nobody_reads() -> None:
    made_pieces = 0

    def endless() -> Iterator[bytes]:
        nonlocal made_pieces
        while True:
            made_pieces += 1
            yield b"piece"

    stream = ahead(endless())
    assert next(stream) == b"piece"
    stream.close()  # type: ignore[attr-defined]
    before = made_pieces
    time.sleep(0.02)
    assert made_pieces == before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("entropylaw-unpack")]


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bgz": blocked,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda content: frame(content, checksum=True),
    "seekable": lambda content: b"".join([
        *(frame(content[at : at + 1000], checksum=True) for at in range(0, len(content), 1000)),
        skippable(b"\xb1\xea\x92\x8f", 14),
    ]),
}  # fmt: skip


@pytest.mark.parametrize("mistake", ["none", "cut", "damage", "behind"])
@pytest.mark.parametrize("kind", PACKED)
def test_pools_are_the_same_by_any_number_of_threads(tmp_path: Path, kind: str, mistake: str) -> None:
    content = b"".join(
        json.dumps({"text": f"é{n}" * (n % 40), "source": str(n % 3)}).encode() + b"\n" for n in range(3_000)
    )
    packed = PACKED[kind](content)
    middle = len(packed) // 2
    packed = {
        "none": packed,
        "cut": packed[: middle + 5],
        "damage": packed[:middle] + b"\xff" * 40 + packed[middle + 40 :],
        "behind": packed + b"trailing",
    }[mistake]
    path = tmp_path / f"pool.jsonl.{kind}"
    path.write_bytes(packed)

    def outcome(threads: int) -> object:
        try:
            return told(load(path, threads=threads, on_error="skip"), str(path))
        except EntropyLawError as error:
            return str(error)

    with small(50_000, 5_000, 40_000):
        first, *others = (outcome(threads) for threads in (1, 2, 5))
    assert (mistake == "none") == isinstance(first, dict)
    assert all(other == first for other in others)


def test_a_bomb_of_many_frames_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl.zst"
    path.write_bytes(frame(b" " * (1 << 20)) * 64)
    source = Source(path, threads=3)
    with (
        patch("entropylaw.pool.source._BOMB_SIZE", 1 << 22),
        pytest.raises(EntropyLawError, match="is it a decompression bomb"),
    ):
        sum(map(len, source.chunks()))


@pytest.mark.parametrize(
    ("packed", "fault"),
    [
        (gzip.compress(b"abc")[:-8] + bytes(8), "CRC check failed 0x0 != 0x352441c2"),
        (gzip.compress(b"abc")[:-4] + bytes(4), "incorrect length of data produced"),
        (gzip.compress(b"abc") + b"x", "not a gzipped file (b'x')"),
        (bz2.compress(b"abc") + b"x", "what follows its end is not compressed"),
        (bz2.compress(b"abc")[:-4] + b"abcd", "invalid data stream"),
        (lzma.compress(b"abc")[:-9] + bytes(9), "corrupt input data"),
    ],
)
def test_damage_is_told_in_a_sentence(tmp_path: Path, packed: bytes, fault: str) -> None:
    path = tmp_path / "pool"
    path.write_bytes(packed)
    with pytest.raises(EntropyLawError) as raised:
        list(Source(path).chunks())
    assert str(raised.value) == f"{path}: its compressed data are corrupt: {fault}; fetch or make it anew"


@pytest.mark.parametrize("frames", [1, 3])
def test_frames_that_need_a_dictionary_are_not_called_corrupt(tmp_path: Path, frames: int) -> None:
    texts = [f'{{"text": "{n} squared is {n * n}, and {n} cubed is {n**3}"}}\n'.encode() for n in range(3000)]
    with_dictionary = zstandard.ZstdCompressor(dict_data=zstandard.train_dictionary(1024, texts))
    path = tmp_path / "pool.jsonl.zst"
    path.write_bytes(b"".join(with_dictionary.compress(b"".join(texts[n::frames])) for n in range(frames)))
    with pytest.raises(EntropyLawError) as raised:
        load(path)
    told = f"{path}: is compressed with a dictionary; unpack it: zstd -d -D DICTIONARY FILE"
    assert str(raised.value) == told


def test_a_file_that_is_only_called_a_dictionary_is_not_said_to_need_one(tmp_path: Path) -> None:
    path = tmp_path / "dictionary.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"text": "a"}\n'))
    source = Source(str(path))
    path.unlink()
    with pytest.raises(EntropyLawError, match=r"cannot be read: No such file or directory$"):
        list(source.chunks())
