import pytest

from topology.names import base, canonical, is_unknown, pod_stem, spellings, visible, without_cluster_domain


@pytest.mark.parametrize("name", ["", " ", "-", "unknown", "Unknown", "PassthroughCluster", "BlackHoleCluster"])
def test_a_name_that_says_nobody_knows_is_told_from_a_name(name: str) -> None:
    assert is_unknown(name)


@pytest.mark.parametrize("name", ["unknown-service", "a", "--a"])
def test_a_name_that_only_looks_like_it_is_a_name(name: str) -> None:
    assert not is_unknown(name)


@pytest.mark.parametrize("name", ["Order_Service", "order-service", "ORDER__service", "order-service.svc"])
def test_spellings_of_one_service_have_one_canonical_name(name: str) -> None:
    assert canonical(name) == "order-service"


def test_a_namespace_before_or_after_a_name_is_not_part_of_its_base() -> None:
    assert base("shop/cart") == base("cart.shop") == base("cart.shop.svc.cluster.local") == "cart"


def test_only_a_clusters_own_addresses_are_shortened() -> None:
    assert without_cluster_domain("cart.shop.svc.cluster.local") == "cart"
    assert without_cluster_domain("api.pay.example") == "api.pay.example"


def test_what_a_terminal_would_obey_is_written_out() -> None:
    assert visible("größe\n\x1b[31m\u202e") == "größe\\n\\x1b[31m\\u202e"


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("Cart_Service", ("cartservice", "cartservice", "cartservice", "cart")),
        ("cart.shop", ("cart.shop", "cart", "cart", "cart")),
        ("shop/cart-7f8b9c6d5d-x2x4z", ("shop/cart7f8b9c6d5dx2x4z", "cart7f8b9c6d5dx2x4z", "cart", "cart")),
        ("order-service-service", ("orderserviceservice", "orderserviceservice", "orderserviceservice", "order")),
        ("service", ("service",) * 4),
        ("10.1.1.1", ("10.1.1.1",) * 4),
        ("-", ("-",) * 4),
    ],
)
def test_less_and_less_of_a_name_is_left_that_may_tell_services_apart(name: str, forms: tuple[str, ...]) -> None:
    assert spellings(name) == forms


@pytest.mark.parametrize(
    ("pod", "stem"),
    [
        ("cart-7f8b9c6d5d-x2x4z", "cart"),
        ("cart-front-7f8b9c6d5d-x2x4z", "cart-front"),
        ("node-exporter-x2x4z", "node-exporter"),
        ("store-0", "store"),
        ("backup-28391040-7kqzt", "backup"),
        ("cart-5c6b7d8f9-xk2lp0", "cart"),
        ("cart", "cart"),
    ],
)
def test_a_pods_name_tells_its_workload(pod: str, stem: str) -> None:
    assert pod_stem(pod) == stem
