"""Accuracy over labelled bundles. Labels are read only after every ranking has been made."""

from rca.evaluate.labels import Label, read_labels
from rca.evaluate.measure import CaseResult, SetScore, macro, measure
from rca.evaluate.run import Evaluation, Onset, evaluate

__all__ = [
    "CaseResult",
    "Evaluation",
    "Label",
    "Onset",
    "SetScore",
    "evaluate",
    "macro",
    "measure",
    "read_labels",
]
