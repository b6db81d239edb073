"""A relay that keeps the requests it passes on, so that they can be repeated without us."""

import asyncio
import threading
from typing import Any

import httptools

REQUESTS_MAX = 1000
STOP_SECONDS = 5


class Recorder:
    """Listens on a port of this machine while the block runs."""

    def __init__(self, port: int, upstream: int) -> None:
        self.port, self.upstream = port, upstream
        self.requests: list[tuple[str, bytes]] = []
        self.loop = asyncio.new_event_loop()
        self.listening = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Recorder":
        self.thread.start()
        self.listening.wait(STOP_SECONDS)
        return self

    def __exit__(self, *_: Any) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(STOP_SECONDS)

    def bodies(self, path_end: str) -> list[tuple[str, bytes]]:
        """Paths and bodies of what was asked at addresses that end so."""
        return [one for one in self.requests if one[0].endswith(path_end)]

    def _run(self) -> None:
        starting = asyncio.start_server(self._relay, "127.0.0.1", self.port)
        server = self.loop.run_until_complete(starting)
        self.listening.set()
        self.loop.run_forever()
        server.close()
        self.loop.run_until_complete(self._end_relays())
        self.loop.close()

    async def _end_relays(self) -> None:
        relays = asyncio.all_tasks() - {asyncio.current_task()}
        for relay in relays:
            relay.cancel()
        await asyncio.gather(*relays, return_exceptions=True)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        watcher = Watcher(self.requests)
        await asyncio.gather(
            pump(reader, inner_writer, watcher), pump(inner_reader, writer, None),
            return_exceptions=True,
        )


class Watcher:
    """httptools' callbacks, for the requests of one connection."""

    def __init__(self, requests: list[tuple[str, bytes]]) -> None:
        self.requests = requests
        self.parser = httptools.HttpRequestParser(self)

    def on_message_begin(self) -> None:
        self.path, self.body = b"", b""

    def on_url(self, url: bytes) -> None:
        self.path += url

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        if len(self.requests) < REQUESTS_MAX:
            self.requests.append((self.path.decode(), self.body))


async def pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, watcher: Watcher | None
) -> None:
    while data := await reader.read(1 << 16):
        if watcher:
            watcher.parser.feed_data(data)
        writer.write(data)
        await writer.drain()
    writer.close()
