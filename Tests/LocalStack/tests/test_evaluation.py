import math
import tempfile
import unittest
from pathlib import Path

import numpy

from evaluation import metrics, question_sets, thresholds, tuning
from evaluation.asking import Chunk, Found
from evaluation.question_sets import Question, sample_pages
from evaluation.vectors import Vectors
from stack.component import StackError


def chunk(name: str, language: str = "it", cosine: float = 0.8, overlap: float = 0.0) -> Chunk:
    return {
        "id": name, "path": f"{language}/{name}.md", "headings": ["Title", name],
        "language": language, "cosine": cosine, "overlap": overlap,
    }


def found(
    dense: list[Chunk], sparse: list[Chunk], relevant: dict[str, int] | None = None
) -> Found:
    question = Question(1, "?", "it", relevant or {})
    rankings = {"dense": dense, "sparse": sparse, "hybrid": dense}
    return Found(question, True, "it", rankings, dense)


class MetricsTests(unittest.TestCase):
    def test_a_hit_is_what_answers_not_what_helps(self) -> None:
        scores = metrics.scores(["helps", "answers"], {"answers": 2, "helps": 1})
        self.assertEqual((scores.hit_at_1, scores.hit_at_5, scores.mrr), (0, 1, 0.5))
        self.assertAlmostEqual(scores.ndcg, (1 + 2 / math.log2(3)) / (2 + 1 / math.log2(3)))

    def test_the_best_order_scores_one_and_a_missing_answer_nothing(self) -> None:
        grades = {"a": 2, "b": 1}
        self.assertEqual(metrics.scores(["a", "b", "c"], grades), metrics.Scores(1, 1, 1, 1))
        self.assertEqual(metrics.scores(["x"] * 9, grades), metrics.Scores(0, 0, 0, 0))

    def test_nothing_counts_beyond_the_tenth_place(self) -> None:
        ranking = [str(number) for number in range(10)] + ["a"]
        self.assertEqual(metrics.scores(ranking, {"a": 1}).mrr, 0)


class QuestionTests(unittest.TestCase):
    def test_the_four_language_pairs_are_equally_many_in_both_halves(self) -> None:
        asked = sample_pages()
        self.assertEqual(len(asked.cells), 4)
        for cell in asked.cells:
            of_cell = [one for one in asked.answerable if one.cell == cell]
            tuned = [one for one in of_cell if one.is_for_tuning]
            self.assertEqual((len(of_cell), len(tuned)), (30, 15))

    def test_a_section_is_named_by_its_own_heading(self) -> None:
        units = list(question_sets.units("a.md", "# Title\n\ntext # no\n\n## One\n"))
        self.assertEqual(units, ["a.md#Title", "a.md#One"])

    def test_reads_the_cranfield_collection(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "cran.all.1400.xml").write_text(
                "<doc>\n<docno>7</docno>\n<title>a wing</title>\n"
                "<text>a wing\nin air</text>\n</doc>"
            )
            (folder / "cran.qry.xml").write_text("<num> 4</num><title>\nwhat\nflies\n</title>")
            (folder / "cranqrel.trec.txt").write_text("1 0 7 2\n1 0 8 -1\n")
            asked = question_sets.cranfield(folder)
            self.assertEqual(asked.pages, {"7.md": "# a wing\n\nin air\n"})
            self.assertEqual(asked.questions, [Question(1, "what flies", "en", {"7.md": 1}, "en")])
            with self.assertRaises(StackError):
                question_sets.cranfield(folder / "elsewhere")


class TuningTests(unittest.TestCase):
    def test_fuses_by_the_engine_s_formula(self) -> None:
        near, right, wordy = chunk("near"), chunk("right", "en"), chunk("wordy")
        one = found([near, right, wordy], [wordy])
        order = [c["id"] for c in tuning.fused(one, tuning.Fusion(1, 1, 0.5, 0, 0))]
        self.assertEqual(order, ["near", "wordy", "right"])
        order = [c["id"] for c in tuning.fused(one, tuning.Fusion(1, 1, 0.5, 0.6, 0))]
        self.assertEqual(order, ["right", "near", "wordy"])

    def test_an_undecided_chunk_is_in_every_language(self) -> None:
        table = chunk("table", "und")
        self.assertEqual(tuning.by_relation("it", [table]), ([table], []))
        self.assertEqual(tuning.by_relation("en", [chunk("a")]), ([], [chunk("a")]))

    def test_each_language_has_a_threshold_of_its_own(self) -> None:
        seen = thresholds.evidence(found([chunk("a", cosine=0.8), chunk("b", "en", 0.79)], []))
        self.assertTrue(seen.is_refused(0.81, 0.8))
        self.assertFalse(seen.is_refused(0.81, 0.79))
        self.assertEqual(thresholds.refusals([seen], 0.81, 0.8), (1, 0))


class VectorsTests(unittest.TestCase):
    def test_remembers_a_text_by_its_model(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            file = Path(name) / "vectors.sqlite"
            vector = numpy.asarray([0.25, -1], dtype=numpy.float32)
            Vectors(file).insert("passage", "text", (vector, 3))
            kept, count = Vectors(file).find("passage", "text") or ([], 0)
            self.assertEqual((list(kept), count), ([0.25, -1], 3))
            self.assertIsNone(Vectors(file).find("query", "text"))
