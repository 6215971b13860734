"""Checkpoints: wherever a run ends, resuming it comes to the same result, or is refused with the reason."""

import json
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import entropylaw
from entropylaw import EntropyLawError, _core
from entropylaw._core import JOURNAL_HEADER
from entropylaw.cli import main
from entropylaw.pool import load
from entropylaw.runs.checkpoint import remove

METHODS: list[dict[str, Any]] = [
    {"method": "zip", "k1": 40, "k2": 12, "k3": 5},
    {"method": "zip", "preset": "reference", "k1": 40, "k2": 12, "k3": 5, "whole_rounds": True},
    {"method": "coverage"},
    {
        "method": "zip",
        "k1": 40,
        "k2": 12,
        "k3": 5,
        "budget": "900B",
        "quota": "a>=30%,b<=40%",
        "weight": "score",
        "anchor": [3, 50],
        "dedupe": True,
    },
    {"method": "coverage", "budget": "900B", "quota": "a>=30%,b<=40%", "weight": "score", "anchor": [3, 50]},
    # The last picks are made once the groups' shares are used up.
    {"method": "zip", "k1": 40, "k2": 12, "k3": 5, "budget": "903B", "balance": 0.1},
    {"method": "coverage", "budget": "903B", "balance": 0.1, "quota": "b>=100B"},
]


def pool(size: int = 120) -> list[dict[str, Any]]:
    chooser = random.Random(5)
    words = ["the", "cat", "sat", "on", "a", "mat", "and", "then", "some", "dog", "ran", "off", "with", "it"]
    return [
        {
            "text": " ".join(chooser.choices(words, k=chooser.randint(1, 12))),
            "source": chooser.choice("abc"),
            "score": chooser.randint(1, 9),
        }
        for _ in range(size)
    ]


def select(records: Any, how: dict[str, Any], **rest: Any) -> Any:
    return entropylaw.select(records, **({"budget": 33} | how | rest))


def what_counts(selection: Any) -> dict[str, Any]:
    """Everything in a manifest that does not say how long or how hard the work was."""
    summary = {key: value for key, value in selection.summary().items() if key not in ("seconds", "work")}
    return summary | {name: array.tolist() for name, array in selection.arrays().items()}


@pytest.mark.parametrize("how", METHODS)
def test_a_run_cut_anywhere_is_resumed_to_the_same_result(tmp_path: Path, how: dict[str, Any]) -> None:
    records = pool()
    undisturbed = what_counts(select(records, how))
    whole = tmp_path / "whole"
    assert what_counts(select(records, how, checkpoint=whole, threads=1)) == undisturbed
    journal = (whole / "journal").read_bytes()
    assert len(journal) > 40
    for number, cut in enumerate(random.Random(1).sample(range(len(journal) + 1), 12)):
        there = tmp_path / f"cut-{cut}"
        there.mkdir()
        (there / "checkpoint.json").write_bytes((whole / "checkpoint.json").read_bytes())
        (there / "journal").write_bytes(journal[:cut])
        resumed = select(records, how, checkpoint=there, resume=True, threads=1 + number % 3)
        assert what_counts(resumed) == undisturbed, cut
        if how["method"] == "zip":
            assert (there / "journal").read_bytes() == journal


