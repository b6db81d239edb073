"""python -m bench.sink --port P: reads requests whole and answers each with a small document.

nginx alone cannot play this part: it answers before the body has come.
"""

import asyncio
from typing import Any

import httptools
import uvloop

from models import serving

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Sink(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.transport.write(ANSWER)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    await server.serve_forever()


uvloop.run(serve(serving.arguments("takes uploads").parse_args().port))
