"""The way back from a selection to the rows of whatever the pool was read from."""

import gzip
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import entropylaw
from entropylaw import EntropyLawError, Selector

RECORDS: list[dict[str, Any]] = [
    {"text": f"the cat sat on mat {n % 5} and {n}" + " and on" * (n % 7), "key": f"r{n}", "at": {"n": n}}
    for n in range(40)
]
for n in (3, 4, 20, 39):
    # No text: skipped. A list of text would be taken for another schema.
    RECORDS[n]["text"] = None
KEPT = [n for n, record in enumerate(RECORDS) if record["text"] is not None]


def pandas(records: list[dict[str, Any]]) -> Any:
    return pytest.importorskip("pandas").DataFrame(records)


def odd_pandas(records: list[dict[str, Any]]) -> Any:
    return pandas(records).set_index(np.arange(len(records))[::-1])


def polars(records: list[dict[str, Any]]) -> Any:
    return pytest.importorskip("polars").DataFrame(records)


def table(records: list[dict[str, Any]]) -> Any:
    return pytest.importorskip("pyarrow").Table.from_pylist(records)


def batch(records: list[dict[str, Any]]) -> Any:
    return table(records).to_batches()[0]


def dataset(records: list[dict[str, Any]]) -> Any:
    return pytest.importorskip("datasets").Dataset.from_list(records)


def as_dicts(taken: Any) -> list[dict[str, Any]]:
    if hasattr(taken, "to_pylist"):
        return list(taken.to_pylist())
    if hasattr(taken, "to_dicts"):
        return list(taken.to_dicts())
    if hasattr(taken, "to_list"):
        return list(taken.to_list())
    if hasattr(taken, "to_dict"):
        return list(taken.to_dict("records"))
    return list(taken)


def same(taken: Any, wanted: list[dict[str, Any]]) -> bool:
    # What is nothing in a frame of pandas is NaN.
    found = [{**row, "text": row["text"] if isinstance(row["text"], str) else None} for row in as_dicts(taken)]
    for row in found:
        # The index of a frame of pandas is a column, where it says anything.
        row.pop("__index_level_0__", None)
    return found == wanted


CONTAINERS: list[Callable[[list[dict[str, Any]]], Any]] = [
    *(list, tuple, pandas, odd_pandas, polars, table, batch, dataset),
]


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("method", ["zip", "coverage", "random"])
def test_every_container_gives_its_own_rows(container: Callable[[Any], Any], method: Any) -> None:
    """The same picks for the same records, whatever holds them; and with skipped records the right rows of it."""
    given = container(RECORDS)
    selection = entropylaw.select(given, budget=9, method=method, on_error="skip", field="text", id="key")
    wanted = entropylaw.select(RECORDS, budget=9, method=method, on_error="skip", field="text")
    assert len(selection.pool.skipped) == 4
    assert selection.indices.tolist() == wanted.indices.tolist()
    assert selection.rows.tolist() == [KEPT[index] for index in selection.indices.tolist()]
    chosen = [RECORDS[row] for row in selection.rows.tolist()]
    assert selection.ids == [record["key"] for record in chosen]
    taken = selection.take(given)
    assert type(taken) is type(given)
    assert same(taken, chosen)
    assert same(list(selection), chosen)
    assert same([selection[0], *selection[1:-1], selection[-1]], chosen)


def derived(given: Any) -> Any:
    """The same in a class of one's own."""
    base = type(given)
    mine: Any = type("Mine", (base,), {})
    if base.__module__.startswith("datasets"):
        return mine(given.data, info=given.info).with_format("numpy", columns=["key"])
    return given.view(mine) if isinstance(given, np.ndarray) else mine(given)


@pytest.mark.parametrize(
    "container",
    [list, tuple, pandas, odd_pandas, polars, dataset, lambda records: np.array(records, dtype=object)],
)
def test_a_class_that_is_derived_from_a_container_is_one(container: Callable[[Any], Any], tmp_path: Path) -> None:
    """Of objects of different keys in a frame, and of a format that leaves columns out, the same comes of both."""
    records = [{**record, "at": {"n": n} if n % 2 else [n]} for n, record in enumerate(RECORDS) if n in KEPT]
    if container in (polars, dataset):
        records = [{**record, "at": n} for n, record in enumerate(records)]
    given = container(records)
    mine = derived(given)
    assert type(mine) is not type(given) and isinstance(mine, type(given))
    found = []
    for pool in (given, mine):
        selection = entropylaw.select(pool, budget=9, method="random", id="key")
        selection.save(tmp_path / "out.jsonl", force=True)
        found.append((selection.ids, (tmp_path / "out.jsonl").read_text(), as_dicts(selection.take(pool))))
    if container is dataset:
        # What is looked at has the columns of its format.
        found[1] = (*found[1][:2], found[0][2])
    assert found[0] == found[1]


