"""Cuts files into parts that travel where large ones do not, and joins them: ``python parts.py join NAME``.

Needs nothing but Python. Beside the parts ``NAME.000``, ``NAME.001`` and so on lies ``NAME.json`` with their hashes.
"""

import hashlib
import json
import sys
from pathlib import Path

_LIMIT = 48_000_000


def cut(path: Path, directory: Path, limit: int = _LIMIT) -> list[Path]:
    """Cuts a file into parts of at most ``limit`` bytes; returns them, with the list of their hashes."""
    found, hashes = [], {}
    with path.open("rb") as file:
        while part := file.read(limit):
            target = directory / f"{path.name}.{len(found):03}"
            target.write_bytes(part)
            found.append(target)
            hashes[target.name] = hashlib.sha256(part).hexdigest()
    listed = directory / f"{path.name}.json"
    listed.write_text(json.dumps(hashes, indent=1) + "\n")
    return [*found, listed]


def join(directory: Path, name: str) -> Path:
    """Joins the parts of a file, if that is not done yet, beside them; returns it.

    Raises
    ------
    SystemExit
        If a part is missing or another one.
    """
    target, listed = directory / name, directory / f"{name}.json"
    if not listed.exists():
        raise SystemExit(f"{listed}: is missing; it comes with the parts")
    hashes: dict[str, str] = json.loads(listed.read_text())
    whole = hashlib.sha256(listed.read_bytes()).hexdigest()
    done = directory / f"{name}.joined"
    if target.exists() and done.exists() and done.read_text() == whole:
        return target
    unfinished = directory / f"{name}.unfinished"
    with unfinished.open("wb") as file:
        for part, expected in hashes.items():
            if not (directory / part).exists():
                raise SystemExit(f"{directory / part}: is missing")
            content = (directory / part).read_bytes()
            if hashlib.sha256(content).hexdigest() != expected:
                raise SystemExit(f"{directory / part}: is not the part that {listed.name} lists; copy it again")
            file.write(content)
    unfinished.replace(target)
    done.write_text(whole)
    return target


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "join":
        raise SystemExit("usage: python parts.py join NAME, beside the parts")
    join(Path(), sys.argv[2])
