"""Runs what the pages of the documentation show: every command and every line of Python, in order, on small data."""

import contextlib
import glob
import importlib.util
import io
import itertools
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import entropylaw
from conftest import ROOT
from entropylaw import zip_py
from entropylaw.cli import main

PACKAGE = ROOT / "python" / "entropylaw"
DOCS = ROOT / "docs"
FENCE = re.compile(r"^```+ *([^\n]*)\n(.*?)^```+$", re.MULTILINE | re.DOTALL)
SHELL = ("", "console")
OTHER = ("python", "toml", "yaml", "json", "text")

EXIT_CODES = {"entropylaw law check": (0, 3)}
"""Of commands that may end with another code than 0, by how they begin."""

REFUSED = {
    "docs/outputs.md": {
        "replay subset.jsonl.manifest.json --anchor have.jsonl --tokens tokenizer.json": "the run had no anchor"
    }
}
"""What a page shows for runs that were others than its first one, and why it fails after that."""


class Block(NamedTuple):
    """A fenced block of a page."""

    kind: str
    text: str
    line: int


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a page."""
    for match in FENCE.finditer(text):
        yield Block(match[1].strip(), match[2], text.count("\n", 0, match.start()) + 2)


def commands(block: Block) -> Iterator[tuple[str, list[str]]]:
    """The commands of a block of the shell, each with the lines that follow it: what it prints, as the page has it."""
    found: list[tuple[str, list[str]]] = []
    for line in re.sub(r" *\\\n *", " ", block.text).splitlines():
        if line.startswith("$ ") or (block.kind == "" and re.match(r"(entropylaw|python|pip|make) ", line)):
            found.append((line.removeprefix("$ "), []))
        elif found:
            found[-1][1].append(line)
    return iter(found)


def run_page(page: str) -> int:
    """Runs all of a page in the working directory; returns how many commands and blocks that were."""
    names: dict[str, Any] = {
        "entropylaw": entropylaw,
        "R": [2, 3, 4, 5],
        "L": [1.5, 1.4, 1.1, 1.2],
        "Z": [6, 5, 4.2, 3],
    }
    names |= dict.fromkeys(("backbones", "stages"), ["a"] * 4)
    done = 0
    for block in blocks((ROOT / page).read_text()):
        where = f"{page}:{block.line}"
        assert block.kind in SHELL + OTHER, (
            f"{where}: blocks are of the kinds {', '.join(SHELL[1:] + OTHER)}, or of none"
        )
        if block.kind in SHELL:
            for command, printed in commands(block):
                run_command(page, where, command, printed)
                done += 1
        elif block.kind == "python":
            code = compile(block.text, where, "exec")
            done += 1
            if "Trainer(" in block.text or "://" in block.text:
                continue  # Needs a model, or storage: `make test-train` and `make test-storage` have them.
            for path in re.findall(r'(?:save|write_report|write_plot)\((?:\w+, )?"([^"]+)"', block.text):
                remove(path)
            with contextlib.redirect_stdout(io.StringIO()):
                exec(code, names)
        elif block.kind == "toml":
            tomllib.loads(block.text)
            if name := re.match(r"# (\S+\.toml)\n", block.text):
                Path(name[1]).write_text(block.text)
        elif block.kind == "json":
            json.loads(block.text)
        elif block.kind == "yaml" and importlib.util.find_spec("yaml"):
            importlib.import_module("yaml").safe_load(block.text)
    return done


def run_command(page: str, where: str, command: str, printed: list[str]) -> None:
    """Runs a command; what this project can't run here is checked to exist."""
    program, *arguments = shlex.split(command.partition(" | ")[0], comments=True)
    if program == "pip":
        return check_installable(where, arguments)
    if program == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert [name for name in arguments if "=" not in name] and not [
            name for name in arguments if "=" not in name and name not in targets
        ], f"{where}: {command}"
        return None
    if program == "python" and arguments[0] != "-m":
        assert (ROOT / arguments[0]).exists(), f"{where}: {arguments[0]} is not there"
        return None
    if program == "python" and arguments[1] == "entropylaw.demo":
        return None  # A pool is there, a smaller one. `make wheel` runs the quick start word for word.
    if "://" in command:
        return None  # Needs storage: `make test-storage` has servers of its own.
    error = next((line for line in printed if line.startswith("entropylaw: ")), None)
    if not error and "--force" not in arguments:
        for option, value in itertools.pairwise(arguments):
            if option in ("-o", "--output", "--report", "--plot", "--save_path"):
                remove(value)
        if "--no-force" in arguments:
            remove("subset.jsonl")
    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        if program == "python":
            assert arguments[1] == "entropylaw.zip_py", f"{where}: {command}"
            code = zip_py.main(arguments[2:])
        else:
            assert program == "entropylaw", f"{where}: {command}"
            # As the shell does it: a pattern that fits no file stays as it is.
            code = main([path for word in arguments for path in sorted(glob.glob(word)) or [word]])  # noqa: PTH207
    if error:
        assert (code, said.getvalue().strip()) == (2, error), where
    elif refused := REFUSED.get(page, {}).get(shlex.join(arguments)):
        assert code == 2, f"{where}: works, though {refused}"
    else:
        expected = next((codes for head, codes in EXIT_CODES.items() if command.startswith(head)), (0,))
        assert code in expected, f"{where}: {command}\nends with {code}: {said.getvalue()}"
    return None


