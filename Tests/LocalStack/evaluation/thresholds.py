"""From which cosines on the odd questions are best told from those that the pages do not answer."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.asking import Found
from evaluation.question_sets import QuestionSet
from evaluation.tuning import by_relation

# As in Shared/Retrieval/Relevance.swift.
OVERLAP_MIN = 0.6
# To be told wrongly that there is nothing is worse than to be given what is of no use.
WRONG_REFUSAL_COST = 2
SHOWN_COUNT = 5

COSINES = [number / 1000 for number in range(780, 861, 4)]


@dataclass(frozen=True)
class Evidence:
    """The highest of a question, over all its chunks."""

    is_answerable: bool
    own: float
    foreign: float
    overlap: float

    def is_refused(self, own: float, foreign: float) -> bool:
        return self.own < own and self.foreign < foreign and self.overlap < OVERLAP_MIN


def evidence(found: Found) -> Evidence:
    own, foreign = by_relation(found.language, found.rankings["dense"])
    return Evidence(
        bool(found.question.relevant),
        max((chunk["cosine"] for chunk in own), default=0),
        max((chunk["cosine"] for chunk in foreign), default=0),
        max((chunk["overlap"] for chunk in found.rankings["hybrid"]), default=0),
    )


def report(results: Sequence[tuple[QuestionSet, list[Found]]]) -> list[str]:
    lines = ["", "The best thresholds on the odd questions (own language, other):"]
    for asked, found in results:
        if not asked.unanswerable:
            continue
        seen = [evidence(one) for one in found if one.question.is_for_tuning]
        ranked = sorted(
            (
                (*refusals(seen, own, foreign), own, foreign)
                for own, foreign in itertools.product(COSINES, COSINES)
            ),
            # Of equal worth: rather the one that does something.
            key=lambda row: (row[1] * WRONG_REFUSAL_COST - row[0], -row[0]),
        )
        lines += [
            f"  {own:.3f} {foreign:.3f}: refuses {rightly} rightly and {wrongly} wrongly"
            for rightly, wrongly, own, foreign in ranked[:SHOWN_COUNT]
        ]
    return lines


def refusals(seen: Sequence[Evidence], own: float, foreign: float) -> tuple[int, int]:
    refused = [one for one in seen if one.is_refused(own, foreign)]
    wrongly = sum(one.is_answerable for one in refused)
    return len(refused) - wrongly, wrongly
