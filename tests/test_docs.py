"""The documentation does what it says: its examples run, its links lead somewhere, its pages are found."""

import argparse
import ast
import contextlib
import dataclasses
import doctest
import importlib
import importlib.util
import inspect
import io
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import entropylaw
from conftest import ROOT
from entropylaw import _core, cli
from entropylaw.cli.config import leaves
from entropylaw.cli.parser import Parser
from entropylaw.methods import registry
from entropylaw.runs.layout import Content
from entropylaw.runs.values import Array, Data, File, Object
from pages import DOCS, PACKAGE, blocks, run_page, write_inputs

GENERATED = {"changelog.md", "reference/api.md", "reference/cli.md", "reference/config.md"}
"""Pages that `.ci/site` makes; notebooks become pages too."""
PAGES = sorted(str(path.relative_to(ROOT)) for path in DOCS.rglob("*.md"))
NOTEBOOKS = sorted(DOCS.rglob("*.ipynb"))
ELSEWHERE = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "examples/README.md",
    "benches/judge/README.md",
]
NEEDS = {
    "docs/entropy-law.md": ["scipy", "vl_convert"],
    "docs/ci-gate.md": ["scipy"],
    "docs/integrations/datasets.md": ["datasets"],
    "docs/integrations/datatrove.md": ["datatrove"],
    "docs/integrations/frames.md": ["pandas", "polars", "pyarrow"],
    "docs/integrations/ray.md": ["ray"],
    "docs/integrations/trainers.md": ["datasets"],
    "docs/large-pools.md": ["minijinja"],
    "docs/outputs.md": ["pyarrow"],
    "docs/quick-start.md": ["pyarrow"],
    "docs/report.md": ["vl_convert"],
}
"""Packages that a page's examples need."""


@pytest.mark.parametrize(
    "name",
    [
        "scoring.py",
        "selecting.py",
        "results.py",
        "selector.py",
        "measuring.py",
        "comparing.py",
        "law/law.py",
        "_core.pyi",
    ],
)
def test_docstrings(name: str) -> None:
    if name.startswith("law/"):
        pytest.importorskip("scipy")
    tree = ast.parse((PACKAGE / name).read_text())
    documented = (
        ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.FunctionDef)
    )
    examples = [doctest.DocTestParser().get_doctest(text or "", {}, name, name, 0) for text in documented]
    results = [doctest.DocTestRunner().run(example) for example in examples]
    assert sum(result.attempted for result in results) > 0
    assert sum(result.failed for result in results) == 0


COMPILED = {
    node.name: node
    for node in ast.parse((PACKAGE / "_core.pyi").read_text()).body
    if isinstance(node, ast.ClassDef) and getattr(entropylaw, node.name, None) is getattr(_core, node.name)
}
"""What is compiled and public, as the stub has it."""


@pytest.mark.parametrize("name", COMPILED)
def test_help_on_what_is_compiled_says_what_its_stub_says(name: str) -> None:
    found, stub = getattr(entropylaw, name), COMPILED[name]
    assert inspect.getdoc(found) == ast.get_docstring(stub)
    members = [node for node in stub.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("__")]
    assert members
    for node in members:
        documented = ast.get_docstring(node)
        assert documented, node.name
        assert inspect.getdoc(getattr(found, node.name)) == documented


def test_help_on_the_sizer_runs() -> None:
    texts = {"Sizer": entropylaw.Sizer.__doc__} | {
        name: inspect.getdoc(getattr(entropylaw.Sizer, name)) for name in ("append", "probe", "size")
    }
    for name, text in texts.items():
        example = doctest.DocTestParser().get_doctest(text or "", {}, name, name, 0)
        result = doctest.DocTestRunner().run(example)
        assert result.attempted > 0, name
        assert result.failed == 0, name


def results_of(package: Any) -> list[type]:
    """The public classes that hold what calls return."""
    found = [getattr(package, name) for name in package.__all__]
    return [
        kind
        for kind in found
        if isinstance(kind, type)
        and not issubclass(kind, entropylaw.Method)
        and (dataclasses.is_dataclass(kind) or hasattr(kind, "_fields"))
    ]


def attributes(kind: type) -> dict[str, str]:
    """What the docstring of a class says of its attributes, by name."""
    section = (inspect.getdoc(kind) or "").partition("\nAttributes\n----------\n")[2].partition("\n\n")[0]
    entries = re.findall(r"^(\w+) : (.+\n(?:    .*\n?)+)", section, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}


