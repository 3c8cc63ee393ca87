"""What an alert's labels say: whose it is, where it runs, how bad it is."""

import re
from collections.abc import Collection, Iterator, Mapping

from rca.model.incident import Alert

# the labels by which alerting rules name the service, the usual ones first
SERVICE_LABELS = (
    "service",
    "service_name",
    "app_kubernetes_io_name",
    "app",
    "deployment",
    "statefulset",
    "daemonset",
    "workload",
    "destination_workload",
    "container",
    "job",
)
_EXPORTERS_OWN = frozenset({"service", "service_name", "container", "job", "app", "instance"})
_PLACE_LABELS = ("node", "nodename", "kubernetes_node", "host", "hostname", "instance")
_SCOPE_LABELS = ("cluster", "namespace", "environment", "env")
_EXPORTER = re.compile(r"exporter|kube-state-metrics|cadvisor|kubelet|blackbox|pushgateway")
_SEES_OTHERS = re.compile(r"kube-state-metrics|blackbox|pushgateway")  # their instance is not what is seen
_REPLICA = re.compile(r"(?:^|_)replica_*$")
_POD = re.compile(r"(?P<workload>.+?)(?:-[a-f0-9]{6,10}-[a-z0-9]{5}|-\d+)$")
_PORT = re.compile(r"^(?:https?://)?(\[[^\]]+\]|[^:/]+)(?::\d+)?(?:/.*)?$")
_HERE = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104  # compared with, not bound to
_SEVERITIES = ("critical", "page", "p1", "high", "error", "p2", "major", "warning", "p3", "minor", "low", "info")


def name_of(alert: Alert) -> str:
    """What the alert is called."""
    return alert.labels.get("alertname") or alert.annotations.get("summary") or "unnamed alert"


def service_of(alert: Alert, known: Collection[str] = ()) -> str | None:
    """The service that the alert speaks of, by its labels; None when they name none.

    A label whose value is a service that is known wins over one that comes earlier in the usual order. What an
    exporter says of itself (`job="node-exporter"`) names no service.
    """
    found = list(_candidates(alert.labels))
    plain = {_plain(name): name for name in sorted(known, reverse=True)}
    for value in found:
        if value in known:
            return value
        if _plain(value) in plain:
            return plain[_plain(value)]
    return found[0] if found else None


def places(alert: Alert) -> frozenset[str]:
    """The machines that the alert names: node, host, an instance's host."""
    skip_instance = bool(_SEES_OTHERS.search(alert.labels.get("job", "")))
    found = set()
    for label in _PLACE_LABELS:
        match = _PORT.match(alert.labels.get(label, ""))
        if match and not (label == "instance" and skip_instance):
            found.add(match[1].strip("[]"))
    return frozenset(found - _HERE)


def zone(alert: Alert) -> str:
    """The availability zone it names, or empty."""
    return next((value for name, value in sorted(alert.labels.items()) if name.endswith("zone") and value), "")


def scope(alert: Alert) -> tuple[str, ...]:
    """Cluster, namespace, environment: what is in another has most likely nothing to do with it."""
    return tuple(alert.labels.get(label, "") for label in _SCOPE_LABELS)


def severity(alert: Alert) -> int:
    """Its place in the order of severities, 0 the worst; one that isn't known comes after `warning`."""
    word = (alert.labels.get("severity") or alert.labels.get("priority") or "").lower()
    return _SEVERITIES.index(word) if word in _SEVERITIES else _SEVERITIES.index("p3")


def identity(alert: Alert) -> tuple[tuple[str, str], ...]:
    """The labels that make it the same alert, whichever replica of the monitoring sent it."""
    return tuple(sorted(item for item in alert.labels.items() if not _REPLICA.search(item[0])))


def replica(alert: Alert) -> tuple[str, ...]:
    """Which replica of the monitoring sent it."""
    return tuple(value for name, value in sorted(alert.labels.items()) if _REPLICA.search(name))


def mentioned(alert: Alert) -> frozenset[str]:
    """Every value of its labels: one that is another service's name may say on whom it waits."""
    return frozenset(alert.labels.values())


def _candidates(labels: Mapping[str, str]) -> Iterator[str]:
    """The values that may name the service, the likeliest first."""
    exporter = _EXPORTER.search(labels.get("job", ""))
    for label in SERVICE_LABELS:
        value = labels.get(label)
        if value and not (exporter and (label in _EXPORTERS_OWN and _speaks_of_exporter(label, value))):
            yield value
    pod = labels.get("pod") or labels.get("pod_name") or ""
    match = _POD.match(pod)
    if pod and not _EXPORTER.search(pod):
        yield match["workload"] if match else pod


def _speaks_of_exporter(label: str, value: str) -> bool:
    return label in ("job", "instance") or bool(_EXPORTER.search(value))


def _plain(name: str) -> str:
    """A name without what people write differently: `API Gateway`, `api_gateway`, `api-gateway-service`."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return re.sub(r"-(?:service|svc)$", "", plain)
