"""A pool in parts: selected from as the whole is, whatever is lost meanwhile."""

import json
import random
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.parts.leading import lead
from entropylaw.parts.parts import Here
from entropylaw.parts.pieces import dealt, files_of
from entropylaw.parts.reading import Rows
from parted import Forgetful, asked, assert_same, cut_small, in_parts, records


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two files of records, some of which can't be read, and some of which are what comes beside them."""
    cut_small(monkeypatch)
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
    "an anchor in a pool of less than the budget": {"budget": 900, "anchor": [0, 9]},
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
    rows = [Rows([table.slice(low, high - low)] if high > low else [], low) for low, high in pairwise(bounds)]
    try:
        wanted: Any = entropylaw.select(table, budget=budget, **how)
    except EntropyLawError as error:
        with pytest.raises(EntropyLawError) as raised:
            lead(Here(len(rows)), rows, [], asked(budget, **how), threads=[1] * len(rows))
        assert str(raised.value) == str(error)
        return
    found = lead(Here(len(rows)), rows, [], asked(budget, **how), threads=[1] * len(rows))
    assert_same(found, wanted)


BLOCKS: dict[str, list[tuple[dict[str, Any], dict[str, str]]]] = {
    "numbers": [({"text": ["a", "b"], "q": [1, 2]}, {}), ({"text": ["c", None], "q": [1.5, 2]}, {})],
    "numbers and text": [({"text": ["a"], "q": [1]}, {}), ({"text": ["c"], "q": ["1"]}, {})],
    "large text": [({"text": ["a", "b"]}, {}), ({"text": ["c"]}, {"text": "large_string"}), ({"text": ["d"]}, {})],
    "categories": [({"text": ["a", "b"]}, {"text": "dictionary"}), ({"text": [None, "c"]}, {})],
    "a column that is missing": [({"text": ["a"], "source": ["x"]}, {}), ({"text": ["c", "d"]}, {})],
    "another order": [({"text": ["a"], "source": ["x"]}, {}), ({"source": ["y"], "text": ["c"]}, {})],
    "nulls": [({"text": ["a"], "source": [None]}, {}), ({"text": ["c"], "source": ["z"]}, {})],
    "other members": [({"text": ["a"], "m": [{"a": 1}]}, {}), ({"text": ["c"], "m": [{"b": "x"}]}, {})],
    "no rows": [({"text": []}, {}), ({"text": ["a"]}, {}), ({"q": []}, {}), ({"text": ["b"]}, {})],
}


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_of_other_types_are_read_wherever_they_are(name: str) -> None:
    """Ray makes blocks of what each task finds, so that their types may differ; the same in any part."""
    pa = pytest.importorskip("pyarrow")
    blocks = []
    for columns, kinds in BLOCKS[name]:
        made = {key: pa.array(values, pa.string() if not values else None) for key, values in columns.items()}
        for key, kind in kinds.items():
            made[key] = made[key].dictionary_encode() if kind == "dictionary" else made[key].cast(kind)
        blocks.append(pa.table(made))
    firsts = [sum(block.num_rows for block in blocks[:at]) for at in range(len(blocks))]
    whole = [Rows(blocks, 0)]
    each = [Rows([block], first) for block, first in zip(blocks, firsts, strict=True)]
    how: dict[str, Any] = {"budget": 9, "method": "random", "on_error": "skip", "render": "json"}
    for rendering in ({}, {"render": "text"}):
        one, other = (
            lead(Here(len(rows)), rows, [], asked(**how | rendering), threads=[1] * len(rows)) for rows in (whole, each)
        )
        assert one.indices.tolist() == other.indices.tolist()
        assert list(one.records()) == list(other.records())
        assert one.pool.skipped == other.pool.skipped
        texts = [text for columns, _ in BLOCKS[name] for text in columns.get("text", [])]
        assert len(one) == (len(texts) if not rendering else sum(text is not None for text in texts))
        try:
            tables = [pa.Table.from_batches(each.pool.records.rows(each.indices.tolist())) for each in (one, other)]
        except EntropyLawError as error:
            assert "column 'q' is int64 in some rows, and string in others; give it one type" in str(error)
            assert name == "numbers and text"
        else:
            assert tables[0].equals(tables[1])
            assert tables[0]["text"].to_pylist() == [json.loads(line).get("text") for line in one.records()]
        if rendering:
            places = [f"the pool: row {row + 1}: 'text' is null" for row, text in enumerate(texts) if text is None]
            assert [why[: len(place)] for why, place in zip(one.pool.skipped, places, strict=True)] == places


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


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_records_before_the_one_that_decides_for_a_schema(parts: int, tmp_path: Path) -> None:
    """Why they are skipped is told as on one machine."""
    lines = ['{"q": 1}', "{broken", '{"text": "a"}', '{"q": 2}', '{"messages": []}', '{"text": "b"}']
    paths = [tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "c.jsonl"]
    for path, some in zip(paths, (lines[:1], lines[1:4], lines[4:]), strict=True):
        path.write_text("\n".join(some))
    how: dict[str, Any] = {"budget": 1, "method": "random", "on_error": "skip"}
    wanted: Any = entropylaw.select(list(map(str, paths)), **how)
    assert "has none of the schemas" in wanted.pool.skipped[0] and "decided for it" in wanted.pool.skipped[2]
    assert_same(in_parts(list(map(str, paths)), Forgetful(parts, seed=parts), **how), wanted)


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


