"""Pools, outputs and manifests in storage: as if they were files, and with whatever fails there."""

import gzip
import json
import logging
import pickle
import re
import shlex
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fsspec", reason="URLs are read by fsspec, the extra entropylaw[storage]")
pa = pytest.importorskip("pyarrow", reason="some of the objects are tables, which need pyarrow")
import fsspec  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

import entropylaw  # noqa: E402
import faulty_storage  # noqa: E402
from conftest import ROOT  # noqa: E402
from entropylaw import EntropyLawError  # noqa: E402
from entropylaw.cli import main  # noqa: E402
from entropylaw.law import read_log  # noqa: E402
from entropylaw.pool import load  # noqa: E402
from faulty_storage import FaultyFileSystem  # noqa: E402

RECORDS = [{"text": f"sample {n} says that {n} times {n} is {n * n}", "source": "ab"[n % 2], "n": n} for n in range(60)]
LINES = b"".join(json.dumps(record).encode() + b"\n" for record in RECORDS)
SECRET = "hunter2-do-not-tell"


@pytest.fixture(autouse=True)
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty ``memory://`` and ``faulty://``, and a directory of their own for temporary files."""
    faulty_storage.register()
    memory = fsspec.filesystem("memory")
    spools = tmp_path / "spools"
    spools.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spools))
    for system in (memory, FaultyFileSystem):
        system.store.clear()
        system.pseudo_dirs[:] = [""]
    FaultyFileSystem.reset()
    yield memory
    memory.store.clear()
    assert list(spools.iterdir()) == []


def put(system: Any, path: str, content: bytes) -> None:
    system.pipe_file(path, content)


def messages(error: BaseException) -> str:
    text = str(error)
    assert "\n" not in text and text
    return text


def refused(pool: Any, **options: Any) -> str:
    with pytest.raises(EntropyLawError) as raised:
        load(pool, paths=True, **options)
    return messages(raised.value)


# ---- the same as files

FORMS: dict[str, Any] = {
    "pool.jsonl": lambda: LINES,
    "pool.jsonl.gz": lambda: gzip.compress(LINES),
    "pool.json": lambda: json.dumps(RECORDS).encode(),
    "pool.csv": lambda: (
        b"text,source,n\n"
        + b"".join(b"%s,%s,%d\n" % (r["text"].encode(), r["source"].encode(), r["n"]) for r in RECORDS)
    ),
    "pool.parquet": lambda: _table("parquet"),
    "pool.arrow": lambda: _table("arrow"),
}


def _table(kind: str) -> bytes:
    sink = pa.BufferOutputStream()
    table = pa.Table.from_pylist(RECORDS)
    if kind == "parquet":
        pq.write_table(table, sink)
    else:
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    return bytes(sink.getvalue())


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("output", ["out.jsonl", "out.jsonl.zst", "out.parquet"])
def test_a_round_trip_is_that_of_files(storage: Any, tmp_path: Path, name: str, output: str) -> None:
    content = FORMS[name]()
    (tmp_path / name).write_bytes(content)
    put(storage, f"/b/{name}", content)
    here = entropylaw.select(tmp_path / name, budget=9)
    there = entropylaw.select(f"memory://b/{name}", budget=9)
    assert there.indices.tolist() == here.indices.tolist()
    assert there.pool.fingerprint == here.pool.fingerprint
    here.save(tmp_path / output)
    assert there.save(f"memory://b/new/{output}") == [f"memory://b/new/{output}"]
    assert storage.cat_file(f"/b/new/{output}") == (tmp_path / output).read_bytes()
    with (tmp_path / f"{output}.picks.npz").open("rb") as picks:
        assert storage.cat_file(f"/b/new/{output}.picks.npz") == picks.read()
    again = entropylaw.replay(f"memory://b/new/{output}.manifest.json")
    assert again.indices.tolist() == here.indices.tolist()


def test_the_manifest_says_which_object_it_was(storage: Any) -> None:
    put(storage, "/b/pool.jsonl", LINES)
    entropylaw.select("memory://b/pool.jsonl", budget=3).save("memory://b/out.jsonl")
    (file,) = json.loads(storage.cat_file("/b/out.jsonl.manifest.json"))["pool"]["files"]
    assert file == {"name": "memory://b/pool.jsonl", "bytes": len(LINES), "modified": file["modified"]}
    assert storage.info("/b/pool.jsonl")["created"].isoformat() == file["modified"]


