"""Requests at a steady rate, and how long each took."""

import asyncio
import time

import uvloop

from bench.connection import Connection
from stack.component import StackError

QUEUE_MAX = 10_000


def latencies_ms(
    port: int, requests: list[bytes], rate: int, seconds: float, connections: int = 32
) -> list[float]:
    """Of each request, in turn. One that had to wait for a free connection counts from when it was due."""
    return uvloop.run(send(port, requests, rate, seconds, connections))


async def send(
    port: int, requests: list[bytes], rate: int, seconds: float, connections: int
) -> list[float]:
    due: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue(QUEUE_MAX)
    latencies: list[float] = []

    async def work() -> None:
        connection = await Connection.open(port)
        while (next_one := await due.get()) is not None:
            asked_at, request = next_one
            answer = await connection.exchange(request)
            latencies.append((time.perf_counter() - asked_at) * 1000)
            if answer.status != 200:
                raise StackError(f"a request was answered with {answer.status}")
        connection.close()

    async def ask() -> None:
        start = time.perf_counter()
        for number in range(int(rate * seconds)):
            at = start + number / rate
            if (pause := at - time.perf_counter()) > 0:
                await asyncio.sleep(pause)
                at = time.perf_counter()
            await due.put((at, requests[number % len(requests)]))
        for _ in range(connections):
            await due.put(None)

    await asyncio.gather(ask(), *(work() for _ in range(connections)))
    return latencies
