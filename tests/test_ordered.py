"""Random samples and those of highest weight: what is drawn, and that it is told as that of any other method."""

import csv
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.cli import main
from entropylaw.report.page import Page, Table
from entropylaw.report.selection import selection_page

TEXTS = [f"{'the cat sat ' * (n % 4)}{n * n} {n}" for n in range(60)]
RECORDS = [{"text": text, "source": "ab"[n % 2], "score": n % 7} for n, text in enumerate(TEXTS)]


def test_a_seed_draws_these_samples_on_every_platform() -> None:
    """Written down once: whatever else changes, a seed must not draw others."""
    assert entropylaw.select(TEXTS, method="random", budget=8).indices.tolist() == [3, 58, 9, 30, 29, 22, 45, 50]
    assert entropylaw.select(TEXTS, method="random", seed=2**63 - 1, budget=8).indices.tolist() == [
        33,
        27,
        51,
        47,
        46,
        17,
        30,
        36,
    ]
    weighted = entropylaw.select(RECORDS, method="random", seed=3, weight="score", budget=8)
    assert weighted.indices.tolist() == [19, 47, 29, 9, 31, 10, 53, 13]


def test_a_smaller_budget_draws_the_first_of_a_larger_one() -> None:
    whole = entropylaw.select(TEXTS, method="random", seed=1, budget=60).indices.tolist()
    assert sorted(whole) == list(range(60))
    assert entropylaw.select(TEXTS, method="random", seed=1, budget=25, threads=1).indices.tolist() == whole[:25]


def test_every_sample_is_drawn_as_often() -> None:
    drawn = np.zeros(60)
    for seed in range(400):
        drawn[entropylaw.select(TEXTS, method="random", seed=seed, budget=6, threads=1).indices] += 1
    # 40 times each, give or take: a chance of 1 in 10 of 400.
    assert abs(drawn - 40).max() < 4.5 * 6
    assert ((drawn - 40) ** 2).mean() == pytest.approx(36, rel=0.4)


def test_top_goes_by_weight_then_by_index() -> None:
    selection = entropylaw.select(RECORDS, method="top", weight="score", budget=20)
    order = sorted(range(60), key=lambda n: (-(n % 7), n))
    assert selection.indices.tolist() == order[:20]
    assert selection.gains.tolist() == [n % 7 for n in order[:20]]
    # Weights that differ by less than their mean can be divided by.
    close = np.nextafter(np.full(60, 0.1), np.arange(60) % 2)
    assert entropylaw.select(TEXTS, method="top", weight=close, budget=30).indices.tolist() == list(range(1, 60, 2))


def test_ratio_and_gains_are_computed_when_asked_for() -> None:
    selection = entropylaw.select(TEXTS, method="random", seed=5, budget=12)
    assert not {"gains", "measured"} & set(vars(selection))
    chosen = [TEXTS[index].encode() for index in selection.indices.tolist()]
    sizes = [len(zlib.compress(b"".join(chosen[:count]), 9)) for count in range(1, 13)]
    assert selection.gains.tolist() == np.diff([0, *sizes]).tolist()
    assert selection.ratio == len(b"".join(chosen)) / sizes[-1]
    assert selection.codec == "zlib 1.3 level 9"
    assert set(selection.arrays()) == {"indices"}


@pytest.mark.parametrize(
    ("how", "rule", "why"),
    [
        ({"method": "random", "seed": 4}, "Each was drawn at random from all that was left and fitted, seed 4.", ""),
        (
            {"method": "random", "weight": "score"},
            "Each was drawn with a chance in proportion to its weight from all that was left and fitted, seed 0.",
            "",
        ),
        (
            {"method": "top", "weight": "score"},
            "Each is, of all that was left and fitted, the sample of highest weight; of equal ones the first.",
            "weight 6",
        ),
    ],
)
def test_the_report_explains_the_picks(how: Any, rule: str, why: str) -> None:
    page: Page = selection_page(entropylaw.select(RECORDS, budget=12, **how))
    tables = {part.title: part for part in page.parts if isinstance(part, Table)}
    assert tables["First picks"].caption.endswith(rule)
    assert tables["First picks"].rows[0][6] == why


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"method": "top"}, "method 'top' takes the samples of highest weight: say what that is: weight= (--weight)"),
        ({"method": "random", "seed": -1}, "seed is -1; it must be a whole number from 0 to 9,223,372,036,854,775,807"),
        (
            {"method": "random", "seed": 1.5},
            "seed is 1.5; it must be a whole number from 0 to 9,223,372,036,854,775,807",
        ),
        (
            {"method": "zip", "seed": 1},
            "seed is an option of method 'random', 'dsir' and 'density'; method 'zip' takes preset, k1, k2, k3, wh",
        ),
        (
            {"method": "top", "seed": 1, "weight": "score"},
            "seed is an option of method 'random', 'dsir' and 'density'; method 'top' has no op",
        ),
        ({"method": "random", "k1": 1}, "k1 is an option of method 'zip'; method 'random' takes seed"),
        ({"method": "random", "budget": "3B"}, "nothing fits the budget of 3B: each of the 59 samples that may be"),
    ],
)
def test_what_does_not_fit(how: Any, message: str) -> None:
    with pytest.raises(EntropyLawError) as error:
        entropylaw.select(RECORDS, **({"budget": 5, "length_band": "4:"} | how))
    assert str(error.value).startswith(message)


def test_the_command_selects_and_adds_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pool = tmp_path / "pool.jsonl"
    pool.write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    out = tmp_path / "out.jsonl"
    how = ["--budget", "9", "-q", "--add-columns", "rank,gain"]
    assert main(["select", str(pool), "-o", str(out), "--method", "random", "--seed", "4", *how]) == 0
    selection = entropylaw.select(pool, method="random", seed=4, budget=9)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["text"] for row in rows] == [TEXTS[index] for index in selection.indices.tolist()]
    assert [row["entropylaw_gain"] for row in rows] == selection.gains.tolist()
    assert [row["entropylaw_rank"] for row in rows] == list(range(1, 10))
    assert "R         " in capsys.readouterr().out
    # Before the pool is read, which is not there.
    assert main(["select", "nowhere.jsonl", "-o", str(out), "--force", "--method", "top", "--budget", "9"]) == 2
    assert "method 'top' takes the samples of highest weight" in capsys.readouterr().err
    table = tmp_path / "top.csv"
    if pytest.importorskip("pyarrow"):
        top = ["--method", "top", "--weight", "score", *how]
        assert main(["select", str(pool), "-o", str(table), *top]) == 0
        with table.open() as file:
            assert [row["entropylaw_gain"] for row in csv.DictReader(file)][:3] == ["6", "6", "6"]
