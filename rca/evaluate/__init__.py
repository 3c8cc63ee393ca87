"""Accuracy over labelled bundles. Labels are read only after every ranking has been made."""

from rca.evaluate.labels import Label, read_labels
from rca.evaluate.measure import Accuracy, CaseResult, SetScore, macro, measure
from rca.evaluate.onset import Onset
from rca.evaluate.run import Evaluation, evaluate

__all__ = [
    "Accuracy",
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
