"""The alert in its context: what it goes with, how far down that is, and what it resembles."""

from datetime import datetime, timedelta

from rca.alerts.labels import name_of, service_of
from rca.alerts.words import number_word
from rca.model.incident import Alert, Symptom
from rca.model.report import Evidence, Report, SimilarIncident, Suspect

_WEEK = timedelta(days=7)


def alert_of(symptom: Symptom | None) -> Alert | None:
    """The alert that a recording's symptom came from; None when it came from none."""
    if symptom is None or symptom.metric is None or symptom.fired_at is None:
        return None
    return Alert({"alertname": symptom.metric, "service": symptom.service}, {}, symptom.fired_at)


def alert_context(report: Report, alert: Alert) -> str:
    """What the report found, told from the alert: one or two sentences for whoever got paged.

    Args:
        report: With its evidence, suspects and similar incidents.
        alert: What the investigation started from.
    """
    service = service_of(alert, {suspect.service for suspect in report.suspects})
    said = f"{name_of(alert)} of {service}" if service else name_of(alert)
    return f"{said}: {_finding(report, service)}{_resembles(report)}."


def _finding(report: Report, service: str | None) -> str:
    top = report.suspects[0] if report.suspects else None
    if report.verdict.abstained or top is None or top.score <= 0:
        return "no service stands out as its cause"
    strongest = _strongest(report, top.service)
    shown = f" ({strongest.text})" if strongest else ""
    if top.service == service:
        return f"nothing that {service} depends on explains it better than {service} itself{shown}"
    return f"goes with trouble in {top.service}, {_distance(top, service)}{shown}"


def _distance(top: Suspect, service: str | None) -> str:
    if service in top.path:
        hops = top.path.index(service) - top.path.index(top.service)
        return f"{number_word(hops)} hop{'' if hops == 1 else 's'} down"
    return f"though no known call leads there from {service}" if service else "the likeliest cause"


def _strongest(report: Report, service: str | None) -> Evidence | None:
    own = [evidence for evidence in report.evidence if evidence.service == service]
    return max(own, key=lambda evidence: evidence.strength, default=None)


def _resembles(report: Report) -> str:
    if not report.similar:
        return ""
    past = report.similar[0]
    now = report.onset.at or report.span.start
    fixed = f", fixed by: {past.resolution.rstrip('.')}" if past.resolution else ""
    return f", and resembles {_past(past, now)}{fixed}"


def _past(past: SimilarIncident, now: datetime) -> str:
    if past.at is None:
        return f"the incident {past.incident}"
    if timedelta(0) < now - past.at < _WEEK and now.date() != past.at.date():
        return f"the incident of last {past.at:%A} ({past.incident})"
    return f"the incident of {past.at:%Y-%m-%d} ({past.incident})"
