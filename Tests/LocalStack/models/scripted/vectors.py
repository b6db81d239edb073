"""Embeddings for tests: the same words give the same vector, shared words a near one."""

import hashlib
import math
import re

WORD = re.compile(r"\w+")


def embed(text: str, dimension_count: int) -> list[float]:
    """A unit vector; each word adds to eight places chosen by its hash."""
    vector = [0.0] * dimension_count
    for word in WORD.findall(text.lower()) or [""]:
        digest = hashlib.sha256(word.encode()).digest()
        for start in range(0, 32, 4):
            place = int.from_bytes(digest[start : start + 3], "big") % dimension_count
            vector[place] += 1.0 if digest[start + 3] & 1 else -1.0
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]


def token_count(text: str) -> int:
    return len(WORD.findall(text)) + 2
