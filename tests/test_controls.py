"""Controls: every method against its oracle within limits, and what excluded samples amount to."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import balance_oracle
import entropylaw
import oracle
import scores_oracle
from coverage_oracle import Oracle
from entropylaw import EntropyLawError
from entropylaw.budget import Budget
from entropylaw.controls import Candidates, Controls
from entropylaw.pool import load
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
    {"method": "random", "seed": 5},
    {"method": "dsir", "target": ["the cat sat", "on a mat."], "seed": 3},
    {"method": "dsir", "target": ["the cat sat", "on a mat."], "ranking": "sum"},
    {"method": "dsir", "target": ["the cat sat", "on a mat."], "ranking": "mean"},
    {"method": "zipfit", "target": ["the cat sat", "on a mat. " * 3]},
    {"method": "density", "seed": 4},
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
    if how["method"] == "random":
        return balance_oracle.drawn(len(samples), how["seed"], limits, known, weights)
    if how["method"] == "top":
        left = [index for index in range(len(samples)) if index not in known]
        return balance_oracle.in_order(sorted(left, key=lambda index: -weights[index]), limits)
    if how["method"] in ("dsir", "zipfit", "density"):
        ranked = ranking(samples, how, known, anchor, weights)
        left = [index for index in range(len(samples)) if index not in known]
        return balance_oracle.in_order(sorted(left, key=lambda index: -ranked[index]), limits)
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


def ranking(
    samples: list[bytes], how: dict[str, Any], known: set[int], anchor: list[bytes], weights: list[float] | None
) -> list[float]:
    """The keys of a method that scores all samples first."""
    target = [text.encode() for text in how.get("target", ())]
    if how["method"] == "zipfit":
        scores = [float(score) for score in scores_oracle.zipfit(samples, target)]
        return scores if weights is None else [score * weight for score, weight in zip(scores, weights, strict=True)]
    if how["method"] == "density":
        logs = [-scores_oracle.ln(density) for density in scores_oracle.densities(samples, anchor)]
        return scores_oracle.keys(logs, weights, how["seed"])
    logs, words = scores_oracle.dsir(samples, target)
    if how.get("ranking") == "mean":
        logs = [log / max(1, count) for log, count in zip(logs, words, strict=True)]
    return scores_oracle.keys(logs, weights, None if "ranking" in how else how["seed"])


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
    weights = draw(st.lists(st.sampled_from([0.0, 0.3, 1.0, 1.5, 7.0]), **each)) if draw(st.booleans()) else None
    how = draw(st.sampled_from(METHODS if weights is None else [*METHODS, {"method": "top"}]))
    return {
        "pool": pool,
        "unit": unit,
        "costs": costs,
        "groups": groups,
        "known": known,
        "available": available,
        "budget": budget,
        "quotas": quotas,
        "balance": draw(st.sampled_from([None, None, 0.0, 0.3, 0.5, 1.0])),
        "weights": weights,
        "anchor": [text for text in draw(st.lists(texts, max_size=3)) if not known and text not in pool],
        "how": how,
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
        "balance": case["balance"],
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
    shares = None
    if case["balance"] is not None:
        shares = balance_oracle.shares(case["budget"], case["balance"], have, quotas)
    limits = Limits(case["budget"], case["costs"], case["groups"], quotas, shares)
    rest = {"unit": unit, "lengths": case["costs"] if unit == "tokens" else None}
    rest["weights"] = None if weights is None else relative(weights, known)
    try:
        runs = [entropylaw.select(case["pool"], threads=threads, **options) for threads in (1, 4)]
    except EntropyLawError as error:
        assert "nothing fits" in str(error)
        assert not limits.fitting(index for index in range(len(samples)) if index not in known)
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
    if shares is not None:
        assert runs[0].controls["balance"] == {
            name: {"available": have[name], "share": shares[name], "selected": spent[name]}
            for name in have
            if have[name]
        }
        assert unit != "samples" or spent == shares


RECORDS = [
    {"text": "the cat sat on the mat", "source": "a", "score": 3, "n": 6},
    {"text": "the cat sat on a mat", "source": "a", "score": 1, "n": 6},
    {"text": "a cat sat there", "source": "b", "score": 2, "n": 4},
    {"text": "the cat sat on the mat", "source": "b", "score": 5, "n": 6},
    {"text": "xyz" * 40, "source": "c", "score": 4, "n": 40},
    {"text": "the dog ran off with a mat", "source": "c", "score": 2.5, "n": 7},
    {"text": "no", "source": "c", "score": 2, "n": 1},
]


@given(
    pool=pools,
    how=st.sampled_from([*METHODS, {"method": "zip", "preset": "reference", "k1": 7, "k2": 5, "k3": 3}]),
    dedupe=st.booleans(),
    low=st.integers(0, 20),
    data=st.data(),
)
def test_what_is_excluded_might_as_well_not_be_there(
    pool: list[str], how: dict[str, Any], dedupe: bool, low: int, data: st.DataObject
) -> None:
    scores = data.draw(st.lists(st.integers(0, 3), min_size=len(pool), max_size=len(pool)))
    records = [{"text": text, "score": score} for text, score in zip(pool, scores, strict=True)]
    samples = [repr(record) if "preset" in how else record["text"] for record in records]
    kept = [n for n, score in enumerate(scores) if score >= 1 and len(samples[n].encode()) >= low]
    if dedupe:
        kept = [index for index in kept if samples[index] not in [samples[other] for other in kept if other < index]]
    options = {"budget": 6, "dedupe": dedupe, **how}
    if not kept:
        with pytest.raises(EntropyLawError, match="nothing is left to select from"):
            entropylaw.select(records, min_score="score>=1", length_band=(low, None), **options)
        return
    all_of_them = entropylaw.select(records, min_score="score>=1", length_band=(low, None), **options)
    those_alone = entropylaw.select([records[index] for index in kept], **(options | {"dedupe": False}))
    assert all_of_them.indices.tolist() == [kept[index] for index in those_alone.indices.tolist()]
    assert all_of_them.ratio == those_alone.ratio
    assert all_of_them.controls["candidates"] == len(kept)
    assert sum(all_of_them.controls["excluded"].values()) == len(pool) - len(kept)
    if how["method"] == "zip":
        assert all_of_them.initial_ratios[kept].tolist() == those_alone.initial_ratios.tolist()
        assert np.isnan(all_of_them.initial_ratios).sum() == len(pool) - len(kept)


@pytest.mark.parametrize("method", ["zip", "coverage", "random"])
@pytest.mark.parametrize(
    ("controls", "left", "excluded"),
    [
        ({"dedupe": True}, [0, 1, 2, 4, 5, 6], {"duplicates": 1}),
        ({"dedupe": False}, [0, 1, 2, 3, 4, 5, 6], {}),
        ({"min_score": "score >= 2.5"}, [0, 3, 4, 5], {"min_score": 3}),
        ({"min_score": "score>=2, n>=5"}, [0, 3, 4, 5], {"min_score": 3}),
        ({"min_score": ["score>=2", "n>=5"]}, [0, 3, 4, 5], {"min_score": 3}),
        ({"min_score": {"score": 2, "n": 5}, "dedupe": True}, [0, 4, 5], {"min_score": 3, "duplicates": 1}),
        ({"min_score": "score>=4", "dedupe": True}, [3, 4], {"min_score": 5}),
        ({"length_band": "15:22"}, [0, 1, 2, 3], {"length_band": 3}),
        ({"length_band": ":15"}, [2, 6], {"length_band": 5}),
        ({"length_band": (16, None)}, [0, 1, 3, 4, 5], {"length_band": 2}),
        ({"ratio_band": "0.5:2"}, [0, 1, 2, 3, 5], {"ratio_band": 2}),
        ({"ratio_band": "2:"}, [4], {"ratio_band": 6}),
        ({"anchor": [3]}, [0, 1, 2, 4, 5, 6], {}),
        ({"anchor": [3], "dedupe": True}, [1, 2, 4, 5, 6], {"duplicates": 1}),
        ({"anchor": ["the cat sat on the mat", "not there"]}, [1, 2, 4, 5, 6], {"anchor": 2}),
    ],
)
def test_exclusions(method: Any, controls: dict[str, Any], left: list[int], excluded: dict[str, int]) -> None:
    selection = entropylaw.select(RECORDS, budget=7, method=method, **({"dedupe": False} | controls))
    assert sorted(selection.indices.tolist()) == left
    assert selection.controls["excluded"] == excluded
    assert selection.summary()["excluded"] == excluded


def test_coverage_takes_no_duplicates_unless_asked_to() -> None:
    assert sorted(entropylaw.select(RECORDS, budget=7, method="coverage").indices.tolist()) == [0, 1, 2, 4, 5, 6]
    assert len(entropylaw.select(RECORDS, budget=7)) == 7


@pytest.mark.parametrize("method", ["zip", "coverage", "random"])
def test_weights_are_relative_and_a_weight_of_zero_comes_last(method: Any) -> None:
    def picks(weight: Any) -> list[int]:
        return entropylaw.select(RECORDS, budget=7, method=method, dedupe=False, weight=weight).indices.tolist()

    assert picks(np.full(7, 3.0)) == picks(None)
    assert picks("score") == picks([record["score"] * 0.25 for record in RECORDS])
    # What tells nothing for its length: the longest for zip, and what is left in input order for coverage.
    worst = 4 if method == "zip" else 6
    assert picks([float(index != worst) for index in range(7)])[-1] == worst
    assert picks([1, 1, 9e9, 1, 1, 1, 1])[0] == 2


@pytest.mark.parametrize("method", ["zip", "coverage", "random"])
@pytest.mark.parametrize("budget", ["60B", "40%", "60% bytes", "13 tokens", "50% tokens", "0.013k tokens"])
def test_budgets_are_never_exceeded_and_nothing_more_fits(method: Any, budget: str) -> None:
    unit = "tokens" if "token" in budget else "bytes" if "b" in budget.lower() else "samples"
    selection = entropylaw.select(RECORDS, budget=budget, method=method, tokens="n" if unit == "tokens" else None)
    used = selection.controls["budget"]
    costs = [{"samples": 1, "bytes": len(r["text"]), "tokens": r["n"]}[unit] for r in RECORDS]
    total = sum(costs)
    assert used["unit"] == unit
    assert used["amount"] == {"40%": 2, "60% bytes": total * 6 // 10, "50% tokens": total // 2}.get(
        budget, 60 if unit == "bytes" else 13
    )
    assert used["selected"] == sum(costs[index] for index in selection.indices) <= used["amount"]
    left = {0, 1, 2, 3, 4, 5, 6} - set(selection.indices.tolist()) - ({3} if method == "coverage" else set())
    assert all(costs[index] > used["amount"] - used["selected"] for index in left)


@pytest.mark.parametrize("method", ["zip", "coverage", "random"])
def test_quotas_are_met(method: Any) -> None:
    def counts(quota: Any, budget: Any = 4, **rest: Any) -> dict[str, int]:
        selection = entropylaw.select(RECORDS, budget=budget, method=method, quota=quota, dedupe=False, **rest)
        return {name: quota["selected"] for name, quota in selection.controls["quotas"].items()}

    assert counts("c=34%,b<=0", budget=3) == {"a": 2, "b": 0, "c": 1}
    assert counts({"a": 2, "*": "1"}) == {"a": 2, "b": 1, "c": 1}
    assert counts(["a=2", "b=2"]) == {"a": 2, "b": 2, "c": 0}
    several = counts("c>=50%,*<=40%", budget=5)
    assert several["c"] >= 3
    assert max(several["a"], several["b"]) <= 2
    in_bytes = counts("a>=40B,c<=30B", budget="90B")
    assert in_bytes["a"] >= 40
    assert in_bytes["c"] <= 30


NAMES = ["", "a,b", "a=b", "a<b", '"q"', 'a"b', " a ", "1", "True", "x>=1", "10%", "\u00e9", "e\u0301", "a\nb", "a\\b"]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize("quota", [lambda name: {name: 2}, lambda name: {name: "<=2"}, lambda name: ">=2"])
def test_a_group_may_have_any_name(name: str, quota: Any) -> None:
    """In a mapping as it is, in a text in quotes; the one without a name too."""
    rows = [{"text": f"{n} and {n * n}", "source": other} for n, other in enumerate(NAMES * 3)]
    asked = quota(name)
    if isinstance(asked, str):
        asked = '"' + name.replace('"', '""') + '"' + asked
    selection = entropylaw.select(rows, budget=len(NAMES), method="random", quota=asked)
    sign = asked if isinstance(asked, str) else str(asked[name])
    got = sum(record["source"] == name for record in selection)
    assert got >= 2 if ">=" in sign.removeprefix(f'"{name}"') else got <= 2
    assert selection.controls["quotas"][name]["selected"] == got


def test_groups_are_by_any_field_and_names_may_be_quoted() -> None:
    pool = [{"text": f"sample {n}", "meta": {"kind": kind}} for n, kind in enumerate(['a,"b"', "x=1", 'a,"b"', "y"])]
    selection = entropylaw.select(pool, budget=2, group_by="meta.kind", quota='"a,""b"""<=0, "x=1" = 1')
    assert sorted(selection.indices.tolist()) == [1, 3]
    assert entropylaw.select(pool, budget=1, group_by=["p", "q", "p", "p"], quota={"q": 1}).indices.tolist() == [1]


