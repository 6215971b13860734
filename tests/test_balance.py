"""Balance: shares against their definition in exact fractions, what they come to, and how they are told."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import balance_oracle
import entropylaw
from entropylaw import EntropyLawError
from entropylaw.cli import main
from entropylaw.controls.balance import shares

TAUS = st.sampled_from([0.0, 0.25, 0.3, 0.5, 0.77, 1.0])
METHODS = ["zip", "coverage", "random", "top", "dsir", "zipfit", "density"]


@st.composite
def accounts(draw: st.DrawFn) -> tuple[int, dict[str, int], dict[str, tuple[int, int]]]:
    """A budget, what groups have of it, and bounds that can be met."""
    most = draw(st.sampled_from([3, 40, 10**6, 10**15]))
    available = {f"g{n}": have for n, have in enumerate(draw(st.lists(st.integers(0, most), min_size=1, max_size=8)))}
    budget = draw(st.integers(1, max(1, sum(available.values()) * 5 // 4)))
    quotas = {}
    left = budget
    for name, have in available.items():
        if draw(st.booleans()):
            low = draw(st.integers(0, min(have, left)))
            high = draw(st.one_of(st.integers(low, have), st.just(2**64 - 1)))
            if sum(available.values()) - have + high >= min(budget, sum(available.values())):
                quotas[name] = (low, high)
                left -= low
    allowed = sum(min(have, quotas.get(name, (0, have))[1]) for name, have in available.items())
    return (budget, available, quotas if allowed >= min(budget, sum(available.values())) else {})


@given(account=accounts(), tau=TAUS)
@example(account=(10, {"a": 16, "b": 81, "c": 1}, {}), tau=0.25)
@example(account=(5, {"a": 9, "b": 9, "c": 9}, {}), tau=0.5)
def test_shares_are_those_of_the_definition(
    account: tuple[int, dict[str, int], dict[str, tuple[int, int]]], tau: float
) -> None:
    budget, available, quotas = account
    bounds = [quotas.get(name, (0, 2**64 - 1)) for name in available]
    found = shares(budget, tau, list(available.values()), bounds)
    assert found == list(balance_oracle.shares(budget, tau, available, quotas).values())
    assert sum(found) == min(budget, sum(available.values()))
    for share, have, (least, most) in zip(found, available.values(), bounds, strict=True):
        assert least <= share <= min(have, most)
    if not quotas:
        assert shares(budget, tau, list(available.values()), None) == found


@pytest.mark.parametrize(
    ("budget", "tau", "available", "expected"),
    [
        (100, 1, [600, 300, 100], [60, 30, 10]),
        (100, 0, [600, 300, 100], [34, 33, 33]),
        (100, 0.5, [900, 400, 100], [50, 33, 17]),
        # A group that has too little gives the rest to the others, by the same rule.
        (100, 0, [600, 300, 10], [45, 45, 10]),
        (100, 0.5, [900, 400, 4], [58, 38, 4]),
        # Equal remainders: the earlier groups.
        (2, 0, [5, 5, 5], [1, 1, 0]),
        # More than there is: all of it. Nothing in a group: nothing.
        (50, 0.5, [9, 0, 4], [9, 0, 4]),
        (3, 0, [9, 0, 4], [2, 0, 1]),
        (12, 0.25, [16, 81, 1], [4, 7, 1]),
        # Powers that are whole numbers are exact, and so are ties: 10 to 30, half a sample each.
        (2, 0.25, [10_000, 810_000], [1, 1]),
        (2, 0.25, [810_000, 10_000], [2, 0]),
        (10**15, 1, [2**62, 2**62], [5 * 10**14] * 2),
    ],
)
def test_shares(budget: int, tau: float, available: list[int], expected: list[int]) -> None:
    assert shares(budget, float(tau), available, None) == expected


def test_bounds_are_respected_and_balance_shares_the_rest() -> None:
    free = (0, 2**64 - 1)
    assert shares(100, 0.0, [900, 900, 900], [(70, 70), free, free]) == [70, 15, 15]
    assert shares(100, 0.0, [900, 900, 900], [(40, 2**64 - 1), free, (0, 10)]) == [45, 45, 10]
    assert shares(100, 0.0, [900, 900, 900], [(60, 2**64 - 1), free, (0, 10)]) == [60, 30, 10]


def records(counts: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {"text": f"{name} {'word ' * (n % 7)}{n * n} says {n}", "source": name, "w": n % 5, "n": 3 + n % 7}
        for name, count in counts.items()
        for n in range(count)
    ]


TARGET = ["tiny word word says 12", "small 4 says 2"]
POOL = records({"large": 90, "middle": 40, "small": 10, "tiny": 2})


def select(method: Any, budget: Any, **rest: Any) -> entropylaw.Selection:
    needed = {"top": {"weight": "w"}, "dsir": {"target": TARGET}, "zipfit": {"target": TARGET}}.get(method, {})
    selection: entropylaw.Selection = entropylaw.select(POOL, method=method, budget=budget, **needed, **rest)
    return selection


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ({"balance": 1}, {"large": 26, "middle": 11, "small": 3, "tiny": 1}),
        ({"balance": 0.5}, {"large": 20, "middle": 13, "small": 6, "tiny": 2}),
        ({"balance": 0}, {"large": 15, "middle": 14, "small": 10, "tiny": 2}),
        ({"balance": 0, "quota": "large=20,small<=5"}, {"large": 20, "middle": 14, "small": 5, "tiny": 2}),
        ({"balance": 0, "quota": "*<=15"}, {"large": 15, "middle": 14, "small": 10, "tiny": 2}),
        ({"balance": 0, "length_band": ":30"}, None),
    ],
)
def test_groups_get_their_shares_to_the_sample(method: str, rest: Any, expected: dict[str, int] | None) -> None:
    selection = select(method, 41, **rest)
    balance = selection.controls["balance"]
    assert {name: group["selected"] for name, group in balance.items()} == {
        name: group["share"] for name, group in balance.items()
    }
    if expected is None:
        have = {name: sum(r["source"] == name and len(r["text"]) <= 30 for r in POOL) for name in balance}
        expected = balance_oracle.shares(41, 0.0, have, {})
        assert {name: group["available"] for name, group in balance.items()} == have
    assert dict(sorted(selection.sources.items())) == expected
    assert selection.summary()["balance"] == balance


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("unit", ["bytes", "tokens"])
def test_a_budget_of_bytes_or_tokens_is_used_up(method: str, unit: str) -> None:
    """A group misses its share by less than a sample, and what it can't use goes to others."""
    budget = {"bytes": "900B", "tokens": "200 tokens"}[unit]
    selection = select(method, budget, balance=0.2, tokens="n" if unit == "tokens" else None, dedupe=False)
    cost = [len(r["text"].encode()) if unit == "bytes" else r["n"] for r in POOL]
    used = selection.controls["budget"]
    left = used["amount"] - used["selected"]
    chosen = set(selection.indices.tolist())
    assert all(cost[index] > left for index in range(len(POOL)) if index not in chosen)
    for group in selection.controls["balance"].values():
        assert abs(group["selected"] - group["share"]) <= max(cost)
    shared = select(method, budget, balance=1, tokens="n" if unit == "tokens" else None, dedupe=False)
    assert shared.controls["balance"]["large"]["selected"] > 1.5 * selection.controls["balance"]["large"]["selected"]


