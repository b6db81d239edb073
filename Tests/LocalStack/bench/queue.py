"""The job queue beside pgbench running the same three statements on the same Postgres."""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Table, interleaved, median_of, number, percentile, ratio
from bench.world import Bench
from stack import postgres
from stack.component import StackError, base_environment

CLIENTS = (1, 4)
ROUNDS = 3
SECONDS = 4
# Jobs that wait from the start, so that every claim finds one.
WAITING = 200
RATE, RATE_SECONDS = 200, 10
STATEMENTS = Path(__file__).with_name("queue.sql")
# What ours binds alike; who asks is the client's number.
PARAMETERS = {
    "kind": "benchmark", "kinds": "{benchmark}", "payload": "{}", "priority": "1", "cost": "1",
    "channel": "celine_jobs", "worker": "benchmark", "lease_seconds": "20", "wait_seconds": "0",
}

PROCESSED = re.compile(r"number of transactions actually processed: (\d+)")
FAILED = re.compile(r"number of failed transactions: (\d+)")
TPS = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)


@dataclass
class Turn:
    jobs_per_second: float
    cpu_us: float


def measure(bench: Bench) -> None:
    url = bench.database_url("queue")
    table = Table(
        ["clients", "ours jobs/s", "pgbench jobs/s", "ratio", "ours CPU µs", "pgbench CPU µs"]
    )
    for clients in CLIENTS:
        taken = interleaved(
            ROUNDS,
            {"ours": lambda: ours(bench, url, clients), "pgbench": lambda: pgbench(url, clients)},
        )
        rates = [median_of(taken[name], "jobs_per_second") for name in ("ours", "pgbench")]
        cpu = [median_of(taken[name], "cpu_us") for name in ("ours", "pgbench")]
        table.add(str(clients), *rates, ratio(*rates), *cpu)
    print(f"enqueue, claim, complete; medians of {ROUNDS}; CPU of the client, for one job")
    print(table, "\n", flush=True)
    waits = pickup(bench, url)
    print(f"from asking for a job until its handler runs, {RATE} a second for {RATE_SECONDS} s:")
    print(f"p50 {number(percentile(waits, 0.5))} ms, p99 {number(percentile(waits, 0.99))} ms")


def ours(bench: Bench, url: str, clients: int) -> Turn:
    program = str(bench.binaries / "QueueBenchmark")
    printed, cpu = run(
        [
            program, "throughput", "--clients", str(clients), "--seconds", str(SECONDS),
            "--waiting", str(WAITING),
        ],
        DATABASE_URL=url,
    )
    report = json.loads(printed)
    count = report["jobCount"]
    return Turn(count / report["seconds"], cpu / count * 1_000_000)


def pgbench(url: str, clients: int) -> Turn:
    """On the jobs that our turn left waiting, and on its schema."""
    program = str(postgres.binaries() / "pgbench")
    printed, cpu = run(
        [
            program, "--no-vacuum", "--protocol", "prepared", "--client", str(clients),
            "--jobs", str(min(clients, os.cpu_count() or 1)), "--time", str(SECONDS),
            *(f"--define={name}={value}" for name, value in PARAMETERS.items()),
            "--file", str(STATEMENTS), url,
        ],
        PGOPTIONS="-c search_path=celine_assistant",
    )
    count, rate = parse_pgbench(printed)
    return Turn(rate, cpu / count * 1_000_000)


def parse_pgbench(printed: str) -> tuple[int, float]:
    count, rate, failed = (one.search(printed) for one in (PROCESSED, TPS, FAILED))
    if not count or not rate or (failed and failed.group(1) != "0"):
        raise StackError(f"pgbench did not do its work:\n{printed}")
    return int(count.group(1)), float(rate.group(1))


def pickup(bench: Bench, url: str) -> list[float]:
    program = str(bench.binaries / "QueueBenchmark")
    printed, _ = run(
        [program, "pickup", "--rate", str(RATE), "--seconds", str(RATE_SECONDS)], DATABASE_URL=url
    )
    return json.loads(printed)["latenciesMs"]


def run(command: list[str], **environment: str) -> tuple[str, float]:
    """What it printed, and the CPU seconds it used."""
    before = os.times()
    done = subprocess.run(
        command, env=base_environment() | environment, capture_output=True, text=True,
        timeout=120, check=False,
    )
    after = os.times()
    if done.returncode != 0:
        raise StackError(f"{command[0]} failed:\n{done.stdout[-1000:]}{done.stderr[-1000:]}")
    used = after.children_user + after.children_system
    return done.stdout, used - before.children_user - before.children_system
