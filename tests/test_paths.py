"""Which files a path, a pattern or a directory stands for, and formats that are named."""

# ruff: noqa: E501 - messages are given whole

import bz2
import gzip
import io
import json
import logging
import lzma
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.cli import main
from entropylaw.pool import load
from entropylaw.pool.lakes import check_no_table
from files import LINES, line, message, names, parquet_of, samples, saved, tree

# Directories and patterns.


def test_a_directory_says_what_it_leaves_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    files = {
        f"{n}.{ending}": line(str(n))
        for n, ending in enumerate(["jsonl", "JSONL", "jsonlines", "jl", "ndjson", "json"])
    }
    files |= {"6.jsonl.bz2": bz2.compress(line("6")), "7.JSONL.XZ": lzma.compress(line("7"))}
    out = {f"{n}.txt": line("no") for n in range(4)} | {"a.jsonl.lz4": b"\x04\x22\x4d\x18", "sub/README.md": b"# no"}
    hidden = {".git/x.jsonl": line("no"), "_temporary/x.jsonl": line("no"), "_SUCCESS": b"", "sub/.x.jsonl": line("no")}
    directory = tree(tmp_path / "d", files | out | hidden)
    pool = load(directory)
    assert samples(pool) == [str(n) for n in range(8)]
    assert names(pool, directory) == sorted(out)
    assert (
        f"{directory}: read 8 of 14 files, left out: 0.txt, 1.txt, 2.txt, 3.txt, a.jsonl.lz4 and 1 more"
        in caplog.messages
    )
    shutil.rmtree(directory)
    tree(directory, out)
    assert message(directory) == (
        f"{directory}: the directory holds no data files (.json, .jsonl, .ndjson, .jsonlines, .jl, .parquet, .pq, .arrow, "
        ".arrows, .feather, .ipc, .csv, .tsv); it holds 0.txt, 1.txt, 2.txt, 3.txt, a.jsonl.lz4 and 1 more; name files, or "
        "a pattern such as DIR/*.txt, and their format (format=, --format)"
    )
    assert samples(load(f"{directory}/*.txt")) == ["no"] * 4


def dataset(texts: list[str]) -> dict[str, bytes]:
    return {
        "data-00000-of-00001.arrow": saved(texts),
        "cache-0123456789abcdef.arrow": saved(["cached"]),
        "cache-0123456789abcdef_00000_of_00002.arrow": saved(["cached"]),
        "state.json": json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}).encode(),
        "dataset_info.json": b"{}",
    }