def test_a_column_of_a_data_set_and_arrays_of_objects_are_pools() -> None:
    pa = pytest.importorskip("pyarrow")
    records = [RECORDS[n] for n in KEPT]
    objects = pa.array(records)
    chunks = pa.chunked_array([objects[:5], objects[5:]])
    wanted = entropylaw.select(records, budget=5, method="random")
    for given in (objects, chunks, dataset(records)["text"]):
        selection = entropylaw.select(given, budget=5, method="random")
        assert selection.indices.tolist() == wanted.indices.tolist()
        taken = selection.take(given)
        texts = [row if isinstance(row, str) else row["text"] for row in as_dicts(taken)]
        assert texts == [records[row]["text"] for row in wanted.rows.tolist()]


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".jsonl.gz", ".parquet", ".csv"])
def test_rows_of_files_are_counted_over_all_of_them(suffix: str, tmp_path: Path) -> None:
    from entropylaw.saving import Saving

    flat = [{"text": record["text"], "key": record["key"]} for record in RECORDS]
    parts = [flat[:10], flat[10:30], flat[30:]]
    paths = []
    for number, part in enumerate(parts):
        path = tmp_path / f"part-{number}{suffix}"
        if suffix in (".parquet", ".csv"):
            pa = pytest.importorskip("pyarrow")
            from pyarrow import csv, parquet

            write = parquet.write_table if suffix == ".parquet" else csv.write_csv
            write(pa.Table.from_pylist(part), path)
        elif suffix == ".json":
            path.write_text(json.dumps(part, indent=1))
        else:
            lines = "".join(json.dumps(record) + "\n\n" for record in part).encode()
            path.write_bytes(gzip.compress(lines) if suffix == ".jsonl.gz" else lines)
        paths.append(path)
    # An empty field of CSV is text, and no reason to skip a record.
    skipped = 0 if suffix == ".csv" else 4
    selection = entropylaw.select(paths, budget=9, method="random", on_error="skip", field="text", id="key")
    assert len(selection.pool.skipped) == skipped
    kept = list(range(40)) if suffix == ".csv" else KEPT
    assert selection.rows.tolist() == [kept[index] for index in selection.indices.tolist()]
    assert selection.ids == [f"r{row}" for row in selection.rows.tolist()]
    assert [record["key"] for record in selection] == selection.ids
    assert [record["key"] for record in selection.take(flat)] == selection.ids
    out = tmp_path / "picks.txt"
    Saving(str(out), indices_only=True).write(selection)
    assert [int(line) for line in out.read_text().split()] == selection.rows.tolist()


def test_what_was_given_is_what_is_given_back() -> None:
    """Objects in memory are the same ones; what comes only once is as JSON has it."""
    for record, row in zip(entropylaw.select(RECORDS[:3], budget=3), (0, 1, 2), strict=True):
        assert any(record is other for other in RECORDS[:3]), row
    texts = ["one", "two and two", "three"]
    assert sorted(entropylaw.select(texts, budget=3)) == sorted(texts)
    assert sorted(entropylaw.select(iter(texts), budget=3)) == sorted(texts)


def test_a_selection_is_a_table_of_its_picks() -> None:
    pa = pytest.importorskip("pyarrow")
    selection = entropylaw.select(RECORDS, budget=5, on_error="skip", field="text", id="at.n")
    found = pa.table(selection)
    assert found.to_pydict() == {
        "row": selection.rows.tolist(),
        "rank": [1, 2, 3, 4, 5],
        "gain": selection.gains.tolist(),
        "id": selection.rows.tolist(),
    }
    assert selection.to_pandas()["row"].tolist() == selection.rows.tolist()
    assert selection.to_polars()["id"].to_list() == selection.ids
    assert "id" not in pa.table(entropylaw.select(RECORDS, budget=5, on_error="skip", field="text")).column_names


class Unordered:
    """Has neither length nor order."""

    __module__ = "duckdb"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (RECORDS[:39], "the list has 39 rows, and the pool was read from 40 records; take from what it was read from"),
        (Unordered(), "the rows of a Unordered can't be taken by their positions; give select(..., id=) the name of"),
        (iter(RECORDS), "the rows of a list_iterator can't be taken by their positions"),
        ("x" * 40, "the rows of a str can't be taken by their positions; give a list, a table or a frame"),
        (dict.fromkeys(range(40)), "the rows of a dict can't be taken by their positions; give a list"),
    ],
)
def test_rows_that_cannot_be_taken(given: Any, said: str) -> None:
    selection = entropylaw.select(RECORDS, budget=3, on_error="skip", field="text")
    with pytest.raises(EntropyLawError) as caught:
        selection.take(given)
    assert str(caught.value).startswith(said)


