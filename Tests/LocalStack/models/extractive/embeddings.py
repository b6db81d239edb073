"""The embeddings server of the questions, with a memory: the same sentences come again and again."""

from collections import OrderedDict

import httpx
import numpy

# The server answers one request at a time: small ones let a question in between.
BATCH_SIZE = 4
REMEMBERED_MAX = 20_000
TIMEOUT_SECONDS = 20.0


class Embeddings:
    def __init__(self, base_url: str) -> None:
        self.client = httpx.AsyncClient(base_url=base_url, timeout=TIMEOUT_SECONDS, trust_env=False)
        self.remembered: OrderedDict[tuple[str, str], numpy.ndarray] = OrderedDict()

    async def questions(self, texts: list[str]) -> list[numpy.ndarray]:
        return await self._embed("e5-query", texts)

    async def passages(self, texts: list[str]) -> list[numpy.ndarray]:
        return await self._embed("e5-passage", texts)

    async def _embed(self, model: str, texts: list[str]) -> list[numpy.ndarray]:
        wanted = list(dict.fromkeys(t for t in texts if (model, t) not in self.remembered))
        fresh: dict[str, numpy.ndarray] = {}
        for start in range(0, len(wanted), BATCH_SIZE):
            batch = wanted[start : start + BATCH_SIZE]
            answer = await self.client.post(
                "/embeddings", json={"model": model, "input": batch, "encoding_format": "float"}
            )
            answer.raise_for_status()
            for text, item in zip(batch, answer.json()["data"], strict=True):
                fresh[text] = numpy.asarray(item["embedding"], dtype=numpy.float32)
        known = [fresh[t] if t in fresh else self.remembered[model, t] for t in texts]
        for text, vector in fresh.items():
            self.remembered[model, text] = vector
        while len(self.remembered) > REMEMBERED_MAX:
            self.remembered.popitem(last=False)
        return known
