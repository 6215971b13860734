"""How runs end early: what is in its place then, what the run says of it, and what has reached the disk."""

import contextlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import entropylaw
from entropylaw import EntropyLawError, cli
from entropylaw.output import Outputs
from entropylaw.results import Selection

COMMAND = [sys.executable, "-m", "entropylaw"]
BESIDE = {"out.jsonl.manifest.json", "out.jsonl.picks.npz"}
WRITTEN = "out.jsonl, out.jsonl.picks.npz, out.jsonl.manifest.json were written"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    sources = ["é", "plain", "\x1b[31m", "\u202e"]
    records = [{"text": f"text {n} of some, {n * n}", "source": sources[n % 4]} for n in range(40)]
    Path("pool.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return tmp_path


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()} - {"pool.jsonl"}


def raises(error: BaseException) -> Callable[..., Any]:
    def function(*_: object, **__: object) -> Any:
        raise error

    return function


SELECT = ["select", "pool.jsonl", "-o", "out.jsonl", "--budget", "9", "-q"]


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (EntropyLawError("page.html: cannot be written: it is late"), 2, "page.html: cannot be written: it is late"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError(), 2, "out of memory; select from a smaller pool, or from fewer files at a time"),
        (cli._TerminatedError(), 143, "terminated"),
    ],
)
@pytest.mark.parametrize(
    ("at", "left", "written"),
    [
        ("entropylaw.saving.plan.Saving.check", set(), ""),
        ("entropylaw.selecting.select", set(), ""),
        ("entropylaw.saving.plan.Saving._write_records", set(), ""),
        ("numpy.savez", set(), ""),
        ("entropylaw.results.Selection.summary", set(), ""),
        ("entropylaw.runs.manifest.manifest_hash", {"out.jsonl", *BESIDE}, WRITTEN),
        ("entropylaw.cli.select.write_report", {"out.jsonl", *BESIDE}, WRITTEN),
        ("entropylaw.cli.select.print_lines", {"out.jsonl", *BESIDE}, WRITTEN),
    ],
)
def test_a_run_that_ends_early_says_what_it_has_written(
    here: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    at: str,
    left: set[str],
    written: str,
    error: BaseException,
    code: int,
    said: str,
) -> None:
    monkeypatch.setattr(at, raises(error))
    assert cli.main(SELECT) == code
    (line,) = capsys.readouterr().err.splitlines()
    nothing = "nothing was written" if code > 2 else ""
    assert line == "entropylaw: " + "; ".join(filter(None, [said, written or nothing]))
    assert names(here) == left


