"""How good a ranking is. Pure functions over one question's units, best first."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CUT = 10

Grades = dict[str, int]


@dataclass(frozen=True)
class Scores:
    hit_at_1: float
    hit_at_5: float
    mrr: float
    ndcg: float


def scores(ranking: Sequence[str], grades: Grades) -> Scores:
    """A hit is what answers; what merely helps counts in nDCG alone."""
    best = max(grades.values())
    places = [
        place for place, unit in enumerate(ranking[:CUT], 1) if grades.get(unit, 0) == best
    ]
    first = places[0] if places else math.inf
    return Scores(float(first == 1), float(first <= 5), 1 / first, ndcg(ranking, grades))


def ndcg(ranking: Sequence[str], grades: Grades) -> float:
    ideal = discounted(sorted(grades.values(), reverse=True)[:CUT])
    return discounted([grades.get(unit, 0) for unit in ranking[:CUT]]) / ideal


def discounted(gains: Iterable[int]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, 1))


def mean(of: Sequence[Scores]) -> Scores:
    count = max(1, len(of))
    return Scores(
        sum(one.hit_at_1 for one in of) / count,
        sum(one.hit_at_5 for one in of) / count,
        sum(one.mrr for one in of) / count,
        sum(one.ndcg for one in of) / count,
    )
