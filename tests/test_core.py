"""The compiled core, given arrays that do not fit: an error, never a panic, and never a wrong result in silence."""

import itertools
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from entropylaw import EntropyLawError, _core
from entropylaw.pool.schema import CALL, MESSAGE, SCHEMAS

DATA = np.frombuffer(b"the cat sat on the mat and the cat ran", dtype=np.uint8)
OFFSETS = np.array([0, 11, 22, 22, 38], dtype=np.int64)
STARTS, ENDS = OFFSETS[:-1], OFFSETS[1:]
SAMPLES = len(STARTS)
ZIP = {"preset": "paper", "k1": 4, "k2": 3, "k3": 2}
N_GRAMS = {"unit": "byte", "ngram": 3, "gamma": 0.5, "min_df": 1, "min_contexts": 1}
COVERAGE = {**N_GRAMS, "alpha": 1.0, "one_in": 1, "memory": 1 << 30, "target": None, "target_weight": 0.0}
OPTIONS: dict[str, dict[str, Any]] = {
    "zip": ZIP,
    "coverage": COVERAGE,
    "random": {"seed": 3},
    "top": {"keys": np.array([0.5, 2.0, 1.0, 0.0])},
}
BIG = 2**63 - 1


def misaligned(values: Any, dtype: Any) -> Any:
    """The values as an array that begins at an odd address."""
    array = np.array(values, dtype=dtype)
    held = np.zeros(array.nbytes + 1, dtype=np.uint8)
    made = held[1:].view(dtype) if dtype == np.uint8 else np.frombuffer(held.data, dtype=dtype, offset=1)
    if made.flags.writeable:
        made[:] = array
    return made


def odd(fitting: Any) -> dict[str, Any]:
    """What to give in place of a fitting array; none of it fits, but for what lies otherwise in memory."""
    size, dtype = len(fitting), fitting.dtype
    signed = np.issubdtype(dtype, np.signedinteger)
    arrays: dict[str, Any] = {
        "empty": fitting[:0],
        "one": fitting[:1],
        "shorter": fitting[:-1],
        "longer": np.concatenate([fitting, fitting[-1:], fitting[-1:]]),
        "reversed": np.ascontiguousarray(fitting[::-1]),
        "most": np.full(size, np.iinfo(dtype).max if dtype.kind in "iu" else np.inf, dtype=dtype),
        "least": np.full(size, np.iinfo(dtype).min if dtype.kind in "iu" else -np.inf, dtype=dtype),
        "strided": np.repeat(fitting, 2)[::2],
        "backward": fitting[::-1],
        "two dimensions": fitting.reshape(1, -1),
        "no dimension": np.array(fitting[0]),
        "other type": fitting.astype(np.float32),
        "other sign": fitting.astype(np.uint64 if signed else np.int8),
        "other order": fitting.astype(dtype.newbyteorder(">")) if dtype.itemsize > 1 else fitting.astype(np.int16),
        "objects": fitting.astype(object),
        "misaligned": misaligned(fitting, dtype),
        "list": fitting.tolist(),
        "bytes": fitting.tobytes(),
        "None": None,
    }
    if dtype.kind in "iu":
        arrays["zigzag"] = np.array([0, BIG if signed else 9, *([1] * (size - 2))][:size], dtype=dtype)
    if signed:
        arrays["below 0"] = -fitting - 1
        arrays["beyond"] = fitting + 100
    return arrays


def controls(**given: Any) -> Any:
    return _core.Controls(4, **given)


def select(method: str, data: Any = DATA, starts: Any = STARTS, ends: Any = ENDS, **given: Any) -> Any:
    return _core.select(method, data, starts, ends, controls(**given), OPTIONS[method], threads=1)


def with_option(method: str, **options: Any) -> Any:
    return _core.select(method, DATA, STARTS, ENDS, controls(), OPTIONS[method] | options, threads=1)


def measure(data: Any = DATA, offsets: Any = OFFSETS, **given: Any) -> Any:
    usual: dict[str, Any] = {"groups": np.array([0, 1, 0, 1], dtype=np.uint32), "count": 2}
    return _core.measure(data, offsets, **(usual | given), threads=1)


def novelty(data: Any = DATA, offsets: Any = OFFSETS, before: Any = OFFSETS) -> Any:
    return _core.novelty(data, offsets, [(DATA, before)], ngram=3, threads=1)


READER = _core.RecordReader(schema=(SCHEMAS["text"].members, MESSAGE, CALL), group_by="source", numbers=(), threads=1)
LINES = b'{"text": "a cat"}\n{"text": "a dog"}\n'


def rows(kind: str, **arrays: Any) -> _core.ReadRecords:
    none = dict.fromkeys(("valid", "ends", "data", "ints", "floats"))
    column: Any = SimpleNamespace(kind=kind, **none | {"inside": ()} | arrays)
    return READER.rows([("text", column)], SAMPLES)


TURNS = (("", SimpleNamespace(kind="null", valid=None, ends=None, data=None, ints=None, floats=None, inside=())),)

