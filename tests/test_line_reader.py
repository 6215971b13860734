"""The compiled reader: on any input, what Python alone makes of it."""

import datetime
import decimal
import json
import math
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entropylaw import EntropyLawError
from entropylaw.pool import Pool, load
from entropylaw.pool.lines import LineRecords
from entropylaw.pool.render import Renderer
from entropylaw.pool.source import Source

TEXTS = st.text() | st.sampled_from(["", "\u2028", "\0", "a\nb", "😀", "\ud83d", "é", '"', "\\", "\x7f", "null"])
NUMBERS = (
    st.integers() | st.floats() | st.sampled_from([0, -0.0, 2**63, -(2**63), 2**64, 10**400, 1e308, 5e-324, 1.5, True])
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(TEXTS, part, max_size=3),
    max_leaves=6,
)
CONTENTS = (
    TEXTS
    | st.none()
    | st.lists(TEXTS | st.fixed_dictionaries({"type": TEXTS}, optional={"text": TEXTS | NUMBERS}), max_size=3)
    | VALUES
)
NAMES = st.sampled_from([
    "type", "text", "thinking", "reasoning_content", "refusal", "function_call", "tool_calls", "function", "name",
    "arguments", "input", "output", "content", "value", "id",
])  # fmt: skip
SPEECH = st.recursive(
    TEXTS | NUMBERS | st.none(),
    lambda part: st.lists(part, max_size=2) | st.dictionaries(NAMES, part, max_size=3),
    max_leaves=4,
)
TURNS = st.lists(
    st.fixed_dictionaries({}, optional={"value": CONTENTS, "content": CONTENTS, "role": TEXTS, "thinking": SPEECH})
    | st.dictionaries(NAMES, SPEECH, max_size=3)
    | st.fixed_dictionaries({"content": SPEECH}, optional={"tool_calls": SPEECH, "name": TEXTS}),
    max_size=3,
)
ANSWERS = (
    st.lists(st.sampled_from(["a", "b", ""]), max_size=4).map("\n".join)
    | st.lists(st.fixed_dictionaries({"content": st.sampled_from(["a", "b", ""])}), max_size=3)
    | TURNS
    | st.fixed_dictionaries({"value": CONTENTS})
    | VALUES
)
FIELDS = {
    "chosen": ANSWERS,
    "rejected": ANSWERS,
    "conversations": TURNS,
    "messages": TURNS,
    "system": TEXTS | VALUES | SPEECH,
    "tools": VALUES | st.lists(VALUES, max_size=2),
    "history": st.lists(st.lists(TEXTS, max_size=2), max_size=2) | TURNS,
    "data": st.lists(TEXTS, max_size=3) | TURNS,
    "prompt": TEXTS
    | st.fixed_dictionaries({"messages": TURNS}, optional={"tools": VALUES, "id": TEXTS})
    | TURNS
    | st.sampled_from(["a", None, [{"content": "a"}]]),
    "completion": TEXTS | TURNS,
    "instruction": TEXTS,
    "input": TEXTS | st.none(),
    "output": TEXTS | st.lists(TEXTS, max_size=2),
    "text": TEXTS,
    "a": st.fixed_dictionaries({}, optional={"b": TEXTS | TURNS | NUMBERS}) | VALUES,
    "a.b": TEXTS | NUMBERS,
    "source": TEXTS | NUMBERS | st.none(),
    "score": NUMBERS | VALUES,
}
SCHEMAS = {
    "sharegpt": ["conversations"],
    "openai": ["messages"],
    "alpaca": ["instruction", "output"],
    "completion": ["prompt", "completion"],
    "text": ["text"],
    "preference": ["chosen", "rejected"],
    "dialogue": ["data"],
}
BROKEN = [
    b"{", b"nonsense", b'{"text": "a"', b'{"text": "a"} {"text": "b"}', b'{"text": "a",}', b'{"text": "\xff"}',
    b'{"text": "a", "x": "\xc0\x80"}', b'{"text": "a\tb"}', b'{"text": "a", "x": "\x01"}', b'{"text": "a", "n": 01}',
    b'{"text": "a", "n": .5}', b'{"text": "a", "n": NaN}', b'{"text": "a", "n": 1e999}', b"{'text': 'a'}",
    rb'{"text": "\ud83d\ude00 \ud83d"}', rb'{"text": "a", "x": "\ud83d"}', rb'{"text": "\u00e9\x"}', b"\xef\xbb\xbf{}",
    b'{"text": "first", "text": "last"}', rb'{"te\u0078t": "escaped key"}', b' \t{"text": "space"} \r', b"7", b"null",
    b'{"text": "deep", "x": ' + b"[" * 200 + b"]" * 200 + b"}", b'{"text": "a"}\x0b', b"\x0b\x0c", b"", b" ", b'"text"',
]  # fmt: skip


