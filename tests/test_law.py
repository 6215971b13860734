"""The law: what it recovers, how far its intervals can be trusted, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from numpy.typing import NDArray

import entropylaw
from entropylaw import EntropyLaw, EntropyLawError
from entropylaw.cli import main
from entropylaw.law import read_runs
from entropylaw.law.fit import choose, fit_form, gradient
from entropylaw.law.intervals import student
from entropylaw.law.measurement import Measurement
from entropylaw.law.models import BY_R_AND_L, FORMS

pytest.importorskip("scipy", reason="the law needs SciPy: pip install 'entropylaw[law]'")

Array = NDArray[np.float64]
Truth = Callable[[Array, Array], Array]

TRUTHS: dict[str, Truth] = {
    "constant": lambda R, L: 5 + 0 * R,
    "R": lambda R, L: 9 - 2 * R,
    "log R": lambda R, L: 9 - 8 * np.log(R),
    "hinge": lambda R, L: 9 - 3 * np.maximum(0, R - 3.6),
    "R + L": lambda R, L: 20 - 2 * R - 6 * L,
}


def runs(truth: str, n: int, seed: int, noise: float = 1.0) -> tuple[Array, Array, Array]:
    """R, L and Z of runs that follow a known law; L falls with R, as in real data."""
    rng = np.random.default_rng(seed)
    R = rng.uniform(2, 6, n)
    L = 3 - 0.4 * np.log(R) + rng.normal(0, 0.15, n)
    return R, L, TRUTHS[truth](R, L) + rng.normal(0, noise, n)


@pytest.mark.parametrize("truth", TRUTHS)
def test_known_coefficients_are_recovered(truth: str) -> None:
    R, L, Z = runs(truth, 400, seed=1, noise=0.1)
    fits = choose(BY_R_AND_L, R, L, Z, np.ones(400), [""] * 400)
    fit = fits[truth]
    expected = {"constant": [5], "R": [9, -2], "log R": [9, -8], "hinge": [9, -3], "R + L": [20, -2, -6]}[truth]
    errors = np.sqrt(np.diag(fit.covariance))
    assert np.all(np.abs(np.array(fit.coefficients) - expected) < 4 * errors[: len(expected)])
    assert fit.sigma == pytest.approx(0.1, rel=0.15)
    if truth == "hinge":
        assert fit.knot == pytest.approx(3.6, abs=0.1)
    # Leave-one-out error finds the true form, or one that holds it.
    chosen = next(iter(fits.values())).form
    assert set(FORMS[truth].terms) <= set(FORMS[chosen].terms)


def test_exact_data_give_exact_coefficients() -> None:
    R, L, _ = runs("R", 12, seed=2)
    law = EntropyLaw().fit(R, L, 7 - 1.5 * R - 0.5 * L)
    assert law.by_R_and_L is not None
    assert law.by_R_and_L.form == "R + L"
    assert law.by_R_and_L.slopes == pytest.approx({"R": -1.5, "L": -0.5})
    assert law.skill == pytest.approx(1.0)


@pytest.mark.parametrize("n", [4, 5, 8, 20])
@pytest.mark.parametrize("truth", TRUTHS)
def test_intervals_cover_what_they_say(truth: str, n: int) -> None:
    """At nominal 95 %, 90 to 97 % of new runs fall inside, with the form chosen by the same data."""
    hits, new = [], 5
    for seed in range(300 if n < 8 else 150):
        R, L, Z = runs(truth, n + new, seed)
        fit = next(iter(choose(BY_R_AND_L, R[:n], L[:n], Z[:n], np.ones(n), [""] * n).values()))
        mean, design = gradient(fit, R[n:], L[n:], [""] * new)
        spread = np.sqrt(fit.sigma**2 + np.einsum("ij,jk,ik->i", design, np.array(fit.covariance), design))
        hits.append(np.abs(Z[n:] - mean) <= student(0.975, fit.df) * spread)
    assert 0.90 <= np.mean(hits) <= 0.97


def test_prediction_and_confidence_agree_with_the_simulated_level() -> None:
    inside = []
    for seed in range(150):
        R, _, Z = runs("R", 21, seed)
        prediction = (
            EntropyLaw(form="R")
            .fit_observations(entropylaw.law.Observations.of(R[:20], None, Z[:20]))
            .predict(R[20:], level=0.8)
        )
        inside.append(prediction.low[0] <= Z[20] <= prediction.high[0])
        assert prediction.low[0] < prediction.mean_low[0] < prediction.mean[0] < prediction.mean_high[0]
    assert 0.75 <= np.mean(inside) <= 0.85


@pytest.mark.parametrize("form", ["R", "log R", "R + L"])
def test_the_fit_is_that_of_scipy(form: str) -> None:
    from scipy.optimize import curve_fit

    R, L, Z = runs("R + L", 15, seed=3)
    weight = np.random.default_rng(0).uniform(0.5, 3, 15)
    fit = fit_form(FORMS[form], R, L, Z, weight, [""] * 15)
    assert fit is not None
    terms = [{"R": R, "log R": np.log(R), "L": L}[term] for term in FORMS[form].terms]

    def law(_: Any, *b: float) -> Any:
        return b[0] + sum(slope * term for slope, term in zip(b[1:], terms, strict=True))

    found, covariance = curve_fit(law, R, Z, p0=np.ones(1 + len(terms)), sigma=1 / np.sqrt(weight))
    assert fit.coefficients == pytest.approx(found, rel=1e-5)
    assert np.array(fit.covariance) == pytest.approx(covariance, rel=1e-4)


@pytest.mark.parametrize("form", FORMS)
def test_leave_one_out_errors_are_those_of_leaving_one_out(form: str) -> None:
    """Naively: fit again without each run, knot and all."""
    R, L, Z = runs("hinge", 14, seed=4)
    # The grid of knots must not depend on the run that is left out.
    R[:6] = [2.0, 2.0, 2.0, 2.0, 2.5, 2.5]
    R[6:12] = [5.5, 5.5, 6.0, 6.0, 6.0, 6.0]
    R[12:] = [3.0, 3.0]
    weight = np.random.default_rng(1).uniform(0.5, 2, 14)
    fit = fit_form(FORMS[form], R, L, Z, weight, [""] * 14)
    if fit is None:
        assert "hinge" in form
        return
    for out in range(14):
        keep = np.arange(14) != out
        rest = fit_form(FORMS[form], R[keep], L[keep], Z[keep], weight[keep], [""] * 13)
        assert rest is not None
        mean, _ = gradient(rest, R[[out]], L[[out]], [""])
        assert fit.loo_predictions[out] == pytest.approx(mean[0])
    errors = Z - np.array(fit.loo_predictions)
    assert fit.loo_rmse == pytest.approx(np.sqrt(np.average(errors**2, weights=weight)))


def test_leaving_one_out_searches_the_knot_again() -> None:
    R, L, Z = runs("hinge", 16, seed=5)
    R = np.repeat(np.linspace(2, 6, 8), 2)  # Each R twice: leaving one out leaves the grid.
    Z = TRUTHS["hinge"](R, L) + np.random.default_rng(5).normal(0, 1, 16)
    fit = fit_form(FORMS["hinge"], R, L, Z, np.ones(16), [""] * 16)
    assert fit is not None
    for out in range(16):
        keep = np.arange(16) != out
        rest = fit_form(FORMS["hinge"], R[keep], L[keep], Z[keep], np.ones(15), [""] * 15)
        assert rest is not None
        assert fit.loo_predictions[out] == pytest.approx(gradient(rest, R[[out]], L[[out]], [""])[0][0])


def test_groups_share_slopes_and_have_levels() -> None:
    R, L, Z = runs("R", 40, seed=6, noise=0.1)
    backbone = ["mistral", "llama"] * 20
    Z = Z + 3 * (np.arange(40) % 2)
    law = EntropyLaw(form="R").fit(R, L, Z, backbone=backbone, stage=["sft"] * 40)
    assert law.by_R.intercepts == pytest.approx({"mistral/sft": 9, "llama/sft": 12}, abs=0.3)
    assert law.by_R.slopes["R"] == pytest.approx(-2, abs=0.1)
    # Without groups, the levels would hide most of it.
    assert law.correlations["R"].pearson < -0.99
    difference = law.predict(3.0, group="llama/sft").mean - law.predict(3.0, group="mistral/sft").mean
    assert difference == pytest.approx([3], abs=0.2)
    with pytest.raises(EntropyLawError, match="name one of mistral/sft, llama/sft"):
        law.predict(3.0)
    with pytest.raises(EntropyLawError, match="no group 'qwen'"):
        law.predict(3.0, group="qwen")


def test_weights_count() -> None:
    R, Z = np.array([2.0, 3.0, 4.0, 5.0, 6.0]), np.array([5.0, 4.0, 3.0, 2.0, 9.0])
    light = EntropyLaw(form="R").fit(R, None, Z, weight=[1, 1, 1, 1, 1e-9])
    assert light.by_R.slopes["R"] == pytest.approx(-1, abs=1e-3)
    # Only their proportions.
    twice = EntropyLaw(form="R").fit(R, None, Z, weight=[2, 2, 2, 2, 2])
    once = EntropyLaw(form="R").fit(R, None, Z)
    assert twice.predict(3).low == pytest.approx(once.predict(3).low)


def test_correlations_have_intervals() -> None:
    R, L, Z = runs("R", 30, seed=7)
    found = EntropyLaw().fit(R, L, Z).correlations
    assert set(found) == {"R", "L", "R + L"}
    assert found["R"].pearson == pytest.approx(np.corrcoef(R, Z)[0, 1])
    from scipy.stats import spearmanr

    assert found["R"].spearman == pytest.approx(spearmanr(R, Z).statistic)
    for value in found.values():
        assert value.pearson_low <= value.pearson <= value.pearson_high
        assert value.spearman_low <= value.spearman <= value.spearman_high
    covered = 0
    for seed in range(100):
        R, _, Z = runs("constant", 30, seed)
        nothing = EntropyLaw().fit(R, None, Z).correlations["R"]
        covered += nothing.pearson_low <= 0 <= nothing.pearson_high
    assert 87 <= covered <= 100


GOOD: dict[str, Any] = {"R": [2.0, 3.0, 4.0, 5.0, 6.0], "L": [1.0, 0.9, 0.95, 0.7, 0.6], "Z": [5.0, 4.8, 4.0, 3.9, 3.0]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"R": [2, 3, 4], "L": None, "Z": [1, 2, 3]}, "3 observations cannot carry a law; give at least 4"),
        ({"R": [2.0] * 5}, "R is the same in all runs"),
        ({"L": [2.0] * 5}, "L is the same in all runs"),
        ({"Z": [2.0] * 5}, "Z is the same in all runs"),
        ({"Z": [1, 2, float("nan"), 4, 5]}, "Z of 'run 3' is nan"),
        ({"L": [1, 2, float("inf"), 4, 5]}, "L of 'run 3' is inf"),
        ({"R": [1, 2, -3, 4, 5]}, "R of 'run 3' is -3.0; it must be above 0"),
        ({"weight": [1, 1, 0, 1, 1]}, "weight of 'run 3' is 0.0; it must be above 0"),
        ({"L": [1.0, 2.0]}, "R has 5 values, but L has 2"),
        ({"names": ["a", "b", "a", "c", "d"]}, "two runs are named 'a'"),
        ({"backbone": ["a", "a", "a", "a", "b"]}, "group 'b' has a single run"),
        ({"R": [[1, 2], [3, 4]]}, "an array of shape"),
        ({"R": ["a"] * 5}, "R must be numbers"),
    ],
)
def test_nonsense_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(EntropyLawError, match=message.replace("(", r"\(")):
        EntropyLaw().fit(**(GOOD | change))


def test_r_constant_within_each_group_is_refused() -> None:
    with pytest.raises(EntropyLawError, match="R is the same in all runs within its group"):
        EntropyLaw().fit([2, 2, 3, 3], None, [1, 2, 3, 4], backbone=["a", "a", "b", "b"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda law: law.predict(float("nan")), "finite"),
        (lambda law: law.predict(-1), "above 0"),
        (lambda law: law.predict(3, level=1.5), "level is 1.5"),
        (lambda law: law.predict(3, 1.0), "fitted without losses"),
        (lambda law: law.predict_L(3), "fitted without losses"),
        (
            lambda law: law.predict(3, group="sft"),
            r"the law has no groups, and so no group 'sft'; leave it out \(group=",
        ),
        (lambda _: EntropyLaw().predict(3), "not fitted"),
        (lambda _: EntropyLaw(form="cubic"), "'cubic'"),
        (lambda _: EntropyLaw(codec="rar"), "no codec 'rar'"),
        (lambda _: EntropyLaw(form="R + L").fit(GOOD["R"], None, GOOD["Z"]), "needs the loss"),
        (lambda _: EntropyLaw(form="hinge").fit(**GOOD), "too few for form 'hinge'"),
    ],
)
def test_questions_that_have_no_answer(call: Callable[[EntropyLaw], object], message: str) -> None:
    law = EntropyLaw().fit(GOOD["R"], None, GOOD["Z"])
    with pytest.raises(EntropyLawError, match=message):
        call(law)


def test_warnings() -> None:
    R, L, Z = runs("R", 30, seed=8)
    assert EntropyLaw().fit(R, L, Z).warnings == ()

    def said(*arguments: Any, **options: Any) -> str:
        return "\n".join(EntropyLaw().fit(*arguments, **options).warnings)

    assert "8 runs are few" in said(R[:8], L[:8], Z[:8])
    assert "the losses of dpo and sft are different quantities" in said(R, L, Z, stage=["sft", "dpo"] * 15)
    assert "different quantities" not in said(R, None, Z, stage=["sft", "dpo"] * 15)
    noise = np.random.default_rng(11).normal(0, 1, 30)
    assert "R does not predict Z here" in said(R, None, noise)
    assert "Z rises with R" in said(R, None, -Z)
    assert "narrow range" in said(3 + R / 100, None, Z)
    assert "R and L move together" in said(R, 5 - R / 2 + noise / 100, Z)
    R, _, Z = runs("hinge", 60, seed=9, noise=0.3)
    assert "the law is flat below R = 3.55" in said(R, None, Z)


def test_a_saved_law_predicts_the_same(tmp_path: Path) -> None:
    R, L, Z = runs("hinge", 20, seed=10)
    law = EntropyLaw(codec="zstd").fit(R, L, Z, backbone=["a", "b"] * 10, stage=["sft"] * 20)
    path = tmp_path / "law.json"
    law.save(path)
    again = EntropyLaw.load(path)
    assert again.measurement == law.measurement == Measurement("zstd").here
    assert again.warnings == law.warnings
    assert again.summary() == law.summary()
    assert again.runs.R.tolist() == law.runs.R.tolist()
    for loss in (None, 1.5):
        first, second = (which.predict(3.3, loss, group="a/sft") for which in (law, again))
        assert (first.mean, first.low, first.high) == (second.mean, second.low, second.high)
    with pytest.raises(EntropyLawError, match="the file exists"):
        law.save(path)


def test_a_law_says_so_under_another_version_of_its_codec(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    R, _, Z = runs("R", 10, seed=10)
    path = tmp_path / "law.json"

    def said(version: str | None, codec: str = "zstd") -> str:
        EntropyLaw(codec=codec).fit(R, None, Z).save(path, force=True)
        saved = json.loads(path.read_text())
        if version is None:
            del saved["measurement"]["version"]
        else:
            saved["measurement"]["version"] = version or saved["measurement"]["version"]
        path.write_text(json.dumps(saved))
        for command in ("predict", "check"):
            assert main(["law", command, "--law", str(path), "--R", str(R[-1])]) == 0
        return capsys.readouterr().err

    here = ".".join(map(str, zstandard.ZSTD_VERSION))
    other = (
        f"entropylaw: {path}: the law was fitted with zstd 1.2.3, this is {here}: sizes, and so R, may differ a little"
    )
    assert said("1.2.3").splitlines() == [other] * 2
    assert said("1.2.3", "zstd:19").splitlines() == [other] * 2
    assert said("") == said(None) == said("", "zlib") == ""
    said("1.2.3")
    assert EntropyLaw.load(path).fit(R, None, Z).measurement.version == here


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda law: "{", "is not an entropy law"),
        (lambda law: "[]", "is not an entropy law"),
        (lambda law: json.dumps(law | {"entropy_law": 9}), "has format 9"),
        (lambda law: json.dumps(law | {"by_R": law["by_R"] | {"form": "cubic"}}), "'cubic' and its numbers differ"),
        (lambda law: json.dumps(law | {"by_R": law["by_R"] | {"coefficients": [1.0]}}), "its numbers differ"),
        (lambda law: json.dumps(law | {"by_R": law["by_R"] | {"sigma": None}}), r"sigma|by_R"),
        (lambda law: json.dumps(law | {"expected_L": None}), "losses are missing"),
        (lambda law: json.dumps(law | {"by_R_and_L": None}), "losses are missing"),
        (lambda law: json.dumps(law | {"entropy_law": True}), "has format True"),
        (lambda law: json.dumps(law | {"extra": 1}), "unknown field `extra`"),
        (lambda law: json.dumps(law | {"by_R": law["by_R"] | {"extra": 1}}), "it has the unknown member 'extra'"),
        (lambda law: json.dumps(law | {"by_R": law["by_R"] | {"loo_rmse": 1e200}}), r"a number beyond 1e\+100"),
        (lambda law: json.dumps(law | {"by_R": law["by_R"] | {"form": "L"}}), "form 'L' and its numbers differ"),
        (lambda law: json.dumps(law | {"by_R": law["by_R"] | {"sigma": -1.0}}), "its numbers differ"),
        (lambda law: json.dumps(law | {"by_R": law["by_R"] | {"df": 0}}), "its numbers differ"),
        (lambda law: json.dumps(law | {"by_R": law["by_R"] | {"loo_predictions": [1.0]}}), "its numbers differ"),
        (lambda law: json.dumps(law | {"form": "cubic"}), "there is no form 'cubic'"),
        (lambda law: json.dumps(law | {"runs": law["runs"][:3]}), "3 observations cannot carry a law"),
        (lambda law: json.dumps(law | {"runs": [run | {"R": 0} for run in law["runs"]]}), "it must be above 0"),
        (
            lambda law: json.dumps(law | {"measurement": law["measurement"] | {"codec": "magic"}}),
            "is a damaged law: there is no codec 'magic'",
        ),
        (lambda law: json.dumps(law).replace("1", "NaN", 1), "it is not JSON"),
    ],
)
def test_damaged_laws(tmp_path: Path, damage: Callable[[dict[str, Any]], str], message: str) -> None:
    path = tmp_path / "law.json"
    EntropyLaw(form="R").fit(**GOOD).save(path)
    path.write_text(damage(json.loads(path.read_text())))
    with pytest.raises(EntropyLawError, match=message):
        EntropyLaw.load(path)


def test_curves_are_predictions_on_a_grid() -> None:
    R, L, Z = runs("R + L", 20, seed=12, noise=0.3)
    law = EntropyLaw().fit(R, L, Z)
    curve = law.curve()
    assert curve.R[[0, -1]].tolist() == [R.min(), R.max()]
    assert curve.mean.shape == curve.low.shape == curve.mean_high.shape == (100,)
    assert not curve.extrapolates.any()
    assert np.all(np.diff(curve.mean) <= 0)
    at = law.curve([2.5, 9.0], L=2.5)
    assert at.mean.tolist() == law.predict([2.5, 9.0], 2.5).mean.tolist()
    assert at.extrapolates.tolist() == [False, True]
    wider = law.predict(3.0, 2.0, L_error=0.5)
    assert wider.high[0] > law.predict(3.0, 2.0).high[0]


RUNS = "name,R,L,Z,notes\n" + "".join(f"v{n},{2 + n / 4},{1.5 - n / 20},{6 - n / 3},x\n" for n in range(8))


def test_runs_are_read_from_csv(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(RUNS)
    found = read_runs(path)
    assert found.names[:2] == ("v0", "v1")
    assert found.L is not None and found.L[2] == 1.4
    path.write_text(RUNS.replace("1.", " ").replace("L", "loss"))
    assert read_runs(path).L is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has no column 'R', found no row of data"),
        ("name,Z\na,1\n", "has no column 'R', found name, Z"),
        (RUNS.replace("v3,2.75", "v3,two"), r"runs.csv:5: R must be a number, found 'two'"),
        (RUNS.replace("1.35", ""), r"runs.csv:5: L must be a number, found nothing"),
        (RUNS + "v9,1\n", r"runs.csv:10: has 2 fields, the header 5"),
        (RUNS.replace("v3", "v2"), "runs.csv: two runs are named 'v2'"),
        (RUNS.replace("notes", "R"), "two columns have the same name"),
        ("\n".join(RUNS.splitlines()[:3]), "2 observations cannot carry a law"),
    ],
)
def test_bad_runs(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(content)
    with pytest.raises(EntropyLawError, match=message):
        read_runs(path)
