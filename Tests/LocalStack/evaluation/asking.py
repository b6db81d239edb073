"""Questions to an index, and what each leg of the search found."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.indexing import BINARIES
from evaluation.metrics import Scores, scores
from evaluation.question_sets import Question, QuestionSet
from stack.component import StackError, base_environment

# A question is asked four times, in some 50 ms each.
SECONDS_MAX = 900
# Beyond every section of the sample pages, so that a ranking is whole.
TOP_K = 20

Chunk = dict[str, Any]


@dataclass(frozen=True)
class Found:
    question: Question
    is_by_section: bool
    # As the analyser takes it to be.
    language: str
    # By leg: dense, sparse, hybrid. Whole, best first.
    rankings: dict[str, list[Chunk]]
    # What the relevance rule leaves of the hybrid one.
    answer: list[Chunk]

    def unit(self, chunk: Chunk) -> str:
        if not self.is_by_section:
            return str(chunk["path"])
        headings = chunk["headings"]
        return f"{chunk['path']}#{headings[-1] if headings else ''}"

    def units(self, chunks: list[Chunk]) -> list[str]:
        """A unit stands where its first chunk does."""
        return list(dict.fromkeys(self.unit(chunk) for chunk in chunks))

    def scores(self, chunks: list[Chunk]) -> Scores:
        return scores(self.units(chunks), self.question.relevant)


def ask(
    asked: QuestionSet, settings: dict[str, str], binaries: Path = BINARIES
) -> list[Found]:
    given = json.dumps([{"id": q.id, "question": q.text} for q in asked.questions])
    done = subprocess.run(
        [str(binaries / "Evaluation"), "--top-k", str(TOP_K)], input=given,
        env=base_environment() | settings, capture_output=True, text=True, timeout=SECONDS_MAX,
        check=False,
    )
    if done.returncode != 0:
        raise StackError(f"the questions could not be asked:\n{done.stderr}")
    by_id = {question.id: question for question in asked.questions}
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [
        Found(
            by_id[one["id"]], asked.is_by_section, one["language"], one["rankings"], one["answer"]
        )
        for one in lines
    ]
