"""What the name of an output says: its format, its compression; names that are no text."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
import zstandard

import entropylaw
from entropylaw import EntropyLaw, EntropyLawError
from entropylaw.cli import main
from entropylaw.results import Selection

LINES = [
    b'{"text": "one", "n": 1.0, "n": 1e400}',
    b' {"text":"two \xc3\xa9",  "x": NaN} ',
    b'{"text": "three \\ud83d\\ude00", "big": 123456789012345678901234567890}\r',
    b'{"text": "four", "text2": [1, {"a": null}]}',
]


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("pool.jsonl").write_bytes(b"\n".join(LINES) + b"\n")
    return Path("pool.jsonl")


@pytest.fixture
def selection(pool: Path) -> Selection:
    return entropylaw.select(pool, budget=4)


ENDS = "end the name in .jsonl or .json, .csv or .tsv (each also with .gz or .zst), .parquet or .arrow"


@pytest.mark.parametrize(
    ("name", "end"),
    [
        *((f"out.jsonl{end}", end) for end in (".bz2", ".xz", ".lz4", ".zip", ".7z", ".br", ".gzip", ".GZIP")),
        *((f"out{end}", end) for end in (".txt", ".npy", ".xlsx", ".html", ".tar", ".jsonl2", ".v2", ".5", ".BZ2")),
        ("out.csv.xz", ".xz"),
        ("out.txt.gz", ".txt"),
        ("out.tar.gz", ".tar"),
        ("data.d/out.bak", ".bak"),
    ],
)
@pytest.mark.parametrize("shards", [[], ["--shards", "2"]])
def test_unknown_endings_are_refused_before_reading(
    pool: Path, capsys: pytest.CaptureFixture[str], name: str, end: str, shards: list[str]
) -> None:
    Path("data.d").mkdir()
    assert main(["select", "no.jsonl", "-o", name, "--budget", "1", *shards]) == 2
    assert capsys.readouterr().err == f"entropylaw: {name}: records are not written as {end}; {ENDS}\n"
    with pytest.raises(EntropyLawError, match="records are not written as"):
        entropylaw.select(pool, budget=1).save(name)
    assert sorted(path.name for path in Path().iterdir()) == ["data.d", "pool.jsonl"]


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        *((name, None) for name in ("out", "out.jsonl", "out.JSONL", "out.ndjson", ".hidden", ".jsonl", "d.x/out")),
        *((name, "gzip") for name in ("out.gz", "out.jsonl.gz", "out.Jsonl.GZ", "a.b.jsonl.gz")),
        *((name, "zstd") for name in ("out.zst", "out.jsonl.zst", "out.ndjson.ZSTD")),
    ],
)
def test_lines(selection: Selection, name: str, packed: str | None) -> None:
    Path("d.x").mkdir()
    selection.save(name, sort="input")
    content = Path(name).read_bytes()
    if packed == "gzip":
        content = gzip.decompress(content)
    elif packed == "zstd":
        content = zstandard.ZstdDecompressor().decompressobj().decompress(content)
    assert content == b"".join(line + b"\n" for line in LINES)


@pytest.mark.parametrize("name", ["out.json", "out.JSON", "out.json.gz"])
@pytest.mark.parametrize("shards", [None, 1, 3, "1B", "90B", "1MB"])
def test_an_array_holds_the_records_byte_for_byte(selection: Selection, name: str, shards: int | str | None) -> None:
    found = []
    for file in selection.save(name, sort="input", shards=shards):
        content = Path(file).read_bytes()
        content = gzip.decompress(content) if name.endswith("gz") else content
        assert content.startswith(b"[\n") and content.endswith(b"\n]\n")
        records = content[2:-3].split(b",\n")
        assert len(json.loads(content)) == len(records)
        if shards == "90B":
            assert len(content) <= 90 or len(records) == 1
        found += records
    assert found == LINES


def test_an_array_reads_back(selection: Selection) -> None:
    selection.save("out.json", columns=["rank"])
    again = entropylaw.select("out.json", budget=4)
    assert sorted(again.samples()) == sorted(selection.samples())
    assert [json.loads(record)["entropylaw_rank"] for record in again.pool.records.raw(range(4))] == [1, 2, 3, 4]
    assert entropylaw.replay("out.json.manifest.json").indices.tolist() == selection.indices.tolist()
    assert main(["replay", "out.json.manifest.json", "-o", "again.json", "-q"]) == 0
    assert Path("again.json").read_bytes() == Path("out.json").read_bytes()


def test_arrays_of_scores_and_indices(selection: Selection) -> None:
    selection.save("indices.json", indices_only=True, columns=["rank"])
    rows = json.loads(Path("indices.json").read_text())
    assert [row["index"] for row in rows] == selection.indices.tolist()
    entropylaw.score("pool.jsonl").save("scores.json")
    assert [row["index"] for row in json.loads(Path("scores.json").read_text())] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["score", "no.jsonl", "-o", "s.txt.gz"], "s.txt.gz: holds one column"),
        (["score", "no.jsonl", "-o", "s.csv.xz"], "s.csv.xz: the name must end in one of .jsonl, .json, .csv, .tsv,"),
        (["score", "no.jsonl", "-o", "s.jsonl.bz2"], "s.jsonl.bz2: the name must end in one of .jsonl, .json, .csv"),
        (
            ["law", "fit", "no.csv", "-o", "law.json.gz"],
            "law.json.gz: laws are not written as .gz; end the name in .json",
        ),
        (["law", "fit", "no.csv", "-o", "law.toml"], "law.toml: laws are not written as .toml; end the name in .json"),
        (["ratio", "no.jsonl", "--report", "r.pdf"], "r.pdf: reports are HTML; end the name in .html"),
        (["ratio", "no.jsonl", "--plot", "r.pdf"], "r.pdf: figures are PNG or SVG; name one .png or .svg"),
    ],
)
def test_other_outputs(pool: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    if arguments[-2] in ("--report", "--plot"):
        pytest.importorskip("vl_convert", reason="reports are drawn by vl-convert-python")
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith(f"entropylaw: {message}")
    assert [path.name for path in Path().iterdir()] == ["pool.jsonl"]


def test_a_law_goes_to_a_name_that_it_is_read_from(tmp_path: Path) -> None:
    pytest.importorskip("scipy", reason="laws are fitted by scipy")
    law = EntropyLaw(form="R").fit([1.9, 2.2, 2.4, 2.7, 3.0], None, [6.1, 5.9, 5.9, 5.6, 5.5])
    for name in ("law", "law.json", "law.JSON"):
        law.save(tmp_path / name)
        assert EntropyLaw.load(tmp_path / name).predict(2.5).mean == law.predict(2.5).mean
    with pytest.raises(EntropyLawError, match=r"laws are not written as \.gz"):
        law.save(tmp_path / "law.gz")


def test_names_that_are_not_utf8(pool: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The manifest is JSON in UTF-8 all the same, and leads back to the file."""
    name, output = os.fsdecode(b"p\xff\xc3\xa9.jsonl"), os.fsdecode(b"o\xfe.jsonl")
    pool.rename(name)
    how: list[Any] = ["--budget", "2", "--stanza", "llamafactory", "-q"]
    assert main(["select", name, "-o", output, *how, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["output"] == [output]
    manifest = json.loads(Path(f"{output}.manifest.json").read_bytes().decode("utf-8"))
    assert os.fsencode(manifest["pool"]["files"][0]["name"]) == b"p\xff\xc3\xa9.jsonl"
    assert os.fsencode(manifest["output"]["files"][0]["name"]) == b"o\xfe.jsonl"
    stanza = json.loads(Path(f"{output}.dataset_info.json").read_bytes().decode("utf-8"))
    assert [entry["file_name"] for entry in stanza.values()] == [output]
    assert main(["replay", f"{output}.manifest.json", "-o", "again.jsonl", "-q"]) == 0
    assert Path("again.jsonl").read_bytes() == Path(output).read_bytes()
    assert "p\\udcffé.jsonl" not in capsys.readouterr().out
    assert main(["select", f"{name}x", "-o", "new", "--budget", "2"]) == 2
    assert capsys.readouterr().err == "entropylaw: p\\udcffé.jsonlx: no such file\n"
    # Its own shards are found again, too.
    assert main(["select", name, "-o", output, *how, "--shards", "2", "--force"]) == 0
    assert main(["select", name, "-o", output, *how, "--shards", "1", "--force"]) == 0
    assert sorted(path.name for path in Path().glob("o*-of-*")) == [os.fsdecode(b"o\xfe-00000-of-00001.jsonl")]


def test_the_working_directory_may_change(selection: Selection, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    selection.save("out.jsonl", sort="input")
    assert Path("out.jsonl").read_bytes() == b"".join(line + b"\n" for line in LINES)
    with pytest.raises(EntropyLawError, match=r"pool.jsonl: is a file of the pool, .*pool.jsonl; name another"):
        selection.save("../pool.jsonl", force=True)


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (["select", "", "-o", "x.jsonl", "--budget", "1"], "a file of the pool"),
        (["select", "pool.jsonl", "", "-o", "x.jsonl", "--budget", "1"], "a file of the pool"),
        (["select", "pool.jsonl", "-o", "", "--budget", "1"], "the output"),
        (["select", "pool.jsonl", "-o", "x.jsonl", "--budget", "1", "--anchor", ""], "a file of the anchor"),
        (["select", "pool.jsonl", "-o", "x.jsonl", "--budget", "1", "--target", ""], "a file of the target"),
        (["select", "pool.jsonl", "-o", "x.jsonl", "--budget", "1", "--benchmark", ""], "a file of the benchmark"),
        (["select", "pool.jsonl", "-o", "x.jsonl", "--budget", "1", "--report", ""], "the report"),
        (["select", "pool.jsonl", "-o", "x.jsonl", "--budget", "1", "--plot", ""], "the figure"),
        (["select", "pool.jsonl", "-o", "x.jsonl", "--budget", "1", "--checkpoint", ""], "the directory of the check"),
        (["select", "pool.jsonl", "-o", "x.jsonl", "--budget", "1", "--config="], "the file of options"),
        (["config", "select", "--config", ""], "the file of options"),
        (["replay", ""], "the manifest to repeat"),
        (["replay", "m.json", "-o", ""], "the output"),
        (["score", "pool.jsonl", "-o", ""], "the output"),
        (["show", ""], "a file of the pool"),
        (["ratio", ""], "a file of the pool"),
        (["compare", "pool.jsonl", ""], "a file of a version"),
        (["law", "fit", ""], "the runs"),
        (["law", "fit", "runs.csv", "-o", ""], "the output"),
        (["law", "predict", "--law", "", "--R", "3"], "the law"),
        (["law", "check", "--law", "law.json", "--data", "", "--log", "log.csv"], "a file of the data"),
        (["law", "check", "--law", "law.json", "--R", "3", "--log", ""], "a training log"),
        (["law", "loss", ""], "a training log"),
    ],
)
def test_empty_names_are_refused(
    command: list[str], what: str, pool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A variable of the shell that is not set must not stand for the working directory, nor for nothing to do."""
    assert main(command) == 2
    assert capsys.readouterr().err.startswith(f"entropylaw: the name of {what}")
    assert [path.name for path in tmp_path.iterdir()] == ["pool.jsonl"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no/out", "{}: cannot be written: there is no directory {!r}; make it, or name another"),
        ("no/such/out", "{}: cannot be written: there is no directory {!r}; make it, or name another"),
        ("gone/out", "{}: cannot be written: there is no directory {!r}; make it, or name another"),
        ("new/", "new/: is a directory; name a file in it"),
        ("there/", "there/: is a directory; name a file in it"),
        ("there", "there: is a directory; name a file in it"),
        (".", ".: is a directory; name a file in it"),
    ],
)
@pytest.mark.parametrize("command", ["select", "score", "report", "law"])
def test_directories_that_are_not_there(
    pool: Path, capsys: pytest.CaptureFixture[str], name: str, said: str, command: str
) -> None:
    if command == "report":
        pytest.importorskip("vl_convert", reason="reports are drawn by vl-convert-python")
    Path("there").mkdir()
    Path("gone").symlink_to("nowhere")
    Path("runs.csv").write_text("R,Z\n" + "".join(f"{2 + n / 5},{6 - n / 4}\n" for n in range(9)))
    ending = {"select": ".jsonl", "score": ".csv", "report": ".html", "law": ".json"}[command]
    output = name + ending if name.endswith("out") else name
    words = {
        "select": ["select", "pool.jsonl", "--budget", "1", "-o", output],
        "score": ["score", "pool.jsonl", "-o", output],
        "report": ["ratio", "pool.jsonl", "--report", output],
        "law": ["law", "fit", "runs.csv", "-o", output],
    }[command]
    assert main([*words, "-q"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("entropylaw: ") and len(message.splitlines()) == 1
    if name.endswith("out") or command == "select":
        assert message == f"entropylaw: {said.format(Path(output), str(Path(output).parent))}\n"
