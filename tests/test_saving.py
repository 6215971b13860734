"""What a selection writes: records byte for byte, whole sets of files, manifests that repeat the run."""

import csv
import gzip
import hashlib
import importlib.util
import io
import json
import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.cli import main
from entropylaw.output import Outputs, replacing
from entropylaw.results import Selection
from entropylaw.runs.manifest import Manifest
from entropylaw.saving.members import with_members


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 records, written in the ways that JSON allows."""
    path = tmp_path_factory.mktemp("pool") / "pool.jsonl"
    text = Path(__file__).with_name("oracle.py").read_text()
    lines = []
    for n in range(60):
        record = {"text": text[n * 60 : n * 60 + 20 * (1 + n % 9)] + "\u2028 é", "n": n, "source": f"s{n % 3}"}
        line = json.dumps(record, ensure_ascii=n % 2 == 0)
        lines.append([line, f" {line} ", line[:-1] + "  }", f"{line}\r", line.replace(", ", ",")][n % 5])
    path.write_text("\n".join(lines), encoding="utf-8", newline="\n")
    return path


@pytest.fixture(scope="module")
def selection(pool: Path) -> Selection:
    return entropylaw.select(pool, budget=25, k1=40, k2=20, k3=10)


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\n")[:-1]


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_order(pool: Path, selection: Selection, tmp_path: Path) -> None:
    stored = pool.read_bytes().split(b"\n")
    selection.save(tmp_path / "picks.jsonl")
    assert lines_of(tmp_path / "picks.jsonl") == [stored[index] for index in selection.indices]
    selection.save(tmp_path / "input.jsonl", sort="input")
    assert lines_of(tmp_path / "input.jsonl") == [stored[index] for index in sorted(selection.indices)]


@pytest.mark.parametrize(("shards", "sizes"), [(1, [25]), (2, [13, 12]), ("7", [4, 4, 4, 4, 3, 3, 3]), (25, [1] * 25)])
def test_shards_by_number(selection: Selection, tmp_path: Path, shards: int | str, sizes: list[int]) -> None:
    written = selection.save(tmp_path / "sub.set.jsonl", shards=shards)
    assert written == [str(tmp_path / f"sub.set-{n:05}-of-{len(sizes):05}.jsonl") for n in range(len(sizes))]
    parts = [lines_of(Path(path)) for path in written]
    assert [len(part) for part in parts] == sizes
    assert [line for part in parts for line in part] == list(selection.records())
    others = ["sub.set.jsonl.manifest.json", "sub.set.jsonl.picks.npz"]
    assert names(tmp_path) == sorted([Path(path).name for path in written] + others)


@pytest.mark.parametrize("size", [1, 300, 700, 10_000_000])
def test_shards_by_size(selection: Selection, tmp_path: Path, size: int) -> None:
    written = selection.save(tmp_path / "out.jsonl.gz", shards=f"{size}B")
    assert written[-1].endswith(f"out-{len(written) - 1:05}-of-{len(written):05}.jsonl.gz")
    parts = [gzip.decompress(Path(path).read_bytes()) for path in written]
    assert b"".join(parts) == b"".join(record + b"\n" for record in selection.records())
    for part, following in pairwise(parts):
        assert len(part) <= size or part.count(b"\n") == 1
        assert len(part) + following.index(b"\n") + 1 > size, "no shard is smaller than it has to be"


def test_a_name_without_an_ending_is_sharded_too(selection: Selection, tmp_path: Path) -> None:
    assert selection.save(tmp_path / "out", shards=1) == [str(tmp_path / "out-00000-of-00001")]
    assert selection.save(tmp_path / ".hidden", shards=1) == [str(tmp_path / ".hidden-00000-of-00001")]


def test_columns(pool: Path, tmp_path: Path) -> None:
    selection = entropylaw.select(pool, budget="2KB", method="coverage")
    stored = pool.read_bytes().split(b"\n")
    selection.save(tmp_path / "out.jsonl", columns=["rank", "gain", "ratio", "weight"], sort="input")
    order = np.argsort(selection.indices)
    assert len(order) > 5
    for rank, line in zip(order, lines_of(tmp_path / "out.jsonl"), strict=True):
        before = stored[selection.indices[rank]]
        record = json.loads(line)
        raw = selection.pool.sample(int(selection.indices[rank]))
        assert record.pop("entropylaw_rank") == rank + 1
        assert record.pop("entropylaw_gain") == selection.gains[rank]
        assert record.pop("entropylaw_ratio") == entropylaw.ratio([raw]).ratio
        assert record.pop("entropylaw_weight") == selection.sample_weights[rank]
        assert record == json.loads(before)
        assert line.startswith(before.rstrip()[:-1])


@pytest.mark.parametrize(
    ("how", "own"),
    [
        ({"method": "coverage"}, True),
        ({"method": "zip"}, True),
        ({"method": "top", "weight": list(range(60))}, True),
        ({"method": "zipfit", "target": ["record 3"]}, True),
        ({"method": "dsir", "target": ["record 3"]}, False),
        ({"method": "density"}, False),
        ({"method": "random"}, False),
    ],
)
def test_weights_for_the_loss_are_gains_of_mean_1(how: Any, own: bool) -> None:
    texts = [f"record {n} of {'a pool ' * (n % 5)}that holds {n * n}" for n in range(60)]
    selection = entropylaw.select(texts, budget=20, **how)
    weights = selection.sample_weights
    assert weights.shape == (20,) and weights.mean() == pytest.approx(1)
    assert len(np.unique(weights)) > 1 if own else (weights == 1).all()
    if own:
        gains = np.maximum(selection.gains, 0)
        assert weights.tolist() == pytest.approx((gains / gains.mean()).tolist())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON, max_size=4), st.sampled_from(["", " ", "\r", "\t\n"]), st.booleans())
def test_members_leave_the_rest_alone(record: dict[str, Any], space: str, plain: bool) -> None:
    before = f"{space}{json.dumps(record, ensure_ascii=plain)}{space}".encode(errors="replace")
    after = with_members(before, {"entropylaw_rank": 3, "entropylaw_gain": 0.1}, "here")
    assert after.startswith(before.rstrip()[:-1])
    read = json.loads(after)
    assert (read.pop("entropylaw_rank"), read.pop("entropylaw_gain")) == (3, 0.1)
    assert str(read) == str(json.loads(before))


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (b'{"a": 1, "entropylaw_rank": null}', "pool:7: the record has a member 'entropylaw_rank' already"),
        (rb'{"entropylaw\u005frank": NaN}', "pool:7: the record has a member 'entropylaw_rank' already"),
        (b'"text}"', "pool:7: the record is not an object"),
        (b"[{}]", "pool:7: the record is not an object"),
    ],
)
def test_members_do_not_clash(record: bytes, message: str) -> None:
    with pytest.raises(EntropyLawError, match=message):
        with_members(record, {"entropylaw_rank": 1}, "pool:7")


def test_a_clash_leaves_nothing(tmp_path: Path) -> None:
    selection = entropylaw.select([{"text": "a"}, {"text": "b", "entropylaw_gain": 1}], budget=2)
    with pytest.raises(EntropyLawError, match="record 1: the record has a member 'entropylaw_gain'"):
        selection.save(tmp_path / "out.jsonl", shards=2, columns=["gain"])
    assert names(tmp_path) == []


def test_gains_of_zip_are_what_the_compressed_selection_grew_by(pool: Path) -> None:
    for preset in ("paper", "reference"):
        selection = entropylaw.select(pool, budget=12, preset=preset, k1=40, k2=20, k3=10)
        assert selection.gains.tolist() == np.rint(selection.gains).tolist()
        samples = [selection.pool.sample(index) for index in selection.indices.tolist()]
        whole = b"".join(samples) if preset == "paper" else b"[" + b", ".join(samples) + b"]"
        sizer = entropylaw.Sizer()
        assert selection.gains.sum() == sizer.probe([whole])[0]
        assert selection.gains.min() > 0


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Selection]:
    """A table of 9,000 rows in Parquet, and a selection of it: more than one batch."""
    pa = pytest.importorskip("pyarrow", reason="tables need pyarrow")
    import pyarrow.parquet as pq

    rows = pa.table(
        {
            "text": [f"row {n} of {n * n % 977} {'x' * (n % 40)}" for n in range(9000)],
            "tags": [[n, None] if n % 3 else None for n in range(9000)],
            "kind": pa.array([f"k{n % 5}" for n in range(9000)]).dictionary_encode(),
        }
    )
    path = tmp_path_factory.mktemp("table") / "pool.parquet"
    pq.write_table(rows, path, row_group_size=2000)
    return rows, entropylaw.select(path, budget=8000, method="coverage")


@pytest.mark.parametrize("sort", ["pick", "input"])
@pytest.mark.parametrize("shards", [None, 3, "100KB", "1B"])
@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_rows_of_tables(
    table: tuple[Any, Selection], tmp_path: Path, sort: Any, shards: int | str | None, suffix: str
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows, selection = table
    if shards == "1B":
        selection = entropylaw.select(rows.slice(0, 50), budget=20, method="coverage")
        rows = rows.slice(0, 50)
    written = selection.save(tmp_path / f"out.{suffix}", sort=sort, shards=shards, columns=["rank"])
    read = [pq.read_table(path) if suffix == "parquet" else pa.ipc.open_file(path).read_all() for path in written]
    order = np.argsort(selection.indices) if sort == "input" else np.arange(len(selection))
    expected = rows.take(pa.array(selection.indices[order])).append_column("entropylaw_rank", pa.array(order + 1))
    found = pa.concat_tables(read)
    assert found.schema == expected.schema
    assert found.to_pylist() == expected.to_pylist()
    sizes = [part.num_rows for part in read]
    if shards == "100KB":
        assert len(sizes) > 5
        assert all(50_000 < part.nbytes < 150_000 for part in read[:-1])
    else:
        assert sizes == {None: [8000], 3: [2667, 2667, 2666], "1B": [1] * 20}[shards]


def test_tables_that_do_not_fit(table: tuple[Any, Selection], tmp_path: Path) -> None:
    rows, selection = table
    with pytest.raises(EntropyLawError, match=r"column 'tags' is list.*, which CSV can't hold"):
        selection.save(tmp_path / "out.csv")
    clash = entropylaw.select(rows.slice(0, 9).rename_columns(["text", "entropylaw_gain", "kind"]), budget=2)
    with pytest.raises(EntropyLawError, match="the records have a column 'entropylaw_gain' already"):
        clash.save(tmp_path / "out.parquet", columns=["gain"])
    assert names(tmp_path) == []


def test_records_of_json_as_a_table(selection: Selection, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="tables need pyarrow")
    import pyarrow.parquet as pq

    selection.save(tmp_path / "out.parquet", columns=["gain"], shards=1)
    found = pq.read_table(tmp_path / "out-00000-of-00001.parquet").to_pylist()
    assert [row.pop("entropylaw_gain") for row in found] == selection.gains.tolist()
    assert found == [json.loads(record) for record in selection.records()]
    selection.save(tmp_path / "out.csv.gz")
    rows = list(
        csv.DictReader(io.StringIO(gzip.decompress((tmp_path / "out.csv.gz").read_bytes()).decode(), newline=""))
    )
    assert rows == [{key: str(value) for key, value in row.items()} for row in found]


@pytest.mark.parametrize("suffix", [".txt", ".npy", ".jsonl", ".csv", ".tsv.gz", ".parquet", ".arrow"])
def test_indices_only(selection: Selection, tmp_path: Path, suffix: str) -> None:
    if suffix in (".parquet", ".arrow"):
        pytest.importorskip("pyarrow", reason="tables need pyarrow")
    path = tmp_path / f"picks{suffix}"
    columns = [] if suffix in (".txt", ".npy") else ["rank", "gain"]
    selection.save(path, indices_only=True, columns=columns, sort="input")
    order = np.argsort(selection.indices)
    wanted = selection.indices[order].tolist()
    table: dict[str, Any]
    if suffix == ".npy":
        table = {"index": np.load(path).tolist()}
    elif suffix == ".txt":
        table = {"index": [int(line) for line in path.read_text().split()]}
    elif suffix == ".jsonl":
        rows = [json.loads(line) for line in lines_of(path)]
        table = {name: [row[name] for row in rows] for name in rows[0]}
    elif suffix in (".csv", ".tsv.gz"):
        content = gzip.decompress(path.read_bytes()).decode() if suffix == ".tsv.gz" else path.read_text()
        header, *lines = content.splitlines()
        cells = [line.split("\t" if ".tsv" in suffix else ",") for line in lines]
        table = {
            name: [float(cell[at]) for cell in cells] for at, name in enumerate(header.replace("\t", ",").split(","))
        }
    else:
        pa = pytest.importorskip("pyarrow", reason="Parquet and Arrow are optional")
        if suffix == ".parquet":
            import pyarrow.parquet as pq

            table = pq.read_table(path).to_pydict()
        else:
            with pa.ipc.open_file(path) as reader:
                table = reader.read_all().to_pydict()
    assert table["index"] == wanted
    if columns:
        assert table["entropylaw_rank"] == (order + 1).tolist()
        assert table["entropylaw_gain"] == selection.gains[order].tolist()
    assert entropylaw.replay(f"{path}.manifest.json").indices.tolist() == selection.indices.tolist()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("out.jsonl", {"sort": "size"}, "sort is 'size'"),
        ("out.jsonl", {"shards": 0}, "shards is 0"),
        ("out.jsonl", {"shards": "10%"}, "shards is '10%'"),
        ("out.jsonl", {"shards": "few"}, "shards is 'few'"),
        ("out.jsonl", {"shards": 26}, "26 shards are more than the 25 records"),
        ("out.jsonl", {"columns": ["rank", "loss"]}, "column 'loss' is not one"),
        ("out.jsonl", {"columns": ["rank", "rank"]}, "column 'rank' is given twice"),
        ("out.parquet.zst", {}, "out.parquet.zst: parquet files are compressed inside"),
        ("out.bin", {"indices_only": True}, "out.bin: the name must end in one of .txt, .npy, .jsonl"),
        ("out.npy", {"indices_only": True, "columns": ["rank"]}, "out.npy: holds one column"),
        ("out.parquet.gz", {"indices_only": True}, "out.parquet.gz: parquet files are compressed inside"),
        ("out.txt", {"indices_only": True, "shards": 2}, "give no shards with indices only"),
    ],
)
def test_options_that_do_not_fit(
    selection: Selection, tmp_path: Path, name: str, options: dict[str, Any], message: str
) -> None:
    if ".parquet" in name:
        pytest.importorskip("pyarrow", reason="tables need pyarrow")
    with pytest.raises(EntropyLawError, match=message):
        selection.save(tmp_path / name, **options)
    assert names(tmp_path) == []


def test_shards_of_two_sets_never_stand_side_by_side(selection: Selection, tmp_path: Path) -> None:
    selection.save(tmp_path / "out.jsonl", shards=3)
    (tmp_path / "out-other-of-00003.jsonl").write_text("not ours")
    with pytest.raises(EntropyLawError, match=r"out-00000-of-00003.jsonl: the file exists; .* --force"):
        selection.save(tmp_path / "out.jsonl", shards=2)
    selection.save(tmp_path / "out.jsonl", shards=2, force=True)
    assert names(tmp_path) == [
        "out-00000-of-00002.jsonl",
        "out-00001-of-00002.jsonl",
        "out-other-of-00003.jsonl",
        "out.jsonl.manifest.json",
        "out.jsonl.picks.npz",
    ]


@pytest.mark.parametrize("failing", range(5))
def test_a_set_appears_whole_or_not_at_all(
    selection: Selection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    """The rename that fails may be that of any file: three shards, the picks, the manifest."""
    renamed = 0
    replace = Path.replace

    def fails(self: Path, target: Path) -> Path:
        nonlocal renamed
        renamed += 1
        if renamed == failing + 1:
            raise OSError(5, "Input/output error")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(EntropyLawError, match="cannot be written: Input/output error"):
        selection.save(tmp_path / "out.jsonl", shards=3)
    assert names(tmp_path) == []


def test_the_manifest_is_renamed_last_and_removed_first(
    selection: Selection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    selection.save(tmp_path / "out.jsonl")
    manifest, seen = tmp_path / "out.jsonl.manifest.json", []
    replace = Path.replace

    def watched(self: Path, target: Path) -> Path:
        seen.append((target.name, manifest.exists()))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    selection.save(tmp_path / "out.jsonl", force=True)
    assert seen == [("out.jsonl", False), ("out.jsonl.picks.npz", False), ("out.jsonl.manifest.json", False)]


def test_outputs_that_fail_while_written_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Outputs() as outputs:
        with outputs.file(tmp_path / "one") as file:
            file.write(b"whole")
        with outputs.file(tmp_path / "two") as file:
            file.write(b"half")
            raise KeyboardInterrupt
    assert names(tmp_path) == []


SAVING = """
import entropylaw
selection = entropylaw.select([{"text": str(n), "rest": "a" * 2000} for n in range(300)], budget=300)
shards = 2
while True:
    shards = 5 - shards
    selection.save("out.jsonl", shards=shards, columns=["rank"], force=True)
    print("saved", flush=True)
