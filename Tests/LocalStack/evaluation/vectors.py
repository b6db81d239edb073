"""An embeddings server with a lasting memory, before one that takes a second for a passage.

python -m evaluation.vectors --port P --upstream http://127.0.0.1:Q --file vectors.sqlite
"""

import hashlib
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import numpy
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from models import serving, wire

UPSTREAM_SECONDS_MAX = 60.0
Known = tuple[numpy.ndarray, int]


class Vectors:
    """By the hash of model and text; beside each vector its text's own count of tokens."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self.connection = sqlite3.connect(file, timeout=30, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute(
            "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB, tokens INT)"
        )

    def find(self, model: str, text: str) -> Known | None:
        row = self.connection.execute(
            "SELECT vector, tokens FROM vectors WHERE key = ?", (key(model, text),)
        ).fetchone()
        return (numpy.frombuffer(row[0], dtype="<f4"), row[1]) if row else None

    def insert(self, model: str, text: str, known: Known) -> None:
        vector, count = known
        self.connection.execute(
            "INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)",
            (key(model, text), vector.astype("<f4").tobytes(), count),
        )


def key(model: str, text: str) -> bytes:
    return hashlib.sha256(f"{model}\0{text}".encode()).digest()


class RememberingServer:
    def __init__(self, upstream: str, vectors: Vectors) -> None:
        self.upstream = upstream
        self.client = httpx.Client(timeout=UPSTREAM_SECONDS_MAX, trust_env=False)
        self.vectors = vectors
        self.application = Starlette(
            routes=[
                Route("/health", self._health),
                Route("/v1/embeddings", self._embed, methods=["POST"]),
            ]
        )

    async def _health(self, _: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    async def _embed(self, request: Request) -> JSONResponse:
        body = await request.json()
        given = body["input"]
        texts = [given] if isinstance(given, str) else given
        found = [await self._known(body["model"], text) for text in texts]
        data = [
            {"object": "embedding", "index": index, "embedding": vector.tolist()}
            for index, (vector, _) in enumerate(found)
        ]
        usage = wire.usage(sum(count for _, count in found), 0)
        return JSONResponse(
            {"object": "list", "data": data, "model": body["model"], "usage": usage}
        )

    async def _known(self, model: str, text: str) -> Known:
        """One text at a time: only so has each a count of its own."""
        known = self.vectors.find(model, text)
        if known is None:
            known = await run_in_threadpool(self._ask, model, text)
            self.vectors.insert(model, text, known)
        return known

    def _ask(self, model: str, text: str) -> Known:
        wanted: dict[str, Any] = {"model": model, "input": [text], "encoding_format": "float"}
        answer = self.client.post(f"{self.upstream}/v1/embeddings", json=wanted)
        answer.raise_for_status()
        document = answer.json()
        vector = numpy.asarray(document["data"][0]["embedding"], dtype=numpy.float32)
        return vector, document["usage"]["prompt_tokens"]


def main() -> None:
    parser = serving.arguments("embeddings that are remembered")
    parser.add_argument("--upstream", required=True)
    parser.add_argument("--file", type=Path, required=True)
    given = parser.parse_args()
    server = RememberingServer(given.upstream, Vectors(given.file))
    serving.serve(server.application, given.port)


if __name__ == "__main__":
    main()