def test_a_failing_report_leaves_the_records(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The directory of the report disappears while the selection goes on."""
    pytest.importorskip("vl_convert", reason="reports are drawn by vl-convert-python")
    from entropylaw import report

    Path("d").mkdir()
    check = report.check_report

    def check_and_remove(*arguments: Any) -> None:
        check(*arguments)
        Path("d").rmdir()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("entropylaw.report.check_report", check_and_remove)
        assert cli.main([*SELECT, "--report", "d/page.html"]) == 2
    said = capsys.readouterr().err
    cause = "there is no directory 'd'; make it, or name another"
    assert said == f"entropylaw: d/page.html: cannot be written: {cause}; {WRITTEN}\n"
    manifest = json.loads(Path("out.jsonl.manifest.json").read_text())
    assert manifest["selection"]["samples"] == len(Path("out.jsonl").read_text().splitlines()) == 9


def test_many_files_are_counted(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("entropylaw.cli.select.write_report", raises(KeyboardInterrupt()))
    assert cli.main([*SELECT, "--shards", "7"]) == 130
    first = ", ".join(f"out-0000{n}-of-00007.jsonl" for n in range(4))
    assert capsys.readouterr().err == f"entropylaw: interrupted; {first} and 5 more were written\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("moment", range(4))
def test_signals_wait_for_the_renames(
    here: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    force: bool,
    moment: int,
) -> None:
    """Before the removal of the old manifest, or before the first, second or last rename: it is all done."""
    if force:
        assert cli.main([*SELECT[:-2], "5", "-q"]) == 0
        capsys.readouterr()
    count = 0
    replace, unlink = Path.replace, Path.unlink

    def strike(now: int) -> None:
        nonlocal count
        count += now
        if count == moment:
            signal.raise_signal(number)

    def replaced(self: Path, target: Path) -> Path:
        strike(1)
        return replace(self, target)

    def unlinked(self: Path, missing_ok: bool = False) -> None:
        if self.name == "out.jsonl.manifest.json":
            strike(0)
        unlink(self, missing_ok)

    monkeypatch.setattr(Path, "replace", replaced)
    monkeypatch.setattr(Path, "unlink", unlinked)
    assert cli.main([*SELECT, *(["--force"] if force else [])]) == 128 + number
    said = "interrupted" if number == signal.SIGINT else "terminated"
    assert capsys.readouterr().err == f"entropylaw: {said}; {WRITTEN}\n"
    assert names(here) == {"out.jsonl", *BESIDE}
    assert len(Path("out.jsonl").read_text().splitlines()) == 9
    assert json.loads(Path("out.jsonl.manifest.json").read_text())["selection"]["samples"] == 9


def test_signals_act_as_before_when_the_renames_are_done(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with Outputs() as outputs, outputs.file(tmp_path / "file") as file:
        file.write(b"whole")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


class Log:
    """What is forced to the disk, removed and renamed, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events: list[str] = []
        fsync, replace, unlink = os.fsync, Path.replace, Path.unlink

        def synced(descriptor: int) -> None:
            name = Path(f"/proc/self/fd/{descriptor}").readlink()
            self.events.append(f"fsync {'directory ' if name.is_dir() else ''}{self._name(name)}")
            fsync(descriptor)

        def replaced(self_: Path, target: Path) -> Path:
            self.events.append(f"rename {target.name}")
            return replace(self_, target)

        def unlinked(self_: Path, missing_ok: bool = False) -> None:
            if self_.suffix != ".tmp":
                self.events.append(f"remove {self_.name}")
            unlink(self_, missing_ok)

        monkeypatch.setattr(os, "fsync", synced)
        monkeypatch.setattr(Path, "replace", replaced)
        monkeypatch.setattr(Path, "unlink", unlinked)

    @staticmethod
    def _name(path: Path) -> str:
        return path.name.rpartition(".")[0].rpartition(".")[0][1:] if path.suffix == ".tmp" else path.name


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="how else to tell what a descriptor is")
@pytest.mark.parametrize("how", ["one", "shards", "table"])
def test_each_file_is_on_the_disk_before_it_has_its_name(here: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """And the names of the others before the manifest has its own; and that one before the run is over."""
    if how == "table":
        pytest.importorskip("pyarrow", reason="tables need pyarrow")
    selection = entropylaw.select("pool.jsonl", budget=9)
    Path("d").mkdir()
    log = Log(monkeypatch)
    end = ".parquet" if how == "table" else ".jsonl"
    selection.save(f"d/out{end}", shards=2 if how == "shards" else None)
    number = 2 if how == "shards" else 1
    staged = [f"out-0000{n}-of-00002.jsonl" for n in range(2)] if number == 2 else [f"out{end}"]
    others = [f"out{end}.picks.npz", f"out{end}.manifest.json"]
    assert log.events == [
        *(f"fsync {name}" for name in [*staged, *others]),
        f"remove out{end}.manifest.json",
        *(f"rename {name}" for name in [*staged, others[0]]),
        "fsync directory d",
        f"rename {others[1]}",
        "fsync directory d",
    ]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="how else to tell what a descriptor is")
@pytest.mark.parametrize(
    ("write", "name"),
    [
        (lambda: entropylaw.score("pool.jsonl").save("d/scores.csv.gz"), "scores.csv.gz"),
        (lambda: entropylaw.EntropyLaw(form="R").fit([2, 2.5, 3, 3.5], None, [6, 5.6, 5.1, 4.4]).save("d/law"), "law"),
    ],
)
def test_single_files_are_on_the_disk_too(
    here: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[], object], name: str
) -> None:
    Path("d").mkdir()
    log = Log(monkeypatch)
    write()
    assert log.events == [f"fsync {name}", "fsync directory d", f"rename {name}", "fsync directory d"]


def run(arguments: list[str], **how: Any) -> "subprocess.CompletedProcess[bytes]":
    environment = os.environ | {"PYTHONIOENCODING": how.pop("encoding", "utf-8")}
    # As it usually is: what is printed waits in a buffer, and may fail only at the end.
    environment.pop("PYTHONUNBUFFERED", None)
    return subprocess.run([*COMMAND, *arguments], env=environment, check=False, **{"stderr": subprocess.PIPE} | how)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        (SELECT, f"; {WRITTEN}"),
        ([*SELECT, "--json"], f"; {WRITTEN}"),
        (["score", "pool.jsonl", "-o", "scores.csv", "-q"], "; scores.csv was written"),
        (["ratio", "pool.jsonl", "-q"], ""),
        (["ratio", "pool.jsonl", "-q", "--json"], ""),
        (["select", "pool.jsonl", "-o", "-", "--budget", "9", "-q"], "; a part of standard output was written"),
        (["config", "ratio"], ""),
        (["select", "--help"], ""),
        (["--version"], ""),
    ],
)
def test_a_full_standard_output(here: Path, arguments: list[str], written: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = run(arguments, stdout=full)
    assert done.stderr.decode() == f"entropylaw: standard output: cannot be written: No space left on device{written}\n"
    assert done.returncode == 2


@pytest.mark.parametrize("arguments", [["select", "pool.jsonl", "--budget", "9"], ["score", "pool.jsonl"]])
def test_no_room_for_temporary_files(here: Path, arguments: list[str]) -> None:
    """Neither in the usual place nor in the working directory."""
    done = run([*arguments, "-o", "-", "-q"], preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)))
    said = done.stderr.decode()
    assert said.startswith("entropylaw: temporary files cannot be used: No usable temporary directory found in [")
    assert said.endswith("]; make room, or set TMPDIR\n")
    assert done.returncode == 2