@pytest.mark.parametrize("module", ["entropylaw", "entropylaw.law"])
def test_help_on_results_tells_of_every_attribute(module: str) -> None:
    """``help`` shows the docstring of a class alone: not what stands below a field in the source."""
    if module == "entropylaw.law":
        pytest.importorskip("scipy")
    kinds = results_of(importlib.import_module(module))
    assert len(kinds) > 5
    for kind in kinds:
        fields = {name: hint for name, hint in inspect.get_annotations(kind).items() if not name.startswith("_")}
        told = attributes(kind)
        # Every selection has these two; what they are differs.
        assert set(told) == set(fields) | ({"gains", "codec"} if kind is entropylaw.Selection else set()), kind
        for name, text in told.items():
            if "NDArray" in str(fields.get(name)):
                kinds_of_numbers = re.findall(r"numpy\.(\w+\d+|bool)\b", str(fields[name]))
                assert f"np.{kinds_of_numbers[-1]}" in text, (kind, name, "dtype")
                assert "shape" in text or "rrays" in (kind.__doc__ or "").partition("Attributes")[0], (kind, name)


def made() -> list[Any]:
    """A result of each kind that holds arrays."""
    pool = [{"text": f"the {('cat', 'dog', 'owl')[n % 3]} sat on mat {n * n % 41}", "n": n % 7} for n in range(60)]
    needed: dict[str, dict[str, Any]] = {
        "top": {"weight": "n"},
        "dsir": {"target": pool[:40]},
        "zipfit": {"target": pool[:4]},
    }
    selections = [entropylaw.select(pool, budget=9, method=name, **needed.get(name, {})) for name in registry.BUILT_IN]
    selections += [entropylaw.select(pool, budget=9, method="coverage", target=pool[:40])]
    ratio = entropylaw.ratio(pool, distribution=True, duplicates=True)
    targets = [selection.target for selection in selections if isinstance(selection, entropylaw.CoverageSelection)]
    return [*selections, *targets, ratio.distribution, ratio.duplicates, entropylaw.score(pool), selections[0].pool]


def test_arrays_are_what_help_says_they_are() -> None:
    """Of the type of number and of the shape."""
    seen = set()
    for result in filter(None, made()):
        names = {"selection": range(9), "scores": range(60), "samples": 60, "pool": getattr(result, "pool", result)}
        names["skipped"] = ()
        told = {name: text for kind in reversed(type(result).__mro__) for name, text in attributes(kind).items()}
        for name, text in told.items():
            array = getattr(result, name)
            if not isinstance(array, np.ndarray):
                continue
            kind = re.search(r"NDArray\[np\.(\w+)\]", text)
            shape = re.search(r"shape ``(\([^`]*\))``", text)
            assert kind and array.dtype == kind[1], (type(result), name, array.dtype)
            assert shape and eval(shape[1], names) == array.shape, (type(result), name, array.shape)
            seen.add((type(result).__name__, name))
    assert len(seen) > 25


@pytest.mark.parametrize("page", [*PAGES, "README.md", "CONTRIBUTING.md"])
def test_examples(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command, and the Python that needs no trainer, as pasted."""
    for package in NEEDS.get(page, ()):
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path)
    assert run_page(page) or not any(block.kind == "python" for block in blocks((ROOT / page).read_text()))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All cells, one after the other; `make site` runs them in Jupyter and shows what they print."""
    pytest.importorskip("scipy")
    pytest.importorskip("vl_convert")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for cell in json.loads(notebook.read_text())["cells"]:
        assert not cell.get("outputs"), "outputs are made when the site is built"
        if cell["cell_type"] == "code":
            source = "".join(cell["source"])
            # Jupyter's own package shows the picture.
            source = re.sub(r"^(from IPython.*|SVG\(.*\))$", "", source, flags=re.MULTILINE)
            with contextlib.redirect_stdout(io.StringIO()):
                exec(source, names)


def slug(title: str) -> str:
    """A heading's anchor, as the site and code hosts make it."""
    title = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title).replace("`", "").lower()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", title).strip())


def text_of(path: Path) -> str:
    """The prose of a page: without its blocks, which may hold what looks like a link."""
    if path.suffix == ".ipynb":
        cells = json.loads(path.read_text())["cells"]
        return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [*PAGES, *ELSEWHERE, *(str(path.relative_to(ROOT)) for path in NOTEBOOKS)])
def test_links(page: str) -> None:
    """Each leads to a file of the project, and to a heading in it; or to a page that is made of the code."""
    made = GENERATED | {str(path.relative_to(DOCS).with_suffix(".md")) for path in NOTEBOOKS}
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(ROOT / page)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = ((ROOT / page).parent / name).resolve() if name else ROOT / page
        if path.is_relative_to(DOCS) and str(path.relative_to(DOCS)) in made:
            continue
        assert path.exists(), f"{page}: {target} is not there"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", text_of(path), re.MULTILINE)
            assert anchor in map(slug, headings), f"{page}: {target}: there is no such heading"