@st.composite
def lines(draw: st.DrawFn, schema: str | None) -> bytes:
    """Lines of JSON of mostly one schema."""
    required = SCHEMAS.get(schema or "", [])
    optional = {name: values for name, values in FIELDS.items() if name not in required}
    records = st.fixed_dictionaries({name: FIELDS[name] for name in required}, optional=optional)
    if schema == "string":
        records = TEXTS
    found = []
    for value in draw(st.lists(records | records | records | VALUES, min_size=1, max_size=8)):
        ascii_ = draw(st.booleans())
        separators = draw(st.sampled_from([(", ", ": "), (",", ":"), (" ,\t", " : ")]))
        text = json.dumps(value, ensure_ascii=ascii_, separators=separators)
        found.append(text.encode(errors="surrogatepass"))
    for broken in draw(st.lists(st.sampled_from(BROKEN), max_size=3)):
        found.insert(draw(st.integers(0, len(found))), broken)
    return draw(st.sampled_from([b"\n", b"\r\n", b"\n\n"])).join(found)


def told(pool: Pool, begin: str) -> dict[str, Any]:
    """Everything that was read."""
    everything = range(len(pool))
    return {
        "samples": [pool.sample(index) for index in everything],
        "groups": [pool.group_names[code] for code in pool.groups],
        "names": pool.group_names,
        "numbers": {name: np.abs(column).tolist() for name, column in pool.numbers.items()},
        "skipped": [reason.removeprefix(begin) for reason in pool.skipped],
        "raw": list(pool.records.raw(everything)),
        "where": [pool.records.where(index).removeprefix(begin) for index in everything[:20]],
        "schema": pool.schema,
        "unread": pool.unread,
    }


def same_as_python(path: Path, **options: Any) -> None:
    """What the compiled reader reads has to be what Python reads, errors included."""

    def outcome() -> Any:
        try:
            return told(load(path, on_error="skip", **options), str(path))
        except EntropyLawError as error:
            return str(error)

    compiled = outcome()
    with patch.object(Renderer, "compiled", lambda self: None):
        assert compiled == outcome()


