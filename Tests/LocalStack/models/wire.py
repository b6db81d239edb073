"""The frames and documents of OpenAI's chat completions, as both models send them."""

import time
import uuid
from typing import Any

import orjson

DONE = b"data: [DONE]\n\n"

Usage = dict[str, int]


def usage(prompt_count: int, completion_count: int) -> Usage:
    return {
        "prompt_tokens": prompt_count,
        "completion_tokens": completion_count,
        "total_tokens": prompt_count + completion_count,
    }


class Completion:
    """One answer of one model: the same id and time in all its frames."""

    def __init__(self, model: str) -> None:
        self.id = f"chatcmpl-{uuid.uuid4().hex}"
        self.model = model
        self.created = int(time.time())

    def first(self) -> bytes:
        return self._frame([self._choice({"role": "assistant", "content": ""})])

    def token(self, text: str) -> bytes:
        return self._frame([self._choice({"content": text})])

    def finish(self, reason: str) -> bytes:
        return self._frame([self._choice({}, reason)])

    def usage(self, counts: Usage) -> bytes:
        return self._frame([], usage=counts)

    def whole(self, text: str, reason: str, counts: Usage | None) -> dict[str, Any]:
        """The document that answers a request without `stream`."""
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": reason,
        }
        return self._document("chat.completion", [choice], usage=counts)

    def _choice(self, delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        return {"index": 0, "delta": delta, "finish_reason": reason}

    def _frame(self, choices: list[dict[str, Any]], **more: Any) -> bytes:
        document = self._document("chat.completion.chunk", choices, **more)
        return b"data: " + orjson.dumps(document) + b"\n\n"

    def _document(self, kind: str, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        head = {"id": self.id, "object": kind, "created": self.created, "model": self.model}
        return head | {"choices": choices} | more


def error(message: str, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def text_of(content: Any) -> str:
    """A message's content is a string, or a list of parts of which the texts count."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(part.get("text", "") for part in parts if isinstance(part, dict))