def test_a_saved_data_set_is_read_without_its_caches(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    directory = tree(tmp_path / "saved", dataset(["one one"]) | {"left-behind.arrow": saved(["old"])})
    expected = sorted({*dataset([]), "left-behind.arrow"} - {"data-00000-of-00001.arrow"})
    pool = load(directory)
    assert (samples(pool), names(pool, directory)) == (["one one"], expected)
    assert "read 1 of 6 files, left out: cache-0123456789abcdef.arrow" in caplog.text
    pool = load(f"{directory}/*.arrow")
    assert samples(pool) == ["one one", "old"]
    assert names(pool, directory) == [name for name in expected if name.startswith("cache")]
    assert message(f"{directory}/cache-*") == (
        f"{directory}/cache-*: no file matches, but for {directory / expected[0]}, {directory / expected[1]}; name a file "
        "itself to read it"
    )
    caplog.clear()
    assert samples(load([directory / "data-00000-of-00001.arrow", directory / expected[0]])) == ["one one", "cached"]
    assert caplog.messages[0] == (
        f"{directory / expected[0]}: by the name, not data but what a tool keeps beside it; it is read"
    )
    (directory / "data-00000-of-00001.arrow").unlink()
    assert message(directory) == f"{directory}/data-00000-of-00001.arrow: no such file, though state.json names it"


def test_what_datasets_saves(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="about data sets")
    rows = datasets.Dataset.from_list([{"text": f"text {n}"} for n in range(20)])
    rows.save_to_disk(tmp_path / "one", num_shards=3)
    again = datasets.load_from_disk(tmp_path / "one")
    again.map(lambda row: {"text": row["text"].upper()})
    again.filter(lambda row: row["text"] > "text 3")
    assert len(list((tmp_path / "one").glob("cache-*.arrow"))) >= 1
    assert samples(load(tmp_path / "one")) == [f"text {n}" for n in range(20)]
    datasets.DatasetDict(train=rows, test=rows).save_to_disk(tmp_path / "two")
    assert (
        message(tmp_path / "two")
        == f"{tmp_path}/two: holds the splits 'train', 'test'; name one of them: {tmp_path}/two/train"
    )
    assert len(load(tmp_path / "two/test")) == 20


def test_a_cache_of_the_hub(tmp_path: Path) -> None:
    hub = tree(tmp_path / "datasets--x--y", {"blobs/0a": line("one one"), "refs/main": b"abc"})
    for revision in ("abc", "def"):
        (hub / f"snapshots/{revision}").mkdir(parents=True)
        (hub / f"snapshots/{revision}/train.jsonl").symlink_to("../../blobs/0a")
        if revision == "abc":
            assert samples(load(hub)) == ["one one"]
    assert message(hub) == (
        f"{hub}: is a cache of the Hugging Face hub with 2 revisions; name one of them: {hub}/snapshots/abc, "
        f"{hub}/snapshots/def"
    )
    assert samples(load(hub / "snapshots/def")) == ["one one"]
    (hub / "blobs/0a").unlink()
    assert message(hub / "snapshots/def") == f"{hub}/snapshots/def/train.jsonl: no such file"


ICEBERG = b'{"format-version": 2, "table-uuid": "0"}'


@pytest.mark.parametrize(
    ("log", "content", "said"),
    [
        ("_delta_log/0.json", b"{}", "a Delta table, {}deltalake"),
        (".hoodie/hoodie.properties", b"", "a Hudi table, {}hudi, or Spark"),
        ("metadata/v1.metadata.json", ICEBERG, "an Iceberg table, {}pyiceberg"),
        ("metadata/00001-3f.metadata.json", ICEBERG, "an Iceberg table, {}pyiceberg"),
        ("metadata/v1.gz.metadata.json", gzip.compress(ICEBERG), "an Iceberg table, {}pyiceberg"),
    ],
)
def test_a_table_with_a_log_is_no_directory_of_files(tmp_path: Path, log: str, content: bytes, said: str) -> None:
    table = tree(tmp_path / "t", {"data/part-0.parquet": parquet_of([{"text": "old"}]), log: content})
    told = said.format("whose log says which of its files count; read it with ")
    for pool in (table, tmp_path):
        assert message(pool) == f"{table}: is {told}, and give the table"
    assert samples(load(table / "data")) == ["old"], "who names the files gets them"


@pytest.mark.parametrize(
    ("directory", "table"),
    [("metadata", "."), ("t/metadata/", "t"), ("/metadata", "/"), ("s3://b/t/metadata", "s3://b/t")],
)
def test_where_an_iceberg_table_is(directory: str, table: str) -> None:
    with pytest.raises(EntropyLawError) as error:
        check_no_table(directory, ["v1.metadata.json"], lambda _: ICEBERG)
    assert str(error.value).startswith(f"{table}: is an Iceberg table")


def test_metadata_of_other_kinds_are_no_table(tmp_path: Path) -> None:
    directory = tree(tmp_path / "d", {"metadata/a.metadata.json": line("a"), "metadata/metadata.jsonl": line("b")})
    assert samples(load(directory)) == ["a", "b"]


@pytest.mark.parametrize(
    ("files", "pool", "noted"),
    [
        (["source=web/a", "source=book/a"], "", "'source', such as 'source=book'"),
        (["source=web/a"], "", "'source', such as 'source=web'"),
        (["year=2024/lang=de/a", "year=2025/lang=fr/a"], "", "'year', 'lang', such as 'year=2024'"),
        (["source=web/a", "source=book/a"], "*/*.jsonl", "'source', such as 'source=book'"),
        (["source=web/a", "source=book/a"], "**/*.jsonl", "'source', such as 'source=book'"),
        (["source=web/a", "source=web/b"], "source=web", None),
        (["source=web/a", "source=web/b"], "source=web/*.jsonl", None),
        (["lr=0.1/a", "other/b"], "lr=0.1/*.jsonl", None),
        (["a=b", "c"], "", None),
    ],
)
def test_values_in_the_names_of_directories_are_noted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, files: list[str], pool: str, noted: str | None
) -> None:
    """They are columns where Spark, pandas or pyarrow has written a table, and no file has them."""
    tree(tmp_path, {f"{file}.jsonl": line(file) for file in files})
    load(tmp_path / pool)
    told = [said for said in caplog.messages if "has directories for the values of" in said]
    assert told == ([] if noted is None else [told[0]])
    if noted is not None:
        assert told[0].startswith(f"{tmp_path / pool}: has directories for the values of {noted}; ")


