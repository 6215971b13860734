"""Rendering by templates: what they see, what they refuse, and that a run is repeated without their file."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.cli import main
from entropylaw.pool import load

pytest.importorskip("minijinja", reason="templates need minijinja")

TURNS = "{% for turn in messages %}{{ turn.role }}: {{ turn.content }}{% if not loop.last %}\n{% endif %}{% endfor %}"
MESSAGES = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "<b>é</b> 😀"}]


@pytest.mark.parametrize(
    ("template", "record", "expected"),
    [
        ("{{ q }} {{ a }}", {"q": "why", "a": "so"}, "why so"),
        (TURNS, {"messages": MESSAGES}, "user: hi\nassistant: <b>é</b> 😀"),
        ("{% if input %}{{ input }}{% endif %}{{ output }}", {"output": "x"}, "x"),
        ("{{ record['a.b'] }}{{ record.self }}", {"a.b": 1, "self": [None]}, "1[None]"),
        ("{{ n }} {{ f }} {{ t|upper }}\n", {"n": 2**60, "f": 0.5, "t": "a"}, f"{2**60} 0.5 A"),
        ("{{ record }}", "bare", "bare"),
    ],
)
def test_what_templates_see(tmp_path: Path, template: str, record: Any, expected: str) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text(json.dumps(record))
    file = tmp_path / "how.jinja"
    file.write_text(template)
    for pool in ([record], path):
        assert load(pool, render=template).sample(0).decode() == expected
        assert load(pool, render=str(file)).sample(0).decode() == expected


def test_rows_of_tables(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="about tables")
    table = pa.table({"q": ["a", "b"], "n": [1, None], "deep": [{"x": [1.5]}, {"x": []}]})
    assert [*map(load(table, render="{{ q }}{{ n }}{{ deep.x[0] }}", on_error="skip").sample, range(1))] == [b"a11.5"]


@pytest.mark.parametrize(
    ("render", "message"),
    [
        ("{{ answer }}", "pool.jsonl:1: the template can't be rendered: undefined value: `answer` is undefined"),
        ("{{ q.x.y }}", "pool.jsonl:1: the template can't be rendered: undefined value"),
        ("a\n{{ q", "the template can't be understood: syntax error"),
        ("{{ q|shout }}", "the template can't be rendered: unknown filter"),
        (
            "{% include 'secret' %}",
            "non-existing template 'secret' (in the template's line 1); a template stands alone: write what it "
            "includes into it",
        ),
        ("none.jinja", "none.jinja: cannot be read"),
        ("plain.jinja", "plain.jinja: is not a template"),
        ("latin.jinja", "latin.jinja: is not UTF-8"),
        ("xml", "no rendering 'xml'"),
    ],
)
def test_what_does_not_fit(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    render: str,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pool.jsonl").write_text('{"q": "a"}\n')
    Path("plain.jinja").write_text("no field")
    Path("latin.jinja").write_bytes(b"{{ q }}\xe9")
    assert main(["ratio", "pool.jsonl", "--render", render]) == 2
    said = capsys.readouterr().err.strip()
    assert message in said
    assert len(said.splitlines()) == 1


def test_replay_needs_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pool.jsonl").write_text("".join(json.dumps({"q": f"{n} " * (n % 7), "n": n}) + "\n" for n in range(40)))
    Path("how.j2").write_text("{{ n }}: {{ q }}")
    assert main(["select", "pool.jsonl", "-o", "out.jsonl", "--budget", "9", "--render", "how.j2", "-q"]) == 0
    Path("how.j2").unlink()
    manifest = json.loads(Path("out.jsonl.manifest.json").read_text())
    assert manifest["parameters"]["render"] == "{{ n }}: {{ q }}"
    assert main(["replay", "out.jsonl.manifest.json", "-q"]) == 0
    assert "the same 9 picks" in capsys.readouterr().out


def test_without_minijinja_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "minijinja", None)
    with pytest.raises(EntropyLawError, match=r"pip install 'entropylaw\[template\]'"):
        entropylaw.select([{"q": "a"}], budget=1, render="{{ q }}")


@pytest.mark.parametrize(
    "template", ["{{ a.strip() }}", "{{ a.index('x') }}", "{{ record.pop('b') }}", "{{ a.sort(1) }}"]
)
def test_what_a_method_raises_is_said_of_the_record(tmp_path: Path, template: str) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text('{"a": []}\n')
    with pytest.raises(EntropyLawError, match=r"pool\.jsonl:1: the template can't be rendered: "):
        load(path, render=template)


def test_a_mark_at_the_start_of_a_file_is_no_text(tmp_path: Path) -> None:
    """Editors on Windows write one; of a BOM in the template itself, who wrote it there knows."""
    file = tmp_path / "how.jinja"
    file.write_text("{{ q }}", encoding="utf-8-sig")
    assert load([{"q": "a"}], render=str(file)).sample(0) == b"a"
    assert load([{"q": "a"}], render="\ufeff{{ q }}").sample(0) == "\ufeffa".encode()
