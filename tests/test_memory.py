"""How much memory a pool takes: the formula of docs/large-pools.md."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

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
READING = 100_000_000


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux how much memory is taken")
def test_the_formula(tmp_path: Path) -> None:
    text = "".join(chr(32 + (n * n * 31 + n // 7) % 90) for n in range(20_000))
    path = tmp_path / "pool.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for n in range(11_000):
            file.write(json.dumps({"text": text, "n": n}).encode() + b"\n")

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
