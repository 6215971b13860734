"""What a record's text is: everything that a trainer shows the model, the same from every format; and what is left."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.cli import main
from entropylaw.pool import Pool, load
from entropylaw.pool.schema import CALL, MESSAGE, SCHEMAS
from entropylaw.pool.unread import Unread

WEATHER = {"name": "weather", "arguments": '{"city": "Oslo"}'}
ASKED = {"role": "user", "content": "Warm?"}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"city": "text", "unit": None}}}
TOOL_TEXT = '{"function": {"name": "weather", "parameters": {"city": "text"}}, "type": "function"}'


def called(**turn: Any) -> dict[str, Any]:
    return {"messages": [ASKED, {"role": "assistant", **turn}]}


# One case a line, however long.
# ruff: noqa: E501
TEXTS: list[tuple[str, str, dict[str, Any], str]] = [
    # Calls, in every form that they are stored in.
    ("call", "openai", called(tool_calls=[{"id": "c", "type": "function", "function": WEATHER}]), "Warm?\nweather\n{}"),
    ("call, content null", "openai", called(content=None, tool_calls=[{"function": WEATHER}]), "Warm?\nweather\n{}"),
    ("call and content", "openai", called(content="Let me see.", tool_calls=[{"function": WEATHER}]),
     "Warm?\nLet me see.\nweather\n{}"),
    ("flat call", "openai", called(tool_calls=[WEATHER]), "Warm?\nweather\n{}"),
    ("old call", "openai", called(function_call=WEATHER), "Warm?\nweather\n{}"),
    ("call without arguments", "openai", called(tool_calls=[{"function": {"name": "now"}}]), "Warm?\nnow"),
    ("arguments as an object", "openai", called(tool_calls=[{"function": {"name": "f", "arguments": {"b": 1.0, "a": [None]}}}]),
     'Warm?\nf\n{"a": [null], "b": 1}'),
    ("two calls", "openai", called(tool_calls=[{"function": {"name": "f"}}, {"function": {"name": "g"}}]), "Warm?\nf\ng"),
    ("call as a part", "openai", called(content=[{"type": "tool_use", "id": "t", "name": "f", "input": {"x": 9}}]),
     'Warm?\nf\n{"x": 9}'),
    ("item of a response", "openai", {"messages": [ASKED, {"type": "function_call", "name": "f", "arguments": "{}"},
     {"type": "function_call_output", "output": "4 degrees"}]}, "Warm?\nf\n{}\n4 degrees"),
    # What comes back from them, and what was thought.
    ("result as a part", "openai", {"messages": [{"role": "user", "content": [
     {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "4 degrees"}]}]}]}, "4 degrees"),
    ("result as text", "openai", {"messages": [{"content": [{"type": "tool_result", "content": "4"}]}]}, "4"),
    ("reasoning", "openai", called(reasoning_content="Oslo is north.", content="No."), "Warm?\nOslo is north.\nNo."),
    ("reasoning, other names", "openai", {"messages": [{"reasoning": "a", "content": "b"}, {"thinking": "c", "content": "d"}]},
     "a\nb\nc\nd"),
    ("thinking as a part", "openai", called(content=[{"type": "thinking", "thinking": "Hm", "signature": "c2ln"},
     {"type": "text", "text": "No."}]), "Warm?\nHm\nNo."),
    ("refusal", "openai", called(content=None, refusal="I can't."), "Warm?\nI can't."),
    ("refusal as a part", "openai", called(content=[{"type": "refusal", "refusal": "I can't."}]), "Warm?\nI can't."),
    ("images", "openai", {"messages": [{"content": [{"type": "image_url", "image_url": {"url": "data:,x"}},
     {"type": "text", "text": "What?"}]}]}, "What?"),
    ("content as one part", "openai", {"messages": [{"content": {"type": "text", "text": "What?"}}]}, "What?"),
    ("turns that are texts", "openai", {"messages": ["a", "b"]}, "a\nb"),
    # Beside the turns.
    ("system", "openai", {"system": "Be brief.", "messages": [ASKED]}, "Be brief.\nWarm?"),
    ("system in parts", "openai", {"system": [{"type": "text", "text": "Be brief."}], "messages": [ASKED]}, "Be brief.\nWarm?"),
    ("tools", "openai", {"messages": [ASKED], "tools": [TOOL]}, TOOL_TEXT + "\nWarm?"),
    ("tools as text", "openai", {"messages": [ASKED], "tools": '[{"name":  "f"}]'}, '[{"name":  "f"}]\nWarm?'),
    ("no tools", "openai", {"messages": [ASKED], "tools": []}, "Warm?"),
    ("functions", "openai", {"messages": [ASKED], "functions": [{"name": "f"}]}, '{"name": "f"}\nWarm?'),
    ("ShareGPT with all", "sharegpt", {"conversations": [{"from": "human", "value": "Hi"}], "system": "S", "tools": "[]"},
     "S\n[]\nHi"),
    ("both pairs of keys", "sharegpt", {"conversations": [{"from": "human", "value": "Hi", "content": None},
     {"role": "assistant", "content": "Ho", "value": None}]}, "Hi\nHo"),
    ("one conversation", "sharegpt", {"conversation": [{"value": "Hi"}]}, "Hi"),
    ("Alpaca with all", "alpaca", {"instruction": "And then?", "input": "", "output": "Tuesday.", "system": "S",
     "history": [["First?", "Monday."], ["More?", "No."]]}, "S\nFirst?\nMonday.\nMore?\nNo.\nAnd then?\nTuesday."),
    ("answers to rank", "alpaca", {"instruction": "Hi", "output": ["Good day", "Yo"]}, "Hi\nGood day\nYo"),
    ("dolly", "alpaca", {"instruction": "Who?", "context": "Ann went.", "response": "Ann"}, "Who?\nAnn went.\nAnn"),
    # Two fields, by their usual names.
    ("prompt, response", "completion", {"prompt": "q", "response": "r"}, "q\nr"),
    ("question, answer", "completion", {"question": "2+2?", "answer": "4"}, "2+2?\n4"),
    ("question in a context", "completion", {"context": "c", "question": "q", "answer": "a"}, "c\nq\na"),
    ("OpenOrca", "completion", {"id": "x", "system_prompt": "S", "question": "q", "response": "r"}, "S\nq\nr"),
    ("swift", "completion", {"query": "Hi", "response": "Ho", "history": [["a", "b"]], "system": "S"}, "S\na\nb\nHi\nHo"),
    ("dialogue", "dialogue", {"id": "1", "data": ["Hello?", "Hi."]}, "Hello?\nHi."),
    # Preferences: the prompt by any of its usual names.
    ("prompt", "preference", {"prompt": "q", "chosen": "a", "rejected": "b"}, "q\na\nb"),
    ("conversations", "preference", {"conversations": [{"value": "q"}], "chosen": {"value": "a"}, "rejected": {"value": "b"}},
     "q\na\nb"),
    ("messages", "preference", {"messages": [ASKED], "chosen": {"content": "a"}, "rejected": {"content": "b"}}, "Warm?\na\nb"),
    ("instruction", "preference", {"instruction": "i", "input": "x", "chosen": "a", "rejected": "b", "system": "S"},
     "S\ni\nx\na\nb"),
    ("question", "preference", {"question": "q", "chosen": "a", "rejected": "b"}, "q\na\nb"),
    ("OpenAI", "preference", {"input": {"messages": [ASKED], "tools": [{"name": "f"}]},
     "preferred_output": [{"content": "a"}], "non_preferred_output": [{"content": "b"}]}, '{"name": "f"}\nWarm?\na\nb'),
    ("answers that are calls", "preference", {"prompt": [ASKED], "tools": [],
     "chosen": [{"content": None, "tool_calls": [{"function": {"name": "f"}}]}], "rejected": [{"content": "b"}]}, "Warm?\nf\nb"),
    ("answers that begin with the prompt", "preference", {"system": "S", "prompt": "Warm?",
     "chosen": [ASKED, {"content": "a"}], "rejected": [ASKED, {"content": "b"}]}, "S\nWarm?\na\nb"),
    ("answers that are lists of texts", "preference", {"prompt": "p", "chosen": ["a", "b"], "rejected": ["c"]}, "p\na\nb\nc"),
    ("an answer that goes on", "preference", {"chosen": [{"content": "a"}, {"content": "b"}], "rejected": [{"content": "a"}]},
     "a\nb\na"),
    ("an answer that goes on, the other", "preference", {"chosen": [{"content": "a"}],
     "rejected": [{"content": "a"}, {"content": "b"}]}, "a\nb"),
    ("a text that goes on", "preference", {"chosen": "a\nb", "rejected": "a"}, "a\nb\na"),
    ("equal answers", "preference", {"messages": ["q", "a"], "chosen": ["q", "a"], "rejected": ["q", "a"]}, "q\na\na"),
    ("null answers are none", "openai", {"messages": [ASKED], "chosen": None, "rejected": None}, "Warm?"),
    ("null turns", "sharegpt", {"conversations": [{"value": None}, {"value": "x"}]}, "x"),
]  # fmt: skip


def expected(text: str) -> str:
    return text.replace("weather\n{}", 'weather\n{"city": "Oslo"}')


@pytest.mark.parametrize(("what", "schema", "record", "text"), TEXTS, ids=[what for what, *_ in TEXTS])
def test_what_is_sized(tmp_path: Path, what: str, schema: str, record: dict[str, Any], text: str) -> None:
    line = json.dumps(record)
    (tmp_path / "pool.jsonl").write_text(f"{line}\n{line}\n")
    (tmp_path / "pool.json").write_text(f"[{line},\n{line}]")
    pools: list[Any] = [[record, record], tmp_path / "pool.jsonl", tmp_path / "pool.json"]
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_pylist([record, record])
        pq.write_table(table, tmp_path / "pool.parquet")
        pools += [table, tmp_path / "pool.parquet"]
    except (ImportError, ValueError):
        # No pyarrow, or records that no column can hold.
        assert len(pools) == 3
    found = [load(pool) for pool in pools]
    assert [pool.schema for pool in found] == [schema] * len(found)
    assert [pool.sample(1).decode() for pool in found] == [expected(text)] * len(found)


def test_every_member_of_every_schema_is_read() -> None:
    """Whatever names a schema lists, a record that has them has their text in its sample."""
    values: dict[str, Any] = {
        "text": "TEXT", "texts": ["TEXT"], "speech": "TEXT", "values": ["TEXT"], "turns": [{"content": "TEXT"}],
        "either": "TEXT", "history": [["TEXT"]], "prompt": "TEXT", "answer": "TEXT",
    }  # fmt: skip
    for schema in SCHEMAS.values():
        required = {member.names[0]: values[member.kind] for member in schema.members if not member.optional}
        for member in schema.members:
            for name in member.names:
                record = {key: value for key, value in required.items() if key not in member.names}
                marked = json.loads(json.dumps(values[member.kind]).replace("TEXT", "MARK"))
                (sample,) = [load([record | {name: marked}], schema=schema.name).sample(0)]
                assert b"MARK" in sample, (schema.name, name)
    for form, kept in ((MESSAGE, lambda turn: turn), (CALL, lambda call: {"tool_calls": [call]})):
        for name in (name for member in form for name in member.names):
            beside = {"name": {"arguments": "x"}}.get(name, {})
            sample = load([{"messages": [kept({"content": None, name: "MARK", **beside})]}]).sample(0)
            assert b"MARK" in sample, name


def test_records_are_equal_only_if_all_of_that_is() -> None:
    base = {"messages": [ASKED, {"role": "assistant", "content": None, "tool_calls": [{"function": WEATHER}]}]}
    others = []
    for path, value in [
        (("messages", 1, "tool_calls", 0, "function", "name"), "forecast"),
        (("messages", 1, "tool_calls", 0, "function", "arguments"), '{"city": "Rome"}'),
        (("messages", 1, "reasoning_content"), "Hm"),
        (("messages", 1, "refusal"), "No"),
        (("tools",), [TOOL]),
        (("system",), "S"),
    ]:
        other: Any = copy.deepcopy(base)
        at = other
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = value
        others.append(other)
    pool = [base, *others, copy.deepcopy(base)]
    selection = entropylaw.select(pool, budget="100%", dedupe=True)
    assert sorted(selection.indices.tolist()) == list(range(len(pool) - 1))
    left = entropylaw.select(pool, budget="100%", anchor=[base], dedupe=True)
    assert sorted(left.indices.tolist()) == list(range(1, len(pool) - 1))


UNREAD: list[tuple[dict[str, Any], list[Unread]]] = [
    ({"text": "a", "id": "abc", "n": 7, "none": None}, [Unread("id", 1, 3), Unread("n", 1, 0)]),
    ({"text": "a", "meta": {"é": "é", "x": ["ab", {"y": "c"}]}}, [Unread("meta", 1, 5)]),
    (
        {"messages": [{"role": "user", "content": "a", "name": "ann"}, {"role": "assistant", "content": "b"}]},
        [Unread("messages[].role", 1, 13), Unread("messages[].name", 1, 3)],
    ),
    (
        {"messages": [{"content": [{"type": "image_url", "image_url": {"url": "x" * 9}}, 5]}]},
        [
            Unread("messages[].content[].image_url", 1, 9),
            Unread("messages[].content[].type", 1, 9),
            Unread("messages[].content[]", 1, 0),
        ],
    ),
    ({"prompt": "p", "question": "other", "completion": "c"}, [Unread("question", 1, 5)]),
    (
        {"input": {"messages": ["a"], "x": "yz"}, "preferred_output": "b", "non_preferred_output": "c"},
        [Unread("input.x", 1, 2)],
    ),
    ({"text": "a", "source": "s", "deep": {"score": 1, "rest": "r"}}, []),
]


def test_unread_columns_of_tables(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="about tables")
    datasets = pytest.importorskip("datasets", reason="about data sets")
    import pyarrow.parquet as pq
    from pyarrow import csv

    rows = [{"text": f"a{n}", "n": n, "body": f"{n}" * 50 if n % 2 else None, "tags": ["é", "b"]} for n in range(8)]
    table = pa.Table.from_pylist(rows)
    pq.write_table(table, tmp_path / "pool.parquet", use_dictionary=False)
    with pa.ipc.new_stream(tmp_path / "pool.arrow", table.schema) as file:
        file.write_table(table)
    csv.write_csv(table.drop_columns("tags"), tmp_path / "pool.csv")
    exact = (Unread("body", 4, 200), Unread("tags", 8, 24), Unread("n", 8, 0))
    row_by_row = pa.Table.from_batches(table.to_batches(max_chunksize=1))
    for pool in (table, row_by_row, tmp_path / "pool.arrow", datasets.Dataset(table)):
        assert load(pool).unread == exact
    # What is left of an empty field of CSV is a text without bytes.
    assert load(tmp_path / "pool.csv").unread == (Unread("body", 8, 200), Unread("n", 8, 8))
    body, tags, n = load(tmp_path / "pool.parquet").unread
    assert (body.member, body.records, n) == ("body", 4, exact[2]) and 200 <= body.bytes < 400
    assert (tags.member, tags.records) == ("tags", 8) and 24 <= tags.bytes < 300
    assert load(table, render="json").unread == ()
    assert load(tmp_path / "pool.parquet", field="body", on_error="skip").unread[1].member == "text"


@pytest.mark.parametrize(("record", "unread"), UNREAD, ids=str)
def test_what_is_left_unread(tmp_path: Path, record: dict[str, Any], unread: list[Unread]) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text(json.dumps(record) + "\n" + json.dumps(record) + "\n")
    twice = tuple(member._replace(records=2, bytes=2 * member.bytes) for member in unread)
    numbers = ["deep.score"] if "deep" in record else []
    assert load(path, numbers=numbers).unread == twice
    assert load([record, record], numbers=numbers).unread == twice


def test_unread_members_are_said_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pool.jsonl").write_text(
        "".join(json.dumps({"text": f"{n}" * 9, "\x1b[31mbody": "x" * 27}) + "\n" for n in range(9))
    )
    assert main(["select", "pool.jsonl", "-o", "out.jsonl", "--budget", "2"]) == 0
    said = capsys.readouterr().err
    assert "not in the samples: \\x1b[31mbody (9 records, 75.0% of the text)" in said
    manifest = json.loads(Path("out.jsonl.manifest.json").read_text())
    assert manifest["pool"]["unread"] == [{"member": "\x1b[31mbody", "records": 9, "bytes": 243}]
    assert main(["show", "pool.jsonl", "-n", "1", "-q"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "pool      9 samples, 81 bytes",
        "schema    text",
        "unread    \\x1b[31mbody   75.0% of the text, in 9 records",
        "sample    pool.jsonl:1, 9 bytes:",
        "  | 000000000",
    ]
    assert main(["show", "pool.jsonl", "-n", "2", "--json", "-q"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["unread"][0]["share"] == 0.75 and [first["sample"] for first in shown["first"]] == ["0" * 9, "1" * 9]
    assert main(["show", "pool.jsonl", "-n", "-1", "-q"]) == 2
    assert "samples is -1; it must be at least 0" in capsys.readouterr().err


NAMES = st.sampled_from(["a", "b", "city", "é", "x y"])
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=6)


@st.composite
def messages(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Records of calls, parts and nulls; a member has one type in all of them, as columns need."""
    argument = draw(
        st.sampled_from([WORDS, st.integers(-(2**62), 2**62), st.floats(allow_nan=False, width=64), st.booleans()])
    )
    arguments = st.dictionaries(NAMES, argument | st.none(), max_size=3)
    call = st.fixed_dictionaries(
        {"function": st.fixed_dictionaries({"name": WORDS, "arguments": arguments | st.none()})}
    )
    part = st.fixed_dictionaries({"type": WORDS, "text": WORDS | st.none()}, optional={"thinking": WORDS})
    content = draw(st.sampled_from([WORDS | st.none(), st.lists(part, max_size=2) | st.none()]))
    turn = st.fixed_dictionaries(
        {"role": WORDS, "content": content},
        optional={"tool_calls": st.lists(call, max_size=2), "refusal": WORDS | st.none()},
    )
    record = st.fixed_dictionaries(
        {"messages": st.lists(turn, max_size=3)},
        optional={"system": WORDS | st.none(), "tools": st.lists(arguments, max_size=2), "id": WORDS},
    )
    return draw(st.lists(record, min_size=1, max_size=5))


