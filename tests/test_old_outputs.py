"""What an older output leaves: removed if its manifest names it and it can have made it, and in the way otherwise."""

import json
from pathlib import Path
from typing import Any

import pytest

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.cli import main
from entropylaw.results import Selection


@pytest.fixture(scope="module")
def selection() -> Selection:
    return entropylaw.select([{"text": f"text {n} of some, {n * n}"} for n in range(40)], budget=30)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


BESIDE = {"out.jsonl.manifest.json", "out.jsonl.picks.npz"}
ONE = {"out.jsonl"}
TWO = {"out-00000-of-00002.jsonl", "out-00001-of-00002.jsonl"}
THREE = {f"out-0000{n}-of-00003.jsonl" for n in range(3)}


@pytest.mark.parametrize(("before", "old"), [(None, ONE), (2, TWO), (3, THREE)])
@pytest.mark.parametrize(("after", "new"), [(None, ONE), (2, TWO), ("400B", THREE)])
def test_the_records_of_the_older_output_go(
    selection: Selection, here: Path, before: int | None, old: set[str], after: int | str | None, new: set[str]
) -> None:
    """Whoever reads ``out*`` finds one set, and each file of it in the manifest."""
    selection.save("out.jsonl", shards=before)
    assert names(here) == old | BESIDE
    with pytest.raises(EntropyLawError, match="the file exists"):
        selection.save("out.jsonl", shards=after)
    assert names(here) == old | BESIDE
    selection.save("out.jsonl", shards=after, force=True)
    assert names(here) == new | BESIDE


def test_the_pool_is_no_older_output(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shards that somebody else made, as a pool for an output of the same name."""
    shards = [f"data-0000{n}-of-00004.jsonl" for n in range(4)]
    for n, shard in enumerate(shards):
        Path(shard).write_text(json.dumps({"text": f"text {n}"}) + "\n")
    before = {shard: Path(shard).read_bytes() for shard in shards}
    command = ["select", *shards, "-o", "data.jsonl", "--shards", "2", "--budget", "3", "--force", "-q"]
    assert main(command) == 2
    assert capsys.readouterr().err == (
        "entropylaw: data-00000-of-00004.jsonl: a file of the pool, would be taken for a shard of data.jsonl; name "
        "another output\n"
    )
    assert {path.name: path.read_bytes() for path in here.iterdir()} == before
    # Not even if a manifest says that they are an older output.
    files = [{"name": shard, "bytes": 1, "sha256": ""} for shard in shards]
    Path("data.jsonl.manifest.json").write_text(json.dumps({"output": {"files": files}}))
    assert main(command) == 2
    assert main(["select", *shards, "-o", "data.jsonl", "--budget", "3", "--force", "-q"]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "entropylaw: data-00000-of-00004.jsonl: is a file of the pool; name another file for the records"
    )
    assert all(Path(shard).read_bytes() == content for shard, content in before.items())


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("shards", [2, "300B"])
def test_shards_that_no_manifest_names_are_in_the_way(
    selection: Selection, here: Path, shards: int | str, force: bool
) -> None:
    Path("out-00003-of-00009.jsonl").write_text("not ours")
    message = (
        "^out-00003-of-00009.jsonl: would be taken for a shard of out.jsonl, and out.jsonl.manifest.json does not name "
        "it; move it away, or name another output$"
    )
    with pytest.raises(EntropyLawError, match=message):
        selection.save("out.jsonl", shards=shards, force=force)
    assert names(here) == {"out-00003-of-00009.jsonl"}
    selection.save("out.jsonl")
    assert names(here) == {"out-00003-of-00009.jsonl"} | ONE | BESIDE
    with pytest.raises(EntropyLawError, match=message):
        selection.save("out.jsonl", shards=shards, force=True)
    assert Path("out-00003-of-00009.jsonl").read_text() == "not ours"


UNTRUSTED: list[Any] = [
    None,
    [],
    {"output": None},
    {"output": {"files": 7}},
    {"output": {"files": [7, None, {}]}},
    {"output": {"files": {"name": "precious"}}},
    {"output": {"files": [{"name": ["precious"]}]}},
    {
        "output": {
            "files": [{"name": name} for name in ("precious", "d/out-00000-of-00001.jsonl", "..", ".", "", "\x00")]
        }
    },
    {"output": {"files": [{"name": "../out-00000-of-00001.jsonl"}, {"name": "out-0-of-1.jsonl"}]}},
    {"output": {"files": [{"name": "/etc/out-00000-of-00001.jsonl"}, {"name": "pool.jsonl"}]}},
]


@pytest.mark.parametrize(
    "content", [*map(json.dumps, UNTRUSTED), "", "{", "\ud83d", "[" * 100_000], ids=lambda c: c[:60]
)
def test_manifests_are_untrusted(selection: Selection, tmp_path: Path, content: str) -> None:
    """Whatever it says, a manifest has no file removed that is not an older output beside it."""
    here = tmp_path / "here"
    (here / "d").mkdir(parents=True)
    kept = ["precious", "d/out-00000-of-00001.jsonl", "../out-00000-of-00001.jsonl", "out-0-of-1.jsonl", "pool.jsonl"]
    for name in kept:
        (here / name).write_text(name)
    (here / "out.jsonl.manifest.json").write_bytes(content.encode(errors="surrogatepass"))
    selection.save(here / "out.jsonl", shards=1, force=True)
    assert [(here / name).read_text() for name in kept] == kept
    assert json.loads((here / "out.jsonl.manifest.json").read_text())["output"]["shards"] == 1


def test_of_a_link_only_the_link_goes(selection: Selection, here: Path) -> None:
    selection.save("out.jsonl", shards=3)
    Path("elsewhere").write_bytes(Path("out-00002-of-00003.jsonl").read_bytes())
    Path("out-00002-of-00003.jsonl").unlink()
    Path("out-00002-of-00003.jsonl").symlink_to("elsewhere")
    selection.save("out.jsonl", shards=2, force=True)
    assert names(here) == TWO | BESIDE | {"elsewhere"}


def test_outputs_go_where_links_lead(selection: Selection, here: Path) -> None:
    """Records, picks and manifest by links to another directory, once new and once replaced."""
    Path("there").mkdir()
    for name in ONE | BESIDE:
        Path(name).symlink_to(Path("there") / name)
    for force in (False, True):
        assert selection.save("out.jsonl", force=force) == ["out.jsonl"]
        assert all(Path(name).is_symlink() for name in ONE | BESIDE)
        assert names(here / "there") == ONE | BESIDE
    assert json.loads(Path("out.jsonl.manifest.json").read_text())["output"]["files"][0]["name"] == "out.jsonl"


def test_a_name_that_leads_to_another_name(selection: Selection, here: Path) -> None:
    """What the file is by its name is what it is named, not what the link leads to."""
    Path("out.jsonl").symlink_to("elsewhere.jsonl.gz")
    selection.save("out.jsonl")
    assert Path("elsewhere.jsonl.gz").read_bytes().startswith(b"{")
    manifest = json.loads(Path("out.jsonl.manifest.json").read_text())
    assert [file["name"] for file in manifest["output"]["files"]] == ["out.jsonl"]
