"""The network between two services: a TCP proxy that delays, loses or cuts.

`python -P proxy.py CONTROL_FILE LISTEN:TARGET…`; the file: `{"LISTEN": {"delay": s, "loss": p, "cut": bool}}`.
A lost chunk is not lost for good, TCP sends it again: it comes after the retransmission timeouts that a lost
segment costs (0.2 s, doubled with each loss); one that is lost four times takes the connection with it.
"""

import asyncio
import contextlib
import json
import random
import sys
from pathlib import Path
from typing import Any

RETRANSMIT_SECONDS = 0.2
GIVES_UP_AFTER = 4


class Link:
    """One direction-less link between a caller and a callee."""

    def __init__(self, control: Path, listen: int, target: int) -> None:
        self._control, self._listen, self._target = control, listen, target
        self._chance = random.Random(listen)  # noqa: S311 - which chunk is lost is no secret

    async def serve(self) -> None:
        """Pass connections on until killed."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", self._listen)
        await server.serve_forever()

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self._control.read_text()).get(str(self._listen), {})
        return state

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._state().get("cut"):
            await asyncio.sleep(30)  # nothing comes back, as behind a dropped route
            writer.close()
            return
        try:
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()  # refused, as the caller would have seen without the proxy
            return
        await asyncio.gather(self._pump(reader, to_writer), self._pump(to_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while chunk := await reader.read(16_384):
                state = self._state()
                if not await self._delivered(state):
                    writer.transport.abort()
                    return
                writer.write(chunk)
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof() if writer.can_write_eof() else writer.close()

    async def _delivered(self, state: dict[str, Any]) -> bool:
        """Wait as long as the chunk takes; False when it never arrives."""
        if state.get("cut"):
            await asyncio.sleep(30)
            return False
        delay = float(state.get("delay", 0.0))
        if delay:
            await asyncio.sleep(delay * self._chance.uniform(0.8, 1.2))
        lost, wait = 0, RETRANSMIT_SECONDS
        while self._chance.random() < float(state.get("loss", 0.0)):
            lost += 1
            if lost == GIVES_UP_AFTER:
                return False
            await asyncio.sleep(wait)
            wait *= 2
        return True


async def main(arguments: list[str]) -> None:
    """Serve every link."""
    control = Path(arguments[0])
    pairs = [tuple(map(int, pair.split(":"))) for pair in arguments[1:]]
    await asyncio.gather(*(Link(control, listen, target).serve() for listen, target in pairs))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
