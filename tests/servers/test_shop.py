"""The known telemetry says what its truth says."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest

from tests.servers.shop import SHAPES, SPAN_SHAPES, Fault, Shop, log_records, make_shop, openmetrics, span_records
from tests.servers.shop.load import bulk_bodies
from tests.servers.shop.system import behave

FAULTS = [fault for fault in Fault if fault is not Fault.NONE]


def small(fault: Fault = Fault.SLOW, faulty: str = "payments", seed: int = 7) -> Shop:
    return make_shop(fault=fault, faulty=faulty, seed=seed, minutes=20, onset_minute=12, step_seconds=30)


def values_of(text: str, name: str, *labels: str) -> list[tuple[float, float]]:
    """`(unix seconds, value)` of the only series of that name with these labels."""
    lines = [
        line for line in text.splitlines() if line.startswith(name + "{") and all(one in line for one in labels)
    ]
    return [(float(line.rsplit(" ", 2)[2]), float(line.rsplit(" ", 2)[1])) for line in lines]


def test_the_same_seed_gives_the_same_telemetry_and_another_seed_another() -> None:
    makers: tuple[Callable[[Shop], Iterator[object]], ...] = (
        openmetrics,
        lambda shop: log_records(shop, requests=50),
        lambda shop: span_records(shop, requests=50),
    )
    for make in makers:
        once = list(make(small()))
        assert once == list(make(small()))
        assert once != list(make(small(seed=8)))


@pytest.mark.parametrize("size", [12, 50, 500])
def test_a_shop_has_as_many_services_as_asked_each_reached_from_the_entry(size: int) -> None:
    shop = make_shop(size=size)
    assert len(set(shop.services)) == size
    order = {service: place for place, service in enumerate(shop.services)}
    assert all(order[caller] < order[callee] for caller, callee in shop.edges)
    assert {callee for _, callee in shop.edges} == set(shop.services) - {shop.symptom}


@pytest.mark.parametrize("fault", FAULTS)
def test_callers_inherit_the_fault_and_the_others_do_not(fault: Fault) -> None:
    shop = small(fault)
    behaviour = behave(shop)
    after = behaviour.times > shop.onset.timestamp() + 60
    before = behaviour.times < shop.onset.timestamp()
    worse = {
        service
        for service in shop.services
        if np.median(behaviour.errors[service][after]) > 3 * np.median(behaviour.errors[service][before])
        or np.median(behaviour.latency[service][after]) > 1.5 * np.median(behaviour.latency[service][before])
    }
    assert shop.faulty in worse
    assert "checkout" in worse
    assert worse <= {shop.faulty, *shop.affected}


def test_without_a_fault_nothing_gets_worse() -> None:
    shop = small(Fault.NONE)
    behaviour = behave(shop)
    half = len(behaviour.times) // 2
    for service in shop.services:
        assert np.median(behaviour.latency[service][half:]) < 1.2 * np.median(behaviour.latency[service][:half])


@pytest.mark.parametrize("fault", FAULTS)
def test_the_faulty_service_errs_first_in_the_logs_and_its_callers_in_the_same_traces(fault: Fault) -> None:
    shop = small(fault)
    lines = list(log_records(shop, requests=1500))
    errors = [line for line in lines if line.level == "ERROR" and line.at >= shop.onset and line.trace_id]
    services = Counter(line.service for line in errors)
    if fault is Fault.DOWN:
        assert not [line for line in lines if line.service == shop.faulty and line.at > shop.onset]
        assert any("connection refused" in line.message for line in errors if line.service == "checkout")
    else:
        traces = {line.trace_id for line in errors if line.service == shop.faulty}
        assert len(traces) > 5
        assert {line.service for line in errors if line.trace_id in traces} >= {"checkout", "gateway"}
    assert services["checkout"] > services["catalog"]
    assert all(a.at <= b.at for a, b in pairwise(lines))


def test_counters_only_rise_and_a_service_that_is_gone_says_nothing_but_down() -> None:
    shop = small(Fault.DOWN)
    text = "".join(openmetrics(shop))
    assert text.endswith("# EOF\n")
    counts = values_of(
        text,
        "http_server_request_duration_seconds_count",
        'service_name="payments"',
        'instance="payments-0',
        '"200"',
    )
    assert [value for _, value in counts] == sorted(value for _, value in counts)
    assert max(at for at, _ in counts) <= shop.onset.timestamp() + shop.step_seconds
    up = values_of(text, "up", 'instance="payments-0')
    assert (up[0][1], up[-1][1]) == (1.0, 0.0)
    edge = ('source_workload="checkout"', 'destination_workload="payments"', 'response_code="503"')
    at_source = values_of(text, "istio_requests_total", 'reporter="source"', *edge)
    assert at_source[-1][0] == pytest.approx(shop.end.timestamp() - shop.step_seconds)
    assert at_source[-1][1] > at_source[0][1] + 100


def test_a_rollout_shows_as_a_new_replica_set_with_a_new_image() -> None:
    shop = small(Fault.DEPLOY)
    assert shop.deployed_at is not None
    text = "".join(openmetrics(shop))
    created = {value for _, value in values_of(text, "kube_replicaset_created", 'replicaset="payments-')}
    assert shop.deployed_at.timestamp() in created
    assert len(created) == 2
    images = [
        line for line in text.splitlines() if line.startswith("kube_pod_container_info") and ":2.8.0" in line
    ]
    assert images
    assert all('container="payments"' in line for line in images)


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_each_shape_keeps_the_service_and_the_text_of_every_line(shape: str) -> None:
    for line in list(log_records(small(), requests=20)):
        document = json.dumps(SHAPES[shape].document(line))
        assert line.service in document
        assert json.dumps(line.message)[1:-1] in document


@pytest.mark.parametrize("shape", sorted(SPAN_SHAPES))
def test_each_span_but_the_first_has_its_parent_in_the_same_trace(shape: str) -> None:
    spans = list(span_records(small(), requests=50))
    known = {(span.trace_id, span.span_id) for span in spans}
    assert all(span.parent_id is None or (span.trace_id, span.parent_id) in known for span in spans)
    assert sum(span.parent_id is None for span in spans) == 50
    bodies = b"".join(bulk_bodies(SPAN_SHAPES[shape].document(span) for span in spans))
    assert len(bodies.splitlines()) == 2 * len(spans)


def test_a_shop_too_small_or_without_its_faulty_service_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 12"):
        make_shop(size=3)
    with pytest.raises(ValueError, match="no service nobody"):
        make_shop(faulty="nobody")
