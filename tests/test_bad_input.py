"""Bad input: one clear message that says where, what was found and what to do; nothing written."""

import gzip
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import zstandard

import entropylaw
from entropylaw.cli import main

GOOD = b'{"text": "good"}\n'


def refuse(capsys: pytest.CaptureFixture[str], arguments: list[Any], *expected: str) -> None:
    """Runs the command, which must exit with 2 and say each of ``expected`` in one line."""
    assert main([str(argument) for argument in arguments]) == 2
    captured = capsys.readouterr()
    *notes, message = captured.err.strip().splitlines()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert message.startswith("entropylaw: ")
    for part in expected:
        assert part in message, (part, message, notes)


def leave_nothing(directory: Path, before: set[str]) -> None:
    assert {path.name for path in directory.iterdir()} == before


FILES: list[tuple[str, bytes, list[str]]] = [
    ("empty.jsonl", b"", ["empty.jsonl", "the pool is empty"]),
    ("blank.jsonl", b"\n \n", ["blank.jsonl", "the pool is empty"]),
    ("none.json", b"[]", ["none.json", "the pool is empty"]),
    ("prose.jsonl", b"Dear Sir,\n", ["prose.jsonl:1", "is not JSON", "'Dear Sir,'"]),
    (
        "broken.jsonl",
        GOOD * 2 + b'{"text": "bro\n' + GOOD,
        ["broken.jsonl:3", "is not JSON", "column 10", "on-error skip"],
    ),
    ("cut.jsonl", GOOD + b'{"text": "a", ', ["cut.jsonl:2", "is not JSON", "the end of the record"]),
    ("broken.json", b'[{"text": "a"},\n{"text": }]', ["broken.json:2", "is not a JSON array", "'}]'"]),
    ("cut.json", b'[{"text": "a"},\n{"text": "b"}', ["cut.json:2", "is not a JSON array", "the end of the file"]),
    ("latin.jsonl", GOOD + b'{"text": "caf\xe9"}\n', ["latin.jsonl:2", "is not UTF-8", "0xe9"]),
    ("latin.json", b'[{"text": "a"},\n {"text": "\xe9", "n": NaN}]', ["latin.json:2", "is not UTF-8", "0xe9"]),
    ("wide.jsonl", '{"text": "a"}'.encode("utf-16"), ["wide.jsonl", "is UTF-16"]),
    ("surrogate.jsonl", rb'{"text": "\ud83d"}', ["surrogate.jsonl:1", "lone surrogate U+D83D"]),
    ("unknown.jsonl", b'{"question": "a"}', ["unknown.jsonl:1", "none of the schemas", "'question'", "--field"]),
    ("number.jsonl", b"7\n", ["number.jsonl:1", "found a number"]),
    ("missing.jsonl", GOOD + b'{"txt": "b"}', ["missing.jsonl:2", "schema text", "'txt'", "missing.jsonl:1 decided"]),
    ("mixed.jsonl", GOOD + b'{"messages": []}', ["mixed.jsonl:2", "schema text", "schema openai"]),
    ("null.jsonl", b'{"text": null}', ["null.jsonl:1", "'text' is null, not text"]),
    ("turns.jsonl", b'{"messages": [{"role": "user"}]}', ["turns.jsonl:1", "turn 0 of 'messages'", "'role'"]),
    ("digits.jsonl", GOOD + b'{"text": ' + b"1" * 5000 + b"}", ["digits.jsonl:2", "more digits than Python reads"]),
    ("digits.json", b'[{"text": NaN}, ' + b"1" * 5000 + b"]", ["digits.json: has an integer of more digits"]),
    ("deep.jsonl", b'{"text": ' + b"[" * 200_000, ["deep.jsonl:1", "too deeply"]),
    ("cut.jsonl.gz", gzip.compress(GOOD * 1000)[:-12], ["cut.jsonl.gz", "truncated"]),
    ("bad.jsonl.gz", gzip.compress(GOOD * 9)[:20] + b"x" * 30, ["bad.jsonl.gz", "corrupt"]),
    ("cut.jsonl.zst", zstandard.compress(GOOD * 1000)[:-2], ["cut.jsonl.zst", "truncated"]),
    ("bad.jsonl.zst", b"\x28\xb5\x2f\xfd" + b"\xff" * 50, ["bad.jsonl.zst", "corrupt"]),
]