def test_shares_too_small_for_a_sample_go_to_others() -> None:
    pool = [{"text": "x" * 40, "source": f"s{n}"} for n in range(20)]
    selection = entropylaw.select(pool, budget="90B", method="random", balance=0)
    assert len(selection) == 2
    assert selection.warnings == (
        "18 of 20 groups got nothing: their share of the budget is less than one of their samples; raise the budget, "
        "or make fewer groups",
    )
    fewer = entropylaw.select(pool, budget=3, method="random", balance=0.5)
    assert set(fewer.indices.tolist()) == {0, 1, 2}, "of equal remainders the earlier groups"
    assert fewer.warnings[0].startswith("17 of 20 groups got nothing")


def test_one_group_is_told() -> None:
    selection = entropylaw.select(POOL[:90], budget=9, method="random", balance=0.5)
    assert selection.warnings == (
        "balance changes nothing: all that may be selected is in one group; name the field that tells where "
        "records come from (group_by=, --group-by), or make groups of samples that are written alike: cluster:64",
    )


def test_groups_may_be_given() -> None:
    names = [record["source"][0] for record in POOL]
    selection = entropylaw.select(POOL, budget=8, method="random", balance=0, group_by=names)
    picked = [names[index] for index in selection.indices.tolist()]
    assert sorted(picked) == ["l", "l", "m", "m", "s", "s", "t", "t"]


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ({"balance": 1.5}, "balance is 1.5; it must be a number from 0 to 1"),
        ({"balance": -0.1}, "balance is -0.1; it must be a number from 0 to 1"),
        ({"balance": math.nan}, "balance is nan; it must be a number from 0 to 1"),
        ({"balance": "0.5"}, "balance is '0.5'; it must be a number from 0 to 1"),
        ({"balance": True}, "balance is True; it must be a number from 0 to 1"),
        (
            {"balance": 0.5, "group_by": "kind"},
            "balance is over groups, but the records have none: they have no field 'kind'; name the field that they "
            "are made by: group_by= (--group-by); or make groups of samples that are written alike: 'cluster:64'",
        ),
        (
            {"balance": 0.5, "group_by": [""] * len(POOL)},
            "balance is over groups, but the records have none: they are all ''; name the field that they are made by: "
            "group_by= (--group-by); or make groups of samples that are written alike: 'cluster:64'",
        ),
        ({"balance": 0.5, "quota": "tiny>=3"}, "the group 'tiny' has 2 that can be selected; lower it"),
        (
            {"balance": 0.5, "method": "zip", "preset": "reference"},
            "preset 'reference' selects what the authors' script does, which knows no balance: use preset 'paper'",
        ),
        (
            {"balance": 0.5, "method": "zip", "whole_rounds": True},
            "whole_rounds goes with a budget in samples, without quotas and balance",
        ),
    ],
)
def test_what_can_not_be_balanced(rest: dict[str, Any], message: str) -> None:
    with pytest.raises(EntropyLawError) as error:
        entropylaw.select(POOL, **({"budget": 9, "method": "random"} | rest))
    assert str(error.value).endswith(message)


