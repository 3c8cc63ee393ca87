"""Secrets and personal data, cut out of what is captured."""

from rca.redact.incident import redact_bundle, redact_line
from rca.redact.redactor import Redactor
from rca.redact.rules import Rule, compile_rules

__all__ = ["Redactor", "Rule", "compile_rules", "redact_bundle", "redact_line"]