@pytest.mark.parametrize(("name", "content", "expected"), FILES, ids=[name for name, *_ in FILES])
@pytest.mark.parametrize("command", ["select", "ratio"])
def test_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, expected: list[str], command: str
) -> None:
    pool = tmp_path / name
    pool.write_bytes(content)
    output = ["-o", tmp_path / "out.jsonl", "--budget", "1"] if command == "select" else []
    refuse(capsys, [command, pool, *output], *expected)
    leave_nothing(tmp_path, {name})


def test_missing_files_and_directories(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refuse(capsys, ["ratio", tmp_path / "no.jsonl"], "no.jsonl", "no such file")
    refuse(capsys, ["ratio", tmp_path], "the directory holds no data files")
    refuse(capsys, ["ratio", tmp_path / "*.jsonl"], "*.jsonl: no file matches")
    (tmp_path / "a.jsonl").write_bytes(GOOD)
    (tmp_path / "b.csv").write_bytes(b"text\ngood\n")
    refuse(capsys, ["ratio", tmp_path], "several formats: 1 of json and 1 of csv", "/*.")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_unreadable_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pool = tmp_path / "secret.jsonl"
    pool.write_bytes(GOOD)
    pool.chmod(0)
    refuse(capsys, ["ratio", pool], "secret.jsonl", "cannot be read", "Permission denied")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--budget", "0"], "at least 1"),
        (["--budget=-3"], "at least 1"),
        (["--budget", "1.5"], "'1.5'"),
        (["--budget", "many"], "'many'"),
        (["--budget", "0%"], "above 0%"),
        (["--budget", "101%"], "at most 100%"),
        (["--budget", "1%"], "less than one sample"),
        (["--budget", "1", "--k1", "5", "--k2", "6"], "k1 >= k2 >= k3"),
        (["--budget", "1", "--k2", "5", "--k3", "6"], "k1 >= k2 >= k3"),
        (["--budget", "1", "--k3", "0"], "k1 >= k2 >= k3"),
        (["--budget", "1", "--threads", "0"], "threads is 0; it must be a whole number from 1 to 4096"),
        (["--budget", "1", "--schema", "chatml"], "there is no schema 'chatml'"),
        (["--budget", "1", "--schema", "alpaca"], "does not have the schema alpaca"),
        (["--budget", "1", "--schema", "text", "--field", "text"], "not both"),
        (["--budget", "1", "--render", "json", "--field", "text"], "the rendering 'text' only"),
        (["--budget", "1", "--preset", "reference", "--field", "text"], "takes no render"),
    ],
)
def test_parameters(tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], expected: str) -> None:
    pool = tmp_path / "pool.jsonl"
    pool.write_bytes(GOOD * 3)
    refuse(capsys, ["select", pool, "-o", tmp_path / "out.jsonl", *options], expected)
    leave_nothing(tmp_path, {"pool.jsonl"})


