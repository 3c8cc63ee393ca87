"""Alerts of any sender: read, folded, and grouped into incidents, each with its reason; no clock, no network."""

from rca.alerts.context import alert_context, alert_of
from rca.alerts.fold import Episode, Folded, fold
from rca.alerts.group import Group, Grouping, Member, group_alerts
from rca.alerts.labels import service_of
from rca.alerts.read import first_firing, read_alerts

__all__ = [
    "Episode",
    "Folded",
    "Group",
    "Grouping",
    "Member",
    "alert_context",
    "alert_of",
    "first_firing",
    "fold",
    "group_alerts",
    "read_alerts",
    "service_of",
]
