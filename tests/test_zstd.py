"""Python's own zstd and the package's make the same of the same data, so it does not matter which one there is."""

import io
import random
from collections.abc import Iterator
from typing import Any

import pytest

from entropylaw import zstd
from entropylaw.codecs.zstd_long import JOB, window
from entropylaw.pool.compression import unpacker
from entropylaw.zstd import package

library = pytest.importorskip("entropylaw.zstd.library", exc_type=ImportError)
WAYS = [package, library]
PIECE = 1 << 17


def text(size: int) -> bytes:
    """Words, some of them again and again, also far apart."""
    chooser = random.Random(size)
    words = [chooser.randbytes(4).hex() + " " for _ in range(999)]
    return "".join(chooser.choices(words, k=size // 9 + 1)).encode()[:size]


@pytest.fixture(autouse=True)
def same_version() -> None:
    if package.VERSION != library.VERSION:
        pytest.skip(f"zstd {package.VERSION} and {library.VERSION} may differ")


@pytest.mark.parametrize(
    ("level", "size"),
    [
        *(
            (level, size)
            for level in (1, 3, 9)
            for size in (0, 1, 1000, 1024, 1025, 20_000, 131_072, 262_145, 1_000_000)
        ),
        *((level, size) for level in (19, 22) for size in (0, 1000, 20_000)),
    ],
)
def test_sizes_are_the_same(level: int, size: int) -> None:
    data = text(size)

    def compressed(way: Any, threads: int) -> bytes:
        stream = way.compressor(level, size, window(size), JOB, threads)
        return b"".join(stream.compress(data[n : n + PIECE]) for n in range(0, size, PIECE)) + bytes(stream.flush())

    assert compressed(package, 1) == compressed(library, 1) == compressed(library, 2)


@pytest.mark.parametrize(
    "pieces", [[b"abc"], [text(500_000)], [text(500_000)[n : n + 777] for n in range(0, 500_000, 777)]]
)
def test_files_are_the_same(pieces: list[bytes]) -> None:
    made = []
    for way in WAYS:
        file = io.BytesIO()
        with way.writer(file, 9) as content:
            for piece in pieces:
                content.write(piece)
        assert not file.closed
        made.append(file.getvalue())
    assert made[0] == made[1]


@pytest.mark.parametrize("way", WAYS, ids=["package", "library"])
@pytest.mark.parametrize("mistake", ["none", "cut", "damaged", "not zstd after it"])
@pytest.mark.parametrize("threads", [1, 3])
def test_frames_are_unpacked_alike(way: Any, threads: int, mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zstd, "decompressor", way.decompressor)
    monkeypatch.setattr(zstd, "ERROR", way.ERROR)
    first, second = text(300_000), text(5000)
    files = [io.BytesIO(), io.BytesIO()]
    for file, data in zip(files, (first, second), strict=True):
        with way.writer(file, 3) as content:
            content.write(data)
    packed = files[0].getvalue() + files[1].getvalue()
    packed = {
        "none": packed,
        "cut": packed[:-9],
        "damaged": packed[:12] + b"\xff" * 400 + packed[412:],
        "not zstd after it": packed + b"text",
    }[mistake]
    unpack = unpacker(packed[:14])
    assert unpack

    def all_of() -> Iterator[bytes]:
        yield from unpack(io.BytesIO(packed), threads)

    if mistake == "none":
        assert b"".join(all_of()) == first + second
    else:
        with pytest.raises((EOFError, way.ERROR)):
            list(all_of())
