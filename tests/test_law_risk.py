"""Risk: verdicts, exit codes and what they rest on."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import entropylaw
from entropylaw import EntropyLaw, EntropyLawError
from entropylaw.cli import main
from entropylaw.law import check, first_epoch, read_log

pytest.importorskip("scipy", reason="the law needs SciPy: pip install 'entropylaw[law]'")


def law_of(n: int = 24, seed: int = 0, form: str = "auto", **options: Any) -> EntropyLaw:
    """Z = 9 - R - L and L = 2.5 - 0.3 R, with noise; the last run is a good one at R = 2.4."""
    rng = np.random.default_rng(seed)
    R = np.append(rng.uniform(2, 4, n - 1), 2.4)
    L = 2.5 - 0.3 * R + rng.normal(0, 0.12, n)
    Z = 9 - R - L + rng.normal(0, 0.05, n)
    return EntropyLaw(form).fit(R, L, Z, names=[f"v{k}" for k in range(1, n + 1)], **options)


def codes(verdict: Any) -> list[str]:
    return [reason.code for reason in verdict.reasons]


def test_a_version_like_the_last_is_no_risk() -> None:
    verdict = check(law_of(), 2.4, 2.5 - 0.3 * 2.4)
    assert not verdict.risk
    assert verdict.reasons == ()
    assert verdict.against == "v24"
    assert verdict.Z_low < 9 - 2.4 - 1.78 < verdict.Z_high
    assert verdict.L is not None and verdict.L_limit is not None and verdict.expected_L is not None
    assert verdict.L_limit > verdict.L
    assert verdict.expected_L == pytest.approx(1.78, abs=0.05)


def test_redundant_data_are_a_risk_before_training() -> None:
    verdict = check(law_of(), 3.6)
    assert codes(verdict) == ["predicted_drop", "R_rose"]
    assert verdict.change == pytest.approx(-0.84, abs=0.2)  # dZ/dR is -1 + 0.3 along the law.
    assert verdict.change < verdict.change_high < 0
    assert "R rose by 50.0%, from 2.4 (v24) to 3.6" in verdict.reasons[1].message


def test_inconsistent_data_are_a_risk_once_they_train() -> None:
    verdict = check(law_of(form="R + L"), 2.4, 2.3)
    assert codes(verdict)[0] == "loss_above_expected"
    assert "predicted_drop" in codes(verdict)
    assert not check(law_of(), 2.4).risk


def test_drops_within_the_tolerance_are_none() -> None:
    law = law_of()
    assert not check(law, 2.45).risk
    assert check(law, 2.6, tolerance=0).risk
    assert not check(law, 3.6, tolerance=2.0).risk


def test_how_often_a_good_loss_is_called_a_risk() -> None:
    """New runs of the law itself: a bound at 95 % alarms in about 5 %."""
    rng = np.random.default_rng(1)
    laws = [law_of(seed=seed) for seed in range(40)]

    def share(extra: float) -> float:
        losses = 1.78 + extra + rng.normal(0, 0.12, (40, 10))
        verdicts = [check(law, 2.4, loss) for law, row in zip(laws, losses.tolist(), strict=True) for loss in row]
        return float(np.mean(["loss_above_expected" in codes(verdict) for verdict in verdicts]))

    assert 0.02 <= share(0) <= 0.09
    assert share(0.6) > 0.98


def test_part_of_an_epoch_widens_the_bounds() -> None:
    law = law_of(form="R + L")
    losses = [2.6 - 0.02 * n for n in range(10)]
    part = first_epoch(range(10), range(1, 11), losses, 40)
    verdict = check(law, 2.4, part)
    assert part.mean == verdict.L
    whole = check(law, 2.4, part.mean)
    assert verdict.L_limit is not None and whole.L_limit is not None
    assert verdict.L_limit > whole.L_limit
    assert verdict.Z_high > whole.Z_high
    assert codes(check(law, 2.4, first_epoch([0], [10], [3.0], 1000))) == ["loss_unknown"]


def test_a_diverged_run_is_a_risk(tmp_path: Path) -> None:
    path = tmp_path / "trainer_state.json"
    path.write_text('{"log_history": [{"loss": NaN, "step": 10, "epoch": 0.1}]}')
    assert codes(check(law_of(), 2.4, read_log(path))) == ["diverged"]


def test_the_law_may_be_flat_and_say_so() -> None:
    rng = np.random.default_rng(5)
    R = rng.uniform(2, 6, 40)
    law = EntropyLaw("hinge").fit(R, None, 9 - np.maximum(0, R - 4) + rng.normal(0, 0.1, 40))
    good = check(law, 2.5, against="run 1")
    assert "flat" in codes(good)
    assert "flat" not in codes(check(law, 5.5))
    # A rise of R below the knot is no risk, however large.
    low = law.runs.names[int(np.argmin(R))]
    assert codes(check(law, 3.5, against=low)) == ["R_rose", "flat"]
    assert "extrapolates" in codes(check(law, 9.0))


def test_a_ratio_must_be_measured_as_the_laws() -> None:
    text = ["to be or not to be, that is the question"] * 3 + ["whether tis nobler in the mind to suffer"]
    both = entropylaw.ratio(text, codecs=["zlib", "xz"])
    law = law_of()
    assert both.by_codec["zlib"].ratio == check(law, both).R
    with pytest.raises(EntropyLawError, match="measured with codec 'xz', the law's runs with 'zlib'"):
        check(law, entropylaw.ratio(text, codecs=["xz"]))
    with pytest.raises(EntropyLawError, match=r"order 'shuffled, seed 1', the law's runs with 'input'; .*shuffle=None"):
        check(law, entropylaw.ratio(text, shuffle=1))
    with pytest.raises(EntropyLawError, match=r"rendering 'json', the law's runs with 'text'; .*render='text'"):
        check(law, entropylaw.ratio([{"text": line} for line in text], render="json"))


def test_groups_and_names() -> None:
    law = law_of(backbone=["a", "b"] * 12, stage=["sft"] * 24)
    with pytest.raises(EntropyLawError, match="name one of"):
        check(law, 2.4)
    assert check(law, 2.4, group="a/sft").against == "v23"
    assert check(law, 2.4, against="v3").against == "v3"
    with pytest.raises(EntropyLawError, match="'v3' is of group 'a/sft', not 'b/sft'"):
        check(law, 2.4, against="v3", group="b/sft")
    with pytest.raises(EntropyLawError, match="no run 'v99'"):
        check(law, 2.4, against="v99")


@pytest.mark.parametrize(
    ("stage", "margins", "refused"),
    [("sft", True, True), ("dpo", False, True), ("sft", False, False), ("dpo", True, False), ("stage 2", True, False)],
)
def test_losses_of_another_kind_are_refused(tmp_path: Path, stage: str, margins: bool, refused: bool) -> None:
    path = tmp_path / "trainer_state.json"
    entries = [
        {"loss": 1.0, "step": n, "epoch": n / 10} | ({"rewards/margins": 0.1} if margins else {}) for n in range(1, 12)
    ]
    path.write_text(json.dumps({"log_history": entries}))
    with pytest.raises(EntropyLawError, match="can't be compared") if refused else contextlib.nullcontext():
        check(law_of(stage=[stage] * 24), 2.4, read_log(path))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"tolerance": -1.0}, "tolerance is -1"), ({"level": 0.5}, "above 0.5"), ({"level": 1.0}, "between 0 and 1")],
)
def test_bad_parameters(options: dict[str, Any], message: str) -> None:
    with pytest.raises(EntropyLawError, match=message):
        check(law_of(), 2.4, **options)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Runs, two data versions and a log of the second."""
    law = law_of()
    assert law.runs.L is not None
    rows = zip(law.runs.names, law.runs.R, law.runs.L, law.runs.Z, strict=True)
    (tmp_path / "runs.csv").write_text("name,R,L,Z\n" + "".join(f"{n},{r},{loss},{z}\n" for n, r, loss, z in rows))
    text = Path(__file__).read_text().split()
    for name, copies in (("good", 1), ("bad", 3)):
        records = [json.dumps({"text": " ".join(text[k : k + 40])}) + "\n" for k in range(0, len(text), 40)]
        (tmp_path / f"{name}.jsonl").write_text("".join(record * copies for record in records))
    entries = [{"loss": 2.6, "step": 10 * n, "epoch": n / 10} for n in range(1, 11)]
    (tmp_path / "trainer_state.json").write_text(json.dumps({"log_history": entries}))
    return tmp_path


