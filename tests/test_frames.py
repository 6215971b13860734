"""Frames of pandas and polars as pools: what is chosen of them comes back as it was."""

import json
from pathlib import Path
from typing import Any

import numpy
import pytest

from entropylaw import EntropyLawError
from entropylaw.pool import load

pa = pytest.importorskip("pyarrow", reason="tables need pyarrow")
from arrow_columns import read, written  # noqa: E402


def frames() -> dict[str, Any]:
    pandas = pytest.importorskip("pandas", reason="frames are pools")
    texts = {"text": [f"sample {n}" for n in range(6)]}
    frame = pandas.DataFrame(texts)
    return {
        "default": frame,
        "step": frame[::2],
        "filtered": frame[frame.text > "sample 2"],
        "named": frame.rename_axis("id"),
        "named_texts": frame.set_index(pandas.Index(list("uvwxyz"), name="id")),
        "unnamed_texts": frame.set_index(pandas.Index(list("uvwxyz"))),
        "two_levels": frame.set_index(pandas.MultiIndex.from_product([["p", "q"], [1, 2, 3]], names=["a", None])),
        "types": frame.assign(
            s=pandas.array(["a", None] * 3, dtype="string[pyarrow]"),
            c=pandas.Categorical(list("ababab"), ordered=True),
            i=pandas.array([1, None] * 3, dtype="Int64"),
            p=pandas.period_range("2020-01", periods=6, freq="M"),
            v=pandas.interval_range(0, 6),
            t=pandas.to_datetime(range(6), utc=True),
            d=pandas.to_timedelta(range(6), unit="s"),
        ),
    }


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("default", {}),
        ("step", {"__index_level_0__": 2}),
        ("filtered", {"__index_level_0__": 4}),
        ("named", {"id": 1}),
        ("named_texts", {"id": "v"}),
        ("unnamed_texts", {"__index_level_0__": "v"}),
        ("two_levels", {"a": "p", "__index_level_1__": 2}),
        (
            "types",
            {
                "s": None,
                "c": "b",
                "i": None,
                "p": "2020-02",
                "v": {"left": 1, "right": 2},
                "t": "1970-01-01 00:00:00.000000001Z",
                "d": "PT1S",
            },
        ),
    ],
)
def test_frames_of_pandas_keep_their_index_and_types(tmp_path: Path, name: str, members: dict[str, Any]) -> None:
    pandas = pytest.importorskip("pandas", reason="frames are pools")
    frame = frames()[name]
    pool = load(frame)
    row = json.loads(written(pool, "out.jsonl", [1]))
    assert row == {"text": frame.text.iloc[1], **members}
    path = tmp_path / "out.parquet"
    path.write_bytes(written(pool, "out.parquet", [1, 0]))
    expected = frame.iloc[[1, 0]]
    pandas.testing.assert_frame_equal(
        pandas.read_parquet(path),
        expected.reset_index(drop=True) if name in ("default", "types") else expected,
        check_freq=False,
    )


def test_columns_of_frames_that_are_no_table() -> None:
    pandas = pytest.importorskip("pandas", reason="frames are pools")
    polars = pytest.importorskip("polars", reason="frames are pools")
    text = {"text": ["a", "b"]}
    cases = [
        (
            pandas.DataFrame(text | {"x": [object(), "y"]}),
            "the DataFrame can't be read as a table: column 'x' is object: ",
        ),
        (pandas.DataFrame([["a", "b"]], columns=["text", "text"]), "column 'text' is there twice: .*; rename one$"),
        (
            pandas.DataFrame(text | {"x": pandas.arrays.SparseArray([0, 1])}),
            "x' is Sparse.*; drop the column, .* FRAME.to_dict",
        ),
        (polars.DataFrame(text | {"x": [object(), object()]}), "column 'x' is Object, which holds any Python object"),
        (
            polars.DataFrame(text | {"x": polars.Series([1, 2], dtype=polars.Int128)}),
            r"column 'x' is Int128: .*; drop the column, give it one type, or give records: FRAME\.to_dicts\(\)$",
        ),
    ]
    cases += [
        (polars.LazyFrame(text).select("nix"), "^the LazyFrame does not give its rows: "),
        (pandas.DataFrame(index=range(3)), "^the pool is empty: there are no records$"),
    ]
    for frame, expected in cases:
        with pytest.raises(EntropyLawError, match=expected):
            load(frame)


def test_frames_of_polars_come_back(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars", reason="frames are pools")
    frame = polars.DataFrame(
        {
            "text": ["a text of more than twelve bytes", "b"],
            "c": polars.Series(["x", "y"], dtype=polars.Categorical),
            "e": polars.Series(["x", "y"], dtype=polars.Enum(["x", "y"])),
            "a": polars.Series([[1, 2], [3, 4]], dtype=polars.Array(polars.Int8, 2)),
            "l": [["x"], None],
            "s": [{"a": "x", "b": b"\xff"}, {"a": None, "b": None}],
            "d": polars.Series([1, None], dtype=polars.Duration("us")),
            "n": polars.Series(["1.5", None]).cast(polars.Decimal(10, 2)),
        }
    )
    pool = load(frame)
    assert json.loads(written(pool, "o.jsonl", [0])) == {
        "text": "a text of more than twelve bytes",
        "c": "x",
        "e": "x",
        "a": [1, 2],
        "l": ["x"],
        "s": {"a": "x", "b": "/w=="},
        "d": "PT0.000001S",
        "n": "1.50",
    }
    for ending, back in (("arrow", polars.read_ipc), ("parquet", polars.read_parquet)):
        path = tmp_path / f"out.{ending}"
        path.write_bytes(written(pool, path.name, [1, 0]))
        assert back(path).equals(frame.reverse())
        assert back(path).schema == frame.schema
    types = read((tmp_path / "out.arrow").read_bytes(), "arrow").schema.types
    assert types == pa.table(frame).schema.types


def test_objects_in_frames_of_pandas_are_not_padded(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="frames are pools")
    rows = [
        {"text": "a", "x": {"k": 1}, "y": [{"k": 1}], "z": 1, "same": {"k": 1}, "list": [1]},
        {"text": "b", "x": {"l": 2}, "y": [{"l": "2"}, None], "z": "1", "same": {"k": None}, "list": []},
        {"text": "c", "x": None, "y": None, "z": None, "same": None, "list": None},
    ]
    frame = pandas.DataFrame(rows)
    frame["y"] = [numpy.array(value, dtype=object) if value else None for value in frame["y"]]
    before = frame.copy(deep=True)
    pool = load(frame)
    assert [json.loads(line) for line in written(pool, "out.jsonl").splitlines()] == rows
    pandas.testing.assert_frame_equal(frame, before)
    found = read(written(pool, "out.parquet"), "parquet")
    assert [json.loads(line) for line in written(load(found), "out.jsonl").splitlines()] == rows
    assert [str(kind) for kind in found.schema.types[1:]] == [
        "extension<arrow.json>",
        "list<element: extension<arrow.json>>",
        "extension<arrow.json>",
        "struct<k: int64>",
        "list<element: int64>",
    ]
    numbered = frame[["text", "x"]].rename(columns={"x": 5})
    assert json.loads(written(load(numbered), "out.jsonl").splitlines()[1]) == {"text": "b", "5": {"l": 2}}
