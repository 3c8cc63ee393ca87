"""A TCP proxy that counts the bytes that pass."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Traffic:
    """Bytes since the last `reset`.

    Attributes:
        url: Where the proxy listens.
        sent: From the client to the server.
        received: From the server to the client.
    """

    url: str = ""
    sent: int = 0
    received: int = 0

    def reset(self) -> None:
        """Count from zero again."""
        self.sent = self.received = 0


@contextmanager
def counting_proxy(host: str, port: int) -> Iterator[Traffic]:
    """A proxy before a plain HTTP server, for the length of a `with`."""
    traffic = Traffic()
    loop = asyncio.new_event_loop()
    started = threading.Event()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, to_server: bool) -> None:
        while data := await reader.read(1 << 16):
            if to_server:
                traffic.sent += len(data)
            else:
                traffic.received += len(data)
            writer.write(data)
            await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(host, port)
        await asyncio.gather(
            pump(reader, server_writer, to_server=True),
            pump(server_reader, writer, to_server=False),
            return_exceptions=True,  # a side that hangs up is no error
        )

    async def listen() -> None:
        listening = await asyncio.start_server(serve, "127.0.0.1", 0)
        traffic.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        started.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(listen())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    started.wait()
    try:
        yield traffic
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
