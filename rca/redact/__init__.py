"""Secrets and personal data, cut out of what is captured."""

from rca.redact.incident import redact_bundle, redact_line
from rca.redact.redactor import Redactor

__all__ = ["Redactor", "redact_bundle", "redact_line"]
