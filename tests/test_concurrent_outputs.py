"""Two runs that write to one place at the same time: what is there afterwards is of one of them."""

import fcntl
import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.output import Outputs, replacing
from entropylaw.results import Selection
from entropylaw.saving import plan

RECORDS = [{"text": f"text {n} of some, {n * n}"} for n in range(40)]


@pytest.fixture(scope="module")
def selections() -> tuple[Selection, Selection]:
    return entropylaw.select(RECORDS, budget=9), entropylaw.select(RECORDS, budget=30)


def is_whole(path: Path) -> bool:
    """Whether a manifest, its archive and its records are of one run, and nothing else is beside them."""
    manifest = json.loads(Path(f"{path}.manifest.json").read_bytes())
    files = [*manifest["output"]["files"], manifest["picks"]]
    hashes = [hashlib.sha256(path.with_name(file["name"]).read_bytes()).hexdigest() for file in files]
    expected = {file["name"] for file in files} | {f"{path.name}.manifest.json"}
    return hashes == [file["sha256"] for file in files] and {file.name for file in path.parent.iterdir()} == expected


def overtake(monkeypatch: pytest.MonkeyPatch, faster: Any) -> None:
    """Has ``faster`` done when the next run has written its last file and not placed any."""

    class Overtaken(Outputs):
        def __exit__(self, *error: Any) -> None:
            monkeypatch.setattr(plan, "Outputs", Outputs)
            faster()
            super().__exit__(*error)

    monkeypatch.setattr(plan, "Outputs", Overtaken)


@pytest.mark.parametrize("slower", [None, 2, 3, "400B"])
@pytest.mark.parametrize("faster", [None, 2, 3, "400B"])
def test_the_later_of_two_runs_replaces_the_earlier(
    selections: tuple[Selection, Selection],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    slower: int | str | None,
    faster: int | str | None,
) -> None:
    overtake(monkeypatch, lambda: selections[1].save(tmp_path / "out.jsonl", shards=faster, force=True))
    selections[0].save(tmp_path / "out.jsonl", shards=slower, force=True)
    assert is_whole(tmp_path / "out.jsonl")
    assert json.loads((tmp_path / "out.jsonl.manifest.json").read_bytes())["selection"]["samples"] == 9


@pytest.mark.parametrize("slower", [None, 2])
@pytest.mark.parametrize("faster", [None, 2, 3])
def test_without_force_the_later_of_two_runs_fails(
    selections: tuple[Selection, Selection],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    slower: int | None,
    faster: int | None,
) -> None:
    overtake(monkeypatch, lambda: selections[1].save(tmp_path / "out.jsonl", shards=faster))
    with pytest.raises(EntropyLawError, match="the file exists; name another"):
        selections[0].save(tmp_path / "out.jsonl", shards=slower)
    assert is_whole(tmp_path / "out.jsonl")
    assert json.loads((tmp_path / "out.jsonl.manifest.json").read_bytes())["selection"]["samples"] == 30


def test_a_single_file_that_appears_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    with pytest.raises(EntropyLawError) as error, replacing(path, force=False) as file:
        file.write(b"mine")
        path.write_text("theirs")
    assert str(error.value) == f"{path}: the file exists; name another, or replace it (force=True, --force)"
    assert path.read_text() == "theirs"
    assert [file.name for file in tmp_path.iterdir()] == ["scores.csv"]


def test_runs_take_turns(selections: tuple[Selection, Selection], tmp_path: Path) -> None:
    """As long as another run has its files take their places, this one's wait."""
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    saving = threading.Thread(target=selections[0].save, args=(tmp_path / "out.jsonl",))
    saving.start()
    saving.join(0.3)
    assert saving.is_alive()
    assert {file.suffix for file in tmp_path.iterdir()} == {".tmp"}
    os.close(descriptor)
    saving.join(30)
    assert is_whole(tmp_path / "out.jsonl")


def test_threads_that_save_to_one_place(selections: tuple[Selection, Selection], tmp_path: Path) -> None:
    def save(number: int) -> None:
        selections[number % 2].save(tmp_path / "out.jsonl", shards=(None, 2, 3)[number % 3], force=True)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert is_whole(tmp_path / "out.jsonl")
