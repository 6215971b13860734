"""Repeating a run from its manifest."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.cli import main


def write_pool(path: Path, count: int = 80) -> Path:
    text = Path(__file__).with_name("oracle.py").read_text()
    records = [
        {
            "meta": {"text": text[n * 50 :][: 30 * (1 + n % 5)], "kind": f"k{n % 4}", "score": n % 6},
            "text": text[n * 37 :][: 25 * (1 + n % 7)],
            "source": f"s{n % 2}",
        }
        for n in range(count)
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


RUNS: dict[str, list[str]] = {
    "zip": ["--budget", "30", "--k1", "60", "--k2", "20", "--k3", "10"],
    "reference": ["--budget", "25%", "--preset", "reference", "--k1", "40", "--k2", "20", "--k3", "10"],
    "bytes": ["--budget", "1.5KB", "--method", "coverage"],
    "words": ["--budget", "10", "--method", "coverage", "--unit", "word", "--gamma", "0.5", "--alpha", "0.7"],
    "known": ["--budget", "10", "--method", "coverage", "--initial-subset", "known.jsonl"],
    "field": ["--budget", "10", "--field", "meta.text"],
    "json": ["--budget", "10", "--render", "json"],
    "controls": [
        *["--budget", "2KB", "--method", "coverage", "--group-by", "meta.kind", "--quota", "k1>=10%,*<=60%"],
        *["--min-score", "meta.score>=1", "--weight", "meta.score", "--length-band", "20:", "--ratio-band", ":4"],
        *["--anchor", "known.jsonl", "--no-dedupe"],
    ],
    "tokens": [
        "--budget",
        "200 tokens",
        "--tokens",
        "meta.score",
        "--k1",
        "60",
        "--k2",
        "20",
        "--k3",
        "10",
        "--dedupe",
    ],
    "skip": ["--budget", "10", "--on-error", "skip"],
    "random": ["--budget", "2KB", "--method", "random", "--seed", "7", "--weight", "meta.score"],
    "top": ["--budget", "30", "--method", "top", "--weight", "meta.score", "--anchor", "known.jsonl"],
    "dsir": [
        *["--budget", "2KB", "--method", "dsir", "--target", "known.jsonl", "--seed", "3", "--weight", "meta.score"],
        *["--dedupe", "--ranking", "sampled"],
    ],
    "zipfit": ["--budget", "30", "--method", "zipfit", "--target", "known.jsonl", "--weight", "meta.score"],
    "density": ["--budget", "2KB", "--method", "density", "--seed", "7", "--anchor", "known.jsonl"],
    "balance": [
        *["--budget", "2KB", "--method", "random", "--group-by", "meta.kind", "--balance", "0.5", "--quota", "k1<=10%"],
        *["--dedupe", "--ratio-band", ":4"],
    ],
    "balanced zip": ["--budget", "1.5KB", "--k1", "60", "--k2", "20", "--k3", "10", "--balance", "0"],
    "balanced coverage": ["--budget", "1.5KB", "--method", "coverage", "--group-by", "meta.kind", "--balance", "0.3"],
}


@pytest.mark.parametrize("run", RUNS)
def test_runs_repeat(run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_pool(Path("pool.jsonl"))
    write_pool(Path("known.jsonl"), 7)
    if run == "skip":
        with Path("pool.jsonl").open("a") as file:
            file.write("{broken\n")
    output = ["-o", "out.jsonl.zst", "--shards", "2", "--add-columns", "rank", "-q"]
    assert main(["select", "pool.jsonl", *RUNS[run], *output]) == 0
    assert main(["replay", "out.jsonl.zst.manifest.json", "-q"]) == 0
    assert main(["replay", "out.jsonl.zst.manifest.json", "-o", "again.jsonl.zst", "-q"]) == 0
    for number in range(2):
        name = f"-0000{number}-of-00002.jsonl.zst"
        assert Path(f"again{name}").read_bytes() == Path(f"out{name}").read_bytes()


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The manifest of a selection from ``pool.jsonl`` in the current directory."""
    monkeypatch.chdir(tmp_path)
    entropylaw.select(write_pool(Path("pool.jsonl")), budget=12, k1=40, k2=20, k3=10).save("out.jsonl")
    return Path("out.jsonl.manifest.json")


