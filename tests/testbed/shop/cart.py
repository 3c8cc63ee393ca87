"""The carts, in Redis."""

import json

from aiohttp import web

from . import kit, loops

service = kit.Service("cart")
cache = loops.Cache(service)
KEEP_SECONDS = int(service.config["keep_seconds"])


async def show(request: web.Request) -> web.Response:
    """What is in a cart."""
    lines = await cache.do("LRANGE", f"cart:{request.match_info['user']}", 0, -1)
    return web.json_response([json.loads(line) for line in lines])


async def add(request: web.Request) -> web.Response:
    """Put an item in."""
    key = f"cart:{request.match_info['user']}"
    item = await request.json()
    line = {"sku": item["sku"], "quantity": int(item["quantity"]), "price": float(item["price"])}
    await cache.do("RPUSH", key, json.dumps(line))
    await cache.do("EXPIRE", key, KEEP_SECONDS)
    return web.json_response({"items": await cache.do("LLEN", key)})


async def empty(request: web.Request) -> web.Response:
    """Forget a cart."""
    return web.json_response({"removed": await cache.do("DEL", f"cart:{request.match_info['user']}")})


app = loops.make_app(service)
app.router.add_get("/carts/{user}", show)
app.router.add_post("/carts/{user}/items", add)
app.router.add_delete("/carts/{user}", empty)

if __name__ == "__main__":
    loops.serve(service, app)
