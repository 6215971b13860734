"""A pool in parts: read, controlled and selected from as the whole is."""

import itertools
import json
import pickle
import random
import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import entropylaw
from entropylaw import EntropyLawError, load
from entropylaw.asked import Asked
from entropylaw.controls.copies import Copies, Hashes, compare, slices
from entropylaw.controls.part import exact_sum
from entropylaw.parts import pieces
from entropylaw.parts.leading import lead, reading_of
from entropylaw.parts.part import Part, changes
from entropylaw.parts.parts import Arguments, Here, Layout
from entropylaw.parts.pieces import dealt, files_of
from entropylaw.parts.reading import Rows
from entropylaw.results import Selection

COMMON = (
    *("group_by", "quota", "balance", "min_score", "weight", "length_band", "ratio_band", "dedupe", "anchor", "tokens"),
    *("decontaminate", "benchmark", "id", "checkpoint", "resume", "render", "schema", "field", "on_error", "format"),
)


def asked(budget: int | str, **how: Any) -> Asked:
    """What is asked of ``select``."""
    common = {name: value for name, value in how.items() if name in (*COMMON, "method")}
    options = {name: value for name, value in how.items() if name not in common}
    return Asked.of(budget=budget, options=options, **common).with_data()


class Forgetful(Here):
    """Parts that get lost, each before some of its calls, and are made again; nothing but bytes goes to and fro."""

    def __init__(self, count: int, seed: int, often: float = 0.2) -> None:
        super().__init__(count)
        self._random, self._often = random.Random(seed), often
        self._log: list[list[tuple[str, tuple[Any, ...]]]] = [[] for _ in range(count)]

    def call(self, method: str, arguments: Arguments) -> list[Any]:
        for number, log in enumerate(self._log):
            if self._random.random() < self._often:
                self._parts[number] = Part()
                for before, given_before in log:
                    self._parts[number].call(before, *pickle.loads(pickle.dumps(given_before)))
                self.restarts += 1
        found = super().call(method, pickle.loads(pickle.dumps(list(arguments))))
        for number, given_now in enumerate(arguments):
            if given_now is not None and (kept := changes(method, given_now)) is not None:
                self._log[number].append((method, kept))
        return pickle.loads(pickle.dumps(found))  # type: ignore[no-any-return]


def in_parts(paths: Sequence[str], parts: Here, budget: int | str, **how: Any) -> Selection:
    """A selection from the files, in so many parts."""
    return lead(
        parts, dealt(files_of(paths), len(parts)), files_of(paths), asked(budget, **how), threads=[1] * len(parts)
    )


