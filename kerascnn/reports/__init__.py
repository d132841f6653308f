"""One page on one model, or on two side by side: what they are, and what each visualizer shows."""

from __future__ import annotations

from kerascnn.reports.batch import Answer, Batch, ask_all
from kerascnn.reports.comparison import make_comparison
from kerascnn.reports.report import make_report

__all__ = ["Answer", "Batch", "ask_all", "make_comparison", "make_report"]