@pytest.mark.parametrize("schema", [*SCHEMAS, "string", None])
@given(data=st.data())
def test_every_schema(tmp_path_factory: pytest.TempPathFactory, schema: str | None, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("lines") / "pool.jsonl"
    path.write_bytes(data.draw(lines(schema)))
    same_as_python(path, schema=schema)


@pytest.mark.parametrize(
    "options",
    [
        {"field": "a.b"},
        {"field": "a"},
        {"render": "json"},
        {"render": "repr"},
        {"schema": "text", "group_by": "a.b"},
        {"schema": "text", "numbers": ["score", "a.b"]},
    ],
    ids=str,
)
@given(data=st.data())
def test_fields(tmp_path_factory: pytest.TempPathFactory, options: dict[str, Any], data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("lines") / "pool.jsonl"
    path.write_bytes(data.draw(lines("text")))
    same_as_python(path, **options)


ESCAPES = st.sampled_from(
    [r"\n", r"\t", r"\r", r"\b", r"\f", r"\/", r"\\", r"\"", r"\u0027", r"\u0000", r"\u00AD", r"\ud83d", r"\uDE00"]
)
SYMBOLS = st.sampled_from(
    [*"'é\u0378\u200b\ue000\xa0\xad\x7f😀🫩日\u0600\U000e0001\U0010ffff\ufeff \"".replace('"', "")]
)
STRINGS = st.lists(ESCAPES | SYMBOLS | st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\')).map(
    lambda pieces: f'"{"".join(pieces)}"'
)
NUMERALS = (
    st.integers().map(str)
    | st.floats(allow_nan=False, allow_infinity=False).map(repr)
    | st.tuples(st.integers(), st.integers(0, 9**9), st.sampled_from("eE"), st.integers(-330, 330)).map(
        lambda parts: "{}.{}{}{:+}".format(*parts)
    )
    | st.sampled_from(["-0", "-0.0", "1e16", "1e15", "9999999999999998.0", "0.0001", "0.00001", "1e400", "-1E+400"])
    | st.sampled_from([str(2**64), str(10**639), str(-(10**640)), "1" * 700, "1" * 5000, "NaN", "-Infinity"])
)
DOCUMENTS = st.recursive(
    STRINGS | NUMERALS | st.sampled_from(["null", "true", "false"]),
    lambda part: (
        st.lists(part, max_size=4).map(lambda items: f"[{', '.join(items)} ]")
        | st.lists(st.tuples(STRINGS, part), max_size=4).map(
            lambda items: "{" + " ,".join(f"{key} : {value}" for key, value in items) + "\t}"
        )
    ),
)


@given(st.lists(DOCUMENTS.map(lambda value: f'{{"x": {value}}}') | STRINGS, min_size=1))
def test_repr(tmp_path_factory: pytest.TempPathFactory, documents: list[str]) -> None:
    path = tmp_path_factory.mktemp("lines") / "pool.jsonl"
    path.write_text("\n".join(documents), newline="")
    same_as_python(path, render="repr")


def test_repr_in_full_without_python(tmp_path: Path) -> None:
    documents = [
        """{"a": [1, -0, 1e16, 1e-5, -0.0, 12345678901234567890123, {}, [], [[{"b": null}]]], "c": true, "d": false}""",
        r"""{"it's": "\"both\" it's", "single": "it's", "\u0022": "\u0027\/", "pair": "\ud83d\ude00"}""",
        """{"shown": "é日😀", "not": "\u0378\u200b\x7f\U000e0001\xa0", "\u2028": 0.1}""",
        json.dumps({chr(code): code for code in range(0x3000)}),
        json.dumps(["".join(map(chr, range(0x11_0000)))]).join(['{"all": ', "}"]),
    ]
    path = tmp_path / "pool.jsonl"
    path.write_text("\n".join(documents), newline="")
    with patch.object(Renderer, "render", lambda *_: pytest.fail("rendered in Python")):
        pool = load(path, render="repr")
    assert [pool.sample(index).decode() for index in range(len(pool))] == [repr(json.loads(line)) for line in documents]


def test_arrays_and_many_blocks(tmp_path: Path) -> None:
    records = [{"text": f"é{n}" * (n % 50), "source": str(n % 7)} for n in range(8_000)]
    records[17]["text"] = None  # type: ignore[assignment]
    path = tmp_path / "pool.jsonl"
    path.write_text("".join(json.dumps(record, ensure_ascii=n % 2 == 0) + "\n" for n, record in enumerate(records)))
    with patch("entropylaw.pool.split._BLOCK", 1 << 16):
        same_as_python(path)
    expected = told(load(path, on_error="skip"), str(path))["samples"]
    assert len(expected) == len(records) - 1
    path.write_text(json.dumps(records, indent=1))
    same_as_python(path)
    assert told(load(path, on_error="skip"), str(path))["samples"] == expected


def test_threads_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text(
        "".join(json.dumps({"text": "x" * (n % 999), "source": str(n * n % 11)}) + "\n" for n in range(9000))
    )
    first, *others = (told(load(path, threads=threads), str(path)) for threads in (1, 2, 8))
    assert all(other == first for other in others)


COLUMNS = {
    "conversations": TURNS,
    "messages": st.lists(st.fixed_dictionaries({"role": TEXTS, "content": TEXTS | st.none()}), max_size=3),
    "system": TEXTS | st.none(),
    "prompt": TEXTS,
    "completion": st.lists(st.fixed_dictionaries({"content": TEXTS}), max_size=3),
    "instruction": TEXTS,
    "input": TEXTS | st.none(),
    "output": TEXTS,
    "text": TEXTS,
    "data": st.lists(TEXTS, max_size=3),
    "chosen": TEXTS,
    "rejected": TEXTS,
    "source": TEXTS | st.none(),
    "score": st.integers(-(2**62), 2**62) | st.none(),
}
COMPARED = st.lists(
    st.fixed_dictionaries({"role": TEXTS, "content": st.sampled_from(["a", "b", ""]) | st.none()}), max_size=3
)


@pytest.mark.parametrize("schema", sorted(SCHEMAS))
@given(data=st.data())
def test_tables(schema: str, data: st.DataObject) -> None:
    pa = pytest.importorskip("pyarrow", reason="about tables")
    valid = TEXTS.filter(lambda text: text.isprintable() or "\ud83d" not in text)
    rows = data.draw(st.integers(1, 6))
    others = st.sampled_from(["system", "input", "source", *(["prompt", "messages"] if schema == "preference" else [])])
    names = [*SCHEMAS[schema], *data.draw(st.lists(others, unique=True))]
    if schema == "sharegpt":
        turns = st.lists(st.fixed_dictionaries({"from": valid, "value": valid | st.none()}), max_size=3)
    else:
        turns = COLUMNS["messages"]
    columns = {}
    for name in names:
        values = turns if name == "conversations" else COLUMNS[name]
        if name in ("chosen", "rejected") and data.draw(st.booleans()):
            values = COMPARED
        drawn = data.draw(st.lists(values, min_size=rows, max_size=rows))
        try:
            columns[name] = pa.array(drawn)
        except UnicodeEncodeError:
            return
    table = pa.table(columns).slice(data.draw(st.integers(0, rows - 1)))
    numbers = {}
    if data.draw(st.booleans()):
        numbers["numbers"] = ["score"]
        scores = st.lists(COLUMNS["score"], min_size=len(table), max_size=len(table))
        table = table.append_column("score", pa.array(data.draw(scores), pa.int64()))

    def outcome() -> Any:
        try:
            pool = load(table, schema=schema, on_error="skip", **numbers)  # type: ignore[arg-type]
            return told(pool, "")
        except EntropyLawError as error:
            return str(error)

    batched = outcome()
    with patch("entropylaw.pool.table_records.read_rows", lambda batch, builder, as_text: None):
        assert batched == outcome()


@pytest.mark.parametrize(
    ("option", "fast"),
    [
        ("group_by", ["text", "int", "small", "unsigned", "bool", "none", "coded", "coded.numbers", "a.b"]),
        ("group_by", ["in.a", "in.b.c", "in.missing", "missing", "missing.x", "none.x"]),
        ("group_by", []),
        ("numbers", ["small", "float", "float32", "decimal", "a.b"]),
        ("numbers", []),
    ],
)  # fmt: skip
def test_fields_of_tables(option: str, fast: list[str]) -> None:
    """Groups and numbers of whatever type: what rows as Python objects come to, mostly without them."""
    pa = pytest.importorskip("pyarrow", reason="about tables")
    inside = [{"a": 1, "b": {"c": "x"}, "n": 1.5}, None, {"a": None, "b": None, "n": 2.0}, {"b": {"c": None}, "n": 0.0}]
    table = pa.table({
        "text": ["a", "b", "c", "d", "a", "b"],
        "int": [3, 1, None, 3, -7, 0],
        "small": pa.array([1, 2, 3, 4, 5, 1], pa.int8()),
        "unsigned": pa.array([2**64 - 1, 0, None, 1, 5, 5], pa.uint64()),
        "bool": [True, None, False, True, True, False],
        "none": [None] * 6,
        "in": [*inside, inside[0], inside[3]],
        "a.b": [6, 5, 4, 3, 2, 1],
        "float": [1.0, 2.5, -3.0, 0.0, -0.0, 1e300],
        "infinite": [1.0, 2.5, math.inf, 0.0, -0.0, math.nan],
        "float32": pa.array([1.5, 2, 3, 4, 5, 0.1], pa.float32()),
        "date": [datetime.date(2020, 1, n + 1) for n in range(6)],
        "decimal": [decimal.Decimal("1.50")] * 6,
        "some": [decimal.Decimal("1.50")] * 5 + [None],
        "coded": pa.array(["x", "y", None, "x", "x", "y"]).dictionary_encode(),
        "coded.numbers": pa.array([1, 2, None, 1, 1, 2]).dictionary_encode(),
        "list": [[1]] * 6,
    })  # fmt: skip
    fields = fast or [*table.schema.names, "in.a", "in.b", "in.n", "text.x", "float.x", "missing", "none.x"]
    for part in (table, table.slice(1), table.slice(2, 3), table.slice(3, 1)):
        for field in fields:
            options: dict[str, Any] = {option: field if option == "group_by" else [field], "schema": "text"}

            def outcome(part: Any = part, options: dict[str, Any] = options) -> Any:
                try:
                    return told(load(part, on_error="skip", **options), "")
                except EntropyLawError as error:
                    return str(error)

            found = outcome()
            with patch("entropylaw.pool.table_records.read_rows", lambda batch, builder, as_text: None):
                assert found == outcome(), field
            if fast:
                with patch.object(Renderer, "render", lambda *_: pytest.fail("rendered in Python")):
                    load(part, **options)


@pytest.mark.parametrize(
    ("score", "fast"), [("2", True), (" 2.50\t", True), ("1e3", True), ("x", False), ("nan", False)]
)
def test_numbers_in_csv(tmp_path: Path, score: str, fast: bool) -> None:
    pytest.importorskip("pyarrow", reason="about tables")
    path = tmp_path / "pool.csv"
    path.write_text(f"text,score\na,1\nb,{score}\nc,3.5\n")
    found = told(load(path, numbers=["score"], on_error="skip"), str(path))
    assert len(found["samples"]) == (3 if fast else 2)
    with patch("entropylaw.pool.table_records.read_rows", lambda batch, builder, as_text: None):
        assert told(load(path, numbers=["score"], on_error="skip"), str(path)) == found
    if fast:
        with patch.object(Renderer, "render", lambda *_: pytest.fail("rendered in Python")):
            load(path, numbers=["score"])


def test_more_lines_and_longer_records_than_32_bits_count_are_refused(tmp_path: Path) -> None:
    """In the records of a file, whichever way they are added; nothing wraps."""
    (tmp_path / "pool.jsonl").write_bytes(b"{}\n")
    most = 2**32 - 1

    def records() -> LineRecords:
        return LineRecords(Source(tmp_path / "pool.jsonl"))

    def many(line: int, length: int) -> LineRecords:
        # What the core counts of a record has 32 bits already: it refuses a longer one.
        made = records()
        made.add_many(np.array([1, line]), np.zeros(2, dtype=np.int64), np.array([1, length], dtype=np.uint32))
        return made

    one = records()
    one.add(most, 2**40, most)
    assert one.where(0) == many(most, most).where(1) == f"{tmp_path / 'pool.jsonl'}:{most}"
    lines = "has more than 4,294,967,295 lines, as many as can be read; cut it into files of fewer"
    with pytest.raises(EntropyLawError, match=lines):
        records().add(most + 1, 0, 1)
    with pytest.raises(EntropyLawError, match=lines):
        many(most + 1, 1)
    length = "pool.jsonl:7: the record has 4,294,967,296 bytes; up to 4,294,967,295 can be read: cut it"
    with pytest.raises(EntropyLawError, match=length):
        records().add(7, 0, most + 1)
