"""The scripted model's routes."""

import asyncio
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from models import wire
from models.scripted.player import CutShort, Player
from models.scripted.script import Scripts
from models.scripted.vectors import embed, token_count

DIMENSION_COUNT = 384


class ScriptedModel:
    """An ASGI application; a model's name in a request's body says whose script is played."""

    def __init__(self) -> None:
        self.scripts = Scripts()
        self.plays = {
            "/v1/chat/completions": self._chat,
            "/v1/embeddings": self._embed,
            "/v1/rerank": self._rerank,
        }
        self.control = Starlette(
            routes=[
                Route("/health", self._health),
                Route("/v1/models", self._list_models),
                Route("/script", self._tell, methods=["POST"]),
                Route("/script", self._forget, methods=["DELETE"]),
                Route("/release", self._release, methods=["POST"]),
                Route("/requests", self._list_requests),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path in self.plays:
            await self._serve(path, Request(scope, receive), receive, send)
        else:
            await self.control(scope, receive, send)

    async def _serve(self, path: str, request: Request, receive: Receive, send: Send) -> None:
        try:
            body = orjson.loads(await request.body())
            model = str(body["model"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            refusal = JSONResponse(wire.error("a JSON object with a model is wanted"), 400)
            return await refusal(request.scope, receive, send)
        script = self.scripts.models[model]
        record = script.record(path, dict(request.headers), body)
        player = Player(script, script.next_reply(), model, send)
        playing = asyncio.create_task(self.plays[path](player, body))
        leaving = asyncio.create_task(_until_client_leaves(receive))
        await asyncio.wait([playing, leaving], return_when=asyncio.FIRST_COMPLETED)
        record["ended"] = "complete" if playing.done() else "client_left"
        leaving.cancel()
        if not playing.done():
            playing.cancel()
        elif isinstance(playing.exception(), CutShort):
            # Returning without the last body message makes the server drop the connection.
            record["ended"] = "cut"
        elif playing.exception() is not None:
            record["ended"] = repr(playing.exception())

    async def _chat(self, player: Player, body: dict[str, Any]) -> None:
        if await player.refuse():
            return
        await (player.stream() if body.get("stream") else player.whole())

    async def _embed(self, player: Player, body: dict[str, Any]) -> None:
        if await player.refuse():
            return
        await player.pauses()
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        size = body.get("dimensions") or DIMENSION_COUNT
        total = sum(map(token_count, texts))
        data = [
            {"object": "embedding", "index": index, "embedding": embed(text, size)}
            for index, text in enumerate(texts)
        ]
        document = {
            "object": "list",
            "data": data,
            "model": body["model"],
            "usage": {"prompt_tokens": total, "total_tokens": total},
        }
        await player.answer(200, [(b"content-type", b"application/json")], orjson.dumps(document))

    async def _rerank(self, player: Player, body: dict[str, Any]) -> None:
        """Texts that hold the script's word first, the others by how short they are."""
        if await player.refuse():
            return
        await player.pauses()
        word = player.settings.get("prefer")
        results = [
            {"index": index, "relevance_score": (word in text) - len(text) / 1e6 if word else 0.0}
            for index, text in enumerate(body["documents"])
        ]
        results.sort(key=lambda one: one["relevance_score"], reverse=True)
        document = {"model": body["model"], "results": results}
        await player.answer(200, [(b"content-type", b"application/json")], orjson.dumps(document))

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _list_models(self, _: Request) -> Response:
        data = [{"id": name, "object": "model"} for name in sorted(self.scripts.models)]
        return JSONResponse({"object": "list", "data": data})

    async def _tell(self, request: Request) -> Response:
        self.scripts.tell(await request.json())
        return JSONResponse({"status": "ok"})

    async def _release(self, request: Request) -> Response:
        self.scripts.release(await request.json())
        return JSONResponse({"status": "ok"})

    async def _forget(self, request: Request) -> Response:
        self.scripts.forget(request.query_params["model"])
        return JSONResponse({"status": "ok"})

    async def _list_requests(self, request: Request) -> Response:
        script = self.scripts.models[request.query_params["model"]]
        return JSONResponse({"requests": list(script.requests)})


async def _until_client_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
