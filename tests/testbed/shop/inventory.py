"""The stock, in PostgreSQL."""

from typing import Any

from flask import Flask, abort, jsonify, request
from flask.typing import ResponseReturnValue

from . import kit, threads

service = kit.Service("inventory")
database = threads.Database(service)


def reserve(items: list[dict[str, Any]]) -> int:
    """Take items out of the stock, all or none."""
    wanted = {item["sku"]: int(item["quantity"]) for item in items}
    with database.use() as session:
        rows = session.rows(
            "reserve",
            "update stock set available = available - w.quantity "
            "from unnest(%s::text[], %s::int[]) as w(sku, quantity) where stock.sku = w.sku returning stock.sku",
            (list(wanted), list(wanted.values())),
        )
    return len(rows)


app: Flask = threads.make_app(service)


@app.post("/reserve")
def take() -> ResponseReturnValue:
    """Reserve what an order needs."""
    items = request.get_json()["items"]
    taken = reserve(items)
    if taken == 0:
        abort(409, "nothing of it is in stock")
    return jsonify({"reserved": taken})


if __name__ == "__main__":
    threads.serve(service, app)
