"""Five hundred answers at once through one chat process and one gateway, at a reader's pace.

The model and all readers are one program of ours with one clock: each token is the time it was sent.
"""

import json
import subprocess
from typing import Any

from bench import meters
from bench.figures import number
from bench.world import Bench
from stack.component import StackError
from stack.ports import find_free

NAME = "streams"
STREAM_COUNT, TOKEN_COUNT, INTERVAL_MS = 500, 400, 50
# A hundred questions a second until all streams run, for three quarters of each one's time.
ARRIVAL_MS = 10
SECONDS_MAX = 120


def measure(bench: Bench) -> None:
    model_port = find_free()
    readers = bench.folder / "readers"
    readers.write_text("\n".join(bench.token(f"reader-{index}") for index in range(STREAM_COUNT)))
    urls = {
        "OPENAI_BASE_URL": f"http://127.0.0.1:{model_port}/v1",
        "OPENAI_EMBED_BASE_URL": f"{bench.scripted_url}/v1",
        "OPENAI_EMBED_QUERY_BASE_URL": f"{bench.scripted_url}/v1",
    }
    with bench.services(NAME, **urls) as services:
        names = ("chat", "gateway")
        before = {name: meters.rss_mb(services.pids(name)) for name in names}
        cpu = {name: meters.CPU(services.pids(name)) for name in names}
        report = run(
            bench, "--model-port", model_port, "--gateway-port", services.gateway_port,
            "--token-count", TOKEN_COUNT, "--interval-ms", INTERVAL_MS, "--arrival-ms", ARRIVAL_MS,
            "--readers", readers,
        )  # fmt: skip
        used = {name: meter.seconds() for name, meter in cpu.items()}
        after = {name: meters.rss_mb(services.pids(name)) for name in names}
    show(report, used, before, after)


def run(bench: Bench, *arguments: object) -> dict[str, Any]:
    done = subprocess.run(
        [str(bench.binaries / "StreamBenchmark"), *map(str, arguments)],
        capture_output=True, text=True, timeout=SECONDS_MAX, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise StackError(f"StreamBenchmark failed:\n{done.stdout}{done.stderr}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def show(
    report: dict[str, Any], used: dict[str, float], before: dict[str, float],
    after: dict[str, float],
) -> None:  # fmt: skip
    seconds = TOKEN_COUNT * INTERVAL_MS / 1000
    lost = report["wantedCount"] - report["arrivedCount"]
    print(
        f"{STREAM_COUNT} answers at once, {1000 // INTERVAL_MS} tokens a second each, {seconds:.0f} s, "
        f"asked {1000 // ARRIVAL_MS} a second: "
        f"{report['wholeCount']} whole, {lost:.0f} tokens lost, {report['lateCount']} later than 100 ms\n"
        f"a token on its way: p50 {number(report['p50'])} ms, p99 {number(report['p99'])} ms, "
        f"longest {number(report['most'])} ms"
    )
    for end in report["brokenEnds"]:
        print(f"not whole: {end.strip()!r}")
    for name, cpu in used.items():
        print(
            f"{name}: {number(cpu * 1_000_000 / report['wantedCount'])} µs of CPU a token, "
            f"{before[name]:.0f} MB before, {after[name]:.0f} MB after"
        )