def test_numpy_numbers_are_numbers() -> None:
    given = entropylaw.select(POOL, budget=9, method="random", balance=np.float32(0.5))
    assert given.parameters["balance"] == 0.5
    assert type(given.parameters["balance"]) is float


def test_the_command_tells_before_and_after_and_is_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pool, out = tmp_path / "pool.jsonl", tmp_path / "out.jsonl"
    pool.write_text("".join(json.dumps(record) + "\n" for record in POOL))
    how = ["--budget", "2kB", "--method", "random", "--balance", "0.5", "--dedupe", "--ratio-band", ":3", "-q"]
    assert main(["select", str(pool), "-o", str(out), *how]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("balance"))
    manifest = json.loads(Path(f"{out}.manifest.json").read_text())
    groups = manifest["balance"]
    whole, chosen = (sum(group[which] for group in groups.values()) for which in ("available", "selected"))
    told = (
        f"{name} {group['selected'] / chosen:.1%} (was {group['available'] / whole:.1%})"
        for name, group in sorted(groups.items(), key=lambda item: -item[1]["selected"])
    )
    assert line == f"balance   {', '.join(told)}; shares of bytes"
    assert manifest["parameters"]["balance"] == 0.5 and manifest["other_balance"] == 0
    assert {"groups", "shares"} <= set(manifest["fingerprints"])
    again = tmp_path / "again.jsonl"
    assert main(["replay", f"{out}.manifest.json", "-o", str(again), "-q"]) == 0
    assert again.read_bytes() == out.read_bytes()


