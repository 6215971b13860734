"""Every parameter of the public API, given what it is not made for: it works, or an EntropyLawError says in one line
which parameter, what was found, and what it must be."""

import datetime
import decimal
import fractions
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import entropylaw
from entropylaw import EntropyLawError, law

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::DeprecationWarning")


class Strange:
    """Something that nobody expects, and that can't even be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    __hash__ = object.__hash__


ODD: dict[str, Any] = {
    "None": None,
    "True": True,
    "text": "text",
    "empty": "",
    "blank": " ",
    "two lines": "two\nlines",
    "NUL": "a\0b",
    "surrogate": "\ud800",
    "digits": "1" * 5000,
    "bytes": b"bytes",
    "0": 0,
    "-1": -1,
    "2.5": 2.5,
    "30.0": 30.0,
    "nan": float("nan"),
    "inf": float("inf"),
    "-inf": float("-inf"),
    "1e300": 1e300,
    "2**31": 2**31,
    "2**32": 2**32,
    "2**63": 2**63,
    "2**64": 2**64,
    "2**127": 2**127,
    "-2**127-1": -(2**127) - 1,
    "10**400": 10**400,
    "10**5000": 10**5000,
    "int64": np.int64(3),
    "uint8": np.uint8(3),
    "float32": np.float32(2.5),
    "float64 nan": np.float64("nan"),
    "bool_": np.bool_(True),
    "str_": np.str_("text"),
    "datetime64": np.datetime64("2024-01-01"),
    "array": np.array([1, 2]),
    "array of one": np.array([1]),
    "0-d": np.array(3),
    "2-d": np.zeros((2, 2)),
    "array of text": np.array(["a", "b"]),
    "array of objects": np.array([None, object()]),
    "empty list": [],
    "list": [1, 2],
    "list of text": ["a", "b"],
    "list of lists": [[1], [2, 3]],
    "list of None": [None],
    "huge list": [2**70],
    "tuple": (1, 2),
    "tuple of None": (None, None),
    "dict": {},
    "dict of numbers": {"a": 1},
    "dict by number": {1: 2},
    "dict of None": {"a": None},
    "dict of strange": {"a": Strange()},
    "set": {1},
    "range": range(3),
    "generator": (n for n in range(3)),
    "complex": 1j,
    "object": object(),
    "strange": Strange(),
    "function": lambda *_: 0,
    "function that fails": lambda: 0,
    "type": int,
    "path": Path("there/is/none"),
    "date": datetime.date(2024, 1, 1),
    "decimal": decimal.Decimal("2.5"),
    "fraction": fractions.Fraction(5, 2),
}

POOL = [{"text": f"the cat sat on mat {n % 5} and {n}", "source": "ab"[n % 2], "score": n} for n in range(12)]
RUNS = {"R": [1.9, 2.2, 2.4, 2.7, 3.0, 3.3], "L": [1.1, 1.0, 0.9, 0.9, 0.7, 0.6], "Z": [6.1, 5.9, 5.9, 5.6, 5.5, 5.2]}


def select(**given: Any) -> Any:
    usual: dict[str, Any] = {"pool": POOL, "budget": 3}
    if "initial_subset" in given:
        usual["anchor"] = None
    return entropylaw.select(**(usual | given))


def coverage(**given: Any) -> Any:
    return select(**({"method": "coverage"} | given))


def ratio(**given: Any) -> Any:
    return entropylaw.ratio(**({"data": POOL} | given))


def score(**given: Any) -> Any:
    return entropylaw.score(**({"pool": POOL} | given))


def compare(**given: Any) -> Any:
    return entropylaw.compare(given.pop("version", POOL), POOL[3:], **given)


def replay(**given: Any) -> Any:
    return entropylaw.replay(**({"manifest": SAVED["manifest"]} | given))


def save(**given: Any) -> Any:
    return SAVED["selection"].save(**({"path": "out.jsonl", "force": True} | given))


def save_scores(**given: Any) -> Any:
    return SAVED["scores"].save(**({"path": "out.csv", "force": True} | given))


def fitted(**given: Any) -> Any:
    return entropylaw.EntropyLaw().fit(**(RUNS | given))


def predict(**given: Any) -> Any:
    return SAVED["law"].predict(**({"R": 2.5} | given))


def predict_loss(**given: Any) -> Any:
    return SAVED["law"].predict_L(**({"R": 2.5} | given))


def curve(**given: Any) -> Any:
    return SAVED["law"].curve(**given)


def save_law(**given: Any) -> Any:
    return SAVED["law"].save(**({"path": "law.json", "force": True} | given))


def check(**given: Any) -> Any:
    return law.check(**({"law": SAVED["law"], "R": 2.5} | given))


def read_log(**given: Any) -> Any:
    return law.read_log(**({"path": SAVED["log"]} | given))


def append(sample: Any) -> None:
    entropylaw.Sizer().append(sample)


def probe(**given: Any) -> Any:
    return entropylaw.Sizer().probe(**({"samples": [b"a"]} | given))


SAVED: dict[str, Any] = {}

CALLS: dict[Callable[..., Any], list[str]] = {
    select: [name for name in inspect.signature(entropylaw.select).parameters if name not in ("unit", "ngram")],
    coverage: ["unit", "ngram", "gamma", "alpha", "min_df", "min_contexts", "features"],
    ratio: list(inspect.signature(entropylaw.ratio).parameters),
    score: list(inspect.signature(entropylaw.score).parameters),
    compare: ["version", *list(inspect.signature(entropylaw.compare).parameters)[1:]],
    replay: list(inspect.signature(entropylaw.replay).parameters),
    save: list(inspect.signature(entropylaw.Selection.save).parameters)[1:],
    save_scores: list(inspect.signature(entropylaw.Scores.save).parameters)[1:],
    entropylaw.EntropyLaw: list(inspect.signature(entropylaw.EntropyLaw).parameters),
    fitted: list(inspect.signature(entropylaw.EntropyLaw.fit).parameters)[1:],
    predict: list(inspect.signature(entropylaw.EntropyLaw.predict).parameters)[1:],
    predict_loss: list(inspect.signature(entropylaw.EntropyLaw.predict_L).parameters)[1:],
    curve: list(inspect.signature(entropylaw.EntropyLaw.curve).parameters)[1:],
    save_law: list(inspect.signature(entropylaw.EntropyLaw.save).parameters)[1:],
    entropylaw.EntropyLaw.load: ["path"],
    entropylaw.Sizer: ["codec"],
    check: ["R", "L", "against", "group", "tolerance", "level"],
    read_log: ["path", "epoch_steps"],
    law.read_runs: ["path"],
    append: ["sample"],
    probe: ["samples", "threads"],
}

OTHER_NAMES = {
    "path": r"path|cannot be|can't be|end in|is a directory|exists|no such file",
    "manifest": r"manifest|cannot be read",
    "pool": r"pool|record \d|no such file",
    "data": r"pool|record \d|no such file",
    "version": r"pool|record \d|no such file",
    "anchor": r"anchor|pool|record \d|no such file",
    "initial_subset": r"anchor|pool|record \d|no such file",
    "weight": r"weight|has no field|is text",
    "min_score": r"min_score|has no field",
    "tokens": r"tokens|tokenizer|has no field|is text",
    "codecs": "codec",
    "names": "names?",
    "columns": "column",
    "indices_only": r"indices_only|indices",
    "sort": "sort",
    "render": r"render|template|record \d|surrogate",
    "field": r"field|record \d|'.*'",
    "schema": r"schema|record \d",
    "group_by": r"group_by|group|field|shape",
    "samples": r"samples?",
    "form": "form",
    "group": "group",
    "L_error": "L_error",
    "backbone": "backbone|group",
    "stage": "stage|group",
    "resume": "resume",
    "against": "against|has no run",
}


@pytest.fixture(scope="module", autouse=True)
def saved(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What some of the calls begin with."""
    directory = tmp_path_factory.mktemp("saved")
    pool = directory / "pool.jsonl"
    pool.write_text("".join(f'{{"text": "{record["text"]}"}}\n' for record in POOL))
    selection = entropylaw.select(pool, budget=3)
    selection.save(directory / "out.jsonl")
    SAVED["manifest"] = directory / "out.jsonl.manifest.json"
    SAVED["selection"] = selection
    SAVED["scores"] = entropylaw.score(POOL)
    SAVED["law"] = fitted()
    SAVED["log"] = directory / "log.jsonl"
    SAVED["log"].write_text(
        "".join(f'{{"loss": {2 - step / 40}, "step": {step}, "epoch": {step / 20}}}\n' for step in range(1, 40))
    )


@pytest.mark.parametrize(
    ("call", "name"), [pytest.param(call, name, id=f"{call.__name__}-{name}") for call in CALLS for name in CALLS[call]]
)
def test_every_parameter_works_or_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[..., Any], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    wrong: list[str] = []
    for odd, value in ODD.items():
        if odd in ("function that fails", "type") and name in ("render", "progress", "tokens"):
            # What a user's own function raises is the user's.
            continue
        given = {name: value}
        if name == "tokens" and call.__name__ == "select":
            given["budget"] = "30 tokens"
        if name == "resume":
            given["checkpoint"] = f"resumed {len(list(tmp_path.iterdir()))}"
        try:
            call(**given)
        except EntropyLawError as error:
            message = str(error)
            if "\n" in message and odd != "two lines":
                wrong.append(f"{odd}: not one line: {message[:200]!r}")
            elif not re.search(OTHER_NAMES.get(name, name), message):
                wrong.append(f"{odd}: does not name the parameter: {message}")
        except Exception as error:
            wrong.append(f"{odd}: {type(error).__name__}: {error}")
    assert not wrong, "\n".join(wrong)
