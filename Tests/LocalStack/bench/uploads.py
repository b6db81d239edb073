"""Uploads as a browser sends them."""

import asyncio
import json

from bench.connection import Connection, request
from stack.component import StackError

BOUNDARY = "benchmark-0123456789"


def upload_all(port: int, token: str, files: list[tuple[str, bytes]]) -> None:
    """One after another, without waiting for their being indexed."""
    asyncio.run(send(port, token, files))


async def send(port: int, token: str, files: list[tuple[str, bytes]]) -> None:
    connection = await Connection.open(port)
    for name, content in files:
        answer = await connection.exchange(upload(token, name, content))
        if answer.status != 201:
            raise StackError(f"an upload was answered with {answer.status}: {answer.body!r}")
        if json.loads(answer.body)["status"] == "failed":
            raise StackError(f"{name} could not be indexed: {answer.body!r}")
    connection.close()


def upload(token: str, name: str, content: bytes) -> bytes:
    head = (
        f"--{BOUNDARY}\r\n"
        f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    return request("POST", "/upload?wait=0", token, body, kind)
