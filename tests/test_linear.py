"""Text of any kind is read in time that grows with its length: no expression goes over the same bytes again and again.

Every regular expression of the package is in the table; one that is added fails the first test until it is, too.
"""

import ast
import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.budget import Amount, Budget
from entropylaw.controls.bands import parse_min_score
from entropylaw.controls.quotas import Quotas
from entropylaw.law.logs import read_log
from entropylaw.pool import charset, load
from entropylaw.pool.foreign import check_text
from entropylaw.pool.layouts import array_fault, lines_fault, record_remedy
from entropylaw.pool.split import on_one_line
from entropylaw.saving.stanzas import _scalar
from entropylaw.storage.options import _SECRET
from entropylaw.storage.urls import ending_part, is_url, normalised
from entropylaw.untold import told

PACKAGE = Path(entropylaw.__file__).parent
LENGTH = 20_000


def budget(text: str) -> None:
    with contextlib.suppress(EntropyLawError):
        Budget.parse(text)


def quotas(text: str) -> None:
    Quotas.parse(text)


def quota_of(text: str) -> None:
    Quotas.parse({"a": text})


def json_file(content: bytes, directory: Path) -> None:
    path = directory / "pool"
    path.write_bytes(content)
    load(path, on_error="skip")


def log_file(content: bytes, directory: Path) -> None:
    path = directory / "log"
    path.write_bytes(content)
    read_log(path)


