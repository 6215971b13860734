"""A pool in parts, for tests: made, lost and selected from."""

import pickle
import random
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from entropylaw.asked import Asked
from entropylaw.parts import pieces
from entropylaw.parts.leading import lead
from entropylaw.parts.part import Part, changes
from entropylaw.parts.parts import Arguments, Here
from entropylaw.parts.pieces import dealt, files_of
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


def cut_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has small files be cut too."""
    monkeypatch.setattr(pieces, "_SMALL", 1)
    monkeypatch.setattr(pieces, "HEAD", 1)


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
