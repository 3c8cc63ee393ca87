import pytest

from rca.detect.log_targets import TargetFinder
from rca.model.tuning.lines import LineTuning

SERVICES = ("cart", "front", "order", "payment-db", "recommendations", "x")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("timeout calling cart after <dur>", "cart"),
        ("No instances available for payment-db", "payment-db"),
        ("dial tcp: lookup cart: no such host", "cart"),
        ("POST http://cart:8080/add failed", "cart"),
        ("cart:8080 refused", "cart"),
        ("cart.svc is gone", "cart"),
        ("upstream recommendations returned 503", "recommendations"),
        ("RECOMMENDATIONS is down", "recommendations"),
        ("no reply from cart nor from order", "cart"),
        ("cart timed out after 203 ms", "cart"),
        ("cart: connection refused", "cart"),
        ("cart is unreachable", "cart"),
        ("cart did not answer within 2 s", "cart"),
        ("cart refused the connection", "cart"),
        ("cart refused the coupon", None),
        ("cart failed validation", None),
        ("front timed out", None),
        ("order not found", None),
        ("cartesian product failed", None),
        ("calling front failed", None),
        ("call to x failed", None),
        ("payment-db-old is gone", None),
    ],
)
def test_a_service_is_named_as_a_counterpart_or_not_at_all(text: str, named: str | None) -> None:
    expected = -1 if named is None else SERVICES.index(named)
    assert TargetFinder(SERVICES, LineTuning()).find(text, SERVICES.index("front")) == expected


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("timeout calling cart", "shop/cart"),
        ("cart-service is unreachable", "shop/cart"),
        ("lookup order: no such host", "order-service"),
        ("POST http://mail-svc:8080/send failed", "mail"),
        ("calling user failed", None),
        ("timeout calling user-db", "user-db"),
    ],
)
def test_a_text_may_spell_a_service_in_another_way_where_nobody_else_is_called_so(
    text: str, named: str | None
) -> None:
    services = ("shop/cart", "order-service", "mail", "a/user", "b/user", "user-db", "web")
    expected = -1 if named is None else services.index(named)
    assert TargetFinder(services, LineTuning()).find(text, services.index("web")) == expected


def test_without_services_nobody_is_named() -> None:
    assert TargetFinder((), LineTuning()).find("timeout calling cart", 0) == -1
