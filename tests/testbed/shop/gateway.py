"""The way in: sends each request on to the service behind its path."""

from aiohttp import web

from . import kit, loops

service = kit.Service("gateway")
storefront = loops.Peer(service, "storefront")
cart = loops.Peer(service, "cart")
checkout = loops.Peer(service, "checkout")


async def page(request: web.Request) -> web.Response:
    """A page of the shop."""
    return web.json_response(await storefront.call("GET", request.path_qs))


async def basket(request: web.Request) -> web.Response:
    """Put something into the cart."""
    user = request.match_info["user"]
    body = await request.json()
    return web.json_response(await cart.call("POST", f"/carts/{user}/items", body))


async def order(request: web.Request) -> web.Response:
    """Buy what is in the cart."""
    body = await request.json()
    return web.json_response(await checkout.call("POST", "/orders", body))


app = loops.make_app(service)
app.router.add_get("/home", page)
app.router.add_get("/product/{product}", page)
app.router.add_get("/search", page)
app.router.add_post("/basket/{user}", basket)
app.router.add_post("/order", order)

if __name__ == "__main__":
    loops.serve(service, app)
