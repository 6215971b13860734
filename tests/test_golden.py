"""The reference's own selections of real data, reproduced."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

import entropylaw
from entropylaw import zip_py
from entropylaw.pool import load


def real_lines(shared: Path, count: int) -> Iterator[bytes]:
    with (shared / "data" / "pool-96k.jsonl.zst").open("rb") as packed:
        unpacked = zstandard.ZstdDecompressor(max_window_size=1 << 31).stream_reader(packed)
        lines = io.BufferedReader(unpacked)  # type: ignore[arg-type]
        for _ in range(count):
            yield lines.readline()


def test_samples_of_the_reference_are_what_python_shows(shared: Path, tmp_path: Path) -> None:
    lines = list(real_lines(shared, 20_000))
    path = tmp_path / "pool.jsonl"
    path.write_bytes(b"".join(lines))
    pool = load(path, render="repr")
    assert all(pool.sample(index) == repr(json.loads(line)).encode() for index, line in enumerate(lines))


@pytest.mark.parametrize("name", ["zip-2k", "zip-20k", "zip-96k"])
def test_the_reference_is_reproduced(shared: Path, tmp_path: Path, name: str) -> None:
    golden: dict[str, Any] = json.loads((shared / "golden" / f"{name}.json").read_text())
    pool = tmp_path / "pool.jsonl"
    pool.write_bytes(b"".join(real_lines(shared, golden["n"])))
    stages = {k: golden[k] for k in ("k1", "k2", "k3")}
    selection = entropylaw.select(pool, budget=golden["budget"], preset="reference", **stages)
    assert selection.indices.tolist() == golden["torch"]


def test_the_drop_in_writes_the_same_file(shared: Path, tmp_path: Path) -> None:
    golden: dict[str, Any] = json.loads((shared / "golden/zip-2k.json").read_text())
    (tmp_path / "pool.json").write_text(json.dumps([json.loads(line) for line in real_lines(shared, golden["n"])]))
    options = [f"--{name}={golden[name]}" for name in ("budget", "k1", "k2", "k3")]
    files = ["--data_path", str(tmp_path / "pool.json"), "--save_path", str(tmp_path / "out.json")]
    assert zip_py.main([*files, *options]) == 0
    assert (tmp_path / "out.json").read_bytes() == (shared / "golden/zip-2k.selected.json").read_bytes()
