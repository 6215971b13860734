"""Methods as plug-ins: options are declared once, and a package of one file adds a method."""

import inspect
import json
import subprocess
import sys
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest

import entropylaw
from entropylaw import EntropyLawError, cli
from entropylaw.keywords import SelectKeywords
from entropylaw.methods import (
    KeyedSelection,
    Method,
    OrderedSelection,
    Task,
    coverage,
    density,
    dsir,
    method_with,
    methods,
    option,
    random,
    registry,
    top,
    zipfit,
)
from entropylaw.methods import zip as zip_
from entropylaw.methods.option import options_of

POOL = [{"text": f"the cat sat on mat {n % 5} and {n}" + " and on" * (n % 7), "score": n % 4} for n in range(40)]

TEXTS = [str(record["text"]) for record in POOL]

SHORTEST = '''
"""The shortest samples."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from entropylaw.methods import KeyedSelection, Method, Task, option


@dataclass(frozen=True)
class Shortest(Method):
    """Takes the shortest samples, or the longest."""

    name: ClassVar[str] = "shortest"

    order: Literal["up", "down"] = option("up", "which come first")
    jump: int = option(0, "bytes that make no difference", low=0, high=100)

    def run(self, task: Task) -> KeyedSelection:
        """Selects."""
        sign = -1.0 if self.order == "up" else 1.0
        keys = sign * np.maximum(task.lengths, self.jump).astype(np.float64)
        indices, seconds = task.take(keys)
        return task.selection(KeyedSelection, self, indices, {"pick": seconds}, gains=keys[indices], key="length")
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory with an installed package that offers a method, on Python's path."""
    site = tmp_path / "site"
    metadata = site / "shortest-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "shortest.py").write_text(SHORTEST)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: shortest\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[entropylaw.methods]\nshortest = shortest:Shortest\n")
    monkeypatch.syspath_prepend(str(site))
    forget()
    yield site
    forget()
    sys.modules.pop("shortest", None)


def forget() -> None:
    registry.methods.cache_clear()
    registry._offered.cache_clear()
    registry._loaded.cache_clear()


def shortest(budget: int) -> list[int]:
    return sorted(range(len(POOL)), key=lambda n: len(TEXTS[n]))[:budget]


def test_a_package_of_one_file_adds_a_method(package: Path, tmp_path: Path) -> None:
    """It is selected with, checked, explained, saved, repeated and resumed like ours."""
    selection = entropylaw.select(POOL, budget=9, method="shortest", jump=3)
    assert selection.indices.tolist() == shortest(9)
    assert (selection.parameters["order"], selection.parameters["jump"]) == ("up", 3)
    assert selection.why(0) == f"length {-min(map(len, TEXTS))}"
    with pytest.raises(EntropyLawError, match="jump is 101; it must be a whole number from 0 to 100"):
        entropylaw.select(POOL, budget=9, method="shortest", jump=101)
    with pytest.raises(EntropyLawError, match="k1 is an option of method 'zip'; method 'shortest' takes order, jump"):
        entropylaw.select(POOL, budget=9, method="shortest", k1=3)
    pool = tmp_path / "pool.jsonl"
    pool.write_text("".join(json.dumps(record) + "\n" for record in POOL))
    out = tmp_path / "out.jsonl"
    entropylaw.select(pool, budget=9, method="shortest", order="down").save(out)
    manifest = f"{out}.manifest.json"
    longest = entropylaw.replay(manifest)
    assert isinstance(longest, KeyedSelection)
    assert longest.gains.tolist() == sorted(map(len, TEXTS), reverse=True)[:9]
    assert json.loads(Path(manifest).read_text())["parameters"]["order"] == "down"
    for resume in (False, True):
        resumed = entropylaw.select(
            pool, budget=9, method="shortest", order="down", checkpoint=tmp_path / "work", resume=resume
        )
        assert resumed.indices.tolist() == longest.indices.tolist()


def test_its_options_are_those_of_the_command(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pool, out, config = tmp_path / "pool.jsonl", tmp_path / "out.jsonl", tmp_path / "run.toml"
    pool.write_text("".join(json.dumps(record) + "\n" for record in POOL))
    with pytest.raises(SystemExit):
        cli.main(["select", "--help-all"])
    shown = capsys.readouterr().out
    assert "options of shortest:" in shown and "--jump N" in shown and "{up,down}" in shown
    config.write_text("jump = 4\n")
    how = ["--budget", "9", "--method", "shortest", "--order", "up", "--config", str(config), "--json"]
    assert cli.main(["select", str(pool), "-o", str(out), *how]) == 0
    assert json.loads(capsys.readouterr().out)["parameters"]["jump"] == 4
    lines = pool.read_text().splitlines()
    assert out.read_text().splitlines() == [lines[index] for index in shortest(9)]
    assert cli.main(["replay", f"{out}.manifest.json"]) == 0


def test_controls_hold_for_it(package: Path) -> None:
    """Whatever a method's keys are, what a user excludes and limits is respected."""
    selection = entropylaw.select(POOL, budget="200B", method="shortest", min_score="score>=2", length_band="24:")
    texts = [sample.decode() for sample in selection.samples()]
    assert sum(map(len, texts)) <= 200 and min(map(len, texts)) >= 24
    assert all(POOL[index]["score"] >= 2 for index in selection.indices.tolist())  # type: ignore[operator]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("raise RuntimeError('no\\nway')", "the method 'shortest' of shortest:Shortest cannot be loaded: RuntimeError"),
        ("x = 1", "cannot be loaded: AttributeError"),
        ("Shortest = 3", "the method 'shortest' of shortest:Shortest is no subclass of entropylaw.methods.Method"),
        (SHORTEST.replace('= "shortest"', '= "longest"'), "calls itself 'longest': the names must be the same"),
        (SHORTEST.replace('option(0, "bytes that make no difference", low=0, high=100)', "0"), "jump is no option"),
        (SHORTEST.replace("jump: int", "jump: list[int]"), "jump is of list[int], which no option can be"),
        (SHORTEST.replace("@dataclass(frozen=True)", ""), "the method Shortest is no dataclass"),
    ],
)
def test_a_package_that_is_broken_is_said_to_be(
    package: Path, content: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    (package / "shortest.py").write_text(content)
    with pytest.raises(EntropyLawError) as caught:
        entropylaw.select(POOL, budget=3, method="shortest")
    assert said in str(caught.value) and "\n" not in str(caught.value)
    # All others work.
    assert list(methods()) == list(registry.BUILT_IN)
    assert said in caplog.text


def test_a_package_cannot_take_the_name_of_ours(package: Path) -> None:
    (package / "shortest-1.0.dist-info" / "entry_points.txt").write_text(
        "[entropylaw.methods]\nzip = shortest:Shortest\n"
    )
    forget()
    assert methods()["zip"] is entropylaw.Zip


@dataclass(frozen=True)
class Backwards(Method):
    """Takes the last samples first."""

    name: ClassVar[str] = "backwards"

    skip: int = option(0, "so many of the last", low=0)
    share: float | Literal["all"] = option("all", "of the pool", low=0, high=1)
    loud: bool = option(False, "nothing")
    note: str = option("none", "nothing")

    def run(self, task: Task) -> OrderedSelection:
        """Selects."""
        keys = np.arange(len(task), dtype=np.float64)
        keys[len(task) - self.skip :] = -1
        indices, seconds = task.take(keys)
        return task.selection(OrderedSelection, self, indices, {"pick": seconds})


def test_a_method_needs_no_package() -> None:
    selection = entropylaw.select(POOL, budget=3, method=Backwards(skip=2))
    assert selection.indices.tolist() == [37, 36, 35]
    assert selection.method == "backwards" and len(selection.gains) == 3
    assert "skip : int\n    So many of the last; at least 0; by default 0." in (Backwards.__doc__ or "")
    assert 'share : float or "all"' in (Backwards.__doc__ or "")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"skip": -1}, "skip is -1; it must be a whole number, at least 0"),
        ({"skip": True}, "skip is True; it must be a whole number"),
        ({"share": "none"}, "share is 'none'; it must be a number from 0 to 1"),
        ({"share": 2}, "share is 2; it must be a number from 0 to 1"),
        ({"loud": 1}, "loud is 1; it must be True or False"),
        ({"note": 3}, "note is 3; it must be text"),
    ],
)
def test_options_are_checked_by_what_they_are_declared_to_be(given: dict[str, Any], said: str) -> None:
    with pytest.raises(EntropyLawError) as caught:
        Backwards(**given)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("zip", {"k1": 30, "k2": 9, "k3": 3}),
        ("coverage", {"gamma": 0.7, "unit": "word", "alpha": 1}),
        ("coverage", {"target": [{"text": "the cat sat"}] * 3, "target_weight": 0.5}),
        ("random", {"seed": 5}),
        ("dsir", {"target": [{"text": "the cat sat"}], "ranking": "mean", "seed": 5}),
        ("zipfit", {"target": [{"text": "the cat sat"}]}),
        ("density", {"seed": 5}),
        ("top", {}),
    ],
)
def test_a_method_and_its_name_with_options_are_the_same(name: str, options: dict[str, Any]) -> None:
    made: Any = method_with(name, options)
    controls: dict[str, Any] = {"weight": "score"} if name == "top" else {}
    by_name: Any = entropylaw.select(POOL, budget=9, method=name, **options, **controls)
    by_object = entropylaw.select(POOL, budget=9, method=made, **controls)
    assert by_object.indices.tolist() == by_name.indices.tolist()
    assert type(by_object) is type(by_name)
    parameters = [each.summary()["parameters"] for each in (by_object, by_name)]
    assert parameters[0] == parameters[1]


def test_options_beside_a_made_method_are_refused() -> None:
    with pytest.raises(EntropyLawError) as caught:
        entropylaw.select(POOL, budget=3, method=entropylaw.Zip(), k1=30)  # type: ignore[call-overload]
    assert str(caught.value) == "k1 is an option of a method that is made already: say it there, Zip(k1=...)"


@pytest.mark.parametrize("method", [None, 3, "", "zap", b"zip", entropylaw.Zip])
def test_there_is_no_such_method(method: Any) -> None:
    with pytest.raises(
        EntropyLawError, match=r"there is no method .*; there are 'zip', 'coverage', 'random', 'top', 'dsir', 'zipfit'"
    ):
        entropylaw.select(POOL, budget=3, method=method)


def test_there_is_no_such_option() -> None:
    with pytest.raises(EntropyLawError) as caught:
        entropylaw.select(POOL, budget=3, k4=30)  # type: ignore[call-overload]
    assert str(caught.value).startswith("there is no option 'k4'; method 'zip' takes preset, k1, k2, k3")


@pytest.mark.parametrize(
    ("keywords", "method"),
    [
        (zip_.ZipKeywords, entropylaw.Zip),
        (coverage.CoverageKeywords, entropylaw.Coverage),
        (random.RandomKeywords, entropylaw.Random),
        (top.TopKeywords, entropylaw.Top),
        (dsir.DsirKeywords, entropylaw.Dsir),
        (zipfit.ZipfitKeywords, entropylaw.Zipfit),
        (density.DensityKeywords, entropylaw.Density),
    ],
)
def test_keywords_are_typed_as_options_are_declared(keywords: type, method: type[Method]) -> None:
    """What type checkers know of a method's options is what it declares."""
    known = {option.name: option.type for option in options_of(method)}
    typed = typing.get_type_hints(keywords)
    common = set(typing.get_type_hints(SelectKeywords))
    assert {name: hint for name, hint in typed.items() if name not in common} == known


def test_keywords_for_every_method_are_those_of_select() -> None:
    listed = set(inspect.signature(entropylaw.select).parameters)
    options = {option.name for method in registry.BUILT_IN.values() for option in options_of(method)}
    assert listed - options == {"pool", "budget", "method", *typing.get_type_hints(SelectKeywords)}
    assert options <= listed


def test_importing_methods_looks_for_no_packages() -> None:
    """Looking through all that is installed takes time: only who asks for more than our methods pays for it."""
    script = "import entropylaw, entropylaw.methods.registry as r; entropylaw.select(['a'] * 9, budget=1)\n"
    script += "assert r._offered.cache_info().misses == 0"
    subprocess.run([sys.executable, "-c", script], check=True)


RECORDS = [
    {"text": f"the {('cat', 'dog', 'owl')[n % 3]} sat on mat {n * n % 41}, {n}", "score": n % 7} for n in range(150)
]
"""Each another text."""


@pytest.mark.parametrize("budget", [3, 25])
@pytest.mark.parametrize(
    "options",
    [
        {"method": "zip", "k1": 40, "k2": 20, "k3": 10},
        {"method": "zip", "k1": 40, "k2": 20, "k3": 10, "preset": "reference"},
        {"method": "coverage"},
        {"method": "coverage", "target": RECORDS[:40]},
        {"method": "random"},
        {"method": "top", "weight": "score"},
        {"method": "dsir", "target": RECORDS[:40]},
        {"method": "dsir", "target": RECORDS[:40], "ranking": "mean"},
        {"method": "zipfit", "target": RECORDS[:4]},
        {"method": "density"},
    ],
    ids=lambda options: "-".join(str(value) for value in options.values() if isinstance(value, str)),
)
def test_the_first_half_is_the_selection_of_half_the_budget(options: dict[str, Any], budget: int) -> None:
    half, whole = (entropylaw.select(RECORDS, budget=b, **options).indices.tolist() for b in (budget, 2 * budget))
    assert whole[:budget] == half