@pytest.mark.parametrize(
    ("options", "option"),
    [
        (["--budget", "1", "--budget", "1"], "--budget"),
        (["--budget=1", "--budg", "2"], "--budget"),
        (["--budget", "1", "--method", "zip", "--method", "coverage"], "--method"),
        (["--budget", "1", "--quota", "a=10%", "--quota", "b=10%"], "--quota"),
        (["--budget", "1", "--anchor", "a", "--initial-subset", "b"], "--anchor"),
        (["--budget", "1", "--threads", "1", "--threads", "1"], "--threads"),
        (["--budget", "1", "-o", "other"], "--output"),
        (["--budget", "1", "--config", "a.toml", "--config", "b.toml"], "--config"),
    ],
)
def test_options_given_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], option: str
) -> None:
    pool = tmp_path / "pool.jsonl"
    pool.write_bytes(GOOD * 3)
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_bytes(b"")
    paths = [str(tmp_path / part) if part.endswith(".toml") else part for part in options]
    with pytest.raises(SystemExit) as stopped:
        main(["select", str(pool), "-o", str(tmp_path / "out.jsonl"), *paths])
    assert stopped.value.code == 2
    message = capsys.readouterr().err.splitlines()[-1]
    assert re.search(rf"error: argument (-o/)?{option}\S*: is given twice; give it once", message)
    leave_nothing(tmp_path, {"pool.jsonl", "a.toml", "b.toml"})


@pytest.mark.parametrize(
    "options", [["--quota", "a=10%,a=20%"], ["--quota", "a>=10%,a=20%"], ["--min-score", "x>=1,x>=2"]], ids=str
)
def test_controls_given_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str]) -> None:
    pool = tmp_path / "pool.jsonl"
    pool.write_bytes(GOOD * 3)
    refuse(capsys, ["select", pool, "-o", tmp_path / "out.jsonl", "--budget", "1", *options], "give one")
    leave_nothing(tmp_path, {"pool.jsonl"})


def test_outputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pool, output = tmp_path / "pool.jsonl", tmp_path / "out.jsonl"
    pool.write_bytes(GOOD * 3)
    select = ["select", pool, "--budget", "1", "-o"]
    refuse(capsys, [*select, tmp_path], "is a directory")
    refuse(capsys, [*select, "/dev/null", "--force"], "not a regular file")
    refuse(capsys, [*select, tmp_path / "no/out.jsonl"], "cannot be written", "there is no directory", "make it")
    output.write_bytes(b"precious")
    refuse(capsys, [*select, output], "out.jsonl: the file exists", "--force")
    assert output.read_bytes() == b"precious"
    output.unlink()
    manifest = tmp_path / "out.jsonl.manifest.json"
    manifest.write_bytes(b"precious")
    refuse(capsys, [*select, output], "manifest.json: the file exists")
    assert main([str(part) for part in [*select, output, "--force", "-q"]]) == 0
    assert output.read_bytes() == GOOD
    leave_nothing(tmp_path, {"pool.jsonl", "out.jsonl", "out.jsonl.manifest.json", "out.jsonl.picks.npz"})


def test_a_full_disk_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, output = tmp_path / "pool.jsonl", tmp_path / "out.jsonl"
    pool.write_bytes(GOOD * 3)
    output.write_bytes(b"precious")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    refuse(capsys, ["select", pool, "--budget", "1", "-o", output, "--force"], "out.jsonl", "No space left on device")
    assert output.read_bytes() == b"precious"
    leave_nothing(tmp_path, {"pool.jsonl", "out.jsonl"})


def test_skipping_counts_and_lists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pool, output = tmp_path / "pool.jsonl", tmp_path / "out.jsonl"
    pool.write_bytes(GOOD + b"{broken\n" + GOOD + b'{"no": 1}\n' + b'{"text": "\xff"}\n' + b'{"text": "last"}\n')
    assert main(["select", str(pool), "-o", str(output), "--budget", "100%", "--on-error", "skip", "--json"]) == 0
    captured = capsys.readouterr()
    assert "records skipped: 3, the first: " + str(pool) + ":2: is not JSON" in captured.err
    assert json.loads(captured.out)["pool"]["skipped"] == 3
    manifest = json.loads((tmp_path / "out.jsonl.manifest.json").read_text())
    assert [line.removeprefix(f"{pool}:")[:2] for line in manifest["skipped"]] == ["2:", "4:", "5:"]
    assert sorted(output.read_bytes().splitlines()) == sorted([GOOD.strip(), GOOD.strip(), b'{"text": "last"}'])
    pool.write_bytes(b"{broken\n")
    refuse(capsys, ["ratio", pool, "--on-error", "skip"], "all 1 records were skipped")


