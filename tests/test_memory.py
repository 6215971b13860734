"""How much memory a pool takes: the formula of docs/large-pools.md."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
import zstandard

from entropylaw._core import thread_count

SCRIPT = """
import re, sys, threading, time
from entropylaw.pool import load

def anonymous():
    return int(re.search(r"RssAnon:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024

before, most, done = anonymous(), 0, threading.Event()

def watch():
    global most
    while not done.wait(0.002):
        most = max(most, anonymous())

watcher = threading.Thread(target=watch)
watcher.start()
pool = load(sys.argv[1], memory=sys.argv[2])
done.set()
watcher.join()
print(len(pool), len(pool.data), most - before, pool.fingerprint.sha256)
"""
READING = 84_000_000 + 8_000_000 * thread_count()


def lines(path: Path, records: Iterator[bytes]) -> None:
    with gzip.open(path, "wb", compresslevel=1) as file:
        for record in records:
            file.write(record + b"\n")


def array_in_frames(path: Path, records: Iterator[bytes]) -> None:
    """Frames as large as they may be, so that most is unpacked ahead."""
    packer = zstandard.ZstdCompressor(level=1)
    with path.open("wb") as file:
        file.write(packer.compress(b"["))
        while some := b",".join(islice(records, 390)):
            assert len(some) < 1 << 23
            file.write(packer.compress(some + b",\n"))
        file.write(packer.compress(b'{"text": ""}]'))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux how much memory is taken")
@pytest.mark.parametrize("write", [lines, array_in_frames])
def test_the_formula(tmp_path: Path, write: Callable[[Path, Iterator[bytes]], None]) -> None:
    text = "".join(chr(32 + (n * n * 31 + n // 7) % 90) for n in range(20_000))
    path = tmp_path / "pool"
    write(path, (json.dumps({"text": text, "n": n}).encode() for n in range(11_000)))

    def measured(memory: str) -> tuple[int, int, int, str]:
        said = subprocess.run([sys.executable, "-c", SCRIPT, path, memory], check=True, capture_output=True, text=True)
        samples, size, most, digest = said.stdout.split()
        return int(samples), int(size), int(most), digest

    samples, size, most, digest = measured("2GB")
    assert size == 220_000_000
    assert most < size * 9 / 8 + 28 * samples + READING
    *_, most, mapped_digest = measured("10MB")
    assert most < 10e6 * 9 / 8 + 28 * samples + READING
    assert mapped_digest == digest
