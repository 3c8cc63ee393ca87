"""What speaks against a service, in words."""

from collections.abc import Callable

import numpy as np

from rca.analyze import analyze
from rca.analyze.evidence import is_outburst, plain_metric
from rca.model.report import Evidence, EvidenceKind, ToolInfo
from rca.model.signals import FloatArray, Kind, SignalKey
from tests.rca.analyze.conftest import MakeBundle

Quiet = Callable[[int, float, float], FloatArray]
LATE = np.where(np.arange(60) >= 45, 1.0, 0.0)


def test_a_service_that_stops_reporting_is_told_with_when(
    make_bundle: MakeBundle, quiet: Quiet, tool: ToolInfo
) -> None:
    gone = np.where(LATE > 0, np.nan, 1.0)
    bundle = make_bundle(
        {
            "db|cpu_usage": quiet(1, 0.3, 0.02) * gone,
            "db|requests": quiet(2, 100, 5) * gone,
            "web|latency_p99_ms": quiet(3, 80, 4) + 300 * LATE,
            **{f"{name}|cpu_usage": quiet(4 + i, 0.3, 0.02) for i, name in enumerate(("web", "mail", "ads"))},
            **{f"{name}|requests": quiet(8 + i, 50, 3) for i, name in enumerate(("web", "mail", "ads"))},
        },
        [("web", "db")],
    )
    texts = {item.service: item.text for item in analyze(bundle, tool=tool).evidence}
    assert texts["db"] == "stopped reporting at 12:45 (2 series)"


def test_one_sign_of_each_kind_and_the_metrics_words_where_the_kind_says_little(
    make_bundle: MakeBundle, quiet: Quiet, tool: ToolInfo
) -> None:
    bundle = make_bundle(
        {
            "db|cpu_usage": quiet(1, 0.3, 0.02) + 0.5 * LATE,
            "db|cpu_user": quiet(2, 0.3, 0.02) + 0.4 * LATE,
            "db|pool_connections_share": quiet(3, 0.2, 0.01) + 0.7 * LATE,
            "web|latency_p99_ms": quiet(4, 50, 3),
        },
    )
    found = [item for item in analyze(bundle, tool=tool).evidence if item.service == "db"]
    assert sum(item.text.startswith("CPU x") for item in found) == 1
    pool = next(item for item in found if item.metric == "pool_connections_share")
    assert pool.text.startswith("pool connections share x")


def test_a_metrics_name_is_told_without_the_callee_at_its_end() -> None:
    assert plain_metric(SignalKey("web", "error_ratio:db", peer="db")) == "error_ratio"
    assert plain_metric(SignalKey("db", "error_ratio:db", peer="web")) == "error_ratio"
    assert plain_metric(SignalKey("web", "cpu")) == "cpu"


def test_errors_that_came_up_are_an_outburst_and_what_went_missing_is_none() -> None:
    def line(before: float, after: float, unit: str = "lines/min") -> Evidence:
        return Evidence("", EvidenceKind.LOG, "db", "", baseline=before, observed=after, unit=unit)

    assert is_outburst(line(0, 5))
    assert not is_outburst(line(5, 0))
    assert not is_outburst(line(0.01, 0.5, "s"))
    assert is_outburst(Evidence("", EvidenceKind.TRACE, "db", "", signal=Kind.ERRORS))
    assert not is_outburst(Evidence("", EvidenceKind.TRACE, "db", "", signal=Kind.LATENCY))
