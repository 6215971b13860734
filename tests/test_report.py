"""Reports: complete, small, and not to be broken by what they show."""

import json
import shutil
import subprocess
import sys
import zlib
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import entropylaw
from coverage_oracle import Oracle
from entropylaw.cli import main
from entropylaw.pool import load
from entropylaw.report.growth import growth_of, points
from entropylaw.report.measures import ratio_page
from entropylaw.report.page import Page, Tiles
from entropylaw.report.selection import selection_page

pytest.importorskip("vl_convert", reason="reports are drawn by vl-convert-python")

HOSTILE = (
    "</script><script>document.title='owned'; fetch('http://example.com/')</script>"
    "<img src=http://example.com/x onerror=\"document.title='owned'\"><!-- <script>\"'`${1}\u202e\x00\x1b[31m\ud7ff"
)


def records() -> list[dict[str, str]]:
    rows = [{"text": f"plain text number {n} of many, and again {n * n}", "source": f"s{n % 3}"} for n in range(60)]
    rows += [
        {"text": HOSTILE, "source": HOSTILE},
        {"text": HOSTILE * 10_000, "source": HOSTILE * 500},
        {"text": HOSTILE[::-1], "source": "</style>"},
        {"text": "", "source": ""},
    ]
    return rows


class Elements(HTMLParser):
    """Start tags of a page, and what is in its scripts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script":
            self.scripts[-1] += data
        else:
            self.text += data


@pytest.fixture(scope="module", params=["zip", "coverage", "random"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("report")
    pool = directory / "pool.jsonl"
    pool.write_text("".join(json.dumps(record) + "\n" for record in records()))
    made = directory / "report.html"
    arguments = ["select", str(pool), "-o", str(directory / "out.jsonl"), "--budget", "63", "-q"]
    assert main([*arguments, "--method", request.param, "--report", str(made)]) == 0
    return made


def test_a_report_shows_hostile_samples_as_text(report: Path) -> None:
    page = Elements()
    page.feed(report.read_text())
    tags = [tag for tag, _ in page.tags]
    assert tags.count("script") == 3 and "img" not in tags
    assert not [attributes for _, attributes in page.tags if "src" in attributes or "onerror" in attributes]
    assert all(attributes["href"] == "data:," for tag, attributes in page.tags if tag == "link")
    assert "document.title='owned'" in page.text
    assert "\\u202e" in page.text and "\\u0000" in page.text and "\u202e" not in page.text
    charts = json.loads(page.scripts[0])["charts"]
    assert len(charts) >= 5
    assert report.stat().st_size < 2_000_000


@pytest.mark.parametrize("command", ["ratio", "compare"])
def test_measurements_have_reports(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pools = [tmp_path / f"{name}.jsonl" for name in ("old", "new")]
    for pool, rows in zip(pools, (records()[:50], records()), strict=True):
        pool.write_text("".join(json.dumps(record) + "\n" for record in rows))
    made = tmp_path / "report.html"
    paths = [str(pool) for pool in (pools if command == "compare" else pools[1:])]
    assert main([command, *paths, "-q", "--report", str(made), "--plot", str(tmp_path / "figure.svg")]) == 0
    page = Elements()
    page.feed(made.read_text())
    assert [tag for tag, _ in page.tags].count("script") == 3
    assert "R, compression ratio" in page.text
    assert len(json.loads(page.scripts[0])["charts"]) >= 3
    assert (tmp_path / "figure.svg").read_text().startswith("<svg")
    assert main([command, *paths, "-q", "--report", str(made)]) == 2
    assert "the file exists" in capsys.readouterr().err


def test_a_law_and_its_verdict_have_reports(tmp_path: Path) -> None:
    pytest.importorskip("scipy", reason="the law is fitted with scipy")
    runs = tmp_path / "runs.csv"
    name = HOSTILE.replace('"', '""').replace("\x00", "")
    rows = [
        f'"{name}{n}",{2 + n / 5},{1.5 - n / 20},{7 - n / 4 + n % 3 / 30},"{"<b>a" if n % 2 else "b"}"'
        for n in range(16)
    ]
    runs.write_text("\n".join(["name,R,L,Z,backbone", *rows]))
    law, fitted, checked = (str(tmp_path / name) for name in ("law.json", "fit.html", "check.html"))
    assert main(["law", "fit", str(runs), "-o", law, "--report", fitted, "--plot", f"{fitted}.png", "-q"]) == 0
    assert main(["law", "check", "--law", law, "--R", "7", "--L", "3", "--group", "b", "--report", checked]) == 3
    for path, said in ((fitted, "leave-one-out error"), (checked, "What was found")):
        page = Elements()
        page.feed(Path(path).read_text())
        tags = [tag for tag, _ in page.tags]
        assert tags.count("script") == 3 and "img" not in tags and "b" not in tags
        assert said in page.text
        law_chart = json.loads(page.scripts[0])["charts"][0]
        assert len(law_chart["layer"]) == (4 if path == fitted else 7)
    assert Path(f"{fitted}.png").read_bytes().startswith(b"\x89PNG")


def test_controls_are_reported() -> None:
    from entropylaw.report.page import Table
    from entropylaw.report.selection import selection_page

    selection = entropylaw.select(records()[:60], budget=10, length_band="0:43", quota={"s1": "20%"})
    tables = {part.title: part for part in selection_page(selection).parts if isinstance(part, Table)}
    rows = dict(tables["Controls"].rows)
    assert rows["excluded: length band"] == f"{sum(len(r['text']) > 43 for r in records()[:60]):,} samples"
    assert rows["quota: s1"].startswith("2 selected")


def tiles_of(page: Page) -> dict[str, tuple[str, str]]:
    """Value and definition of each tile, by its label."""
    (tiles,) = (part for part in page.parts if isinstance(part, Tiles))
    return {tile.label: (tile.value, tile.definition) for tile in tiles.tiles}


def repeats(texts: Sequence[str]) -> int:
    """How many of them have only case and punctuation of their own."""
    return len(texts) - len({"".join(c for c in text.lower() if c.isalnum() or c == " ") for text in texts})


@pytest.mark.parametrize("method", ["zip", "coverage", "random"])
def test_the_tiles_of_a_selection_are_its_numbers(method: Any) -> None:
    """Each computed anew from the texts alone."""
    plain = [f"sample {n} is the {n}th of {n * n} that say so, and {n % 7} more" for n in range(30)]
    texts = [*plain, *(text.upper().replace(",", ";") for text in plain[:12]), *plain[:3]]
    selection = entropylaw.select(texts, budget=25, method=method, dedupe=False)
    chosen = [texts[index] for index in selection.indices.tolist()]
    size, whole = len("".join(chosen)), len("".join(texts))
    raw = "".join(chosen).encode()
    measured = f"{len(raw) / len(zlib.compress(raw, 9)):.3f}"
    assert repeats(chosen) >= 1
    expected = {
        "samples": ("25", f"{25 / 45:.2%} of the 45 in the pool"),
        "bytes": (f"{size:,}", f"{size / whole:.2%} of the pool's {whole:,}, as they were rendered"),
        "R, selected": (measured, "bytes / compressed bytes of the selection, zlib 1.3 level 9"),
        "repeated, selected": (
            f"{repeats(chosen) / 25:.1%}",
            f"of the selected samples are near-duplicates of another selected one; {15 / 45:.1%} in the pool",
        ),
        "mean length": (f"{size / 25:,.0f} bytes", f"of a selected sample; {whole / 45:,.0f} in the pool"),
    }
    if method == "zip":
        of_pool = f"{whole / len(zlib.compress(''.join(texts).encode(), 9)):.3f}"
        expected["R, selected"] = (measured, f"{expected['R, selected'][1]}; {of_pool} of the pool")
    elif method == "coverage":
        assert isinstance(selection, entropylaw.CoverageSelection)
        oracle = Oracle(
            [text.encode() for text in texts],
            selection.slots,
            **{name: selection.parameters[name] for name in ("unit", "ngram", "gamma", "alpha")},
            **{name: selection.parameters[name] for name in ("min_df", "min_contexts")},
        )
        for text in chosen:
            oracle.know(text.encode())
        said = "of the pool's recurring n-grams, by weight, are in the selection"
        expected["coverage"] = (f"{oracle.coverage():.1%}", said)
    assert tiles_of(selection_page(selection)) == expected


def test_the_tiles_of_a_measurement_are_its_numbers() -> None:
    plain = [f"sample {n} is the {n}th of {n * n} that say so, and {n % 7} more" for n in range(30)]
    near = [text.upper() for text in plain[:12]]
    texts = [*plain, *near, *plain[:3]]
    rows = [{"text": text, "source": "ab"[n % 2]} for n, text in enumerate(texts)]
    raw = "".join(texts).encode()
    size, exact = len(zlib.compress(raw, 9)), len("".join(plain[:3]))
    repeated = exact + len("".join(near))
    pool = load(rows)
    result = entropylaw.ratio(pool, distribution=True, duplicates=True)
    assert tiles_of(ratio_page(result, pool)) == {
        "R zlib": (f"{len(raw) / size:.3f}", f"bytes / {size:,} compressed bytes, zlib 1.3 level 9"),
        "samples": ("45", "in 2 groups"),
        "bytes": (f"{len(raw):,}", "of all samples, as they were rendered"),
        "repeated exactly": (f"{3 / 45:.1%}", f"3 samples, {exact / len(raw):.1%} of the bytes"),
        "repeated nearly": (
            f"{15 / 45:.1%}",
            f"15 samples, {repeated / len(raw):.1%} of the bytes; exact copies included",
        ),
    }


def test_with_an_anchor_growth_is_that_of_the_selection() -> None:
    rows = records()
    selection = entropylaw.select(rows[:60], budget=20, anchor=rows[20:60])
    growth = growth_of(selection)
    raw = b"".join(selection.samples())
    assert growth.ratios[-1] == len(raw) / len(zlib.compress(raw, 9))


def test_every_number_has_a_definition(report: Path) -> None:
    text = report.read_text()
    for term in ("R, compression ratio", "R alone", "R after", "bits a byte", "repeated", "sample"):
        assert f"<dt>{term}</dt>" in text
    assert text.count("class=value") == text.count("class=definition>")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports of measurements and of a law, of what data and names may hold at worst."""
    directory = tmp_path_factory.mktemp("pages")

    def made(*arguments: str | Path) -> int:
        return main([*map(str, arguments), "-q"])

    for name, rows in (("old", records()[:50]), ("new", records())):
        (directory / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in rows))
    old, new = directory / "old.jsonl", directory / "new.jsonl"
    assert made("ratio", new, "--report", directory / "ratio.html") == 0
    assert made("compare", old, new, "--report", directory / "compare.html") == 0
    pytest.importorskip("scipy", reason="the law is fitted with scipy")
    runs, law = directory / "runs.csv", directory / "law.json"
    name = HOSTILE.replace('"', '""').replace("\x00", "")
    rows = [f'"{name}{n}",{2 + n / 5},{1.5 - n / 20},{7 - n / 4 + n % 3 / 30},"{name * (n % 2)}b"' for n in range(16)]
    runs.write_text("\n".join(["name,R,L,Z,backbone", *rows]))
    assert made("law", "fit", runs, "-o", law, "--report", directory / "fit.html") == 0
    new_data = ("--law", law, "--R", "7", "--L", "3", "--group", "b")
    assert made("law", "check", *new_data, "--report", directory / "check.html") == 3
    return directory


