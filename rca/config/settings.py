"""The settings, with their defaults. A secret never shows in a `repr`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ElasticsearchSettings:
    """How to reach Elasticsearch and which fields to trust.

    Attributes:
        fields: Overrides of the field resolution, by role: `service`, `level`, `message`, `trace`, `timestamp`.
        schemas: Folder with the user's own schema files, or None.
        sample_lines: Upper bound on messages that travel, over all services and levels. So many lines are all
            fetched; of more, a sample of half of it (of a bound under 10,000 up to 5,000 lines).
        span_indices: Index patterns with spans (Elastic APM, OTel); empty for none.
        event_indices: Index patterns with deploy or audit events; empty for none.
        event_fields: Overrides of their fields, by role: `timestamp`, `service`, `kind`, `title`, `commit`,
            `details`.
    """

    url: str | None = None
    cloud_id: str | None = field(default=None, repr=False)
    indices: tuple[str, ...] = ("logs-*", "filebeat-*", "logstash-*", "fluent-bit*")
    span_indices: tuple[str, ...] = ("traces-*", "apm-*")
    event_indices: tuple[str, ...] = ()
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    bearer_token: str | None = field(default=None, repr=False)
    ca_certs: Path | None = None
    fingerprint: str | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    verify_certs: bool = True
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    fields: Mapping[str, str] = field(default_factory=dict)
    event_fields: Mapping[str, str] = field(default_factory=dict)
    schemas: Path | None = None
    timeout_seconds: float = 20.0
    sample_lines: int = 10_000


@dataclass(frozen=True, slots=True)
class PrometheusSettings:
    """How to reach Prometheus, or something that speaks its API.

    Attributes:
        url: The base, path prefix included (Mimir: `…/prometheus`).
        packs: Folder with the user's own metric packs, or None.
        concurrency: Queries at once.
    """

    url: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    bearer_token: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_certs: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    verify_certs: bool = True
    packs: Path | None = None
    timeout_seconds: float = 20.0
    concurrency: int = 6


@dataclass(frozen=True, slots=True)
class AlertmanagerSettings:
    """How to reach Alertmanager, for `rca alerts group`.

    Attributes:
        url: The base, path prefix included; `/api/v2/alerts` is added.
    """

    url: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    bearer_token: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_certs: Path | None = None
    verify_certs: bool = True
    timeout_seconds: float = 20.0


@dataclass(frozen=True, slots=True)
class TopologySettings:
    """Declared dependency graphs."""

    files: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangesSettings:
    """Where changes are known from beside the servers, and the words they are judged by.

    Attributes:
        repos: Local Git repositories, bare ones too; they are only read.
        branch: Whose history counts, in all of them; empty for what each has checked out.
        services: Whose code a path is, where its name doesn't say: `libs/billing` of any repository, `shop/libs`
            of the one called shop, or `shop` for all of that one.
        lookback_hours: How long before the collected stretch a change may lie.
        events: A file of events, or `-` for standard input; None for none.
        vocabulary: Folder with the user's own words, or None.
    """

    repos: tuple[Path, ...] = ()
    branch: str = ""
    services: Mapping[str, str] = field(default_factory=dict)
    lookback_hours: float = 24.0
    events: Path | None = None
    vocabulary: Path | None = None


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """How a window is made from a single time.

    Attributes:
        timezone: For times without an offset; empty refuses them.
        lead_minutes: How much is looked at before `--at`.
        lag_minutes: How much is looked at after `--at`.
        baseline_minutes: How much is taken as normal before the incident.
        guard_minutes: The gap between the baseline and the onset.
        step_seconds: Resolution; 0 chooses one from the length of the window.
    """

    timezone: str = ""
    lead_minutes: float = 30.0
    lag_minutes: float = 15.0
    baseline_minutes: float = 60.0
    guard_minutes: float = 2.0
    step_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of a run.

    Attributes:
        time_budget_seconds: All collecting ends by then, whatever has come.
        redact: Cut secrets and personal data out of what is captured.
        data_dir: Where the store of past incidents and kept bundles live; None for the user's data directory.
    """

    elasticsearch: ElasticsearchSettings = field(default_factory=ElasticsearchSettings)
    prometheus: PrometheusSettings = field(default_factory=PrometheusSettings)
    alertmanager: AlertmanagerSettings = field(default_factory=AlertmanagerSettings)
    topology: TopologySettings = field(default_factory=TopologySettings)
    changes: ChangesSettings = field(default_factory=ChangesSettings)
    window: WindowSettings = field(default_factory=WindowSettings)
    time_budget_seconds: float = 60.0
    redact: bool = True
    data_dir: Path | None = None