def records(count: int) -> list[dict[str, Any]]:
    """Records that repeat each other, in part."""
    random_ = random.Random(4)
    words = re.findall(r"\w+", "the cat sat on a mat and ran away from some dogs that were not there at all yesterday")
    found = []
    for n in range(count):
        text = " ".join(random_.choice(words) for _ in range(random_.randrange(3, 60)))
        found.append({"text": text, "source": "abc"[n % 3], "q": n % 7, "tokens": n % 40 + 1, "id": f"d{n}"})
    for n in range(0, count, 9):
        found[n]["text"] = found[n // 2]["text"]
    return found


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files are cut too."""
    monkeypatch.setattr(pieces, "_SMALL", 1)
    monkeypatch.setattr(pieces, "HEAD", 1)


@pytest.fixture
def pool(tmp_path: Path, small: None) -> list[str]:
    """Two files of records, some of which can't be read, and some of which are what comes beside them."""
    lines = [json.dumps(record) for record in records(240)]
    lines.insert(150, "{broken")
    lines.insert(90, '["no", "record"]')
    lines.insert(20, "")
    (tmp_path / "a.jsonl").write_text("\n".join(lines[:40]) + "\n")
    (tmp_path / "b.jsonl").write_text("\n".join(lines[40:]) + "\n")
    (tmp_path / "beside.jsonl").write_text("\n".join(lines[100:110]) + "\n")
    return [str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")]


CONTROLS: dict[str, dict[str, Any]] = {
    "samples": {"budget": 40},
    "a share": {"budget": "15%"},
    "bytes": {"budget": "3KB"},
    "tokens": {"budget": "400 tokens", "tokens": "tokens"},
    "quotas": {"budget": 40, "quota": "a<=30%,b>=25%"},
    "balance": {"budget": "3KB", "balance": 0.5},
    "groups that were given": {"budget": 40, "quota": {"x": "<=20%"}, "group_by": ["y", "x"] * 120},
    "scores": {"budget": 40, "min_score": "q>=2"},
    "bands": {"budget": 40, "length_band": "30:200", "ratio_band": "1.05:4"},
    "weights": {"budget": 40, "weight": "q"},
    "weights that were given": {"budget": 40, "weight": [1.0, 0.1, 1e-30] * 80},
    "no copies": {"budget": 40, "dedupe": True},
    "copies": {"budget": 40, "dedupe": False},
    "an anchor": {"budget": 40, "anchor": "beside"},
    "an anchor in the pool": {"budget": 40, "anchor": [0, 9, 90, 200], "dedupe": True},
    "a benchmark": {"budget": 40, "benchmark": "beside", "decontaminate": "exclude"},
    "a benchmark, reported": {"budget": 40, "benchmark": "beside", "decontaminate": "report"},
    "all at once": {
        "budget": "2KB",
        "balance": 0.3,
        "quota": "b<=40%",
        "weight": "q",
        "anchor": [3, 77],
        "dedupe": True,
        "length_band": "20:",
        "min_score": "q>=1",
    },
}


def count_words(texts: list[str]) -> list[int]:
    return [len(text.split()) for text in texts]


CONTROLS["a share of tokens, counted"] = {"budget": "10% tokens", "tokens": count_words}

METHODS: dict[str, dict[str, Any]] = {
    "random": {"method": "random", "seed": 3},
    "coverage": {"method": "coverage"},
    "zip": {"method": "zip", "k1": 60, "k2": 20, "k3": 7},
    "dsir": {"method": "dsir", "target": "beside", "seed": 5},
}


def told(given_: dict[str, Any], pool: Sequence[str]) -> dict[str, Any]:
    """The controls, with the file that is beside the pool."""
    beside = str(Path(pool[0]).with_name("beside.jsonl"))
    return {name: beside if value == "beside" else value for name, value in given_.items()}


def assert_same(found: Selection, wanted: Selection) -> None:
    """All that is told of them but how long it took."""
    assert type(found) is type(wanted)
    assert found.indices.tolist() == wanted.indices.tolist()
    assert found.gains.tolist() == wanted.gains.tolist()
    assert found.rows.tolist() == wanted.rows.tolist()
    assert found.warnings == wanted.warnings
    assert found.pool.skipped == wanted.pool.skipped
    one, other = (
        {key: value for key, value in each.summary().items() if key not in ("seconds", "work")}
        for each in (found, wanted)
    )
    # Nobody compresses a pool in parts as a whole.
    assert "ratio" not in one["pool"]
    other["pool"].pop("ratio", None)
    assert one == other
    arrays, others = found.arrays(), wanted.arrays()
    assert arrays.keys() == others.keys()
    assert all(np.array_equal(arrays[name], others[name]) for name in arrays)
    assert list(found.records()) == list(wanted.records())
    assert list(found.samples()) == list(wanted.samples())
    assert found.ids == wanted.ids


@pytest.mark.parametrize("number", range(len(CONTROLS)), ids=CONTROLS)
@pytest.mark.parametrize("method", METHODS)
def test_the_selection_is_that_of_the_whole(method: str, number: int, pool: list[str]) -> None:
    controls, parts = list(CONTROLS)[number], (1, 3, 7)[(number + list(METHODS).index(method)) % 3]
    how = told(CONTROLS[controls] | METHODS[method], pool) | {"on_error": "skip", "id": "id"}
    wanted: Any = entropylaw.select(pool, **how)
    lost = Forgetful(parts, seed=len(controls) + parts)
    assert_same(in_parts(pool, lost, **how), wanted)
    assert lost.traffic.round_trips > 0


@given(
    texts=st.lists(st.text("ab \n", max_size=6), min_size=1, max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=6),
    weights=st.randoms(use_true_random=False),
    method=st.sampled_from(sorted(METHODS)),
    budget=st.sampled_from(["1", "5", "60%", "20B", "50% bytes"]),
)
def test_any_split_selects_the_same(
    texts: list[str], cuts: list[int], weights: random.Random, method: str, budget: str
) -> None:
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"text": texts, "source": [weights.choice("xy") for _ in texts]})
    how: dict[str, Any] = {**METHODS[method], "weight": [weights.randrange(1, 5) for _ in texts], "dedupe": True}
    bounds = [0, *sorted(min(cut, len(texts)) for cut in cuts), len(texts)]
    rows = [Rows([table.slice(low, high - low)] if high > low else [], low) for low, high in itertools.pairwise(bounds)]
    try:
        wanted: Any = entropylaw.select(table, budget=budget, **how)
    except EntropyLawError as error:
        with pytest.raises(EntropyLawError) as raised:
            lead(Here(len(rows)), rows, [], asked(budget, **how), threads=[1] * len(rows))
        assert str(raised.value) == str(error)
        return
    found = lead(Here(len(rows)), rows, [], asked(budget, **how), threads=[1] * len(rows))
    assert_same(found, wanted)