def assert_drawn(page: Path, dark: bool, tmp_path: Path, charts: int) -> None:
    """Shows a page in a browser, which may complain of nothing and ask nobody for anything."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("no Chromium is installed")
    log = tmp_path / "net.json"
    command = [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    command += ["--virtual-time-budget=30000", "--enable-logging=stderr", f"--user-data-dir={tmp_path / 'profile'}"]
    command += [f"--log-net-log={log}", f"--blink-settings=preferredColorScheme={0 if dark else 1}"]
    done = subprocess.run([*command, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120)
    assert 'data-drawn="true"' in done.stdout
    assert "owned</title>" not in done.stdout
    drawn = Elements()
    drawn.feed(done.stdout)
    assert [tag for tag, _ in drawn.tags].count("svg") >= charts
    assert ":CONSOLE" not in done.stderr.upper(), done.stderr
    # The browser has traffic of its own. The page may ask for nothing: trying to would be an error on the console.
    assert "example.com" not in log.read_text()
    assert "default-src 'none'" in page.read_text()


@pytest.mark.parametrize("dark", [False, True])
def test_a_browser_draws_selections_without_complaint(report: Path, dark: bool, tmp_path: Path) -> None:
    assert_drawn(report, dark, tmp_path, charts=5)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("name", "charts"), [("ratio", 3), ("compare", 4), ("fit", 2), ("check", 2)])
def test_a_browser_draws_the_others_too(pages: Path, name: str, charts: int, dark: bool, tmp_path: Path) -> None:
    assert_drawn(pages / f"{name}.html", dark, tmp_path, charts)


def test_many_picks_make_a_small_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    words = ["".join(chr(97 + c) for c in rng.integers(0, 26, 6)) for _ in range(3000)]
    texts = [" ".join(words[i] for i in rng.integers(0, 3000, 4)) for _ in range(100_100)]
    selection = entropylaw.select(texts, method="coverage", budget=100_000)
    from entropylaw.report import write_report
    from entropylaw.report.selection import selection_page

    path = tmp_path / "report.html"
    write_report(selection_page(selection), path)
    assert len(selection) == 100_000
    assert path.stat().st_size < 2_000_000, "of the 10 MB that are allowed; 0.9 MB are the library"


def test_equal_selections_have_equal_reports(tmp_path: Path) -> None:
    from entropylaw.report import write_report
    from entropylaw.report.selection import selection_page

    for name in "ab":
        write_report(selection_page(entropylaw.select(records(), budget=9)), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("method", ["zip", "coverage", "random"])
def test_growth_is_that_of_the_compressor(method: str) -> None:
    selection = entropylaw.select(records(), budget=40, method=method)  # type: ignore[call-overload]
    growth = growth_of(selection)
    samples = list(selection.samples())
    for pick, raw, size, ratio in zip(growth.picks, growth.raw, growth.sizes, growth.ratios, strict=True):
        expected = b"".join(samples[:pick])
        assert (raw, size) == (len(expected), len(zlib.compress(expected, 9)))
        assert ratio == raw / size
    assert growth.ratio(40) == selection.ratio
    assert growth.bits().sum() > 0


@pytest.mark.parametrize("count", [1, 2, 25, 10_000, 10_000_000])
def test_points_are_few_and_keep_both_ends(count: int) -> None:
    found = points(count)
    assert found[0] == 1 and found[-1] == count and len(found) <= 430
    assert set(range(1, min(count, 10) + 1)) <= set(found.tolist())
    assert (np.diff(found) > 0).all()


@pytest.mark.parametrize(("name", "magic"), [("figure.png", b"\x89PNG"), ("figure.svg", b"<svg")])
def test_figures(name: str, magic: bytes, tmp_path: Path) -> None:
    (tmp_path / "pool.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records()))
    arguments = ["select", str(tmp_path / "pool.jsonl"), "-o", str(tmp_path / "out"), "--budget", "20", "-q"]
    assert main([*arguments, "--plot", str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_bytes().startswith(magic)


def test_what_can_not_be_written_is_refused_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "there.html").write_text("")
    arguments = ["select", str(tmp_path / "no such pool"), "-o", str(tmp_path / "out"), "--budget", "20"]
    assert main([*arguments, "--report", str(tmp_path / "there.html")]) == 2
    assert "the file exists" in capsys.readouterr().err
    assert main([*arguments, "--plot", str(tmp_path / "figure.pdf")]) == 2
    assert "PNG or SVG" in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    arguments = ["select", "pool", "-o", str(tmp_path / "out"), "--budget", "2", "--report", str(tmp_path / "r.html")]
    assert main(arguments) == 2
    assert "entropylaw[report]" in capsys.readouterr().err
