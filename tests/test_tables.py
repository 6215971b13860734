"""Tables: the same samples as from JSON, and the chosen rows back in every column and type."""

import decimal
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import entropylaw
from entropylaw.pool import Pool, load

pa = pytest.importorskip("pyarrow", reason="tables need pyarrow")
import pyarrow.csv  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

from entropylaw.pool.tables import MemoryTable  # noqa: E402
from entropylaw.row_files import write_rows  # noqa: E402

RECORDS: list[dict[str, Any]] = [
    {"text": f"sample {n} \u2028 é 😀 \0 end" * (n % 3), "source": f"s{n % 4}", "n": n, "score": n / 7}
    for n in range(50)
]


def as_file(table: Any, path: Path) -> Path:
    """Writes a table in the format that the path's name stands for."""
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=max(1, table.num_rows // 3))
    elif path.suffix == ".arrow":
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=7)
    elif path.suffix == ".arrows":
        with pa.ipc.new_stream(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=7)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    else:
        options = pyarrow.csv.WriteOptions(delimiter="\t" if path.suffix == ".tsv" else ",")
        pyarrow.csv.write_csv(table, path, options)
    return path


def samples(pool: Pool) -> list[bytes]:
    return [pool.sample(index) for index in range(len(pool))]


@pytest.mark.parametrize("ending", [".parquet", ".arrow", ".arrows", ".csv", ".tsv", ".jsonl"])
def test_every_format_gives_the_same_samples(tmp_path: Path, ending: str) -> None:
    rows = (
        [{**row, "text": row["text"].replace("\0", "")} for row in RECORDS] if ending in (".csv", ".tsv") else RECORDS
    )
    expected = load(rows)
    pool = load(as_file(pa.Table.from_pylist(rows), tmp_path / f"pool{ending}"), numbers=["score"])
    assert pool.fingerprint == expected.fingerprint
    assert pool.group_counts() == expected.group_counts()
    assert pool.numbers["score"].tolist() == [row["score"] for row in RECORDS]
    assert pool.schema == "text"


LEAVES: list[tuple[Callable[[], Any], st.SearchStrategy[Any]]] = [
    (pa.string, st.text(st.characters(exclude_categories=["Cs"]))),
    (pa.large_string, st.sampled_from(["\u2028", "\0", "😀", "", "a\nb"])),
    (pa.int64, st.integers(-(2**63), 2**63 - 1)),
    (pa.uint64, st.integers(0, 2**64 - 1)),
    (pa.int8, st.integers(-128, 127)),
    (pa.float64, st.floats(allow_nan=False)),
    (pa.bool_, st.booleans()),
    (pa.binary, st.binary()),
    (pa.date32, st.dates()),
    (lambda: pa.timestamp("us", "Europe/Berlin"), st.integers(-(2**55), 2**55)),
    (lambda: pa.timestamp("ns"), st.integers(-(2**60), 2**60)),
    (lambda: pa.duration("us"), st.integers(-(2**50), 2**50)),
    (
        lambda: pa.decimal128(30, 4),
        st.decimals(-(10**20), 10**20, places=4).map(lambda number: number.quantize(decimal.Decimal("0.0001"))),
    ),
    (lambda: pa.dictionary(pa.int32(), pa.string()), st.sampled_from(["a", "b", "c", "😀"])),
    (lambda: pa.null(), st.none()),
]


@st.composite
def kinds(draw: st.DrawFn, depth: int = 2) -> tuple[Any, st.SearchStrategy[Any]]:
    """A type of Arrow, and its values; null among them."""
    how = draw(st.sampled_from(["leaf", "leaf", "list", "struct", "map"] if depth else ["leaf"]))
    if how == "leaf":
        make, values = draw(st.sampled_from(LEAVES))
        return make(), st.none() | values
    inner, values = draw(kinds(depth - 1))
    if how == "list":
        return pa.list_(inner), st.none() | st.lists(values, max_size=3)
    if how == "map":
        pairs = st.lists(st.tuples(st.text("ab", max_size=2), values), max_size=2, unique_by=lambda pair: pair[0])
        return pa.map_(pa.string(), inner), st.none() | pairs
    other, others = draw(kinds(depth - 1))
    fields = pa.struct([("a", inner), pa.field("b c", other)])
    return fields, st.none() | st.fixed_dictionaries({"a": values, "b c": others})


