"""A keep-alive HTTP/1.1 connection for measuring: little code between the bytes and the clock."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httptools

ANSWER_SECONDS_MAX = 60


@dataclass
class Answer:
    status: int
    body: bytes


def request(
    method: str, path: str, token: str = "", body: bytes = b"", content_type: str = "application/json"
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body or method == "POST":
        lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Connection(asyncio.Protocol):
    """One exchange at a time."""

    def __init__(self) -> None:
        self.transport: Any
        self.answered: asyncio.Future[Answer] | None = None
        self.on_bytes: Callable[[bytes], None] | None = None
        self.parser = httptools.HttpResponseParser(self)
        self.body = bytearray()

    @classmethod
    async def open(cls, port: int) -> "Connection":
        _, connection = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return connection

    async def exchange(
        self, request: bytes, on_bytes: Callable[[bytes], None] | None = None
    ) -> Answer:
        """`on_bytes` is given the body's pieces as they arrive."""
        self.answered = asyncio.get_running_loop().create_future()
        self.on_bytes = on_bytes
        self.parser = httptools.HttpResponseParser(self)
        self.body.clear()
        self.transport.write(request)
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            return await self.answered

    def close(self) -> None:
        self.transport.close()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def connection_lost(self, error: Exception | None) -> None:
        if self.answered and not self.answered.done():
            self.answered.set_exception(error or ConnectionResetError("closed before the answer"))

    def on_body(self, data: bytes) -> None:
        self.body += data
        if self.on_bytes:
            self.on_bytes(data)

    def on_message_complete(self) -> None:
        if self.answered and not self.answered.done():
            self.answered.set_result(Answer(self.parser.get_status_code(), bytes(self.body)))
