"""Nothing that a run reads is written to, replaced or removed by it, by any name; and no two targets are one."""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import entropylaw
from entropylaw import EntropyLawError, cli
from entropylaw.cli.files import READ, WRITTEN
from entropylaw.cli.parser import Parser
from entropylaw.targets import File, check_targets

RECORDS = "".join(
    json.dumps({"text": f"record {n} of a small pool, {n * n}", "source": f"s{n % 2}"}) + "\n" for n in range(12)
)
TEXTS = {
    "pool.jsonl": RECORDS,
    "have.jsonl": '{"text": "what there is"}\n',
    "text.jinja": "{{ text }}",
    "tokenizer.json": "{}",
    "run.toml": "quiet = true\n",
    "v2.jsonl": RECORDS * 2,
    "runs.csv": "R,Z\n" + "".join(f"{2 + n / 5},{6 - n / 4}\n" for n in range(9)),
    "trainer_state.json": '{"log_history": []}',
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a file of each kind that commands read, as the working directory."""
    monkeypatch.chdir(tmp_path)
    for name, text in TEXTS.items():
        Path(name).write_text(text)
    return tmp_path


def contents(directory: Path) -> dict[str, str]:
    """Hashes of all files, by name."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def refused(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    """What a command says that ends with 2 and leaves everything as it was."""
    before = contents(Path())
    capsys.readouterr()
    assert cli.main(arguments) == 2
    said = capsys.readouterr()
    assert contents(Path()) == before
    assert said.out == ""
    (line,) = said.err.splitlines()
    return line.removeprefix("entropylaw: ")


SELECT = ["select", "pool.jsonl", "--anchor", "have.jsonl", "--render", "text.jinja", "--tokens", "tokenizer.json"]
SELECT += ["--config", "run.toml", "--budget", "100 tokens", "--force", "-q"]
# The target's name, what else it takes to have it, and what it is.
TARGETS = {
    "records": ("out.jsonl", [], "the records"),
    "manifest": ("out.jsonl.manifest.json", [], "the manifest"),
    "picks": ("out.jsonl.picks.npz", [], "the picks"),
    "stanza": ("out.jsonl.axolotl.yml", ["--stanza", "axolotl"], "the stanza"),
    "report": ("page.html", ["--report", "page.html"], "the report"),
    "plot": ("page.svg", ["--plot", "page.svg"], "the figure"),
}
INPUTS = {
    "pool.jsonl": "a file of the pool",
    "have.jsonl": "a file of the anchor",
    "text.jinja": "the template",
    "tokenizer.json": "the tokenizer",
    "run.toml": "the file of options",
}


def linked(kind: str, file: str, name: str) -> None:
    """Makes ``name`` another name of ``file``."""
    if kind == "symbolic":
        Path(name).symlink_to(file)
    elif kind == "symbolic, twice":
        Path("between").symlink_to(Path(file).absolute())
        Path(name).symlink_to("between")
    else:
        os.link(file, name)


@pytest.mark.parametrize("link", ["symbolic", "symbolic, twice", "hard"])
@pytest.mark.parametrize("read", INPUTS)
@pytest.mark.parametrize("target", TARGETS)
def test_no_target_of_a_selection_is_an_input(
    here: Path, capsys: pytest.CaptureFixture[str], target: str, read: str, link: str
) -> None:
    name, options, what = TARGETS[target]
    linked(link, read, name)
    said = refused(capsys, [*SELECT, "-o", "out.jsonl", *options])
    assert said == f"{name}: is {INPUTS[read]}, {read}; name another file for {what}"


@pytest.mark.parametrize("link", ["symbolic", "hard"])
@pytest.mark.parametrize("read", ["pool.jsonl", "have.jsonl"])
@pytest.mark.parametrize("shards", ["2", "500B"])
def test_no_shard_is_an_input(
    here: Path, capsys: pytest.CaptureFixture[str], shards: str, read: str, link: str
) -> None:
    linked(link, read, "out-00000-of-00002.jsonl")
    command = [*SELECT, "-o", "out.jsonl", "--shards", shards]
    assert refused(capsys, command) == (
        "out-00000-of-00002.jsonl: would be taken for a shard of out.jsonl, and out.jsonl.manifest.json does not name "
        "it; move it away, or name another output"
    )
    # As if an older run had made it: then it would be replaced.
    Path("out.jsonl.manifest.json").write_text('{"output": {"files": [{"name": "out-00000-of-00002.jsonl"}]}}')
    assert refused(capsys, command) == (
        f"out-00000-of-00002.jsonl: is {INPUTS[read]}, {read}; name another file for the records"
    )


@pytest.mark.parametrize(
    ("command", "message"),
    [
        # A target and an input by one name, or by another way to it.
        ("select pool.jsonl -o pool.jsonl", "pool.jsonl: is a file of the pool; name another file for the records"),
        ("select pool.jsonl -o ./pool.jsonl", "./pool.jsonl: is a file of the pool, pool.jsonl; name another file for"),
        ("select *.jsonl -o v2.jsonl", "v2.jsonl: is a file of the pool; name another file for the records"),
        ("select d -o d/part.jsonl", "d/part.jsonl: is a file of the pool; name another file for the records"),
        ("select d -o there/part.jsonl", "there/part.jsonl: is a file of the pool, d/part.jsonl; name another file"),
        ("select pool.jsonl --anchor have.jsonl -o have.jsonl", "have.jsonl: is a file of the anchor; name another"),
        ("score pool.jsonl -o pool.jsonl", "pool.jsonl: is a file of the pool; name another file for the scores"),
        (
            "score pool.jsonl -o soft.csv",
            "soft.csv: is a file of the pool, pool.jsonl; name another file for the scores",
        ),
        (
            "ratio pool.jsonl --report soft.html",
            "soft.html: is a file of the pool, pool.jsonl; name another file for the",
        ),
        (
            "ratio pool.jsonl --plot hard.svg",
            "hard.svg: is a file of the pool, pool.jsonl; name another file for the figure",
        ),
        (
            "compare v2.jsonl pool.jsonl --report hard.html",
            "hard.html: is a file of a version, pool.jsonl; name another",
        ),
        ("law fit runs.csv -o law.json", "law.json: is the runs, runs.csv; name another file for the output"),
        ("law fit runs.csv --report runs.html", "runs.html: is the runs, runs.csv; name another file for the report"),
        ("law check --law good.json --R 2 --report law.html", "law.html: is the law, good.json; name another file for"),
        (
            "law check --law good.json --R 2 --log trainer_state.json --plot log.svg",
            "log.svg: is a training log, trainer_state.json; name another file for the figure",
        ),
        (
            "law check --law good.json --data pool.jsonl --report soft.html",
            "soft.html: is a file of the data, pool.jsonl; name another file for the report",
        ),
        # Two targets by one name, or by one file that is there or not yet.
        (
            "select pool.jsonl -o out --report out",
            "out: the records would go there too; name another file for the report",
        ),
        (
            "select pool.jsonl -o out --report OUT",
            "OUT: the records, out, would go there too; name another file for the",
        ),
        (
            "select pool.jsonl -o out --report dangling.html",
            "dangling.html: the records, out, would go there too; name",
        ),
        (
            "ratio pool.jsonl --report a.html --plot a.svg",
            "a.svg: the report, a.html, would go there too; name another",
        ),
        ("law fit runs.csv -o new.json --report new.html", "new.html: the output, new.json, would go there too; name"),
        # A directory for a checkpoint.
        (
            "select pool.jsonl -o out --checkpoint .",
            ".: the directory of the checkpoint holds pool.jsonl, a file of the",
        ),
        (
            "select pool.jsonl -o d/out --checkpoint d",
            "d: the directory of the checkpoint holds d/out, the records; name",
        ),
        (
            "select pool.jsonl -o d/e/out --checkpoint there",
            "there: the directory of the checkpoint holds d/e/out, the",
        ),
        (
            "select d -o out --checkpoint there",
            "there: the directory of the checkpoint holds d/part.jsonl, a file of the",
        ),
        (
            "select pool.jsonl -o out --checkpoint out",
            "out: the directory of the checkpoint is out, the records; name one",
        ),
        (
            "select pool.jsonl -o out --checkpoint out/x/y",
            "out/x/y: the directory of the checkpoint would lie in out, the",
        ),
        (
            "select pool.jsonl -o out --checkpoint pool.jsonl",
            "pool.jsonl: the directory of the checkpoint is pool.jsonl, a",
        ),
        # What looks like a shard of the output.
        (
            "select out-00007-of-00009.jsonl -o out.jsonl --shards 1KB",
            "out-00007-of-00009.jsonl: a file of the pool, would be taken for a shard of out.jsonl; name another",
        ),
        (
            "select pool.jsonl -o out --shards 2 --report out-00000-of-00002",
            "out-00000-of-00002: the report, would be taken for a shard of out; name another output",
        ),
        (
            "select pool.jsonl -o d/../out.jsonl --shards 2",
            "d/../out-00007-of-00009.jsonl: would be taken for a shard of d/../out.jsonl, and "
            "d/../out.jsonl.manifest.json does not name it; move it away, or name another output",
        ),
        # Standard output, where a file has to be.
        ("ratio pool.jsonl --report -", "-: this can't go to standard output, only records (`select`, `replay`) and"),
        ("select pool.jsonl -o out --plot -", "-: this can't go to standard output, only records"),
        ("law fit runs.csv -o -", "-: this can't go to standard output, only records"),
    ],
)
def test_by_command(here: Path, capsys: pytest.CaptureFixture[str], command: str, message: str) -> None:
    Path("d/e").mkdir(parents=True)
    Path("d/part.jsonl").write_text(RECORDS)
    Path("there").symlink_to("d")
    Path("dangling.html").symlink_to("out")
    Path("a.html").symlink_to("one")
    Path("a.svg").symlink_to("one")
    Path("new.html").symlink_to("new.json")
    Path("out-00007-of-00009.jsonl").write_text(RECORDS)
    assert cli.main(["law", "fit", "runs.csv", "-o", "good.json", "-q"]) == 0
    for name, file in (("soft.csv", "pool.jsonl"), ("soft.html", "pool.jsonl"), ("law.html", "good.json")):
        Path(name).symlink_to(file)
    for name, file in (("hard.html", "pool.jsonl"), ("hard.svg", "pool.jsonl"), ("runs.html", "runs.csv")):
        os.link(file, name)
    os.link("trainer_state.json", "log.svg")
    os.link("runs.csv", "law.json")
    budget = ["--budget", "3"] if command.startswith("select") else []
    forced = ["--force"] if "-o" in command or "--report" in command or "--plot" in command else []
    assert refused(capsys, [*command.split(), *budget, *forced, "-q"]).startswith(message)


@pytest.mark.parametrize("link", ["symbolic", "hard"])
@pytest.mark.parametrize(
    ("read", "what"),
    [
        ("out.jsonl.manifest.json", "the manifest to repeat"),
        ("out.jsonl.picks.npz", "the picks to repeat"),
        ("pool.jsonl", "a file of the pool"),
        ("have.jsonl", "a file of the anchor"),
    ],
)
@pytest.mark.parametrize(
    ("target", "role"),
    [("new.jsonl", "the records"), ("new.jsonl.manifest.json", "the manifest"), ("new.jsonl.picks.npz", "the picks")],
)
def test_no_target_of_a_replay_is_an_input(
    here: Path, capsys: pytest.CaptureFixture[str], target: str, role: str, read: str, what: str, link: str
) -> None:
    entropylaw.select("pool.jsonl", budget=3, anchor="have.jsonl").save("out.jsonl")
    linked(link, read, target)
    said = refused(capsys, ["replay", "out.jsonl.manifest.json", "-o", "new.jsonl", "--force", "-q"])
    assert said == f"{target}: is {what}, {read}; name another file for {role}"
    Path(target).unlink()
    said = refused(capsys, ["replay", "out.jsonl.manifest.json", "-o", "out.jsonl", "--force", "-q"])
    assert said == "out.jsonl.manifest.json: is the manifest to repeat; name another file for the manifest"


def test_the_script_of_the_authors_does_not_replace_its_pool(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from entropylaw import zip_py

    Path("all.json").write_text("[" + ",".join(RECORDS.splitlines()) + "]")
    os.link("all.json", "chosen.json")
    before = contents(here)
    assert zip_py.main(["--data_path", "all.json", "--save_path", "chosen.json"]) == 2
    assert contents(here) == before
    said = f"entropylaw: {here}/chosen.json: is the pool, all.json; name another file for the selection\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("how", ["records", "picks", "manifest"])
@pytest.mark.parametrize("read", ["pool.jsonl", "have.jsonl"])
def test_the_library_asks_too(here: Path, how: str, read: str) -> None:
    selection = entropylaw.select("pool.jsonl", budget=3, anchor="have.jsonl")
    name, _, what = TARGETS[how]
    os.link(read, name)
    before = contents(here)
    message = f"^{name}: is {INPUTS[read]}, {here}/{read}; name another file for {what}$"
    with pytest.raises(EntropyLawError, match=message):
        selection.save("out.jsonl", force=True)
    with pytest.raises(
        EntropyLawError, match=r"^pool.jsonl: is a file of the pool, .*; name another file for the scores"
    ):
        entropylaw.score("pool.jsonl").save("pool.jsonl", force=True)
    with pytest.raises(
        EntropyLawError, match=r"^d: the directory of the checkpoint holds .*/d/pool.jsonl, a file of the"
    ):
        Path("d").mkdir()
        Path("d/pool.jsonl").write_text(RECORDS)
        entropylaw.select("d/pool.jsonl", budget=3, checkpoint="d")
    Path("d/pool.jsonl").unlink()
    Path("d").rmdir()
    assert contents(here) == before


@pytest.mark.parametrize(
    ("save", "message"),
    [
        (lambda: entropylaw.select("pool.jsonl", budget=3).save("-"), "-: this can't go to standard output"),
        (lambda: entropylaw.score("pool.jsonl").save("-"), "-: this can't go to standard output"),
    ],
)
def test_the_library_has_no_standard_output(here: Path, save: Callable[[], object], message: str) -> None:
    with pytest.raises(EntropyLawError, match=message):
        save()
    assert not Path("-").exists()


def test_the_files_that_a_data_set_maps(here: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="datasets is optional")
    datasets.Dataset.from_list([json.loads(line) for line in RECORDS.splitlines()]).save_to_disk("saved")
    loaded = datasets.load_from_disk("saved")
    (mapped,) = Path("saved").glob("*.arrow")
    before = contents(here)
    with pytest.raises(EntropyLawError, match=f"^{mapped}: is a file of the pool"):
        entropylaw.select(loaded, budget=3).save(mapped, force=True)
    assert contents(here) == before


@pytest.mark.parametrize(
    ("command", "read", "message"),
    [
        (
            "select pool.jsonl -o - --budget 3",
            "pool.jsonl",
            "is a file of the pool, pool.jsonl; name another file for the re",
        ),
        (
            "select pool.jsonl -o o --budget 3",
            "pool.jsonl",
            "is a file of the pool, pool.jsonl; name another file for what",
        ),
        ("score pool.jsonl -o o.csv", "pool.jsonl", "is a file of the pool, pool.jsonl; name another file for what is"),
        ("score pool.jsonl -o -", "pool.jsonl", "is a file of the pool, pool.jsonl; name another file for the scores"),
        ("ratio pool.jsonl", "pool.jsonl", "is a file of the pool, pool.jsonl; name another file for what is printed"),
        ("compare v2.jsonl pool.jsonl", "pool.jsonl", "is a file of a version, pool.jsonl; name another file for what"),
        ("replay old.manifest.json", "pool.jsonl", "is a file of the pool, pool.jsonl; name another file for what is"),
        (
            "replay old.manifest.json -o o",
            "have.jsonl",
            "is a file of the anchor, have.jsonl; name another file for wh",
        ),
        (
            "replay old.manifest.json -o -",
            "old.picks.npz",
            "is the picks to repeat, old.picks.npz; name another file f",
        ),
        ("law fit runs.csv", "runs.csv", "is the runs, runs.csv; name another file for what is printed"),
        ("law predict --law law.json --R 3", "law.json", "is the law, law.json; name another file for what is printed"),
        ("law check --law law.json --data pool.jsonl", "pool.jsonl", "is a file of the data, pool.jsonl; name another"),
        ("law loss trainer_state.json", "trainer_state.json", "is a training log, trainer_state.json; name another"),
        (
            "config ratio pool.jsonl --config run.toml",
            "run.toml",
            "is the file of options, run.toml; name another file",
        ),
        ("select pool.jsonl -o o --force --budget 3", "o", "the records, o, would go there too; name another file for"),
    ],
)
def test_standard_output_is_a_file_too(
    here: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    read: str,
    message: str,
) -> None:
    entropylaw.select("pool.jsonl", budget=3, anchor="have.jsonl").save("old")
    assert cli.main(["law", "fit", "runs.csv", "-o", "law.json", "-q"]) == 0
    with Path(read).open("a") as output:
        monkeypatch.setattr(sys, "__stdout__", output)
        quiet = [] if command.startswith("config") else ["-q"]
        assert refused(capsys, [*command.split(), *quiet]).startswith(f"standard output: {message}")


def test_standard_input_is_a_file_too(here: Path) -> None:
    command = [sys.executable, "-m", "entropylaw", "select", "-", "-o", "pool.jsonl", "--budget", "3", "--force", "-q"]
    before = contents(here)
    with Path("pool.jsonl").open() as pool:
        done = subprocess.run(command, stdin=pool, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 2)
    assert done.stderr == "entropylaw: pool.jsonl: is a file of the pool; name another file for the records\n"
    with Path("pool.jsonl").open("a") as pool:
        done = subprocess.run(
            [*command[:4], "pool.jsonl", *command[5:]], stdout=pool, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 2
    assert contents(here) == before


def test_what_goes_to_devices_is_no_file(here: Path) -> None:
    check_targets([File("/dev/null", "the records"), File("/dev/null", "the report")], [File("/dev/null", "the pool")])


def test_a_name_that_no_file_can_have(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("nul.toml").write_text('output = "a\\u0000b"\nbudget = 3\n')
    assert refused(capsys, ["select", "pool.jsonl", "--config", "nul.toml", "-q"]) == (
        "a\\x00b: no file can have this name; name another"
    )
    long = "x" * 250
    said = refused(capsys, ["select", "pool.jsonl", "-o", f"{long}.jsonl", "--budget", "3", "-q"])
    assert said == f"{long}.jsonl: cannot be written: File name too long"
    # What is written first may have a longer name than what is there in the end.
    whole = "x" * 230 + ".jsonl"
    assert cli.main(["select", "pool.jsonl", "-o", whole, "--budget", "3", "-q"]) == 0
    Path("loop").symlink_to("loop")
    said = refused(capsys, ["select", "pool.jsonl", "-o", "loop", "--budget", "3", "-q"])
    assert said == "loop: cannot be written: Too many levels of symbolic links"
    said = refused(capsys, ["select", "pool.jsonl", "-o", "pool.jsonl/out.jsonl", "--budget", "3", "-q"])
    assert said == "pool.jsonl/out.jsonl: cannot be written: Not a directory"


NO_FILES = {
    *("help", "version", "json", "quiet", "force", "resume", "threads", "memory", "on_error", "schema", "field"),
    *("budget", "method", "sort", "shards", "add_columns", "indices_only", "stanza", "preset", "k1", "k2", "k3"),
    *("unit", "ngram", "gamma", "min_df", "min_contexts", "alpha", "group_by", "quota", "min_score", "weight"),
    *("length_band", "ratio_band", "dedupe", "codec", "shuffle", "quick", "show", "form", "R", "L", "group", "level"),
    *("epoch_steps", "against", "tolerance", "command", "samples", "format", "seed", "balance", "ranking"),
    *("target_weight", "decontaminate", "whole_rounds", "shell", "storage_option", "alignment", "features"),
    *("ray", "partitions"),
}


def test_every_argument_is_known_to_name_files_or_not() -> None:
    """A new option that names a file has to be in the tables that are asked about files."""
    seen = set()

    def walk(parser: argparse.ArgumentParser) -> None:
        assert isinstance(parser, Parser)
        parser.complete()
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for inner in action.choices.values():
                    walk(inner)
            else:
                seen.add(action.dest)

    parser, _ = cli._parser()
    walk(parser)
    assert seen == {*READ, *WRITTEN, "checkpoint", *NO_FILES}
