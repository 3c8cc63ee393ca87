"""From labels to services' names."""

import pytest

from rca.sources.prom.names import Labels, Names, Owners, split


def test_owners_are_believed_before_names() -> None:
    pod = {"exported_namespace": "shop", "namespace": "monitoring"}
    owners = Owners.read(
        [
            {**pod, "exported_pod": "x-1", "owner_kind": "ReplicaSet", "owner_name": "x-7f8b9c6d5d"},
            {**pod, "exported_pod": "job-1", "owner_kind": "Job", "owner_name": "nightly-28391040"},
            {**pod, "exported_pod": "etcd-n1", "owner_kind": "Node", "owner_name": "n1"},
            {**pod, "exported_pod": "bare-0", "owner_kind": "<none>", "owner_name": "<none>"},
            {**pod, "exported_pod": "s-0", "owner_kind": "StatefulSet", "owner_name": "stateful"},
        ],
        [{"namespace": "shop", "replicaset": "x-7f8b9c6d5d", "owner_name": "deployed"}, {"namespace": "shop"}],
    )
    assert owners.of_pod("shop", "x-1") == "deployed"
    assert owners.of_pod("other", "x-1") == "x"
    assert owners.of_pod("shop", "x-7f8b9c6d5d-abcde") == "deployed"
    assert owners.of_pod("shop", "job-1") == "nightly"
    assert owners.of_pod("shop", "etcd-n1") == "etcd"
    assert owners.of_pod("shop", "bare-0") == "bare"
    assert owners.of_pod("shop", "s-0") == "stateful"
    assert owners.of_replicaset("shop", "y-7f8b9c6d5d") == "y"
    assert owners.of_replicaset("shop", "plain") == "plain"


@pytest.mark.parametrize(
    ("namespace", "name", "expected"),
    [
        ("", "shop/cart", ("shop", "cart")),
        ("blue", "shop/cart", ("blue", "cart")),
        ("", "cart.shop.svc.cluster.local:80", ("shop", "cart")),
        ("", "node-a:9100", ("", "node-a")),
        ("", "redis-exporter", ("", "redis")),
        ("", "-exporter", ("", "-exporter")),
        ("", "a/b/c", ("", "a/b/c")),
        ("", "https://shop.example:8443/health?deep=1", ("", "shop.example")),
        ("", "http://user@cart.shop.svc/ready", ("shop", "cart")),
        ("", "tcp://[::1]:5432", ("", "[::1]")),
        ("", "::1", ("", "::1")),
    ],
)
def test_a_namespace_a_port_and_an_ending_come_off(namespace: str, name: str, expected: tuple[str, str]) -> None:
    assert split(namespace, name, ("-exporter",)) == expected


def test_a_namespace_is_kept_only_where_it_tells_two_services_apart() -> None:
    names = Names([("shop", "cart"), ("", "cart"), ("blue", "web"), ("green", "web")])
    assert names.of("shop", "cart") == names.of("", "cart") == "cart"
    assert names.of("blue", "web") == "blue/web"
    assert names.of("", "web") == "web"
    assert names.of("staging", "cart") == "staging/cart"
    assert names.of("any", "new") == "new"
    assert names.ambiguous == ("web",)


def test_a_pod_in_place_of_a_service_is_its_workload_where_that_is_known() -> None:
    names = Names([("", "cart")])
    assert names.of("", "cart-7f8b9c6d5d-x2x4z") == "cart"
    assert names.of("", "web-7f8b9c6d5d-x2x4z") == "web-7f8b9c6d5d-x2x4z"


def test_nobody_is_no_service() -> None:
    labels = Labels("service", peer="peer", peer_namespace="there")
    assert labels.identify({"service": "unknown"}, Owners()) is None
    assert labels.identify({}, Owners()) is None
    assert labels.identify_peer({"peer": "Unknown"}) is None
    assert labels.identify_peer({"peer": "cart", "there": "shop"}) == ("shop", "cart")


def test_a_replicasets_series_are_its_deployments() -> None:
    labels = Labels("replicaset", "namespace")
    assert labels.identify({"replicaset": "web-7f8b9c6d5d", "namespace": "shop"}, Owners()) == ("shop", "web")
    assert labels.by == ("namespace", "replicaset")
    assert Labels("service", without=("app",)).mine == 'service!="",app=""'
