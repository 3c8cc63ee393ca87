"""Orders: reserve the stock, quote the shipping, charge the card, write the order, hand it to shipping."""

import json
import secrets
from typing import Any

from flask import Flask, abort, jsonify, request
from flask.typing import ResponseReturnValue

from . import kit, threads

service = kit.Service("checkout")
database = threads.Database(service)
cache = threads.Cache(service)
cart = threads.Peer(service, "cart")
inventory = threads.Peer(service, "inventory")
shipping = threads.Peer(service, "shipping")
payment = threads.Peer(service, "payment", ca=service.runtime["ca"])


def total_of(lines: list[dict[str, Any]], quote: dict[str, Any]) -> float:
    """What the order costs."""
    goods = sum(float(line["price"]) * int(line["quantity"]) for line in lines)
    return round(goods + float(quote["price"]), 2)


def tax_of(country: str, total: float) -> float:
    """The tax included in the total."""
    if service.flag("tax_engine_v2"):
        rates = {"de": 0.19, "fr": 0.2, "it": 0.22}
        return round(total * rates[country], 2)
    return round(total * 0.19, 2)


app: Flask = threads.make_app(service)


@app.post("/orders")
def order() -> ResponseReturnValue:
    """Buy what is in a user's cart."""
    body = request.get_json()
    user, country = body["user"], body["country"]
    lines = cart.call("GET", f"/carts/{user}")
    if not lines:
        abort(409, "the cart is empty")
    reserved = inventory.call("POST", "/reserve", {"items": lines})
    quote = shipping.call("GET", f"/quote?country={country}&items={len(lines)}")
    total = total_of(lines, quote)
    tax = tax_of(country, total)
    charge = payment.call("POST", "/charges", {"user": user, "amount": {"value": total, "currency": "EUR"}})
    number = secrets.token_hex(6)
    with database.use() as session:
        session.rows(
            "insert_order",
            "insert into orders (number, customer, total, tax, charge) values (%s, %s, %s, %s, %s)",
            (number, user, total, tax, charge["id"]),
        )
    message = {"order": number, "user": user, "country": country, "lines": lines}
    publish = kit.Outgoing("orders", "send", "messaging")
    cache.do("XADD", "orders", "*", "body", json.dumps(message), "trace", publish.headers["traceparent"])
    cart.call("DELETE", f"/carts/{user}")
    service.log.info("order %s placed by user %s for %.2f EUR", number, user, total)
    return jsonify({"order": number, "reserved": reserved["reserved"]})


if __name__ == "__main__":
    threads.serve(service, app)
