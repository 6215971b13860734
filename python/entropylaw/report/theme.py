"""Colours and type of the charts, in light and in dark.

The colours are those of Okabe and Ito (2008), told apart with any common colour blindness; lightened on dark ground.
"""

from typing import Any

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def _theme(text: str, faint: str, grid: str, neutral: str, colours: list[str]) -> dict[str, Any]:
    return {
        "background": "transparent",
        "font": _FONT,
        "view": {"stroke": None},
        "axis": {
            "labelColor": faint,
            "titleColor": text,
            "titleFontWeight": 500,
            "titlePadding": 8,
            "gridColor": grid,
            "domainColor": grid,
            "tickColor": grid,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "labelLimit": 320,
        },
        "legend": {
            "labelColor": text,
            "titleColor": text,
            "labelFontSize": 12,
            "orient": "top",
            "title": None,
            "symbolStrokeWidth": 3,
            "symbolOpacity": 1,
        },
        "title": {"color": text, "anchor": "start", "fontSize": 14, "fontWeight": 600},
        "header": {"labelColor": text, "titleColor": text},
        "mark": {"color": colours[0]},
        "line": {"strokeWidth": 2.5, "strokeCap": "round"},
        "rule": {"color": neutral},
        "text": {"color": text},
        "point": {"filled": True, "size": 80, "opacity": 1},
        "range": {"category": colours},
    }


THEMES = {
    "light": _theme(
        "#1d2430", "#525c6b", "#e3e7ed", "#aab3bf", ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]
    ),
    "dark": _theme(
        "#e8ecf2", "#a4afbe", "#333c4a", "#5f6b7c", ["#56b4e9", "#f0904e", "#2fc59a", "#e3a1c4", "#f0c14b", "#9ad4f5"]
    ),
}
