"""Whatever ``select`` accepts is written down so that ``replay`` repeats it and a checkpoint is resumed, or what can't
be is named.
"""

import functools
import inspect
import json
import operator
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import entropylaw
from entropylaw import EntropyLawError

N = 40
RECORDS = [
    {"text": f"{'the cat sat on a mat ' * (1 + n % 3)}{n * n} {n}", "source": "abc"[n % 3], "n": 1 + n % 5, "m": 0.5}
    for n in range(N)
]
WEIGHTS = [1 + n % 4 for n in range(N)]
NAMES = [f"g{n % 2}" for n in range(N)]
ZIP: dict[str, Any] = {"budget": 9, "k1": 30, "k2": 10, "k3": 4}
COVERAGE: dict[str, Any] = {"budget": 9, "method": "coverage"}
RANDOM: dict[str, Any] = {"budget": 9, "method": "random"}
TOP: dict[str, Any] = {"budget": 9, "method": "top"}
DSIR: dict[str, Any] = {"budget": 9, "method": "dsir", "target": "pool.jsonl"}
ZIPFIT: dict[str, Any] = {"budget": 9, "method": "zipfit", "target": "pool.jsonl"}
DENSITY: dict[str, Any] = {"budget": 9, "method": "density"}


class Count:
    """A tokenizer that is an object."""

    def __call__(self, texts: list[str]) -> list[int]:
        return [len(text) for text in texts]


def first(record: dict[str, Any]) -> str:
    return str(record["text"])


def series(values: Any) -> Any:
    return pytest.importorskip("pandas").Series(values)


def polars(values: Any) -> Any:
    return pytest.importorskip("polars").Series(values)


def tokenizer() -> Any:
    tokenizers = pytest.importorskip("tokenizers")
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0, "the": 1}, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    return made


def tokenizer_file() -> Path:
    tokenizer().save("tokenizer.json")
    return Path("tokenizer.json")


def template_file() -> str:
    pytest.importorskip("minijinja")
    Path("how.jinja").write_text("{{ source }}: {{ text }}")
    return "how.jinja"


def known() -> Path:
    Path("known.jsonl").write_text("".join(json.dumps(record) + "\n" for record in RECORDS[:5]))
    return Path("known.jsonl")