OTHERS_OPTIONS = {
    "docs/compressors.md": {"benches/quality"},
    "docs/entropy-law.md": {"benches/judge"},
    "docs/integrations/authors-script.md": {"python/entropylaw/zip_py.py"},
    "docs/judge.md": {"benches/judge", "benches/quality"},
    "docs/large-pools.md": {"benches/pool_of_millions.py"},
    "docs/targets.md": {"benches/quality"},
}
"""Programs of this project, besides the command, of whose options a page speaks; by where they are."""
FOREIGN_OPTIONS = {
    "CONTRIBUTING.md": {"--hypothesis-profile"},
    "docs/config-file.md": {"--no-"},
    "docs/integrations/ray.md": {"--address", "--generate", "--head", "--port"},
    "docs/measuring.md": {"--long", "--no-check"},
    "docs/own-methods.md": {"--most"},
}
"""Options that are other programs', or that a page makes up."""
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")


def options_of(place: Path) -> set[str]:
    """The options that the sources of a program name."""
    files = place.rglob("*.py") if place.is_dir() else [place]
    return set(re.findall(r'"(--[a-z][\w-]*)"', "".join(file.read_text() for file in files)))


@pytest.mark.parametrize("page", [*PAGES, "README.md", "CONTRIBUTING.md"])
def test_every_option_that_a_page_names_is_there(page: str) -> None:
    known = {option for parser in leaves(cli._parser()[1]) for option in all_options(parser)}
    known |= {"--version", *FOREIGN_OPTIONS.get(page, ())}
    known = known.union(*(options_of(ROOT / place) for place in OTHERS_OPTIONS.get(page, ())))
    assert set(OPTION.findall((ROOT / page).read_text())) <= known


def all_options(parser: argparse.ArgumentParser) -> list[str]:
    if isinstance(parser, Parser):
        parser.complete()
    return [option for action in parser._actions for option in action.option_strings]


@pytest.mark.parametrize("page", [*PAGES, "README.md"])
def test_every_name_of_the_package_that_a_page_gives_is_there(page: str) -> None:
    """Also where no block has it: in sentences and tables."""
    for name in re.findall(r"\bentropylaw((?:\.[A-Za-z_]\w*)+)", text_of(ROOT / page)):
        if name in (".lock", ".methods"):
            continue  # A file, and a group of entry points.
        found: Any = entropylaw
        for part in name.removeprefix(".").split("."):
            if not hasattr(found, part):
                assert importlib.util.find_spec(f"{found.__name__}.{part}"), f"{page}: entropylaw{name}"
                found = importlib.import_module(f"{found.__name__}.{part}")
                continue
            found = getattr(found, part)


@pytest.mark.parametrize("page", [*PAGES, *ELSEWHERE])
def test_every_source_file_that_a_page_names_is_there(page: str) -> None:
    for name in re.findall(r"`([\w./-]+\.(?:py|rs|sh))`", text_of(ROOT / page)):
        folders = ("python", "rust", "tests", "benches", "examples")
        assert (ROOT / name).exists() or any(list((ROOT / folder).rglob(name)) for folder in folders), f"{page}: {name}"


def test_every_member_of_the_manifest_is_described() -> None:
    text = (DOCS / "outputs.md").read_text()
    section = text[text.index("## The manifest") : text.index("## Repeating a run")]
    described = set(re.findall(r"`([\w-]+)`", section))
    assert {field.name for field in msgspec.structs.fields(Content)} <= described
    objects = {kind.__struct_config__.tag: kind for kind in (Array, Data, File, Object)}
    for tag, kind in objects.items():
        row = next(line for line in section.splitlines() if line.startswith(f"| `{tag}` |"))
        assert set(re.findall(r"`(\w+)`", row)) == {str(tag), *(field.name for field in msgspec.structs.fields(kind))}


def test_the_readme_names_every_extra() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    section = (ROOT / "README.md").read_text().split("## Install")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == sorted(set(extras) - {"dev", "bench"})


def test_every_page_is_in_the_navigation() -> None:
    yaml = pytest.importorskip("yaml")

    def pages(entry: Any) -> set[str]:
        if isinstance(entry, str):
            return {entry}
        return set().union(*map(pages, entry.values() if isinstance(entry, dict) else entry))

    ours = {str(path.relative_to(DOCS).with_suffix(".md")) for path in [*DOCS.rglob("*.md"), *NOTEBOOKS]}
    assert pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]) == ours | GENERATED


def test_contributors_are_told_of_every_target() -> None:
    targets = re.findall(r"^## ([\w-]+): ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert len(targets) > 10
    told = re.findall(r"\bmake ([\w-]+)", (ROOT / "CONTRIBUTING.md").read_text())
    assert set(targets) <= set(told)


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_every_place_names_the_same_version() -> None:
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["version"]
    locked = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    assert [package["version"] for package in locked if package["name"] == "entropylaw"] == [version]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    first = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert first and first[1] == version
