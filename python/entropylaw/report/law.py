"""The report of a law, and of what it says of a new data version."""

from collections.abc import Iterator
from typing import Any

from entropylaw.law import EntropyLaw, Verdict
from entropylaw.report.charts import Row, unique_labels
from entropylaw.report.page import Chart, Definitions, Notes, Page, Part, Spec, Table, Tile, Tiles, label

_HEIGHT = 320
_NEW = "new data"

_TERMS = {
    "R": "Compression ratio of a run's training data: bytes / compressed bytes, measured as is said above.",
    "L": "Mean loss of a run's first epoch, in nats a token.",
    "Z": "Performance of a run, on a scale of yours; higher is better.",
    "group": "Backbone and stage. The law is fitted within groups: they share slopes, each has its own level.",
    "form": "The paper gives no formula. The forms are this program's; the one with the smallest leave-one-out error "
    "is taken, or a simpler one that is hardly worse. max(0, R - k) is flat below its knot k and falls above it.",
    "leave-one-out error": "Root mean squared error of predictions of each run from the others, in units of Z.",
    "skill": "Share of the variance of Z within groups that is predicted leave-one-out. 0 or less: none.",
    "prediction interval": "Where a new run falls, at the level named: by the law's uncertainty and the runs' scatter.",
    "confidence interval": "Where the law itself runs, at the level named.",
    "Pearson, Spearman": "Correlations within groups, with 95 % bootstrap intervals. Of R + L: of Z with its "
    "prediction from the other runs.",
}


def law_page(law: EntropyLaw, verdict: Verdict | None = None, group: str | None = None) -> Page:
    """The report of a law.

    Parameters
    ----------
    law
        A fitted law.
    verdict : Verdict, optional
        What ``check`` said of new data, to be shown first and drawn into the law.
    group : str, optional
        Backbone and stage of the new data; by default those of the run it is compared with.
    """
    runs = law.runs
    if verdict is not None and group is None:
        group = runs.groups[runs.names.index(verdict.against)]
    parts: list[Part] = [Tiles(list(_tiles(law) if verdict is None else _verdict_tiles(law, verdict)))]
    if verdict is not None:
        said = [f"{'Risk' if reason.risk else 'Note'}: {reason.message}" for reason in verdict.reasons]
        parts.append(Notes("What was found", said or ["Nothing speaks against this version."]))
    if law.warnings:
        parts.append(Notes("Before relying on this law", law.warnings))
    level = verdict.level if verdict else 0.95
    parts.append(
        Chart(
            "The law",
            f"Performance by R of the data, one point a run. The line is the law ({law.by_R.form}); the darker band "
            f"its confidence interval, the lighter one where a new run falls, both at {level:.0%}."
            + (" The diamond is what is predicted of the new data, with its interval." if verdict else ""),
            _curves(law, verdict, group, level),
        )
    )
    if runs.L is not None:
        parts.append(
            Chart(
                "Performance and first-epoch loss",
                "One point a run. In the paper's law, at equal R a higher loss means less consistent data.",
                _points(
                    law,
                    runs.L.tolist(),
                    "L, first-epoch loss",
                    verdict.L if verdict else None,
                    verdict,
                    group,
                ),
            )
        )
    parts += [_correlations(law), _forms(law), _runs(law), Definitions(list(_TERMS.items()))]
    title = "The entropy law" if verdict is None else "Risk" if verdict.risk else "No risk found"
    return Page(title, f"fitted to {len(runs)} runs; {law.measurement}", parts)


def _tiles(law: EntropyLaw) -> Iterator[Tile]:
    best = law.by_R_and_L or law.by_R
    yield Tile("runs", f"{len(law.runs):,}", f"in {len(law.by_R.groups)} group{'s' * (len(law.by_R.groups) > 1)}")
    yield Tile("form", best.form, "of the law, chosen by leave-one-out error unless it was named")
    yield Tile("skill", f"{law.skill:.0%}", "of the variance of Z is predicted leave-one-out")
    yield Tile("noise", f"{best.sigma:.3g}", "standard deviation of a run about the law, in units of Z")
    for name, found in [*law.correlations.items()][:2]:
        yield Tile(
            f"Pearson, Z ~ {name}",
            f"{found.pearson:.2f}",
            f"{found.pearson_low:.2f} to {found.pearson_high:.2f} at 95 %; Spearman {found.spearman:.2f}",
        )


