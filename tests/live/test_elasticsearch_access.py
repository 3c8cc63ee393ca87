"""Who may read an Elasticsearch and how it is reached: users, keys, tokens, TLS, remote clusters."""

import base64
from collections import Counter
from dataclasses import replace

import pytest

from rca.errors import SourceAuthError, SourceQueryError, SourceUnreachableError
from tests.servers.documents import (
    ECS,
    busy_system,
    cells,
    checks,
    create,
    ecs,
    harvest,
    load,
    settings,
)
from tests.servers.elasticsearch import BEARER_TOKEN, PASSWORD, READER, SERVICE_ACCOUNT, STRANGER, Elasticsearch


def test_a_wrong_password_and_a_missing_privilege_are_told_apart_and_name_no_secret(
    elasticsearch_secured: Elasticsearch, index_name: str
) -> None:
    create(elasticsearch_secured, index_name, ECS)
    load(elasticsearch_secured, index_name, [ecs(1, "a", "INFO", "x")])
    wrong = settings(replace(elasticsearch_secured, password="not the pass-word"), index_name)
    with pytest.raises(SourceAuthError, match="401") as caught:
        harvest(wrong)
    assert "not the pass-word" not in f"{caught.value.message} {caught.value.hint}"
    stranger = settings(replace(elasticsearch_secured, username=STRANGER, password=PASSWORD), index_name)
    with pytest.raises(SourceAuthError, match="403") as caught:
        harvest(stranger)
    assert "privilege `" in caught.value.hint
    assert checks(wrong)["sign-in"].ok is False
    assert checks(stranger)["sign-in"].ok is False


def test_a_reader_needs_no_more_than_the_documented_privileges(
    elasticsearch_secured: Elasticsearch, index_name: str
) -> None:
    create(elasticsearch_secured, index_name, ECS)
    load(elasticsearch_secured, index_name, busy_system(3_000))
    reader = settings(
        replace(elasticsearch_secured, username=READER, password=PASSWORD), index_name, sample_lines=500
    )
    found = harvest(reader)
    assert cells(found.log_counts)["s0", "INFO"] == 750.0
    assert found.logs
    assert found.gaps == ()
    said = checks(reader)
    assert [said[name].ok for name in ("connection", "indices", "fields", "services", "levels")] == [True] * 5
    assert said["services"].facts[0] == "s0: 750 lines"
    assert "ago" in said["newest document"].detail


def test_a_bearer_token_of_a_service_account_is_let_in(
    elasticsearch_secured: Elasticsearch, index_name: str
) -> None:
    """Those accounts may read no logs, which is another answer than a token that isn't known."""
    create(elasticsearch_secured, index_name, ECS)
    nobody = replace(elasticsearch_secured, username="", password="")
    given = settings(nobody, index_name, bearer_token=BEARER_TOKEN)
    signed_in = checks(given)["sign-in"]
    assert signed_in.ok
    assert SERVICE_ACCOUNT in signed_in.detail
    assert any("this user may see none of them" in gap.why for gap in harvest(given).gaps)


@pytest.mark.parametrize("way", ["api_key", "bearer_token"])
def test_a_key_or_token_that_the_server_does_not_know_is_refused_and_not_repeated(
    elasticsearch_secured: Elasticsearch, way: str
) -> None:
    """These servers lack the module by which a key could be made; test_connection shows what is sent."""
    unknown = base64.b64encode(b"VuaCfGcBCdbkQm-e5aOx:ui2lp2axTNmsyakw9tvNnw").decode()
    nobody = replace(elasticsearch_secured, username="", password="")
    given = settings(nobody, "logs-none", **{way: unknown})
    with pytest.raises(SourceAuthError, match="401") as caught:
        harvest(given)
    assert unknown not in f"{caught.value.message}{caught.value.hint}"


def test_an_index_of_a_remote_cluster_is_read_beside_the_local_ones(
    elasticsearch_any: Elasticsearch, index_name: str
) -> None:
    node = next(iter(elasticsearch_any.request("GET", "/_nodes/_local/transport")["nodes"].values()))
    cluster = index_name.replace("logs-", "")
    seeds = f"cluster.remote.{cluster}.seeds"
    address = node["transport"]["publish_address"]
    try:  # the server is its own remote cluster
        elasticsearch_any.request("PUT", "/_cluster/settings", json={"persistent": {seeds: [address]}})
        for name, service in ((f"{index_name}-near", "near"), (f"{index_name}-far", "far")):
            create(elasticsearch_any, name, ECS)
            load(elasticsearch_any, name, [ecs(i, service, "ERROR", "x") for i in range(3)])
        found = harvest(settings(elasticsearch_any, f"{index_name}-near", f"{cluster}:{index_name}-f*"))
        assert cells(found.log_counts) == {("near", "ERROR"): 3.0, ("far", "ERROR"): 3.0}
        assert Counter(line.service for line in found.logs) == {"near": 3, "far": 3}
        assert found.record is not None
        assert found.record.details["indices_matched"] == 2
    finally:
        elasticsearch_any.request("PUT", "/_cluster/settings", json={"persistent": {seeds: None}})


def test_a_remote_cluster_that_nobody_configured_is_named(
    elasticsearch_any: Elasticsearch, index_name: str
) -> None:
    with pytest.raises(SourceQueryError, match=r"no such remote cluster: \[nowhere\]"):
        harvest(settings(elasticsearch_any, f"nowhere:{index_name}"))


def test_hidden_backing_indices_are_read_by_the_name_over_them(
    elasticsearch_any: Elasticsearch, index_name: str
) -> None:
    """As a data stream's are; these servers lack the module that makes one."""
    for number in (1, 2):
        backing = f".ds-{index_name}-2026.02.03-00000{number}"
        body = {
            "settings": {"index.hidden": True, "number_of_replicas": 0},
            "mappings": {"properties": ECS},
            "aliases": {index_name: {"is_write_index": number == 2, "is_hidden": False}},
        }
        elasticsearch_any.request("PUT", f"/{backing}", json=body)
        load(elasticsearch_any, backing, [ecs(i, f"s{number}", "INFO", "x") for i in range(3)])
    for pattern in (index_name, f"{index_name[:-2]}*"):
        found = harvest(settings(elasticsearch_any, pattern))
        assert cells(found.log_counts) == {("s1", "INFO"): 3.0, ("s2", "INFO"): 3.0}


def test_tls_holds_with_the_authority_or_the_fingerprint_and_not_without(elasticsearch_tls: Elasticsearch) -> None:
    with_authority = settings(elasticsearch_tls, "logs-none")
    with_fingerprint = replace(with_authority, ca_certs=None, fingerprint=elasticsearch_tls.fingerprint)
    for given in (with_authority, with_fingerprint):
        assert checks(given)["connection"].ok is True
    with pytest.raises(SourceUnreachableError, match="TLS"):
        harvest(replace(with_authority, ca_certs=None))
