"""What a report consists of, and its HTML.

Everything that comes from a data set is untrusted: it goes through :func:`escape` or into JSON that can't end its
element. A policy in the page lets no script run but the two whose hashes it states, and nothing load from anywhere.
"""

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from entropylaw.report.theme import THEMES

_LONGEST = 600
"""Characters of a sample that are shown."""

Spec = dict[str, Any]
"""A chart, as Vega-Lite describes it."""


@dataclass(frozen=True)
class Tile:
    """A number that matters, and what it is."""

    label: str
    value: str
    definition: str


@dataclass(frozen=True)
class Tiles:
    """Numbers side by side."""

    tiles: Sequence[Tile]


@dataclass(frozen=True)
class Chart:
    """A chart, what it shows, and how to read it."""

    title: str
    caption: str
    spec: Spec


@dataclass(frozen=True)
class Table:
    """Rows under a head; cells of ``text`` columns are shown as text of samples."""

    title: str
    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    text: frozenset[int] = frozenset()
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Notes:
    """Sentences, for example warnings."""

    title: str
    lines: Sequence[str]


@dataclass(frozen=True)
class Definitions:
    """Terms and what they mean."""

    terms: Sequence[tuple[str, str]]


Part = Tiles | Chart | Table | Notes | Definitions


@dataclass(frozen=True)
class Page:
    """A report."""

    title: str
    subtitle: str
    parts: Sequence[Part] = field(default_factory=tuple)

    @property
    def charts(self) -> list[Chart]:
        """Its charts, in order."""
        return [part for part in self.parts if isinstance(part, Chart)]

    def html(self, library: str) -> str:
        """The page, with ``library`` (the JavaScript that draws charts) in it."""
        script = _asset("report.js")
        style = _asset("report.css")
        data = {"charts": [chart.spec for chart in self.charts], "themes": THEMES}
        numbers = iter(range(len(self.charts)))
        body = "\n".join(_part(part, numbers) for part in self.parts)
        policy = "; ".join(
            [
                "default-src 'none'",
                f"script-src {_hash(library)} {_hash(script)} 'unsafe-eval'",
                "style-src 'unsafe-inline'",
                "img-src data: blob:",
                "base-uri 'none'",
                "form-action 'none'",
            ]
        )
        return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(self.title)}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<header><h1>{escape(self.title)}</h1><p>{escape(self.subtitle)}</p></header>
<main>
<noscript><p class="notes">The charts need JavaScript; the numbers and tables do not.</p></noscript>
{body}
</main>
<script type="application/json" id="data">{_json(data)}</script>
<script>{library}</script>
<script>{script}</script>
</body>
</html>
"""


def escape(text: str) -> str:
    """Text for HTML, in an element or in quotes; characters that can't be seen or turn text around are made visible."""
    shown = "".join(
        character if character.isprintable() or character in "\n\t" else f"\\u{ord(character):04x}"
        for character in text
    )
    return html.escape(shown, quote=True)


def excerpt(sample: bytes) -> str:
    """The beginning of a sample, to be shown as text."""
    text = sample[: 4 * _LONGEST].decode(errors="replace")
    if len(text) <= _LONGEST and len(sample) <= 4 * _LONGEST:
        return text
    return f"{text[:_LONGEST].rstrip()} … ({len(sample):,} bytes)"


def label(name: str, most: int = 60) -> str:
    """A group's name, as short as charts and tables need it."""
    shown = "".join(character if character.isprintable() else " " for character in name[: 2 * most]) or "(none)"
    return shown if len(name) <= most else f"{shown[: most - 1]}…"


def embeddable(script: str) -> str:
    """JavaScript that can't end the element that it is in, and keeps its names to itself."""
    safe = script.replace("</script", "<\\/script").replace("<!--", "<\\!--")
    return f"(()=>{{{safe}\n}})();"


def _json(data: object) -> str:
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _asset(name: str) -> str:
    return files("entropylaw.report").joinpath(name).read_text(encoding="utf-8")


def _part(part: Part, numbers: Any) -> str:
    match part:
        case Tiles(tiles):
            shown = "".join(
                f"<div class=tile><dt>{escape(tile.label)}</dt><dd class=value>{escape(tile.value)}</dd>"
                f"<dd class=definition>{escape(tile.definition)}</dd></div>"
                for tile in tiles
            )
            return f"<dl class=tiles>{shown}</dl>"
        case Chart(title, caption, _):
            return (
                f"<section><h2>{escape(title)}</h2><div class=chart id=chart-{next(numbers)} role=img "
                f'aria-label="{escape(title)}"></div><p class=caption>{escape(caption)}</p></section>'
            )
        case Table():
            return _table(part)
        case Notes(title, lines):
            shown = "".join(f"<li>{escape(line)}</li>" for line in lines)
            return f"<section class=notes><h2>{escape(title)}</h2><ul>{shown}</ul></section>"
        case Definitions(terms):
            shown = "".join(f"<dt>{escape(term)}</dt><dd>{escape(meaning)}</dd>" for term, meaning in terms)
            return f"<section><h2>Definitions</h2><dl class=definitions>{shown}</dl></section>"


def _table(table: Table) -> str:
    def cell(column: int, text: str) -> str:
        if column in table.text:
            return f"<td class=sample><div>{escape(text)}</div></td>"
        return f"<td{' class=number' if column in table.numeric else ''}>{escape(text)}</td>"

    head = "".join(
        f"<th{' class=number' if column in table.numeric else ''}>{escape(name)}</th>"
        for column, name in enumerate(table.head)
    )
    rows = "".join(f"<tr>{''.join(cell(*item) for item in enumerate(row))}</tr>" for row in table.rows)
    return (
        f"<section><h2>{escape(table.title)}</h2><p class=caption>{escape(table.caption)}</p><div class=scroll>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></section>"
    )
