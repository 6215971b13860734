"""Templates that are compiled: what minijinja makes of the same records."""

import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entropylaw import EntropyLawError, _core
from entropylaw.pool import load
from entropylaw.pool.render import Renderer
from test_line_reader import told

pytest.importorskip("minijinja", reason="templates need minijinja")

keys_of = _core.RecordReader.template_keys

CHAT = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' }}"
    "{% if not loop.last %}\n{% endif %}{% endfor %}\n"
)
COMPILED = {
    "{{ question }} {{ answer }}": ["answer", "question"],
    "plain": [],
    "Q: {{q}}\r\nA: {{ record['a.b'] }}\r\n": ["a.b", "q", "record"],
    "{{ prompt }}\n{{ chosen[-1].content }}\n{{ rejected[-1]['content'] }}": ["chosen", "prompt", "rejected"],
    "{% if input %}{{ input }}\n{% endif %}{{ output }}": ["input", "output"],
    "{%- if a == 'x' and not b.c or d -%} 1 {%- elif a != b -%} 2 {%- else -%} 3 {%- endif -%}": ["a", "b", "d"],
    "{% for t in turns -%} {{ loop.index }}. {{ t }} {#- its text -#} {% endfor %}": ["turns"],
    "{% for row in rows %}{% for cell in row %}{{ cell }}{% if not loop.last %}, {% endif %}{% endfor %}{% endfor %}": [
        "rows"
    ],
    CHAT: ["messages"],
    "{{ a ~ \" it's\\t\" ~ b.c }}": ["a", "b"],
    "{{ loop }}": ["loop"],
}  # fmt: skip
"""Templates that are compiled, with the keys that they look at."""
OTHERS = [
    "{{ a | upper }}", "{{ a.strip() }}", "{% set x = a %}{{ x }}", "{% raw %}{{ a }}{% endraw %}",
    "{{ a if b else c }}",
    "{% for a, b in c %}{% endfor %}", "{% for a in b if a %}{% endfor %}", "{% for a in b %}{% else %}{% endfor %}",
    "{% if a is defined %}{% endif %}", "{% if a in b %}{% endif %}", "{{ a[b] }}", "{{ a[1:] }}", "{{ 1 }}",
    "{{ a + 1 }}",
    "{{ record }}", "{{ a.items }}", "{% if items %}{% endif %}",
    "{{ record['__class__'] }}", "{{ true }}", "{{ none }}", "{{ range }}",
    "{{ 'a' 'b' }}",
    "{{ '\\u00e9' }}", "{{ é }}", "{{ a.0 }}", "{% if (a) %}{% endif %}", "{{ a }}\r",
    "{% for loop in a %}{% endfor %}",
    "{% for a in b %}{{ loop.length }}{% endfor %}", "{% if a > 'b' %}{% endif %}", "{% macro a() %}{% endmacro %}",
]  # fmt: skip
"""Templates that are not."""

NAMES = st.sampled_from(["a", "b", "c", "record", "loop", "items"])
KEYS = st.sampled_from(["a", "b", "content", "x.y"])
STEPS = st.lists(
    st.one_of(
        st.sampled_from([".a", ".b", ".content", "['x.y']", '["a"]', "[0]", "[-1]", "[1]", ".items", "[ 'b' ]"]),
        st.sampled_from(["[0]", ".a"]),
    ),
    max_size=2,
).map("".join)
TERMS = st.one_of(
    st.builds(str.__add__, NAMES | st.sampled_from(["x", "y"]), STEPS),
    st.sampled_from(["'a'", '"b"', "'\\n'", "''", "loop.last", "loop.index", "loop.index0", "loop.first"]),
)
TESTS = st.recursive(
    TERMS | st.tuples(TERMS, st.sampled_from([" == ", "!="]), TERMS).map("".join),
    lambda test: test.map("not {}".format) | st.tuples(test, st.sampled_from([" and ", " or "]), test).map("".join),
    max_leaves=3,
)
MARKS = st.sampled_from(["", "-"])
PARTS = st.one_of(
    st.sampled_from(
        ["text", " ", "\n", " \n ", "é", "{", "}", "%}", "}}", "{# c #}", "{#- c -#}", "\r\n", "\u3000", "'"]
    ),
    st.builds("{{{{{} {} {}}}}}".format, MARKS, st.lists(TERMS, min_size=1, max_size=2).map(" ~ ".join), MARKS),
    st.builds("{{{{{}}}}}".format, st.lists(TERMS, min_size=2, max_size=3).map("+".join)),
    st.builds("{{{{{}}}}}".format, TERMS),
)