def test_a_least_that_no_sample_is_small_enough_for_is_told() -> None:
    selection = entropylaw.select(RECORDS, budget="50B", quota="a=30B")
    assert selection.controls["quotas"]["a"] == {"least": 30, "most": 30, "selected": 20}
    assert "the group 'a' got 20 of at least 30 bytes: no sample of it is small enough" in selection.warnings[0]


@pytest.mark.parametrize(
    ("controls", "message"),
    [
        ({"quota": "gsm8k=10%"}, r"the quota 'gsm8k=10%' is of no group: 'source' has 'a', 'b', 'c'$"),
        ({"quota": "x=10%", "group_by": ["p", "q"] * 3 + [""]}, "'x=10%' is of no group: 'group_by' has 'p', 'q'$"),
        ({"quota": "x=10%", "group_by": [""] * 7}, "'x=10%' names a group, but the records have none: they are all ''"),
        ({"quota": "a=10%", "group_by": "cluster:2"}, "'a=10%' is of no group: 'cluster:2' has '1"),
        ({"quota": "aa>=1"}, "did you mean 'a'"),
        ({"quota": "a>=1", "group_by": "nowhere"}, "the records have none: they have no field 'nowhere'"),
        ({"quota": "a>=3"}, "'a>=3' is 3 samples, but the group 'a' has 2 that can be selected; lower it"),
        ({"quota": "*>=3"}, "the group 'a' has 2 that can be selected; lower it, or give 'a' a quota of its own"),
        ({"quota": "a>=2,b>=2,c>=1"}, "ask for at least 5 samples together, more than the budget of 4"),
        ({"quota": "*<=1"}, "the quotas allow 3 samples at most, less than the budget of 4"),
        ({"quota": "a>=2,a<=1"}, "the quotas of 'a' ask for at least 2 and at most 1 samples"),
        ({"quota": "a=1,a<=2"}, "'a=1' and 'a<=2' are of the same group"),
        ({"quota": "a>=1,a>=2"}, "'a>=1' and 'a>=2' are of the same group"),
        ({"quota": "a>=5MB"}, "the quota 'a>=5MB' counts bytes, the budget samples"),
        ({"quota": "a>=5", "budget": "90B"}, "the quota 'a>=5' counts samples, the budget bytes"),
        ({"quota": "a>=110%"}, "'110%' is not a share of the budget"),
        ({"quota": "a>=x"}, "'x' is not a share of the budget"),
        ({"quota": "a"}, "the quota 'a' can't be understood; quotas are such as"),
        ({"quota": "a=1;b=2"}, "can't be understood"),
        ({"quota": ""}, "the quota is empty"),
        ({"quota": {1: 2}}, "a group of the quota is 1; it must be the name of a group, as text"),
        ({"quota": {None: 2}}, "a group of the quota is None; it must be the name of a group, as text"),
        ({"min_score": "score>2"}, "it must be like 'quality>=0.5'"),
        ({"min_score": "score>=much"}, "'much' is not a number"),
        ({"min_score": "score>=nan"}, "'nan' is not a number"),
        ({"min_score": ["score>=1", "score>=2"]}, "two bounds for 'score'"),
        ({"min_score": "quality>=2"}, "record 0: the record has no field 'quality'"),
        ({"min_score": "score>=9"}, "nothing is left to select from: of 7 samples, 7 by min_score are excluded"),
        ({"length_band": "9"}, "length_band is '9'; it must be two bounds such as '50:8000'"),
        ({"length_band": "9:3"}, "no number is at least 9 and at most 3"),
        ({"ratio_band": "x:3"}, "ratio_band is 'x:3'; it must be two bounds"),
        ({"ratio_band": (1, 2, 3)}, "it must be two bounds"),
        ({"ratio_band": "nan:3"}, "it must be two bounds"),
        ({"weight": "text"}, "record 0: 'text' is text, not a number"),
        ({"weight": [1, 2, 3]}, r"weight has shape \(3,\); it must have a number for each of 7 samples"),
        ({"weight": [1, 2, 3, -1, 5, 6, 7]}, "record 3: the weight is -1; it must not be negative"),
        ({"weight": [1, 2, 3, math.nan, 5, 6, 7]}, "record 3: weight is nan; it must be finite"),
        ({"weight": [0] * 7}, "all weights are 0"),
        ({"weight": [1, 1e308] + [1e308] * 5}, r"record 1: the weight is 1e\+308; it must be at most 1e\+290: divide"),
        ({"weight": "abcdefg", "group_by": ["x"]}, "has no field 'abcdefg'"),
        ({"group_by": ["x"], "quota": "x>=1"}, r"group_by has shape \(1,\)"),
        ({"budget": "10 tokens"}, "say how many tokens samples have"),
        ({"tokens": "n"}, "tokens go with a budget in tokens"),
        (
            {"budget": "10 tokens", "tokens": "score"},
            "record 5: the number of tokens is 2.5; it must be a whole number",
        ),
        ({"budget": "10 tokens", "tokens": [-1] * 7}, "record 0: the number of tokens is -1"),
        (
            {"budget": "10 tokens", "tokens": [1, 2**32] + [1] * 5},
            r"record 1: the number of tokens is 4.29497e\+09; it must be a whole number from 0 to 4,294,967,295",
        ),
        ({"budget": "1 token", "tokens": [2] * 7}, "nothing fits the budget of 1 token: each of the 7 samples"),
        ({"budget": "1B"}, "nothing fits the budget of 1B: each of the 7 samples that may be selected is larger"),
        ({"budget": "1B", "anchor": [0, 6]}, "nothing fits the budget of 1B: each of the 5 samples"),
        (
            {"budget": "30B", "group_by": [*"yyyyxcy"], "quota": "c<=10B", "length_band": "25:"},
            "nothing fits the budget of 30B and the quotas: each of the 2 samples is larger than what it may have of",
        ),
        ({"budget": "0 tokens"}, "less than one token"),
        ({"budget": 0.1}, "the budget is 0.1; a share is a text, such as '10%'"),
        ({"budget": 1.5}, "the budget is 1.5; it must be a whole number"),
        ({"budget": "0.1% tokens", "tokens": "n"}, "of 70 tokens is less than one token; raise it"),
        ({"anchor": [0], "initial_subset": [1]}, "two names of the same"),
        ({"anchor": [9]}, "the anchor has index 9, the pool 7 samples"),
        ({"resume": True}, "resume needs the checkpoint"),
        ({"preset": "reference", "quota": "a>=1"}, "knows no quotas: use preset 'paper'"),
        ({"preset": "reference", "budget": "90B", "weight": "n"}, "knows no budget in bytes and no weights"),
        ({"whole_rounds": True, "budget": "90B"}, "whole_rounds goes with a budget in samples"),
    ],
)
def test_controls_that_do_not_fit(controls: dict[str, Any], message: str) -> None:
    with pytest.raises(EntropyLawError, match=message):
        entropylaw.select(RECORDS, **({"budget": 4} | controls))


def test_a_pool_that_was_read_without_a_field_says_so() -> None:
    pool = load(RECORDS, numbers=["n"])
    assert len(entropylaw.select(pool, budget="9 tokens", tokens="n")) > 0
    with pytest.raises(EntropyLawError, match="weight is 'score', a field that the pool was not read with"):
        entropylaw.select(pool, budget=2, weight="score")
    with pytest.raises(EntropyLawError, match="group_by is 'n', but the pool was read with 'source'"):
        entropylaw.select(pool, budget=2, group_by="n", quota="*<=1")


def test_weights_are_multiples_of_their_exact_mean() -> None:
    """The sum of the weights is rounded once: a running sum, compensated or not, would come to another mean."""
    given = [1e16] + [0.1] * 10
    exact = sum(map(Fraction, given))
    assert sum(given) != float(exact) and math.fsum(given) == float(exact)
    pool = load([f"sample {n}" for n in range(len(given))])
    controls = Controls(weight=given)
    weights = Candidates.of(pool, Budget.parse(3), controls, False).weights
    assert weights is not None
    mean = float(exact) / len(given)
    assert weights.tolist() == [weight / mean for weight in given]
