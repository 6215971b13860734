"""Reading: every format and schema, and the way back to the original bytes."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.pool import load
from entropylaw.pool.reading import Reading
from entropylaw.pool.source import Source
from entropylaw.pool.split import on_one_line
from entropylaw.progress import ProgressLine

SHAREGPT = {"conversations": [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "Because."}], "source": "a"}

SCHEMAS: list[tuple[str, Any, str]] = [
    ("sharegpt", SHAREGPT, "Why?\nBecause."),
    ("sharegpt", {"system": "Be brief.", **SHAREGPT}, "Be brief.\nWhy?\nBecause."),
    ("openai", {"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "B."}]}, "Why?\nB."),
    ("openai", {"messages": [{"role": "assistant", "content": None, "tool_calls": []}]}, ""),
    ("openai", {"messages": [{"content": [{"type": "text", "text": "Look"}, {"type": "image_url"}]}]}, "Look"),
    ("alpaca", {"instruction": "Add", "input": "1, 2", "output": "3"}, "Add\n1, 2\n3"),
    ("alpaca", {"instruction": "Add", "input": None, "output": "3"}, "Add\n3"),
    ("alpaca", {"instruction": "Add", "output": "3", "id": 7}, "Add\n3"),
    ("completion", {"prompt": "Why", "completion": "Because"}, "Why\nBecause"),
    ("completion", {"prompt": [{"role": "user", "content": "Why"}], "completion": [{"content": "B"}]}, "Why\nB"),
    ("preference", {"prompt": "Why?", "chosen": "So.", "rejected": "No."}, "Why?\nSo.\nNo."),
    ("preference", {"chosen": "H: Why?\n\nA: So.", "rejected": "H: Why?\n\nA: No."}, "H: Why?\n\nA: So.\nA: No."),
    (
        "preference",
        {
            "prompt": "Why?",
            "messages": [],
            "chosen": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}],
            "rejected": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "No."}],
        },
        "Why?\nSo.\nNo.",
    ),
    (
        "preference",
        {
            "conversations": [{"from": "human", "value": "Why?"}],
            "chosen": {"from": "gpt", "value": "So."},
            "rejected": {"from": "gpt", "value": "No."},
        },
        "Why?\nSo.\nNo.",
    ),
    ("preference", {"prompt": "Why?", "chosen": "So.", "rejected": "So."}, "Why?\nSo.\nSo."),
    ("completion", {"prompt": "Why", "completion": "Because", "label": True}, "Why\nBecause"),
    ("text", {"text": "Plain.\u2028Still the same record.\x85", "n": 1.50}, "Plain.\u2028Still the same record.\x85"),
]

LINES = [json.dumps(record, ensure_ascii=False).encode() for record in [SHAREGPT, {**SHAREGPT, "source": "b"}] * 3]


def compressed(content: bytes, how: str) -> bytes:
    half = len(content) // 2
    if how == "gz":
        return gzip.compress(content)
    if how == "multi-member gz":
        return gzip.compress(content[:half]) + gzip.compress(content[half:])
    if how == "zst":
        return zstandard.compress(content)
    if how == "multi-frame zst":
        skippable = b"\x50\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"
        return skippable + zstandard.compress(content[:half]) + zstandard.compress(content[half:])
    if how == "long-window zst":
        wide = zstandard.ZstdCompressionParameters(window_log=31, enable_ldm=True)
        packer = zstandard.ZstdCompressor(compression_params=wide).compressobj()
        return packer.compress(content) + packer.flush()
    return content


@pytest.mark.parametrize("how", ["plain", "gz", "multi-member gz", "zst", "multi-frame zst", "long-window zst"])
@pytest.mark.parametrize(
    ("content", "chosen"),
    [
        (b"\n".join(LINES) + b"\n", LINES),
        (b"\n".join(LINES), LINES),
        (b"\n\n  \n".join(LINES) + b"\n\n", LINES),
        (b"\r\n".join(LINES) + b"\r\n", [line + b"\r" for line in LINES]),
        (b"\xef\xbb\xbf" + b"\n".join(LINES), LINES),
        (b"[" + b", ".join(LINES) + b"]", LINES),
        (b"\xef\xbb\xbf \n[\n  " + b",\n  ".join(LINES) + b"\n]\n", LINES),
    ],
    ids=["lines", "no final break", "blank lines", "CRLF", "BOM", "array", "array with BOM"],
)
def test_records_come_back_byte_for_byte(tmp_path: Path, content: bytes, chosen: list[bytes], how: str) -> None:
    path = tmp_path / "pool"
    path.write_bytes(compressed(content, how))
    pool = load(path)
    assert [pool.sample(i) for i in range(len(pool))] == [b"Why?\nBecause."] * 6
    order = [4, 0, 5, 5, 1]
    assert list(pool.records.raw(order)) == [chosen[i] for i in order]
    assert pool.schema == "sharegpt"
    assert pool.group_counts() == {"a": 3, "b": 3}


VALUES = st.recursive(
    st.text()
    | st.sampled_from(["😀", "\u2028", "\0", "\x85", "\ud83d", "\\", '"'])
    | st.integers()
    | st.integers(10**18, 10**40)
    | st.floats()
    | st.booleans()
    | st.none(),
    lambda part: st.lists(part, max_size=4) | st.dictionaries(st.text(max_size=5), part, max_size=4),
)


@given(st.lists(st.dictionaries(st.text(max_size=5), VALUES, max_size=3), min_size=1, max_size=8), st.data())
def test_any_records_come_back_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]], data: st.DataObject
) -> None:
    directory = tmp_path_factory.mktemp("records")
    lines = []
    for n, record in enumerate(records):
        ascii_ = data.draw(st.booleans()) or "\\ud" in json.dumps(record)
        separators = data.draw(st.sampled_from([(", ", ": "), (",", ":"), (" , ", "  :")]))
        lines.append(json.dumps({**record, "text": f"sample {n}"}, ensure_ascii=ascii_, separators=separators).encode())
    how = data.draw(st.sampled_from(["plain", "gz", "multi-member gz", "zst", "multi-frame zst"]))
    form = data.draw(st.sampled_from([b"\n", b",\n"]))
    content = form.join(lines)
    path = directory / "pool"
    path.write_bytes(compressed(content if form == b"\n" else b"[" + content + b"]", how))
    out = directory / data.draw(st.sampled_from(["out.jsonl", "out.jsonl.gz", "out.jsonl.zst"]))
    selection = entropylaw.select(path, budget="100%", dedupe=False)
    selection.save(out)
    written = b"".join(Source(out).chunks())
    assert written == b"".join(lines[index] + b"\n" for index in selection.indices)


def test_records_of_a_pretty_array_come_out_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / "pool.json"
    path.write_text(json.dumps([SHAREGPT, SHAREGPT], indent=4))
    pool = load(path)
    for raw in pool.records.raw([1, 0]):
        assert b"\n" not in raw
        assert json.loads(raw) == SHAREGPT


@given(
    st.recursive(st.text() | st.integers() | st.none(), lambda part: st.lists(part) | st.dictionaries(st.text(), part))
)
def test_breaking_no_line_changes_no_value(value: Any) -> None:
    assert json.loads(on_one_line(json.dumps(value, indent=1, ensure_ascii=False).encode())) == value


@pytest.mark.parametrize("record_per_file", [False, True])
def test_many_files_are_one_pool_in_the_order_given(tmp_path: Path, record_per_file: bool) -> None:
    records = [json.dumps({"text": f"sample {n}"}).encode() for n in range(6)]
    groups = [[record] for record in records] if record_per_file else [records[:4], records[4:]]
    paths = []
    for number, group in enumerate(groups):
        paths.append(tmp_path / f"{9 - number}.jsonl.gz")
        paths[-1].write_bytes(gzip.compress(b"\n".join(group)))
    pool = load(paths)
    assert list(pool.records.raw([5, 0, 3])) == [records[5], records[0], records[3]]
    assert pool.records.where(0) == f"{paths[0]}:1"


@pytest.mark.parametrize(("schema", "record", "text"), SCHEMAS)
def test_schemas(tmp_path: Path, schema: str, record: Any, text: str) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text(json.dumps(record, ensure_ascii=False) + "\n", encoding="utf-8")
    for pool in (load(path), load([record]), load(path, schema=schema)):
        assert pool.schema == schema
        assert pool.sample(0) == text.encode()


@pytest.mark.parametrize(
    ("field", "record", "text"),
    [
        ("answer", {"answer": "yes", "text": "no"}, "yes"),
        ("meta.answer", {"meta": {"answer": "yes"}}, "yes"),
        ("a.b", {"a.b": "yes"}, "yes"),
        ("turns", {"turns": [{"content": "a"}, {"value": "b"}]}, "a\nb"),
    ],
)
def test_a_field_can_be_named(field: str, record: Any, text: str) -> None:
    assert load([record], field=field).sample(0) == text.encode()


def test_renderings(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(b'{"text":  "a", "n": 1}\n')
    assert load(path, render="json").sample(0) == b'{"text":  "a", "n": 1}'
    assert load(path, render="repr").sample(0) == b"{'text': 'a', 'n': 1}"
    assert load(path, render=lambda record: record["text"] * record["n"]).sample(0) == b"a"
    assert load([{"text": "a"}], render="json").sample(0) == b'{"text": "a"}'
    assert load(["a", "b"], render="repr").sample(0) == b"'a'"


@pytest.mark.parametrize("name", ["text", "json", "repr"])
def test_a_function_may_be_called_like_a_rendering(tmp_path: Path, name: str) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text('{"body": "a"}\n{"body": "b"}')

    def rendering(record: Any) -> str:
        return f"<{record['body']}>"

    rendering.__qualname__ = name
    pool = load(path, render=rendering)
    assert [pool.sample(index) for index in range(len(pool))] == [b"<a>", b"<b>"]


def test_lists_of_texts() -> None:
    pool = load(["é", "b.jsonl and more"])
    assert [pool.sample(0), pool.sample(1)] == ["é".encode(), b"b.jsonl and more"]
    assert list(pool.records.raw([1])) == [b'"b.jsonl and more"']
    assert load([b"\xff", bytearray(b"b")]).sample(0) == b"\xff"
    assert load(text for text in ("a", "b")).sample(1) == b"b"


def test_what_python_reads_and_strict_parsers_do_not(tmp_path: Path) -> None:
    for content in ('{"text": "a", "score": NaN}\n', '[{"text": "a", "score": NaN},\n {"text": "b"}]'):
        path = tmp_path / "pool.json"
        path.write_text(content)
        pool = load(path)
        assert pool.sample(0) == b"a"
        assert next(pool.records.raw([0])) == b'{"text": "a", "score": NaN}'
    assert pool.records.where(1).endswith(":2")


def test_fingerprints_tell_pools_apart() -> None:
    prints = {load(texts).fingerprint for texts in (["ab", "c"], ["a", "bc"], ["abc"], ["c", "ab"])}
    assert len(prints) == 4
    assert load(["ab", "c"]).fingerprint == load([b"ab", b"c"]).fingerprint


def test_a_pool_can_be_all_empty_texts() -> None:
    pool = load(["", ""])
    assert len(pool) == 2
    assert np.array_equal(pool.offsets, [0, 0, 0])


def test_fields_are_read_beside_the_text(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text('{"text": "a", "meta": {"lang": "en", "score": 1}}\n{"text": "b", "meta": {"score": 0.5}}\n')
    pool = load(path, group_by="meta.lang", numbers=["meta.score"])
    assert (pool.group_names, pool.groups.tolist()) == (("en", ""), [0, 1])
    assert pool.numbers["meta.score"].tolist() == [1.0, 0.5]
    assert load(path).numbers == {}


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ('{"text": "b"}', "has no field 'score': found the keys 'text'"),
        ('{"text": "b", "score": null}', "'score' is null, not a number"),
        ('{"text": "b", "score": "9"}', "'score' is text, not a number"),
        ('{"text": "b", "score": true}', "'score' is a boolean, not a number"),
        ('{"text": "b", "score": NaN}', "'score' is nan; a number must be finite"),
    ],
)
def test_numbers_must_be_numbers(tmp_path: Path, record: str, message: str) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text('{"text": "a", "score": 3}\n' + record + "\n")
    with pytest.raises(EntropyLawError, match=f"pool.jsonl:2: .*{message}"):
        load(path, numbers=["score"])
    pool = load(path, numbers=["score"], on_error="skip")
    assert (len(pool), pool.numbers["score"].tolist(), len(pool.skipped)) == (1, [3.0], 1)


def test_reading_tells_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("entropylaw.pool.split._BLOCK", 1 << 12)
    monkeypatch.setattr("entropylaw.pool.compression.CHUNK", 1 << 12)
    monkeypatch.setattr("entropylaw.pool.reading._EVERY", 0)
    content = b"\n".join(LINES * 100)
    paths = [tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"]
    paths[0].write_bytes(content)
    paths[1].write_bytes(gzip.compress(content))
    seen: list[Reading] = []
    load(paths, progress=seen.append)
    assert {now.total for now in seen} == {sum(path.stat().st_size for path in paths)}
    done = [now.done for now in seen]
    assert done == sorted(done)
    assert len(set(done)) > 5
    assert done[-1] == seen[-1].total
    line = ProgressLine().line(Reading(done=60_000_000, total=180_000_000), ProgressLine()._began + 0.4)
    assert line.startswith("reading: 60 of 180 MB, ")
    assert line.endswith(" left")


@pytest.mark.parametrize("memory", ["lots", "-1", "10%", None, True])
def test_memory_is_an_amount(memory: Any) -> None:
    with pytest.raises(EntropyLawError, match="it must be an amount of bytes such as '2GB'"):
        load(["a"], memory=memory)


def test_samples_beyond_memory_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(b"\n".join(LINES * 50))
    held, mapped = load(path), load(path, memory="1KB")
    assert isinstance(mapped.data, np.memmap)
    assert mapped.fingerprint == held.fingerprint
    assert mapped.sample(7) == held.sample(7)


def test_a_field_of_groups_that_no_record_has_is_said(caplog: pytest.LogCaptureFixture) -> None:
    records = [{"text": "a", "source": "x"}, {"text": "b", "source": None}]
    for field, said in (
        ("sorce", ["no record has 'sorce', by which groups are made: all are of one group"]),
        ("text", []),
        ("source", []),
    ):
        caplog.clear()
        load(records, group_by=field)
        assert caplog.messages == said
    load([{"text": "a"}])
    assert caplog.messages == []


@pytest.mark.parametrize("kind", ["lines", "array", "objects", "table"])
def test_a_function_may_change_what_it_is_given(tmp_path: Path, kind: str) -> None:
    """Neither a user's own records nor the groups and numbers of any know of it."""
    records = [{"text": f"t{n}", "source": {"name": f"s{n}"}, "n": n} for n in range(3)]

    def render(record: Any) -> str:
        record["n"] = "changed"
        record["source"]["name"] = "changed"
        return str(record.pop("text"))

    pool: Any = [json.loads(json.dumps(record)) for record in records]
    given = pool
    if kind == "table":
        pool = pytest.importorskip("pyarrow", reason="about tables").Table.from_pylist(records)
    elif kind != "objects":
        pool = tmp_path / "pool.json"
        lines = "\n".join(map(json.dumps, records))
        pool.write_text(lines if kind == "lines" else json.dumps(records))
    found = load(pool, render=render, group_by="source.name", numbers=["n"])
    assert [found.sample(index) for index in range(3)] == [b"t0", b"t1", b"t2"]
    assert (found.group_names, found.numbers["n"].tolist()) == (("s0", "s1", "s2"), [0, 1, 2])
    assert given == records
    missing = load([*records, {"text": "t", "source": {}}], render=render, numbers=["n"], on_error="skip")
    assert len(missing) == 3
