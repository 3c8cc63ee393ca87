"""The pages: put together from the catalogue, the recommendations and the cart."""

import asyncio

from aiohttp import web

from . import kit, loops

service = kit.Service("storefront")
catalogue = loops.Peer(service, "catalogue")
recommendation = loops.Peer(service, "recommendation")


async def home(request: web.Request) -> web.Response:
    """Products of a category and what this user may like."""
    user, category = request.query.get("user", "0"), request.query.get("category", "0")
    products, liked = await asyncio.gather(
        catalogue.call("GET", f"/products?category={category}"), suggestions(user)
    )
    return web.json_response({"products": products, "liked": liked})


async def suggestions(user: str) -> list[object]:
    """Recommendations; a page without them is better than none."""
    try:
        found: list[object] = await recommendation.call("GET", f"/for/{user}")
    except kit.UpstreamError as error:
        service.log.warning("page without recommendations: %s", error)
        return []
    return found


async def product(request: web.Request) -> web.Response:
    """One product."""
    number = request.match_info["product"]
    found, liked = await asyncio.gather(catalogue.call("GET", f"/products/{number}"), suggestions(number))
    return web.json_response({"product": found, "liked": liked})


async def search(request: web.Request) -> web.Response:
    """Products by words."""
    return web.json_response(await catalogue.call("GET", f"/search?q={request.query.get('q', '')}"))


app = loops.make_app(service)
app.router.add_get("/home", home)
app.router.add_get("/product/{product}", product)
app.router.add_get("/search", search)

if __name__ == "__main__":
    loops.serve(service, app)
