"""What each model was told to answer, and what it was asked."""

import asyncio
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

Step = dict[str, Any]
Reply = list[Step]

REQUESTS_MAX = 1000
DEFAULT_REPLY: Reply = [{"tokens": ["This ", "is ", "a ", "scripted ", "answer."]}]

# Bytes a careless server might send instead of a proper frame.
MISFRAMED: dict[str, str] = {
    "not_json": "data: {\"choices\": [\n\n",
    "not_an_object": "data: 42\n\n",
    "no_choices": "data: {}\n\n",
    "comment": ": still here\n\n",
    "crlf": 'data: {"choices":[{"index":0,"delta":{"content":"crlf "}}]}\r\n\r\n',
    "two_lines": 'data: {"choices":[{"index":0,\ndata: "delta":{"content":"two lines "}}]}\n\n',
    "no_space": 'data:{"choices":[{"index":0,"delta":{"content":"no space "}}]}\n\n',
    "html": "<html><body>502 Bad Gateway</body></html>\n\n",
}


@dataclass
class ModelScript:
    """One model's replies, signals and requests."""

    replies: deque[Reply] = field(default_factory=deque)
    requests: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=REQUESTS_MAX))
    signals: defaultdict[str, asyncio.Event] = field(
        default_factory=lambda: defaultdict(asyncio.Event)
    )

    def next_reply(self) -> Reply:
        if not self.replies:
            return DEFAULT_REPLY
        return self.replies.popleft() if len(self.replies) > 1 else self.replies[0]

    def record(self, path: str, headers: dict[str, str], body: Any) -> dict[str, Any]:
        """Keeps a request; the server adds how it ended."""
        request = {"path": path, "headers": headers, "body": body, "received_at": time.time()}
        self.requests.append(request | {"ended": None})
        return self.requests[-1]


class Scripts:
    """All models, made when first named."""

    def __init__(self) -> None:
        self.models: defaultdict[str, ModelScript] = defaultdict(ModelScript)

    def tell(self, order: dict[str, Any]) -> None:
        replies = order.get("replies") or [order.get("steps") or DEFAULT_REPLY]
        self.models[order["model"]].replies = deque(replies)

    def release(self, order: dict[str, Any]) -> None:
        self.models[order["model"]].signals[order["signal"]].set()

    def forget(self, model: str) -> None:
        self.models.pop(model, None)