@pytest.mark.parametrize("how", METHODS)
def test_a_resumed_run_has_the_same_manifest(tmp_path: Path, how: dict[str, Any]) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in pool()))
    (tmp_path / "alone").mkdir()
    select(path, how).save(tmp_path / "alone" / "out.jsonl")
    there = tmp_path / "checkpoint"
    select(path, how, checkpoint=there)
    journal = (there / "journal").read_bytes()
    (there / "journal").write_bytes(journal[: len(journal) // 2])
    select(path, how, checkpoint=there, resume=True, threads=1).save(tmp_path / "out.jsonl")
    for name in ("out.jsonl", "out.jsonl.picks.npz", "out.jsonl.manifest.json"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "alone" / name).read_bytes()


@pytest.mark.parametrize(
    "how",
    [
        {"method": "random", "seed": 4},
        {"method": "top", "weight": "score"},
        {"method": "dsir", "target": ["a text", "of some words"]},
        {"method": "zipfit", "target": ["a text", "of some words"]},
        {"method": "density"},
    ],
)
def test_what_takes_no_time_is_done_again(tmp_path: Path, how: dict[str, Any]) -> None:
    undisturbed = what_counts(select(pool(), how))
    assert what_counts(select(pool(), how, checkpoint=tmp_path / "work")) == undisturbed
    assert what_counts(select(pool(), how, checkpoint=tmp_path / "work", resume=True)) == undisturbed
    with pytest.raises(EntropyLawError, match=r"is the checkpoint of another selection: budget\.amount is 33 there"):
        select(pool(), how, checkpoint=tmp_path / "work", resume=True, budget=34)
    remove(tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_resuming_starts_where_there_is_nothing_yet(tmp_path: Path) -> None:
    records = pool()
    began = select(records, {}, checkpoint=tmp_path / "new" / "deeper", resume=True)
    assert what_counts(began) == what_counts(select(records, {}))
    remove(tmp_path / "new" / "deeper")
    assert not (tmp_path / "new" / "deeper").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"resume": False}, "holds a checkpoint already; resume it"),
        ({"k1": 41}, "parameters.k1 is 40 there, and 41 now"),
        ({"budget": 34}, "budget.amount is 33 there, and 34 now"),
        ({"method": "coverage", "k1": None, "k2": None, "k3": None}, 'method is "zip" there, and "coverage" now'),
        ({"weight": "score"}, 'parameters.weight is null there, and "score" now'),
        ({"anchor": [1]}, "parameters.anchor is null there, and {"),
        ({"dedupe": True}, "parameters.dedupe is false there, and true now"),
        ({"render": "json"}, "pool.bytes is"),
    ],
)
def test_another_selection_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    records = pool()
    select(records, METHODS[0], checkpoint=tmp_path)
    with pytest.raises(EntropyLawError, match=message):
        select(records, METHODS[0] | {"checkpoint": tmp_path, "resume": True} | change)


def test_another_pool_version_or_column_is_refused(tmp_path: Path) -> None:
    records = pool()
    how = METHODS[0] | {"weight": "score", "checkpoint": tmp_path}
    select(records, how)
    with pytest.raises(EntropyLawError, match=r"pool\.samples is 120 there, and 119 now"):
        select(records[1:], how, resume=True)
    swapped = [{**records[0], "text": records[0]["text"][::-1]}, *records[1:]]
    with pytest.raises(EntropyLawError, match=r"pool\.sha256 is"):
        select(swapped, how, resume=True)
    with pytest.raises(EntropyLawError, match=r"fingerprints\.weights is"):
        select([{**records[0], "score": 100}, *records[1:]], how, resume=True)
    header = json.loads((tmp_path / "checkpoint.json").read_text())
    (tmp_path / "checkpoint.json").write_text(json.dumps(header | {"entropylaw": "0.0.9"}))
    with pytest.raises(EntropyLawError, match=r'entropylaw is "0\.0\.9" there'):
        select(records, how, resume=True)
    (tmp_path / "checkpoint.json").write_text("{")
    with pytest.raises(
        EntropyLawError,
        match=r"checkpoint\.json: is not a checkpoint of entropylaw: it is not JSON; name another directory",
    ):
        select(records, how, resume=True)