def samples(pool: Any) -> list[bytes]:
    loaded: Pool = load(pool, schema="openai")
    return [loaded.sample(index) for index in range(len(loaded))]


@given(messages())
def test_the_same_samples_from_every_format(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]]
) -> None:
    pa = pytest.importorskip("pyarrow", reason="about tables")
    datasets = pytest.importorskip("datasets", reason="about data sets")
    import pyarrow.parquet as pq

    directory = tmp_path_factory.mktemp("formats")
    wanted = samples(records)
    lines = directory / "pool.jsonl"
    lines.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert samples(lines) == wanted
    table = pa.Table.from_struct_array(pa.array(records))
    assert samples(table) == wanted
    assert samples(datasets.Dataset(table)) == wanted
    with pa.ipc.new_file(directory / "pool.arrow", table.schema) as file:
        file.write_table(table)
    assert samples(directory / "pool.arrow") == wanted
    if all(field.type != pa.struct([]) for field in table.schema.field("messages").flatten()):
        try:
            pq.write_table(table, directory / "pool.parquet")
        except pa.ArrowNotImplementedError:
            # Parquet has no objects without members.
            return
        assert samples(directory / "pool.parquet") == wanted


@pytest.mark.parametrize(
    "template", ["{{ record.pop('text') }}", "{{ record.update({'text': 'x'}) }}{{ record.text }}"]
)
def test_templates_and_functions_change_no_records(template: str) -> None:
    pytest.importorskip("minijinja", reason="templates need minijinja")
    pool = [{"text": "a", "source": "s"}]

    def take(record: dict[str, Any]) -> str:
        record.pop("source")
        return str(record.pop("text"))

    for render in (template, take):
        loaded = load(pool, render=render)
        assert pool == [{"text": "a", "source": "s"}]
        assert loaded.group_names == ("s",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"render": "json"}, "render is 'json', but the pool was read with 'text'; read it so (load(..., render=...))"),
        ({"field": "a"}, "field is 'a', but the pool was read with None"),
        ({"schema": "openai"}, "schema is 'openai', but the pool was read with None"),
        ({"memory": "1GB"}, "memory is '1GB', but the pool has been read already; give memory= to load"),
        ({"on_error": "skip"}, "on_error is 'skip', but the pool was read with 'raise'"),
        ({"group_by": "kind"}, "group_by is 'kind', but the pool was read with 'source'"),
        ({"preset": "reference"}, "render is 'repr', but the pool was read with 'text'"),
    ],
    ids=str,
)
def test_options_that_a_pool_contradicts(options: dict[str, Any], message: str) -> None:
    pool = load([{"text": "a"}, {"text": "b"}])
    with pytest.raises(EntropyLawError) as refused:
        entropylaw.select(pool, budget=1, **options)
    assert str(refused.value).startswith(message)
    if "preset" not in options:
        with pytest.raises(EntropyLawError) as refused:
            load(pool, **options)
        assert str(refused.value).startswith(message)
    assert len(entropylaw.select(load([{"a": "a"}], field="a"), budget=1, field="a")) == 1