def test_a_record_without_an_id_is_named() -> None:
    selection = entropylaw.select([{"text": "a cat", "key": 1}, {"text": "a dog"}], budget=2, id="key")
    with pytest.raises(EntropyLawError) as caught:
        _ = selection.ids
    assert str(caught.value) == "record 1: has no field 'key' (id=)"


@pytest.mark.parametrize("kind", ["records", "pandas", "polars", "pyarrow", "lines"])
@pytest.mark.parametrize("missing", [None, math.nan])
def test_what_is_missing_is_no_id(kind: str, missing: Any, tmp_path: Path) -> None:
    """What is joined by it would have no row."""
    records = [{"text": "a cat", "key": 1.5}, {"text": "a dog", "key": missing}]
    (tmp_path / "pool.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    pool: Any = {
        "records": lambda: records,
        "pandas": lambda: pytest.importorskip("pandas").DataFrame(records),
        "polars": lambda: pytest.importorskip("polars").DataFrame(records),
        "pyarrow": lambda: pytest.importorskip("pyarrow").Table.from_pylist(records),
        "lines": lambda: tmp_path / "pool.jsonl",
    }[kind]()
    selection = entropylaw.select(pool, budget=2, id="key")
    with pytest.raises(EntropyLawError, match=r"(record 1|row 2|jsonl:2): 'key' is (None|nan), which is no id \(id=\)"):
        _ = selection.ids


def test_ids_are_those_of_a_replay_too(tmp_path: Path) -> None:
    pool = tmp_path / "pool.jsonl"
    pool.write_text("".join(json.dumps(RECORDS[n]) + "\n" for n in KEPT))
    selection = entropylaw.select(pool, budget=9, method="random", id="key")
    selection.save(tmp_path / "out.jsonl")
    assert entropylaw.replay(tmp_path / "out.jsonl.manifest.json").ids == selection.ids


@pytest.mark.parametrize("how", [{"method": "zip"}, {"method": "coverage"}, {"method": "random", "weight": "score"}])
def test_a_notebook_shows_a_selection(how: dict[str, Any]) -> None:
    """A fragment whose text can't be taken for markup, with R as it grew."""
    records = [{"text": f"the cat {n % 3} sat and {n}", "score": 1, "source": "<b>&"[n % 4]} for n in range(30)]
    selection = entropylaw.select(records, budget=9, **how)
    shown = selection._repr_html_()
    assert f"9 of {len(records)}" in shown and f"{selection.ratio:.3f}" in shown
    points = re.search(r"points='([^']*)'", shown)
    assert points is not None and len(points.group(1).split()) == 9
    assert "<td style='text-align:left'>" in shown and "&lt;" in shown and "<script" not in shown
    assert shown.count("<div>") == shown.count("</div>") == 1
    assert entropylaw.select(["one"], budget=1)._repr_html_().endswith("</table></div>")


def test_a_selector_fits_like_those_of_scikit_learn() -> None:
    texts = [record["text"] for record in RECORDS]
    data = [text for text in texts if text is not None]
    selector = Selector(6, method="coverage", gamma=0.7)
    with pytest.raises(EntropyLawError, match="nothing is selected yet: call fit first"):
        selector.get_support()
    assert selector.fit(data) is selector
    wanted = entropylaw.select(data, budget=6, method="coverage", gamma=0.7)
    assert selector.ranking_.tolist() == wanted.indices.tolist()
    assert selector.gains_.tolist() == wanted.gains.tolist()
    assert selector.get_support(indices=True).tolist() == sorted(wanted.indices.tolist())
    mask = selector.get_support()
    assert mask.dtype == bool and np.flatnonzero(mask).tolist() == sorted(wanted.indices.tolist())
    assert selector.transform(data) == [data[index] for index in wanted.indices.tolist()]
    again = Selector(**selector.get_params()).set_params(n_samples=4, gamma=0.5)
    assert again.get_params() == {"n_samples": 4, "method": "coverage", "gamma": 0.5}
    assert again.fit_transform(data) == [
        data[index] for index in entropylaw.select(data, budget=4, method="coverage", gamma=0.5).indices.tolist()
    ]
    assert repr(again) == "Selector(4, method='coverage', gamma=0.5)"
    skipping = Selector(6, on_error="skip", field="text").fit(RECORDS)
    assert len(skipping.get_support()) == 40 and set(skipping.ranking_.tolist()) <= set(KEPT)
