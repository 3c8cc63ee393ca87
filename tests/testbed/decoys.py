"""Innocent changes, that lie around the guilty ones."""

from typing import Final

from tests.testbed.changes import Change, Edit


def _config(service: str, message: str, old: str, new: str) -> Change:
    return Change(service, "config", message, (Edit(f"config/{service}.toml", old, new),), "tom")


def _deploy(service: str, message: str, old: str, new: str) -> Change:
    return Change(service, "deploy", message, (Edit(f"shop/{service}.py", old, new),), "tom")


def _flag(service: str, name: str) -> Change:
    edit = Edit("flags.toml", f"{name} = false", f"{name} = true")
    return Change(service, "flag", f"flag {name} of {service} switched on", (edit,), "omar")


DECOYS: Final = (
    _deploy(
        "gateway",
        "gateway: say what the order route does",
        '"""Buy what is in the cart."""',
        '"""Place an order."""',
    ),
    _deploy(
        "storefront",
        "storefront: clearer words when recommendations are missing",
        "page without recommendations: %s",
        "recommendations left out of the page: %s",
    ),
    _deploy(
        "notification",
        "notification: friendlier subject of the mail",
        "is on its way",
        "is coming to you",
    ),
    _deploy(
        "recommendation",
        "recommendation: rename the scoring's result",
        "def score(user: int, product: dict[str, Any]) -> float:\n"
        '    """How much a user may like a product."""\n'
        '    return float((user * 31 + int(product["id"]) * 17) % 101)',
        "def score(user: int, product: dict[str, Any]) -> float:\n"
        '    """How much a user may like a product."""\n'
        '    liking = (user * 31 + int(product["id"]) * 17) % 101\n'
        "    return float(liking)",
    ),
    _deploy(
        "shipping",
        "shipping: document the tariff",
        '"""What shipping would cost."""',
        '"""The tariff, for a cart."""',
    ),
    _config("cart", "cart: keep carts a little longer", "keep_seconds = 1800", "keep_seconds = 2400"),
    _config(
        "inventory",
        "inventory: let long statements finish",
        "statement_timeout_ms = 2000",
        "statement_timeout_ms = 2400",
    ),
    _config("gateway", "gateway: room for more requests", "max_in_flight = 8", "max_in_flight = 9"),
    _flag("storefront", "autumn_banner"),
    _flag("cart", "save_for_later"),
    Change(
        "catalogue",
        "none",
        "catalogue: comment the listing",
        (
            Edit(
                "shop/catalogue.py",
                "LISTING = ",
                "# Products of a category with the average of their ratings.\nLISTING = ",
            ),
        ),
        "tom",
    ),
)