GROUPS = np.array([0, 1, 0, 1], dtype=np.uint32)
QUOTAS = np.array([[0, 4], [1, 4]], dtype=np.uint64)
LIMITED: dict[str, tuple[Any, dict[str, Any]]] = {
    "costs": (np.array([1, 2, 1, 2], dtype=np.uint32), {"unit": "tokens"}),
    "groups": (GROUPS, {"quotas": QUOTAS}),
    "weights": (np.array([1.0, 0.5, 1.5, 1.0]), {}),
    "known_indices": (np.array([0, 2], dtype=np.int64), {}),
    "known_data": (DATA, {"known_offsets": OFFSETS}),
    "known_offsets": (OFFSETS, {"known_data": DATA}),
}

CALLS: dict[str, tuple[Callable[..., Any], Any, dict[str, Any]]] = {
    **{
        f"select {method}, {name}": (partial(select, method), array, rest)
        for method in OPTIONS
        for name, (array, rest) in {
            "data": (DATA, {}),
            "starts": (STARTS, {}),
            "ends": (ENDS, {}),
            **LIMITED,
        }.items()
    },
    "select top, keys": (partial(with_option, "top"), OPTIONS["top"]["keys"], {}),
    "measure, data": (measure, DATA, {}),
    "measure, offsets": (measure, OFFSETS, {}),
    "measure, groups": (measure, GROUPS, {}),
    "measure, order": (measure, np.array([3, 1, 0, 2], dtype=np.int64), {}),
    "measure_each, data": (lambda data: _core.measure_each(data, OFFSETS, threads=1), DATA, {}),
    "measure_each, offsets": (lambda offsets: _core.measure_each(DATA, offsets, threads=1), OFFSETS, {}),
    "find_duplicates, offsets": (lambda offsets: _core.find_duplicates(DATA, offsets, threads=1), OFFSETS, {}),
    "first_copies, starts": (lambda starts: _core.first_copies(DATA, starts, ENDS, threads=1), STARTS, {}),
    "first_copies, known_offsets": (
        lambda known_offsets: _core.first_copies(
            DATA, STARTS, ENDS, known_data=DATA, known_offsets=known_offsets, threads=1
        ),
        OFFSETS,
        {},
    ),
    "first_gains, offsets": (
        lambda offsets: _core.first_gains(DATA, offsets, **N_GRAMS, threads=1),  # type: ignore[arg-type]
        OFFSETS,
        {},
    ),
    "novelty, offsets": (novelty, OFFSETS, {}),
    "novelty, before": (novelty, OFFSETS, {}),
    "RecordReader.spans, starts": (
        lambda starts: READER.spans(LINES, starts, np.array([17, 35])),
        np.array([0, 18]),
        {},
    ),
    "RecordReader.rows, ends": (lambda ends: rows("text", ends=ends, data=DATA), OFFSETS, {}),
    "RecordReader.rows, data": (lambda data: rows("text", ends=OFFSETS, data=data), DATA, {}),
    "RecordReader.rows, valid": (
        lambda valid: rows("text", ends=OFFSETS, data=DATA, valid=valid),
        np.array([1, 0, 1, 1], dtype=np.uint8),
        {},
    ),
    "RecordReader.rows, lists": (lambda lists: rows("list", ends=lists, inside=TURNS), np.zeros(5, dtype=np.int64), {}),
    "RecordReader.spans, ends": (lambda ends: READER.spans(LINES, np.array([0, 18]), ends), np.array([17, 35]), {}),
}


@pytest.mark.parametrize("name", CALLS)
def test_arrays_that_do_not_fit_are_refused_without_a_panic(name: str) -> None:
    call, fitting, rest = CALLS[name]
    parameter = name.rpartition(" ")[2]
    call(**{parameter: fitting}, **rest)
    for kind, array in odd(fitting).items():
        # A panic is no Exception: it is not caught here, and fails the test.
        try:
            call(**{parameter: array}, **rest)
        except (EntropyLawError, TypeError, ValueError, OverflowError) as error:
            assert str(error), kind


@pytest.mark.parametrize("kind", ["shorter", "longer", "reversed", "most", "least", "zigzag", "below 0", "beyond"])
@pytest.mark.parametrize("method", OPTIONS)
def test_offsets_that_cut_no_samples_are_refused_in_words(method: str, kind: str) -> None:
    for parameter, fitting in (("starts", STARTS), ("ends", ENDS)):
        if (parameter, kind) in (("starts", "least"), ("ends", "beyond")) and kind == "least":
            continue
        with pytest.raises(
            EntropyLawError, match=r"^pool offsets must start at 0, never fall, and end at the number of"
        ):
            select(method, **{parameter: odd(fitting)[kind]})