def test_everything_reads_and_writes_urls(storage: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command, with URLs for all that it reads and writes."""
    put(storage, "/b/pool.jsonl", LINES)
    put(storage, "/b/dev.jsonl", LINES[: LINES.index(b"\n", 900) + 1])
    runs = "R,Z,L\n" + "".join(f"{2 + n / 5},{60 - n - n % 2 / 9},{1 + n / 9}\n" for n in range(8))
    put(storage, "/b/runs.csv", runs.encode())
    log = {"log_history": [{"step": n, "epoch": n / 20, "loss": 2 - n / 50} for n in range(1, 41)]}
    put(storage, "/b/trainer_state.json", json.dumps(log).encode())
    pool, dev = "memory://b/pool.jsonl", "memory://b/dev.jsonl"
    coverage = ["--method", "coverage", "--target", dev]
    clean = ["--benchmark", dev, "--decontaminate", "report"]
    for arguments in (
        ["select", pool, "-o", "memory://b/1.jsonl", "--budget", "5", "--anchor", dev],
        ["select", pool, "-o", "memory://b/2.jsonl", "--budget", "5", "--stanza", "axolotl", *coverage],
        ["select", pool, "-o", "memory://b/3.jsonl", "--budget", "5", "--shards", "2", *clean],
        ["replay", "memory://b/1.jsonl.manifest.json"],
        ["replay", "memory://b/2.jsonl.manifest.json", "-o", "memory://b/4.jsonl"],
        ["replay", "memory://b/1.jsonl.manifest.json", "--pool", "memory://b/pool.jsonl", "--anchor", dev],
        ["show", pool],
        ["ratio", pool],
        ["compare", dev, pool],
        ["score", pool, "-o", "memory://b/scores.csv", "--target", dev],
        ["law", "fit", "memory://b/runs.csv", "-o", "memory://b/law.json"],
        ["law", "predict", "--law", "memory://b/law.json", "--R", "2.5"],
        ["law", "check", "--law", "memory://b/law.json", "--data", pool, "--log", "memory://b/trainer_state.json"],
        ["law", "loss", "memory://b/trainer_state.json"],
    ):  # fmt: skip
        code = main([*arguments, "-q"])
        said = capsys.readouterr()
        assert code in ((0, 3) if arguments[:2] == ["law", "check"] else (0,)), (arguments, said.err)
    assert storage.cat_file("/b/2.jsonl") == storage.cat_file("/b/4.jsonl")
    assert b'path: "memory://b/2.jsonl"' in storage.cat_file("/b/2.jsonl.axolotl.yml")
    assert storage.exists("/b/3.jsonl".replace(".jsonl", "-00001-of-00002.jsonl"))
    assert storage.cat_file("/b/scores.csv").startswith(b"index,source,bytes,ratio,first_gain\n")
    assert read_log("memory://b/trainer_state.json").path == "memory://b/trainer_state.json"


def test_versions_are_called_by_their_urls(storage: Any) -> None:
    for name in ("old", "new"):
        put(storage, f"/b/{name}/data.jsonl", LINES)
    found = entropylaw.compare("memory://b/old/data.jsonl", "memory://b/new/data.jsonl")
    assert [version.name for version in found.versions] == ["memory://b/old/data.jsonl", "memory://b/new/data.jsonl"]


def test_reports_and_figures(storage: Any) -> None:
    pytest.importorskip("vl_convert", reason="reports are drawn by vl-convert-python")
    put(storage, "/b/pool.jsonl", LINES)
    made = ["--report", "memory://b/r.html", "--plot", "memory://b/r.svg"]
    assert main(["ratio", "memory://b/pool.jsonl", "-q", *made]) == 0
    assert storage.cat_file("/b/r.html").startswith(b"<!")
    assert storage.cat_file("/b/r.svg").startswith(b"<svg")
    assert main(["ratio", "memory://b/pool.jsonl", "-q", *made]) == 2


def test_tokenizers_and_templates(storage: Any) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    pytest.importorskip("minijinja")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    put(storage, "/b/tokenizer.json", words.to_str().encode())
    put(storage, "/b/one.jinja", b"{{ text }}")
    put(storage, "/b/pool.jsonl", LINES)
    options: dict[str, Any] = {"tokens": "memory://b/tokenizer.json", "render": "memory://b/one.jinja"}
    selection = entropylaw.select("memory://b/pool.jsonl", budget="40 tokens", **options)
    assert len(selection) > 0
    selection.save("memory://b/out.jsonl")
    assert entropylaw.replay("memory://b/out.jsonl.manifest.json").indices.tolist() == selection.indices.tolist()
    with pytest.raises(EntropyLawError, match="the tokenizer"):
        selection.save("memory:///b/tokenizer.json", force=True, indices_only=False)


# ---- patterns and directories


@pytest.fixture
def tree(storage: Any, tmp_path: Path) -> str:
    """A directory in storage, and the same one here, by its path."""
    cut = [LINES[:1000].rpartition(b"\n")[0] + b"\n", b""]
    cut[1] = LINES[len(cut[0]) :]
    files = {
        "a/train-0.jsonl": cut[0],
        "a/train-1.jsonl": cut[1],
        "a/_temporary/x.jsonl": LINES,
        "a/.hidden.jsonl": LINES,
        "a/README.md": b"# data",
        "a/dataset_info.json": b"{}",
        "b/train.jsonl": LINES,
        "b/test.jsonl": LINES,
        "c/x.jsonl": LINES,
        "c/y.parquet": _table("parquet"),
        "d/_delta_log/0.json": b"{}",
        "d/part.parquet": _table("parquet"),
        "e/dataset_dict.json": b'{"splits": ["train", "test"]}',
        "e/train/x.jsonl": LINES,
        "f/state.json": b'{"_data_files": [{"filename": "x.arrow"}]}',
        "f/x.arrow": _table("arrow"),
        "f/cached.arrow": _table("arrow"),
        "g/notes.txt": b"x",
        "h/metadata/v1.metadata.json": b'{"format-version": 2}',
        "h/data/part.parquet": _table("parquet"),
        "i/.hoodie/hoodie.properties": b"",
        "i/part.parquet": _table("parquet"),
        "j/source=web/x.jsonl": LINES,
        "j/source=book/x.jsonl": LINES,
    }
    for name, content in files.items():
        put(storage, f"/t/{name}", content)
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return str(tmp_path)


@pytest.mark.parametrize(
    "given",
    [
        "a",
        "a/*.jsonl",
        "a/train-[01].jsonl",
        "b",
        "c",
        "c/*.parquet",
        "d",
        "e",
        "e/train",
        "f",
        "g",
        "h",
        "i",
        "j",
        "j/*/x.jsonl",
        "**/train*.jsonl",
        "*/x.jsonl",
        "nix*.jsonl",
    ],
)
def test_lists_as_directories_here(tree: str, caplog: pytest.LogCaptureFixture, given: str) -> None:
    """What a pattern or directory stands for, what is left out and what is said of it, are what they are for files."""

    def told(root: str) -> tuple[list[str], list[str], list[str]]:
        caplog.clear()
        try:
            with caplog.at_level(logging.INFO, "entropylaw"):
                pool = load(f"{root}/{given}")
        except EntropyLawError as error:
            return [], [], [messages(error).replace(root, "ROOT").replace("no object", "no file")]
        names = [file.name for file in pool.records.files()]
        said = [record.getMessage() for record in caplog.records if "copied" not in record.getMessage()]
        return tuple([text.replace(root, "ROOT") for text in texts] for texts in (names, list(pool.left_out), said))  # type: ignore[return-value]

    assert told("memory://t") == told(tree)


def test_names_with_magic_in_them(storage: Any) -> None:
    put(storage, "/b/what[1]?.jsonl", LINES)
    assert len(load("memory://b/what[1]?.jsonl")) == 60


def test_read_twice_is_said(storage: Any, caplog: pytest.LogCaptureFixture) -> None:
    put(storage, "/b/pool.jsonl", LINES)
    assert len(load(["memory://b/pool.jsonl", "memory:///b/pool.jsonl"])) == 120
    assert "memory:///b/pool.jsonl is the file memory://b/pool.jsonl, and is read twice" in caplog.text


# ---- what it has read, it does not write; what has changed, it notices


@pytest.mark.parametrize(
    "output",
    [
        "memory://b/pool.jsonl",
        "memory:///b/pool.jsonl",
        "memory://b/./pool.jsonl",
        "memory://b//x/../pool.jsonl",
        "MEMORY://b/pool.jsonl",
    ],
)
@pytest.mark.parametrize("role", ["pool", "anchor", "target", "benchmark", "manifest", "report"])
def test_outputs_that_are_inputs(storage: Any, capsys: pytest.CaptureFixture[str], output: str, role: str) -> None:
    put(storage, "/b/pool.jsonl", LINES)
    put(storage, "/b/other.jsonl", LINES)
    before = storage.cat_file("/b/pool.jsonl")
    other, url = "memory://b/other.jsonl", "memory://b/pool.jsonl"
    written = ["-o", output, "--force"]
    arguments = {
        "pool": ["select", url, "--budget", "2"],
        "anchor": ["select", other, "--budget", "2", "--anchor", url],
        "target": ["select", other, "--budget", "2", "--method", "coverage", "--target", url],
        "benchmark": ["select", other, "--budget", "2", "--benchmark", url, "--decontaminate"],
        "manifest": ["select", url.replace("pool.jsonl", "pool.jsonl"), "--budget", "2"],
        "report": ["score", url],
    }[role]
    assert main([*arguments, *written]) == 2
    assert "name another file for" in capsys.readouterr().err
    assert storage.cat_file("/b/pool.jsonl") == before


@pytest.mark.parametrize("change", ["content", "same size", "gone"])
def test_a_change_before_the_records_are_written(storage: Any, tmp_path: Path, change: str) -> None:
    put(storage, "/b/pool.jsonl", LINES)
    selection = entropylaw.select("memory://b/pool.jsonl", budget=5)
    if change == "gone":
        storage.rm_file("/b/pool.jsonl")
    else:
        put(storage, "/b/pool.jsonl", LINES + LINES if change == "content" else LINES.replace(b"sample", b"simple"))
    for output in (str(tmp_path / "out.jsonl"), "memory://b/out.jsonl", str(tmp_path / "out.parquet")):
        with pytest.raises(EntropyLawError, match=r"^memory://b/pool.jsonl: the object has changed since it was read"):
            selection.save(output)
    assert not storage.exists("/b/out.jsonl") and not (tmp_path / "out.jsonl").exists()


def test_a_change_is_noticed_at_replay(storage: Any, caplog: pytest.LogCaptureFixture) -> None:
    put(storage, "/b/pool.jsonl", LINES)
    entropylaw.select("memory://b/pool.jsonl", budget=5).save("memory://b/out.jsonl")
    manifest = "memory://b/out.jsonl.manifest.json"
    entropylaw.replay(manifest)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    put(storage, "/b/pool.jsonl", LINES)
    entropylaw.replay(manifest)
    assert "pool.jsonl is another object than then, though as large; its samples are the same" in caplog.text
    put(storage, "/b/pool.jsonl", LINES.replace(b"sample", b"simple"))
    with pytest.raises(EntropyLawError, match="is another object than then, though as large; name the one of then"):
        entropylaw.replay(manifest)
    put(storage, "/b/pool.jsonl", LINES + b"\n")
    entropylaw.replay(manifest)
    assert (
        "has 4,261 bytes, and had 4,260 then; its samples are the same".replace("4,261", f"{len(LINES) + 1:,}").replace(
            "4,260", f"{len(LINES):,}"
        )
        in caplog.text
    )
    storage.rm_file("/b/pool.jsonl")
    with pytest.raises(
        EntropyLawError, match=r"there is no such object.*name the pool where it is now \(pool=, --pool\)"
    ):
        entropylaw.replay(manifest)


def test_an_archive_that_was_replaced(storage: Any) -> None:
    put(storage, "/b/pool.jsonl", LINES)
    selection = entropylaw.select("memory://b/pool.jsonl", budget=5)
    selection.save("memory://b/out.jsonl")
    whole = storage.cat_file("/b/out.jsonl.picks.npz")
    put(storage, "/b/out.jsonl.picks.npz", whole[:-1])
    with pytest.raises(EntropyLawError, match="not the file that the manifest was written with: it has"):
        entropylaw.replay("memory://b/out.jsonl.manifest.json")
    storage.rm_file("/b/out.jsonl.picks.npz")
    with pytest.raises(EntropyLawError, match=r"memory://b/out.jsonl.picks.npz: there is no such object"):
        entropylaw.replay("memory://b/out.jsonl.manifest.json")


# ---- old outputs


def test_shards_replace_those_of_before_and_no_others(storage: Any) -> None:
    put(storage, "/b/pool.jsonl", LINES)
    selection = entropylaw.select("memory://b/pool.jsonl", budget=6)
    three = selection.save("memory://b/o/out.jsonl", shards=3)
    with pytest.raises(EntropyLawError, match=r"00000-of-00003.jsonl: the file exists; name another"):
        selection.save("memory://b/o/out.jsonl", shards=2)
    assert len(selection.save("memory://b/o/out.jsonl", shards=2, force=True)) == 2
    assert not any(storage.exists(name) for name in three)
    put(storage, "/b/o/out-00000-of-00009.jsonl", b"somebody's\n")
    with pytest.raises(EntropyLawError, match=r"would be taken for a shard of memory://b/o/out.jsonl"):
        selection.save("memory://b/o/out.jsonl", shards=2, force=True)
    assert storage.cat_file("/b/o/out-00000-of-00009.jsonl") == b"somebody's\n"


def test_nothing_is_replaced_unasked(storage: Any) -> None:
    put(storage, "/b/pool.jsonl", LINES)
    selection = entropylaw.select("memory://b/pool.jsonl", budget=6)
    for name in ("out.jsonl", "out.jsonl.picks.npz", "out.jsonl.manifest.json"):
        put(storage, f"/b/{name}", b"mine")
        with pytest.raises(EntropyLawError, match=f"memory://b/{name}: the object exists; name another"):
            selection.save("memory://b/out.jsonl")
        assert storage.cat_file(f"/b/{name}") == b"mine"
        storage.rm_file(f"/b/{name}")


# ---- faults

ERRORS: list[BaseException] = [
    OSError("the line is dead"),
    PermissionError("no"),
    KeyboardInterrupt(),
    RuntimeError("backend: what?"),
]


@pytest.mark.parametrize(
    ("error", "shards", "force"),
    [
        *((error, None, False) for error in ERRORS),
        *((ERRORS[0], shards, force) for shards, force in ((None, True), (2, False), (2, True))),
        (ERRORS[2], 2, True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_a_fault_at_any_step_of_writing(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, shards: int | None, force: bool
) -> None:
    """Whatever fails: no part of a file under its name, no manifest without the rest, nothing that is left over."""
    monkeypatch.setattr("os.fsync", lambda _: None)
    selection = entropylaw.select([record["text"] for record in RECORDS], budget=6)
    other = entropylaw.select([record["text"] for record in RECORDS], budget=5)

    def save(chosen: Any = selection) -> None:
        chosen.save("faulty://b/out.jsonl", shards=shards, force=force)

    save()
    whole = faulty_storage.stored()
    old: dict[str, bytes] = {}
    if force:
        FaultyFileSystem.store.clear()
        save(other)
        old = faulty_storage.stored()

    def begin() -> None:
        FaultyFileSystem.store.clear()
        for path, content in old.items():
            FaultyFileSystem().pipe_file(path, content)
        FaultyFileSystem.reset()

    begin()
    save()
    count = len(FaultyFileSystem.steps)
    assert faulty_storage.stored() == whole
    for step in range(count):
        begin()
        FaultyFileSystem.reset(step, error)
        try:
            save()
        except (EntropyLawError, KeyboardInterrupt) as raised:
            assert isinstance(error, KeyboardInterrupt) or messages(raised).startswith("faulty://b/out")
        what = FaultyFileSystem.steps[step]
        FaultyFileSystem.reset()
        found = faulty_storage.stored()
        if what[0] == "remove" and what[1].endswith(".tmp"):
            # What could not be removed is still there, under a name that nobody reads.
            found = {path: content for path, content in found.items() if not path.endswith(".tmp")}
        for path, content in found.items():
            assert content in (whole.get(path), old.get(path)), (what, path)
        if "/b/out.jsonl.manifest.json" in found:
            assert found in (old, whole), what
        elif not force:
            assert found == {}, what
        if found == whole and not force:
            continue
        try:
            save()
        except EntropyLawError as raised:
            # Of a set, some was replaced: which shards are whose, only the manifest knew.
            assert force and shards and found and "would be taken for a shard" in messages(raised)
        else:
            assert {**faulty_storage.stored(), **whole} == faulty_storage.stored(), what


@pytest.mark.parametrize("error", ERRORS[:3], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("given", ["faulty://b/pool.jsonl", "faulty://b/*.jsonl", "faulty://b"])
def test_a_fault_at_any_step_of_reading(error: BaseException, given: str) -> None:
    FaultyFileSystem().pipe_file("/b/pool.jsonl", LINES)
    FaultyFileSystem().pipe_file("/b/two.jsonl", LINES)
    FaultyFileSystem.reset()
    whole = load(given).fingerprint
    count = len(FaultyFileSystem.steps)
    passed: list[int] = []
    for step in range(count):
        FaultyFileSystem.reset(step, error)
        try:
            # What older versions of fsspec ask for by themselves does not matter to them.
            assert load(given).fingerprint == whole and FaultyFileSystem.steps[step][0] == "info"
        except (EntropyLawError, KeyboardInterrupt) as raised:
            assert isinstance(error, KeyboardInterrupt) or messages(raised).startswith("faulty://b")
        else:
            passed.append(step)
    FaultyFileSystem.reset()
    assert load(given).fingerprint == whole
    assert len(passed) < count / 2


def test_one_file_fails_as_a_whole() -> None:
    """Scores, reports and laws are one file each."""
    scores = entropylaw.score([record["text"] for record in RECORDS])
    scores.save("faulty://b/scores.csv")
    whole = faulty_storage.stored()
    count = len(FaultyFileSystem.steps)
    for step in range(count):
        FaultyFileSystem.store.clear()
        FaultyFileSystem.reset(step, OSError("the line is dead"))
        removes = False
        try:
            scores.save("faulty://b/scores.csv")
        except EntropyLawError as raised:
            assert messages(raised).startswith("faulty://b/scores.csv: ")
        else:
            # What is in its place by then does not fail.
            removes = FaultyFileSystem.steps[step][0] == "remove"
            assert removes
        FaultyFileSystem.reset()
        found = faulty_storage.stored()
        assert {path: content for path, content in found.items() if not path.endswith(".tmp")} == (
            whole if removes else {}
        )


def test_an_object_that_changes_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    FaultyFileSystem().pipe_file("/b/pool.jsonl", LINES)
    step = FaultyFileSystem.step

    def change(self: Any, what: str, path: str) -> None:
        step(self, what, path)
        if what == "read":
            self.pipe_file("/b/pool.jsonl", LINES)

    monkeypatch.setattr(FaultyFileSystem, "step", change)
    assert "the object has changed while it was read; run again" in refused("faulty://b/pool.jsonl")


def test_an_object_that_is_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    FaultyFileSystem().pipe_file("/b/pool.jsonl", LINES)
    monkeypatch.setattr(faulty_storage.FaultyFile, "read", lambda self, *_: b"")
    assert f"gave 0 bytes, and has {len(LINES):,}; run again" in refused("faulty://b/pool.jsonl")


def test_more_than_the_disk_has_room_for(storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(storage, "/b/pool.jsonl", LINES)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10}))
    assert f"has {len(LINES):,} bytes in storage" in refused("memory://b/pool.jsonl")


# ---- what is refused


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("memory://b/nix.jsonl", "memory://b/nix.jsonl: there is no such object; is the name right?"),
        ("file:///x%20y.jsonl", "file:///x%20y.jsonl: is a local file; name it by its path: /x y.jsonl"),
        (
            "foo://x/y.jsonl",
            "foo://x/y.jsonl: there is no storage called foo://; s3://, gs://, az://, hf:// and https:// are some",
        ),
        (
            "zip://a.jsonl::memory://b/c.zip",
            "zip://a.jsonl::memory://b/c.zip: zip:// is no storage; name the object itself",
        ),
        ("simplecache::memory://b/c.jsonl", "URLs of URLs are not read; name the object itself, or unpack it first"),
        ("memory://", "memory://: names nothing; name an object, as in memory://BUCKET/NAME"),
        ("https://example.com/*.jsonl", "the web has no lists of files; name each of them"),
        ("https://***@example.com/x.jsonl?...", "is a URL of which a signature or password was left out"),
    ],
)
def test_urls_that_name_nothing_here(url: str, message: str) -> None:
    assert message in refused(url)


@pytest.mark.parametrize(
    ("protocol", "package"),
    [("s3", "s3fs"), ("gs", "gcsfs"), ("az", "adlfs"), ("sftp", "paramiko"), ("https", "'fsspec[http]'")],
)
def test_a_package_that_is_missing(monkeypatch: pytest.MonkeyPatch, protocol: str, package: str) -> None:
    import sys

    for module in ("s3fs", "gcsfs", "adlfs", "paramiko", "aiohttp"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, "fsspec.implementations.http", raising=False)
    monkeypatch.delitem(sys.modules, "fsspec.implementations.sftp", raising=False)
    monkeypatch.setattr(sys.modules["fsspec.registry"], "registry", {})
    url = f"{protocol}://b/x.jsonl"
    assert (
        refused(url)
        == f"{url}: fsspec needs {package} for {protocol}://, which is not installed: pip install {package}"
    )


def test_fsspec_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for module in [name for name in sys.modules if name.partition(".")[0] == "fsspec"]:
        monkeypatch.setitem(sys.modules, module, None)
    expected = "URLs are read and written by fsspec, which is not installed: pip install 'entropylaw[storage]'"
    assert refused("s3://b/x.jsonl") == f"s3://b/x.jsonl: {expected}"


def test_checkpoints_are_local(storage: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    put(storage, "/b/pool.jsonl", LINES)
    expected = "memory://b/work: a checkpoint is locked and appended to, which storage can't do"
    with pytest.raises(EntropyLawError, match=expected):
        entropylaw.select("memory://b/nix.jsonl", budget=3, checkpoint="memory://b/work")
    output = ["-o", str(tmp_path / "out.jsonl"), "--budget", "3"]
    assert main(["select", "memory://b/pool.jsonl", *output, "--checkpoint", "memory://b/work"]) == 2
    assert expected in capsys.readouterr().err
    assert main(["select", "memory://b/pool.jsonl", *output, "--checkpoint", str(tmp_path / "work")]) == 0


@pytest.mark.parametrize("output", ["https://example.com/out.jsonl", "memory://b/", "memory://b/dir"])
def test_outputs_that_cannot_be(storage: Any, output: str) -> None:
    put(storage, "/b/dir/x", b"")
    with pytest.raises(EntropyLawError, match=r"the web is only read|is a bucket or a directory|is a directory; name"):
        entropylaw.select(["a", "b"], budget=1).save(output)


def test_the_page(storage: Any) -> None:
    """Every command and all Python of docs/storage.md, with ``memory://`` for ``s3://``."""
    pytest.importorskip("vl_convert", reason="reports are drawn by vl-convert-python")
    put(storage, "/bucket/pool/a.jsonl", LINES)
    page = (ROOT / "docs" / "storage.md").read_text().replace("s3://", "memory://").replace("s3.", "memory.")
    blocks = re.findall(r"```(\w*)\n(.*?)```", page, re.DOTALL)
    lines = [line for kind, block in blocks if not kind for line in block.splitlines()]
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("entropylaw ")]
    assert len(commands) == 4
    for arguments in commands:
        assert main([*arguments, "-q"]) == 0, arguments
    (python,) = [block for kind, block in blocks if kind == "python"]
    exec(python, {"entropylaw": entropylaw})
    assert storage.exists("/bucket/other.parquet")


