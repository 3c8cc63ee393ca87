"""The shop's users: open-loop arrivals with a daily rhythm, a day being two minutes.

`python -P users.py GATEWAY_URL CONTROL_FILE SEED RATE`: the file holds `{"factor": f, "searches": per second}`.
"""

import asyncio
import contextlib
import json
import math
import random
import sys
import time
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

DAY_SECONDS = 120.0
SWING = 0.35
COUNTRIES = ("de", "de", "de", "fr", "it", "at", "pl")
WORDS = ("lamp", "oak", "wool", "steel", "travel", "garden")


class Users:
    """What they do, one journey each."""

    def __init__(self, session: ClientSession, url: str, chance: random.Random) -> None:
        self._session, self._url, self._chance = session, url, chance

    async def journey(self) -> None:
        """Look around; perhaps buy."""
        chance = self._chance
        user = chance.randrange(1, 400)
        kind = chance.random()
        if kind < 0.4:
            await self._get(f"/home?user={user}&category={chance.randrange(12)}")
        elif kind < 0.6:
            await self._get(f"/product/{chance.randrange(1, 401)}")
        elif kind < 0.72:
            await self.search()
        else:
            await self._buy(user)

    async def search(self) -> None:
        """Look for something."""
        await self._get(f"/search?q={self._chance.choice(WORDS)}")

    async def _buy(self, user: int) -> None:
        chance = self._chance
        for _ in range(chance.choice((1, 1, 2))):
            item = {"sku": f"sku-{chance.randrange(1, 401)}", "quantity": 1, "price": chance.randrange(5, 90)}
            await self._post(f"/basket/{user}", item)
        await self._post("/order", {"user": user, "country": chance.choice(COUNTRIES)})

    async def _get(self, path: str) -> None:
        with contextlib.suppress(ClientError, TimeoutError):
            async with self._session.get(self._url + path) as answer:
                await answer.read()

    async def _post(self, path: str, body: Any) -> None:
        with contextlib.suppress(ClientError, TimeoutError):
            async with self._session.post(self._url + path, json=body) as answer:
                await answer.read()


def read(control: Path) -> dict[str, Any]:
    """What the users are told."""
    said: dict[str, Any] = json.loads(control.read_text())
    return said


async def main(arguments: list[str]) -> None:
    """Arrive until killed."""
    url, control, seed, rate = arguments[0], Path(arguments[1]), arguments[2], float(arguments[3])
    chance = random.Random(seed)  # noqa: S311 - arrivals are no secret
    phase = chance.random() * math.tau
    connector = TCPConnector(force_close=True, limit=300)
    began = time.monotonic()
    async with ClientSession(connector=connector, timeout=ClientTimeout(total=8)) as session:
        users = Users(session, url, chance)
        running: set[asyncio.Task[None]] = set()
        while True:
            said = read(control)
            day = 1 + SWING * math.sin(phase + (time.monotonic() - began) / DAY_SECONDS * math.tau)
            normal, searches = rate * day * float(said.get("factor", 1.0)), float(said.get("searches", 0.0))
            await asyncio.sleep(chance.expovariate(normal + searches))
            one = users.journey() if chance.random() < normal / (normal + searches) else users.search()
            task = asyncio.create_task(one)
            running.add(task)
            task.add_done_callback(running.discard)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