def test_numbers_that_do_not_fit_are_refused_without_a_panic() -> None:
    numbers = [0, 1, -1, 9, 255, 256, 65_535, 65_536, 2**31, 2**32, BIG, 2**63, 2**64 - 1, 2**64, 2**127, -(2**63)]
    floats = [0.0, -0.0, -1.0, 2.0, float("nan"), float("inf"), 5e-324, 1e308]

    def tried(call: Callable[[], Any]) -> None:
        try:
            call()
        except (EntropyLawError, TypeError, ValueError, OverflowError) as error:
            assert "\n" not in str(error)

    for method, given in OPTIONS.items():
        for (name, value), replaced in itertools.product(given.items(), numbers + floats):
            if not isinstance(value, str):
                tried(lambda: with_option(method, **{name: replaced}))  # noqa: B023
    for name, value in itertools.product(["ngram", "min_df", "min_contexts"], numbers):
        how: Any = N_GRAMS | {name: value}
        tried(lambda: _core.first_gains(DATA, OFFSETS, **how, threads=1))  # noqa: B023
    for value in numbers:
        tried(lambda: _core.select("zip", DATA, STARTS, ENDS, _core.Controls(value), ZIP, threads=1))  # noqa: B023
        if not 255 < value < 2**31:
            # Each group has a stream of its own.
            tried(lambda: measure(count=value))  # noqa: B023
        tried(lambda: _core.novelty(DATA, OFFSETS, [], ngram=value, threads=1))  # noqa: B023
        for quotas in ([[value, value]], [[0, value], [value, 4]], [[1, 2, value]]):
            with np.errstate(all="ignore"):
                array = np.array(quotas, dtype=object)
            fits = array[(array < 0) | (array >= 2**64)].size == 0
            if fits:
                tried(lambda: select("zip", groups=GROUPS, quotas=array.astype(np.uint64)))  # noqa: B023


OPTION = [(method, name) for method, options in OPTIONS.items() for name in options]


@pytest.mark.parametrize(("method", "name"), OPTION)
def test_an_option_that_is_missing_or_of_another_kind_is_refused_in_words(method: str, name: str) -> None:
    def call(options: dict[str, Any]) -> Any:
        return _core.select(method, DATA, STARTS, ENDS, controls(), options)

    options = OPTIONS[method]
    with pytest.raises(EntropyLawError, match=f"^{method} lacks the option {name}$"):
        call({key: value for key, value in options.items() if key != name})
    with pytest.raises(EntropyLawError, match=rf"^{name} is <object .*>: .*"):
        call(options | {name: object()})
    with pytest.raises(EntropyLawError, match=f"^{method} has no option '{name}s': ") as error:
        call(options | {f"{name}s": options[name]})
    assert set(str(error.value).partition("': ")[2].split(", ")) == set(options)


def test_a_method_that_there_is_not_is_refused_in_words() -> None:
    for method in ("", "Zip", "best"):
        with pytest.raises(EntropyLawError, match=f'^there is no method "{method}": {", ".join(sorted(OPTIONS))}$'):
            _core.select(method, DATA, STARTS, ENDS, controls(), {})


@pytest.mark.parametrize("method", OPTIONS)
def test_picks_tell_of_themselves_by_name(method: str) -> None:
    picks = select(method)
    assert len(picks.indices) == 4
    assert all(isinstance(array, np.ndarray) for array in picks.trace.values())
    assert all(isinstance(value, int | float | str) for value in picks.facts.values())
    assert picks.seconds
    assert min(picks.seconds.values()) >= 0


@pytest.mark.parametrize(
    ("starts", "ends", "message"),
    [
        ([0], [1, 2], "there are 1 starts and 2 ends"),
        ([0, 1], [1], "there are 2 starts and 1 ends"),
        ([0], [len(LINES) + 1], "a span is outside the buffer"),
        ([2], [1], "a span is outside the buffer"),
        ([-2], [-1], "a span is outside the buffer"),
        ([-(2**63)], [BIG], "a span is outside the buffer"),
    ],
)
def test_spans_outside_the_buffer_are_refused(starts: list[int], ends: list[int], message: str) -> None:
    with pytest.raises(EntropyLawError, match=message):
        READER.spans(LINES, np.array(starts), np.array(ends))


@pytest.mark.parametrize(
    ("kind", "arrays", "message"),
    [
        ("text", {"ends": OFFSETS + 1, "data": DATA}, "the ends of cells are not within 38"),
        ("text", {"ends": OFFSETS[::-1].copy(), "data": DATA}, "the ends of cells are not within 38"),
        ("text", {"ends": OFFSETS[:3], "data": DATA}, "2 ends for 4 cells"),
        ("text", {"ends": OFFSETS, "data": None}, "a column lacks an array"),
        ("int", {"ints": np.zeros(3, dtype=np.int64)}, "3 values for 4 cells"),
        ("bool", {"data": np.zeros(4, dtype=np.uint8), "valid": np.ones(2, dtype=np.uint8)}, "2 marks for 4 cells"),
        ("list", {"ends": OFFSETS}, "a list has no items"),
        ("list", {"ends": OFFSETS, "inside": (("", SimpleNamespace(**vars(TURNS[0][1]) | {"kind": "int"})),)}, "lacks"),
        ("map", {}, "there are no columns of kind"),
    ],
)
def test_columns_that_do_not_fit_are_refused(kind: str, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(EntropyLawError, match=message):
        rows(kind, **arrays)
