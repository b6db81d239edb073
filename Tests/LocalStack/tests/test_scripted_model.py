import unittest

import httpx

from tests.server_process import ServerProcess


class ScriptedModelTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.model = ServerProcess("models.scripted")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.model.kill()

    def tell(self, *steps: dict[str, object]) -> None:
        self.post("/script", {"model": self.id(), "steps": list(steps)})

    def post(self, path: str, body: dict[str, object]) -> httpx.Response:
        return httpx.post(self.model.url + path, json=body, timeout=5)

    def ask(self, stream: bool = True) -> httpx.Response:
        body = {"model": self.id(), "messages": [], "stream": stream}
        return self.post("/v1/chat/completions", body)

    def test_answers_without_a_script(self) -> None:
        answer = self.ask(stream=False).json()
        self.assertEqual(answer["choices"][0]["message"]["content"], "This is a scripted answer.")

    def test_takes_reply_after_reply_and_keeps_the_last(self) -> None:
        replies = [[{"status": 429, "retry_after": "2"}], [{"token": "late"}]]
        self.post("/script", {"model": self.id(), "replies": replies})
        refused = self.ask()
        self.assertEqual((refused.status_code, refused.headers["retry-after"]), (429, "2"))
        for _ in range(2):
            self.assertIn("late", self.ask().text)

    def test_cuts_the_connection(self) -> None:
        self.tell({"token": "half"}, {"cut": True})
        with self.assertRaises(httpx.RemoteProtocolError):
            self.ask()

    def test_ends_as_told(self) -> None:
        self.tell({"token": "x"}, {"finish": "length", "usage": [3, 4]}, {"no_done": True})
        text = self.ask().text
        self.assertIn('"finish_reason":"length"', text)
        self.assertIn('"prompt_tokens":3', text)
        self.assertNotIn("[DONE]", text)

    def test_waits_for_a_signal(self) -> None:
        self.tell({"wait_for": "go"}, {"token": "went"})
        self.post("/release", {"model": self.id(), "signal": "go"})
        self.assertIn("went", self.ask().text)

    def test_embeds_shared_words_near_each_other(self) -> None:
        texts = ["solar panels on roofs", "roofs with solar panels", "the annual assembly"]
        answer = self.post("/v1/embeddings", {"model": self.id(), "input": texts}).json()
        first, near, far = (item["embedding"] for item in answer["data"])

        def cosine(a: list[float], b: list[float]) -> float:
            return sum(x * y for x, y in zip(a, b, strict=True))

        self.assertGreater(cosine(first, near), cosine(first, far) + 0.3)

    def test_keeps_what_it_was_asked(self) -> None:
        self.ask()
        found = httpx.get(self.model.url + "/requests", params={"model": self.id()}).json()
        self.assertEqual([r["ended"] for r in found["requests"]], ["complete"])
        self.assertEqual(found["requests"][0]["body"]["model"], self.id())