def test_commands(files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(files)
    assert main(["law", "fit", "runs.csv", "-o", "law.json"]) == 0
    said = capsys.readouterr().out
    assert "by R and L" in said and "Z ~ R" in said and "skill" in said
    assert main(["law", "fit", "runs.csv", "-o", "law.json"]) == 2
    assert "the file exists" in capsys.readouterr().err
    assert main(["law", "fit", "runs.csv", "-o", "law.json", "--force", "--json"]) == 0
    fitted = json.loads(capsys.readouterr().out)
    assert fitted["by_R_and_L"]["form"] == EntropyLaw.load("law.json").summary()["by_R_and_L"]["form"]
    assert main(["law", "predict", "--law", "law.json", "--R", "3", "--L", "1.6", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["low"] < 9 - 3 - 1.6 < found["high"]
    assert main(["law", "check", "--law", "law.json", "--R", "2.4"]) == 0
    assert capsys.readouterr().out.endswith("ok       no risk found\n")


def test_check_measures_and_exits_with_its_verdict(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(files)
    assert main(["law", "fit", "runs.csv", "-o", "law.json"]) == 0
    capsys.readouterr()
    arguments = ["law", "check", "--law", "law.json", "--json", "-q", "--data"]
    assert main([*arguments, "bad.jsonl"]) == 3
    bad = json.loads(capsys.readouterr().out)
    assert bad["risk"] and bad["reasons"][0]["code"] == "predicted_drop"
    assert main(["ratio", "bad.jsonl", "--json", "-q"]) == 0
    assert json.loads(capsys.readouterr().out)["ratio"] == bad["R"]
    with_log = [*arguments, "good.jsonl", "--log", "trainer_state.json"]
    assert main(with_log) == 3
    assert json.loads(capsys.readouterr().out)["reasons"][0]["code"] == "loss_above_expected"
    # Data are measured as the law's runs were.
    assert main(["law", "fit", "runs.csv", "-o", "xz.json", "--codec", "xz"]) == 0
    capsys.readouterr()
    assert main(["law", "check", "--law", "xz.json", "--json", "-q", "--data", "good.jsonl"]) != 2
    by_xz = entropylaw.ratio("good.jsonl", codecs=["xz"]).ratio
    assert json.loads(capsys.readouterr().out)["R"] == by_xz
    how = ["--codec", "zstd", "--render", "json", "--shuffle", "3"]
    assert main(["law", "fit", "runs.csv", "-o", "json.json", *how]) == 0
    assert "R by zstd, rendering json, order shuffled, seed 3" in capsys.readouterr().out
    by_json = ["law", "check", "--law", "json.json", "--json", "-q", "--data", "good.jsonl"]
    assert main(by_json) != 2
    measured = entropylaw.ratio("good.jsonl", codecs=["zstd"], render="json", shuffle=3)
    assert json.loads(capsys.readouterr().out)["R"] == measured.ratio
    assert measured.ratio == check(EntropyLaw.load("json.json"), measured).R
    assert main([*by_json, "--render", "text"]) == 2
    assert "measured with --render json, not text" in capsys.readouterr().err
    # Wrong names are found before the data are read.
    assert main([*arguments, "no.jsonl", "--against", "v99"]) == 2
    assert "no run 'v99'" in capsys.readouterr().err
    assert main([*arguments, "no.jsonl"]) == 2
    assert "no.jsonl: no such file" in capsys.readouterr().err


def test_check_renders_by_the_law_s_template(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("minijinja", reason="templates need minijinja: pip install 'entropylaw[template]'")
    monkeypatch.chdir(files)
    Path("prompt.jinja").write_text("{{ text }}\n\n{{ text }}")
    assert main(["law", "fit", "runs.csv", "-o", "law.json", "--render", "prompt.jinja"]) == 0
    assert "rendering {{ text }} {{ text }}, order input" in capsys.readouterr().out
    arguments = ["law", "check", "--law", "law.json", "--json", "-q", "--data", "good.jsonl"]
    measured = entropylaw.ratio("good.jsonl", render="{{ text }}\n\n{{ text }}")
    for given in ([], ["--render", "prompt.jinja"]):
        assert main([*arguments, *given]) != 2
        assert json.loads(capsys.readouterr().out)["R"] == measured.ratio
    assert measured.ratio == check(EntropyLaw.load("law.json"), measured).R
    assert main([*arguments, "--render", "{{ text }}"]) == 2
    assert "leave --render out" in capsys.readouterr().err


def test_exit_codes_are_those_of_the_program(files: Path) -> None:
    """What a pipeline sees: 0, 3, and 2 for what has to be mended."""

    def code(*arguments: str) -> int:
        command = [sys.executable, "-m", "entropylaw", "law", *arguments]
        return subprocess.run(command, cwd=files, capture_output=True).returncode

    assert code("fit", "runs.csv", "-o", "law.json") == 0
    assert code("check", "--law", "law.json", "--R", "2.4") == 0
    assert code("check", "--law", "law.json", "--R", "3.6") == 3
    assert code("check", "--law", "law.json", "--R", "2.4", "--log", "trainer_state.json") == 3
    assert code("check", "--law", "law.json", "--R", "2.4", "--log", "runs.csv") == 2


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there is no pseudo-terminal here")
@pytest.mark.parametrize("colours", [True, False])
def test_a_terminal_shows_risks_in_colour(files: Path, colours: bool) -> None:
    pytest.importorskip("rich", reason="colours are rich's")
    EntropyLaw("R").fit_runs(files / "runs.csv").save(files / "law.json")
    ours, theirs = os.openpty()
    # Without rich, the same lines as they are.
    script = "import sys\n" + ("" if colours else "sys.modules['rich'] = sys.modules['rich.console'] = None\n")
    script += "from entropylaw.cli import main\nsys.exit(main())"
    command = [sys.executable, "-c", script, "law", "check", "--law", "law.json", "--R", "3.6"]
    environment = os.environ | {"TERM": "xterm-256color", "NO_COLOR": "" if colours else "1"}
    done = subprocess.run(command, cwd=files, env=environment, stdout=theirs)
    os.close(theirs)
    said = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.returncode == 3
    assert "Z is expected to fall" in said
    assert ("\x1b[1;31mRISK" in said) == colours
