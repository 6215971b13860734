"""The default pool, and a first selection from it: ``python -m entropylaw.demo``.

The pool is made on the spot of real text that every machine has: the functions of the Python standard library, each
with its docstring as the instruction and its source as the answer. ``--pool FILE`` makes the pool and stops there.
"""

import argparse
import ast
import json
import sys
import sysconfig
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

_NOT_THE_LIBRARY = {"site-packages", "dist-packages", "test", "tests", "idle_test", "lib2to3", "__pycache__"}
_BUDGET = "10%"


def stdlib_records() -> Iterator[dict[str, str]]:
    """A record for every function of the standard library that has a docstring, in the order of modules and lines."""
    library = Path(sysconfig.get_path("stdlib"))
    for path in sorted(library.rglob("*.py")):
        parts = path.relative_to(library).parts
        if not _NOT_THE_LIBRARY.intersection(parts):
            yield from _functions(path, ".".join(parts).removesuffix(".py"))


def _functions(path: Path, module: str) -> Iterator[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, UnicodeDecodeError):
        return  # A template, or an example of what Python can't read.
    lines = text.split("\n")  # As the parser counts them: form feeds and U+2028 end no line.
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for node in sorted(found, key=lambda node: node.lineno):
        docstring = ast.get_docstring(node)
        if not docstring or len(node.body) == 1:
            continue
        head = lines[node.lineno - 1 : node.body[0].lineno - 1]
        body = lines[node.body[0].end_lineno or node.lineno : node.end_lineno]
        answer = textwrap.dedent("\n".join(head + body))
        yield {"instruction": f"{module}: {docstring}", "input": "", "output": answer, "source": module.split(".")[0]}


def write_pool(path: Path) -> int:
    """Writes the default pool as JSON Lines; returns the number of records.

    Raises
    ------
    EntropyLawError
        If there is a file already that holds something else, or it can't be written.
    """
    from entropylaw.errors import EntropyLawError
    from entropylaw.output import replacing

    lines = [json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in stdlib_records()]
    content = b"".join(lines)
    if not path.exists():
        with replacing(path, force=False) as file:
            file.write(content)
    elif not path.is_file() or path.read_bytes() != content:
        raise EntropyLawError(
            f"{path}: is not the pool of this Python's library; move it away, or name another file (--pool) or "
            "directory (--dir)"
        )
    return len(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Makes the pool and selects from it with both presets; returns the exit code."""
    from entropylaw import cli

    parser = argparse.ArgumentParser(prog="python -m entropylaw.demo", description=__doc__)
    parser.add_argument("--dir", type=Path, default=Path("demo"), help="where the files go [demo]")
    parser.add_argument("--pool", type=Path, metavar="FILE", help="only make the pool, as FILE")
    arguments = parser.parse_args(argv)
    directory = arguments.dir

    def make_pool() -> None:
        pool.parent.mkdir(parents=True, exist_ok=True)
        print(f"making the pool of this Python's standard library: {write_pool(pool):,} functions in {pool}")

    pool = arguments.pool or directory / "pool.jsonl"
    code = cli.command(make_pool)
    if arguments.pool:
        return code
    for preset in ("paper", "reference"):
        output = directory / f"{preset}.jsonl"
        # A k1 that the pool can fill in every round, as the reference demands.
        options = ["--budget", _BUDGET, "--preset", preset, "--k1", "1000"]
        # What an earlier demo has selected.
        options += ["--force"] if Path(f"{output}.manifest.json").exists() else []
        if not code:
            print(f"\nentropylaw select {pool} -o {output} {' '.join(options)}", flush=True)
            code = cli.main(["select", str(pool), "-o", str(output), *options])
    return code


if __name__ == "__main__":
    sys.exit(main())