def _verdict_tiles(law: EntropyLaw, verdict: Verdict) -> Iterator[Tile]:
    last = law.runs.names.index(verdict.against)
    against = label(verdict.against)
    yield Tile("verdict", "risk" if verdict.risk else "ok", f"against {against}, tolerance {verdict.tolerance:.3g}")
    yield Tile("R", f"{verdict.R:.3f}", f"of the new data; {against} had {law.runs.R[last]:.3f}")
    if verdict.L is not None:
        limit = (
            "" if verdict.L_limit is None else f"; R leads to {verdict.expected_L:.3f}, at most {verdict.L_limit:.3f}"
        )
        seen = "" if verdict.fraction == 1 else f", projected from {verdict.fraction:.0%} of the epoch"
        yield Tile("L", f"{verdict.L:.3f}", f"first-epoch loss{seen}{limit}")
    yield Tile(
        "predicted Z",
        f"{verdict.Z:.4g}",
        f"{verdict.Z_low:.4g} to {verdict.Z_high:.4g} at {verdict.level:.0%}; {against} had {law.runs.Z[last]:.4g}",
    )
    yield Tile(
        "expected change", f"{verdict.change:+.3g}", f"of Z against {against}; at most {verdict.change_high:+.3g}"
    )


def _curves(law: EntropyLaw, verdict: Verdict | None, group: str | None, level: float) -> Spec:
    names = _group_names(law)
    lines: list[Row] = []
    for name in law.by_R.groups:
        curve = law.curve(group=name, level=level)
        columns = (curve.R, curve.mean, curve.low, curve.high, curve.mean_low, curve.mean_high)
        for values in zip(*(column.tolist() for column in columns), strict=True):
            keys = ("x", "mean", "low", "high", "mean_low", "mean_high")
            lines.append({"group": names[name], **dict(zip(keys, values, strict=True))})
    points = _points(law, law.runs.R.tolist(), "R", verdict.R if verdict else None, verdict, group)
    colour = {"field": "group", "type": "nominal", "scale": {"domain": list(names.values())}}
    x = {"field": "x", "type": "quantitative"}

    def band(low: str, high: str, opacity: float) -> Spec:
        return {
            "mark": {"type": "area", "opacity": opacity},
            "encoding": {"x": x, "y": {"field": low, "type": "quantitative"}, "y2": {"field": high}, "color": colour},
        }

    curve_layers = [
        band("low", "high", 0.12),
        band("mean_low", "mean_high", 0.25),
        {"mark": "line", "encoding": {"x": x, "y": {"field": "mean", "type": "quantitative"}, "color": colour}},
    ]
    layers = [{"data": {"values": lines}, **layer} for layer in curve_layers]
    return {**points, "layer": [*layers, *points["layer"]]}


