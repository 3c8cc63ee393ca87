"""From a bundle to a report: pure and deterministic."""

from rca.analyze.core import AnalysisOptions, analyze

__all__ = ["AnalysisOptions", "analyze"]
