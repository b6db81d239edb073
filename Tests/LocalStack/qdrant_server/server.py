"""The routes and the envelope around each result."""

import asyncio
import hmac
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from qdrant_server import VERSION
from qdrant_server.errors import RequestError, from_engine, malformed
from qdrant_server.operations import Operations
from qdrant_server.store import Store

Operation = Callable[[dict[str, str], dict[str, Any]], Any]

THREAD_COUNT = 8
# Qdrant's own limit.
BODY_BYTES_MAX = 32 * 1024 * 1024
ONE = "/collections/{name}"


def application(store: Store, api_key: str | None) -> Starlette:
    threads = ThreadPoolExecutor(THREAD_COUNT)

    def route(method: str, path: str, operation: Operation) -> Route:
        async def handle(request: Request) -> Response:
            started = time.perf_counter()
            try:
                refuse_strangers(request, api_key)
                body = await read(request)
                loop = asyncio.get_running_loop()
                result = await loop.run_in_executor(
                    threads, run, operation, request.path_params, body
                )
                return envelope(200, {"result": result, "status": "ok"}, started)
            except RequestError as problem:
                return envelope(problem.status, {"status": {"error": problem.message}}, started)

        return Route(path, handle, methods=[method])

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        stop = threading.Event()
        settling = threading.Thread(target=store.settle_until, args=(stop,), daemon=True)
        settling.start()
        yield
        stop.set()
        await asyncio.to_thread(settling.join)
        await asyncio.to_thread(store.close)

    operations = Operations(store)
    routes = [route(*entry) for entry in table(operations)]
    return Starlette(routes=[*health_routes(), *routes], lifespan=lifespan)


def table(do: Operations) -> list[tuple[str, str, Operation]]:
    return [
        ("GET", "/collections", do.list_collections),
        ("POST", "/collections/aliases", do.change_aliases),
        ("GET", "/aliases", do.list_aliases),
        ("PUT", ONE, do.create_collection),
        ("GET", ONE, do.describe_collection),
        ("DELETE", ONE, do.delete_collection),
        ("GET", ONE + "/exists", do.collection_exists),
        ("GET", ONE + "/aliases", do.list_aliases),
        ("PUT", ONE + "/index", do.create_index),
        ("DELETE", ONE + "/index/{field:path}", do.delete_index),
        ("PUT", ONE + "/points", do.upsert),
        ("POST", ONE + "/points", do.retrieve),
        ("POST", ONE + "/points/delete", do.delete_points),
        ("POST", ONE + "/points/query", do.query),
        ("POST", ONE + "/points/query/batch", do.query_batch),
        ("POST", ONE + "/points/scroll", do.scroll),
        ("POST", ONE + "/points/count", do.count),
        ("POST", ONE + "/points/payload", do.set_payload),
        ("PUT", ONE + "/points/payload", do.overwrite_payload),
        ("POST", ONE + "/points/payload/delete", do.delete_payload),
        ("POST", ONE + "/points/payload/clear", do.clear_payload),
        ("GET", ONE + "/points/{id}", do.point),
    ]


def health_routes() -> list[Route]:
    async def root(_: Request) -> Response:
        about = {"title": "qdrant - vector search engine", "version": VERSION}
        return Response(orjson.dumps(about), media_type="application/json")

    async def ready(_: Request) -> Response:
        return PlainTextResponse("all shards are ready")

    async def alive(_: Request) -> Response:
        return PlainTextResponse("healthz check passed")

    return [
        Route("/", root),
        Route("/readyz", ready),
        Route("/healthz", alive),
        Route("/livez", alive),
    ]


def refuse_strangers(request: Request, api_key: str | None) -> None:
    if api_key is None:
        return
    given = request.headers.get("api-key", "")
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not any(hmac.compare_digest(one.encode(), api_key.encode()) for one in (given, bearer)):
        raise RequestError(401 if not (given or bearer) else 403, "Invalid API key or JWT")


async def read(request: Request) -> dict[str, Any]:
    raw = bytearray()
    async for piece in request.stream():
        raw += piece
        if len(raw) > BODY_BYTES_MAX:
            raise RequestError(413, f"JSON payload has to be at most {BODY_BYTES_MAX} bytes")
    try:
        body = orjson.loads(raw) if raw else {}
    except orjson.JSONDecodeError as problem:
        raise malformed(str(problem)) from None
    if not isinstance(body, dict):
        raise malformed("an object is wanted")
    return body


def run(operation: Operation, path: dict[str, str], body: dict[str, Any]) -> Any:
    try:
        return operation(path, body)
    except RequestError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise malformed(f"{type(problem).__name__}: {problem}") from None
    except Exception as problem:  # the engine raises plain exceptions
        raise from_engine(problem) from problem


def envelope(status: int, document: dict[str, Any], started: float) -> Response:
    document["time"] = time.perf_counter() - started
    return Response(orjson.dumps(document), status, media_type="application/json")
