"""Reports and figures as files."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from entropylaw.errors import EntropyLawError
from entropylaw.output import check_writable, replacing
from entropylaw.report.page import Page, embeddable
from entropylaw.report.theme import THEMES
from entropylaw.storage.options import takes_storage_options
from entropylaw.storage.urls import ending_part, shown
from entropylaw.targets import check_name

_PAGES = (".html", ".htm")
_FIGURES = (".png", ".svg")
_WIDTH = 420
_SCALE = 3


def check_report(
    report: str | os.PathLike[str] | None = None, plot: str | os.PathLike[str] | None = None, force: bool = False
) -> None:
    """Finds out before the work whether its report and its figures can be written.

    Raises
    ------
    EntropyLawError
        If a file exists and ``force`` is not set, can't be written, or is no page or figure by its name; or if the
        extra ``report`` is not installed.
    """
    for path in (report, plot):
        if path is not None:
            _vega()
            check_name(path)
            check_writable(path, force)
    if report is not None and (end := Path(ending_part(report)).suffix) and end.lower() not in _PAGES:
        raise EntropyLawError(f"{shown(report)}: reports are HTML; end the name in .html")
    if plot is not None and Path(ending_part(plot)).suffix.lower() not in _FIGURES:
        raise EntropyLawError(f"{shown(plot)}: figures are PNG or SVG; name one {' or '.join(_FIGURES)}")


@takes_storage_options
def write_report(
    page: Page,
    path: str | os.PathLike[str],
    *,
    force: bool = False,
    storage_options: Mapping[str, Any] | None = None,
) -> None:
    """Writes a page as one HTML file, whole or not at all; ``force``: replace a file that exists.

    ``storage_options``: for a URL, as for ``select``.

    Raises
    ------
    EntropyLawError
        See ``check_report``.
    """
    check_report(report=path, force=force)
    library = embeddable(_vega().javascript_bundle())
    with replacing(path, force, compress=False) as file:
        file.write(page.html(library).encode(errors="replace"))


@takes_storage_options
def write_plot(
    page: Page,
    path: str | os.PathLike[str],
    *,
    force: bool = False,
    storage_options: Mapping[str, Any] | None = None,
) -> None:
    """Writes the charts of a page as one figure on white, PNG or SVG by the file's name, whole or not at all.

    ``force``: replace a file that exists. ``storage_options``: for a URL, as for ``select``.

    Raises
    ------
    EntropyLawError
        See ``check_report``.
    """
    check_report(plot=path, force=force)
    figure = json.dumps(_figure(page))
    try:
        if Path(ending_part(path)).suffix.lower() == ".svg":
            content = _vega().vegalite_to_svg(figure, allowed_base_urls=[]).encode()
        else:
            content = _vega().vegalite_to_png(figure, scale=_SCALE, allowed_base_urls=[])
    except ValueError as error:
        reason = str(error).partition("\n")[0]
        raise EntropyLawError(f"{shown(path)}: the charts can't be drawn: {reason}") from None
    with replacing(path, force, compress=False) as file:
        file.write(content)


def _figure(page: Page) -> dict[str, Any]:
    charts = []
    for chart in page.charts:
        spec = dict(chart.spec)
        if spec.get("width") == "container":
            spec["width"] = _WIDTH
        charts.append(spec | {"title": chart.title})
    return {
        "concat": charts,
        "columns": 2 if len(charts) > 1 else 1,
        "spacing": 40,
        "resolve": {"scale": dict.fromkeys(("color", "shape", "strokeDash"), "independent")},
        "config": THEMES["light"] | {"background": "white", "font": "DejaVu Sans, Arial, Helvetica, sans-serif"},
    }


def _vega() -> ModuleType:
    try:
        import vl_convert
    except ImportError:
        raise EntropyLawError(
            "reports and figures are drawn by vl-convert-python, which is not installed: "
            "pip install 'entropylaw[report]'"
        ) from None
    return vl_convert
