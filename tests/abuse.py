"""Runs commands with random mistakes, on files that are each other's aliases and disks that are full, and looks at what
they leave: no input changed, no traceback, no records without the manifest that names them. Slow: `make abuse`.
"""

import argparse
import contextlib
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "entropylaw"]
MANIFEST = ".manifest.json"
# The last: Ctrl-C came when all was done, and Python ends as a shell expects of it.
CODES = {0, 2, 3, 130, -signal.SIGINT}


@dataclass
class Run:
    """A command line, and the world that it meets."""

    words: list[str]
    inputs: list[str]
    """The files that it is to read."""
    outputs: list[str] = field(default_factory=list)
    """The names that it is to write to, as they were given."""
    records: str | None = None
    """Of these, that of the records."""
    stdout: str = "pipe"
    environment: dict[str, str] = field(default_factory=dict)
    limit: int | None = None
    """Bytes that a file may have."""
    interrupt: float | None = None
    """Seconds after its first message when Ctrl-C comes."""
    rival: list[str] = field(default_factory=list)
    """Another command line, which runs at the same time."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    failed = campaign(arguments.runs, arguments.seed)
    sys.exit(f"{failed} of {arguments.runs} runs did what none may do" if failed else 0)


def campaign(runs: int, seed: int) -> int:
    """Makes so many runs; returns how many did what none may do."""
    failed = 0
    codes: Counter[int] = Counter()
    with tempfile.TemporaryDirectory() as directory, small_disk(Path(directory)) as small:
        start = Path(directory, "start")
        prepare(start)
        for number in range(runs):
            # Each run alone can be repeated from its number.
            chooser = random.Random(f"{seed} {number}")
            here = Path(directory, "here")
            shutil.copytree(start, here, symlinks=True)
            run = mutated(chooser, here, small)
            before = contents(here)
            code, said = execute(run, here, chooser)
            codes[code] += 1
            if faults := list(found_faults(run, here, before, code, said)):
                failed += 1
                print(f"run {number}: {' '.join(run.words)}\n  {run}\n  exit code {code}: {said.strip()}")
                print("".join(f"  {fault}\n" for fault in faults), flush=True)
            shutil.rmtree(here)
            for left in small.iterdir() if small else ():
                left.unlink()
    ended = ", ".join(f"{count} with {code}" for code, count in sorted(codes.items()))
    print(f"{runs} runs (seed {seed}) ended {ended}; {failed} did what none may do")
    return failed


@contextlib.contextmanager
def small_disk(directory: Path) -> Iterator[Path | None]:
    """A file system of a few kilobytes, where one may be mounted."""
    place = directory / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        print("no small disk can be mounted: full disks are imitated by limits for files alone")
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def prepare(start: Path) -> None:
    """A pool, what else commands read, and older outputs."""
    start.mkdir()
    sources = ["web", "é", "\x1b[31m", "book"]
    rows = [{"text": f"row {n} of {n * n % 97}, {'x' * (n % 13)}", "source": sources[n % 4], "n": n} for n in range(60)]
    lines = [json.dumps(row) + "\n" for row in rows]
    (start / "pool.jsonl").write_text("".join(lines))
    (start / "have.jsonl").write_text("".join(lines[:5]))
    (start / "v2.jsonl").write_text("".join(lines[10:]))
    (start / "d").mkdir()
    for n in range(3):
        (start / "d" / f"part-0000{n}-of-00003.jsonl").write_text("".join(lines[n::3]))
        (start / f"out-0000{n}-of-00003.jsonl").write_text("".join(lines[n::3]))
    (start / "text.jinja").write_text("{{ text }}")
    (start / "run.toml").write_text("threads = 1\n")
    (start / "runs.csv").write_text("R,Z\n" + "".join(f"{2 + n / 5},{6 - n / 4}\n" for n in range(9)))
    (start / "log.jsonl").write_text(
        "".join(json.dumps({"loss": 3 - n / 9, "epoch": n / 8, "step": n}) + "\n" for n in range(1, 9))
    )
    for words in (
        ["select", "pool.jsonl", "-o", "old.jsonl", "--budget", "9", "-q"],
        ["select", "pool.jsonl", "-o", "set.jsonl", "--budget", "9", "--shards", "3", "-q"],
        ["score", "pool.jsonl", "-o", "scores.csv", "-q"],
        ["law", "fit", "runs.csv", "-o", "law.json", "-q"],
    ):
        subprocess.run([*COMMAND, *words], cwd=start, stdout=subprocess.DEVNULL, check=True)


VERBS = ["select"] * 6 + ["score", "replay", "replay", "ratio", "compare", "law fit", "law check", "config"]
POOLS = [
    ["pool.jsonl"],
    ["d"],
    ["d/*.jsonl"],
    ["pool.jsonl", "v2.jsonl"],
    ["out-*.jsonl"],
    ["set-*.jsonl"],
    ["old.jsonl"],
]
NAMES = ["new", "new.jsonl", "d/new.jsonl", "old.jsonl", "set.jsonl", "out.jsonl", "d/part.jsonl", "new.json"]


def mutated(chooser: random.Random, here: Path, small: Path | None) -> Run:
    """A run with up to four mistakes."""
    verb = chooser.choice(VERBS)
    pool = chooser.choice(POOLS)
    read = [str(path.relative_to(here)) for part in pool for path in expanded(here / part)]
    run = Run(verb.split(), [])
    places = [*NAMES, *([f"{small}/new.jsonl"] if small else []), chooser.choice(["pool.jsonl/x", "no/new", "d"])]
    name = chooser.choice(places) if chooser.random() < 0.8 else chooser.choice(read)
    if verb == "config":
        run.words += ["ratio", "--config", "run.toml"]
        run.inputs = ["run.toml"]
    elif verb == "law fit":
        run.words += ["runs.csv", "-o", chooser.choice(["law.json", "runs.csv", "new.json", "link.json"])]
        run.inputs, run.outputs = ["runs.csv"], [run.words[-1]]
    elif verb == "law check":
        run.words += [
            "--law",
            "law.json",
            "--log",
            "log.jsonl",
            *(["--R", "2.5"] if pool == ["d"] else ["--data", *pool]),
        ]
        run.inputs = ["law.json", "log.jsonl", *(read if "--data" in run.words else [])]
    elif verb == "replay":
        manifest = chooser.choice(["old.jsonl", "set.jsonl"])
        run.words += [f"{manifest}{MANIFEST}", "-o", name]
        run.inputs = ["pool.jsonl", f"{manifest}{MANIFEST}", f"{manifest}.picks.npz"]
    elif verb == "score":
        name = chooser.choice([name, "scores.csv", "new.csv", "link.csv"])
        run.words += [*pool, "-o", name]
        run.inputs, run.outputs = read, [name]
    else:
        run.words += pool if verb != "compare" else [pool[0], "pool.jsonl"]
        run.inputs = read if verb != "compare" else [*map(str, expanded(here / pool[0])), "pool.jsonl"]
    if verb in ("select", "replay"):
        run.records = "-" if chooser.random() < 0.08 else spelled(chooser, here, name)
        if verb == "select":
            run.words += ["-o", run.records, "--budget", chooser.choice(["7", "10%", "500B", "90"])]
        else:
            run.words[-1] = run.records
        run.outputs = [run.records, f"{run.records}{MANIFEST}", f"{run.records}.picks.npz"]
        if verb == "select":
            select_options(chooser, run)
    if verb in ("select", "ratio", "compare", "law fit", "law check") and chooser.random() < 0.15:
        end = chooser.choice(["html", "svg"])
        page = chooser.choice([f"new.{end}", f"link.{end}", f"no/new.{end}"])
        run.words += ["--report" if end == "html" else "--plot", page]
        run.outputs.append(page)
    if run.outputs and chooser.random() < 0.85:
        run.words.append("--force")
    for _ in range(chooser.randint(0, 2)):
        alias(chooser, run, here)
    surroundings(chooser, run, here)
    return run


def expanded(path: Path) -> list[Path]:
    if "*" in path.name:
        return sorted(path.parent.glob(path.name))
    return sorted(path.iterdir()) if path.is_dir() else [path]


def spelled(chooser: random.Random, here: Path, name: str) -> str:
    """The name, in one of several ways."""
    return chooser.choice([name, name, name if name.startswith("/") else f"./{name}", f"d/../{name}", str(here / name)])


def select_options(chooser: random.Random, run: Run) -> None:
    for options, inputs in (
        (["--anchor", "have.jsonl"], ["have.jsonl"]),
        (["--render", "text.jinja"], ["text.jinja"]),
        (["--config", "run.toml"], ["run.toml"]),
        (["--shards", chooser.choice(["2", "3", "200B", "99"])], []),
        (["--add-columns", "rank"], []),
        (["--stanza", chooser.choice(["axolotl", "llamafactory"])], []),
        (["--indices-only"], []),
        (["--checkpoint", chooser.choice(["work", "d", ".", "pool.jsonl", "new", "new.jsonl/work"])], []),
        (["--json"], []),
    ):
        if chooser.random() < 0.25:
            run.words += options
            run.inputs += inputs
    for trainer, end in (("axolotl", "axolotl.yml"), ("llamafactory", "dataset_info.json")):
        if trainer in run.words:
            run.outputs.append(f"{run.records}.{end}")


def alias(chooser: random.Random, run: Run, here: Path) -> None:
    """Makes a target, or a shard of the records, another name of some file."""
    targets = [*run.outputs, "out-00000-of-00002.jsonl", "new-00000-of-00002.jsonl", "set-00000-of-00002.jsonl"]
    targets += ["link.html", "link.svg", "link.json", "link.csv"]
    link = here / chooser.choice([target for target in targets if target != "-"])
    others = [*run.inputs, *run.outputs, "pool.jsonl", "old.jsonl", f"old.jsonl{MANIFEST}", "nowhere", "d", "link.json"]
    to = here / chooser.choice(others)
    with contextlib.suppress(OSError):
        if link.is_symlink() or not link.exists():
            link.unlink(missing_ok=True)
            if chooser.random() < 0.5:
                link.symlink_to(to)
            else:
                os.link(to, link)


def surroundings(chooser: random.Random, run: Run, here: Path) -> None:
    """A disk or an output that is full, Ctrl-C, or none of these."""
    what = chooser.choice(
        ["plain"] * 6
        + ["full", "closed", "gone", "input", "target", "ascii", "limit", "limit", "signal", "rival", "rival"]
    )
    if what in ("full", "closed", "gone"):
        run.stdout = what
    elif what in ("input", "target"):
        files = [name for name in (run.inputs if what == "input" else run.outputs) if (here / name).is_file()]
        run.stdout = chooser.choice(files or ["pipe"])
    elif what == "ascii":
        run.environment = {"PYTHONIOENCODING": "ascii"}
    elif what == "limit":
        run.limit = chooser.choice([0, 100, 500, 1000, 2000, 4000])
    elif what == "rival":
        # With other options, if there are any, to the same outputs.
        run.rival = [word for word in run.words if word != "--add-columns" and word != "rank"]
        if "--budget" in run.rival:
            run.rival[run.rival.index("--budget") + 1] = chooser.choice(["5", "20%"])
        if chooser.random() < 0.5 and "--shards" in run.rival:
            at = run.rival.index("--shards")
            del run.rival[at : at + 2]
    elif what == "signal":
        run.interrupt = chooser.uniform(0, 0.05)


def contents(here: Path) -> dict[str, str]:
    """The hashes of all files, by name."""
    found = {}
    for place, _, names in os.walk(here):
        for name in names:
            path = Path(place, name)
            if path.is_file():
                found[str(path.relative_to(here))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def execute(run: Run, here: Path, chooser: random.Random) -> tuple[int, str]:
    """The exit code, and what was said."""

    def prepare_child() -> None:
        if run.stdout == "closed":
            os.close(1)
        if run.limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (run.limit, run.limit))

    how: dict[str, Any] = {"cwd": here, "env": os.environ | run.environment, "preexec_fn": prepare_child}
    with contextlib.ExitStack() as stack:
        if run.stdout in ("pipe", "closed"):
            how["stdout"] = stack.enter_context(tempfile.TemporaryFile())
        elif run.stdout == "gone":
            read, write = os.pipe()
            os.close(read)
            how["stdout"] = stack.enter_context(os.fdopen(write, "wb"))
        else:
            name = Path("/dev/full") if run.stdout == "full" else here / run.stdout
            how["stdout"] = stack.enter_context(name.open("ab"))
        rivals = []
        if run.rival:
            rivals = [
                subprocess.Popen([*COMMAND, *run.rival], cwd=here, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            ]
        process = subprocess.Popen([*COMMAND, *run.words], stderr=subprocess.PIPE, **how)
        assert process.stderr is not None
        said = b""
        if run.interrupt is not None:
            said = process.stderr.readline()
            time.sleep(run.interrupt)
            process.send_signal(signal.SIGINT)
        said += process.communicate(timeout=120)[1]
        for rival in rivals:
            said += rival.communicate(timeout=120)[1]
    # What was refused to one may have been written by the other.
    code = min([process.returncode, *(rival.returncode for rival in rivals)], key=abs) if rivals else process.returncode
    return code, said.decode(errors="replace")


def found_faults(run: Run, here: Path, before: dict[str, str], code: int, said: str) -> Iterator[str]:
    """What the run did that none may do."""
    after = contents(here)
    if code not in CODES and not (code == 1 and run.stdout == "gone"):
        yield f"ends with {code}"
    if "Traceback" in said or "Exception ignored" in said:
        yield "shows a traceback"
    for name in run.inputs:
        if before.get(name) != after.get(name):
            yield f"changed its input {name}"
    own = {os.path.realpath(here / name) for name in run.outputs}
    for name, content in before.items():
        if after.get(name) != content and os.path.realpath(here / name) not in own and not is_old(run, here, name):
            yield f"changed {name}, which it was not told to write"
    work = os.path.normpath(run.words[run.words.index("--checkpoint") + 1]) if "--checkpoint" in run.words else "/"
    changed = {name for name in after if before.get(name) != after[name]}
    yield from (f"left {name}" for name in sorted(changed) if name.endswith(".tmp"))
    new = {name for name in changed if not name.startswith(f"{work}/") and os.path.realpath(here / name) not in own}
    yield from (f"made {name}" for name in sorted(new) if not is_old(run, here, name))
    if run.records not in (None, "-"):
        yield from without_manifest(run, here, changed, code)


def is_old(run: Run, here: Path, name: str) -> bool:
    """Whether a file has the name of the records, or of a shard of them."""
    if run.records is None:
        return False
    records = Path(os.path.normpath(here / run.records))
    file = here / name
    return file.parent == records.parent and (file == records or file.name.startswith(f"{records.stem}-0"))


def without_manifest(run: Run, here: Path, changed: set[str], code: int) -> Iterator[str]:
    assert run.records is not None
    records = Path(os.path.normpath(here / run.records))
    written = {name for name in changed if is_old(run, here, name)}
    # A link to the records is no file of its own.
    written -= {name for name in written if (here / name).is_symlink() and here / name != records}
    manifest = Path(f"{records}{MANIFEST}")
    if code == 0 and not manifest.is_file():
        yield "ended well without a manifest"
    if not written:
        return
    if not manifest.is_file():
        yield f"left {', '.join(sorted(written))} without a manifest"
        return
    named = {file["name"]: file["sha256"] for file in json.loads(manifest.read_bytes())["output"]["files"]}
    for name, content in named.items():
        path = records.with_name(name)
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != content:
            yield f"its manifest names {name}, which is another file"
    yield from (
        f"left {name}, which its manifest does not name" for name in sorted(written) if Path(name).name not in named
    )


if __name__ == "__main__":
    main()