def test_moved_files(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("elsewhere").mkdir()
    lines = Path("pool.jsonl").read_text().splitlines(keepends=True)
    Path("elsewhere/b.jsonl").write_text("".join(lines[:30]))
    Path("elsewhere/a.jsonl").write_text("".join(lines[30:]))
    Path("pool.jsonl").unlink()
    with pytest.raises(EntropyLawError, match=r"pool.jsonl: cannot be read: No such file .* \(pool=, --pool\)"):
        entropylaw.replay(saved)
    assert main(["replay", str(saved), "--pool", "elsewhere/b.jsonl", "elsewhere/a.jsonl", "-q"]) == 0
    assert "replayed  out.jsonl.manifest.json: the same pool, the same 12 picks" in capsys.readouterr().out
    with pytest.raises(EntropyLawError, match="as many samples and bytes, but other content or another order"):
        entropylaw.replay(saved, pool=["elsewhere/a.jsonl", "elsewhere/b.jsonl"])
    with pytest.raises(EntropyLawError, match=r"it has 30 samples, not 80 and [\d,]+ bytes, not "):
        entropylaw.replay(saved, pool="elsewhere/b.jsonl")


def test_another_pool_is_found_out_before_selecting(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("entropylaw.runs.replaying.select", lambda *_, **__: pytest.fail("selects"))
    Path("other.jsonl").write_text(Path("pool.jsonl").read_text().replace("a", "b"))
    with pytest.raises(EntropyLawError, match=r"the pool is not the one of .*other content"):
        entropylaw.replay(saved, pool="other.jsonl")


def test_records_that_changed_beside_their_text(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("pool.jsonl").write_text(Path("pool.jsonl").read_text().replace('"s1"', '"s9"'))
    assert main(["replay", str(saved), "-q"]) == 0, "what is sized is the same"
    capsys.readouterr()
    assert main(["replay", str(saved), "-o", "again.jsonl", "-q"]) == 2
    assert "something in them has changed that is not part of the samples" in capsys.readouterr().err
    assert not list(Path().glob("again*"))


WRITTEN = {
    "records": [*(f".{kind}" for kind in ("jsonl", "ndjson", "json", "csv", "parquet", "jsonl.gz", "csv.zst")), ""],
    "positions": [f".{kind}" for kind in ("txt", "npy", "jsonl", "json", "csv", "parquet", "txt.gz")],
    "positions and more": [f".{kind}" for kind in ("jsonl", "csv")],
}


@pytest.mark.parametrize("what", WRITTEN)
def test_records_are_written_again_in_any_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """They are compared with those of then where both are text of one form; in another they are what select writes."""
    pytest.importorskip("pyarrow", reason="tables need pyarrow")
    monkeypatch.chdir(tmp_path)
    records = [{"text": f"{n} squared is {n * n}", "n": n} for n in range(30)]
    Path("pool.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    how = ["--indices-only"] * what.startswith("positions") + ["--add-columns", "rank"] * what.endswith("more")
    names = [f"then{ending}" for ending in WRITTEN[what]]
    for name in names:
        run = ["select", "pool.jsonl", "-o", name, "--budget", "7", "--method", "random", "-q", *how]
        assert main(run) == 0
    for name in names:
        for ending in WRITTEN[what]:
            assert main(["replay", f"{name}.manifest.json", "-o", f"now{ending}", "--force", "-q"]) == 0, (name, ending)
            assert Path(f"now{ending}").read_bytes() == Path(f"then{ending}").read_bytes()
    Path("pool.jsonl").write_text("".join(json.dumps(record | {"n": 0}) + "\n" for record in records))
    if what == "records":
        for name, ending in (
            ("then.jsonl", ".ndjson"),
            ("then", ".jsonl"),
            ("then.json", ".json"),
            ("then.csv", ".csv"),
        ):
            assert main(["replay", f"{name}.manifest.json", "-o", f"now{ending}", "--force", "-q"]) == 2


def test_the_pool_in_another_format(saved: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="tables need pyarrow")
    import pyarrow.parquet as pq

    records = [json.loads(line) for line in Path("pool.jsonl").read_text().splitlines()]
    pq.write_table(pa.Table.from_pylist(records), "pool.parquet")
    entropylaw.replay(saved, pool="pool.parquet")


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_other_picks(saved: Path) -> None:
    edit(saved, lambda content: content["parameters"].update(k1=12, k2=12))
    with pytest.raises(EntropyLawError, match=r"12 picks, then 12; they differ from pick \d+ on: sample \d+ \(pool"):
        entropylaw.replay(saved)
    edit(saved, lambda content: content["parameters"].update(k1=40, k2=20, budget=13))
    with pytest.raises(EntropyLawError, match=r"13 picks, then 12; they differ from pick 13 on: sample .*, then none"):
        entropylaw.replay(saved)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content["parameters"].update(magic=1), r"unknown field `magic`"),
        (
            lambda content: content["parameters"].update(render={"type": "object", "name": "f"}),
            "render was an object in Python",
        ),
        (lambda content: content.update(method="magic"), "no method 'magic'"),
        (lambda content: content["pool"].update(files=[]), "the pool was not read from files"),
        (lambda content: content["pool"]["files"][0].update(name="standard input"), "the pool was not read from files"),
        (lambda content: content.pop("pool"), "missing required field `pool`"),
        (lambda content: content["picks"].update(name="none.npz"), "none.npz: cannot be read: No such file"),
        (lambda content: content["picks"].update(sha256="7" * 64), "out.jsonl.picks.npz: .* its hash differs"),
    ],
)
def test_manifests_that_do_not_fit(saved: Path, change: Callable[[dict[str, Any]], object], message: str) -> None:
    edit(saved, change)
    with pytest.raises(EntropyLawError, match=message):
        entropylaw.replay(saved)


def test_files_that_are_no_manifests(saved: Path) -> None:
    for content, message in (("[]", "is not a manifest"), ("{", "it is not JSON"), ("[" * 100_000, "it is not JSON")):
        saved.write_text(content)
        with pytest.raises(EntropyLawError, match=message):
            entropylaw.replay(saved)
    with pytest.raises(EntropyLawError, match=r"none.json: cannot be read: No such file"):
        entropylaw.replay("none.json")


def test_another_version_is_named(saved: Path, caplog: pytest.LogCaptureFixture) -> None:
    edit(saved, lambda content: content.update(entropylaw="0.0.9"))
    entropylaw.replay(saved)
    assert "made by entropylaw 0.0.9, this is" in caplog.text


def test_a_rendering_in_python_is_not_repeated(tmp_path: Path) -> None:
    pool = write_pool(tmp_path / "pool.jsonl")
    entropylaw.select(pool, budget=5, render=lambda record: record["text"] * 9).save(tmp_path / "out.jsonl")
    with pytest.raises(EntropyLawError, match="render was an object in Python"):
        entropylaw.replay(tmp_path / "out.jsonl.manifest.json")


def test_the_pool_may_be_anywhere(saved: Path, tmp_path: Path) -> None:
    shutil.copy("pool.jsonl", tmp_path / "copy.jsonl")
    again = entropylaw.replay(saved, pool=tmp_path / "copy.jsonl", threads=1)
    with np.load("out.jsonl.picks.npz") as picks:
        assert again.indices.tolist() == picks["indices"].tolist()
