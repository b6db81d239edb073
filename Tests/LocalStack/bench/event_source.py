"""python -m bench.event_source --port P: event streams, an event every so many seconds on each.

Each event is the time it was sent, by the clock that all processes of a machine share. How often is in
the address: `?seconds=1`.
"""

import asyncio
import time
from typing import Any

import httptools
import uvloop

from models import serving

READY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


class Source(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)
        self.next: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def connection_lost(self, error: Exception | None) -> None:
        if self.next:
            self.next.cancel()

    def on_url(self, url: bytes) -> None:
        self.url = url

    def on_message_complete(self) -> None:
        _, is_stream, seconds = self.url.partition(b"?seconds=")
        if is_stream:
            self.transport.write(HEAD)
            self.send(float(seconds))
        else:
            self.transport.write(READY)

    def send(self, seconds: float) -> None:
        event = b"data: %d\n\n" % time.monotonic_ns()
        self.transport.write(b"%x\r\n%b\r\n" % (len(event), event))
        self.next = asyncio.get_running_loop().call_later(seconds, self.send, seconds)


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Source, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


uvloop.run(serve(serving.arguments("sends events").parse_args().port))
