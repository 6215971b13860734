"""Records that are Python objects, as tables and NumPy leave them: seen as the lines of JSON that they become."""

import array
import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.pool import load
from entropylaw.pool.encode import as_json, in_json_types

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
    "keys that are numbers": {"text": "a", 1: "b", "source": {2: "c", None: "d", True: "e", 0.5: "f"}},
    "keys in calls": {"messages": [{"role": "a", "tool_calls": [{"function": {"name": "f", "arguments": {1: 2}}}]}]},
    "a field whose key is a number": {"text": "a", "source": {1: {2: 3}}},
    "a missing time of NumPy": {"text": "a", "source": np.datetime64("NaT")},
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


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("ending", [".parquet", ".arrow"])
def test_records_are_the_rows_that_their_lines_are(name: str, ending: str, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    line = next(load([RECORDS[name]], render="json").records.raw([0]))
    (tmp_path / "pool.jsonl").write_bytes(line + b"\n")
    rows = []
    for pool in ([RECORDS[name]], tmp_path / "pool.jsonl"):
        entropylaw.select(pool, budget=1, render="json").save(tmp_path / f"out{ending}", force=True)
        rows.append(next(iter(load(tmp_path / f"out{ending}", render="json").records.raw([0]))))
    assert rows[0] == rows[1]


TIMES = {
    "ns": (np.datetime64("2020-01-01T00:00:00.000000001"), "2020-01-01T00:00:00.000000001"),
    "days": (np.datetime64("2020-01-01"), "2020-01-01"),
    "minutes": (np.datetime64("2020-01-01T01:02"), "2020-01-01T01:02:00"),
    "us": (np.datetime64("2020-01-01T01:02:03.500000"), "2020-01-01T01:02:03.500000"),
    "an array": (np.array(["2020-01-01T01"], dtype="datetime64[ns]"), ["2020-01-01T01:00:00.000000000"]),
    "NaT": (np.datetime64("NaT"), None),
    "1.5 s": (np.timedelta64(1500000001, "ns"), "PT1.500000001S"),
    "s": (np.timedelta64(-5, "s"), "PT-5S"),
    "an array of durations": (np.array([1, 2], dtype="timedelta64[ns]"), ["PT0.000000001S", "PT0.000000002S"]),
    "no dimension": (
        np.array("2020-01-01T00:00:00.000000001", dtype="datetime64[ns]"),
        "2020-01-01T00:00:00.000000001",
    ),
    "no duration": (np.timedelta64("NaT", "ns"), None),
}


@pytest.mark.parametrize("name", TIMES)
def test_times_of_numpy_are_times(name: str) -> None:
    """Not numbers of nanoseconds, which Python makes of them."""
    value, text = TIMES[name]
    seen = in_json_types({"text": "a", "at": value, "n": np.int64(1)})
    assert type(seen["n"]) is int, "the rest is seen, too"
    assert json.loads(as_json(seen))["at"] == text
    assert json.loads(next(load([{"text": "a", "at": value}]).records.raw([0])))["at"] == text


@pytest.mark.parametrize(
    "value", [np.timedelta64(3, "M"), np.timedelta64(3), np.array([3], "timedelta64[Y]")], ids=repr
)
def test_durations_of_no_length_are_refused(value: Any) -> None:
    """A month is no number of seconds."""
    assert in_json_types({"at": value, "n": np.int64(1)})["n"] == 1
    with pytest.raises(EntropyLawError, match="timedelta64 has no form in JSON"):
        next(load([{"text": "a", "at": value}]).records.raw([0]))


def test_other_arrays_are_lists() -> None:
    class Tensor:
        def tolist(self) -> list[int]:
            return [1, 2]

    for value in (Tensor(), array.array("i", [1, 2]), pytest.importorskip("pandas").Series([1, 2])):
        assert json.loads(next(load([{"text": "a", "at": value}]).records.raw([0])))["at"] == [1, 2]
    if np.dtype(np.longdouble).itemsize > 8:
        with pytest.raises(EntropyLawError, match="longdouble has no form in JSON"):
            next(load([{"text": "a", "at": np.longdouble(1)}]).records.raw([0]))


def test_durations_of_pandas_keep_their_nanoseconds() -> None:
    pd = pytest.importorskip("pandas")
    values = [pd.Timedelta(n, "ns") for n in (1, 1_500_000_001, -1)]
    records = [{"text": "a", "took": value} for value in values]
    found = [json.loads(line)["took"] for line in load(records).records.raw(range(3))]
    assert found == ["PT0.000000001S", "PT1.500000001S", "PT-0.000000001S"]


def test_times_of_pandas_keep_their_nanoseconds_in_tables(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    pq = pytest.importorskip("pyarrow.parquet")
    times = [pd.Timestamp("2020-01-01T00:00:00.000001", tz="UTC"), pd.Timestamp(1, tz="UTC"), pd.NaT]
    durations = [pd.Timedelta(1, "us"), pd.Timedelta(-1, "ns"), None]
    records = [{"text": "a", "at": at, "took": took, "list": [took]} for at, took in zip(times, durations, strict=True)]
    entropylaw.select(records, budget=3, method="random").save(tmp_path / "out.parquet", sort="input")
    found = pq.read_table(tmp_path / "out.parquet")
    assert found["at"].cast("int64").to_pylist() == [times[0].value, 1, None]
    assert found["took"].cast("int64").to_pylist() == [1000, -1, None]
    assert found["list"].combine_chunks().flatten().cast("int64").to_pylist() == [1000, -1, None]


KEYS: list[Any] = [1, 0, -5, 2.5, True, False, None, "\ud800", "", np.str_("k")]


@pytest.mark.parametrize("key", KEYS, ids=repr)
@pytest.mark.parametrize("ending", [".jsonl", ".json", ".parquet", ".arrow"])
@pytest.mark.parametrize("deep", [0, 1, 2])
def test_keys_are_what_json_makes_of_them(key: Any, ending: str, deep: int, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    value: Any = 1
    for _ in range(deep + 1):
        value = {key: value} if deep else value
    record = {"text": "a", **({"m": value} if deep else {key: 1})}
    wanted = json.loads(json.dumps(record))
    selection = entropylaw.select([record, record], budget=2, method="random")
    if key == "\ud800" and not deep and ending in (".parquet", ".arrow"):
        with pytest.raises(EntropyLawError, match="a column can't have such a name; write JSON Lines"):
            selection.save(tmp_path / f"out{ending}")
        return
    selection.save(tmp_path / f"out{ending}")
    again = load(tmp_path / f"out{ending}", render="json")
    assert [json.loads(line) for line in again.records.raw([0, 1])] == [wanted, wanted]


@pytest.mark.parametrize("key", [(1, 2), b"a", np.int64(1)], ids=repr)
@pytest.mark.parametrize("ending", [".jsonl", ".parquet"])
@pytest.mark.parametrize("deep", [False, True])
def test_keys_that_json_cannot_hold_are_refused(key: Any, ending: str, deep: bool, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    record = {"text": "a", **({"m": {key: 1}} if deep else {key: 1})}
    selection = entropylaw.select([record, record], budget=2, method="random")
    with pytest.raises(
        EntropyLawError, match=r"record 0.*: (can't be written as JSON|'m' does not fit|.* a column can't)"
    ):
        selection.save(tmp_path / f"out{ending}")
    assert not list(tmp_path.iterdir())


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
