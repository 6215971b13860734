"""Selecting from several partitions: what is selected from all of the pool at once, whatever happens to them."""

import _thread
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from entropylaw import EntropyLawError, _core
from partitions import Case, Parts, Samples, samples

WORDS = [b"the", b"cat", b"sat", b"on", b"a", b"mat", b"zebra", b"1234", b"and", b"ran"]
COVERAGE: dict[str, Any] = {
    "unit": "byte",
    "ngram": 3,
    "gamma": 0.85,
    "alpha": 1.0,
    "min_df": 2,
    "min_contexts": 2,
    "one_in": 1,
    "memory": 1 << 30,
    "target": None,
    "target_weight": 0.0,
}
TARGET = samples([b"a zebra and a cat", b"the zebra ran", b"nothing of this"])
ZIP = {"k1": 20, "k2": 8, "k3": 3}
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "zip": ("zip", {"preset": "paper", **ZIP}),
    "reference": ("zip", {"preset": "reference", **ZIP}),
    "coverage": ("coverage", COVERAGE),
    "words": ("coverage", {**COVERAGE, "unit": "word", "alpha": 0.9, "min_df": 1, "min_contexts": 1}),
    "sampled": ("coverage", {**COVERAGE, "one_in": 4, "gamma": 0.0, "min_contexts": 1}),
    "target": ("coverage", {**COVERAGE, "target": TARGET, "target_weight": 0.9}),
    "target alone": ("coverage", {**COVERAGE, "target": TARGET, "target_weight": 1.0}),
    "random": ("random", {"seed": 7}),
    "dsir": ("dsir", {"target": TARGET, "ranking": "sampled", "seed": 3}),
    "dsir mean": ("dsir", {"target": TARGET, "ranking": "mean", "seed": 0}),
    "top": ("top", {}),
}
WITH_JOURNAL = [name for name, (method, _) in METHODS.items() if method in ("zip", "coverage")]
ELSEWHERE = ("evaluations", "pool_ratio")
"""Facts that depend on the partitions."""
QUICK = settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A pool and controls of every kind, which can be met or not."""
    words = st.lists(st.sampled_from(WORDS), max_size=12).map(b" ".join)
    texts = draw(st.lists(words, min_size=1, max_size=60))
    count, index = len(texts), st.integers(0, len(texts) - 1)

    def each(kind: st.SearchStrategy[Any], dtype: Any) -> st.SearchStrategy[NDArray[Any]]:
        return st.lists(kind, min_size=count, max_size=count).map(lambda values: np.array(values, dtype=dtype))

    unit = draw(st.sampled_from(["samples", "bytes", "tokens"]))
    budget = draw(st.integers(1, 600 if unit == "bytes" else 40))
    given: dict[str, Any] = {"costs": draw(each(st.integers(0, 4), np.uint32)) if unit == "tokens" else None}
    kind = draw(st.sampled_from(["", "", "quotas", "shares", "both"]))
    if kind:
        given["groups"] = draw(each(st.integers(0, 2), np.uint32))
        least = np.array([draw(st.integers(0, budget // 3)) for _ in range(3)], dtype=np.uint64)
        most = least + np.array([draw(st.integers(0, budget)) for _ in range(3)], dtype=np.uint64)
        if kind != "shares":
            given["quotas"] = np.stack([least, most], axis=1)
        if kind != "quotas":
            given["shares"] = least
    weights = each(st.sampled_from([0.0, 0.5, 1.0, 2.0]), np.float64)
    given["weights"] = draw(st.none() | st.just(np.ones(count)) | weights)
    anchor = draw(st.sampled_from(["", "known", "known_texts"]))
    if anchor == "known":
        given["known"] = draw(st.lists(index, max_size=5))
    elif anchor:
        given["known_texts"] = draw(st.lists(words, min_size=1, max_size=5))
    return Case(texts, budget, unit, **given)


def cuts(draw: st.DataObject, case: Case) -> list[int]:
    """Where the pool is cut: into 1 to 7 partitions, uneven and empty ones too."""
    count = len(case.texts)
    return [0, *sorted(draw.draw(st.lists(st.integers(0, count), max_size=6))), count]


def whole(name: str, case: Case) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]], dict[str, Any]]:
    """Indices, trace and facts of a selection from all of the pool at once."""
    method, options = METHODS[name]
    if method not in ("dsir", "top"):
        picks = case.here(method, options)
        return picks.indices, picks.trace, picks.facts
    weights = case.weights
    if method == "top":
        keys = gains = np.ones(len(case.texts)) if weights is None else weights
    else:
        scores, words = _core.dsir_scores(*case.pool(), options["target"])
        gains = scores / np.maximum(words, 1) if options["ranking"] == "mean" else scores
        seed = options["seed"] if options["ranking"] == "sampled" else None
        keys = _core.weighted_keys(gains, wanted=weights, seed=seed)
    indices = case.here("top", {"keys": keys}).indices
    return indices, {"gains": gains[indices]}, {}


def check(name: str, case: Case, select: Callable[[str, dict[str, Any]], _core.Picks]) -> None:
    """Checks a selection against that from all of the pool at once."""
    try:
        indices, trace, facts = whole(name, case)
    except EntropyLawError as refused:
        with pytest.raises(EntropyLawError) as found:
            select(*METHODS[name])
        assert str(found.value) == str(refused)
        return
    picks = select(*METHODS[name])
    assert picks.indices.tolist() == indices.tolist()
    assert {name: values.tolist() for name, values in picks.trace.items()} == {
        name: values.tolist() for name, values in trace.items()
    }
    for fact, value in facts.items():
        assert picks.facts[fact] == value or fact in ELSEWHERE, fact
    assert all(picks.facts.get(fact, 1) > 0 for fact in ("round_trips", "bytes_sent", "bytes_received"))


def fitting(name: str, case: Case) -> Case:
    """The case with weights, where the method needs some."""
    if name == "top" and case.weights is None:
        return Case(**{**vars(case), "weights": np.arange(len(case.texts)) % 3.0})
    return case


@pytest.mark.parametrize("name", METHODS)
@QUICK
@given(case=cases(), data=st.data())
def test_any_partitions_select_what_the_whole_pool_does(name: str, case: Case, data: st.DataObject) -> None:
    case = fitting(name, case)
    parts = Parts(case, cuts(data, case), threads=data.draw(st.sampled_from([1, 3])))
    check(name, case, parts.select)


@pytest.mark.parametrize("name", METHODS)
@QUICK
@given(case=cases(), data=st.data())
def test_partitions_that_die_change_nothing(name: str, case: Case, data: st.DataObject) -> None:
    case = fitting(name, case)
    parts = Parts(case, cuts(data, case), dies_every=data.draw(st.integers(1, 4)))
    check(name, case, parts.select)


@pytest.mark.parametrize("name", WITH_JOURNAL)
@QUICK
@given(case=cases(), data=st.data())
def test_a_selection_goes_on_from_its_journal_on_any_number_of_partitions(
    name: str, case: Case, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    journal = tmp_path_factory.mktemp("run") / "journal"
    try:
        indices = whole(name, case)[0].tolist()
    except EntropyLawError:
        return
    method, options = METHODS[name]
    for _ in range(data.draw(st.integers(0, 2))):
        parts = Parts(case, cuts(data, case), fails_at=data.draw(st.integers(1, 25)))
        try:
            parts.select(method, options, journal=journal)
        except ConnectionError:
            assert parts.asked == parts.fails_at
    if data.draw(st.booleans()):
        case.here(method, options, journal=journal)
    if journal.exists() and data.draw(st.booleans()):
        kept = journal.read_bytes()
        journal.write_bytes(kept[: data.draw(st.integers(len(_core.JOURNAL_HEADER), len(kept)))])
    if data.draw(st.booleans()):
        check(name, case, lambda method, options: case.here(method, options, journal=journal))
    check(name, case, lambda *asked: Parts(case, cuts(data, case)).select(*asked, journal=journal))
    assert whole(name, case)[0].tolist() == indices


CASE = Case(
    [b" ".join(WORDS[(n * k) % len(WORDS)] for k in range(n % 9)) for n in range(90)],
    12,
    groups=np.arange(90, dtype=np.uint32) % 2,
    shares=np.array([3, 4], dtype=np.uint64),
    weights=1 + np.arange(90) % 3 / 2,
    known=(3, 60),
)
CUTS = (0, 40, 40, 90)


@pytest.mark.parametrize("name", WITH_JOURNAL)
def test_a_journal_of_something_else_is_refused(tmp_path: Path, name: str) -> None:
    other = Case(CASE.texts[:50], 12)
    method, options = METHODS[name]
    other.here(method, options, journal=tmp_path / "journal")
    with pytest.raises(EntropyLawError, match="its records are not those of this selection"):
        Parts(Case(CASE.texts[:20], 5), (0, 7, 20)).select(method, options, journal=tmp_path / "journal")


def fnv(data: bytes) -> bytes:
    total = 0xCBF29CE484222325
    for byte in data:
        total = (total ^ byte) * 0x100000001B3 % 2**64
    return total.to_bytes(8, "little")


@pytest.mark.parametrize("name", METHODS)
def test_damaged_requests_are_refused_and_change_nothing(name: str) -> None:
    parts = Parts(CASE, CUTS)
    method, options = METHODS[name]
    parts.select(method, options)
    fresh = Parts(CASE, CUTS)
    for number, request in parts.requests:
        partition = fresh.parts[number]
        for damaged in (request[:-1], request + b"\0", request[:1], b"", bytes([request[0] ^ 1]) + request[1:]):
            with pytest.raises(EntropyLawError, match="makes no sense"):
                partition.answer(damaged)
            with pytest.raises(EntropyLawError, match="makes no sense"):
                _core.request_changes(damaged)
        partition.answer(request)


@pytest.mark.parametrize("name", METHODS)
@settings(max_examples=40)
@given(data=st.data())
def test_requests_of_a_broken_coordinator_are_no_harm(name: str, data: st.DataObject) -> None:
    """Whatever is in them, with a checksum that holds: an answer or an error."""
    method, options = METHODS[name]
    parts = Parts(CASE, CUTS)
    parts.select(method, options)
    at = data.draw(st.integers(0, len(parts.requests) - 1))
    number, request = parts.requests[at]
    partition = parts.partition(number)
    for other, earlier in parts.requests[:at]:
        if other == number:
            partition.answer(earlier)
    content = bytearray(request[:-8])
    for _ in range(data.draw(st.integers(1, 3))):
        where = data.draw(st.integers(1, len(content) - 1))
        content[where : where + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
        if len(content) < 2:
            return
    forged = bytes(content) + fnv(bytes(content))
    for _ in range(2):
        try:
            assert partition.answer(forged)
        except EntropyLawError as refused:
            assert "\n" not in str(refused)


@pytest.mark.parametrize("name", METHODS)
@settings(max_examples=25)
@given(data=st.data())
def test_replies_of_a_broken_partition_are_no_harm(name: str, data: st.DataObject) -> None:
    method, options = METHODS[name]
    parts = Parts(CASE, CUTS)
    broken = data.draw(st.integers(1, 20))

    def ask(requests: list[bytes | None]) -> list[bytes]:
        replies = parts(requests)
        if parts.asked == broken:
            at = max(range(len(replies)), key=lambda at: len(replies[at]))
            content = bytearray(replies[at][:-8])
            where = data.draw(st.integers(0, len(content) - 1))
            content[where : where + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
            replies[at] = bytes(content) + fnv(bytes(content))
        return replies

    try:
        limits = CASE.limits()
        _core.select_parts(method, ask, options, parts=3, budget=CASE.budget, threads=1, **limits)
    except EntropyLawError as refused:
        assert "\n" not in str(refused)


def test_what_asking_raises_comes_out() -> None:
    error = OSError("the network is down")

    def ask(requests: list[bytes | None]) -> list[bytes]:
        raise error

    for name in METHODS:
        with pytest.raises(OSError, match="the network is down") as raised:
            _core.select_parts(*METHODS[name][:1], ask, METHODS[name][1], parts=2, budget=3)
        assert raised.value is error


def test_ctrl_c_while_asking_stops_it() -> None:
    parts = Parts(CASE, CUTS)

    def ask(requests: list[bytes | None]) -> list[bytes]:
        if parts.asked == 3:
            signal.raise_signal(signal.SIGINT)
        return parts(requests)

    with pytest.raises(KeyboardInterrupt):
        _core.select_parts("coverage", ask, COVERAGE, parts=3, budget=3)


def test_a_partition_that_was_interrupted_is_lost() -> None:
    """It is made anew from the log."""
    texts = [bytes(row) for row in np.random.default_rng(0).integers(97, 123, (4000, 5000), dtype=np.uint8)]
    case = Case(texts, 3)
    for attempt in range(30):
        parts = Parts(case, (0, 4000))
        timer = threading.Timer(0.05 + 0.02 * attempt, _thread.interrupt_main)
        with pytest.raises(KeyboardInterrupt):
            timer.start()
            parts.select("coverage", COVERAGE)
        timer.join()
        # It may as well have come between two requests, which leaves the partition as it was.
        try:
            parts.parts[0].answer(parts.log[0][0] if parts.log[0] else b"")
        except EntropyLawError as error:
            if "left in the middle of a request: make it anew" in str(error):
                break
    else:
        pytest.fail("no interrupt came in the middle of a request")
    parts.anew(0)


def test_what_goes_to_all_is_one_object() -> None:
    parts = Parts(CASE, CUTS)
    same = []

    def ask(requests: list[bytes | None]) -> list[bytes]:
        same.append(all(request is requests[0] for request in requests))
        return parts(requests)

    _core.select_parts("coverage", ask, COVERAGE, parts=3, budget=5)
    assert all(same)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "zipfit"}, r"\"zipfit\" does not select from partitions: coverage, dsir, random, top, zip"),
        ({"unit": "words"}, r'there is no unit "words": samples, bytes or tokens'),
        ({"budget": 0}, r"the budget is 0; it must be at least 1"),
        ({"parts": 0}, r"there are no partitions"),
        ({"unit": "tokens"}, r"40 samples need as many costs, not 0"),
        ({"shares": np.array([9, 9], dtype=np.uint64)}, r"the shares are more than the budget of 12"),
        ({"quotas": np.zeros((2, 3), dtype=np.uint64)}, r"quotas have two columns"),
        ({"known": TARGET}, r"what is known is samples of the pool or others, not both"),
        ({"cuts": (0, 40, 50, 50)}, None),
        ({"options": {"seed": 1, "speed": 2}}, r"random has no option 'speed': seed"),
    ],
)
def test_what_makes_no_selection_is_refused(change: dict[str, Any], message: str | None) -> None:
    parts = Parts(CASE, change.get("cuts", CUTS))
    known: Samples | tuple[None, None] = change.get("known", (None, None))

    def select() -> _core.Picks:
        return _core.select_parts(
            change.get("method", "random"),
            parts,
            change.get("options", {"seed": 1}),
            parts=change.get("parts", 3),
            budget=change.get("budget", 12),
            unit=change.get("unit", "samples"),
            quotas=change.get("quotas"),
            shares=change.get("shares", CASE.shares),
            known_data=known[0],
            known_offsets=known[1],
        )

    if message is None:
        assert len(select().indices) == 12
        return
    with pytest.raises(EntropyLawError, match=message):
        select()


def test_partitions_follow_each_other_and_agree() -> None:
    case = Case(CASE.texts, 5)
    parts = Parts(case, CUTS)
    parts.parts[2] = Parts(case, (0, 40, 41, 90)).parts[2]
    with pytest.raises(EntropyLawError, match="partition 2 begins with sample 41, the one before it ends at 40"):
        parts.select("random", {"seed": 1})
    parts.parts[2] = Parts(CASE, CUTS).parts[2]
    with pytest.raises(EntropyLawError, match="some partitions have weights, and some have none"):
        parts.select("random", {"seed": 1})
    with pytest.raises(EntropyLawError, match="the pool is empty"):
        Parts(Case([], 5), (0, 0, 0)).select("random", {"seed": 1})


@pytest.mark.parametrize("reply", [None, [b""], ["", "", ""], [b"", b"", b""], [b"abc"] * 3])
def test_what_is_no_reply_is_refused(reply: Any) -> None:
    with pytest.raises(EntropyLawError, match=r"must return a list of bytes|makes no sense"):
        _core.select_parts("random", lambda _: reply, {"seed": 1}, parts=3, budget=1)
