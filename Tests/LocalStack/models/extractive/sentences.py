"""Cuts Markdown into sentences that can stand alone in an answer."""

import re
from dataclasses import dataclass

ABBREVIATION = re.compile(r"\b(?:art|dott|sig|ecc|es|pag|cap|n|no|e\.g|i\.e|etc|vs|ca|Dr|Mr|Ms)\.$")
SENTENCE_END = re.compile(r"(?<=[.!?…])[\"»”)]*\s+(?=[\"«“(]?[A-ZÀ-ÖØ-Þ0-9¿¡])")
MARKUP = re.compile(r"^\s*(?:>\s*)*(?:[-*+]\s+|\d{1,3}[.)]\s+)?")
LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
EMPHASIS = re.compile(r"(\*\*|__|`|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w))")
TABLE_RULE = re.compile(r"^[\s|:-]+$")
CHARACTERS_MIN = 12
CHARACTERS_MAX = 600




@dataclass(frozen=True)
class Sentence:
    text: str
    heading: str
    """The nearest heading above: what `it` and `they` in the sentence most likely stand for."""


def sentences(text: str, title: str = "") -> list[Sentence]:
    """In their order; headings, rules and scraps are left out."""
    found: list[Sentence] = []
    for heading, block in blocks(text):
        for piece in split(block):
            introduces = piece.endswith(":")
            if CHARACTERS_MIN <= len(piece) <= CHARACTERS_MAX and not introduces:
                found.append(Sentence(piece, heading or title))
    return found


def blocks(text: str) -> list[tuple[str, str]]:
    """Heading and text of paragraphs, list items, and table rows with their cells between commas."""
    found: list[tuple[str, str]] = []
    open_block: list[str] = []
    heading = ""

    def close() -> None:
        if open_block:
            found.append((heading, " ".join(open_block)))
            open_block.clear()

    for line in text.splitlines():
        stripped = line.strip()
        marker = MARKUP.match(line)
        is_item = marker is not None and marker[0].strip() != ""
        is_apart = not stripped or stripped.startswith(("#", "|", "```", "---"))
        if is_apart or is_item:
            close()
        if stripped.startswith("#"):
            heading = plain(stripped.strip("# "))
        elif stripped.startswith("|") and not TABLE_RULE.match(stripped):
            cells = [plain(cell) for cell in stripped.strip("|").split("|") if cell.strip()]
            found.append((heading, ", ".join(cells)))
        elif not is_apart:
            # Word for word: what is quoted shall be found in the source again.
            open_block.append((line[marker.end() :] if marker else line).strip())
    close()
    return found


def plain(line: str) -> str:
    return EMPHASIS.sub("", LINK.sub(r"\1", line)).strip()


def split(block: str) -> list[str]:
    pieces: list[str] = []
    for piece in SENTENCE_END.split(block):
        if pieces and ABBREVIATION.search(pieces[-1]):
            pieces[-1] += " " + piece
        else:
            pieces.append(piece)
    return [piece.strip() for piece in pieces]