@st.composite
def tables(draw: st.DrawFn) -> Any:
    """A table of texts and columns of any types."""
    rows = draw(st.integers(1, 6))
    columns = {"text": pa.array([draw(st.text("ab\u2028é", max_size=5)) for _ in range(rows)])}
    for name in ("x", "y", "source"):
        kind, values = draw(kinds()) if name != "source" else (pa.string(), st.sampled_from(["p", None]))
        columns[name] = pa.array([draw(values) for _ in range(rows)], type=kind)
    return pa.table(columns).replace_schema_metadata({"kept": "é"})


@given(tables(), st.data())
@pytest.mark.parametrize("ending", [".parquet", ".arrow", ".arrows", "memory", "memory, row by row"])
def test_chosen_rows_come_back_in_every_column_and_type(
    tmp_path_factory: pytest.TempPathFactory, ending: str, table: Any, data: st.DataObject
) -> None:
    directory = tmp_path_factory.mktemp("rows")
    if ending.startswith("memory"):
        pool = load(pa.Table.from_batches(table.to_batches(max_chunksize=1)) if "row" in ending else table)
    else:
        path = as_file(table, directory / f"pool{ending}")
        pool = load(path)
        # What a file can hold of the types is the format's business; what was read is what has to come back.
        table = pq.read_table(path) if ending == ".parquet" else table
    order = data.draw(st.permutations(range(table.num_rows)))[: data.draw(st.integers(1, table.num_rows))]
    chosen = pa.Table.from_batches(pool.records.rows(order), pool.records.schema())
    chosen.validate()
    expected = table.take(pa.array(order))
    assert chosen.schema.equals(expected.schema, check_metadata=True)
    assert chosen.to_pylist() == expected.to_pylist() or chosen.equals(expected)
    for kind in ("parquet", "arrow"):
        out = directory / f"out.{kind}"
        with out.open("wb") as file:
            write_rows(file, kind, pool.records.schema(), pool.records.rows(order))
        again = pq.read_table(out) if kind == "parquet" else pa.ipc.open_file(out).read_all()
        if kind == "arrow" or ending == ".parquet":
            assert again.schema == expected.schema
            assert again.schema.metadata == expected.schema.metadata
            assert again.equals(expected) or again.to_pylist() == expected.to_pylist()


@pytest.mark.parametrize(
    ("texts", "sizes"),
    [
        (["a"] * 1_200, [512, 512, 176]),
        (["a" * 400_000] * 5, [2, 2, 1]),
        (["a", "a" * 3_000_000, "a", "a"], [1, 1, 2]),
        ([], []),
    ],
    ids=["few bytes", "many bytes", "of any size", "none"],
)
@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_batches_of_few_rows_are_joined(texts: list[str], sizes: list[int], chunk: int) -> None:
    table = pa.table({"text": pa.array(texts, pa.string()), "n": pa.array(range(len(texts)), pa.int64())})
    held = MemoryTable(table.schema, table.to_batches(max_chunksize=chunk))
    found = list(held.batches(["text"]))
    assert pa.Table.from_batches(found, held.schema.remove(1)).equals(table.select(["text"]))
    if chunk == 1:
        assert [batch.num_rows for batch in found] == sizes
    assert all(batch.num_rows <= 512 for batch in found)


_LETTERS = pa.array(["é", None, "bcd"])
UNREAD = {
    "text": (_LETTERS, 5),
    "views": (_LETTERS.cast(pa.string_view()), 5),
    "dictionary": (_LETTERS.dictionary_encode(), 5),
    "objects": (pa.StructArray.from_arrays([_LETTERS, pa.array([1, 2, 3])], ["a", "b"]), 5),
    "lists": (pa.array([["é"], None, ["bc", "d"]]), 5),
    "lists of objects": (pa.array([[{"a": "é"}], None, [{"a": "bc"}, {"a": "d"}]]), 5),
    "lists of a dictionary": (pa.ListArray.from_arrays(pa.array([0, 1, 2, 3]), _LETTERS.dictionary_encode()), 5),
    "JSON": (pa.ExtensionArray.from_storage(pa.json_(), _LETTERS), 5),
    "bytes": (pa.array([b"e", None, b"bcd"]), 0),
    "numbers": (pa.array([1, None, 3]), 0),
}


@pytest.mark.parametrize(("column", "size"), UNREAD.values(), ids=UNREAD)
@pytest.mark.parametrize("chunk", [1, 3])
def test_what_is_left_unread_is_counted_alike_in_batches_of_any_size(column: Any, size: int, chunk: int) -> None:
    table = pa.table({"text": ["a", "b", "c"], "left": column})
    held = MemoryTable(table.schema, table.to_batches(max_chunksize=chunk))
    assert pa.Table.from_batches(held.batches(["text"])).equals(table.select(["text"]))
    assert held.unread == {"left": (3 - column.null_count, size)}


