"""What is asked of which pages: our questions about the sample pages; the Cranfield collection."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stack.component import StackError
from stack.materials import PAGES

QUESTIONS = PAGES.parent / "questions.json"


@dataclass(frozen=True)
class Question:
    """What answers it, by unit and grade: none where the pages do not say."""

    id: int
    text: str
    language: str
    relevant: dict[str, int]
    # Of the page that answers; empty where none does.
    page_language: str = ""

    @property
    def is_for_tuning(self) -> bool:
        """Settings are chosen on the odd ones and reported on the even ones."""
        return self.id % 2 == 1

    @property
    def cell(self) -> str:
        return f"{self.language} → {self.page_language}"


@dataclass(frozen=True)
class QuestionSet:
    name: str
    title: str
    pages: dict[str, str]
    questions: list[Question]
    # What is to be found: a section of a page, or a page as a whole.
    is_by_section: bool
    cells: tuple[str, ...] = field(default=())

    @property
    def answerable(self) -> list[Question]:
        return [question for question in self.questions if question.relevant]

    @property
    def unanswerable(self) -> list[Question]:
        return [question for question in self.questions if not question.relevant]


def sample_pages() -> QuestionSet:
    pages = {
        file.relative_to(PAGES).as_posix(): file.read_text()
        for file in sorted(PAGES.rglob("*.md"))
    }
    asked = [sample_question(one) for one in json.loads(QUESTIONS.read_text())["questions"]]
    sections = {unit for path, text in pages.items() for unit in units(path, text)}
    for question in asked:
        if unknown := question.relevant.keys() - sections:
            raise StackError(f"question {question.id} names what is not there: {unknown}")
    return QuestionSet(
        name="pages", title="the sample pages", pages=pages, questions=asked, is_by_section=True,
        cells=tuple(sorted({q.cell for q in asked if q.relevant})),
    )


def sample_question(one: dict[str, Any]) -> Question:
    relevant: dict[str, int] = one["relevant"]
    best = max(relevant, key=lambda unit: relevant[unit], default="")
    return Question(
        id=one["id"], text=one["question"], language=one["language"], relevant=relevant,
        page_language=best.partition("/")[0],
    )


def units(path: str, text: str) -> Iterator[str]:
    """A page's sections by their own headings, as `path#heading`; what stands before the first
    belongs to the page's title."""
    for heading in re.findall(r"^#{1,6} +(.+)$", text, re.MULTILINE):
        yield f"{path}#{heading.strip()}"


def cranfield(folder: Path) -> QuestionSet:
    """1,400 abstracts and 225 questions of aeronautics, judged by their authors' colleagues."""
    judged: dict[int, dict[str, int]] = {}
    for line in lines(folder / "cranqrel.trec.txt"):
        number, _, page, grade = line.split()
        # The original coding is no scale: whatever is above 0 was found relevant.
        if int(grade) > 0:
            judged.setdefault(int(number), {})[f"{page}.md"] = 1
    texts = re.findall(r"<title>(.*?)</title>", read(folder / "cran.qry.xml"), re.DOTALL)
    questions = [
        # A question's number is its place in the file.
        Question(number, " ".join(text.split()), "en", judged.get(number, {}), "en")
        for number, text in enumerate(texts, 1)
    ]
    return QuestionSet(
        name="cranfield", title="the Cranfield collection", pages=dict(abstracts(folder)),
        questions=questions, is_by_section=False,
    )


def abstracts(folder: Path) -> Iterator[tuple[str, str]]:
    for document in re.findall(r"<doc>(.*?)</doc>", read(folder / "cran.all.1400.xml"), re.DOTALL):
        number, title, text = (field_of(document, name) for name in ("docno", "title", "text"))
        # Every abstract repeats its title.
        yield f"{number}.md", f"# {title}\n\n{text.removeprefix(title).strip()}\n"


def field_of(document: str, name: str) -> str:
    found = re.search(rf"<{name}>(.*?)</{name}>", document, re.DOTALL)
    return " ".join(found[1].split()) if found else ""


def read(file: Path) -> str:
    if not file.exists():
        raise StackError(f"{file} is not there: CRANFIELD names the collection's folder")
    return file.read_text()


def lines(file: Path) -> list[str]:
    return [line for line in read(file).splitlines() if line.strip()]
