"""The charts of reports, in Vega-Lite. Colours come from the theme; data are small, because they are cut down first."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entropylaw.report.page import Spec, label

_BINS = 48
_HEIGHT = 260
_ROW = 24

Row = dict[str, Any]


def curves(rows: Sequence[Row], x: str, y: str, *, series: Sequence[str], log: bool = False) -> Spec:
    """Lines of ``value`` over ``x``, one for each ``series``; rows have these three keys."""
    encoding: Row = {
        "x": {"field": "x", "type": "quantitative", "title": x, "axis": {"grid": False, "tickCount": 8}},
        "y": {
            "field": "value",
            "type": "quantitative",
            "title": y,
            "scale": {"type": "log"} if log else {"zero": False},
        },
        "tooltip": [
            {"field": "x", "type": "quantitative", "title": x, "format": ","},
            {"field": "value", "type": "quantitative", "title": y, "format": ".4~g"},
        ],
    }
    if len(series) > 1:
        colour = {"field": "series", "type": "nominal", "scale": {"domain": list(series)}}
        encoding |= {"color": colour, "strokeDash": colour}
        encoding["tooltip"].insert(0, {"field": "series", "type": "nominal", "title": "of"})
    return _chart({"mark": {"type": "line", "interpolate": "monotone"}, "encoding": encoding}, rows, _HEIGHT)


def histogram(values: Mapping[str, NDArray[Any]], x: str) -> Spec:
    """How values are distributed: the share of each series' samples in bins that are even on a logarithmic axis."""
    everything = np.concatenate([found[found > 0] for found in values.values()])
    if not len(everything):
        everything = np.ones(1)
    low, high = np.quantile(everything, [0.0005, 0.9995])
    edges = np.geomspace(low, max(high, low * 1.01), _BINS + 1)
    rows: list[Row] = []
    for name, found in values.items():
        # What lies beyond the axis is counted in its first and last bin.
        counts, _ = np.histogram(np.clip(found, edges[0], edges[-1]), edges)
        shares = [count / max(len(found), 1) for count in counts.tolist()]
        # Steps end where the next begins; the last one needs an end of its own.
        ends = [*edges[1:].tolist(), edges[-1].item()]
        for start, end, share in zip(edges.tolist(), ends, [*shares, shares[-1]], strict=True):
            rows.append({"start": start, "end": end, "share": share, "series": name})
    encoding: Row = {
        "x": {
            "field": "start",
            "type": "quantitative",
            "title": x,
            "scale": {"type": "log", "domain": [edges[0].item(), edges[-1].item()], "nice": False},
            "axis": {"grid": False, "tickCount": 6, "format": ",~g"},
        },
        "y": {
            "field": "share",
            "type": "quantitative",
            "title": "share of samples",
            "axis": {"format": "~%"},
            "stack": None,
        },
        "tooltip": [
            {"field": "start", "type": "quantitative", "title": "from", "format": ",.4~g"},
            {"field": "end", "type": "quantitative", "title": "to", "format": ",.4~g"},
            {"field": "share", "type": "quantitative", "title": "share of samples", "format": ".2%"},
        ],
    }
    if len(values) > 1:
        encoding["color"] = {"field": "series", "type": "nominal", "scale": {"domain": list(values)}}
        encoding["tooltip"].insert(0, {"field": "series", "type": "nominal", "title": "of"})
    mark = {"type": "area", "interpolate": "step-after", "line": {"strokeWidth": 2}, "fillOpacity": 0.2}
    return _chart({"mark": mark, "encoding": encoding}, rows, _HEIGHT)


def _chart(spec: Spec, rows: Sequence[Row], height: int) -> Spec:
    return {"width": "container", "height": height, "data": {"values": list(rows)}, **spec}


def bars(rows: Sequence[Row], x: str, *, series: Sequence[str], shown: str = ".3~f") -> Spec:
    """Horizontal bars of ``value`` for each ``name``, side by side for each ``series``; in the order given."""
    names = list(dict.fromkeys(row["name"] for row in rows))
    encoding: Row = {
        "y": {
            "field": "name",
            "type": "nominal",
            "title": None,
            "sort": names,
            "axis": {"ticks": False, "domain": False, "labelPadding": 8},
        },
        "x": {"field": "value", "type": "quantitative", "title": x, "axis": {"tickCount": 6}},
        "tooltip": [
            {"field": "name", "type": "nominal", "title": "of"},
            {"field": "value", "type": "quantitative", "title": x, "format": shown},
        ],
    }
    mark: Row = {"type": "bar", "cornerRadiusEnd": 3}
    if len(series) > 1:
        encoding["yOffset"] = {"field": "series", "type": "nominal", "sort": list(series)}
        encoding["color"] = {"field": "series", "type": "nominal", "scale": {"domain": list(series)}}
        encoding["tooltip"].insert(1, {"field": "series", "type": "nominal", "title": "under"})
    return _chart({"mark": mark, "encoding": encoding}, rows, max(len(names) * (_ROW + 14 * (len(series) - 1)), 60))


def before_after(before: Mapping[str, float], after: Mapping[str, float], x: str) -> Spec:
    """Two points for each key, joined: how its share changed from the pool to the selection."""
    names = "selected", "pool"
    rows: list[Row] = []
    links: list[Row] = []
    keys = list(before)
    shown = unique_labels(keys)
    for key in keys:
        for name, shares in zip(names, (after, before), strict=True):
            rows.append({"name": shown[key], "share": shares.get(key, 0.0), "series": name})
        links.append({"name": shown[key], "from": before[key], "to": after.get(key, 0.0)})
    y = {
        "field": "name",
        "type": "nominal",
        "title": None,
        "sort": [shown[key] for key in keys],
        "axis": {"grid": True, "ticks": False, "domain": False, "labelPadding": 8},
    }
    share = {"type": "quantitative", "title": x, "axis": {"format": "~%", "tickCount": 6}}
    return {
        "width": "container",
        "height": max(len(keys) * _ROW, 60),
        "layer": [
            {
                "data": {"values": links},
                "mark": {"type": "rule", "strokeWidth": 3},
                "encoding": {"y": y, "x": {"field": "from", **share}, "x2": {"field": "to"}},
            },
            {
                "data": {"values": rows},
                "mark": "point",
                "encoding": {
                    "y": y,
                    "x": {"field": "share", **share},
                    "color": {"field": "series", "type": "nominal", "scale": {"domain": list(names)}},
                    "shape": {"field": "series", "type": "nominal", "scale": {"domain": list(names)}},
                    "tooltip": [
                        {"field": "name", "type": "nominal", "title": "group"},
                        {"field": "series", "type": "nominal", "title": "of"},
                        {"field": "share", "type": "quantitative", "title": x, "format": ".2%"},
                    ],
                },
            },
        ],
    }


def unique_labels(names: Sequence[str]) -> dict[str, str]:
    """Names as short as charts need them, and still different."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        shown, number = label(name), 1
        while shown in taken:
            number += 1
            shown = f"{label(name, 54)} ({number})"
        taken.add(shown)
        found[name] = shown
    return found
