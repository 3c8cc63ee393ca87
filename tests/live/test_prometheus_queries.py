"""What the Prometheus source asks a real server, and what the doctor says of the answers."""

import re
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from rca.config.settings import PrometheusSettings
from rca.model.incident import Interval
from rca.sources.base import Request
from rca.sources.prom.client import PromClient
from rca.sources.prom.discover import discover
from rca.sources.prom.names import Labels
from rca.sources.prom.packfile import load_packs
from rca.sources.prom.packs import Across, EdgeRule
from rca.sources.prom.plan import Ask, template_of
from rca.sources.prom.query import folded, for_all, for_one
from rca.sources.prom.work import Crew, Grid
from tests.servers.conventions import HOSTILE, SCRAPE, START, STEP, TIMES
from tests.servers.harvest import Found, check, harvest, request
from tests.servers.prometheus import Prometheus

pytestmark = pytest.mark.live


def test_every_series_query_gives_that_series_again(conventions: Prometheus, found: Found) -> None:
    client = PromClient(PrometheusSettings(url=conventions.url))
    grid = Grid.of(request())
    try:
        for key, values in found.series.values():
            rows = client.query_range(key.query, grid.first, grid.last, grid.step).series
            assert len(rows) == 1, key.query
            again = {float(at): float(value) for at, value in rows[0]["values"]}
            expected = dict(zip(grid.times.tolist(), values.tolist(), strict=True))
            assert {at: value for at, value in again.items() if np.isfinite(value)} == pytest.approx(
                {at: value for at, value in expected.items() if np.isfinite(value)}
            ), key.query
    finally:
        client.close()


def test_the_record_says_what_was_asked_of_whom(found: Found) -> None:
    assert (found.record.name, found.record.backend) == ("prometheus", "prometheus")
    assert re.fullmatch(r"\d+\.\d+.*", found.record.version)
    assert found.record.details["packs"]["istio"]["scrape_interval_seconds"] == SCRAPE
    assert found.record.queries["istio_requests"] == (
        "sum by (destination_workload_namespace, destination_canonical_service) "
        '(rate(istio_requests_total{reporter="destination",destination_canonical_service!=""}[60s]))'
    )


def test_a_second_harvest_is_the_same(conventions: Prometheus, found: Found) -> None:
    again = harvest(PrometheusSettings(url=conventions.url, concurrency=2))
    assert set(again.series) == set(found.series)
    for name, (key, values) in again.series.items():
        assert key == found.series[name][0]
        assert key.query == found.series[name][0].query
        np.testing.assert_array_equal(values, found.series[name][1])


def test_a_wide_step_widens_the_rate_window(conventions: Prometheus) -> None:
    wide = harvest(PrometheusSettings(url=conventions.url), request(step=120))
    assert "[120s]" in wide.record.queries["istio_requests"]


def test_an_empty_window_gives_no_series_and_no_error(conventions: Prometheus) -> None:
    span = Interval(datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, 1, tzinfo=UTC))
    empty = harvest(PrometheusSettings(url=conventions.url), Request(span, STEP, time.monotonic() + 30))
    assert not empty.series
    assert not empty.gaps


def test_the_users_own_pack_replaces_one_of_the_same_name(conventions: Prometheus, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'name = "http"\ndescription = "ours"\nrequires = ["http_requests_total"]\nservice_labels = ["service"]\n'
        "[[signals]]\nname = \"our_calls\"\nrate = 'http_requests_total{$F}'\n"
    )
    mine = harvest(PrometheusSettings(url=conventions.url, packs=tmp_path))
    metrics = {metric for _, metric, _ in mine.series}
    assert "our_calls" in metrics
    assert "http_error_ratio" not in metrics


def _asks() -> list[Ask]:
    """Every part of every pack, with the labels that it prefers, the replicas' included."""
    made = []
    for pack in load_packs():
        for part in pack.parts:
            naming = part.naming
            labels = Labels(
                service=naming.service[0],
                namespace=next(iter(naming.namespace), ""),
                instance=next(iter(naming.instance), ""),
                peer=next(iter(naming.peer), ""),
                peer_namespace=next(iter(naming.peer_namespace), ""),
                replica="prometheus_replica",
            )
            made += [Ask(pack, part, "some_metric", labels, 60, wide=wide) for wide in {False, labels.is_pod}]
    return made


