"""Presentation: one self-contained HTML report from what a run folder holds. Loads no model and decides nothing."""

from reports.render import render, write_report

__all__ = ["render", "write_report"]
