"""A selection at a glance, for notebooks: a small table, and R as it grew."""

import html

from entropylaw.display import short
from entropylaw.report.growth import growth_of
from entropylaw.results import Selection

_WIDTH, _HEIGHT = 320, 80
_SHOWN_GROUPS = 6


def inline(selection: Selection) -> str:
    """A fragment of HTML that needs nothing else, and is read on light and on dark ground."""
    pool = selection.pool
    rows = [
        ("samples", f"{len(selection):,} of {len(pool):,}"),
        ("bytes", f"{selection.raw_bytes:,} of {len(pool.data):,}"),
        ("R", f"{selection.ratio:.3f}" + (f", pool {known}" if (known := selection.of_pool()) else "")),
        *((fact.name, f"{fact.value} {fact.about}") for fact in selection.facts()),
    ]
    if groups := list(selection.sources.items()):
        named = ", ".join(f"{short(name) or '(none)'} {count:,}" for name, count in groups[:_SHOWN_GROUPS])
        more = len(groups) - _SHOWN_GROUPS
        rows.append(("groups", named + (f", and {more:,} more" if more > 0 else "")))
    cells = "".join(
        f"<tr><th style='text-align:left'>{html.escape(name)}</th><td style='text-align:left'>{html.escape(value)}</td>"
        "</tr>"
        for name, value in rows
    )
    said = f"selected by {html.escape(selection.method)}, entropylaw {html.escape(selection.version)}"
    return f"<div><table><caption>{said}</caption>{cells}</table>{_curve(selection)}</div>"


def _curve(selection: Selection) -> str:
    """R of the selection after each pick."""
    growth = growth_of(selection)
    picks, ratios = growth.picks.astype(float), growth.ratios
    if len(picks) < 2:
        return ""
    low, high = float(ratios.min()), float(ratios.max())
    across = (picks - picks[0]) / max(picks[-1] - picks[0], 1) * _WIDTH
    up = _HEIGHT - (ratios - low) / max(high - low, 1e-9) * _HEIGHT
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across.tolist(), up.tolist(), strict=True))
    label = f"R after each pick: from {ratios[0]:.3f} to {ratios[-1]:.3f}"
    return (
        f"<svg width='{_WIDTH}' height='{_HEIGHT + 20}' role='img' aria-label='{label}'>"
        f"<polyline points='{points}' fill='none' stroke='currentColor' stroke-width='1.5'/>"
        f"<text x='0' y='{_HEIGHT + 15}' font-size='11' fill='currentColor'>{label}</text></svg>"
    )