def test_every_query_of_every_pack_is_promql(conventions: Prometheus) -> None:
    client = PromClient(PrometheusSettings(url=conventions.url))
    try:
        for ask in _asks():
            row = dict.fromkeys(ask.labels.by, HOSTILE)
            template = template_of(ask.part)
            client.query(for_all(ask, template), START)
            one = for_one(ask, template, [row])
            two = for_one(ask, template, [row, {**row, ask.labels.service: "b"}])
            client.query(folded(Across.MEAN, [one, two], 3), START)
            if isinstance(ask.part, EdgeRule) and ask.part.failures:
                client.query(for_all(ask, ask.part.failures, 3600), START)
    finally:
        client.close()


def test_more_pods_than_fit_are_folded_into_workloads_by_the_server(
    conventions: Prometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rca.sources.prom.discover.MAX_SERIES", 2)
    folded = harvest(PrometheusSettings(url=conventions.url))
    early, late = folded.early_and_late("basket", "cpu_limit_share")
    assert (early, late) == pytest.approx((0.8, 0.8), rel=0.03)
    assert ("basket", "cpu_limit_share", "basket-7f8b9c6d5d-bcdgf") not in folded.series
    query = folded.series["basket", "cpu_limit_share", None][0].query
    assert query.startswith("max (sum by (namespace, pod)")


def test_a_plan_is_made_once_for_all_packs(conventions: Prometheus) -> None:
    client = PromClient(PrometheusSettings(url=conventions.url))
    crew = Crew(4, time.monotonic() + 30)
    try:
        plan = discover(client, crew, load_packs(), Grid.of(request()))
    finally:
        crew.close()
        client.close()
    assert plan.services["istio"] == ("front", "mesh-cart")
    assert set(plan.intervals.values()) == {SCRAPE}
    assert plan.owners.pods["shop", "basket-6d4cf56db6-xk2lp"] == ("ReplicaSet", "basket-6d4cf56db6")
    assert plan.owners.replicasets["shop", "basket-7f8b9c6d5d"] == "basket"


def test_doctor_says_what_answers_what_applies_and_what_does_not(conventions: Prometheus) -> None:
    checks = check(PrometheusSettings(url=conventions.url))
    assert checks["reachable"].ok
    assert checks["clock"].ok
    assert "1 service by consumergroup" in checks["pack kafka_consumers"].detail
    assert checks["pack kafka_consumers"].facts == ("mailer",)
    others = checks["other packs"]
    assert "mysql" in others.detail
    assert any(why.startswith("mysql: no mysql_up") for why in others.more)
    assert any(why.startswith("docker: its metrics have the label pod") for why in others.more)
    assert checks["data at the start"].ok
    assert checks["data at the end"].ok
    assert checks["names"].facts == ("twin",)


def test_doctor_says_that_the_server_is_younger_than_the_window_and_does_not_call_it_broken(
    conventions: Prometheus,
) -> None:
    span = Interval(datetime.fromtimestamp(START - 3600, UTC), datetime.fromtimestamp(TIMES[-1], UTC))
    checks = check(PrometheusSettings(url=conventions.url), Request(span, STEP, time.monotonic() + 60))
    young = checks["data at the start"]
    assert young.ok is None
    assert young.detail == "the window begins at 2026-02-02 01:40:00 UTC, the data at 2026-02-02 02:40:00 UTC"
    assert young.hint
    assert checks["data at the end"].ok
    assert all(said.ok is not False for said in checks.values())


def test_doctor_says_that_an_empty_window_is_empty(conventions: Prometheus) -> None:
    span = Interval(datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, 1, tzinfo=UTC))
    checks = check(PrometheusSettings(url=conventions.url), Request(span, STEP, time.monotonic() + 30))
    assert checks["packs"].ok is False
    assert "window" in checks["packs"].hint