# An expression, as `file:how it begins`; what runs it; and what it is fed with for a length.
WORST: list[tuple[str, Callable[..., Any], Callable[[int], Any]]] = [
    ("split.py:[\\r\\n][ \\t\\r\\n]*", on_one_line, lambda n: b"a" + b" " * n + b"b\nc"),
    ("split.py:[\\r\\n][ \\t\\r\\n]*", on_one_line, lambda n: b"a" + b" \t" * (n // 2) + b"\n" * n + b" " * n),
    ("split.py:[\\r\\n][ \\t\\r\\n]*", on_one_line, lambda n: b"\n a" * n),
    ("json_array", json_file, lambda n: b"[" + b" " * n + b'{"text": "a"}' + b" \n" * n + b"]"),
    ("json_array", json_file, lambda n: b"[" + b" " * n + b'{"text": "a", "x": NaN}' + b" " * n + b"]"),
    ("json_array", json_file, lambda n: b"[" + b'{"text": "a"},\n' * (n // 10) + b'{"text": ""}]'),
    ("json_array", json_file, lambda n: b'["' + b"a\\" * n),
    ("json_array", json_file, lambda n: b"[" + b'{"text": "a"} ' * (n // 10)),
    ("block.py:(?:\\xef\\xbb\\xbf)*", json_file, lambda n: b'{"text": "a"}\n' + b"\xef\xbb\xbf" * n),
    ("charset.py:[\\x80-\\xff]+", charset.likely, lambda n: b"\xe9" * n),
    ("charset.py:[\\x80-\\xff]+", charset.likely, lambda n: b"\xe9 " * n),
    ("charset.py:\\xed[\\xa0-\\xbf]", charset.likely, lambda n: b"\xed\xa0" * n),
    ("stanzas.py:[A-Za-z/][\\w./-]*", _scalar, lambda n: "a" * n + " "),
    ("stanzas.py:[^\\w-]+", _scalar, lambda n: " " * n),
    ("quotas.py:\\s*+(?P<group>", quotas, lambda n: " " * n),
    ("quotas.py:\\s*+(?P<group>", quotas, lambda n: "a" + " " * n + "b"),
    ("quotas.py:\\s*+(?P<group>", quotas, lambda n: '"' * n),
    ("quotas.py:\\s*+(?P<group>", quotas, lambda n: "a=1" + " " * n + "<"),
    ("quotas.py:\\s*+(?P<group>", quotas, lambda n: "a=1" + " 1" * n + "<"),
    ("quotas.py:\\s*+(?P<group>", quota_of, lambda n: "<=" + " " * n),
    ("budget.py:\\s*+(?P<number>", Amount.parse, lambda n: " " * n),
    ("budget.py:\\s*+(?P<number>", Amount.parse, lambda n: "1" * n + "x"),
    ("budget.py:\\s*+(?P<number>", Amount.parse, lambda n: "1%" + " " * n + "x"),
    ("budget.py:\\s*+(?P<number>", Amount.parse, lambda n: "1" + " " * n + "x"),
    ("budget.py:\\s*-\\d+\\s*", budget, lambda n: " " * n + "-" + "1" * n + " " * n + "x"),
    ("budget.py:\\s*\\d+\\s*", Amount.parse, lambda n: " " * n + "1" + " " * n + "x"),
    ("untold.py:(?<![A-Za-z0-9+.-])([A-Za-z]", told, lambda n: "a" * n + " x://"),
    ("untold.py:(?<![A-Za-z0-9+.-])([A-Za-z]", told, lambda n: "ab://" + "." * n),
    ("untold.py:(?<![A-Za-z0-9+.-])([A-Za-z]", told, lambda n: "ab://," * n),
    ("untold.py:(?<![A-Za-z0-9+.-])([A-Za-z]", told, lambda n: "ab://?..." * n + " "),
    ("untold.py:^([^/?#@]*)@", told, lambda n: "http://" + "a" * n),
    ("untold.py:\\?(?:(?:versionId", told, lambda n: "http://a?" + "raw=a&" * n + "b"),
    ("urls.py:([A-Za-z][A-Za-z0-9+.-]+)://", is_url, lambda n: "a" * n),
    ("urls.py:[A-Za-z][A-Za-z0-9+.-]+::", is_url, lambda n: "a::" + ":" * n),
    ("urls.py:[?#]", ending_part, lambda n: "http://a" + "?" * n),
    ("urls.py:@(main", normalised, lambda n: "hf://a" + "@main" * n),
    ("options.py:key|secret", _SECRET.search, lambda n: "ke" * n),
    # No expressions, but loops over data.
    ("bands", parse_min_score, lambda n: " " * n + "a" + " " * n),
    ("logs", log_file, lambda n: b'{"a": ' + b" " * n + b"\n" * n),
    ("records", json_file, lambda n: (b'{"text": "' + b" " * n) + b'"}\n{"text": "b"}\n'),
    ("records", json_file, lambda n: b'{"text": "a"}\n' + b"{'a\n" * (n // 10)),
    ("records", json_file, lambda n: b'{"text": "a"}\n' + b"\xe9\n" * (n // 10)),
    ("records", json_file, lambda n: b'{"a": [' * (n // 100) + b"\n" * n),
    ("layouts", lines_fault, lambda n: b"{\n" * n),
    ("layouts", lines_fault, lambda n: b'{"a": ' + b" " * n + b"\n" * n),
    ("layouts", lines_fault, lambda n: b"a, " * n),
    ("layouts", lambda text: array_fault(text, len(text)), lambda n: "[" + " " * n),
    ("layouts", record_remedy, lambda n: b" " * n + b"," * n),
    ("foreign", lambda head: check_text("x", head), lambda n: b"\x01\n" * n + b"{"),
]


def expressions(path: Path) -> set[str]:
    """The regular expressions in a module; of those that are put together there, that they are."""
    used = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr != "escape"
        ):
            value = node.args[0].value if isinstance(node.args[0], ast.Constant) else "(put together)"
            used.add(f"{path.name}:{value.decode('latin-1') if isinstance(value, bytes) else value}")
    return used


def test_every_expression_is_in_the_table() -> None:
    used = set().union(*map(expressions, PACKAGE.rglob("*.py")))
    # One file name against another.
    used.remove("replaced.py:(put together)")
    known = tuple(name for name, *_ in WORST if ".py:" in name)
    assert [expression for expression in sorted(used) if not expression.startswith(known)] == []
    assert [name for name in known if not any(expression.startswith(name) for expression in used)] == []


def seconds(work: Callable[..., Any], given: Any, directory: Path) -> float:
    best = float("inf")
    for _ in range(3):
        # Of this process alone: others may be at work.
        began = time.process_time()
        try:
            if work in (json_file, log_file):
                work(given, directory)
            else:
                work(given)
        except EntropyLawError:
            pass
        best = min(best, time.process_time() - began)
    return best


@pytest.mark.parametrize(("work", "make"), [row[1:] for row in WORST], ids=[f"{n} {r[0]}" for n, r in enumerate(WORST)])
def test_four_times_the_text_takes_about_four_times_as_long(
    tmp_path: Path, work: Callable[..., Any], make: Callable[[int], Any]
) -> None:
    short, long = (seconds(work, make(size), tmp_path) for size in (LENGTH, 4 * LENGTH))
    # What takes milliseconds is fast, however uneven; work that goes as the square would take seconds.
    assert long < 0.05 or long < 10 * short