def check_installable(where: str, arguments: list[str]) -> None:
    """Whether the extras that are to be installed are there."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = re.findall(r"\[([\w,]+)\]", " ".join(arguments))
    unknown = {extra for names in named for extra in names.split(",")} - set(extras)
    assert not unknown, f"{where}: there are no extras {unknown}"


def remove(output: str) -> None:
    """Removes an output of an earlier command of the page, and what lies beside it."""
    for path in Path().glob(f"{glob.escape(output)}*"):
        path.unlink()


def write_inputs(directory: Path) -> None:
    """The files that the pages speak of: text of this package, as turns of two, with all fields that pages name."""
    words = re.findall(r"\S+\s*", "".join(path.read_text() for path in sorted(PACKAGE.glob("*.py"))))
    records = []
    for n in range(0, len(words), 60):
        question, answer = "".join(words[n : n + 20]), "".join(words[n + 20 : n + 60])
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        source = ("gsm8k", "t0", "codealpaca", "toolformer")[n // 60 % 4]
        records.append({"messages": turns, "source": source, "n_tokens": 300_000, "quality": n % 7 / 7})
    lines = [json.dumps(record) for record in records]
    shares = {"pool": 1, "data": 1, "new": 0.9, "v1": 0.5, "v2": 0.6, "v3": 0.3, "dev": 0.2, "have": 0.1, "test": 0.1}
    for name, share in shares.items():
        (directory / f"{name}.jsonl").write_text("\n".join(lines[: round(share * len(lines))]) + "\n")
    (directory / "pool.json").write_text(json.dumps(records))
    for name in ("shards/a.jsonl", "shards/b.jsonl.zst", "elsewhere/pool.jsonl"):
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_bytes((directory / "pool.jsonl").read_bytes())
    (directory / "link.jsonl").symlink_to("pool.jsonl")
    runs = [f"run {n},{2.4 + n / 20},{1.4 - n / 50 + n % 3 / 99},{6 - n / 25 + n % 4 / 99}" for n in range(12)]
    (directory / "runs.csv").write_text("\n".join(["name,R,L,Z", *runs]) + "\n")
    log = directory / "output" / "checkpoint-500" / "trainer_state.json"
    log.parent.mkdir(parents=True)
    entries = [{"step": 10 * n, "loss": 1.4 - n / 200, "epoch": n / 80} for n in range(1, 51)]
    log.write_text(json.dumps({"log_history": entries}))
