"""Results as JSON lines, each of which is found out once."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from judge.data import digest

_DECIDES = ("subset", "seed", "model", "exam", "settings", "versions", "device")


def key_of(row: Mapping[str, Any]) -> str:
    """What tells a row from others: the subset's text, not its name; and all else that decides the scores."""
    parts = {name: row[name] for name in _DECIDES} | {"subset": row["subset"]["digest"]}
    return digest([json.dumps(parts, sort_keys=True)])[:20]


def _label_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row["subset"][name] for name in ("pool", "method", "budget", "unit"))


class Results:
    """The rows in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: dict[str, list[dict[str, Any]]] = {}
        for row in read(path):
            self._rows.setdefault(row["key"], []).append(row)

    def settled(self, row: dict[str, Any]) -> bool:
        """Whether a row's scores are known; if they are those of the same subset under another name, it gets a row."""
        same = self._rows.get(row["key"], [])
        if same and _label_of(row) not in map(_label_of, same):
            self.add(row | {"scores": same[0]["scores"]})
        return bool(same)

    def add(self, row: dict[str, Any]) -> None:
        """Adds a row that has its scores."""
        append(self._path, row)
        self._rows.setdefault(row["key"], []).append(row)


def read(path: Path) -> list[dict[str, Any]]:
    """The rows in a file; a last line that was cut off is none."""
    if not path.exists():
        return []
    *whole, _ = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in whole if line]


def append(path: Path, row: Mapping[str, Any]) -> None:
    """Adds a row, on the disk when this returns; a last line that was cut off gives way to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        file.seek(0)
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)
        file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
