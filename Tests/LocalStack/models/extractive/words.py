"""Words as far as this model needs them: what two texts share, and which language asks."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

WORD = re.compile(r"\w+")
# Long enough to tell words apart, short enough that most inflections agree.
STEM_LENGTH = 5

COMMON: dict[str, frozenset[str]] = {
    "it": frozenset(
        "il lo la i gli le un uno una di a da in con su per tra fra e o ma che chi cosa come "
        "quando quanto quanta quanti quante dove perche quale quali è e sono ho hai ha abbiamo "
        "posso puo si non del della dei delle degli dell nel nella al alla ai alle dal dalla mi "
        "ti ci vi mio mia nostra nostro questo questa cos quanto serve devo deve viene".split()
    ),
    "en": frozenset(
        "the a an of to in on at for with by from and or but what who whom how when where why "
        "which is are was were be do does did can could may must should will would i you he she "
        "it we they my your our their this that these those not if as much many long there".split()
    ),
    "es": frozenset(
        "el la los las un una unos unas de a en con por para y o pero que quien como cuando "
        "cuanto cuanta cuantos cuantas donde porque cual cuales es son soy hay puedo puede se no "
        "del al mi tu su nuestro nuestra este esta esto debo debe tiene tengo".split()
    ),
}
NOT_KNOWN = {
    "it": "Non lo so: nelle fonti a disposizione non ho trovato una risposta a questa domanda.",
    "en": "I do not know: I found no answer to this question in the available sources.",
    "es": "No lo sé: no he encontrado una respuesta a esta pregunta en las fuentes disponibles.",
}
COMMON_OF_ALL = frozenset().union(*COMMON.values())


def fold(text: str) -> list[str]:
    """Words in lower case without accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return WORD.findall("".join(c for c in decomposed if not unicodedata.combining(c)))


def stems(text: str) -> frozenset[str]:
    return frozenset(
        w[:STEM_LENGTH] for w in fold(text) if w not in COMMON_OF_ALL and (len(w) > 2 or w.isdigit())
    )


def language(text: str) -> str:
    words = fold(text)
    counts = {code: sum(word in common for word in words) for code, common in COMMON.items()}
    best = max(counts, key=lambda code: counts[code])
    return best if counts[best] else "en"


def not_known(question: str) -> str:
    return NOT_KNOWN[language(question)]


class Rarity:
    """How much a shared word says: the rarer among the sentences, the more."""

    def __init__(self, sentence_stems: Iterable[frozenset[str]]) -> None:
        all_stems = list(sentence_stems)
        self.sentence_count = len(all_stems)
        self.counts = Counter(stem for found in all_stems for stem in found)

    def weight(self, stem: str) -> float:
        return math.log(1 + (self.sentence_count + 1) / (self.counts[stem] + 1))

    def overlap(self, question: frozenset[str], sentence: frozenset[str]) -> float:
        """Between 0 and 1: the share of the question's weight that the sentence holds."""
        whole = sum(map(self.weight, question))
        return sum(map(self.weight, question & sentence)) / whole if whole else 0.0