def _points(
    law: EntropyLaw, x: list[float], title: str, new: float | None, verdict: Verdict | None, group: str | None
) -> Spec:
    """Z of the runs over ``x``, and the new data's prediction with its interval, at ``new``."""
    names = _group_names(law)
    runs = law.runs
    rows = [
        {"x": value, "Z": z, "run": label(name), "group": names[group]}
        for value, z, name, group in zip(x, runs.Z.tolist(), runs.names, runs.groups, strict=True)
    ]
    legend: Row = {} if len(names) > 1 else {"legend": None}
    encoding: dict[str, Any] = {
        "x": {
            "field": "x",
            "type": "quantitative",
            "title": title,
            "scale": {"zero": False},
            "axis": {"grid": False, "tickCount": 8},
        },
        "y": {"field": "Z", "type": "quantitative", "title": "Z, performance", "scale": {"zero": False}},
        "color": {"field": "group", "type": "nominal", "scale": {"domain": list(names.values())}, **legend},
        "tooltip": [
            {"field": "run", "type": "nominal"},
            {"field": "group", "type": "nominal"},
            {"field": "x", "type": "quantitative", "title": title, "format": ".4~g"},
            {"field": "Z", "type": "quantitative", "format": ".4~g"},
        ],
    }
    layers: list[Spec] = [{"data": {"values": rows}, "mark": "point", "encoding": encoding}]
    if verdict is not None and new is not None:
        shown = [
            {
                "x": new,
                "Z": verdict.Z,
                "low": verdict.Z_low,
                "high": verdict.Z_high,
                "run": _NEW,
                "group": names[group or law.by_R.groups[0]],
            }
        ]
        span = {key: encoding[key] for key in ("x", "color")} | {
            "y": encoding["y"] | {"field": "low"},
            "y2": {"field": "high"},
        }
        layers.append({"data": {"values": shown}, "mark": {"type": "rule", "strokeWidth": 2}, "encoding": span})
        layers.append(
            {
                "data": {"values": shown},
                "mark": {"type": "point", "shape": "diamond", "size": 320},
                "encoding": encoding,
            }
        )
        text = {key: encoding[key] for key in ("x", "y")} | {"text": {"field": "run"}}
        mark = {"type": "text", "align": "left", "dx": 14, "fontWeight": 600, "fontSize": 13}
        layers.append({"data": {"values": shown}, "mark": mark, "encoding": text})
    return {"width": "container", "height": _HEIGHT, "layer": layers}


def _group_names(law: EntropyLaw) -> dict[str, str]:
    if law.by_R.groups == ("",):
        return {"": "all runs"}
    return unique_labels(law.by_R.groups)


def _correlations(law: EntropyLaw) -> Table:
    return Table(
        "Correlations of Z",
        "Within groups, with 95 % bootstrap intervals.",
        ("with", "Pearson", "from", "to", "Spearman", "from", "to"),
        [
            (
                name,
                *(
                    f"{value:.3f}"
                    for value in (
                        found.pearson,
                        found.pearson_low,
                        found.pearson_high,
                        found.spearman,
                        found.spearman_low,
                        found.spearman_high,
                    )
                ),
            )
            for name, found in law.correlations.items()
        ],
        numeric=frozenset(range(1, 7)),
    )


def _forms(law: EntropyLaw) -> Table:
    chosen = {law.by_R.form: "by R", **({law.by_R_and_L.form: "by R and L"} if law.by_R_and_L else {})}
    return Table(
        "Forms that were tried",
        "Root mean squared leave-one-out error in units of Z, smallest first, and which were taken.",
        ("form", "error", "taken"),
        [
            (name, f"{error:.4g}", chosen.get(name, ""))
            for name, error in sorted(law.errors.items(), key=lambda item: item[1])
        ],
        numeric=frozenset({1}),
    )


def _runs(law: EntropyLaw) -> Table:
    runs = law.runs
    losses = [""] * len(runs) if runs.L is None else [f"{value:.4f}" for value in runs.L]
    best = law.by_R_and_L or law.by_R
    # A column of nothing says nothing.
    shown = [at for at, there in enumerate((True, any(runs.groups), True, runs.L is not None, True, True)) if there]
    rows = [
        (label(name), label(group) if group else "", f"{R:.3f}", L, f"{Z:#.4g}", f"{predicted:#.4g}")
        for name, group, R, L, Z, predicted in zip(
            runs.names, runs.groups, runs.R, losses, runs.Z, best.loo_predictions, strict=True
        )
    ]
    return Table(
        "Runs",
        "Predicted: from all other runs.",
        [("run", "group", "R", "L", "Z", "predicted")[at] for at in shown],
        [[row[at] for at in shown] for row in rows],
        numeric=frozenset(number for number, at in enumerate(shown) if at > 1),
    )