def test_values_in_the_names_of_files_given_one_by_one_are_noted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tree(tmp_path, {f"source={source}/a.jsonl": line(source) for source in ("web", "book")})
    load([tmp_path / "source=web/a.jsonl", tmp_path / "source=book/a.jsonl"])
    assert caplog.messages[0].startswith(
        "the pool: has directories for the values of 'source', such as 'source=book'; "
    )


@pytest.mark.parametrize("ending", ["parquet", "arrow", "csv", "jsonl"])
def test_what_is_advised_has_the_values_of_directories(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, ending: str
) -> None:
    pytest.importorskip("pyarrow.dataset", reason="about data sets of pyarrow")
    directory = tmp_path / "t"
    for source in ("web", "book", "code"):
        path = tree(directory / f"source={source}", {"a.jsonl": line(f"from {source}") * 2}) / "a.jsonl"
        if ending != "jsonl":
            entropylaw.select(path, budget=2, method="random").save(tmp_path / f"{source}.{ending}")
            path.unlink()
            (tmp_path / f"{source}.{ending}").rename(path.with_suffix(f".{ending}"))
    load(directory)
    (advised,) = re.findall(r"give (pyarrow\.dataset\.dataset\(.*\)) in Python$", caplog.messages[0])
    pool = eval(advised, {"pyarrow": sys.modules["pyarrow"], "DIR": directory})
    selection = entropylaw.select(pool, budget=3, method="random", balance=0)
    assert sorted(record["source"] for record in selection) == ["book", "code", "web"]


