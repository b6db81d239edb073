"""What chat and gateway add to an answer, before model endpoints that take no time.

The floor of a first token is what it cannot be without: the question's embedding, the search in the
vector engine and the model's own first token. These three are recorded once and repeated, byte for
byte, beside the questions. All the rest, our reads and writes in Postgres included, is ours.
"""

import asyncio
import json
import time
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit

import httpx

from bench import meters
from bench.connection import Connection, request
from bench.figures import Table, number, percentile
from bench.recorder import Recorder
from bench.uploads import upload_all
from bench.world import Bench, Services
from stack.component import StackError
from stack.materials import PAGES
from stack.ports import find_free

NAME = "chat"
QUESTION = "How much energy does the community battery store?"
WARM_COUNT, QUESTION_COUNT = 20, 200
FRAME = b'"type": "token"'

# Many answers side by side, so that a tick of the CPU's clock is small beside what they take.
STREAM_COUNT, TOKEN_COUNT, TOKEN_MS, RELAY_ROUNDS = 10, 400, 5, 3
OPEN_COUNT = 200


@dataclass
class Floor:
    """The three requests below us, and where they go."""

    embedding: bytes
    search: bytes
    model: bytes
    models_port: int
    engine_port: int


def measure(bench: Bench) -> None:
    token = bench.token("alice")
    floor = record_floor(bench, token)
    with bench.services(NAME) as services:
        compare_first_tokens(services, floor, token)
        show_relaying(bench, services)
        show_open_streams(bench, services)


def tell(bench: Bench, **order: object) -> None:
    """The chat model's script from now on."""
    order = {"model": f"{NAME}-chat"} | order
    path = "release" if "signal" in order else "script"
    httpx.post(f"{bench.scripted_url}/{path}", json=order, timeout=5, trust_env=False)


def record_floor(bench: Bench, token: str) -> Floor:
    """Asks one question through a recorder, about the sample pages."""
    engine_port = urlsplit(bench.qdrant_url).port or 0
    port = find_free()
    files = [(path.name, path.read_bytes()) for path in sorted(PAGES.rglob("*.md"))]
    with (
        Recorder(port, engine_port) as recorder,
        bench.services(NAME, QDRANT_URL=f"http://127.0.0.1:{port}") as services,
    ):
        upload_all(services.gateway_port, token, files)
        wait_until_indexed(bench)
        asyncio.run(ask_once(services, token))
        path, body = recorder.bodies("/points/query/batch")[-1]
    return Floor(
        embedding=recorded_model_request(bench, f"{NAME}-questions", "/v1/embeddings"),
        search=request("POST", path, body=body),
        model=recorded_model_request(bench, f"{NAME}-chat", "/v1/chat/completions"),
        models_port=urlsplit(bench.scripted_url).port or 0,
        engine_port=engine_port,
    )


def wait_until_indexed(bench: Bench) -> None:
    deadline = time.monotonic() + 60
    left = "SELECT count(*) FROM jobs WHERE kind = 'index_attachment' AND state <> 'done'"
    while bench.sql(NAME, left) != "0":
        if time.monotonic() > deadline:
            raise StackError("the pages were not indexed in a minute")
        time.sleep(0.1)


async def ask_once(services: Services, token: str) -> None:
    connection = await Connection.open(services.gateway_port)
    await first_token_ms(connection, chat_request(token))
    connection.close()


def recorded_model_request(bench: Bench, model: str, path: str) -> bytes:
    asked = httpx.get(
        f"{bench.scripted_url}/requests", params={"model": model}, timeout=5, trust_env=False
    ).json()["requests"]
    body = next(one["body"] for one in reversed(asked) if one["path"] == path)
    return request("POST", path, body=json.dumps(body).encode())


def chat_request(token: str) -> bytes:
    return request("POST", "/chat", token, json.dumps({"message": QUESTION}).encode())


async def first_token_ms(connection: Connection, asked: bytes, mark: bytes = FRAME) -> float:
    """Milliseconds until the mark; returns when the answer is whole."""
    first: list[float] = []

    def note(piece: bytes) -> None:
        if not first and mark in piece:
            first.append(time.perf_counter())

    start = time.perf_counter()
    answer = await connection.exchange(asked, note)
    if answer.status != 200 or not first:
        raise StackError(f"no answer: {answer.status} {answer.body[-400:]!r}")
    return (first[0] - start) * 1000


async def whole_ms(connection: Connection, asked: bytes) -> float:
    start = time.perf_counter()
    answer = await connection.exchange(asked)
    if answer.status != 200:
        raise StackError(f"a repeated request failed: {answer.status} {answer.body[:200]!r}")
    return (time.perf_counter() - start) * 1000


