"""The known telemetry, loaded into real servers, answers the questions a source asks."""

from typing import Any

import pytest

from tests.servers.elasticsearch import Elasticsearch
from tests.servers.prometheus import Prometheus
from tests.servers.shop import SHAPES, SPAN_SHAPES, Shop, load_logs, load_spans, log_records, span_records

SERVICE_FIELD = {
    "ecs": "service.name",
    "otel": "service.name",  # an alias field
    "filebeat": "kubernetes.labels.app_kubernetes_io/name",
    "fluentbit": "kubernetes.labels.app.keyword",
    "logstash": "app.keyword",
}


def counts(server: Elasticsearch, index: str, field: str) -> dict[str, int]:
    query = {"size": 0, "aggs": {"by": {"terms": {"field": field, "size": 1000}}}}
    answer = server.request("POST", f"/{index}/_search", json=query)
    return {bucket["key"]: bucket["doc_count"] for bucket in answer["aggregations"]["by"]["buckets"]}


def instant(server: Prometheus, query: str, at: float) -> list[dict[str, Any]]:
    answer = server.request("GET", "/api/v1/query", params={"query": query, "time": f"{at:.0f}"})
    result: list[dict[str, Any]] = answer["data"]["result"]
    return result


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_each_shape_is_accepted_and_counted_by_service(
    elasticsearch_any: Elasticsearch, index_name: str, shop: Shop, shape: str
) -> None:
    lines = list(log_records(shop, requests=200))
    load_logs(elasticsearch_any, lines, shape=shape, index=index_name)
    by_service = counts(elasticsearch_any, index_name, SERVICE_FIELD[shape])
    assert by_service == {
        service: sum(line.service == service for line in lines) for service in sorted(shop.services)
    }


@pytest.mark.parametrize("shape", sorted(SPAN_SHAPES))
def test_each_span_shape_is_accepted(
    elasticsearch_any: Elasticsearch, index_name: str, shop: Shop, shape: str
) -> None:
    spans = list(span_records(shop, requests=50))
    load_spans(elasticsearch_any, spans, shape=shape, index=index_name)
    assert sum(counts(elasticsearch_any, index_name, "trace.id").values()) == len(spans)


def test_the_loaded_shop_holds_every_service(shop_elasticsearch_8: Elasticsearch, shop: Shop) -> None:
    assert set(counts(shop_elasticsearch_8, "logs-shop-default", "service.name")) == set(shop.services)
    assert set(counts(shop_elasticsearch_8, "traces-apm-default", "service.name")) == set(shop.services)


def test_the_faulty_service_has_the_highest_error_ratio_of_its_own(prometheus: Prometheus, shop: Shop) -> None:
    of = "sum by(service_name)(rate(http_server_request_duration_seconds_count{}[5m]))"
    failed, every = of.replace("{}", '{http_response_status_code="500"}'), of.replace("{}", "")
    ratios = {
        one["metric"]["service_name"]: float(one["value"][1])
        for one in instant(prometheus, f"{failed}/{every}", shop.onset.timestamp() + 600)
    }
    assert max(ratios, key=ratios.__getitem__) == shop.faulty
    assert ratios[shop.faulty] == pytest.approx(0.3, abs=0.05)


def test_the_alert_fires_where_the_customers_notice(prometheus: Prometheus, shop: Shop) -> None:
    at = shop.onset.timestamp()
    assert instant(prometheus, 'ALERTS{alertstate="firing"}', at) == []
    [alert] = instant(prometheus, 'ALERTS{alertstate="firing"}', at + 600)
    assert alert["metric"]["service"] == shop.symptom
