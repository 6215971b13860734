"""The command line, from the outside."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import entropylaw
from entropylaw.cli import main
from entropylaw.pool.reading import Reading
from entropylaw.progress import ProgressLine

COMMAND = [sys.executable, "-m", "entropylaw"]


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 records of the project's own text."""
    path = tmp_path_factory.mktemp("pool") / "pool.jsonl"
    text = Path(__file__).with_name("oracle.py").read_text() * 4
    records = [{"text": text[n * 50 : n * 50 + 37 * (1 + n % 7)], "source": f"s{n % 3}", "n": n} for n in range(300)]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_select_writes_records_and_manifest(pool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "out.jsonl"
    assert (
        main(["select", str(pool), "-o", str(output), "--budget", "10%", "--k1", "100", "--k2", "20", "--k3", "10"])
        == 0
    )
    selection = entropylaw.select(pool, budget=30, k1=100, k2=20, k3=10)
    lines = pool.read_bytes().splitlines()
    assert output.read_bytes().splitlines() == [lines[index] for index in selection.indices]
    manifest = json.loads(Path(f"{output}.manifest.json").read_text())
    with np.load(f"{output}.picks.npz") as picks:
        assert picks["indices"].tolist() == selection.indices.tolist()
        assert picks["ratios"].tolist() == selection.ratios.tolist()
    assert manifest["pool"]["sha256"] == selection.pool.fingerprint.sha256
    assert manifest["selection"]["sources"] == selection.sources
    assert manifest["parameters"]["budget"] == "10%"
    said = capsys.readouterr()
    assert "selected  30 of 300 samples" in said.out
    assert "schema text" in said.err


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_outputs_are_compressed_by_their_names(pool: Path, tmp_path: Path, suffix: str) -> None:
    output = tmp_path / f"out.jsonl{suffix}"
    assert main(["select", str(pool), "-o", str(output), "--budget", "5", "-q"]) == 0
    again = entropylaw.select(output, budget=5)
    assert sorted(again.records()) == sorted(entropylaw.select(pool, budget=5).records())


def test_json_is_for_machines(pool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["select", str(pool), "-o", str(tmp_path / "out"), "--budget", "5", "--json", "-q"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    summary = json.loads(said.out)
    assert summary["selection"]["samples"] == 5
    assert summary["output"] == [str(tmp_path / "out")]
    assert main(["ratio", str(pool), "--json", "-q"]) == 0
    result = json.loads(capsys.readouterr().out)
    expected = entropylaw.ratio(pool)
    assert result["compressed_bytes"] == expected.compressed_bytes
    assert result["by_source"]["s1"]["ratio"] == expected.by_source["s1"].ratio


def test_ratio_prints_a_table(pool: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ratio", str(pool), "-q"]) == 0
    header, first, *rest = capsys.readouterr().out.splitlines()
    assert header.split() == ["R", "zlib", "R", "zstd", "samples", "bytes", "group"]
    assert first.split()[-1] == "all"
    ratios = [float(row.split()[0]) for row in rest[:3]]
    assert ratios == sorted(ratios)
    assert rest[3] == "R = bytes / compressed bytes, one stream, order: input"


def test_standard_input_is_a_pool(pool: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    with pool.open("rb") as piped:
        subprocess.run([*COMMAND, "select", "-", "-o", output, "--budget", "5", "-q"], stdin=piped, check=True)
    assert output.read_bytes().splitlines() == list(entropylaw.select(pool, budget=5).records())


def test_help_and_version_need_no_numpy() -> None:
    script = "import sys, entropylaw.cli\ntry: entropylaw.cli.main(sys.argv[1:])\nexcept SystemExit: pass\n"
    script += "assert 'numpy' not in sys.modules and 'zstandard' not in sys.modules, 'slow start'"
    for arguments in (["--help"], ["ratio", "--help"], ["--version"]):
        subprocess.run([sys.executable, "-c", script, *arguments], check=True, capture_output=True)


def slow_pool(directory: Path) -> Path:
    """A pool that takes many seconds to select from."""
    path = directory / "slow.jsonl"
    text = "".join(chr(32 + (n * n * 31 + n // 7) % 90) for n in range(3_000))
    path.write_text("".join(json.dumps({"text": text[n % 1000 :] + str(n)}) + "\n" for n in range(20_000)))
    return path


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_it_at_once_and_leave_nothing(tmp_path: Path, number: signal.Signals, code: int) -> None:
    path = slow_pool(tmp_path)
    arguments = ["select", path, "-o", tmp_path / "out.jsonl", "--budget", "15000", "--k1", "20000", "--k2", "20000"]
    process = subprocess.Popen([*COMMAND, *arguments], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "20,000 samples" in process.stderr.readline()
    time.sleep(0.3)
    process.send_signal(number)
    sent = time.monotonic()
    _, said = process.communicate(timeout=30)
    assert process.returncode == code
    assert time.monotonic() - sent < 5, "generous, for a busy machine; the aim is one second"
    assert "Traceback" not in said
    assert [entry.name for entry in tmp_path.iterdir()] == ["slow.jsonl"]


def test_a_callback_that_raises_ends_the_selection(tmp_path: Path) -> None:
    class EnoughError(Exception):
        pass

    def stop(now: entropylaw.Progress) -> None:
        raise EnoughError(now.stage)

    with pytest.raises(EnoughError):
        entropylaw.select(slow_pool(tmp_path), budget=15_000, progress=stop)


def test_progress_goes_from_scoring_to_the_budget(pool: Path) -> None:
    seen: list[entropylaw.Progress] = []
    selection = entropylaw.select(pool, budget=30, k1=100, k2=20, k3=10, progress=seen.append)
    last = seen[-1]
    assert (last.picked, last.round, last.stage) == (30, 3, "local")
    assert last.ratio == selection.ratio
    assert last.done == last.total == 10


def said_to_a_terminal(arguments: list[str], stop_at: bytes | None = None) -> bytes:
    """What a command writes to its standard error, a terminal; interrupted once ``stop_at`` is among it."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    said = b""
    while True:
        try:
            said += (piece := os.read(ours, 4096))
        except OSError:  # What Linux answers when the other side is closed.
            break
        if not piece:
            break
        if stop_at is not None and stop_at in said:
            process.send_signal(signal.SIGINT)
            stop_at = None
    process.communicate()
    os.close(ours)
    return said


def test_the_progress_line_is_for_terminals(tmp_path: Path) -> None:
    arguments = ["select", str(slow_pool(tmp_path)), "-o", str(tmp_path / "out"), "--budget", "200", "--k1", "2000"]
    said = said_to_a_terminal(arguments)
    assert b"reading: " in said and b"scoring the pool: " in said
    assert said.endswith(b"\r\x1b[K")


def test_the_progress_line_tells_of_picks(tmp_path: Path) -> None:
    arguments = ["select", str(slow_pool(tmp_path)), "-o", str(tmp_path / "out"), "--budget", "15000", "--k1", "20000"]
    said = said_to_a_terminal(arguments, stop_at=b" left (picking ")  # However fast that is.
    assert b"picked " in said and b" of 15,000, R " in said and b" left (" in said
    assert b"picked " not in said.rpartition(b"\r\x1b[K")[2], "the line is removed"


def test_the_progress_line_fits() -> None:
    class Now:
        stage, done, total, round, picked, ratio = "local", 7, 100, 3, 207, 2.1234

    line = ProgressLine(budget=1000)
    line._picking_since = 10.0
    assert line.line(Now(), 20.0) == "round 3: picked 207 of 1,000, R 2.123, 20.7/s, 0:00:38 left (picking 7/100)"  # type: ignore[arg-type]


def test_the_progress_line_tells_the_speed_of_what_goes_on() -> None:
    line = ProgressLine()
    line(Reading(done=90, total=100))
    line._began -= 1000
    line(Reading(done=95, total=100))
    assert time.monotonic() - line._began > 500
    # The second file of two that are read one by one.
    line(Reading(done=5, total=100))
    assert time.monotonic() - line._began < 500


def test_the_manifest_tells_how_the_pool_was_read(tmp_path: Path) -> None:
    (tmp_path / "pool.jsonl").write_text('{"a": {"b": "text"}}\n{"a": 1}\n')
    arguments = ["select", str(tmp_path / "pool.jsonl"), "-o", str(tmp_path / "out"), "--budget", "1"]
    assert main([*arguments, "--field", "a.b", "--on-error", "skip", "-q"]) == 0
    manifest = json.loads((tmp_path / "out.manifest.json").read_text())
    read = {"render": "text", "schema": None, "field": "a.b", "on_error": "skip"}
    assert manifest["parameters"].items() >= read.items()
    assert manifest["pool"]["schema"] == "field a.b"


UNUSED = {
    "data, of R alone": (["law", "check", "--law", "law.json", "--R", "3", "--render", "json"], "--render says how to"),
    "a schema": (
        ["law", "check", "--law", "law.json", "--R", "3", "--schema", "text"],
        "--schema says how to",
    ),
    "a field": (["law", "check", "--law", "law.json", "--R", "3", "--field", "a"], "--field says how to"),
    "a format": (
        ["law", "check", "--law", "law.json", "--R", "3", "--format", "csv"],
        "--format says how to",
    ),
    "errors": (["law", "check", "--law", "law.json", "--R", "3", "--on-error", "skip"], "--on-error says how to"),
    "an epoch": (
        ["law", "check", "--law", "law.json", "--R", "3", "--epoch-steps", "9"],
        "--epoch-steps says",
    ),
    "an epoch of L": (
        ["law", "check", "--law", "law.json", "--data", "pool.jsonl", "--L", "1", "--epoch-steps", "9"],
        "--epoch-steps says",
    ),
    "samples": (
        ["ratio", "pool.jsonl", "--quick", "--show", "5"],
        "--show is about samples, of which",
    ),
    "fewer than no samples": (["ratio", "pool.jsonl", "--show", "-1"], "show is -1; it must be at least 0"),
    "samples to show": (["show", "pool.jsonl", "-n", "-1"], "samples is -1; it must be at least 0"),
}


@pytest.mark.parametrize("name", UNUSED)
def test_options_that_would_do_nothing_are_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pool.jsonl").write_text('{"text": "a"}\n')
    command, message = UNUSED[name]
    assert main(command) == 2
    assert message in capsys.readouterr().err
