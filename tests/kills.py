"""Kills `entropylaw select` at random moments and resumes it until it is through: what it writes must be, to the byte,
what a run left alone writes, manifest included. Slow: `make kills POOL=file.jsonl KILLS=30`.
"""

import argparse
import hashlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = {
    "zip": ["--budget", "2%"],
    "coverage": ["--method", "coverage", "--budget", "4% bytes"],
    "zip, controls": ["--budget", "1% bytes", "--quota", "*<=60%", "--dedupe", "--length-band", "30:"],
    "coverage, controls": ["--method", "coverage", "--budget", "2% bytes", "--quota", "*<=60%", "--unit", "word"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pool", type=Path)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chooser = random.Random(arguments.seed)
    for number, (name, options) in enumerate(RUNS.items()):
        kills = arguments.kills * (number + 1) // len(RUNS) - arguments.kills * number // len(RUNS)
        with tempfile.TemporaryDirectory() as directory:
            campaign(name, [str(arguments.pool), *options], kills, chooser, Path(directory))


def campaign(name: str, options: list[str], kills: int, chooser: random.Random, directory: Path) -> None:
    began = time.monotonic()
    output, alone = directory / "out.jsonl", directory / "alone" / "out.jsonl"
    alone.parent.mkdir()
    run = start(alone, options)
    if run.wait() != 0:
        sys.exit(f"{name}: a run left alone fails")
    took = time.monotonic() - began
    expected = outcome(alone)
    killed = finished = 0
    while killed < kills:
        checkpoint = directory / "checkpoint"
        resumes = 0
        while True:
            threads = str(chooser.choice([1, 2, 8]))
            run = start(output, [*options, "--checkpoint", str(checkpoint), "--resume", "--threads", threads])
            # Late more often than not: what is worth resuming has to be there.
            try:
                run.wait(chooser.uniform(0, took * 1.2) if killed < kills else None)
            except subprocess.TimeoutExpired:
                run.send_signal(signal.SIGKILL)
                run.wait()
                killed, resumes = killed + 1, resumes + 1
                check_nothing_half(directory, output, expected)
                continue
            if run.returncode != 0:
                sys.exit(f"{name}: exit code {run.returncode} after {resumes} kills")
            break
        if outcome(output) != expected:
            sys.exit(f"{name}: another result after {resumes} kills")
        finished += 1
        for left in directory.glob("out.jsonl*"):
            left.unlink()
    print(f"{name}: {killed} kills, {finished} runs resumed to the result of the run left alone ({took:.1f} s)")
    print(f"  sha256 of its manifest: {expected[-1]}", flush=True)


def start(output: Path, options: list[str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "entropylaw", "select", "-q", "--force", *options, "-o", str(output)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def outcome(output: Path) -> list[str]:
    """Hashes of the records, of the archive of the picks, and of the manifest."""
    files = [output, Path(f"{output}.picks.npz"), Path(f"{output}.manifest.json")]
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def check_nothing_half(directory: Path, output: Path, expected: list[str]) -> None:
    """What can be seen after a kill is whole."""
    if output.exists() and hashlib.sha256(output.read_bytes()).hexdigest() != expected[0]:
        sys.exit(f"{output}: half an output after a kill")
    if Path(f"{output}.manifest.json").exists():
        if outcome(output) != expected:
            sys.exit(f"{output}: a manifest beside other files after a kill")
        # The kill came after the last rename: the run was done.
        for left in directory.glob("out.jsonl*"):
            left.unlink()


if __name__ == "__main__":
    main()
