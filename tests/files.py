"""Small files, and what is said of them."""

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from entropylaw import EntropyLawError
from entropylaw.pool import Pool, load

pa = pytest.importorskip("pyarrow", reason="many files are tables, which need pyarrow")
import pyarrow.parquet  # noqa: E402

ONE, TWO = b'{"text":"one one"}', b'{"text":"two two"}'
LINES = ONE + b"\n" + TWO + b"\n"
BOM = b"\xef\xbb\xbf"
MEND = "mend or remove the record, or skip such records (on_error='skip', --on-error skip)"
SKIP = "or skip such records (on_error='skip', --on-error skip)"


def samples(pool: Pool) -> list[str]:
    return [pool.sample(index).decode() for index in range(len(pool))]


def message(*paths: Any, **options: Any) -> str:
    with pytest.raises(EntropyLawError) as raised:
        load(list(paths), paths=True, **options)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def parquet_of(rows: list[dict[str, Any]], names: tuple[str, ...] = ("text",), kind: str = "string") -> bytes:
    out = io.BytesIO()
    schema = pa.schema([(name, getattr(pa, kind)()) for name in names])
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows, schema), out)
    return out.getvalue()


def saved(texts: list[str]) -> bytes:
    out = io.BytesIO()
    table = pa.table({"text": texts})
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def tree(directory: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return directory


def line(text: str) -> bytes:
    return json.dumps({"text": text}).encode() + b"\n"


def names(pool: Pool, directory: Path) -> list[str]:
    return [os.path.relpath(file, directory) for file in pool.left_out]
