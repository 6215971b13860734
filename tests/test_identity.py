"""A file that is not the one that was read is found out, by each of the things that tell files apart."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import entropylaw
from entropylaw import EntropyLawError


def grown(path: Path) -> None:
    """Larger, of the same time, the same file."""
    was = path.stat()
    with path.open("ab") as file:
        file.write(b"\n")
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    now = path.stat()
    assert (now.st_size - 1, now.st_mtime_ns, now.st_ino) == (was.st_size, was.st_mtime_ns, was.st_ino)


def touched(path: Path) -> None:
    """As large, of another time, the same file."""
    was = path.stat()
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns + 1_000_000_000))
    now = path.stat()
    assert (now.st_size, now.st_ino) == (was.st_size, was.st_ino)
    assert now.st_mtime_ns != was.st_mtime_ns


def swapped(path: Path) -> None:
    """As large, of the same time, another file."""
    was = path.stat()
    other = path.with_name("other")
    shutil.copy2(path, other)
    os.utime(other, ns=(was.st_atime_ns, was.st_mtime_ns))
    other.replace(path)
    now = path.stat()
    assert (now.st_size, now.st_mtime_ns) == (was.st_size, was.st_mtime_ns)
    assert now.st_ino != was.st_ino


def gone(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("change", [grown, touched, swapped, gone])
@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_changed_file_is_not_written_from(change: Callable[[Path], None], kind: str, tmp_path: Path) -> None:
    records = [{"text": f"sample {number}"} for number in range(9)]
    path = tmp_path / f"pool.{kind}"
    if kind == "parquet":
        pa = pytest.importorskip("pyarrow", reason="tables need pyarrow")
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(records), path)
    else:
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    selection = entropylaw.select(path, budget=3)
    selection.save(tmp_path / "first.jsonl")
    change(path)
    with pytest.raises(EntropyLawError) as error:
        selection.save(tmp_path / "second.jsonl")
    assert str(error.value) == f"{path}: the file has changed since it was read; run again"
    assert not list(tmp_path.glob("*second*"))
