"""Arrays that are read as they come: on any file, what reading all of it at once comes to."""

import json
import re
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entropylaw import EntropyLawError
from entropylaw.pool import load
from entropylaw.pool.json_array import _REMEDY, array_blocks, parse_whole
from entropylaw.pool.layouts import BOM
from entropylaw.pool.source import Source
from entropylaw.pool.split import blocks
from test_line_reader import VALUES, told

Found = list[tuple[int, int, bytes]]
"""Of each item its line, where it begins, and its bytes."""


def at_once(content: bytes) -> tuple[Found, str | None]:
    """All items by parsers of the whole, or what is wrong."""
    mark = len(BOM) if content.startswith(BOM) else 0
    try:
        msgspec.json.decode(memoryview(content)[mark:], type=list[msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError):
        try:
            parse_whole("pool", content[mark:], _REMEDY)
        except EntropyLawError as error:
            return [], str(error)
    found: Found = []
    # Every byte a character: items are told by brackets and strings alone.
    text = content.decode("latin-1")
    decoder = json.JSONDecoder(strict=False, parse_int=str)
    at = text.index("[") + 1
    while True:
        start = re.compile(r"[ \t\r\n,]*").match(text, at).end()  # type: ignore[union-attr]
        if text[start] == "]":
            return found, None
        _, at = decoder.raw_decode(text, start)
        found.append((content.count(b"\n", 0, start) + 1, start, content[start:at]))


def as_it_comes(content: bytes, size: int) -> tuple[Found, str | None]:
    """The same in pieces."""
    bracket = content.index(b"[") + 1
    head = content[: max(bracket, size)]
    rest = (content[at : at + size] for at in range(len(head), len(content), size))
    found: Found = []
    try:
        for block in array_blocks("pool", head, rest):
            assert content.startswith(block.content, block.start)
            found += block.records()
    except EntropyLawError as error:
        return found, str(error)
    return found, None


BLANKS = st.text("  \n\t\r", max_size=3)
ITEMS = st.one_of(
    VALUES.map(lambda value: json.dumps(value, ensure_ascii=True)),
    VALUES.map(lambda value: json.dumps(value, ensure_ascii=True, indent=1)),
    st.sampled_from([
        '{"from": "human", "value": "é😀"}', '{"role": "user", "content": "]},{"}', "[[], {}]", '"\\\\"', '"\\""',
        "NaN", "-Infinity", '"\\ud83d"', "1" * 30, '{"a": "日本"}', "0", '{"x": [1, {"y": "}]"}]}',
    ]),
)  # fmt: skip
BROKEN = [
    "{'a': 1}", "{]", "[}", '{"a": 1', '{"a" 1}', '{"a": }', '{"a": 1,}', '"a\nb"', '"a\tb"', "nul", "01", "+1",
    "tru e",
    '"unclosed', '{"a": "b}', "1 2", "{} {}", '"a" "b"', "[1]]", "é", "\\", "#", "", ",", "{,}", "[,]", '"\\x"', "}",
    "1" * 5000, "[" * 3000, "[" * 3000 + "]" * 3000, "\x0b", "\ufeff", "/* */ 1", "1]\n[2", ":",
    '{"from": "a", "value": "b"}]\n[1',
]  # fmt: skip
BEHIND = ["x", "[", "[]", "\n[1, 2]", "{}", "]", ",", "\0", "\ufeff", "\n\n # end"]


@st.composite
def arrays(draw: st.DrawFn, fault: str) -> bytes:
    items = draw(st.lists(ITEMS, max_size=7))
    at = draw(st.integers(0, len(items)))
    if fault == "broken":
        items.insert(at, draw(st.sampled_from(BROKEN)))
    spaced = [draw(BLANKS) + item + draw(BLANKS) for item in items]
    if fault == "comma":
        spaced.insert(draw(st.sampled_from([at, len(items)])), draw(BLANKS))
    text = f"{draw(BLANKS)}[{','.join(spaced) or draw(BLANKS)}]{draw(BLANKS)}"
    if fault == "no comma" and "," in text:
        cut = draw(st.sampled_from([place for place, each in enumerate(text) if each == ","]))
        text = text[:cut] + draw(st.sampled_from([" ", "", "\n"])) + text[cut + 1 :]
    if fault == "behind":
        text += draw(st.sampled_from(BEHIND))
    content = text.encode()
    if fault == "cut":
        content = content[: draw(st.integers(text.index("[") + 1, len(content)))]
    if fault == "byte":
        place = draw(st.integers(text.index("[") + 1, len(content)))
        content = content[:place] + draw(st.sampled_from([b"\xff", b"\xc3", b"\xed\xa0\xbd"])) + content[place:]
    return draw(st.sampled_from([b"", b"", BOM])) + content


@pytest.mark.parametrize("fault", ["none", "broken", "comma", "no comma", "behind", "cut", "byte"])
@given(st.data(), st.sampled_from([1, 2, 7, 60, 1 << 20]), st.sampled_from([1, 40, 1 << 22]))
def test_any_array(fault: str, data: st.DataObject, size: int, block: int) -> None:
    content = data.draw(arrays(fault))
    expected, error = at_once(content)
    with (
        patch("entropylaw.pool.json_array._BLOCK", block),
        patch("entropylaw.pool.json_array._BEHIND", data.draw(st.sampled_from([400, 1 << 16]))),
    ):
        found, same = as_it_comes(content, size)
    if error != same and None in (error, same) and re.search("is not UTF-8|more digits", error or same or ""):
        # In a string or a number, msgspec leaves it to those who read the item. Python's parser, which one of the items
        # has taken, finds it in all around that one: in more of them if all are read at once.
        return
    assert same == error
    if error is None:
        assert found == expected


@pytest.mark.parametrize("indent", [None, 1])
def test_pools_of_arrays_in_blocks(tmp_path: Path, indent: int | None) -> None:
    """Blocks and pieces don't matter to a pool: not to its samples, nor to its lines, nor to what comes back."""
    records: list[dict[str, Any]] = [{"text": f"é{n}" * (n % 50), "n": n, "source": str(n % 7)} for n in range(3_000)]
    records[17]["text"] = None
    records[2_000]["n"] = float("nan")
    path = tmp_path / "pool.json"
    path.write_text(json.dumps(records, indent=indent, ensure_ascii=False), encoding="utf-8-sig")
    whole = told(load(path, on_error="skip"), str(path))
    assert len(whole["samples"]) == len(records) - 1
    assert [record["n"] for record in map(json.loads, whole["raw"])][-2:] == [2_998, 2_999]
    with patch("entropylaw.pool.json_array._BLOCK", 1 << 12), patch("entropylaw.pool.compression.CHUNK", 777):
        assert told(load(path, on_error="skip"), str(path)) == whole


@pytest.mark.parametrize(
    ("behind", "line"),
    [("]", None), ("", 2001), (",]", 2001), ('{"text": "b"}]', 2001), ("]\n[1]", 2002), (",\n{'a': 1}]", 2002)],
)
def test_what_is_held_is_bounded(tmp_path: Path, behind: str, line: int | None) -> None:
    """By blocks, whatever the size of the array, and whatever is wrong at its end."""
    path = tmp_path / "pool.json"
    record = json.dumps({"text": "spam and eggs " * 1_000})
    with path.open("w") as file:
        file.write("[" + record)
        for _ in range(2_000):
            file.write(",\n" + record)
        file.write(behind)

    def read() -> Iterator[int]:
        for block in blocks(Source(path)):
            assert block.spans is not None
            yield len(block.spans)

    tracemalloc.start()
    try:
        if line is not None:
            with pytest.raises(EntropyLawError, match=f"pool.json:{line}: is not a JSON array"):
                list(read())
        else:
            assert sum(read()) == 2_001
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 28_000_000
    assert most < 27_000_000
