"""Plays a reply's steps onto one response, at the level of ASGI so that it can also be broken off."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from models import wire
from models.scripted.script import MISFRAMED, ModelScript, Reply, Step

Send = Callable[[dict[str, Any]], Awaitable[None]]

FLOOD_FRAME_BYTES = 16_384


class CutShort(Exception):
    """The script ends the connection here."""


class Player:
    """One request's answer."""

    def __init__(self, script: ModelScript, reply: Reply, model: str, send: Send) -> None:
        self.script, self.reply, self.send = script, reply, send
        self.completion = wire.Completion(model)
        self.text = ""
        self.token_count = 0
        self.has_started = False
        self.settings: Step = {}
        for step in reply:
            self.settings |= step

    async def refuse(self) -> bool:
        """Answers with the status that the script demands; false when it demands none."""
        status = self.settings.get("status")
        if status is None:
            return False
        await self._pause_until_allowed()
        headers = [(b"content-type", b"application/json")]
        if (retry_after := self.settings.get("retry_after")) is not None:
            headers.append((b"retry-after", str(retry_after).encode()))
        body = orjson.dumps(wire.error(self.settings.get("message", "as scripted"), "scripted"))
        await self.answer(status, headers, body)
        return True

    async def answer(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    async def stream(self) -> None:
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")]
        await self.send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._write(self.completion.first())
        for step in self.reply:
            await self._play(step, self._write)
        await self._close()
        await self.send({"type": "http.response.body", "body": b""})

    async def whole(self) -> None:
        async def keep_nothing(_: bytes) -> None:
            pass

        for step in self.reply:
            await self._play(step, keep_nothing)
        reason = self.settings.get("finish", "stop")
        document = self.completion.whole(self.text, reason, self._usage())
        headers = [(b"content-type", b"application/json")]
        await self.answer(200, headers, orjson.dumps(document))

    async def pauses(self) -> None:
        """Only the steps that take time or cut, for answers that are not text."""
        for step in self.reply:
            await self._pause(step)

    async def _pause_until_allowed(self) -> None:
        for step in self.reply:
            if "status" not in step:
                await self._pause(step)

    async def _pause(self, step: Step) -> None:
        if "delay_ms" in step and "tokens" not in step:
            await asyncio.sleep(step["delay_ms"] / 1000)
        if "wait_for" in step:
            await self.script.signals[step["wait_for"]].wait()
        if step.get("stall"):
            await asyncio.Event().wait()
        if step.get("cut"):
            raise CutShort

    async def _play(self, step: Step, write: Callable[[bytes], Awaitable[None]]) -> None:
        await self._pause(step)
        for token in [step["token"]] if "token" in step else step.get("tokens", []):
            self.text += token
            self.token_count += 1
            await write(self.completion.token(token))
            if "delay_ms" in step:
                await asyncio.sleep(step["delay_ms"] / 1000)
        for _ in range(0, step.get("flood_bytes", 0), FLOOD_FRAME_BYTES):
            await write(self.completion.token("x" * FLOOD_FRAME_BYTES))
        if "raw" in step:
            await write(step["raw"].encode())
        if "misframe" in step:
            await write(MISFRAMED[step["misframe"]].encode())
        if "error" in step:
            await write(b"data: " + orjson.dumps(wire.error(step["error"], "scripted")) + b"\n\n")

    async def _close(self) -> None:
        if not self.settings.get("no_finish"):
            await self._write(self.completion.finish(self.settings.get("finish", "stop")))
            if (counts := self._usage()) is not None:
                await self._write(self.completion.usage(counts))
        if not self.settings.get("no_done"):
            await self._write(wire.DONE)

    def _usage(self) -> wire.Usage | None:
        if "usage" not in self.settings:
            return wire.usage(1, self.token_count)
        counts = self.settings["usage"]
        return None if counts is None else wire.usage(*counts)

    async def _write(self, frame: bytes) -> None:
        await self.send({"type": "http.response.body", "body": frame, "more_body": True})
