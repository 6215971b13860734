"""``-o -``: records, positions and scores on standard output, and nothing else there."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import entropylaw
from entropylaw.cli import main

COMMAND = [sys.executable, "-m", "entropylaw"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lines = [
        json.dumps({"text": f"text {n} é, {n * n}", "source": f"s{n % 2}"}, ensure_ascii=n % 3 > 0) for n in range(30)
    ]
    Path("pool.jsonl").write_text(" \n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def printed(arguments: list[str], **how: Any) -> tuple[bytes, str]:
    """What a command that succeeds prints to standard output, and what to standard error."""
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, check=True, **how)
    return done.stdout, done.stderr.decode()


@pytest.mark.parametrize("options", [[], ["--sort", "input"], ["--add-columns", "rank,gain"]], ids=str)
def test_records(here: Path, options: list[str]) -> None:
    arguments = ["select", "pool.jsonl", "--budget", "7", *options]
    out, said = printed([*arguments, "-o", "-"])
    assert main([*arguments, "-o", "file.jsonl"]) == 0
    assert out == Path("file.jsonl").read_bytes()
    assert "selected  7 of 30 samples" in said and "written" not in said and "manifest" not in said
    assert not list(Path().glob("-*"))


def test_the_summary_goes_to_standard_error(here: Path) -> None:
    out, said = printed(["select", "pool.jsonl", "--budget", "7", "-o", "-", "-q", "--json"])
    assert len(out.splitlines()) == 7
    summary = json.loads(said)
    assert summary["selection"]["samples"] == 7
    assert summary["output"] == ["-"]
    assert "manifest" not in summary


def test_in_a_pipe(here: Path) -> None:
    """From standard input to standard output, and on."""
    first, _ = printed(["select", "-", "-o", "-", "--budget", "20", "-q"], input=Path("pool.jsonl").read_bytes())
    out, _ = printed(["select", "-", "-o", "-", "--budget", "5", "-q"], input=first)
    assert out.splitlines() == list(entropylaw.select(Path("pool.jsonl"), budget=5).records())


def test_indices(here: Path) -> None:
    wanted = entropylaw.select("pool.jsonl", budget=7).indices.tolist()
    arguments = ["select", "pool.jsonl", "--budget", "7", "-o", "-", "--indices-only", "-q"]
    assert printed(arguments)[0] == "".join(f"{index}\n" for index in wanted).encode()
    rows = [json.loads(line) for line in printed([*arguments, "--add-columns", "rank"])[0].splitlines()]
    assert rows == [{"index": index, "entropylaw_rank": rank} for rank, index in enumerate(wanted, start=1)]


def test_rows_of_tables(here: Path) -> None:
    pytest.importorskip("pyarrow", reason="tables need pyarrow")
    entropylaw.select("pool.jsonl", budget=30).save("pool.parquet", sort="input")
    out, _ = printed(["select", "pool.parquet", "-o", "-", "--budget", "7", "-q"])
    rows = [json.loads(line) for line in out.splitlines()]
    assert rows == [json.loads(record) for record in entropylaw.select("pool.jsonl", budget=7).records()]


def test_scores(here: Path) -> None:
    out, said = printed(["score", "pool.jsonl", "-o", "-", "-q"])
    entropylaw.score("pool.jsonl").save("scores.csv")
    assert out == Path("scores.csv").read_bytes()
    assert len(list(csv.DictReader(out.decode().splitlines()))) == 30
    assert "scored    30 samples" in said and "written" not in said
    assert json.loads(printed(["score", "pool.jsonl", "-o", "-", "-q", "--json"])[1])["output"] == "-"


@pytest.mark.parametrize("shards", [None, 3])
def test_replays(here: Path, capsys: pytest.CaptureFixture[str], shards: int | None) -> None:
    selection = entropylaw.select("pool.jsonl", budget=7)
    selection.save("out.jsonl", sort="input", columns=["rank"], shards=shards)
    out, said = printed(["replay", "out.jsonl.manifest.json", "-o", "-", "-q"])
    assert out == b"".join(path.read_bytes() for path in sorted(Path().glob("out*.jsonl")))
    assert said.startswith("replayed  out.jsonl.manifest.json: the same pool, the same 7 picks\n")
    changed = Path("pool.jsonl").read_text().replace('"s1"', '"s9"')
    Path("pool.jsonl").write_text(changed)
    assert main(["replay", "out.jsonl.manifest.json", "-o", "-", "-q"]) == 2
    said = capsys.readouterr().err
    assert "something in them has changed that is not part of the samples, or how they are stored" in said


def test_nothing_is_printed_of_what_fails(here: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """A record that can't take a column is the last of them."""
    Path("bad.jsonl").write_text('{"text": "a"}\n{"text": "b", "entropylaw_rank": 1}\n')
    arguments = ["select", "bad.jsonl", "-o", "-", "--budget", "2", "--sort", "input", "--add-columns", "rank", "-q"]
    assert main(arguments) == 2
    said = capfdbinary.readouterr()
    assert said.out == b""
    assert said.err.startswith(b"entropylaw: bad.jsonl:2: the record has a member 'entropylaw_rank' already")


def test_the_checkpoint_of_it(here: Path) -> None:
    out, _ = printed(["select", "pool.jsonl", "-o", "-", "--budget", "7", "-q", "--checkpoint", "work"])
    assert len(out.splitlines()) == 7
    assert not Path("work").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--shards", "2"], "standard output has no name that shards could have; name a file"),
        (["--stanza", "axolotl"], "standard output has no name that a stanza could have; name a file"),
    ],
)
def test_what_needs_names(here: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str) -> None:
    assert main(["select", "no.jsonl", "-o", "-", "--budget", "7", *options]) == 2
    assert capsys.readouterr().err == f"entropylaw: {message}\n"


def test_a_file_of_that_name(here: Path) -> None:
    assert main(["select", "pool.jsonl", "-o", "./-", "--budget", "7", "-q"]) == 0
    assert len(Path("./-").read_text().splitlines()) == 7
    assert Path("-.manifest.json").exists()
