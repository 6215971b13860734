"""What is shown to people: data never command a terminal, break a line, or fill the screen."""

import json
import logging
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import entropylaw
from entropylaw import EntropyLawError, cli
from entropylaw.display import display, short
from entropylaw.saving.stanzas import Fields, stanza

# Colours, the title, a beep; C1; a line's end in four ways; bidirectional overrides; no width; no character.
HOSTILE = "\x1b[31m\x1b]0;owned\x07\x9b31m\n\r\x85\u2028\u202e\u2066\u200b\ufeff\x7f\x00\ud83d"
SHOWN = r"\x1b[31m\x1b]0;owned\x07\x9b31m\n\r\x85\u2028\u202e\u2066\u200b\ufeff\x7f\x00\ud83d"  # As Python writes it.


@given(st.text(st.characters(), max_size=60))
def test_what_is_shown_is_printable(text: str) -> None:
    shown = display(text)
    assert all(character.isprintable() or character.isspace() for character in shown)
    assert len(shown.splitlines()) <= 1
    assert display(shown) == shown
    assert len(short(text, 20)) <= 20
    if text.isprintable():
        assert shown == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (HOSTILE, SHOWN),
        ("é 日本語\u3000🎉 \u00a0", "é 日本語\u3000🎉 \u00a0"),
        (os.fsdecode(b"a\xff"), r"a\udcff"),
        ("a\\nb", "a\\nb"),
    ],
)
def test_escapes(text: str, shown: str) -> None:
    assert display(text) == shown


def test_long_names_are_cut() -> None:
    assert short("a" * 40) == "a" * 40
    assert short("a" * 41) == "a" * 39 + "…"
    assert short("\x1b" * 20) == "\\x1b" * 9 + "\\x1…"


def test_errors_are_one_safe_line() -> None:
    assert str(EntropyLawError(f"{HOSTILE}: is bad")) == f"{SHOWN}: is bad"
    with pytest.raises(EntropyLawError) as raised:
        entropylaw.ratio("pool\x1b31m\n.jsonl")
    assert str(raised.value) == r"pool\x1b31m\n.jsonl: no such file"


