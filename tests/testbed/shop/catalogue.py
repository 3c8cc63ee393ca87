"""The products: from PostgreSQL, with a cache in Redis."""

import json
from typing import Any

from flask import Flask, abort, jsonify, request
from flask.typing import ResponseReturnValue

from . import kit, threads

service = kit.Service("catalogue")
database = threads.Database(service)
cache = threads.Cache(service)
TTL = int(service.config["cache"]["ttl_seconds"])

LISTING = """
select p.id, p.sku, p.name, p.price, avg(r.stars)::float, count(r.stars)
from products p left join reviews r on r.product = p.id
where p.category = %s group by p.id order by p.name
"""


def cached(key: str, load: Any) -> Any:
    """What the cache holds, else what is loaded and then cached for a while."""
    found = cache.do("GET", key)
    if found is not None:
        return json.loads(found)
    loaded = load()
    cache.do("SET", key, json.dumps(loaded), "EX", TTL)
    return loaded


def listing(category: int) -> list[dict[str, Any]]:
    """The products of a category with their ratings."""
    with database.use() as session:
        rows = session.rows("listing", LISTING, (category,))
    names = ("id", "sku", "name", "price", "stars", "reviews")
    return [dict(zip(names, row, strict=True)) for row in rows]


def details(ids: list[int]) -> list[dict[str, Any]]:
    """Products by number."""
    with database.use() as session:
        rows = session.rows("by_ids", "select id, sku, name, price from products where id = any(%s)", (ids,))
    return [{"id": number, "sku": sku, "name": name, "price": price} for number, sku, name, price in rows]


def find(words: str) -> list[dict[str, Any]]:
    """Products whose description holds the words."""
    with database.use() as session:
        rows = session.rows(
            "search", "select id, name from products where description ilike %s limit 20", (f"%{words}%",)
        )
    return [{"id": number, "name": name} for number, name in rows]


app: Flask = threads.make_app(service)


@app.get("/products")
def of_category() -> ResponseReturnValue:
    """A category's products."""
    category = int(request.args["category"])
    return jsonify(cached(f"category:{category}", lambda: listing(category)))


@app.get("/products/<int:number>")
def one(number: int) -> ResponseReturnValue:
    """One product."""
    found = cached(f"product:{number}", lambda: details([number]))
    if not found:
        abort(404, f"no product {number}")
    return jsonify(found[0])


@app.get("/batch")
def batch() -> ResponseReturnValue:
    """Several products at once."""
    return jsonify(details([int(number) for number in request.args["ids"].split(",")]))


@app.get("/search")
def search() -> ResponseReturnValue:
    """Products by words."""
    return jsonify(find(request.args.get("q", "")))


if __name__ == "__main__":
    threads.serve(service, app)
