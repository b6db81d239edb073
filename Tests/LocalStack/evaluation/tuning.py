"""Which k and weights rank the odd questions best. Simulated on the legs' rankings by the engine's
own formula; whoever adopts the choice sees in the report what the engine makes of it."""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evaluation.asking import Chunk, Found
from evaluation.metrics import Scores, mean
from evaluation.question_sets import QuestionSet
from evaluation.report import MRR_LOSS_MAX, answerable, of_leg

UNDECIDED = "und"
SHOWN_COUNT = 8


@dataclass(frozen=True)
class Fusion:
    """As in Shared/Qdrant/Fusion.swift."""

    k: int
    dense: float
    sparse: float
    foreign_dense: float
    foreign_sparse: float


def candidates() -> Iterator[Fusion]:
    """k of 60 is the customary one; the engine's weights say little beyond a k of 4."""
    for k, sparse, foreign_dense, foreign_sparse in itertools.product(
        (1, 2, 3, 4, 20, 60), (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1),
        (0, 0.4, 0.5, 0.6, 0.7, 0.8), (0, 0.2, 0.4),
    ):
        yield Fusion(k, 1, sparse, foreign_dense, foreign_sparse)


def fused(found: Found, fusion: Fusion) -> list[Chunk]:
    dense, sparse = found.rankings["dense"], found.rankings["sparse"]
    own, foreign = by_relation(found.language, sparse)
    foreign_dense = by_relation(found.language, dense)[1]
    words = fusion.sparse + (fusion.foreign_sparse if found.language == UNDECIDED else 0)
    points: dict[str, float] = defaultdict(float)
    for ranking, weight in (
        (dense, fusion.dense), (own, words),
        (foreign_dense, fusion.foreign_dense), (foreign, fusion.foreign_sparse),
    ):
        # A ranking of weight 0 is not asked for.
        for place, chunk in enumerate(ranking if weight > 0 else [], 1):
            points[chunk["id"]] += 1 / (place / weight + fusion.k - 1)
    chunks = {chunk["id"]: chunk for chunk in dense + sparse}
    return sorted(chunks.values(), key=lambda chunk: -points[chunk["id"]])


def by_relation(language: str, ranking: Sequence[Chunk]) -> tuple[list[Chunk], list[Chunk]]:
    """Chunks that may be in the question's language, and those in others."""
    mays = [UNDECIDED in (language, c["language"]) or c["language"] == language for c in ranking]
    return (
        [chunk for chunk, may in zip(ranking, mays, strict=True) if may],
        [chunk for chunk, may in zip(ranking, mays, strict=True) if not may],
    )


class Trial:
    """The odd questions of a set about pages in two languages."""

    def __init__(self, asked: QuestionSet, found: Sequence[Found]) -> None:
        odd = [one for one in answerable(found) if one.question.is_for_tuning]
        cells = [[one for one in odd if one.question.cell == cell] for cell in asked.cells]
        self.cells = [
            (of_cell, max(of_leg(of_cell, leg).mrr for leg in ("dense", "sparse")))
            for of_cell in cells
        ]

    def worth(self, fusion: Fusion) -> tuple[float, float, float]:
        """nDCG@10 without the mean of what the cells lose beyond what they may; nDCG@10; and the
        greatest loss."""
        by_cell = [mean([one.scores(fused(one, fusion)) for one in cell]) for cell, _ in self.cells]
        losses = [best - s.mrr for s, (_, best) in zip(by_cell, self.cells, strict=True)]
        ndcg = sum(scores.ndcg for scores in by_cell) / len(by_cell)
        excess = sum(max(0.0, loss - MRR_LOSS_MAX) for loss in losses) / len(losses)
        return ndcg - excess, ndcg, max(losses)


def report(results: Sequence[tuple[QuestionSet, list[Found]]]) -> list[str]:
    lines = ["", "The best settings on the odd questions (RRF_K, RRF_WEIGHTS):"]
    for asked, found in results:
        if not asked.cells:
            continue
        trial = Trial(asked, found)
        ranked = sorted(((trial.worth(f), f) for f in candidates()), key=lambda pair: -pair[0][0])
        for (worth, ndcg, loss), fusion in ranked[:SHOWN_COUNT]:
            others = others_of(fusion, results)
            lines.append(
                f"  {worth:.4f}  nDCG@10 {ndcg:.4f}, greatest loss of MRR {loss:6.3f}  "
                f"RRF_K={fusion.k} RRF_WEIGHTS={weights(fusion)}{others}"
            )
    return lines


def others_of(fusion: Fusion, results: Sequence[tuple[QuestionSet, list[Found]]]) -> str:
    return "".join(
        f"; {asked.name} nDCG@10 {odd_scores(found, fusion).ndcg:.4f}"
        for asked, found in results
        if not asked.cells
    )


def odd_scores(found: Sequence[Found], fusion: Fusion) -> Scores:
    odd = [one for one in answerable(found) if one.question.is_for_tuning]
    return mean([one.scores(fused(one, fusion)) for one in odd])


def weights(fusion: Fusion) -> str:
    return f"{fusion.dense},{fusion.sparse},{fusion.foreign_dense},{fusion.foreign_sparse}"
