"""Deploys that break something: real edits of the shop's code."""

from tests.testbed.changes import Change, Edit
from tests.testbed.faults.base import Fault

_APP = "app: Flask = threads.make_app(service)\n"
_MAIN = 'if __name__ == "__main__":\n    threads.serve(service, app)\n'


def _crash(service: str) -> Change:
    path = f"shop/{service}.py"
    return Change(
        service,
        "deploy",
        f"{service}: keep the list of warehouses fresh",
        (
            Edit(
                path,
                "from typing import Any\n",
                "import os\nimport threading\nimport time\nfrom typing import Any\n",
            ),
            Edit(
                path,
                _MAIN,
                "def refresh_warehouses() -> None:\n"
                '    """Read the warehouses now and then; without them the service must not go on."""\n'
                "    while True:\n"
                "        time.sleep(4)\n"
                "        try:\n"
                "            with database.use() as session:\n"
                '                session.rows("warehouses", "select code, region from warehouses")\n'
                "        except Exception as error:\n"
                '            service.log.critical("the warehouses can\'t be read, exiting", exc_info=error)\n'
                "            os._exit(1)\n"
                "\n\n"
                'if __name__ == "__main__":\n'
                "    threading.Thread(target=refresh_warehouses, daemon=True).start()\n"
                "    threads.serve(service, app)\n",
            ),
        ),
        author="milan",
    )


LEAKS = {
    "catalogue": Change(
        "catalogue",
        "deploy",
        "catalogue: keep rendered category pages for the preview",
        (
            Edit("shop/catalogue.py", "import json\n", "import json\nimport time\n"),
            Edit(
                "shop/catalogue.py",
                '    category = int(request.args["category"])\n',
                '    category = int(request.args["category"])\n    keep_page(category)\n',
            ),
            Edit(
                "shop/catalogue.py",
                "app: Flask = threads.make_app(service)\n",
                "PAGE_BYTES = 7_000_000\n"
                "PAGES: dict[tuple[int, float], bytearray] = {}\n"
                "\n\n"
                "def keep_page(category: int) -> None:\n"
                '    """Keep the page as it was rendered, for the preview."""\n'
                '    PAGES[category, time.time()] = bytearray(b" ") * PAGE_BYTES\n'
                "\n\n"
                "app: Flask = threads.make_app(service)\n",
            ),
        ),
        author="sven",
    ),
    "inventory": Change(
        "inventory",
        "deploy",
        "inventory: remember reservations for the audit",
        (
            Edit(
                "shop/inventory.py",
                "app: Flask = threads.make_app(service)\n",
                "AUDIT: list[bytearray] = []\nAUDIT_BYTES = 10_000_000\n\n\n" + _APP,
            ),
            Edit(
                "shop/inventory.py",
                "    taken = reserve(items)\n",
                '    taken = reserve(items)\n    AUDIT.append(bytearray(b" ") * AUDIT_BYTES)\n',
            ),
        ),
        author="sven",
    ),
}

ERRORS = {
    "payment": Change(
        "payment",
        "deploy",
        "payment: read the amount as the new order format has it",
        (Edit("shop/payment.py", 'amount = body["amount"]', 'amount = body["order"]["amount"]'),),
        author="lea",
    ),
    "cart": Change(
        "cart",
        "deploy",
        "cart: take the unit price of an item",
        (Edit("shop/cart.py", 'float(item["price"])', 'float(item["unit_price"])'),),
        author="lea",
    ),
    "inventory": Change(
        "inventory",
        "deploy",
        "inventory: shorter names in the reservation",
        (Edit("shop/inventory.py", 'int(item["quantity"])', 'int(item["qty"])'),),
        author="lea",
    ),
    "catalogue": Change(
        "catalogue",
        "deploy",
        "catalogue: show the products of a category with their stock",
        (
            Edit(
                "shop/catalogue.py",
                'names = ("id", "sku", "name", "price", "stars", "reviews")',
                'names = ("id", "sku", "name", "price", "stars", "reviews", "available")',
            ),
            Edit("shop/catalogue.py", 'cached(f"category:', 'cached(f"category-stock:'),
        ),
        author="lea",
    ),
}

REPEATED = {
    "catalogue": Change(
        "catalogue",
        "deploy",
        "catalogue: ratings through the review model",
        (
            Edit(
                "shop/catalogue.py",
                '        rows = session.rows("listing", LISTING, (category,))\n',
                "        products = session.rows(\n"
                '            "products", "select id, sku, name, price from products where category = %s",\n'
                "            (category,),\n"
                "        )\n"
                "        rows = []\n"
                "        for product in products:\n"
                "            ratings = session.rows(\n"
                '                "reviews", "select stars from reviews where product = %s", product[:1]\n'
                "            )\n"
                "            stars = [rating for (rating,) in ratings]\n"
                "            rows.append((*product, sum(stars) / max(1, len(stars)), len(stars)))\n",
            ),
        ),
        author="ines",
    ),
    "recommendation": Change(
        "recommendation",
        "deploy",
        "recommendation: fetch each suggestion's details, so that one missing doesn't hide all",
        (
            Edit(
                "shop/recommendation.py",
                '    chosen = ",".join(str(product["id"]) for product in ranked[:SIZE])\n'
                '    return web.json_response(await catalogue.call("GET", f"/batch?ids={chosen}"))\n',
                "    found = []\n"
                "    for product in ranked[: SIZE * 4]:\n"
                '        found += await catalogue.call("GET", f"/batch?ids={product[\'id\']}")\n'
                "    return web.json_response(found[:SIZE])\n",
            ),
        ),
        author="ines",
    ),
}

FAULTS = (
    Fault(
        name="deploy-errors",
        kind="deploy_errors",
        summary="a deploy makes one route answer 500",
        remedy="roll the deploy back",
        targets=tuple(ERRORS),
        changes=ERRORS,
        lead=1.0,
    ),
    Fault(
        name="deploy-repeated-queries",
        kind="deploy_slow",
        summary="a deploy asks once for each item where it asked once for all",
        remedy="roll the deploy back",
        targets=tuple(REPEATED),
        changes=REPEATED,
        lead=1.0,
    ),
    Fault(
        name="memory-leak",
        kind="memory_leak",
        summary="a deploy keeps what it should forget, until the memory's limit ends the process",
        remedy="roll the deploy back",
        targets=tuple(LEAKS),
        changes=LEAKS,
        lead=26.0,
        late=True,
    ),
    Fault(
        name="crash-loop",
        kind="crash_loop",
        summary="a deploy reads a table that isn't there, seconds after it said it was ready, and exits",
        remedy="roll the deploy back",
        targets=("inventory", "checkout"),
        changes={service: _crash(service) for service in ("inventory", "checkout")},
        lead=4.0,
    ),
)
