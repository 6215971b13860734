"""What would be read as something else than is meant."""

import gzip
import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.pool.load import load

RECORDS = [{"text": f"{n} and {n * n}"} for n in range(4)]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = "".join(json.dumps(record) + "\n" for record in RECORDS)
    for name in ("a.jsonl", "notes.txt", "shards/part", "other/part"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(lines)
    with gzip.open("a.jsonl.gz", "wt") as file:
        file.write(lines)
    with zipfile.ZipFile("a.zip", "w") as archive:
        archive.write("a.jsonl")


OPEN: dict[str, Callable[[], Any]] = {
    "text": lambda: open("a.jsonl"),  # noqa: PTH123, SIM115
    "bytes": lambda: open("a.jsonl", "rb"),  # noqa: PTH123, SIM115
    "unbuffered": lambda: open("a.jsonl", "rb", buffering=0),  # noqa: PTH123, SIM115
    "gzip": lambda: gzip.open("a.jsonl.gz"),  # noqa: SIM115
    "zip": lambda: zipfile.ZipFile("a.zip").open("a.jsonl"),  # noqa: SIM115
    "in memory": lambda: io.StringIO('{"text": "a"}\n'),
    "bytes in memory": lambda: io.BytesIO(b'{"text": "a"}\n'),
    "temporary": tempfile.TemporaryFile,
    "with a name": tempfile.NamedTemporaryFile,
    "spooled": tempfile.SpooledTemporaryFile,
}


@pytest.mark.parametrize("name", OPEN)
def test_an_open_file_is_no_pool_of_texts(name: str) -> None:
    with OPEN[name]() as file, pytest.raises(EntropyLawError) as error:
        load(file)
    path = {"text": ", 'a.jsonl'", "gzip": ", 'a.jsonl.gz'", "in memory": ""}.get(name, "")
    assert str(error.value).startswith(f"the pool is an open file ({type(file).__name__}), whose lines ")
    assert f"; give its path{path}, " in str(error.value)


READERS: list[tuple[str, Callable[[Any], Any]]] = [
    ("pool", lambda file: entropylaw.select(file, budget=1)),
    ("anchor", lambda file: entropylaw.select(RECORDS, budget=1, anchor=file)),
    ("target", lambda file: entropylaw.select(RECORDS, budget=1, method="coverage", target=file)),
    ("benchmark", lambda file: entropylaw.select(RECORDS, budget=1, decontaminate=True, benchmark=file)),
    ("pool", entropylaw.ratio),
    ("pool", entropylaw.score),
    ("pool", lambda file: entropylaw.compare(RECORDS, file)),
]


@pytest.mark.parametrize(("what", "read"), READERS)
def test_whatever_reads_pools_says_so_and_what_it_is(what: str, read: Callable[[Any], Any]) -> None:
    with io.StringIO("a\nb\n") as file, pytest.raises(EntropyLawError, match=f"^the {what} is an open file"):
        read(file)


def test_records_on_the_lines_of_an_open_file_are_a_pool() -> None:
    with Path("a.jsonl").open() as file:
        assert list(entropylaw.select(map(json.loads, file), budget=4, method="random").rows) == [3, 0, 1, 2]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["notes.txt"], "'notes.txt' is a file; give paths as pathlib.Path, and texts as records"),
        (("notes.txt",), "'notes.txt' is a file; "),
        (["a.jsonl", "notes.txt"], "'a.jsonl' is a file, and 'notes.txt' ends like no data file; "),
        (["notes.txt", "a.jsonl"], "'a.jsonl' is a file, and 'notes.txt' ends like no data file; "),
        (["a.jsonl", "gone.txt"], "'a.jsonl' is a file, and 'gone.txt' ends like no data file; "),
        (["shards"], "'shards' is a directory; "),
        (["shards", "other"], "'shards' is a directory, and 'other' ends like no data file; "),
        (
            ["s3://me:secret@bucket/pool"],
            "'s3://***@bucket/pool' is a URL; give a URL that ends like no data file alone",
        ),
    ],
)
def test_names_of_files_are_not_taken_for_texts(given: Any, said: str) -> None:
    with pytest.raises(EntropyLawError) as error:
        load(given)
    assert str(error.value).startswith(f"the pool is a list of str, of which {said}")
    with pytest.raises(EntropyLawError, match=r"^the anchor is a list of str, of which "):
        entropylaw.select(RECORDS, budget=1, anchor=given)


@pytest.mark.parametrize(
    "texts",
    [
        ["shards", "of glass"],
        ["there is a.jsonl", "and notes.txt"],
        ["gone.jsonl was here", "gone.jsonl"],
        [".", "/", ""],
        ["https://a.org/b", "https://a.org/c"],
        ["x" * 5000],
        ["a\0b"],
        [b"notes.txt"],
    ],
)
def test_texts_stay_texts(texts: list[Any]) -> None:
    assert len(load(texts)) == len(texts)


def test_paths_in_a_list_are_paths() -> None:
    assert len(load([Path("notes.txt"), Path("a.jsonl")])) == 8
    assert len(load(["a.jsonl", "a.jsonl.gz"])) == 8


LINES = [json.dumps(record) for record in RECORDS]
TEXTS: dict[str, tuple[Any, bool]] = {
    "lines": (LINES, True),
    "lines of bytes": ([line.encode() for line in LINES], True),
    "lines with breaks": ([line + "\n" for line in LINES], True),
    "a generator": (iter(LINES), True),
    "texts in records": ([{"text": line} for line in LINES], True),
    "records": (RECORDS, False),
    "texts, some JSON": ([LINES[0], "and a text"], False),
    "lists and numbers": (["[1, 2]", "3", "null"], False),
    "templates": (["{{ a }}", "{b}"], False),
    "cut": ([line[:-1] for line in LINES], False),
}


@pytest.mark.parametrize("name", TEXTS)
def test_records_that_are_read_as_texts_are_noted(name: str, caplog: pytest.LogCaptureFixture) -> None:
    pool, noted = TEXTS[name]
    assert len(load(pool)) > 1
    assert any("the texts are objects of JSON" in said for said in caplog.messages) == noted


def test_strings_of_json_in_files_are_noted(caplog: pytest.LogCaptureFixture) -> None:
    Path("twice.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LINES))
    for path, noted in (("twice.jsonl", True), ("a.jsonl", False)):
        caplog.clear()
        load(path)
        assert any("the texts are objects of JSON" in said for said in caplog.messages) == noted
    caplog.clear()
    load("a.jsonl", render="json")
    assert not caplog.messages, "who asks for the record as it is stored gets it"
