"""Records that are Python objects, as tables and NumPy leave them: seen as the lines of JSON that they become."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.pool import load

TURNS = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "é"}]
CALLS = {"function": {"name": "f", "arguments": {"x": 1}}}
RECORDS: dict[str, Any] = {
    "a tuple of turns": {"messages": tuple(TURNS), "source": "a"},
    "an array of turns": {"messages": np.array(TURNS, dtype=object), "source": "a"},
    "arrays in turns": {"messages": [{"role": "user", "content": "hi", "tool_calls": np.array([CALLS], dtype=object)}]},
    "tuples in turns": {"messages": [{"role": "user", "content": ({"type": "text", "text": "hi"},)}]},
    "arrays of text": {"conversations": [{"from": "human", "value": np.array(["a", "b"])}]},
    "text of NumPy": {"text": np.str_("a"), "source": np.str_("b")},
    "numbers of NumPy": {"text": "a", "source": np.int64(3), "q": np.float32(0.5)},
    "a truth of NumPy": {"text": "a", "source": np.True_},
    "a number without a dimension": {"text": "a", "source": np.array(3)},
    "what is masked": {"text": "a", "source": np.ma.masked},
    "members without a text": {"text": "a", "meta": {"tags": ("x", "y"), "at": np.arange(3)}},
}


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("render", ["text", "json", "{{ record.source }} {{ record.text }} {{ record.messages }}"])
def test_records_are_seen_as_their_lines(name: str, render: str, tmp_path: Path) -> None:
    if "{" in render:
        pytest.importorskip("minijinja")
    record = RECORDS[name]
    before = copy.deepcopy(record)
    path = tmp_path / "pool.jsonl"
    found = load([record], render=render, on_error="skip") if "{" not in render else _or_error([record], render)
    line = next(load([record], render="json").records.raw([0]))
    path.write_bytes(line + b"\n")
    wanted = load(path, render=render) if "{" not in render else _or_error(path, render)
    if isinstance(found, str):
        assert found == wanted
        return
    assert found.sample(0) == wanted.sample(0)
    assert found.group_names == wanted.group_names
    assert found.unread == wanted.unread
    assert repr(record) == repr(before)


def _or_error(pool: Any, render: str) -> Any:
    try:
        return load(pool, render=render)
    except EntropyLawError as error:
        return str(error).partition(": ")[2]


def test_rows_of_a_frame_as_records(tmp_path: Path) -> None:
    """Lists in Parquet are arrays in pandas; and what is missing is null, whatever pandas has in its place."""
    pd, pa = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({"messages": [TURNS, TURNS[:1]], "source": ["x", "y"]}), tmp_path / "pool.parquet")
    frame = pd.read_parquet(tmp_path / "pool.parquet")
    frame["n"] = pd.array([1, None], dtype="Int64")
    frame["when"] = pd.to_datetime(["2020-01-01", None])
    records = frame.to_dict("records")
    pool = load(records)
    assert [pool.sample(at) for at in range(2)] == [load(frame).sample(at) for at in range(2)]
    assert [json.loads(line)["n"] for line in pool.records.raw([0, 1])] == [1, None]
    assert json.loads(next(pool.records.raw([1])))["when"] is None
    for field in ("n", "when"):
        assert load(records, group_by=field).group_names[1] == ""


def test_a_function_gets_what_was_given() -> None:
    record = {"messages": tuple(TURNS), "n": np.int64(3)}
    kinds: list[Any] = []
    load([record], render=lambda given: kinds.append((type(given["messages"]), type(given["n"]))) or "x")
    assert kinds == [(tuple, np.int64)]
    assert load([record], render="repr").sample(0) == repr(record).encode()


def test_records_that_hold_themselves_are_refused() -> None:
    record: dict[str, Any] = {"text": "a"}
    record["self"] = [record]
    with pytest.raises(EntropyLawError):
        entropylaw.select([record], budget=1, method="random", render="json")


@pytest.mark.parametrize("kind", ["objects", "lines"])
def test_nan_for_text_is_said_to_be_missing(kind: str, tmp_path: Path) -> None:
    records = [{"instruction": "a", "input": "b", "output": "c"}, {"instruction": "a", "input": np.nan, "output": "b"}]
    path = tmp_path / "pool.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    with pytest.raises(
        EntropyLawError, match=r"'input' is a number, not text; if NaN is what pandas has where text is"
    ):
        load(records if kind == "objects" else path)
