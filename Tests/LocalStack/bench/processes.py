"""How soon each process answers after its start, and what it holds when nobody asks it anything.

The peer is a Python service that does nothing: Starlette on uvicorn, as the scripted model is served.
"""

import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench import meters
from bench.figures import Table, interleaved, median_of
from bench.world import SERVICES, Bench
from stack.component import Component, StackError, base_environment
from stack.engines import scripted_model
from stack.ports import find_free

ROUNDS = 5
# Long enough for what a start leaves behind to be given back.
SETTLE_SECONDS = 1.0
START_SECONDS_MAX = 30
POLL_SECONDS = 0.001
PEER = "Python"


@dataclass
class Start:
    ms: float
    rss_mb: float


def measure(bench: Bench) -> None:
    settings = bench.settings("processes")
    bench.command("admin", "migrate", **settings)

    def of(name: str) -> Callable[[], Start]:
        if name == PEER:
            return lambda: start(bench, scripted_model(port := find_free()), port, "/health")
        path = "/health" if name == "gateway" else "/internal/health"
        return lambda: start(bench, bench.service(name, settings, port := find_free()), port, path)

    taken = interleaved(ROUNDS, {name: of(name) for name in (*SERVICES, PEER)})
    table = Table(["process", "first answer ms", "idle RSS MB"])
    for name, starts in taken.items():
        table.add(name, median_of(starts, "ms"), median_of(starts, "rss_mb"))
    print(f"medians of {ROUNDS}; the peer is an empty Starlette service on uvicorn")
    print(table, flush=True)


def start(bench: Bench, component: Component, port: int, path: str) -> Start:
    log = bench.stack.log(f"start-{component.name}")
    with log.open("wb") as output:
        begun = time.perf_counter()
        process = subprocess.Popen(
            component.command, env=base_environment() | component.environment,
            cwd=component.folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )
    try:
        wait_for_answer(process, port, path)
        milliseconds = (time.perf_counter() - begun) * 1000
        time.sleep(SETTLE_SECONDS)
        return Start(milliseconds, meters.rss_mb([process.pid]))
    except TimeoutError:
        end = log.read_text(errors="replace")[-2000:]
        raise StackError(f"{component.name} did not answer:\n{end}") from None
    finally:
        process.terminate()
        try:
            process.wait(component.stop_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_answer(process: subprocess.Popen[bytes], port: int, path: str) -> None:
    """Asked by hand: an HTTP library's own start would be part of the figure."""
    deadline = time.perf_counter() + START_SECONDS_MAX
    question = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    while time.perf_counter() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
                connection.sendall(question)
                if connection.recv(64).startswith(b"HTTP/1.1 200"):
                    return
        except OSError:
            time.sleep(POLL_SECONDS)
    raise TimeoutError
