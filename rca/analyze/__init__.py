"""From a bundle to a report: pure and deterministic."""

from rca.analyze.assess import AnalysisOptions
from rca.analyze.compose import analyze

__all__ = ["AnalysisOptions", "analyze"]