FORMS: dict[str, list[tuple[dict[str, Any], list[Any]]]] = {
    "budget": [(ZIP, [9, np.int64(9), 9.0, np.float32(9), "9", "20%", "300B", "9 samples", 2**70])],
    "preset": [(ZIP, ["paper", "reference"])],
    "k1": [(ZIP, [30, np.int64(30), np.uint8(30), 2**62])],
    "k2": [(ZIP, [10, np.int32(10)])],
    "k3": [(ZIP, [4, np.int16(4)])],
    "whole_rounds": [(ZIP, [True, False, np.True_])],
    "format": [(ZIP, ["json"])],
    "unit": [(COVERAGE, ["byte", "word"])],
    "ngram": [(COVERAGE, [4, np.int8(4)])],
    "gamma": [(COVERAGE, [0, 1, 0.5, np.float32(0.1), np.float64(0.5)])],
    "alpha": [(COVERAGE, ["auto", 0, 0.3, np.float32(0.1)])],
    "min_df": [(COVERAGE, [3, np.int64(3)])],
    "min_contexts": [(COVERAGE, [1, np.int64(1)])],
    "features": [(COVERAGE, ["auto", "all", "1/4"])],
    "seed": [(how, [0, 7, np.int64(3), 7.0, 2**63 - 1]) for how in (RANDOM, DSIR, DENSITY)],
    "ranking": [(DSIR, ["sampled", "sum", "mean"])],
    "balance": [(how, [0, 1, 0.5, np.float32(0.1), np.float64(0.3)]) for how in (ZIP, COVERAGE, RANDOM)],
    "group_by": [
        (
            {**ZIP, "quota": "*<=70%"},
            [
                "source",
                "n",
                NAMES,
                tuple(NAMES),
                np.array(NAMES),
                np.array(NAMES, dtype=object),
                [n % 2 for n in range(N)],
                lambda: series(NAMES),
                lambda: polars(NAMES),
            ],
        )
    ],
    "quota": [
        (
            ZIP,
            [
                "a>=20%",
                ["a>=20%", "b<=5"],
                ("a>=20%",),
                {"a": "20%"},
                {"a": 3, "b": np.int64(2)},
                {"a": "<=3", "*": ">=1"},
            ],
        ),
        # Names of groups that look like marks of a format.
        ({**ZIP, "group_by": [("array", "object", "type")[n % 3] for n in range(N)]}, [{"array": 2, "type": "<=3"}]),
        ({**ZIP, "group_by": ["type", "sha256"] * (N // 2)}, [{"type": "=2"}, {"sha256": ">=10%", "type": ">=1"}]),
    ],
    "min_score": [
        (
            ZIP,
            [
                "n>=2",
                "n>=-inf",
                ["n>=2", "m>=0.1"],
                {"n": 2},
                {"n": np.int64(2), "m": np.float32(0.25)},
                {"n": Decimal("1.5"), "m": Fraction(1, 3)},
                {"n": "2"},
                {"n": -float("inf")},
            ],
        )
    ],
    "weight": [
        (
            ZIP,
            [
                "n",
                WEIGHTS,
                tuple(WEIGHTS),
                np.array(WEIGHTS, dtype=np.int16),
                np.array(WEIGHTS, dtype=np.float32),
                np.array(WEIGHTS, dtype=">f8"),
                np.repeat(WEIGHTS, 2)[::2],
                lambda: series(WEIGHTS),
                lambda: polars(WEIGHTS),
                [Decimal(1)] * N,
            ],
        ),
        (COVERAGE, [lambda: series([float(value) for value in WEIGHTS])]),
        *((how, ["n", WEIGHTS, np.array(WEIGHTS, dtype=np.float32)]) for how in (RANDOM, TOP)),
        *((how, ["n", WEIGHTS]) for how in (DSIR, ZIPFIT, DENSITY)),
    ],
    "length_band": [
        (
            ZIP,
            [
                "24:60",
                "24:",
                (24, 60),
                [24, None],
                (np.int64(24), np.float64(60)),
                np.array([24, 60]),
                (-float("inf"), float("inf")),
                (None, None),
            ],
        )
    ],
    "ratio_band": [(ZIP, [":3", (0.1, None), (np.float32(0.25), 3)])],
    "dedupe": [(ZIP, [True, False, np.False_]), (COVERAGE, [False])],
    "anchor": [
        (COVERAGE, [[1, 2], (3,), range(3), np.array([5, 5, 2], dtype=np.uint8), [], known, lambda: [known()]]),
        (ZIP, [[1, 2], known, lambda: str(known())]),
    ],
    "initial_subset": [(COVERAGE, [[1, 2], known])],
    "target": [(how, [known, lambda: [known()], lambda: str(known())]) for how in (COVERAGE, DSIR, ZIPFIT)],
    "target_weight": [
        ({**COVERAGE, "target": "pool.jsonl"}, [0, 1, 0.5, np.float32(0.25), np.int64(1)]),
    ],
    "decontaminate": [({**ZIP, "benchmark": "pool.jsonl"}, ["report"])],
    "benchmark": [({**ZIP, "decontaminate": True}, [known, lambda: [known()], lambda: str(known())])],
    "tokens": [
        (
            {**ZIP, "budget": "40 tokens"},
            [
                "n",
                WEIGHTS,
                np.array(WEIGHTS, dtype=np.uint32),
                np.array(WEIGHTS, dtype=np.float64),
                lambda: series(WEIGHTS),
                tokenizer_file,
                lambda: str(tokenizer_file()),
            ],
        )
    ],
    "id": [(ZIP, ["n", "text"])],
    "render": [(ZIP, ["text", "json", "{{ source }} {{ text }}", template_file])],
    "schema": [(ZIP, ["text"])],
    "field": [(ZIP, ["text", "source"])],
    "on_error": [(ZIP, ["raise", "skip"])],
}


def cases() -> Iterator[Any]:
    for name, rows in FORMS.items():
        for base, values in rows:
            for value in values:
                shown = getattr(value, "__name__", None) or str(value)
                yield pytest.param(name, base, value, id=f"{name}-{type(value).__name__}-{shown[:20]}")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``pool.jsonl`` in the current directory."""
    monkeypatch.chdir(tmp_path)
    Path("pool.jsonl").write_text("".join(json.dumps(record) + "\n" for record in RECORDS))


def given(value: Any) -> Any:
    return value() if callable(value) else value


@pytest.mark.parametrize(("name", "base", "value"), list(cases()))
def test_every_parameter_is_replayed_and_resumed(name: str, base: dict[str, Any], value: Any) -> None:
    how = {**base, name: given(value)}
    if how.get("preset") == "reference":
        how["whole_rounds"] = True
    selection = entropylaw.select("pool.jsonl", **how)
    selection.save("out.jsonl")
    again = entropylaw.replay("out.jsonl.manifest.json")
    assert again.indices.tolist() == selection.indices.tolist()
    again.save("again.jsonl")
    archives = {Path(f"{out}.jsonl.picks.npz").read_bytes() for out in ("out", "again")}
    assert len(archives) == 1
    kept, repeated = (json.loads(Path(f"{out}.jsonl.manifest.json").read_text()) for out in ("out", "again"))
    assert kept["parameters"] == repeated["parameters"]
    for resume in (False, True):
        resumed = entropylaw.select("pool.jsonl", **how, checkpoint="work", resume=resume)
        assert resumed.indices.tolist() == selection.indices.tolist()


def test_every_parameter_is_tried() -> None:
    apart = {"pool", "method", "checkpoint", "resume", "memory", "storage_options", "threads", "progress"}
    assert set(inspect.signature(entropylaw.select).parameters) - apart == set(FORMS)


@pytest.mark.parametrize(
    ("name", "base", "value"),
    [
        ("render", ZIP, first),
        ("render", ZIP, lambda record: record["text"]),
        ("render", ZIP, operator.itemgetter("text")),
        ("render", ZIP, functools.partial(first)),
        ("tokens", {**ZIP, "budget": "400 tokens"}, lambda texts: list(map(len, texts))),
        ("tokens", {**ZIP, "budget": "400 tokens"}, Count()),
        ("tokens", {**ZIP, "budget": "40 tokens"}, tokenizer),
    ],
)
def test_objects_of_python_are_resumed_and_said_not_to_be_replayed(
    name: str, base: dict[str, Any], value: Callable[..., Any]
) -> None:
    how = {**base, name: value() if value is tokenizer else value}
    selection = entropylaw.select("pool.jsonl", **how, checkpoint="work")
    assert entropylaw.select("pool.jsonl", **how, checkpoint="work", resume=True).indices.tolist() == (
        selection.indices.tolist()
    )
    selection.save("out.jsonl")
    with pytest.raises(EntropyLawError) as error:
        entropylaw.replay("out.jsonl.manifest.json")
    assert str(error.value) == (
        f"out.jsonl.manifest.json: {name} was an object in Python, which a manifest can't hold; call entropylaw.select"
    )


def test_another_function_is_found_out_by_what_it_makes() -> None:
    entropylaw.select("pool.jsonl", **ZIP, render=lambda record: record["text"], checkpoint="work")
    with pytest.raises(EntropyLawError, match=r"pool\.sha256 is"):
        entropylaw.select("pool.jsonl", **ZIP, render=lambda r: r["text"][::-1], checkpoint="work", resume=True)
    tokens = {**ZIP, "budget": "40 tokens"}
    entropylaw.select("pool.jsonl", **tokens, tokens=lambda texts: [3] * len(texts), checkpoint="other")
    with pytest.raises(EntropyLawError, match=r"fingerprints\.tokens is"):
        entropylaw.select(
            "pool.jsonl", **tokens, tokens=lambda texts: [4] * len(texts), checkpoint="other", resume=True
        )


@pytest.mark.parametrize("anchor", [RECORDS[:5], [first(record) for record in RECORDS[:5]]])
def test_an_anchor_that_was_no_file_is_asked_for(anchor: Any) -> None:
    selection = entropylaw.select("pool.jsonl", **COVERAGE, anchor=anchor)
    selection.save("out.jsonl")
    with pytest.raises(EntropyLawError) as error:
        entropylaw.replay("out.jsonl.manifest.json")
    assert str(error.value) == (
        "out.jsonl.manifest.json: the anchor was not read from files; name one (anchor=, --anchor)"
    )
    assert entropylaw.replay("out.jsonl.manifest.json", anchor=anchor).indices.tolist() == selection.indices.tolist()


def test_numbers_of_records_may_be_numpys() -> None:
    records = [{**record, "n": np.int64(record["n"]), "m": np.float32(0.5)} for record in RECORDS]
    how: dict[str, Any] = {**ZIP, "weight": "n", "min_score": {"m": np.float64(0.25)}}
    assert entropylaw.select(records, **how).indices.tolist() == entropylaw.select(RECORDS, **how).indices.tolist()


def test_a_tokenizers_file_counts_by_what_it_held_when_it_was_read() -> None:
    path = tokenizer_file()
    selection = entropylaw.select("pool.jsonl", **{**ZIP, "budget": "40 tokens"}, tokens=path)
    size = path.stat().st_size
    path.write_text("other")
    selection.save("out.jsonl")
    recorded = json.loads(Path("out.jsonl.manifest.json").read_text())["parameters"]["tokens"]
    assert (recorded["type"], recorded["name"], recorded["bytes"]) == ("file", "tokenizer.json", size)