"""


def test_killed_at_any_moment_a_manifest_stands_for_a_whole_output(tmp_path: Path) -> None:
    """Sets of two and of three shards replace each other until the process is killed outright.

    If it is killed in the moment between two manifests, what is there is moved away, as the next run asks for.
    """
    whole = 0
    for moment in range(8):
        process = subprocess.Popen([sys.executable, "-c", SAVING], cwd=tmp_path, stdout=subprocess.PIPE)
        assert process.stdout is not None
        for _ in range(1 + moment % 3):
            process.stdout.readline()
        time.sleep(0.0031 * moment)
        process.kill()
        process.communicate()
        for shard in tmp_path.glob("out-*"):
            lines = shard.read_bytes().splitlines(keepends=True)
            assert len(lines) in (100, 150) and all(line.endswith(b"}\n") for line in lines), "half a file"
        manifest = tmp_path / "out.jsonl.manifest.json"
        if manifest.exists():  # It is gone between two sets.
            whole += 1
            content = json.loads(manifest.read_bytes())
            files = content["output"]["files"]
            assert sorted(file["name"] for file in files) == sorted(path.name for path in tmp_path.glob("out-*"))
            for file in [*files, content["picks"]]:
                assert hashlib.sha256((tmp_path / file["name"]).read_bytes()).hexdigest() == file["sha256"]
        else:
            for shard in tmp_path.glob("out-*"):
                shard.unlink()
    assert whole


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize("how", [{}, {"shards": 2}, {"indices_only": True}, {"stanza": "axolotl"}, {"linked": True}])
def test_what_replaces_a_file_can_be_read_by_no_more_people(
    selection: Selection, tmp_path: Path, how: dict[str, Any]
) -> None:
    options = {name: value for name, value in how.items() if name != "linked"}
    path = tmp_path / "there" / "out.jsonl"
    path.parent.mkdir()
    selection.save(path, **options)
    if "linked" in how:
        (tmp_path / "link.jsonl").symlink_to(path)
        selection.save(tmp_path / "link.jsonl", force=True)
    modes = {}
    for number, file in enumerate(sorted(path.parent.iterdir())):
        assert file.stat().st_mode & 0o777 == 0o666 & ~umask()
        modes[file] = (0o600, 0o640, 0o660, 0o604)[number % 4]
        file.chmod(modes[file])
    selection.save(tmp_path / "link.jsonl" if "linked" in how else path, force=True, **options)
    if "linked" in how:
        modes = {path: modes[path]}
    assert {file: file.stat().st_mode & 0o777 for file in modes} == modes


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_so_it_is_with_scores(pool: Path, tmp_path: Path) -> None:
    scores = tmp_path / "scores.csv"
    for force in ([], ["--force"]):
        assert main(["score", str(pool), "-o", str(scores), "-q", *force]) == 0
        assert scores.stat().st_mode & 0o777 == (0o600 if force else 0o666 & ~umask())
        scores.chmod(0o600)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_until_it_has_its_place_a_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("old")
    path.chmod(0o604)
    with replacing(path, True) as file:
        file.write(b"new")
        (staged,) = tmp_path.glob(".out.txt.*")
        assert staged.stat().st_mode & 0o777 == 0o600
    with Outputs() as outputs:
        with outputs.file(path) as file:
            file.write(b"newer")
        assert {other.stat().st_mode & 0o777 for other in tmp_path.glob(".out.txt.*")} == {0o600}
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("newer", 0o604)


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_equal_selections_make_equal_files(pool: Path, tmp_path: Path) -> None:
    contents = []
    for directory, threads in (("one", 1), ("two", 2)):
        (tmp_path / directory).mkdir()
        selection = entropylaw.select(pool, budget="1KB", method="coverage", threads=threads)
        selection.save(tmp_path / directory / "out.jsonl", shards=2, columns=["gain"])
        contents.append({path.name: path.read_bytes() for path in (tmp_path / directory).iterdir()})
    assert contents[0] == contents[1]
    assert len(contents[0]) == 4


def test_manifests_stay_short(tmp_path: Path) -> None:
    records = [{"text": f"text {n}", "source": f"source {n}"} for n in range(5000)]
    how: Any = {"method": "coverage", "anchor": list(range(900)), "quota": "*<=1"}
    entropylaw.select(records, budget=4000, **how).save(tmp_path / "out.jsonl")
    manifest = tmp_path / "out.jsonl.manifest.json"
    content = json.loads(manifest.read_text())
    assert manifest.stat().st_size < 250_000
    anchor = content["parameters"]["anchor"]
    assert (anchor["type"], anchor["dtype"], anchor["length"]) == ("array", "<i8", 900)
    assert len(content["pool"]["sources"]) == 1000
    assert content["pool"]["other_sources"] == content["other_quotas"] == 4000
    assert content["quotas"].popitem()[1] == {"least": 0, "most": 1, "selected": 1}
    read = Manifest.read(manifest)
    assert read.keywords()["anchor"].tolist() == list(range(900))
    assert entropylaw.replay(manifest, pool=records).indices.tolist() == read.arrays["indices"].tolist()


def test_the_pool_is_not_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pool = tmp_path / "pool.jsonl"
    pool.write_text('{"text": "a"}\n{"text": "b"}\n')
    assert main(["select", str(pool), "-o", str(pool), "--budget", "1", "--force"]) == 2
    assert "pool.jsonl: is a file of the pool; name another" in capsys.readouterr().err
    with pytest.raises(EntropyLawError, match="is a file of the pool"):
        entropylaw.select(pool, budget=1).save(tmp_path / "." / "pool.jsonl", force=True)
    assert pool.read_text().count("\n") == 2


def test_sources_that_utf8_cannot_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pool = tmp_path / "pool.jsonl"
    pool.write_text('{"text": "a", "source": "\\ud83d"}\n{"text": "a b", "source": "\\u0000\\u001b[2J"}\n')
    arguments = ["select", str(pool), "-o", str(tmp_path / "out.jsonl"), "--budget", "100%", "-q"]
    assert main(arguments) == 0
    assert "\x1b" not in capsys.readouterr().out
    assert main([*arguments, "--force", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["selection"]["sources"]["\ud83d"] == 1
    assert "\\ud83d" in (tmp_path / "out.jsonl.manifest.json").read_text()
    tables = ("scores.parquet",) if importlib.util.find_spec("pyarrow") else ()
    for output in ("scores.csv", "scores.jsonl", *tables):
        assert main(["score", str(pool), "-o", str(tmp_path / output), "-q"]) == 0


def test_command(pool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "out.jsonl"
    arguments = ["select", str(pool), "-o", str(output), "--budget", "20", "--shards", "2", "--sort", "input"]
    assert main([*arguments, "--add-columns", "rank, ratio", "-q"]) == 0
    said = capsys.readouterr().out
    assert (
        f"written   {tmp_path}/out-00000-of-00002.jsonl and 1 more, {output}.picks.npz, {output}.manifest.json" in said
    )
    first = json.loads((tmp_path / "out-00000-of-00002.jsonl").read_text().splitlines()[0])
    assert first.keys() >= {"entropylaw_rank", "entropylaw_ratio"}
    output.with_name("out-00000-of-00002.jsonl").unlink()
    assert main(arguments) == 2, "the other shard is there still"
