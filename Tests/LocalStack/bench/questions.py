"""A question asked while a long sync is being embedded, beside one asked when nothing else goes on.

With the local stack's real embedding servers, of which `make run` too has one for questions and one
for passages. The chat model is scripted and instant: what is compared is ours and the embedding's.
"""

import asyncio
import contextlib
import io
import json
import threading
import time
from collections import defaultdict
from pathlib import Path
from statistics import median

from bench import meters
from bench.connection import Connection, request
from bench.figures import Table, ratio
from bench.world import Bench, Services
from stack.component import StackError
from stack.materials import PAGES, ensure_repository, git
from stack.synchronising import synchronise

ROUNDS = 3
# Of each kind, in each half of a round; a sync that ends sooner ends its half.
QUESTION_COUNT = 12
# A passage server that worked for this long is in the middle of the sync.
BUSY_SECONDS = 0.3
BUSY_WAIT_SECONDS_MAX = 20
IDLE, SYNCING = "idle", "syncing"

QUESTIONS = (
    "Quanto costa la quota di ingresso?",
    "How much energy does the community battery store?",
    "Chi convoca l'assemblea dei membri?",
    "How do I charge my electric car with shared energy?",
)

Times = dict[str, dict[str, list[float]]]


def measure(bench: Bench) -> None:
    repository = bench.folder / "materials"
    ensure_repository(repository)
    questions, passages = (bench.embeddings_url(kind) for kind in ("query", "passage"))
    passage_pids = [p.pid for c, p, _ in bench.stack.running if c.name == "embeddings-passage"]
    settings = {
        "OPENAI_EMBED_BASE_URL": f"{passages}/v1", "OPENAI_EMBED_MODEL": "e5-passage",
        "OPENAI_EMBED_QUERY_BASE_URL": f"{questions}/v1", "OPENAI_EMBED_QUERY_MODEL": "e5-query",
        "EMBED_BATCH_SIZE": "2", "TRAINING_MATERIALS_ALLOW_PRIVATE": "true",
        "TRAINING_MATERIALS_REPO_URL": f"file://{repository}",
    }
    times: Times = {IDLE: defaultdict(list), SYNCING: defaultdict(list)}
    token = bench.token("alice")
    with bench.services("questions", **settings) as services:
        operator = bench.token("operator", "admins")
        Sync(services, operator).wait()
        for number in range(1, ROUNDS + 1):
            asyncio.run(ask(services, token, times[IDLE]))
            edit_every_page(repository, number)
            sync = Sync(services, operator)
            sync.wait_until_busy(passage_pids)
            asyncio.run(ask(services, token, times[SYNCING], sync))
            sync.wait()
    show(times)


class Sync(threading.Thread):
    """A sync of the training materials, going on beside what is measured."""

    def __init__(self, services: Services, token: str) -> None:
        super().__init__(daemon=True)
        self.address, self.token = services.gateway_url, token
        self.problem: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                synchronise(self.address, self.token)
        except Exception as problem:  # Told to whoever waits for this thread.
            self.problem = problem

    def wait_until_busy(self, pids: list[int]) -> None:
        cpu = meters.CPU(pids)
        deadline = time.monotonic() + BUSY_WAIT_SECONDS_MAX
        while cpu.seconds() < BUSY_SECONDS:
            if not self.is_alive() or time.monotonic() > deadline:
                raise StackError(f"the sync embeds nothing: {self.problem or 'it is done'}")
            time.sleep(0.02)

    def wait(self) -> None:
        self.join()
        if self.problem:
            raise StackError(f"the sync failed: {self.problem}")


def edit_every_page(repository: Path, number: int) -> None:
    """Every paragraph, or what was embedded before would be found in the table."""
    for page in PAGES.rglob("*.md"):
        text = page.read_text().replace("\n\n", f" ({number})\n\n")
        (repository / page.relative_to(PAGES)).write_text(text)
    git(repository, "commit", "--quiet", "--all", "--message", f"Edit every page, round {number}")


async def ask(
    services: Services, token: str, times: dict[str, list[float]], sync: Sync | None = None
) -> None:
    """Both kinds in turn. With a sync, only what was answered before its end counts."""
    connection = await Connection.open(services.gateway_port)
    for number in range(QUESTION_COUNT):
        question = QUESTIONS[number % len(QUESTIONS)]
        taken = {"search": await search(connection, token, question)}
        taken["chat, first token"], taken["chat, whole"] = await chat(connection, token, question)
        if sync is not None and not sync.is_alive():
            break
        for kind, seconds in taken.items():
            times[kind].append(seconds * 1000)
    connection.close()


async def search(connection: Connection, token: str, question: str) -> float:
    body = json.dumps({"query": question}).encode()
    start = time.perf_counter()
    answer = await connection.exchange(request("POST", "/search", token, body))
    if answer.status != 200 or json.loads(answer.body)["degraded"]:
        raise StackError(f"a search failed: {answer.status} {answer.body[:200]!r}")
    return time.perf_counter() - start


async def chat(connection: Connection, token: str, question: str) -> tuple[float, float]:
    """Seconds until the first token and until the end."""
    body = json.dumps({"message": question}).encode()
    first: list[float] = []

    def note(piece: bytes) -> None:
        if not first and b'"type": "token"' in piece:
            first.append(time.perf_counter() - start)

    start = time.perf_counter()
    answer = await connection.exchange(request("POST", "/chat", token, body), note)
    if answer.status != 200 or not first or b'"type": "error"' in answer.body:
        raise StackError(f"a chat failed: {answer.status} {answer.body[-400:]!r}")
    return first[0], time.perf_counter() - start


def show(times: Times) -> None:
    heads = ["asked", "idle ms", "syncing ms", "ratio", "slowest idle", "slowest syncing", "ratio"]
    table = Table(["question", *heads])
    for kind, idle in times[IDLE].items():
        syncing = times[SYNCING][kind]
        if not syncing:
            raise StackError("every sync ended before a question was answered")
        medians, slowest = (median(idle), median(syncing)), (max(idle), max(syncing))
        table.add(
            kind, f"{len(idle)}, {len(syncing)}",
            medians[0], medians[1], ratio(medians[1], medians[0]),
            slowest[0], slowest[1], ratio(slowest[1], slowest[0]),
        )
    print(f"medians of {ROUNDS} interleaved rounds; a ratio of 1 is a sync that nobody notices")
    print(table, flush=True)