LINES = [
    '{"text":"one"}',
    '{"text":"two three"}',
    "",
    "  ",
    "{broken",
    '["a"]',
    '"bare"',
    '{"text":"é"}\r',
    '{"text":1}',
]


@given(lines=st.lists(st.sampled_from(LINES), min_size=1, max_size=25), parts=st.integers(1, 8), end=st.booleans())
@example(lines=['{"text":"one"}'] * 20, parts=7, end=False)
@example(lines=['{"text":"one"}', "{broken", *['{"text":"two"}'] * 9], parts=3, end=True)
def test_a_file_is_read_in_parts_as_in_whole(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], parts: int, end: bool
) -> None:
    path = tmp_path_factory.mktemp("pool") / "pool.jsonl"
    path.write_text("\n".join(['{"text":"first"}', *lines]) + "\n" * end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "_SMALL", 1)
        patch.setattr(pieces, "HEAD", 1)
        shares = dealt(files_of([path]), parts)
    starts = [piece.lines for share in shares for piece in share]
    if parts > 1 and path.stat().st_size > parts:
        bounds = [bound for span in starts if span is not None for bound in span]
        assert bounds == sorted(bounds) and bounds[0] == 0 and bounds[-1] == path.stat().st_size
    whole = load(path, on_error="skip")
    reading = reading_of(asked(1, on_error="skip"))
    here = Here(parts)
    settled = next(filter(None, (here.one(n, "settle", share, reading) for n, share in enumerate(shares))), None)
    loaded = here.call("load", [(share, reading, settled, 1) for share in shares])
    assert [why for part in loaded for why in part.skipped] == list(whole.skipped)
    layout = Layout([part.samples for part in loaded])
    skips = [skip + first for part, first in zip(loaded, layout.firsts, strict=False) for skip in part.skips.tolist()]
    assert skips == whole.skips.tolist()
    places = [here.one(number, "where", at) for number, part in enumerate(loaded) for at in range(part.samples)]
    assert places == [whole.records.where(index) for index in range(len(whole))]
    for call, wanted in (
        ("raw", whole.records.raw(range(len(whole)))),
        ("samples", map(whole.sample, range(len(whole)))),
    ):
        found = here.call(call, [(np.arange(part.samples),) for part in loaded])
        assert [each for part in found for each in part] == list(wanted)


