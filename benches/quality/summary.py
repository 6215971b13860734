"""All results in one table, and in one plot: bits as a ratio to the best of the random subsets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from measures import MODELS

Row = dict[str, Any]

_TASKS = ("general", "in pool", "removed")


def ratios(rows: Sequence[Row], model: str) -> dict[tuple[str, str, int], dict[str, float]]:
    """By task, unit and budget: each method's bits to those of the best random subset, as a mean over families."""

    def bits(row: Row) -> dict[str, float]:
        found = row[model]
        return found["families"] if isinstance(found, dict) else {row["family"]: found}

    cells: dict[tuple[str, str, int], dict[str, dict[str, float]]] = {}
    for row in rows:
        cell = cells.setdefault((row["task"], row["unit"], row["budget"]), {})
        cell.setdefault(row["method"], {}).update(bits(row))
    means = {}
    for place, cell in sorted(cells.items(), key=lambda item: (_TASKS.index(item[0][0]), item[0][1], item[0][2])):
        at_random = [found for name, found in cell.items() if name.startswith("random")]
        families = list(next(iter(cell.values())))
        best = {family: min((found[family] for found in at_random), default=float("nan")) for family in families}
        means[place] = {
            name: sum(found[family] / best[family] for family in families) / len(families)
            for name, found in cell.items()
        }
    return means


def table(rows: Sequence[Row]) -> str:
    """A line for each task and budget, and a column for each method."""
    names = list(dict.fromkeys(row["method"] for row in rows))
    lines = [f"{'model':5} {'task':8} {'unit':6} {'budget':>10} " + " ".join(f"{name:>13}" for name in names)]
    for model in MODELS:
        for (task, unit, size), found in ratios(rows, model).items():
            values = " ".join(f"{found[name]:>13.3f}" if name in found else f"{'-':>13}" for name in names)
            lines.append(f"{model:5} {task:8} {unit:6} {size:>10,} {values}")
    return "\n".join(lines)


def ahead(rows: Sequence[Row], ours: str, others: Sequence[str], model: str, unit: str, size: int) -> tuple[int, int]:
    """For how many families, in the pool or removed, ``ours`` needs fewer bits than all ``others``; and of how many."""
    cells: dict[tuple[str, str], dict[str, float]] = {}
    for row in rows:
        if row["task"] != "general" and (row["unit"], row["budget"]) == (unit, size):
            cells.setdefault((row["task"], row["family"]), {})[row["method"]] = row[model]
    cells = {place: found for place, found in cells.items() if ours in found}
    wins = sum(all(found[ours] < found[other] for other in others if other in found) for found in cells.values())
    return wins, len(cells)


def plot(rows: Sequence[Row], path: Path) -> None:
    """Draws every method's ratio by PPMd over budgets, a panel for each task and unit; needs the extra ``report``."""
    import vl_convert

    values = [
        {"panel": f"{task}, equal {unit}", "budget": size, "method": name, "ratio": ratio}
        for (task, unit, size), found in ratios(rows, "ppmd").items()
        for name, ratio in found.items()
    ]
    spec = {
        "data": {"values": values},
        "facet": {"field": "panel", "type": "nominal", "title": None},
        "columns": 2,
        "spec": {
            "width": 320,
            "height": 220,
            "mark": {"type": "line", "point": True},
            "encoding": {
                "x": {
                    "field": "budget",
                    "type": "quantitative",
                    "scale": {"type": "log", "nice": False},
                    "title": "bytes selected",
                },
                "y": {
                    "field": "ratio",
                    "type": "quantitative",
                    "scale": {"zero": False},
                    "title": "bits, to the best random subset's",
                },
                "color": {"field": "method", "type": "nominal", "scale": {"scheme": "tableau20"}},
            },
        },
    }
    path.write_text(vl_convert.vegalite_to_svg(spec))
