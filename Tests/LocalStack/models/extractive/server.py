"""The extractive model's routes."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from models import wire
from models.extractive import prompt
from models.extractive.answer import answer
from models.extractive.embeddings import Embeddings

MODEL = "extractive"
BODY_BYTES_MAX = 4_000_000
# A word every 4 ms reads as a stream and is over in a quarter of a second.
TOKEN_SECONDS = 0.004
TOKEN = re.compile(r"\s*\S+")


class ExtractiveModel:
    def __init__(self, embeddings: Embeddings) -> None:
        self.embeddings = embeddings
        self.application = Starlette(
            routes=[
                Route("/health", self._health),
                Route("/v1/models", self._models),
                Route("/v1/chat/completions", self._complete, methods=["POST"]),
            ]
        )

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _models(self, _: Request) -> Response:
        model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "celine-assistant"}
        return JSONResponse({"object": "list", "data": [model]})

    async def _complete(self, request: Request) -> Response:
        raw = await request.body()
        if len(raw) > BODY_BYTES_MAX:
            return JSONResponse(wire.error("the request is too large"), 413)
        try:
            body = orjson.loads(raw)
            wanted = prompt.read(body.get("messages"))
        except (orjson.JSONDecodeError, AttributeError):
            return JSONResponse(wire.error("the body must be a JSON object"), 400)
        except prompt.Unreadable as problem:
            return JSONResponse(wire.error(str(problem)), 400)
        try:
            text = await answer(wanted, self.embeddings)
        except httpx.HTTPError:
            return JSONResponse(wire.error("the embeddings server is away", "server_error"), 503)
        tokens, reason = limit(TOKEN.findall(text), body)
        counts = wire.usage(prompt_token_count(body["messages"]), len(tokens))
        completion = wire.Completion(MODEL)
        if not body.get("stream"):
            return JSONResponse(completion.whole("".join(tokens), reason, counts))
        has_usage = (body.get("stream_options") or {}).get("include_usage", False)
        frames = stream(completion, tokens, reason, counts if has_usage else None)
        return StreamingResponse(frames, media_type="text/event-stream")


async def stream(
    completion: wire.Completion, tokens: list[str], reason: str, counts: wire.Usage | None
) -> AsyncIterator[bytes]:
    yield completion.first()
    for token in tokens:
        yield completion.token(token)
        await asyncio.sleep(TOKEN_SECONDS)
    yield completion.finish(reason)
    if counts is not None:
        yield completion.usage(counts)
    yield wire.DONE


def limit(tokens: list[str], body: dict[str, Any]) -> tuple[list[str], str]:
    most = body.get("max_completion_tokens") or body.get("max_tokens")
    if isinstance(most, int) and len(tokens) > most:
        return tokens[:most], "length"
    return tokens, "stop"


def prompt_token_count(messages: list[dict[str, Any]]) -> int:
    """Words stand for tokens: this model has no others."""
    return sum(len(TOKEN.findall(wire.text_of(m.get("content")))) for m in messages)