def test_links_are_followed_and_each_directory_is_read_once(tmp_path: Path) -> None:
    tree(tmp_path, {"far/b.jsonl": line("b"), "d/a.jsonl": line("a"), "d/sub/c.jsonl": line("c")})
    directory = tmp_path / "d"
    (directory / "linked").symlink_to(tmp_path / "far")
    (directory / "linked-again").symlink_to(tmp_path / "far")
    (directory / "loop").symlink_to(directory)
    (directory / "sub/up").symlink_to(directory)
    # A file is its name: two links to one file are two files.
    (directory / "z.jsonl").symlink_to(directory / "a.jsonl")
    assert samples(load(directory)) == ["a", "b", "c", "a"]
    assert samples(load(f"{directory}/**/*.jsonl")) == ["a", "b", "c", "a"]
    (directory / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    for pool in (directory, f"{directory}/**/*.jsonl"):
        assert message(pool) == f"{directory}/gone.jsonl: no such file"


def test_patterns_say_what_they_leave_out(tmp_path: Path) -> None:
    directory = tree(tmp_path, {"a.jsonl": line("a"), "sub/b.jsonl": line("b"), "a.jsonl.manifest.json": b"{}"})
    os.mkfifo(directory / "pipe")
    pool = load(f"{directory}/*")
    assert (samples(pool), names(pool, directory)) == (["a"], ["a.jsonl.manifest.json", "pipe", "sub"])
    assert message(f"{directory}/*.csv") == f"{directory}/*.csv: no file matches"


def test_a_directory_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tree(tmp_path, {"a.jsonl": line("a"), "sub/b.jsonl": line("b")})
    scan = os.scandir

    def forbidden(path: str) -> Any:
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", forbidden)
    for pool in (directory, f"{directory}/**/*.jsonl"):
        assert message(pool) == f"{directory}/sub: cannot be read: Permission denied"


def test_held_out_splits_are_noted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    directory = tree(
        tmp_path, {"data/train-00000-of-00001.jsonl": line("a"), "data/test-00000-of-00001.jsonl": line("b")}
    )
    assert len(load(directory)) == 2
    assert caplog.messages == [
        f"{directory}: holds files named train and test, and all are read; name those that you want"
    ]


# Formats that are named.


def test_a_format_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "pool.txt"
    for kind, content in (
        ("csv", b"text,n\na,1\n"),
        ("tsv", b"text\tn\na\t1\n"),
        ("json", line("a")),
        ("parquet", parquet_of([{"text": "a"}])),
        ("arrow", saved(["a"])),
    ):
        path.write_bytes(content)
        pool = load(path, format=kind)
        assert (samples(pool), pool.options["format"]) == (["a"], kind)
    path.write_bytes(b"text,n\na,1\n")
    assert entropylaw.ratio(path, format="csv").samples == 1
    assert len(entropylaw.score(path, format="csv")) == 1
    assert len(entropylaw.compare(path, path, format="csv").versions) == 2
    assert load([str(path)], format="csv").options["format"] == "csv"
    assert message(path, format="parquet") == f"{path}: is not a file of Parquet: it begins with b'text,n'"
    path.write_bytes(parquet_of([{"text": "a"}]))
    assert message(path, format="csv") == f"{path}: is Parquet, not CSV; leave out the format (format=, --format)"
    assert (
        message(path, format="xml") == "there is no format 'xml'; there are 'json', 'csv', 'tsv', 'parquet' and 'arrow'"
    )
    with pytest.raises(EntropyLawError, match="a format is that of files, and the pool is none; leave it out"):
        load([{"text": "a"}], format="json")


def test_a_format_picks_the_files_of_a_directory(tmp_path: Path) -> None:
    directory = tree(tmp_path, {"a.jsonl": line("a"), "b.csv": b"text\nb\n", "c": line("c")})
    assert message(directory) == (
        f"{directory}: the directory holds files of several formats: 1 of json and 1 of csv; name some: "
        f"{directory}/*.jsonl, or the format (format=, --format)"
    )
    pool = load(directory, format="csv")
    assert (samples(pool), names(pool, directory)) == (["b"], ["a.jsonl", "c"])


def test_the_format_of_a_selection_is_in_its_manifest(tmp_path: Path) -> None:
    rows = b"text,n\n" + b"".join(f"record {n} {'ab' * n},{n}\n".encode() for n in range(40))
    pool = tree(tmp_path, {"pool.data": rows, "have.jsonl": line("record 3 ababab")}) / "pool.data"
    out = tmp_path / "out.jsonl"
    anchor = tmp_path / "have.jsonl"
    selection = entropylaw.select(pool, budget=9, format="csv", anchor=str(anchor))
    assert 3 not in selection.indices
    selection.save(out)
    manifest = tmp_path / "out.jsonl.manifest.json"
    assert json.loads(manifest.read_text())["parameters"]["format"] == "csv"
    assert np.array_equal(entropylaw.replay(manifest).indices, selection.indices)
    moved = tmp_path / "moved.jsonl"
    moved.write_bytes(b"".join(line(f"record {n} {'ab' * n}") for n in range(40)))
    pool.unlink()
    assert np.array_equal(entropylaw.replay(manifest, pool=moved).indices, selection.indices)


COMMAND = [sys.executable, "-m", "entropylaw"]


@pytest.mark.parametrize(
    ("options", "content"),
    [
        (["--format", "csv"], lambda: b"text,n\none one,1\ntwo two,2\n"),
        (["--format", "csv"], lambda: gzip.compress(b"text,n\none one,1\ntwo two,2\n")),
        (["--format", "tsv"], lambda: b"text\tn\none one\t1\ntwo two\t2\n"),
        ([], lambda: parquet_of([{"text": "one one"}, {"text": "two two"}])),
        (["--format", "parquet"], lambda: parquet_of([{"text": "one one"}, {"text": "two two"}])),
        ([], lambda: saved(["one one", "two two"])),
        ([], lambda: bz2.compress(LINES)),
    ],
)
def test_every_format_on_standard_input(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    content: Callable[[], bytes],
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content())))
    out = tmp_path / "out.jsonl"
    assert main(["select", "-", "-o", str(out), "--budget", "100%", "--sort", "input", "-q", *options]) == 0
    assert [json.loads(row)["text"] for row in out.read_bytes().splitlines()] == ["one one", "two two"]


def test_standard_input_that_cannot_seek(tmp_path: Path) -> None:
    content = parquet_of([{"text": f"record {n}"} for n in range(300)])
    made = subprocess.run([*COMMAND, "ratio", "-", "--json", "-q"], input=content, capture_output=True, check=True)
    measured = json.loads(made.stdout)
    expected = entropylaw.ratio([f"record {n}" for n in range(300)])
    assert (measured["samples"], measured["compressed_bytes"]) == (300, expected.compressed_bytes)