def test_formats_and_shards_change_no_selection(tmp_path: Path) -> None:
    text = Path(__file__).with_name("oracle.py").read_text() * 2
    rows = [{"text": text[n * 40 : n * 40 + 29 * (1 + n % 7)], "source": f"s{n % 3}"} for n in range(200)]
    table = pa.Table.from_pylist(rows)
    pools: list[Any] = [rows, iter(rows), table, pa.RecordBatchReader.from_batches(table.schema, table.to_batches())]
    pandas = pytest.importorskip("pandas", reason="frames are pools")
    polars = pytest.importorskip("polars", reason="frames are pools")
    pools += [pandas.DataFrame(rows), polars.DataFrame(rows)]
    for ending in ("parquet", "arrow", "arrows", "csv", "jsonl"):
        for shards in (1, 3, 7):
            directory = tmp_path / f"{ending} in {shards} pärts"
            directory.mkdir()
            cuts = [200 * n // shards for n in range(shards + 1)]
            for n in range(shards):
                as_file(table.slice(cuts[n], cuts[n + 1] - cuts[n]), directory / f"{n}.{ending}")
            pools += [directory, f"{directory}/*.{ending}"]
    for method, options in (("zip", {"k1": 50, "k2": 20, "k3": 10}), ("coverage", {})):
        chosen = [
            entropylaw.select(pool, budget=30, method=method, threads=(1, 2, 8)[n % 3], **options)
            for n, pool in enumerate(pools if method == "zip" else pools[4:])
        ]
        assert len({tuple(selection.indices.tolist()) for selection in chosen}) == 1
        for selection in chosen[::5]:
            lines = [json.loads(line) for line in selection.records()]
            assert [(line["text"], line["source"]) for line in lines] == [
                (rows[index]["text"], rows[index]["source"]) for index in selection.indices
            ]


ENCODED: dict[str, Callable[[Any], Any]] = {
    "text": lambda texts: texts,
    "large text": lambda texts: texts.cast(pa.large_string()),
    "views": lambda texts: texts.cast(pa.string_view()),
    "a dictionary": lambda texts: texts.dictionary_encode(),
    "a small dictionary": lambda texts: texts.dictionary_encode().cast(pa.dictionary(pa.int8(), pa.string())),
    "categories in order": lambda texts: pa.DictionaryArray.from_arrays(
        texts.dictionary_encode().indices, texts.dictionary_encode().dictionary, ordered=True
    ),
    "lists": lambda texts: pa.ListArray.from_arrays(range(len(texts) + 1), texts),
    "lists of a dictionary": lambda texts: pa.ListArray.from_arrays(range(len(texts) + 1), texts.dictionary_encode()),
    "objects": lambda texts: pa.StructArray.from_arrays([texts], ["x"]),
    "objects of a dictionary": lambda texts: pa.StructArray.from_arrays([texts.dictionary_encode()], ["x"]),
}
"""Columns that may hold the same values."""


@pytest.mark.parametrize("one", ENCODED)
@pytest.mark.parametrize("other", ENCODED)
def test_files_with_a_dictionary_go_together_with_those_without(one: str, other: str, tmp_path: Path) -> None:
    """A column of categories in some files is text in others, if that is what their writers made of it."""
    kinds = ["objects" if "objects" in name else "lists" if "lists" in name else "" for name in (one, other)]
    if kinds[0] != kinds[1]:
        return
    wanted = []
    for name, kind, values in (("a", one, ["x", "y", "x"]), ("b", other, ["z", None, "x"])):
        made = ENCODED[kind](pa.array(values, pa.string()))
        table = pa.table({"text": [f"{name} {n}" for n in range(3)], "kind": made})
        wanted += table["kind"].to_pylist()
        with pa.OSFile(str(tmp_path / f"{name}.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
    pool = [tmp_path / "a.arrow", tmp_path / "b.arrow"]
    selection = entropylaw.select(pool, budget=6, method="random")
    for name in ("out.arrow", "out.parquet", "out.jsonl"):
        selection.save(tmp_path / name, sort="input")
    with pa.OSFile(str(tmp_path / "out.arrow")) as file:
        assert pa.ipc.open_file(file).read_all()["kind"].to_pylist() == wanted
    assert pq.read_table(tmp_path / "out.parquet")["kind"].to_pylist() == wanted
    assert [json.loads(line)["kind"] for line in (tmp_path / "out.jsonl").open()] == wanted
