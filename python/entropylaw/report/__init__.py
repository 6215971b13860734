"""Reports: one HTML file that shows what was selected or measured, and figures for papers.

Needs the extra ``entropylaw[report]``: vl-convert-python brings Vega-Lite, which draws, and turns figures into PNG and
SVG. A report has all of it inside and asks the network for nothing.
"""

from entropylaw.report.page import Page
from entropylaw.report.write import check_report, write_plot, write_report

__all__ = ["Page", "check_report", "write_plot", "write_report"]
