"""Reads the numbered sources and the question out of a prompt."""

import html
import re
from dataclasses import dataclass
from typing import Any

from models.wire import text_of

SOURCE = re.compile(r'<source id="(\d+)"(?: title="([^"]*)")?[^>]*>\n?(.*?)\n?</source>', re.DOTALL)
NO_SOURCES = re.compile(r"<sources\s*/>|<sources>\s*</sources>")
QUESTION = re.compile(r"^Question:[ \t]*(.*)", re.MULTILINE | re.DOTALL)


class Unreadable(ValueError):
    """The prompt is not one that this model can answer."""


@dataclass(frozen=True)
class Source:
    number: int
    title: str
    text: str


@dataclass(frozen=True)
class Prompt:
    question: str
    sources: list[Source]


def read(messages: Any) -> Prompt:
    """The question stands after the last source, so that no source can pose as one."""
    if not isinstance(messages, list):
        raise Unreadable("messages must be a list")
    users = [m for m in messages if isinstance(m, dict) and m.get("role") == "user"]
    text = text_of(users[-1].get("content")) if users else ""
    found = list(SOURCE.finditer(text))
    if not found and not NO_SOURCES.search(text):
        raise Unreadable("the extractive model answers only from numbered sources in the prompt")
    sources = [
        Source(int(match[1]), html.unescape(match[2] or ""), html.unescape(match[3]))
        for match in found
    ]
    question = QUESTION.search(text, found[-1].end() if found else 0)
    return Prompt(question[1].strip() if question else "", sources)