def compare_first_tokens(services: Services, floor: Floor, token: str) -> None:
    taken = asyncio.run(take_turns(services, floor, token))
    overheads = [ours - sum(parts) for ours, *parts in zip(*taken.values(), strict=True)]
    table = Table(["ms", "p50", "p99"])
    for name, values in (taken | {"ours beyond the three": overheads}).items():
        table.add(name, percentile(values, 0.5), percentile(values, 0.99))
    print(f"first token of {QUESTION_COUNT} questions, and the three below it repeated in turn")
    print(table, "\n", flush=True)


async def take_turns(services: Services, floor: Floor, token: str) -> dict[str, list[float]]:
    gateway = await Connection.open(services.gateway_port)
    models = await Connection.open(floor.models_port)
    engine = await Connection.open(floor.engine_port)
    asked = chat_request(token)
    taken: dict[str, list[float]] = {
        name: [] for name in ("first token", "embedding", "search", "the model's first token")
    }
    for _ in range(WARM_COUNT + QUESTION_COUNT):
        turn = (
            await first_token_ms(gateway, asked),
            await whole_ms(models, floor.embedding),
            await whole_ms(engine, floor.search),
            await first_token_ms(models, floor.model, mark=b'"content":"This'),
        )
        for values, value in zip(taken.values(), turn, strict=True):
            values.append(value)
    for connection in (gateway, models, engine):
        connection.close()
    return {name: values[WARM_COUNT:] for name, values in taken.items()}


def show_relaying(bench: Bench, services: Services) -> None:
    """A long answer's CPU less a short one's, so that the question itself is not counted."""
    pids = services.pids("chat", "gateway")
    users = [bench.token(f"reader-{index}") for index in range(STREAM_COUNT)]
    costs: list[float] = []
    for _ in range(RELAY_ROUNDS):
        used: list[float] = []
        for count in (1, TOKEN_COUNT):
            tell(bench, steps=[{"tokens": ["word "] * count, "delay_ms": TOKEN_MS}])
            cpu = meters.CPU(pids)
            asyncio.run(ask_side_by_side(services, users))
            used.append(cpu.seconds())
        costs.append((used[1] - used[0]) / (TOKEN_COUNT - 1) / STREAM_COUNT * 1_000_000)
    rate = STREAM_COUNT * 1000 // TOKEN_MS
    print(
        f"CPU of chat and gateway for a token passed on, {STREAM_COUNT} answers at once, {rate} "
        f"tokens a second: {number(median(costs))} µs, median of {RELAY_ROUNDS}\n",
        flush=True,
    )


async def ask_side_by_side(services: Services, users: list[str]) -> None:
    async def ask(token: str) -> None:
        connection = await Connection.open(services.gateway_port)
        await first_token_ms(connection, chat_request(token))
        connection.close()

    await asyncio.gather(*(ask(token) for token in users))


def show_open_streams(bench: Bench, services: Services) -> None:
    """What each process holds for an answer that has begun and waits for its model."""
    users = [bench.token(f"waiting-{index}") for index in range(OPEN_COUNT)]
    tell(bench, steps=[{"token": "begun"}, {"wait_for": "end"}])
    names = ("chat", "gateway")
    before = [meters.rss_mb(services.pids(name)) for name in names]
    during, begun_count = asyncio.run(hold_open(bench, services, users, names))
    each = [
        f"{name} {number(after - earlier)} MB, {number((after - earlier) * 1024 / OPEN_COUNT)} kB each"
        for name, earlier, after in zip(names, before, during, strict=True)
    ]
    failed = "" if begun_count == OPEN_COUNT else f"; ONLY {begun_count} BEGAN, THE OTHERS FAILED"
    print(f"memory of {OPEN_COUNT} open streams: {'; '.join(each)}{failed}", flush=True)


async def hold_open(
    bench: Bench, services: Services, users: list[str], names: tuple[str, ...]
) -> tuple[list[float], int]:
    """The processes' memory when each answer has begun or failed, and how many have begun."""
    begun_count = settled_count = 0
    are_settled = asyncio.Event()

    def settle() -> None:
        nonlocal settled_count
        settled_count += 1
        if settled_count == len(users):
            are_settled.set()

    async def ask(token: str) -> None:
        nonlocal begun_count
        connection = await Connection.open(services.gateway_port)
        has_begun = False

        def note(piece: bytes) -> None:
            nonlocal begun_count, has_begun
            if not has_begun and FRAME in piece:
                has_begun = True
                begun_count += 1
                settle()

        await connection.exchange(chat_request(token), note)
        if not has_begun:
            settle()
        connection.close()

    async def look() -> list[float]:
        await are_settled.wait()
        memory = [meters.rss_mb(services.pids(name)) for name in names]
        tell(bench, signal="end")
        return memory

    memory, *_ = await asyncio.gather(look(), *(ask(token) for token in users))
    return memory, begun_count