SPECIAL: dict[str, dict[str, Any]] = {
    "the authors' script": {"preset": "reference", "k1": 60, "k2": 20, "k3": 7, "budget": 40},
    "whole rounds": {"k1": 60, "k2": 20, "k3": 7, "budget": 40, "whole_rounds": True},
    "a target": {"method": "coverage", "budget": "2KB", "target": "beside"},
    "words": {"method": "coverage", "budget": 30, "unit": "word", "features": "1/2", "gamma": 0.5},
    "words of a target": {"method": "coverage", "budget": 30, "unit": "word", "target": "beside", "target_weight": 0.5},
    "the mean weight": {"method": "dsir", "budget": 30, "target": "beside", "ranking": "mean", "weight": "q"},
    "the highest weights": {"method": "top", "budget": 30, "weight": "tokens", "dedupe": True},
    "highest weights that were given": {"method": "top", "budget": 30, "weight": [0.1, 0.7, 0.2] * 80},
    "a template": {"method": "random", "budget": 30, "render": "{{ id }} {{ text }}"},
    "records as they are": {"method": "random", "budget": 30, "render": "json"},
}


@pytest.mark.parametrize("name", SPECIAL)
def test_options_of_methods_and_renderings(name: str, pool: list[str]) -> None:
    if name == "a template":
        pytest.importorskip("minijinja")
    how = told(SPECIAL[name], pool) | {"on_error": "skip"}
    assert_same(in_parts(pool, Forgetful(3, seed=1), **how), entropylaw.select(pool, **how))


@pytest.mark.parametrize("method", ["zip", "coverage"])
def test_a_checkpoint_goes_on_in_other_parts(method: str, pool: list[str], tmp_path: Path) -> None:
    how: dict[str, Any] = METHODS[method] | {"budget": 60, "on_error": "skip", "checkpoint": str(tmp_path / "work")}

    class LostError(Exception):
        pass

    class Failing(Here):
        """Parts whose leader is lost in the middle."""

        def ask(self, requests: Sequence[bytes | None]) -> list[bytes]:
            nonlocal asked_
            asked_ += 1
            if asked_ == last:
                raise LostError
            return super().ask(requests)

    asked_, last = 0, -1
    in_parts(pool, Failing(3), **METHODS[method], budget=60, on_error="skip")
    asked_, last = 0, asked_ - 1
    with pytest.raises(LostError):
        in_parts(pool, Failing(3), **how)
    found = in_parts(pool, Here(2), **how, resume=True)
    wanted: Any = entropylaw.select(pool, **METHODS[method], budget=60, on_error="skip")
    assert found.indices.tolist() == wanted.indices.tolist()
    assert found.gains.tolist() == wanted.gains.tolist()
    with pytest.raises(EntropyLawError, match=r'method is "\w+ \(parts\)" there, and "\w+" now'):
        entropylaw.select(pool, **how, resume=True)
    Path(pool[0]).write_text('{"text":"another","source":"a"}\n')
    with pytest.raises(EntropyLawError, match=r"is the checkpoint of another selection: pool.samples"):
        in_parts(pool, Here(2), **how, resume=True)


def test_what_is_wrong_with_the_records_ends_it_before_the_work(pool: list[str]) -> None:
    class Noting(Here):
        def call(self, method: str, arguments: Any) -> list[Any]:
            called.append(method)
            return super().call(method, arguments)

    def check(records: Any) -> None:
        assert len(records) == 240
        raise EntropyLawError("they can't be written")

    called: list[str] = []
    files = files_of(pool)
    how = asked(9, method="random", on_error="skip")
    with pytest.raises(EntropyLawError, match="they can't be written"):
        lead(Noting(2), dealt(files, 2), files, how, threads=[1, 1], check=check)
    assert "load" in called and "begin" not in called
