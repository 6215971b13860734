"""The rows for people: means over seeds with their spread, as Markdown and as a figure. Needs no PyTorch."""

import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]

_MEASURES = {
    "macro": ("text", "macro"),
    "micro": ("text", "micro"),
    "macro, responses": ("response", "macro"),
    "micro, responses": ("response", "micro"),
}


def measures(row: Row) -> dict[str, float]:
    """What a row says, by the names of the table's columns."""
    scores = row["scores"]
    found = {name: scores[part][mean] for name, (part, mean) in _MEASURES.items()}
    if scores["accuracy"]:
        found["right answers"] = statistics.fmean(scores["accuracy"].values())
    return found


def spread(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and standard deviation; of one value there is none."""
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None


def setting_of(row: Row) -> tuple[str, ...]:
    """What rows must share to be compared: all but pool, subset, seed, epochs and rows a step."""
    settings = {name: value for name, value in row["settings"].items() if name not in ("epochs", "rows")}
    return row["model"], row["exam"], str(settings), str(row["versions"]), row["device"]


def tables(rows: Sequence[Row]) -> Iterator[tuple[str, dict[str, list[Row]]]]:
    """For each pool, budget, unit and number of epochs: a title, and the rows of each method, the base model first."""
    parts: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    bases: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        subset, settings = row["subset"], row["settings"]
        if subset["method"] == "base":
            bases[setting_of(row)].append(row)
        else:
            part = (subset["pool"], subset["budget"], subset["unit"], settings["epochs"], settings["rows"])
            parts[setting_of(row), part].append(row)
    for (setting, part), members in sorted(parts.items()):
        pool, budget, unit, epochs, count = part
        context = members[0]["settings"]["context"]
        title = (
            f"{pool} pool, {'the tokens of ' if unit == 'tokens' else ''}{budget:,} bytes, "
            f"{epochs} epoch{'s' if epochs > 1 else ''}, {count} rows of {context:,} tokens a step; "
            f"{members[0]['model_name']}, {setting[-1]}"
        )
        methods: dict[str, list[Row]] = defaultdict(list)
        for row in [*bases[setting], *members]:
            methods[row["subset"]["method"]].append(row)
        yield title, {name: methods[name] for name in sorted(methods, key=lambda name: (name != "base", name))}
    for setting, members in bases.items():
        if not any(known == setting for known, _ in parts):
            yield f"{members[0]['model_name']}, {setting[-1]}", {"base": members}


def markdown(rows: Sequence[Row]) -> str:
    """All tables: bits a byte, lower is better; ± is the standard deviation over seeds."""
    return "\n\n".join(_table(title, methods) for title, methods in tables(rows)) + "\n"


def _table(title: str, methods: Mapping[str, Sequence[Row]]) -> str:
    names = [*_MEASURES, "right answers"]
    lines = [f"**{title}**", "", "| subset | seeds | samples | bytes | tokens | " + " | ".join(names) + " |"]
    lines.append("|---|" + "---:|" * (4 + len(names)))
    for method, members in methods.items():
        found = [measures(row) for row in members]
        cells = [method, str(len(members))]
        cells += [
            f"{statistics.fmean(row['subset'][name] for row in members):,.0f}"
            for name in ("samples", "bytes", "tokens")
        ]
        for name in names:
            values = [one[name] for one in found if name in one]
            cells.append(_cell(*spread(values)) if values else "")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(mean: float, deviation: float | None) -> str:
    return f"{mean:.3f}" if deviation is None else f"{mean:.3f} ± {deviation:.3f}"


def families(rows: Sequence[Row], part: str = "text") -> str:
    """The same by families: one table for each, a column for each method."""
    found = []
    for title, methods in tables(rows):
        names = sorted(
            {name for members in methods.values() for row in members for name in row["scores"][part]["families"]}
        )
        lines = [f"**{title}**", "", "| family | " + " | ".join(methods) + " |", "|---|" + "---:|" * len(methods)]
        for name in names:
            cells = [
                _cell(*spread([row["scores"][part]["families"][name] for row in members]))
                for members in methods.values()
            ]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
        found.append("\n".join(lines))
    return "\n\n".join(found) + "\n"


def figure(rows: Sequence[Row], path: Path) -> bool:
    """Draws macro and micro of every table, with error bars of a deviation; False where nothing draws."""
    from entropylaw.report.page import Chart, Page
    from entropylaw.report.write import write_plot

    try:
        import vl_convert  # noqa: F401
    except ImportError:
        return False
    charts: list[Any] = [
        Chart(title, "Mean over seeds; bars are a standard deviation to either side.", chart(methods))
        for title, methods in tables(rows)
    ]
    write_plot(Page("Bits a byte of held-out text", "", charts), path, force=True)
    return True


def chart(methods: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
    """A Vega-Lite chart of a table: points with error bars, macro beside micro."""
    values = []
    for method, members in methods.items():
        for name in ("macro", "micro"):
            mean, deviation = spread([measures(row)[name] for row in members])
            low, high = mean - (deviation or 0), mean + (deviation or 0)
            values.append({"name": method, "series": name, "value": mean, "low": low, "high": high})
    y = {"field": "name", "type": "nominal", "title": None, "sort": list(methods)}
    series = {"field": "series", "type": "nominal", "scale": {"domain": ["macro", "micro"]}}
    scale = {"zero": False}
    x = {"field": "value", "type": "quantitative", "title": "bits a byte", "scale": scale}
    return {
        "width": "container",
        "height": max(24 * len(methods), 60),
        "data": {"values": values},
        "encoding": {"y": y, "yOffset": series, "color": series},
        "layer": [
            {"mark": "point", "encoding": {"x": x}},
            {
                "mark": "rule",
                "encoding": {"x": x | {"field": "low"}, "x2": {"field": "high"}, "stroke": series | {"legend": None}},
            },
        ],
    }