@pytest.mark.parametrize("size", [0, 50, 200, 600, 1000])
def test_a_full_disk_leaves_nothing(here: Path, size: int) -> None:
    """The disk is full while the records, the picks or the manifest are written."""
    done = run(SELECT, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))
    assert re.fullmatch(r"entropylaw: out.jsonl\S*: cannot be written: .+\n", done.stderr.decode())
    assert done.returncode == 2
    assert names(here) == set()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    ("arguments", "code", "lines"),
    [
        (SELECT[:-1], 0, 6),
        (["select", "pool.jsonl", "-o", "-", "--budget", "9"], 2, 9),
        (["select", "no.jsonl", "-o", "out.jsonl", "--budget", "9"], 2, 0),
    ],
)
def test_a_full_standard_error(here: Path, arguments: list[str], code: int, lines: int) -> None:
    """Notes are lost there, and change nothing; a summary that is lost does."""
    with Path("/dev/full").open("w") as full:
        done = run(arguments, stdout=subprocess.PIPE, stderr=full)
    assert (done.returncode, len(done.stdout.splitlines())) == (code, lines)


def test_a_closed_standard_output(here: Path) -> None:
    """Closed from the start: no file that is opened may be taken for it."""
    done = run(SELECT, preexec_fn=lambda: os.close(1))
    assert done.stderr.decode() == f"entropylaw: standard output: cannot be written: Bad file descriptor; {WRITTEN}\n"
    assert done.returncode == 2
    done = run(["ratio", "-", "-q"], preexec_fn=lambda: os.close(0))
    assert re.fullmatch(r"entropylaw: standard input: .+\n", done.stderr.decode())
    assert done.returncode == 2


@pytest.mark.parametrize("count", [0, 4])
def test_a_reader_that_goes_away(here: Path, count: int) -> None:
    read, write = os.pipe()
    os.close(read)
    done = run(SELECT, stdout=write)
    os.close(write)
    assert done.stderr.decode() == f"entropylaw: standard output was closed; {WRITTEN}\n"
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("ascii", b"\\xe9"), ("ascii:strict", b"\\xe9"), ("latin-1", b"\xe9"), ("utf-8", "é".encode())],
)
def test_a_narrow_standard_output(here: Path, encoding: str, shown: bytes) -> None:
    """What it can't hold is an escape; what a terminal would take for a command is one everywhere."""
    done = run([*SELECT[:-2], "40", "-q"], stdout=subprocess.PIPE, encoding=encoding)
    assert (done.stderr, done.returncode) == (b"", 0)
    assert b"sources   " in done.stdout and b" 10, ".join([b"\\x1b[31m", b"plain", shown]) in done.stdout
    assert b"\x1b" not in done.stdout and "\u202e".encode() not in done.stdout
    done = run(["ratio", "pool.jsonl", "--json", "-q"], stdout=subprocess.PIPE, encoding=encoding)
    assert (done.stderr, done.returncode) == (b"", 0)
    groups = json.loads(done.stdout.decode(encoding.partition(":")[0]))["by_source"]
    assert sorted(groups) == ["\x1b[31m", "plain", "é", "\u202e"]
    assert b"\x1b" not in done.stdout and "\u202e".encode() not in done.stdout


def test_who_calls_the_command_keeps_their_standard_output(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    errors = sys.stdout.errors
    assert cli.main(["ratio", "pool.jsonl", "-q"]) == 0
    assert sys.stdout.errors == errors


def test_a_selection_knows_nothing_of_commands(here: Path) -> None:
    selection: Selection = entropylaw.select("pool.jsonl", budget=3)
    assert selection.save("out.jsonl") == ["out.jsonl"]


def test_ctrl_c_when_all_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def streams() -> Iterator[None]:
        yield
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "streams", streams)
    assert cli.command(lambda: 0) == 130