# ---- secrets


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://host/x.jsonl?X-Amz-Signature=abc&b=1", "https://host/x.jsonl?..."),
        ("https://user:pw@host/x.jsonl", "https://***@host/x.jsonl"),
        ("https://token@host/x.jsonl#frag", "https://***@host/x.jsonl"),
        ("sftp://me:pw@host/x.jsonl", "sftp://***@host/x.jsonl"),
        ("sftp://me@host/x.jsonl", "sftp://me@host/x.jsonl"),
        ("abfss://box@account.dfs.core.windows.net/x", "abfss://box@account.dfs.core.windows.net/x"),
        ("s3://b/what?.jsonl", "s3://b/what?.jsonl"),
        ("s3://b/x.jsonl?versionId=3.x_y", "s3://b/x.jsonl?versionId=3.x_y"),
        ("s3://KEY:SECRET@b/x.jsonl", "s3://***@b/x.jsonl"),
        ("az://c/x.jsonl?sv=1&sig=abc%3D", "az://c/x.jsonl?..."),
        ("https://huggingface.co/a/resolve/main/x.jsonl?download=true", "https://huggingface.co/a/resolve/main/x.jsonl?download=true"),
    ],
)  # fmt: skip
def test_what_is_shown_of_a_url(url: str, shown: str) -> None:
    from entropylaw.storage.urls import is_cut
    from entropylaw.storage.urls import shown as shown_of

    assert shown_of(url) == shown
    assert shown_of(shown) == shown
    assert is_cut(shown) == (shown.endswith("?...") or "***@" in shown)
    error = EntropyLawError(f"{url}: no; what about '{url}'?")
    assert str(error) == error.args[0] == f"{shown}: no; what about '{shown}'?"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("s3://b/x", "s3a://b/x"),
        ("gs://b/x", "gcs://b/x"),
        ("abfss://c@account.dfs.core.windows.net/x", "az://c/x"),
        ("memory://b/x", "memory:///b/./y/../x"),
        ("https://HOST:443/a%20b?x=1", "https://me@host/a b?x=1#part"),
        ("hf://datasets/a/b@main/x", "hf://datasets/a/b/x"),
        ("sftp://host/a//b", "ssh://HOST/a/b"),
    ],
)
def test_urls_of_one_object(one: str, other: str) -> None:
    from entropylaw.storage.urls import normalised

    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("s3://b/x", "s3://b//x"),
        ("s3://b/X", "s3://b/x"),
        ("s3://b/x", "gs://b/x"),
        ("https://h/x?a=1", "https://h/x?a=2"),
        ("az://c/x", "az://d/x"),
    ],
)
def test_urls_of_two_objects(one: str, other: str) -> None:
    from entropylaw.storage.urls import normalised

    assert normalised(one) != normalised(other)


