"""Chooses the sentences that answer a question."""

from dataclasses import dataclass

from models.extractive.embeddings import Embeddings
from models.extractive.prompt import Prompt
from models.extractive.sentences import plain, sentences
from models.extractive.words import Rarity, not_known, stems

# A sentence of 20 words costs about 20 ms to embed, so only the most promising are.
CANDIDATES_MAX = 16
# From the first sources come candidates that share no word: the question may be in another language.
FIRST_SOURCES = 2
FIRST_SENTENCES = 5
SENTENCES_MAX = 3
# e5's cosines crowd between 0.7 and 0.95; found by trying questions about the sample pages and
# about other things.
COSINE_MIN = 0.815
COSINE_MIN_WITH_SHARED_WORDS = 0.80
OVERLAP_MIN = 0.35
# A shared word's worth beside the cosine, and how far below the best a further sentence may lie.
OVERLAP_WEIGHT = 0.06
MARGIN = 0.02


@dataclass(frozen=True)
class Candidate:
    place: int
    source_number: int
    text: str
    in_context: str
    overlap: float


@dataclass(frozen=True)
class Scored:
    candidate: Candidate
    cosine: float

    @property
    def score(self) -> float:
        return self.cosine + OVERLAP_WEIGHT * self.candidate.overlap

    @property
    def is_near(self) -> bool:
        shares_words = self.candidate.overlap >= OVERLAP_MIN
        return self.cosine >= (COSINE_MIN_WITH_SHARED_WORDS if shares_words else COSINE_MIN)


async def answer(prompt: Prompt, embeddings: Embeddings) -> str:
    """Sentences of the sources, each with its marker, or that the answer is not known."""
    found = candidates(prompt)
    if not prompt.question:
        return quote(overview(prompt)) or not_known("")
    if not found:
        return not_known(prompt.question)
    [question] = await embeddings.questions([prompt.question])
    vectors = await embeddings.passages([candidate.in_context for candidate in found])
    scored = [Scored(c, float(v @ question)) for c, v in zip(found, vectors, strict=True)]
    return quote(choose(scored)) or not_known(prompt.question)


def candidates(prompt: Prompt) -> list[Candidate]:
    """Those that share the most with the question, and the first ones of the first sources."""
    found = [(s.number, one) for s in prompt.sources for one in sentences(s.text, s.title)]
    texts = [f"{one.heading}. {plain(one.text)}" for _, one in found]
    sentence_stems = [stems(text) for text in texts]
    rarity = Rarity(sentence_stems)
    asked = stems(prompt.question)
    every = [
        Candidate(place, number, one.text, text, rarity.overlap(asked, held))
        for place, ((number, one), text, held) in enumerate(
            zip(found, texts, sentence_stems, strict=True)
        )
    ]
    chosen = {c.place: c for c in sorted(every, key=lambda c: -c.overlap) if c.overlap > 0}
    chosen = dict(list(chosen.items())[: CANDIDATES_MAX - FIRST_SOURCES * FIRST_SENTENCES])
    for source in prompt.sources[:FIRST_SOURCES]:
        own = [c for c in every if c.source_number == source.number]
        chosen |= {c.place: c for c in own[:FIRST_SENTENCES]}
    for candidate in every:
        if len(chosen) >= CANDIDATES_MAX:
            break
        chosen.setdefault(candidate.place, candidate)
    return sorted(chosen.values(), key=lambda c: c.place)


def choose(scored: list[Scored]) -> list[Candidate]:
    """The best one and those hardly worse, the best first; no sentence twice."""
    near = sorted((s for s in scored if s.is_near), key=lambda s: -s.score)
    chosen: dict[str, Candidate] = {}
    for item in near:
        if item.score >= near[0].score - MARGIN and len(chosen) < SENTENCES_MAX:
            chosen.setdefault(item.candidate.text, item.candidate)
    return list(chosen.values())


def overview(prompt: Prompt) -> list[Candidate]:
    """Without a question: how each source begins."""
    firsts = [(source.number, sentences(source.text)[:1]) for source in prompt.sources]
    return [
        Candidate(place, number, one.text, one.text, 0.0)
        for place, (number, found) in enumerate(firsts)
        for one in found
    ]


def quote(chosen: list[Candidate]) -> str:
    return " ".join(f"{candidate.text} [{candidate.source_number}]" for candidate in chosen)
