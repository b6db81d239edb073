"""The gateway beside nginx, before one upstream: small requests, latency, large bodies.

Ours verifies a token on each request and nginx none, so a ratio of 1 would be a gift. Both write an
access log, and both may use every core.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import meters, nginx, rated, wrk
from bench.connection import request
from bench.figures import Table, interleaved, median_of, number, percentile, ratio
from bench.world import Bench
from stack.component import Component, StackError
from stack.engines import OUR_MODULES, module
from stack.ports import find_free, listening_inodes

SMALL, LARGE, UPLOAD = "/conversations", "/sources/large", "/upload"
CONNECTIONS = (1, 32, 256)
ROUNDS = 5
SECONDS = 2
RATE, RATE_SECONDS, RATE_ROUNDS = 2000, 3, 3
USER_COUNT = 64
LARGE_BYTES = 200_000_000
LARGE_ROUNDS = 3
FRESH_COUNT = 3000


@dataclass
class Proxy:
    name: str
    port: int
    pids: list[int]


@dataclass
class Turn:
    rate: float
    cpu_us: float


@dataclass
class Transfer:
    mb_per_second: float
    grown_mb: float


def measure(bench: Bench) -> None:
    folder = bench.folder / "gateway"
    (folder / "upstream").mkdir(parents=True)
    large = folder / "upstream" / "large"
    large.write_bytes(os.urandom(1_000_000) * (LARGE_BYTES // 1_000_000))
    token_file = folder / "tokens"
    users = [bench.token(f"user-{index}") for index in range(USER_COUNT)]
    token_file.write_text("\n".join(users))
    ours, theirs = start(bench, folder)
    compare_rates(ours, theirs, token_file)
    compare_latencies(ours, theirs, users)
    show_fresh_tokens(bench, ours)
    compare_transfers(ours, theirs, large, users[0])


def start(bench: Bench, folder: Path) -> tuple[Proxy, Proxy]:
    upstream, sink, peer, own = (find_free() for _ in range(4))
    bench.stack.start(
        nginx.upstream(folder / "upstream", upstream),
        Component(
            name="sink", command=module("bench.sink", "--port", str(sink)),
            environment=OUR_MODULES, is_ready=lambda: bool(listening_inodes(sink)),
        ),
    )
    documents = f"http://127.0.0.1:{upstream}"
    settings = {
        "APP_ENV": "dev", "LOG_LEVEL": "info", "OAUTH2_ISSUER": bench.issuer.url,
        "CHAT_URL": documents, "INGEST_URL": f"http://127.0.0.1:{sink}", "ADMIN_URL": documents,
        "MAX_UPLOAD_MB": str(LARGE_BYTES // 1_000_000 + 1),
    } | bench.gateway_keys
    bench.stack.start(
        bench.service("gateway", settings, own),
        nginx.proxy(folder / "proxy", peer, upstream, sink, workers=os.cpu_count() or 1),
    )
    pids = {one.name: process.pid for one, process, _ in bench.stack.running}
    return (
        Proxy("ours", own, [pids["gateway"]]),
        Proxy("nginx", peer, meters.with_children(pids["nginx-proxy"])),
    )


def compare_rates(ours: Proxy, theirs: Proxy, token_file: Path) -> None:
    table = Table(
        ["connections", "ours req/s", "nginx req/s", "ratio", "ours CPU µs", "nginx CPU µs", "ratio"]
    )
    for proxy in (ours, theirs):
        load(proxy, token_file, 32)
    for connections in CONNECTIONS:
        taken = interleaved(
            ROUNDS,
            {
                "ours": lambda: load(ours, token_file, connections),
                "nginx": lambda: load(theirs, token_file, connections),
            },
        )
        rates = [median_of(taken[name], "rate") for name in ("ours", "nginx")]
        cpu = [median_of(taken[name], "cpu_us") for name in ("ours", "nginx")]
        table.add(str(connections), *rates, ratio(*rates), *cpu, ratio(*cpu))
    print(f"small answers, a verified token on each request of ours; medians of {ROUNDS}")
    print(table, flush=True)
    print(f"idle afterwards: ours {number(meters.rss_mb(ours.pids))} MB", end=", ")
    print(f"nginx {number(meters.rss_mb(theirs.pids))} MB in {len(theirs.pids)} processes\n")


def load(proxy: Proxy, token_file: Path, connections: int) -> Turn:
    cpu = meters.CPU(proxy.pids)
    load = wrk.run(proxy.port, SMALL, token_file, connections, SECONDS)
    return Turn(load.rate, cpu.seconds() / load.count * 1_000_000)


def compare_latencies(ours: Proxy, theirs: Proxy, users: list[str]) -> None:
    requests = [request("GET", SMALL, token) for token in users]
    taken = interleaved(
        RATE_ROUNDS,
        {
            proxy.name: lambda proxy=proxy: rated.latencies_ms(
                proxy.port, requests, RATE, RATE_SECONDS
            )
            for proxy in (ours, theirs)
        },
    )
    shares = (0.5, 0.99)
    figures = [
        [median(percentile(turn, share) for turn in taken[proxy.name]) for share in shares]
        for proxy in (ours, theirs)
    ]
    table = Table(["latency", "ours ms", "nginx ms", "ratio"])
    for name, own, peer in zip(("p50", "p99"), *figures, strict=True):
        table.add(name, own, peer, ratio(own, peer))
    print(f"{RATE} requests a second, for {RATE_SECONDS} s; medians of {RATE_ROUNDS}")
    print(table, "\n", flush=True)


def show_fresh_tokens(bench: Bench, ours: Proxy) -> None:
    """What verifying costs when no cache helps: each request is the first of its token."""
    fresh = [request("GET", SMALL, bench.token(f"fresh-{n}")) for n in range(FRESH_COUNT)]
    first, again = (cpu_us_of_each(ours, fresh) for _ in range(2))
    print("CPU of one request, by whether its token was seen before")
    print(f"never {number(first)} µs, before {number(again)} µs\n", flush=True)


def cpu_us_of_each(proxy: Proxy, requests: list[bytes]) -> float:
    cpu = meters.CPU(proxy.pids)
    rated.latencies_ms(proxy.port, requests, RATE, len(requests) / RATE)
    return cpu.seconds() / len(requests) * 1_000_000


def compare_transfers(ours: Proxy, theirs: Proxy, large: Path, token: str) -> None:
    table = Table(
        ["200 MB", "ours MB/s", "nginx MB/s", "ratio", "ours grows MB", "nginx grows MB"]
    )
    ways = {
        "download": [LARGE, "--output", "/dev/null"],
        "upload": [UPLOAD, "--request", "POST", "--upload-file", str(large)],
    }
    for way, arguments in ways.items():
        taken = interleaved(
            LARGE_ROUNDS,
            {
                proxy.name: lambda proxy=proxy: transfer(proxy, token, *arguments)
                for proxy in (ours, theirs)
            },
        )
        rates = [median_of(taken[proxy.name], "mb_per_second") for proxy in (ours, theirs)]
        grown = [max(turn.grown_mb for turn in taken[proxy.name]) for proxy in (ours, theirs)]
        table.add(way, *rates, ratio(*rates), *grown)
    print(f"rates are medians of {LARGE_ROUNDS}, growth the most of them")
    print(table, flush=True)


def transfer(proxy: Proxy, token: str, path: str, *arguments: str) -> Transfer:
    meters.forget_peak(proxy.pids)
    before = meters.rss_mb(proxy.pids)
    done = subprocess.run(
        [
            "curl", "--silent", "--show-error", "--max-time", "60", "--header", "Expect:",
            "--header", f"Authorization: Bearer {token}", *arguments,
            "--write-out", "\n%{http_code} %{size_upload} %{size_download} %{time_total}",
            f"http://127.0.0.1:{proxy.port}{path}",
        ],
        capture_output=True, text=True, check=False,
    )
    status, sent, received, seconds = (done.stdout.splitlines() or [""])[-1].split() or [""] * 4
    if done.returncode != 0 or status != "200" or max(int(sent), int(received)) < LARGE_BYTES:
        raise StackError(f"a large transfer through {proxy.name} failed: {status} {done.stderr}")
    grown = meters.peak_rss_mb(proxy.pids) - before
    return Transfer(LARGE_BYTES / 1_000_000 / float(seconds), grown)