def test_a_journal_of_something_else_is_refused(tmp_path: Path) -> None:
    records = pool()
    for name, how in (("zip", METHODS[0]), ("coverage", METHODS[2])):
        select(records, how, checkpoint=tmp_path / name)
    journals = {name: (tmp_path / name / "journal").read_bytes() for name in ("zip", "coverage")}
    for name, how, other in (("zip", METHODS[0], "coverage"), ("coverage", METHODS[2], "zip")):
        (tmp_path / name / "journal").write_bytes(journals[other])
        with pytest.raises(EntropyLawError, match="its records are not those of this selection"):
            select(records, how, checkpoint=tmp_path / name, resume=True)


def split(journal: bytes) -> list[bytes]:
    """The records of a journal: each its length in four bytes, so many bytes, and a checksum of eight."""
    assert journal.startswith(JOURNAL_HEADER)
    journal = journal.removeprefix(JOURNAL_HEADER)
    records = []
    while journal:
        end = 4 + int.from_bytes(journal[:4], "little") + 8
        records.append(journal[:end])
        journal = journal[end:]
    return records


def numbered(records: list[bytes]) -> bytes:
    """A journal of these records, numbered as they follow each other now, with the checksums that go with that."""
    journal = JOURNAL_HEADER
    for number, record in enumerate(records):
        whole = record[:4] + number.to_bytes(8, "little") + record[12:-8]
        checksum = 0xCBF29CE484222325
        for byte in whole:
            checksum = (checksum ^ byte) * 0x100000001B3 & (1 << 64) - 1
        journal += whole + checksum.to_bytes(8, "little")
    return journal


def picks_one_by_one(journal: list[bytes]) -> list[bytes]:
    """Records of coverage's picks, one to each; all numbers in them take a byte."""
    picks = [pick for record in journal for pick in record[14:-8]]
    return split(numbered([bytes([11, 0, 0, 0, *bytes(8), 16, 1, pick, *bytes(8)]) for pick in picks]))


@pytest.mark.parametrize("renumber", [False, True])
@pytest.mark.parametrize("how", METHODS)
def test_records_out_of_order_give_the_same_result_or_none(tmp_path: Path, how: dict[str, Any], renumber: bool) -> None:
    """Whatever record is repeated, missing or in another's place, even if it says that it is in its own."""
    records = pool()
    undisturbed = select(records, how)
    whole = tmp_path / "whole"
    select(records, how, checkpoint=whole)
    journal = (whole / "journal").read_bytes()
    written = split(journal)
    assert numbered(written) == journal
    if how["method"] == "coverage":
        # Picks are written as time passes.
        written = picks_one_by_one(written)
    count = len(written)
    assert count > 3
    swaps = [(a, b) for a in range(count) for b in range(a)]
    changed = {f"repeated {at}": [*written[: at + 1], *written[at:]] for at in range(count)}
    changed |= {f"missing {at}": [*written[:at], *written[at + 1 :]] for at in range(count)}
    for a, b in random.Random(7).sample(swaps, 6):
        changed[f"swapped {a}, {b}"] = list(written)
        changed[f"swapped {a}, {b}"][a], changed[f"swapped {a}, {b}"][b] = written[b], written[a]
    there = tmp_path / "there"
    there.mkdir()
    (there / "checkpoint.json").write_bytes((whole / "checkpoint.json").read_bytes())
    taken = []
    for name, those in changed.items():
        (there / "journal").write_bytes(numbered(those) if renumber else JOURNAL_HEADER + b"".join(those))
        try:
            resumed = select(records, how, checkpoint=there, resume=True)
        except EntropyLawError as error:
            assert re.match("the checkpoint: its (records|journal) .*; start anew in another directory$", str(error))
            continue
        taken.append(name)
        assert len(set(resumed.indices.tolist())) == len(resumed), name
        if not renumber:
            assert what_counts(resumed) == what_counts(undisturbed), name
    assert not [name for name in taken if name.startswith("repeated")]
    # Nothing tells what misses its last record from what was cut off there.
    assert renumber or taken == [f"missing {count - 1}"]


