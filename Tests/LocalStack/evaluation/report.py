"""The tables of `make eval`, and whether they say what they must."""

from collections.abc import Sequence

from evaluation.asking import Found
from evaluation.metrics import Scores, mean
from evaluation.question_sets import QuestionSet

LEGS = ("dense", "sparse", "hybrid")
# Of the better leg's mean reciprocal rank, hybrid may miss so much in a language pair.
MRR_LOSS_MAX = 0.02

Results = Sequence[tuple[QuestionSet, list[Found]]]


def report(results: Results) -> list[str]:
    """What counts first; what the settings were chosen on after it."""
    return [
        "The even questions. Settings were chosen on the odd ones.",
        *half(results, is_for_tuning=False),
        "",
        "The odd questions.",
        *half(results, is_for_tuning=True),
    ]


def half(results: Results, *, is_for_tuning: bool) -> list[str]:
    halves = [
        (asked, [one for one in found if one.question.is_for_tuning == is_for_tuning])
        for asked, found in results
    ]
    lines = ["", f"{'':<40}{'leg':<8}{'hit@1':>7}{'hit@5':>7}{'MRR':>7}{'nDCG@10':>9}"]
    for asked, found in halves:
        lines += leg_rows(asked, found)
    for asked, found in halves:
        if asked.cells:
            lines += ["", *cell_rows(asked, found)]
        if asked.unanswerable:
            lines += ["", *relevance_rows(found)]
    return lines


def answerable(found: Sequence[Found]) -> list[Found]:
    return [one for one in found if one.question.relevant]


def of_leg(found: Sequence[Found], leg: str) -> Scores:
    return mean([one.scores(one.rankings[leg]) for one in answerable(found)])


def leg_rows(asked: QuestionSet, found: Sequence[Found]) -> list[str]:
    title = f"{asked.title}, {len(answerable(found))} questions"
    by_leg = {leg: of_leg(found, leg) for leg in LEGS}
    rows = [
        f"{title if leg == LEGS[0] else '':<40}{leg:<8}{s.hit_at_1:7.3f}{s.hit_at_5:7.3f}"
        f"{s.mrr:7.3f}{s.ndcg:9.3f}"
        for leg, s in by_leg.items()
    ]
    best = max(LEGS, key=lambda leg: by_leg[leg].ndcg)
    if by_leg[best].ndcg > by_leg["hybrid"].ndcg:
        rows.append(f"  ! {best} alone has the better nDCG@10")
    return rows


def cell_rows(asked: QuestionSet, found: Sequence[Found]) -> list[str]:
    """Marked where hybrid loses more against the better leg than it may."""
    lines = [f"{'MRR, question → page':<40}{'dense':>8}{'sparse':>8}{'hybrid':>8}{'loss':>8}"]
    for cell in asked.cells:
        of_cell = [one for one in answerable(found) if one.question.cell == cell]
        mrr = {leg: of_leg(of_cell, leg).mrr for leg in LEGS}
        loss = max(mrr["dense"], mrr["sparse"]) - mrr["hybrid"]
        title = f"{cell}, {len(of_cell)} questions"
        numbers = "".join(f"{mrr[leg]:8.3f}" for leg in LEGS)
        lines.append(f"{title:<40}{numbers}{loss:8.3f}{'  !' if loss > MRR_LOSS_MAX else ''}")
    return lines


def relevance_rows(found: Sequence[Found]) -> list[str]:
    """"Nothing relevant" as a verdict: how often it is missed, how often it is wrong."""
    unanswerable = [one for one in found if not one.question.relevant]
    refused = [one for one in found if not one.answer]
    rightly = [one for one in refused if not one.question.relevant]
    return [
        f"“nothing relevant”: precision {ratio(rightly, refused)}, "
        f"recall {ratio(rightly, unanswerable)}; said of {len(rightly)} of {len(unanswerable)} "
        f"questions that the pages do not answer and of {len(refused) - len(rightly)} of "
        f"{len(answerable(found))} that they do"
    ]


def ratio(part: Sequence[Found], whole: Sequence[Found]) -> str:
    return f"{len(part) / len(whole):.2f}" if whole else "–"


def misses(results: Results) -> list[str]:
    """Every question that was refused, or of which a section that does not answer came first."""
    lines = []
    for asked, found in results:
        lines += ["", f"Not found first, of {asked.title}:"]
        for one in answerable(found):
            ranking = one.rankings["hybrid"]
            place = one.scores(ranking).mrr
            if place < 1 or not one.answer:
                where = f"place {round(1 / place)}" if place else "not among ten"
                said = where if one.answer else "refused"
                first = one.units(ranking)[0]
                lines.append(f"  {one.question.id}. {one.question.text} ({said}; first {first})")
    return lines
