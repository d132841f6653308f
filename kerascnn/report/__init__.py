"""One page on one model, or on two side by side: what they are, and what each visualizer shows."""

from __future__ import annotations

from kerascnn.report.answers import Answer, ask_all
from kerascnn.report.comparison import make_comparison
from kerascnn.report.page import make_report

__all__ = ["Answer", "ask_all", "make_comparison", "make_report"]