@given(sizes=st.lists(st.integers(0, 50), min_size=1, max_size=9), parts=st.integers(1, 9))
def test_files_are_dealt_in_order_and_each_byte_once(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], parts: int
) -> None:
    directory = tmp_path_factory.mktemp("files")
    paths = [directory / f"{number}.jsonl" for number in range(len(sizes))]
    for path, lines in zip(paths, sizes, strict=True):
        path.write_text('{"text":"some words"}\n' * lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "_SMALL", 1)
        patch.setattr(pieces, "HEAD", 1)
        shares = dealt(files_of(paths), parts)
    assert len(shares) == parts
    read = b""
    for piece in (piece for share in shares for piece in share):
        low, high = piece.lines or (0, None)
        content = Path(piece.path).read_bytes()[low:high]
        assert not content or content.endswith(b"\n")
        read += content
    assert read == b"".join(path.read_bytes() for path in paths)
    read_by = [sum(_size(piece) for piece in share) for share in shares]
    line = len('{"text":"some words"}\n')
    assert max(read_by) <= sum(sizes) * line / parts * 1.11 + line + 1


def _size(piece: pieces.Piece) -> int:
    return Path(piece.path).stat().st_size if piece.lines is None else piece.lines[1] - piece.lines[0]


def test_row_groups_are_dealt(tmp_path: Path, small: None) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    path = tmp_path / "pool.parquet"
    table = pa.Table.from_pylist(records(200))
    pq.write_table(table, path, row_group_size=11)
    how: dict[str, Any] = {"budget": 30, "method": "random", "id": "id", "quota": "a<=40%"}
    wanted: Any = entropylaw.select(path, **how)
    for parts in (2, 5, 30):
        shares = dealt(files_of([path]), parts)
        groups = [piece.groups for share in shares for piece in share if piece.groups is not None]
        assert [group for low, high in groups for group in range(low, high)] == list(range(19))
        found = in_parts([str(path)], Here(parts), **how)
        assert_same(found, wanted)
        assert [found.pool.records.where(index) for index in found.indices.tolist()] == [
            wanted.pool.records.where(index) for index in wanted.indices.tolist()
        ]
        rows = pa.Table.from_batches(found.pool.records.rows(found.indices.tolist()))
        assert rows.to_pylist() == pa.Table.from_batches(wanted.pool.records.rows(wanted.indices.tolist())).to_pylist()


@pytest.mark.parametrize("content", [b"[1, 2]", b'\xef\xbb\xbf[{"text":"a"}]', b"\x1f\x8b", b"PAR1"])
def test_what_has_no_lines_is_not_cut(content: bytes, tmp_path: Path, small: None) -> None:
    path = tmp_path / "pool.json"
    path.write_bytes(content * 50)
    shares = dealt(files_of([path]), 3)
    assert [piece.lines for share in shares for piece in share] == [None]


def test_records_of_json_have_the_columns_of_the_whole(tmp_path: Path, small: None) -> None:
    pa = pytest.importorskip("pyarrow")
    mixed: list[Any] = [1, None, 2.5, [1], [2.5], {"a": 1}, {"a": None}, {"b": 1}, "text", True, 2**60, [], {}]
    for seed in range(12):
        random_ = random.Random(seed)
        path = tmp_path / f"{seed}.jsonl"
        rows = [{"text": f"some words {n}", "x": random_.choice(mixed[: seed + 2])} for n in range(20)]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        wanted: Any = entropylaw.select(path, budget=12, method="random")
        found = in_parts([str(path)], Here(4), budget=12, method="random")
        assert found.pool.records.schema(found.indices) == wanted.pool.records.schema(wanted.indices)
        tables = [pa.Table.from_batches(each.pool.records.rows(each.indices.tolist())) for each in (found, wanted)]
        assert tables[0].to_pylist() == tables[1].to_pylist()


