"""Data sets of the ``datasets`` package: their rows, order and types, whatever was done to them before."""

import datetime
import decimal
import json
from pathlib import Path
from typing import Any

import pytest

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.pool import load

datasets = pytest.importorskip("datasets", reason="about its data sets")
import pyarrow as pa  # noqa: E402 - comes with it
import pyarrow.parquet as pq  # noqa: E402

ROWS = [
    {
        "text": f"sample {n} " + "word " * (n % 7),
        "label": n % 2,
        "at": datetime.datetime(2024, 1, 1, 0, n),
        "scores": [n / 4, None],
        "meta": {"ids": [n, n + 1], "name": None if n % 3 else "näme"},
        "source": "ab"[n % 2],
    }
    for n in range(60)
]


def made() -> Any:
    features = datasets.Features(
        {
            "text": datasets.Value("large_string"),
            "label": datasets.ClassLabel(names=["no", "yes"]),
            "at": datasets.Value("timestamp[us]"),
            "scores": datasets.Sequence(datasets.Value("float32")),
            "meta": {"ids": datasets.Sequence(datasets.Value("int16")), "name": datasets.Value("string")},
            "source": datasets.Value("string"),
        }
    )
    return datasets.Dataset.from_list(ROWS, features=features)


@pytest.mark.parametrize(
    "change",
    [
        lambda whole: whole,
        lambda whole: whole.shuffle(seed=1),
        lambda whole: whole.select(range(50, 3, -2)),
        lambda whole: whole.filter(lambda row: row["label"] == 1),
        lambda whole: datasets.concatenate_datasets([whole.select(range(40, 60)), whole.select(range(5))]),
        lambda whole: whole.with_format("numpy"),
    ],
    ids=["whole", "shuffled", "selected", "filtered", "concatenated", "formatted"],
)
def test_rows_come_out_as_they_are(change: Any, tmp_path: Path) -> None:
    dataset = change(made())
    plain = dataset.with_format(None)
    pool = load(dataset)
    assert [pool.sample(n).decode() for n in range(len(pool))] == plain["text"][:]
    selection = entropylaw.select(dataset, budget=9)
    selection.save(tmp_path / "out.parquet")
    written = pq.read_table(tmp_path / "out.parquet")
    assert written.to_pylist() == [plain[n] for n in selection.indices.tolist()]
    assert written.schema.types == made().features.arrow_schema.types
    # The types that only `datasets` knows, such as names of classes, come back too.
    assert datasets.Dataset(written).features == dataset.features
    assert selection.indices.tolist() == entropylaw.select(plain["text"][:], budget=9).indices.tolist()


def test_columns_are_groups_and_numbers() -> None:
    selection = entropylaw.select(made(), budget=10, quota="a=30%", min_score="label>=0", weight="label")
    assert selection.sources == {"b": 7, "a": 3}


def test_a_dictionary_of_splits_is_not_a_pool() -> None:
    splits = made().train_test_split(test_size=10, seed=1)
    with pytest.raises(EntropyLawError, match=r"has the splits 'train', 'test'; give one of them: pool\['train'\]"):
        load(splits)
    assert len(load(splits["test"])) == 10


def test_a_stream_is_read_once() -> None:
    pool = load(made().to_iterable_dataset().remove_columns(["at"]))
    assert len(pool) == len(ROWS)
    first = json.loads(next(iter(pool.records.raw([3]))))
    assert first["meta"] == ROWS[3]["meta"]


def test_turns() -> None:
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]
    dataset = datasets.Dataset.from_dict({"messages": [turns, turns[:1]]})
    assert [load(dataset).sample(n) for n in range(2)] == [b"hi\nho", b"hi"]
    assert isinstance(dataset.data.table, pa.Table)


def test_json_comes_back_as_datasets_writes_it(tmp_path: Path) -> None:
    if not hasattr(datasets, "Json"):
        pytest.skip("this version of datasets has no type Json")
    features = datasets.Features({"text": datasets.Value("string"), "x": datasets.List({"a": datasets.Json()})})
    rows = [{"text": "p", "x": [{"a": {"k": 1}}, {"a": [True, None]}]}, {"text": "q", "x": [{"a": "s"}]}]
    dataset = datasets.Dataset.from_list(rows, features=features)
    dataset.to_json(tmp_path / "theirs.jsonl")
    selection = entropylaw.select(dataset, budget=2)
    selection.save(tmp_path / "ours.jsonl", sort="input")
    selection.save(tmp_path / "ours.parquet", sort="input")
    for name in ("theirs.jsonl", "ours.jsonl"):
        assert [json.loads(line) for line in (tmp_path / name).read_text().splitlines()] == rows
    written = pq.read_schema(tmp_path / "ours.parquet")
    assert (written, written.metadata) == (features.arrow_schema, features.arrow_schema.metadata)


def test_features_of_every_kind(tmp_path: Path) -> None:
    kinds = {
        "text": "large_string",
        "binary": "binary",
        "time": "time64[us]",
        "stamp": "timestamp[ns]",
        "duration": "duration[s]",
        "decimal": "decimal128(9,2)",
    }
    features = datasets.Features(
        {name: datasets.Value(kind) for name, kind in kinds.items()}
        | {"label": datasets.ClassLabel(names=["no", "yes"]), "grid": datasets.Array2D((2, 2), "int8")}
    )
    row = {
        "text": "a",
        "binary": b"\xff",
        "time": datetime.time(1, 2, 3),
        "stamp": datetime.datetime(2020, 1, 1),
        "duration": datetime.timedelta(seconds=3),
        "decimal": decimal.Decimal("1.5"),
        "label": 1,
        "grid": [[1, 2], [3, 4]],
    }
    selection = entropylaw.select(datasets.Dataset.from_list([row, row], features=features), budget=1)
    assert json.loads(next(selection.records())) == {
        "text": "a",
        "binary": "/w==",
        "time": "01:02:03.000000",
        "stamp": "2020-01-01 00:00:00.000000000",
        "duration": "PT3S",
        "decimal": "1.50",
        "label": 1,
        "grid": [[1, 2], [3, 4]],
    }
    selection.save(tmp_path / "out.parquet")
    assert pq.read_schema(tmp_path / "out.parquet") == features.arrow_schema


def test_a_transform_is_not_passed_over() -> None:
    """What a trainer reads is what the transform makes, which the stored rows are not."""
    changed = made().with_transform(lambda rows: {"text": [text.upper() for text in rows["text"]]})
    with pytest.raises(EntropyLawError) as error:
        load(changed)
    assert str(error.value) == (
        "the data set has a transform, which rows get only as they are looked at; apply it with map(), or drop it with "
        "reset_format()"
    )
    assert len(load(changed.with_format(None))) == len(ROWS)
