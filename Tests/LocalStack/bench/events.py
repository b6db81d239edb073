"""Open event streams through the gateway, beside nginx: how late events are, what a stream costs."""

import asyncio
import os
import re
import time
from dataclasses import dataclass
from typing import Any

import uvloop

from bench import meters, nginx
from bench.connection import request
from bench.figures import Table, interleaved, median_of, number, percentile, ratio
from bench.gateway import Proxy
from bench.world import Bench
from stack.component import Component, StackError
from stack.engines import OUR_MODULES, module
from stack.ports import find_free, listening_inodes

STREAM_COUNT, SECONDS, ROUNDS = 1000, 10, 3
OPEN_COUNT, OPEN_SECONDS = 5000, 20
OPENINGS_AT_ONCE = 50
STREAM = "/chat/00000000-0000-4000-8000-000000000000/stream?seconds="
EVENT = re.compile(rb"data: (\d+)\n")


@dataclass
class Turn:
    p50: float
    p99: float
    most: float
    cpu_us: float


class Reader(asyncio.Protocol):
    """Notes how late each event is, in milliseconds."""

    def __init__(self, request: bytes, lateness: list[float]) -> None:
        self.request, self.lateness = request, lateness
        self.count = 0
        self.is_open = True

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self.request)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        for sent in EVENT.findall(data):
            self.count += 1
            self.lateness.append((now - int(sent)) / 1_000_000)


def measure(bench: Bench) -> None:
    ours, theirs = start(bench)
    token = bench.token("listener")
    taken = interleaved(
        ROUNDS,
        {proxy.name: lambda proxy=proxy: listen(proxy, token) for proxy in (ours, theirs)},
    )
    table = Table(["an event on its way", "ours", "nginx", "ratio"])
    for name, shown in (
        ("p50", "p50, ms"), ("p99", "p99, ms"), ("most", "longest, ms"), ("cpu_us", "CPU, µs")
    ):  # fmt: skip
        values = [median_of(taken[proxy.name], name) for proxy in (ours, theirs)]
        table.add(shown, *values, ratio(*values))
    print(f"{STREAM_COUNT} streams, an event a second on each, {SECONDS} s; medians of {ROUNDS}")
    print(table, "\n", flush=True)
    table = Table([f"{OPEN_COUNT} streams", "alive", "KB each"])
    for proxy in (ours, theirs):
        table.add(proxy.name, *uvloop.run(hold(proxy, token)))
    print(table, flush=True)


def start(bench: Bench) -> tuple[Proxy, Proxy]:
    source, own, peer = (find_free() for _ in range(3))
    bench.stack.start(
        Component(
            name="events", command=module("bench.event_source", "--port", str(source)),
            environment=OUR_MODULES, is_ready=lambda: bool(listening_inodes(source)),
        )
    )
    url = f"http://127.0.0.1:{source}"
    settings = {
        "APP_ENV": "dev", "LOG_LEVEL": "info", "OAUTH2_ISSUER": bench.issuer.url,
        "CHAT_URL": url, "INGEST_URL": url, "ADMIN_URL": url,
    } | bench.gateway_keys  # fmt: skip
    workers = os.cpu_count() or 1
    bench.stack.start(
        bench.service("gateway", settings, own),
        nginx.proxy(bench.folder / "events", peer, source, source, workers),
    )
    pids = {one.name: process.pid for one, process, _ in bench.stack.running}
    return (
        Proxy("ours", own, [pids["gateway"]]),
        Proxy("nginx", peer, meters.with_children(pids["nginx-proxy"])),
    )


def listen(proxy: Proxy, token: str) -> Turn:
    async def run() -> Turn:
        lateness: list[float] = []
        readers = await open_streams(proxy, token, STREAM_COUNT, 1, lateness)
        lateness.clear()
        cpu = meters.CPU(proxy.pids)
        await asyncio.sleep(SECONDS)
        used, events = cpu.seconds(), list(lateness)
        close(readers)
        if len(events) < STREAM_COUNT * (SECONDS - 1) or not all(one.is_open for one in readers):
            raise StackError(f"events were lost by {proxy.name}: {len(events)} came")
        return Turn(
            percentile(events, 0.5), percentile(events, 0.99), max(events),
            used / len(events) * 1_000_000,
        )  # fmt: skip

    return uvloop.run(run())


async def hold(proxy: Proxy, token: str) -> tuple[float, float]:
    """How many of many streams go on, and the memory each takes."""
    before = meters.rss_mb(proxy.pids)
    readers = await open_streams(proxy, token, OPEN_COUNT, OPEN_SECONDS / 2, [])
    counts = [reader.count for reader in readers]
    await asyncio.sleep(OPEN_SECONDS)
    alive = sum(
        reader.is_open and reader.count > count
        for reader, count in zip(readers, counts, strict=True)
    )
    grown = meters.rss_mb(proxy.pids) - before
    close(readers)
    return alive, grown * 1024 / OPEN_COUNT


async def open_streams(
    proxy: Proxy, token: str, count: int, seconds: float, lateness: list[float]
) -> list[Reader]:
    """Evenly over a second or more, so that their events are spread too."""
    loop = asyncio.get_running_loop()
    asked = request("GET", f"{STREAM}{number(seconds)}", token)
    readers: list[Reader] = []
    for index in range(count):
        _, reader = await loop.create_connection(
            lambda: Reader(asked, lateness), "127.0.0.1", proxy.port
        )
        readers.append(reader)
        if index % OPENINGS_AT_ONCE == 0:
            await asyncio.sleep(OPENINGS_AT_ONCE / 1000)
    async with asyncio.timeout(30):
        while not all(reader.count for reader in readers):
            await asyncio.sleep(0.1)
    return readers


def close(readers: list[Reader]) -> None:
    for reader in readers:
        reader.transport.close()