def test_many_groups_are_shared_out_soon() -> None:
    available = [1 + n * n % 1_000_003 for n in range(20_000)]
    found = shares(10**7, 0.37, available, None)
    assert sum(found) == 10**7 and max(found) < 10_000


KINDS = [
    lambda n: f"Question: is {n} larger than {n // 2}?\nAnswer: yes",
    lambda n: f"def f{n}(x):\n    return x + {n}\n",
    lambda n: f"Once upon a time there were {n} wolves, and they sang.",
]
UNLABELLED = [KINDS[min(n % 10, 2) if n % 10 < 3 else 0](n) for n in range(400)]


@pytest.mark.parametrize("method", ["zip", "coverage", "random"])
def test_clusters_balance_what_has_no_labels(method: Any) -> None:
    selection = entropylaw.select(UNLABELLED, budget=60, method=method, group_by="cluster:6", balance=0)
    groups = selection.controls["balance"]
    assert list(groups) == sorted(groups, key=lambda name: int(name.split()[0]))
    assert sum(group["available"] for group in groups.values()) == 400
    assert {group["selected"] for group in groups.values()} == {60 // len(groups)}
    stories = sum(UNLABELLED[index].startswith("Once") for index in selection.indices.tolist())
    assert stories >= 10
    assert any("wolves" in name or "once" in name or "upon" in name for name in groups)


def test_clusters_depend_neither_on_threads_nor_on_order_nor_on_what_is_excluded() -> None:
    how: dict[str, Any] = {"budget": 400, "method": "random", "group_by": "cluster:9", "balance": 0.5}
    groups = entropylaw.select(UNLABELLED, threads=1, **how).controls["balance"]
    assert entropylaw.select(UNLABELLED, threads=4, **how).controls["balance"] == groups
    assert entropylaw.select(UNLABELLED[::-1], **how).controls["balance"] == groups
    among_others = [*UNLABELLED, *("x" * 200 + str(n) for n in range(50))]
    assert entropylaw.select(among_others, length_band=":150", **how).controls["balance"] == groups


def test_a_balance_over_clusters_is_replayed_and_resumed(tmp_path: Path) -> None:
    pool = tmp_path / "pool.jsonl"
    pool.write_text("".join(json.dumps({"text": text}) + "\n" for text in UNLABELLED))
    how: dict[str, Any] = {"budget": "2kB", "method": "coverage", "group_by": "cluster:5", "balance": 0.2}
    selection = entropylaw.select(pool, **how)
    selection.save(tmp_path / "out.jsonl")
    assert entropylaw.replay(tmp_path / "out.jsonl.manifest.json").indices.tolist() == selection.indices.tolist()
    for resume in (False, True):
        again = entropylaw.select(pool, checkpoint=tmp_path / "work", resume=resume, **how)
        assert again.indices.tolist() == selection.indices.tolist()


@pytest.mark.parametrize("given", ["cluster:1", "cluster:1025", "cluster:", "cluster:x", "cluster:-3", "cluster:²"])
def test_clusters_have_a_number(given: str) -> None:
    with pytest.raises(EntropyLawError) as error:
        entropylaw.select(POOL, budget=9, group_by=given, balance=0.5)
    assert str(error.value) == f"group_by is {given!r}; it must be like 'cluster:64', from 2 to 1,024"


def test_clusters_are_for_balance_and_quotas() -> None:
    with pytest.raises(
        EntropyLawError, match="group_by 'cluster:8' makes groups for balance or quota: give one of them"
    ):
        entropylaw.select(POOL, budget=9, group_by="cluster:8")
    selection = entropylaw.select(POOL, budget=40, method="random", group_by="cluster:8", quota="*<=20%")
    assert max(quota["selected"] for quota in selection.controls["quotas"].values()) <= 8
    named = [{"text": f"{n} and {n * n}", "cluster": "ab"[n % 2]} for n in range(20)]
    assert list(entropylaw.select(named, budget=4, group_by="cluster", balance=0).controls["balance"]) == ["a", "b"]