def test_standard_input_twice(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ratio", "-", "-", "-q"]) == 2
    assert capsys.readouterr().err == "entropylaw: standard input (-) is named twice, and can be read only once\n"


# Files that are named twice.


def test_a_file_that_is_read_twice_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pool = tmp_path / "pool.jsonl"
    pool.write_bytes(LINES)
    (tmp_path / "soft.jsonl").symlink_to(pool)
    (tmp_path / "hard.jsonl").hardlink_to(pool)
    (tmp_path / "copy.jsonl").write_bytes(LINES)
    twice = "is read twice: each of its records counts twice"
    for paths, said in (
        ([pool, pool], [f"{pool} {twice}"]),
        ([pool, tmp_path / "soft.jsonl"], [f"{tmp_path / 'soft.jsonl'} is the file {pool}, and {twice}"]),
        ([tmp_path / "hard.jsonl", pool], [f"{pool} is the file {tmp_path / 'hard.jsonl'}, and {twice}"]),
        ([pool, f"{tmp_path}/p*.jsonl"], [f"{pool} {twice}"]),
        ([pool, tmp_path / "copy.jsonl"], []),
    ):
        caplog.clear()
        load(paths, paths=True)
        assert [text for text in caplog.messages if "twice" in text] == said


@pytest.mark.parametrize("command", ["select", "score", "ratio", "compare", "show"])
def test_a_command_says_once_what_it_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    """Though it asks for the files twice: before it reads, whether it would write to one of them."""
    directory = tree(tmp_path / "d", {"train.jsonl": LINES, "test.jsonl": LINES, "notes.md": b"#"})
    words = [command, str(directory)] + ([str(directory / "train.jsonl")] if command == "compare" else [])
    if command in ("select", "score"):
        words += ["-o", str(tmp_path / "out.csv")] + (["--budget", "1"] if command == "select" else [])
    assert main(words) == 0
    said = [part for part in capsys.readouterr().err.splitlines() if str(directory) in part]
    assert said == [
        f"entropylaw: {directory}: holds files named train and test, and all are read; name those that you want",
        f"entropylaw: {directory}: read 2 of 3 files, left out: notes.md",
    ]


# Paths that lead nowhere.


LONG = "a" * 300


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["select", LONG, "-o", "out.jsonl", "--budget", "2"], f"{LONG}: cannot be read: File name too long"),
        (["select", f"{LONG}*", "-o", "out.jsonl", "--budget", "2"], f"{LONG}*: no file matches"),
        (["ratio", LONG], f"{LONG}: cannot be read: File name too long"),
        (["ratio", "loop"], "loop: cannot be read: Too many levels of symbolic links"),
        (["ratio", "d/loop.jsonl"], "d/loop.jsonl: cannot be read: Too many levels of symbolic links"),
        (["ratio", "d"], "d/loop.jsonl: cannot be read: Too many levels of symbolic links"),
        (["ratio", "d/**/l*.jsonl"], "d/loop.jsonl: cannot be read: Too many levels of symbolic links"),
        (["ratio", "pool.jsonl/x"], "pool.jsonl/x: cannot be read: Not a directory"),
        (
            ["select", "pool.jsonl", "-o", "out.jsonl", "--budget", "2", "--anchor", LONG],
            f"{LONG}: cannot be read: File name too long",
        ),
        (
            ["select", "pool.jsonl", "-o", "out.jsonl", "--budget", "2 tokens", "--tokens", f"{LONG}.json"],
            f"pool.jsonl:1: the record has no field '{LONG}.json': found the keys 'text'; there is no file of that name either; name one of both",
        ),
        (["compare", "pool.jsonl", "loop"], "loop: cannot be read: Too many levels of symbolic links"),
        (["show", LONG], f"{LONG}: cannot be read: File name too long"),
        (["law", "fit", LONG, "-o", "law.json"], f"path is '{'a' * 59}...; no file can have this name"),
    ],
)
def test_why_a_path_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    """Whatever asks first whether it is a file or a directory, opening it says why not."""
    monkeypatch.chdir(tree(tmp_path / "here", {"pool.jsonl": LINES, "d/a.jsonl": LINES}))
    Path("loop").symlink_to("loop")
    Path("d/loop.jsonl").symlink_to("loop.jsonl")
    Path("d/loop").symlink_to("loop")
    assert main(words) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"entropylaw: {said}"
