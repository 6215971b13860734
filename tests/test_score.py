"""Scores of every sample alone."""

import csv
import gzip
import json
import zlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

import entropylaw
from coverage_oracle import Oracle
from entropylaw import EntropyLawError
from entropylaw.cli import main

TEXT = Path(__file__).with_name("oracle.py").read_text()
RECORDS = [{"text": TEXT[n * 40 :][: 15 * (n % 11)], "source": ["é", "", None, "b,c\n"][n % 4]} for n in range(120)]


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    path = tmp_path / "pool.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    return path


def test_what_is_in_memory_does_not_matter() -> None:
    texts = [f"sample {n} of text" * (n % 5) for n in range(30)]
    mapped, held = entropylaw.score(texts, memory=0), entropylaw.score(texts)
    assert isinstance(mapped.pool.data, np.memmap) and not isinstance(held.pool.data, np.memmap)
    assert mapped.first_gains.tolist() == held.first_gains.tolist()


@pytest.mark.parametrize(("unit", "ngram", "gamma"), [("byte", 5, 0.85), ("byte", 3, 0.0), ("word", 2, 1.0)])
@pytest.mark.parametrize("guard", [(2, 2), (3, 1)])
@pytest.mark.parametrize("features", ["all", "1/2", "1/4"])
def test_first_gains_are_those_of_the_oracle(
    unit: Literal["byte", "word"], ngram: int, gamma: float, guard: tuple[int, int], features: str
) -> None:
    how: dict[str, Any] = {"unit": unit, "ngram": ngram, "gamma": gamma, "min_df": guard[0], "min_contexts": guard[1]}
    how["features"] = features
    scores = entropylaw.score(RECORDS, **how)
    selection = entropylaw.select(RECORDS, method="coverage", budget=1, alpha=0.0, **how)
    samples = [record["text"].encode() for record in RECORDS]
    oracle = Oracle(samples, selection.slots, alpha=0.0, **how)
    assert scores.first_gains.tolist() == [oracle.gain(index) / oracle.scale for index in range(len(samples))]
    assert scores.first_gains[selection.indices[0]] == scores.first_gains.max() == selection.gains[0]
    assert scores.parameters.items() >= how.items()


def test_ratios_are_those_of_zlib() -> None:
    scores = entropylaw.score(RECORDS, threads=2)
    samples = [record["text"].encode() for record in RECORDS]
    assert len(scores) == len(RECORDS)
    assert scores.lengths.tolist() == list(map(len, samples))
    assert scores.ratios.tolist() == [len(sample) / len(zlib.compress(sample, 9)) for sample in samples]
    assert (entropylaw.score(RECORDS, threads=1).first_gains == scores.first_gains).all()


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".csv", ".tsv.gz", ".jsonl"])
def test_files(pool: Path, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    if suffix in (".parquet", ".arrow"):
        pytest.importorskip("pyarrow", reason="tables need pyarrow")
    path = tmp_path / f"scores{suffix}"
    assert main(["score", str(pool), "-o", str(path), "--unit", "word", "-q"]) == 0
    said = capsys.readouterr().out
    assert f"scored    {len(RECORDS)} samples" in said and f"written   {path}" in said
    scores = entropylaw.score(RECORDS, unit="word")
    expected = {
        "index": list(range(len(RECORDS))),
        "source": [record["source"] or "" for record in RECORDS],
        "bytes": scores.lengths.tolist(),
        "ratio": scores.ratios.tolist(),
        "first_gain": scores.first_gains.tolist(),
    }
    assert table_of(path) == expected


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_positions_are_the_same_in_all_tables(tmp_path: Path, suffix: str) -> None:
    """Those in the files, where records that were skipped count: what is joined by them meets its own row."""
    if suffix in (".parquet", ".arrow"):
        pytest.importorskip("pyarrow", reason="tables need pyarrow")
    lines = [json.dumps(record) for record in RECORDS]
    for at, broken in ((0, "broken"), (3, '{"other": 1}'), (len(lines) + 2, "[")):
        lines.insert(at, broken)
    pool = tmp_path / "pool.jsonl"
    pool.write_text("\n".join(lines) + "\n")
    read = [number for number, line in enumerate(lines) if '"text"' in line]
    how = [str(pool), "--on-error", "skip", "-q", "-o"]
    assert main(["score", *how, str(tmp_path / f"scores{suffix}")]) == 0
    assert main(["select", *how, str(tmp_path / f"i{suffix}"), "--budget", "100%", "--indices-only"]) == 0
    assert table_of(tmp_path / f"scores{suffix}")["index"] == read
    assert sorted(map(int, table_of(tmp_path / f"i{suffix}")["index"])) == read
    selection = entropylaw.select(pool, budget="100%", on_error="skip")
    assert sorted(selection.rows.tolist()) == entropylaw.score(pool, on_error="skip").rows.tolist() == read


def table_of(path: Path) -> dict[str, list[Any]]:
    if path.suffix in (".parquet", ".arrow"):
        pa = pytest.importorskip("pyarrow", reason="Parquet and Arrow are optional")
        import pyarrow.parquet as pq

        table = pq.read_table(path) if path.suffix == ".parquet" else pa.ipc.open_file(path).read_all()
        columns: dict[str, list[Any]] = table.to_pydict()
        return columns
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if path.suffix == ".jsonl":
        rows = [json.loads(line) for line in content.decode().split("\n")[:-1]]
        return {name: [row[name] for row in rows] for name in rows[0]}
    reader = csv.DictReader(content.decode().splitlines(keepends=True), delimiter="\t" if ".tsv" in path.name else ",")
    kinds = {"index": int, "bytes": int, "ratio": float, "first_gain": float}
    lines = list(reader)
    return {name: [kinds.get(name, str)(line[name]) for line in lines] for name in lines[0]}


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("scores", {}, "scores: the name must end in one of .jsonl, .json, .csv, .tsv, .parquet, .arrow"),
        ("scores.npy", {}, "scores.npy: holds one column"),
        ("scores.csv", {"ngram": 9}, "ngram is 9"),
        ("scores.csv", {"unit": "line"}, "no unit 'line'"),
        ("none/scores.csv", {}, "cannot be written: there is no directory .*none'; make it, or name another"),
    ],
)
def test_what_does_not_fit(tmp_path: Path, name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(EntropyLawError, match=message):
        entropylaw.score(RECORDS, **options).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_the_command_finds_out_first(pool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "scores.csv").write_text("precious")
    assert main(["score", str(tmp_path / "no.jsonl"), "-o", str(tmp_path / "scores.csv")]) == 2
    assert "scores.csv: the file exists; name another, or replace it" in capsys.readouterr().err
    assert main(["score", str(pool), "-o", str(tmp_path / "scores.csv"), "--force", "--json", "-q"]) == 0
    assert json.loads(capsys.readouterr().out)["pool"]["samples"] == len(RECORDS)
