"""Controls: every method against its oracle within limits, and what excluded samples amount to."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import entropylaw
import oracle
from coverage_oracle import Oracle
from entropylaw import EntropyLawError
from limits import Limits

WORDS = ["the ", "cat ", "sat ", "on ", "a ", "mat. ", "é", "0", "xyz" * 9]
texts = st.one_of(
    st.lists(st.sampled_from(WORDS), max_size=12).map("".join),
    st.sampled_from(["", "a", "the cat sat on a mat. " * 4]),
)
pools = st.lists(texts, min_size=1, max_size=18)
METHODS = [
    {"method": "zip", "k1": 7, "k2": 5, "k3": 3},
    {"method": "coverage", "min_contexts": 1, "ngram": 3},
]
SUFFIX = {"samples": "", "bytes": "B", "tokens": " tokens"}


def relative(weights: list[float], known: set[int]) -> list[float]:
    """Weights as multiples of the mean of those that may be selected."""
    mean = math.fsum(w for index, w in enumerate(weights) if index not in known) / (len(weights) - len(known))
    return [weight / mean for weight in weights]


def expected(
    samples: list[bytes],
    how: dict[str, Any],
    slots: int,
    limits: Limits,
    known: set[int],
    anchor: list[bytes],
    **rest: Any,
) -> list[int]:
    """What the oracle of a method selects."""
    weights, lengths = rest["weights"], rest["lengths"]
    if how["method"] == "zip":
        stages = {name: how[name] for name in ("k1", "k2", "k3")}
        return oracle.paper(
            samples, 0, **stages, limits=limits, weights=weights, anchor=b"".join(anchor), known=sorted(known)
        )
    of_samples = lengths is None and rest["unit"] == "samples"
    options = {"unit": "byte", "ngram": 3, "gamma": 0.85, "alpha": 0.9 if of_samples else 1.0, "min_df": 2}
    naive = Oracle(samples, slots, **options, min_contexts=1)
    for sample in anchor:
        naive.know(sample)
    return naive.select(limits, known, weights, lengths)[0]


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    pool = draw(pools)
    each = {"min_size": len(pool), "max_size": len(pool)}
    unit = draw(st.sampled_from(["samples", "bytes", "tokens"]))
    tokens = draw(st.lists(st.integers(0, 9), **each))
    costs = {"samples": [1] * len(pool), "bytes": [len(text.encode()) for text in pool], "tokens": tokens}[unit]
    groups = draw(st.lists(st.sampled_from("abc"), **each))
    known = draw(st.sets(st.integers(0, len(pool) - 1), max_size=3)) if draw(st.booleans()) else set()
    available = {
        name: sum(cost for index, cost in enumerate(costs) if groups[index] == name and index not in known)
        for name in sorted(set(groups))
    }
    budget = draw(st.integers(1, max(1, sum(available.values()) + 2)))
    quotas = {}
    if draw(st.booleans()):
        for name, have in available.items():
            least = draw(st.integers(0, min(have, budget // len(available)))) if draw(st.booleans()) else 0
            most = draw(st.integers(least, budget)) if draw(st.booleans()) else budget
            quotas[name] = (least, most)
    return {
        "pool": pool,
        "unit": unit,
        "costs": costs,
        "groups": groups,
        "known": known,
        "available": available,
        "budget": budget,
        "quotas": quotas,
        "weights": draw(st.lists(st.sampled_from([0.0, 0.3, 1.0, 1.5, 7.0]), **each)) if draw(st.booleans()) else None,
        "anchor": [text for text in draw(st.lists(texts, max_size=3)) if not known and text not in pool],
        "how": draw(st.sampled_from(METHODS)),
    }


@given(case=cases())
def test_methods_agree_with_their_oracles(case: dict[str, Any]) -> None:
    samples = [text.encode() for text in case["pool"]]
    unit, known, quotas, weights = (case[name] for name in ("unit", "known", "quotas", "weights"))
    anchor: Any = case["anchor"] or (sorted(known) if known else None)
    options = {
        "budget": f"{case['budget']}{SUFFIX[unit] or ' samples'}",
        "tokens": case["costs"] if unit == "tokens" else None,
        "group_by": case["groups"],
        "quota": [f"{name}>={low}{SUFFIX[unit]},{name}<={high}{SUFFIX[unit]}" for name, (low, high) in quotas.items()]
        or None,
        "weight": weights,
        "anchor": anchor,
        "dedupe": False,
        **case["how"],
    }
    have, allowed = (
        case["available"],
        {name: min(have, quotas.get(name, (0, have))[1]) for name, have in case["available"].items()},
    )
    wanted = [w for index, w in enumerate(weights or []) if index not in known]
    feasible = sum(allowed.values()) >= min(case["budget"], sum(have.values())) and len(known) < len(samples)
    if not feasible or (weights is not None and not any(wanted)):
        with pytest.raises(EntropyLawError):
            entropylaw.select(case["pool"], **options)
        return
    limits = Limits(case["budget"], case["costs"], case["groups"], quotas)
    rest = {"unit": unit, "lengths": case["costs"] if unit == "tokens" else None}
    rest["weights"] = None if weights is None else relative(weights, known)
    try:
        runs = [entropylaw.select(case["pool"], threads=threads, **options) for threads in (1, 4)]
    except EntropyLawError as error:
        assert "nothing fits" in str(error)
        assert not any(limits.fits(index) for index in range(len(samples)) if index not in known)
        return
    slots = getattr(runs[0], "slots", 0)
    picks = expected(samples, case["how"], slots, limits, known, [text.encode() for text in case["anchor"]], **rest)
    for run in runs:
        assert run.indices.tolist() == picks
    spent = {name: sum(case["costs"][index] for index in picks if case["groups"][index] == name) for name in have}
    assert sum(spent.values()) <= case["budget"]
    for name, (least, most) in quotas.items():
        assert spent[name] <= most
        assert unit != "samples" or spent[name] >= least
        assert runs[0].controls["quotas"][name]["selected"] == spent[name]
    assert runs[0].controls["budget"]["selected"] == sum(spent.values())