def blocks(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    some = st.lists(parts, max_size=3).map("".join)
    return st.one_of(
        st.builds(
            "{{%{} for {} in {} {}%}}{}{{%{} endfor %}}".format,
            MARKS, NAMES | st.sampled_from(["x", "y"]), TERMS, MARKS, some, MARKS,
        ),
        st.builds("{{% if {} %}}{}{{% endif {}%}}".format, TESTS, some, MARKS),
        st.builds(
            "{{% if {} -%}}{}{{% elif {} %}}{}{{%- else %}}{}{{% endif %}}".format, TESTS, some, TESTS, some, some,
        ),
    )  # fmt: skip


TEMPLATES = st.lists(st.recursive(PARTS, blocks, max_leaves=4), min_size=1, max_size=5).map("".join)
LEAVES = st.sampled_from(["", "a", "b", "é😀", "<&>", "a\nb", None, 0, 1, -7, True, False, 2**70, 1.5, "a "])
VALUES = st.recursive(
    LEAVES,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(KEYS | st.just("items"), part, max_size=3),
    max_leaves=5,
)
TURNS = st.lists(st.fixed_dictionaries({"a": LEAVES}, optional={"b": LEAVES, "content": LEAVES}), max_size=3)
RECORDS = st.fixed_dictionaries({}, optional={"a": VALUES | LEAVES, "b": VALUES | TURNS, "c": VALUES})
RECORDS |= st.dictionaries(NAMES | KEYS | st.sampled_from(["x", "y"]), VALUES, max_size=4)


def outcome(pool: Any, begin: str, template: str) -> Any:
    try:
        return told(load(pool, render=template, on_error="skip", group_by="group"), begin)
    except EntropyLawError as error:
        return str(error)


def same_as_minijinja(pool: Any, begin: str, template: str) -> None:
    if keys_of(template) is None:
        # Rendered by minijinja, which may show where in memory something lies.
        return
    found = outcome(pool, begin, template)
    with patch.object(Renderer, "compiled", lambda self: None):
        assert found == outcome(pool, begin, template)


@given(TEMPLATES | st.sampled_from([*COMPILED]), st.lists(RECORDS | VALUES, min_size=2, max_size=6))
def test_lines(tmp_path_factory: pytest.TempPathFactory, template: str, records: list[Any]) -> None:
    # A text that is no template is none for minijinja either.
    template += "{{ 'end' }}"
    path = tmp_path_factory.mktemp("lines") / "pool.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    same_as_minijinja(path, str(path), template)


CELLS = {
    "a": st.sampled_from(["", "a", "b", None, "é"]),
    "b": st.lists(st.fixed_dictionaries({"a": st.sampled_from(["x", None, ""]), "content": st.just("c")}), max_size=3),
    "c": st.sampled_from([0, 1, None, -5]),
    "record": st.just("r"),
    "items": st.lists(st.lists(st.sampled_from(["a", ""]), max_size=2), max_size=2),
    "x": st.fixed_dictionaries({"a": st.sampled_from([1, None]), "b": st.booleans(), "x.y": st.just("z")}) | st.none(),
    "y": st.sampled_from([0.5, 2.0]),
}


@given(TEMPLATES, st.data())
def test_tables(template: str, data: st.DataObject) -> None:
    pa = pytest.importorskip("pyarrow", reason="about tables")
    names = data.draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=1, unique=True))
    rows = data.draw(st.integers(1, 4))
    columns = {name: pa.array(data.draw(st.lists(CELLS[name], min_size=rows, max_size=rows))) for name in names}
    columns["when"] = pa.array([0] * rows, pa.timestamp("s"))
    same_as_minijinja(pa.table(columns).slice(data.draw(st.integers(0, rows - 1))), "", template + "{{ 'end' }}")


@pytest.mark.parametrize("template", COMPILED)
def test_what_is_compiled(tmp_path: Path, template: str) -> None:
    assert keys_of(template) == COMPILED[template]
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "é"}]
    record = {
        **dict.fromkeys(["question", "answer", "q", "a.b", "prompt", "output", "a", "d", "loop"], "text"),
        **{"chosen": turns, "rejected": turns, "messages": turns, "turns": ["x", "y"], "rows": [["a", "b"], ["c"]]},
        "b": {"c": "d"},
    }
    path = tmp_path / "pool.jsonl"
    path.write_text((json.dumps(record) + "\n") * 3)
    if "{" not in template:
        return
    same_as_minijinja(path, str(path), template)
    with patch.object(Renderer, "render", lambda *_: pytest.fail("rendered in Python")):
        assert len(load(path, render=template)) == 3


@pytest.mark.parametrize("template", OTHERS)
def test_what_is_not_compiled(template: str) -> None:
    assert keys_of(template) is None


def test_a_template_that_would_never_end_is_left(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text(json.dumps({"a": list(range(40))}))
    loops = "{% for x in a %}" * 4 + "{% if x %}{% endif %}" + "{% endfor %}" * 4
    assert keys_of(loops) == ["a"]
    with (
        patch.object(Renderer, "render", side_effect=EntropyLawError("rendered in Python")),
        pytest.raises(EntropyLawError, match="rendered in Python"),
    ):
        load(path, render=loops)
