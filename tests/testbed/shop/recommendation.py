"""What a user may like: a model in memory, made from the catalogue, scored for each user."""

import time
from typing import Any

from aiohttp import web

from . import kit, loops

service = kit.Service("recommendation")
catalogue = loops.Peer(service, "catalogue")
MODEL_TTL = float(service.config["model_ttl_seconds"])
SIZE = int(service.config["suggestions"])
_model: dict[str, Any] = {"at": -1e9, "products": []}


async def model() -> list[dict[str, Any]]:
    """The products the model knows, fetched again when it is too old."""
    if time.monotonic() - _model["at"] > MODEL_TTL:
        ids = ",".join(str(number) for number in range(1, 401))
        everything = await catalogue.call("GET", f"/batch?ids={ids}")
        _model["products"] = sorted(everything, key=lambda product: -float(product["price"]))[:120]
        _model["at"] = time.monotonic()
        service.log.info("model rebuilt from %d products", len(_model["products"]))
    products: list[dict[str, Any]] = _model["products"]
    return products


def score(user: int, product: dict[str, Any]) -> float:
    """How much a user may like a product."""
    return float((user * 31 + int(product["id"]) * 17) % 101)


def score_by_neighbours(user: int, product: dict[str, Any], others: list[dict[str, Any]]) -> float:
    """The same, by likeness to every other product."""
    total = 0.0
    for other in others:
        for weight in range(48):
            total += abs(float(other["price"]) - float(product["price"])) * weight % (user + 7)
    return total


async def suggest(request: web.Request) -> web.Response:
    """The best few for a user."""
    user = int(request.match_info["user"])
    products = await model()
    if service.flag("neighbour_scoring"):
        ranked = sorted(products, key=lambda product: score_by_neighbours(user, product, products))
    else:
        ranked = sorted(products, key=lambda product: score(user, product))
    chosen = ",".join(str(product["id"]) for product in ranked[:SIZE])
    return web.json_response(await catalogue.call("GET", f"/batch?ids={chosen}"))


app = loops.make_app(service)
app.router.add_get("/for/{user}", suggest)

if __name__ == "__main__":
    loops.serve(service, app)
