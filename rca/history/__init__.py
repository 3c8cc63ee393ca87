"""The memory of past incidents."""

from rca.history.fingerprint import Fingerprint, fingerprint
from rca.history.match import plain_sign
from rca.history.recall import recall
from rca.history.store import IncidentStore, PastIncident

__all__ = ["Fingerprint", "IncidentStore", "PastIncident", "fingerprint", "plain_sign", "recall"]