def test_options_are_told_nowhere(
    storage: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not in manifests, reports, messages or logs, whatever goes wrong."""
    put(storage, "/b/pool.jsonl", LINES)
    seen: list[dict[str, Any]] = []
    made = FaultyFileSystem.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        seen.append(kwargs)
        made(self, *args)

    monkeypatch.setattr(FaultyFileSystem, "__init__", init)
    FaultyFileSystem().pipe_file("/b/pool.jsonl", LINES)
    option = ["--storage-option", f"faulty.secret={SECRET}", "--storage-option", "faulty.retries=3"]
    selected = ["select", "faulty://b/pool.jsonl", "-o", "faulty://b/out.jsonl", "--budget", "3", *option]
    assert main([*selected, "--json"]) == 0
    assert {"secret": SECRET, "retries": 3} in seen
    FaultyFileSystem.reset(1, RuntimeError(f"the key {SECRET} is bad, see https://h/x?sig={SECRET}"))
    assert main(["ratio", "faulty://b/pool.jsonl", *option]) == 2
    assert main(["config", *selected]) == 0
    said = capsys.readouterr()
    assert "the key *** is bad, see https://h/x?..." in said.err
    assert "# storage-option is set, and not printed" in said.out
    everything = said.out + said.err + caplog.text + "".join(map(repr, faulty_storage.stored().values()))
    assert SECRET not in everything


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["anon=true", "a=b=c"], {"anon": True, "a": "b=c"}),
        (["s3.endpoint_url=http://x", "s3.anon=false"], {"s3": {"endpoint_url": "http://x", "anon": False}}),
        (
            ["port=22", "password=22", 'k={"x": 1}', "token=null"],
            {"port": 22, "password": "22", "k": {"x": 1}, "token": None},
        ),
    ],
)
def test_options_of_the_command_line(options: list[str], found: dict[str, Any]) -> None:
    from entropylaw.storage.options import parsed

    assert parsed(options) == found


@pytest.mark.parametrize("option", [SECRET, f"={SECRET}"])
def test_an_option_that_is_none(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ratio", "memory://b/x.jsonl", "--storage-option", "a=b", "--storage-option", option]) == 2
    said = capsys.readouterr().err
    assert "storage option 2 is not NAME=VALUE" in said and SECRET not in said


def test_an_option_in_a_file_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run.toml").write_text(f'storage-option = {{secret = "{SECRET}"}}')
    assert main(["ratio", "memory://b/x.jsonl", "--config", str(tmp_path / "run.toml")]) == 2
    said = capsys.readouterr().err
    assert "storage-option is not 'NAME=VALUE', nor a list of such texts" in said and SECRET not in said


def test_progress(storage: Any) -> None:
    """Bytes that are copied, then bytes that are read; and what it raises ends the copying."""
    put(storage, "/b/pool.jsonl", LINES)
    seen: list[Any] = []
    load(["memory://b/pool.jsonl"] * 3, progress=seen.append)
    copied = [now for now in seen if now.stage == "fetch"]
    assert copied and all(now.total == 3 * len(LINES) for now in copied)
    assert [now.done for now in copied] == sorted(now.done for now in copied)

    def stop(now: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load("memory://b/pool.jsonl", progress=stop)


def test_an_interruption_waits_for_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    FaultyFileSystem().pipe_file("/b/pool.jsonl", LINES)
    go_on = threading.Event()
    waited: list[bool] = []
    monkeypatch.setattr(faulty_storage.FaultyFile, "read", lambda self, *_: waited.append(go_on.wait(30)) or b"")

    def stop(now: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load("faulty://b/pool.jsonl", progress=stop)
    assert waited == []
    go_on.set()


def test_options_of_the_library(storage: Any) -> None:
    put(storage, "/b/pool.jsonl", LINES)
    with pytest.raises(EntropyLawError, match="storage_options is list; it must map names to values"):
        load("memory://b/pool.jsonl", storage_options=["a"])  # type: ignore[arg-type]
    selection = entropylaw.select(
        "memory://b/pool.jsonl", budget=3, storage_options={"memory": {}, "s3": {"key": SECRET}}
    )
    assert len(selection) == 3