def test_a_pool_that_changes_meanwhile_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(GOOD * 3)
    selection = entropylaw.select(path, budget=2)
    path.write_bytes(GOOD * 4)
    with pytest.raises(entropylaw.EntropyLawError, match="has changed since it was read"):
        selection.save(tmp_path / "out.jsonl")
    leave_nothing(tmp_path, {"pool.jsonl"})


@pytest.mark.parametrize(
    ("pool", "message"),
    [
        ([], "^the pool is empty: there are no records$"),
        ({"a", "b"}, "^the pool is set; it must be a path, a table, or a list of paths, texts or records"),
        (b"bytes", "the pool is bytes"),
        ({"text": "a"}, "the pool is dict"),
        (7, "the pool is int"),
        (["a", 7], "record 1: is int"),
        ([{"text": "a"}, "b"], "record 1: the record does not have the schema text"),
        (["missing-1.jsonl", "missing-2.jsonl"], "missing-1.jsonl: no such file"),
    ],
)
def test_pools_in_memory(pool: Any, message: str) -> None:
    with pytest.raises(entropylaw.EntropyLawError, match=message):
        entropylaw.select(pool, budget=1)


UNWRITABLE = [
    ({1}, "set has no form in JSON"),
    pytest.param(10**5000, "Exceeds the limit (4300 digits) for integer string conversion", id="digits"),
    (object(), "object has no form in JSON"),
]


@pytest.mark.parametrize(("value", "reason"), UNWRITABLE)
@pytest.mark.parametrize("name", ["out.jsonl", "out.json", "out.jsonl.gz"])
def test_a_value_without_a_form_in_json_is_named_with_its_record(
    tmp_path: Path, value: object, reason: str, name: str
) -> None:
    selection = entropylaw.select([{"text": "a"}, {"text": "b", "x": value}], budget=2)
    with pytest.raises(entropylaw.EntropyLawError) as error:
        selection.save(tmp_path / name)
    assert str(error.value).startswith(f"record 1: can't be written as JSON: {reason}")
    assert str(error.value).endswith("; give records that JSON can hold")
    leave_nothing(tmp_path, set())


def test_a_list_that_changes_meanwhile_changes_no_selection(tmp_path: Path) -> None:
    """Not only the samples: the records that are written are those at the time of reading, too."""
    records = [{"text": f"text {n}"} for n in range(9)]
    selection = entropylaw.select(records, budget=9)
    records.insert(0, {"text": "another"})
    del records[3:]
    selection.save(tmp_path / "out.jsonl")
    written = [json.loads(line)["text"].encode() for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert written == list(selection.samples())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "magic"}, "no method 'magic'"),
        ({"preset": "fast"}, "no preset 'fast'"),
        ({"render": "xml"}, "no rendering 'xml'"),
        ({"on_error": "ignore"}, "on_error is 'ignore'"),
        ({"budget": True}, "budget is True"),
        ({"budget": None}, "budget is None"),
        ({"threads": -1}, "threads is -1"),
        ({"render": lambda record: 7}, "record 0: the rendering returned a number"),
    ],
)
def test_options_in_python(options: dict[str, Any], message: str) -> None:
    with pytest.raises(entropylaw.EntropyLawError, match=message):
        entropylaw.select(["a", "b"], **({"budget": 1} | options))


@pytest.mark.parametrize("how", ["gz", "zst"])
def test_decompression_bombs_are_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("entropylaw.pool.source._BOMB_SIZE", 1 << 22)
    pool = tmp_path / f"bomb.jsonl.{how}"
    spaces = b" " * (1 << 24)
    pool.write_bytes(gzip.compress(spaces) if how == "gz" else zstandard.compress(spaces))
    refuse(capsys, ["ratio", pool], f"bomb.jsonl.{how}: stopped at", "more than 250 times", "decompression bomb?")
