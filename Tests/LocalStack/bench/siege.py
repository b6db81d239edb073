"""The gateway while thousands of clients hold it up: what others notice, and what it costs.

Others ask at a steady rate, on connections of their own. Whatever besieges shares the machine with the
gateway, so their latency is the upper bound of what the gateway adds.
"""

import asyncio
import multiprocessing
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import uvloop

from bench import meters, nginx, rated
from bench.connection import request
from bench.figures import Table, percentile
from bench.world import Bench
from stack.component import StackError
from stack.ports import find_free

RATE, SECONDS = 200, 12
IDLE_COUNT, SLOW_COUNT, SILENT_COUNT, FLOOD_COUNT = 10_000, 2000, 2000, 50
HEADER_SECONDS, IDLE_SECONDS = 5, 60
OPENINGS_AT_ONCE = 100


@dataclass
class Besieger(asyncio.Protocol):
    """One connection that is no good client; notes how it ended."""

    opening: bytes
    answers: Counter[str] = field(default_factory=Counter)
    received: bytes = b""
    is_open: bool = False
    transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport, self.is_open = transport, True
        transport.write(self.opening)

    def data_received(self, data: bytes) -> None:
        self.received += data

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        status = self.received.split(b" ", 2)[1:2]
        self.answers[status[0].decode() if status else "closed"] += 1


@dataclass
class Siege:
    port: int
    token: str
    answers: Counter[str] = field(default_factory=Counter)
    besiegers: list[Besieger] = field(default_factory=list)

    async def open(self, opening: bytes) -> Besieger:
        _, besieger = await asyncio.get_running_loop().create_connection(
            lambda: Besieger(opening, self.answers), "127.0.0.1", self.port
        )
        self.besiegers.append(besieger)
        return besieger

    async def open_many(self, count: int, opening: bytes) -> None:
        for start in range(0, count, OPENINGS_AT_ONCE):
            await asyncio.gather(*(self.open(opening) for _ in range(OPENINGS_AT_ONCE)))
            await asyncio.sleep(0.01)

    async def idle(self, _: asyncio.Event) -> None:
        """Each has had one answer."""
        await self.open_many(IDLE_COUNT, request("GET", "/ping", self.token))

    async def slow(self, is_over: asyncio.Event) -> None:
        """A head that comes a byte a second."""
        await self.open_many(SLOW_COUNT, b"GET /ping HTTP/1.1\r\nX-Slow: ")
        while not is_over.is_set():
            for besieger in self.besiegers:
                if besieger.is_open:
                    besieger.transport.write(b"a")
            await asyncio.sleep(1)

    async def silent(self, _: asyncio.Event) -> None:
        """Half a head, and nothing more."""
        await self.open_many(SILENT_COUNT, b"POST /chat HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-")

    async def flood(self, is_over: asyncio.Event) -> None:
        """Headers without end, on a new connection as soon as the last one is cut off."""
        line = b"X-Junk: " + b"a" * 1000 + b"\r\n"

        async def one() -> None:
            while not is_over.is_set():
                besieger = await self.open(b"GET /ping HTTP/1.1\r\nHost: 127.0.0.1\r\n")
                for _ in range(2000):
                    if is_over.is_set() or not besieger.is_open:
                        break
                    besieger.transport.write(line)
                    await asyncio.sleep(0)
                besieger.transport.close()
                self.besiegers.remove(besieger)
                await asyncio.sleep(0)

        await asyncio.gather(*(one() for _ in range(FLOOD_COUNT)))


def measure(bench: Bench) -> None:
    folder = bench.folder / "siege"
    folder.mkdir()
    upstream, port = find_free(), find_free()
    bench.stack.start(nginx.upstream(folder / "upstream", upstream))
    url = f"http://127.0.0.1:{upstream}"
    settings = {
        "APP_ENV": "dev", "LOG_LEVEL": "error", "OAUTH2_ISSUER": bench.issuer.url,
        "CHAT_URL": url, "INGEST_URL": url, "ADMIN_URL": url,
        "HEADER_SECONDS": str(HEADER_SECONDS), "IDLE_SECONDS": str(IDLE_SECONDS),
    } | bench.gateway_keys  # fmt: skip
    bench.stack.start(bench.service("gateway", settings, port))
    pids = [process.pid for one, process, _ in bench.stack.running if one.name == "gateway"]
    token = bench.token("besieged")
    table = Table(["siege", "p50 ms", "p99 ms", "longest ms", "grows MB", "CPU s"])
    ends: list[str] = []
    ways: dict[str, Callable[[Siege], Callable[[asyncio.Event], Awaitable[None]]] | None] = {
        "none": None,
        f"{IDLE_COUNT} idle connections": lambda siege: siege.idle,
        f"{SLOW_COUNT} slow heads": lambda siege: siege.slow,
        f"{SILENT_COUNT} half heads": lambda siege: siege.silent,
        f"{FLOOD_COUNT} floods of headers": lambda siege: siege.flood,
    }
    for name, way in ways.items():
        siege = Siege(port, token)
        meters.forget_peak(pids)
        before, cpu = meters.rss_mb(pids), meters.CPU(pids)
        latencies = ask_meanwhile(siege, way(siege) if way else None)
        used = cpu.seconds()
        shares = [percentile(latencies, share) for share in (0.5, 0.99, 1)]
        table.add(name, *shares, meters.peak_rss_mb(pids) - before, used)
        ends.append(f"{name}: {dict(siege.answers) or 'all open'}")
    print(f"others ask {RATE} times a second for {SECONDS} s; none is refused or lost")
    print(table)
    print("how the others ended\n" + "\n".join(ends[1:]), flush=True)


def ask_meanwhile(
    siege: Siege, way: Callable[[asyncio.Event], Awaitable[None]] | None
) -> list[float]:
    """Latencies of those who ask, while the siege goes on in a process of its own."""
    context = multiprocessing.get_context("fork")
    over, (ours, theirs) = context.Event(), context.Pipe()

    async def besiege() -> None:
        is_over = asyncio.Event()
        work = asyncio.ensure_future(way(is_over)) if way else None
        while not over.is_set():
            await asyncio.sleep(0.05)
        is_over.set()
        if work:
            await work
        theirs.send(siege.answers)

    besieging = context.Process(target=lambda: uvloop.run(besiege()), daemon=True)
    besieging.start()
    asked = [request("GET", "/conversations", siege.token)]
    latencies = rated.latencies_ms(siege.port, asked, RATE, SECONDS)
    over.set()
    if not ours.poll(SECONDS):
        besieging.kill()
        raise StackError("the siege failed (see above)")
    siege.answers = ours.recv()
    besieging.join()
    return latencies