def test_a_checkpoint_serves_one_process_at_a_time(tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl", reason="locks of files are POSIX's")
    with (tmp_path / "entropylaw.lock").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(EntropyLawError, match="another process is using this checkpoint"):
            select(pool(), {}, checkpoint=tmp_path)


def test_a_checkpoint_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EntropyLawError, match="file: cannot be used for a checkpoint"):
        select(pool(), {}, checkpoint=tmp_path / "file")


def test_the_command_line_resumes_and_cleans_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out, there = tmp_path / "pool.jsonl", tmp_path / "out.jsonl", tmp_path / "work"
    source.write_text("".join(json.dumps(record) + "\n" for record in pool()))
    command = ["select", str(source), "-o", str(out), "--budget", "9", "--checkpoint", str(there), "-q"]
    entropylaw.select(source, budget=9, checkpoint=there)
    assert main(command) == 2
    assert "holds a checkpoint already" in capsys.readouterr().err
    assert main([*command, "--resume"]) == 0
    assert out.exists()
    assert not there.exists()
    assert main([*command[:-3], "--resume", "--force"]) == 2
    assert "resume needs the checkpoint" in capsys.readouterr().err


@pytest.mark.parametrize(("method", "sent"), [("zip", "SIGTERM"), ("coverage", "SIGINT"), ("zip", "SIGKILL")])
def test_a_signal_leaves_a_checkpoint(tmp_path: Path, method: str, sent: str) -> None:
    source, out, there = tmp_path / "pool.jsonl", tmp_path / "out.jsonl", tmp_path / "work"
    chooser = random.Random(3)
    words = ["".join(chooser.choices("abcdefghij", k=chooser.randint(2, 9))) for _ in range(3000)]
    source.write_text("".join(json.dumps({"text": " ".join(chooser.choices(words, k=40))}) + "\n" for _ in range(9000)))
    how: dict[str, Any] = {"method": method, "budget": 8000, "gamma": 0.0}
    if method == "zip":
        how = {"method": method, "budget": 3000, "k1": 1000, "k2": 60, "k3": 30}
    options = [part for name, value in how.items() for part in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "entropylaw", "select", str(source), "-o", str(out), "--checkpoint", str(there)]
    run = subprocess.Popen([*command, *options, "--threads", "1"], stderr=subprocess.PIPE)
    journal = there / "journal"
    deadline = time.monotonic() + 60
    while not (journal.exists() and journal.stat().st_size > 0) and time.monotonic() < deadline:
        time.sleep(0.005)
    run.send_signal(getattr(signal, sent))
    _, said = run.communicate(timeout=30)
    assert run.returncode != 0, "it was over before the signal came"
    assert not out.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pool.jsonl", "work"]
    assert b"go on with --resume" in said or sent == "SIGKILL"
    resumed = entropylaw.select(source, **how, checkpoint=there, resume=True)
    assert what_counts(resumed) == what_counts(entropylaw.select(source, **how))


FOREIGN = {
    "journal": b"dear diary\n",
    "an empty journal": b"",
    "the beginning of a journal": JOURNAL_HEADER[:5],
    "entropylaw.lock": b"locked by another program\n",
    "checkpoint.json": b'{"epoch": 3}\n',
}


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("what", FOREIGN)
def test_only_files_that_carry_our_header_are_ours(tmp_path: Path, what: str, resume: bool) -> None:
    name = "journal" if "journal" in what else what
    there = tmp_path / "work"
    there.mkdir()
    (there / name).write_bytes(FOREIGN[what])
    (there / "lock").write_bytes(b"a file of the user")
    reason = "is no file of a checkpoint of entropylaw"
    if what == "checkpoint.json":
        reason = "is not a checkpoint of entropylaw: it has no 'checkpoint'"
    with pytest.raises(EntropyLawError) as error:
        select(pool(), {}, checkpoint=there, resume=resume)
    assert str(error.value) == f"{there / name}: {reason}; name another directory"
    remove(there)
    assert {path.name: path.read_bytes() for path in there.iterdir()} == {
        name: FOREIGN[what],
        "lock": b"a file of the user",
    }