NAME = "p\x1b[31m\n\u202e\x9b.jsonl"
RECORD = {"text": f"text {HOSTILE[:-1]}", "source": HOSTILE[:-1]}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path(NAME).write_text("".join(json.dumps(RECORD | {"n": n, "text": RECORD["text"] * n}) + "\n" for n in range(9)))
    turns = [{"role": f"r{HOSTILE[:-1]}", "content": "text"}, {"role": "user", "content": "more"}]
    Path("turns.jsonl").write_text(json.dumps({"messages": turns}) + "\n")
    Path("log\x1b[31m.jsonl").write_text('{"loss": 2.0, "epoch": 0.5}\n{"loss": 1.0, "epoch": 1.0}\n')
    Path("runs.csv").write_text(
        "name,R,Z,stage\n" + "".join(f"v\x1b[31m{n},{2 + n / 5},{6 - n / 4},s\x1b\n" for n in range(9))
    )
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["select", NAME, "-o", f"out{NAME}", "--budget", "5"],
        ["select", NAME, "-o", f"out{NAME}", "--budget", "5", "--quota", "*<=5"],
        ["select", NAME, "-o", f"out{NAME}", "--budget", "5", "--json"],
        ["select", NAME, "-o", "out", "--budget", "500000000 samples"],
        ["select", NAME, "-o", "out", "--budget", "5", "--min-score", "\x1b[31m>=5"],
        ["select", NAME, "-o", "out", "--budget", "5", "--group-by", "\x1b[31m"],
        ["select", "turns.jsonl", "-o", "out.jsonl", "--budget", "1", "--stanza", "llamafactory"],
        ["select", "turns.jsonl", "-o", "out.jsonl", "--budget", "1", "--stanza", "axolotl"],
        ["select", NAME, "-o", f"no/out{NAME}", "--budget", "5"],
        ["select", NAME, "-o", NAME, "--budget", "5"],
        ["select", NAME, "-o", "out.\x1b[31m", "--budget", "5"],
        ["select", "turns.jsonl", "-o", "out", "--budget", "1", "--field", "\x1b[31m\u202e"],
        ["score", NAME, "-o", f"{NAME}.csv"],
        ["ratio", NAME],
        ["ratio", NAME, "--json"],
        ["ratio", f"no{NAME}"],
        ["ratio", NAME, "--codec", "\x1b[31m"],
        ["ratio", NAME, "--render", "{{ \x1b[31m }}"],
        ["compare", NAME, "turns.jsonl"],
        ["compare", NAME, NAME],
        ["law", "fit", "runs.csv", "-o", "law.json"],
        ["law", "loss", "log\x1b[31m.jsonl"],
        ["law", "loss", "log\x1b[31m.jsonl", "--json"],
        ["config", "ratio", NAME, "--field", "\u202e\x9b\x7f"],
        ["config", "\x1b[31m"],
        ["replay", NAME],
    ],
    ids=lambda arguments: re.sub(r"\W+", " ", " ".join(arguments)),
)
def test_no_command_prints_what_a_terminal_obeys(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    code = cli.main(arguments)
    said = capsys.readouterr()
    text = (said.out + said.err).replace("\n", "")
    assert text.isprintable(), repr(text)
    assert code in (0, 2)
    if code:
        assert said.err.splitlines()[-1].startswith("entropylaw: ")


def test_roles_in_warnings(caplog: pytest.LogCaptureFixture) -> None:
    fields = Fields("openai", names={"messages"}, turn_keys={"role", "content"}, roles=Counter(["user", "\x1b[31m"]))
    with caplog.at_level(logging.WARNING, "entropylaw"):
        stanza("llamafactory", "out.jsonl", ["out.jsonl"], fields)
    assert caplog.messages == [r"LLaMA-Factory knows one name for each role, and skips records with \x1b[31m"]


def test_what_is_printed_as_toml_reads_back(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["config", "ratio", NAME, "--field", '\u202e\x9b\x7f"\\']) == 0
    Path("again.toml").write_text(capsys.readouterr().out)
    assert cli.main(["config", "ratio", "--config", "again.toml"]) == 0
    assert capsys.readouterr().out == Path("again.toml").read_text()


SOURCES: dict[str, Any] = {
    "a number": 7,
    "a list": ["web", 7],
    "an object": {"name": "web", "rank": 1},
    "a sentence": "From the web, " + "on and on " * 500,
}


@pytest.mark.parametrize("kind", SOURCES)
def test_sources_of_any_kind_fit_the_screen(here: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    records = [{"text": f"text {n}", "source": SOURCES[kind]} for n in range(5)]
    Path("odd.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    assert cli.main(["ratio", "odd.jsonl", "-q"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) < 130
    assert cli.main(["select", "odd.jsonl", "-o", "out", "--budget", "3", "--quota", "*<=3", "-q"]) == 0
    assert max(len(line) for line in capsys.readouterr().out.splitlines() if not line.startswith("written")) < 130


def test_thousands_of_groups_are_counted(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A source of its own for each record but for some that are larger."""
    records = [{"text": f"text {n}", "source": f"group {n}" if n > 60 else f"large {n % 20}"} for n in range(2000)]
    Path("many.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    assert cli.main(["ratio", "many.jsonl", "-q", "--quick"]) == 0
    lines = capsys.readouterr().out.splitlines()
    groups = [line for line in lines if "  large " in line or "  group " in line]
    assert len(groups) == 30 and sum("  large " in line for line in groups) == 20
    ratios = [float(line.split()[0]) for line in groups]
    assert ratios == sorted(ratios)
    assert "and 1,929 groups more, of fewer samples: --json has them" in lines
    assert cli.main(["ratio", "many.jsonl", "-q", "--quick", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["by_source"]) == 1959
    assert cli.main(["select", "many.jsonl", "-o", "out", "--budget", "1900", "-q", "--method", "coverage"]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("sources"))
    assert len(line) < 130
    assert re.search(r", and 1,[89]\d\d more$", line)