@given(
    parts=st.lists(st.lists(st.sampled_from("abcdef"), max_size=8), min_size=1, max_size=5),
    known=st.sets(st.integers(0, 30)),
)
def test_copies_are_found_over_parts(parts: list[list[str]], known: set[int]) -> None:
    whole = [text for part in parts for text in part]
    known = {index for index in known if index < len(whole)}
    taken = {whole[index] for index in known}
    wanted = [
        index
        for index, text in enumerate(whole)
        if index not in known and (text in taken or whole.index(text) != index)
    ]
    firsts = Layout([len(part) for part in parts]).firsts.tolist()
    each = []
    for part, first in zip(parts, firsts, strict=False):
        mine = np.array(sorted(index - first for index in known if first <= index < first + len(part)), dtype=np.int64)
        each.append(Copies(load(part), None, None, mine, 1) if part else None)
    there = [copies for copies in each if copies is not None]
    if not there:
        return
    for low, high in [(0, 1 << 31), (1 << 31, 1 << 32)]:
        met = compare([copies.hashes(low, high) for copies in there])
        for copies, told_ in zip(there, met, strict=True):
            copies.meet(low, high, told_)
    found = [
        index + first
        for copies, first in zip(each, firsts, strict=False)
        if copies is not None
        for index in copies.found().tolist()
    ]
    assert [index for index in found if index not in known] == wanted


def test_slices_hold_all_hashes() -> None:
    bounds = slices(50_000_000)
    assert bounds[0][0] == 0 and bounds[-1][1] == 1 << 32 and len(bounds) > 1
    assert all(before[1] == after[0] for before, after in itertools.pairwise(bounds))
    nothing = Hashes(np.zeros((0, 2), dtype=np.uint64), np.zeros(0, dtype=np.bool_))
    assert [len(met.before) for met in compare([nothing, nothing])] == [0, 0]


@given(st.lists(st.floats(0, 1e300), max_size=20))
@example([1e300, 1.0, 5e-324, 0.1] * 5)
def test_sums_are_exact(values: list[float]) -> None:
    assert sum(map(Fraction, exact_sum(np.array(values)))) == sum(map(Fraction, values))


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "density": ({"method": "density"}, "method 'density' compares samples that are in different parts"),
    "clusters": (
        {"method": "random", "group_by": "cluster:4", "balance": 0.5},
        "group_by 'cluster:4' compares all samples with each other, which parts of a pool can't",
    ),
    "too few weights": ({"method": "random", "weight": [1.0] * 3}, r"weight has shape \(3,\); it must have a number"),
    "an anchor beyond": ({"method": "random", "anchor": [999]}, "the anchor has index 999, the pool 240 samples"),
    "a wrong weight": (
        {"method": "random", "weight": "gone"},
        r"a.jsonl:1: the record has no field 'gone'",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str, pool: list[str]) -> None:
    how, message = REFUSED[name]
    on_error = "raise" if name == "a wrong weight" else "skip"
    with pytest.raises(EntropyLawError, match=message):
        in_parts(pool, Here(3), budget=10, on_error=on_error, **how)


def test_errors_are_those_of_the_whole(pool: list[str]) -> None:
    with pytest.raises(EntropyLawError) as local:
        entropylaw.select(pool, budget=10, method="random")
    for parts in (1, 3, 7):
        with pytest.raises(EntropyLawError) as raised:
            in_parts(pool, Here(parts), budget=10, method="random")
        assert str(raised.value) == str(local.value)


def test_what_is_read_once_is_refused() -> None:
    with pytest.raises(EntropyLawError, match="-: can be read only once"):
        files_of(["-"])


def test_a_selection_is_saved_from_here_as_that_of_the_whole(pool: list[str], tmp_path: Path) -> None:
    how: dict[str, Any] = {"budget": 30, "method": "random", "on_error": "skip"}
    found, wanted = in_parts(pool, Here(3), **how), entropylaw.select(pool, **how)
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    for selection, where in ((found, "one"), (wanted, "two")):
        selection.save(tmp_path / where / "subset.jsonl", columns=["rank"], sort="input")
    for name in ("subset.jsonl", "subset.jsonl.manifest.json", "subset.jsonl.picks.npz"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    again: Any = entropylaw.replay(tmp_path / "one" / "subset.jsonl.manifest.json", pool=pool)
    assert again.indices.tolist() == found.indices.tolist()