@pytest.mark.parametrize("name", ["journal", "entropylaw.lock"])
def test_removing_takes_only_what_is_ours(tmp_path: Path, name: str) -> None:
    select(pool(), {}, checkpoint=tmp_path)
    mine = {"journal", "entropylaw.lock", "checkpoint.json"}
    assert {path.name for path in tmp_path.iterdir()} == mine
    ours = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(b"a file of the user")
    (tmp_path / "lock").write_bytes(b"another")
    remove(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == mine | {"lock"}
    (tmp_path / name).write_bytes(ours)
    remove(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"lock": b"another"}


def test_files_of_a_checkpoint_that_are_no_files(tmp_path: Path) -> None:
    for name in ("journal", "entropylaw.lock", "checkpoint.json"):
        there = tmp_path / name
        there.mkdir()
        (there / name).mkdir()
        with pytest.raises(EntropyLawError, match=r"of entropylaw.*; name another directory"):
            select(pool(), {}, checkpoint=there)
        assert [path.name for path in there.iterdir()] == [name]


def test_a_foreign_journal_beside_a_checkpoint_is_not_written(tmp_path: Path) -> None:
    """The core checks the header too."""
    records = pool()
    select(records, {}, checkpoint=tmp_path)
    (tmp_path / "journal").write_bytes(b"dear diary\n" * 9)
    with pytest.raises(EntropyLawError, match=r"journal: is no file of a checkpoint of entropylaw; name another"):
        select(records, {}, checkpoint=tmp_path, resume=True)
    loaded = load(records)
    with pytest.raises(EntropyLawError) as error:
        _core.select(
            "zip",
            loaded.data,
            loaded.offsets[:-1],
            loaded.offsets[1:],
            _core.Controls(3),
            {"preset": "paper", "k1": 9, "k2": 5, "k3": 2},
            journal=tmp_path / "journal",
        )
    journal = tmp_path / "journal"
    assert str(error.value) == f"the checkpoint: {journal}: is no journal of entropylaw; name another directory"
    assert journal.read_bytes() == b"dear diary\n" * 9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"checkpoint": 2},
            "is a checkpoint of format 2, this version reads format 1; start anew in another directory",
        ),
        (
            {"extra": 1},
            "is a damaged checkpoint: object contains unknown field `extra`; start anew in another directory",
        ),
        (
            {"pool": 3},
            "is a damaged checkpoint: expected `object`, got `int` - at `$.pool`; start anew in another directory",
        ),
    ],
)
@pytest.mark.parametrize("resume", [False, True])
def test_headers_that_do_not_fit(tmp_path: Path, change: dict[str, Any], message: str, resume: bool) -> None:
    records = pool()
    select(records, {}, checkpoint=tmp_path)
    header = tmp_path / "checkpoint.json"
    header.write_text(json.dumps(json.loads(header.read_text()) | change))
    with pytest.raises(EntropyLawError) as error:
        select(records, {}, checkpoint=tmp_path, resume=resume)
    assert str(error.value) == f"{header}: {message}"


def test_a_resumed_run_may_find_its_files_elsewhere(tmp_path: Path) -> None:
    lines = "".join(json.dumps(record) + "\n" for record in pool())
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text(lines)
    (tmp_path / "known-a.jsonl").write_text(lines[: lines.index("\n", 300) + 1])
    (tmp_path / "known-b.jsonl").write_text(lines[: lines.index("\n", 300) + 1])
    work = tmp_path / "work"
    first = select(tmp_path / "a.jsonl", METHODS[2], anchor=tmp_path / "known-a.jsonl", checkpoint=work)
    again = select(tmp_path / "b.jsonl", METHODS[2], anchor=tmp_path / "known-b.jsonl", checkpoint=work, resume=True)
    assert first.indices.tolist() == again.indices.tolist()
