import asyncio
import os
import re
import socketserver
import threading
import unittest

from bench import meters, queue, wrk
from bench.connection import Answer, Connection, request
from bench.figures import Table, interleaved, number, percentile, ratio
from bench.recorder import Recorder
from stack.component import StackError
from stack.paths import REPOSITORY
from stack.ports import find_free

WRK = """Running 2s test @ http://127.0.0.1:9/
  1 threads and 32 connections
  24518 requests in 2.01s, 5.12MB read
Requests/sec:  12198.01
"""

PGBENCH = """scaling factor: 1
number of transactions actually processed: 5123
number of failed transactions: 0 (0.000%)
tps = 1280.753411 (without initial connection time)
"""


class FigureTests(unittest.TestCase):
    def test_percentiles_are_values_that_were_seen(self) -> None:
        values = [float(value) for value in range(100, 0, -1)]
        self.assertEqual([percentile(values, share) for share in (0.5, 0.99, 1)], [50, 99, 100])
        self.assertEqual(percentile([7.0], 0.01), 7)
        with self.assertRaises(ValueError):
            percentile([], 0.5)

    def test_shows_three_digits_and_no_false_precision(self) -> None:
        shown = [number(value) for value in (0, 0.01234, 1.5, 99.96, 12345.6, None, float("nan"))]
        self.assertEqual(shown, ["0", "0.0123", "1.50", "100.0", "12,346", "–", "–"])
        self.assertEqual((ratio(3, 4), ratio(1, 0)), ("0.75", "–"))

    def test_ways_take_turns_and_swap_who_is_first(self) -> None:
        order: list[str] = []
        taken = interleaved(
            3, {name: lambda name=name: order.append(name) or len(order) for name in ("a", "b")}
        )
        self.assertEqual("".join(order), "abbaab")
        self.assertEqual(taken, {"a": [1, 4, 5], "b": [2, 3, 6]})

    def test_a_table_lines_up(self) -> None:
        table = Table(["name", "ours", "ratio"])
        table.add("long name", 1234, "0.50")
        self.assertEqual(str(table), "name        ours  ratio\nlong name  1,234   0.50")


class ParsingTests(unittest.TestCase):
    def test_reads_wrk_and_takes_no_rate_of_failures(self) -> None:
        self.assertEqual(wrk.parse(WRK), wrk.Load(24518, 12198.01))
        for failure in ("Non-2xx or 3xx responses: 3", "Socket errors: connect 1, read 0"):
            with self.assertRaises(StackError):
                wrk.parse(f"{WRK}  {failure}\n")
        with self.assertRaises(StackError):
            wrk.parse("")

    def test_reads_pgbench_and_takes_no_rate_of_failures(self) -> None:
        self.assertEqual(queue.parse_pgbench(PGBENCH), (5123, 1280.753411))
        for wrong in ("", PGBENCH.replace("transactions: 0", "transactions: 4")):
            with self.assertRaises(StackError):
                queue.parse_pgbench(wrong)

    def test_pgbench_runs_the_statements_of_the_queue(self) -> None:
        ours = "".join(
            (REPOSITORY / "Shared" / f"{name}.swift").read_text()
            for name in ("JobQueue/JobQueue", "JobQueue/Claims", "JobQueue/ClaimedJob", "Postgres/Session")
        )
        fence = re.search(r'var isOurs: SQL \{\s*"(.+)"', ours)
        assert fence is not None
        ours = ours.replace(r"\(sql: isOurs)", fence.group(1))
        ours = statement(ours.replace(r"\(sql: order)", "priority, tag, id"))
        text = queue.STATEMENTS.read_text().partition("BEGIN;")[2]
        theirs = [
            part
            for part in map(statement, re.split(r";|\\gset", text))
            if part not in ("", "BEGIN", "COMMIT")
        ]
        self.assertEqual(len(theirs), 4)
        for one in theirs:
            self.assertTrue(one in ours, one)


def statement(text: str) -> str:
    """With what is bound, and its type, made alike."""
    text = re.sub(r"\\\((?:[^()]|\([^()]*\))*\)|(?<!:):[a-z_]+", "?", text)
    text = re.sub(r"\?::(double precision|\w+(\[\])?)", "?", text)
    return " ".join(text.split())


class MeterTests(unittest.TestCase):
    def test_counts_this_process(self) -> None:
        own = [os.getpid()]
        cpu = meters.CPU(own)
        while cpu.seconds() == 0:
            sum(range(10_000))
        meters.forget_peak(own)
        self.assertGreaterEqual(meters.peak_rss_mb(own), meters.rss_mb(own) * 0.9)
        self.assertIn(own[0], meters.with_children(os.getppid()))


class Answering(socketserver.StreamRequestHandler):
    """Reads a head and a body of four bytes, if there is one, and answers in two pieces; twice."""

    timeout = 10

    def handle(self) -> None:
        for _ in range(2):
            while line := self.rfile.readline().strip():
                if line == b"Content-Length: 4":
                    self.rfile.read(len("\r\nbody"))
                    break
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            self.wfile.write(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


class ConnectionTests(unittest.TestCase):
    def setUp(self) -> None:
        server = socketserver.TCPServer(("127.0.0.1", 0), Answering)
        server.timeout = Answering.timeout
        self.addCleanup(server.server_close)
        self.port = server.server_address[1]
        handling = threading.Thread(target=server.handle_request)
        handling.start()
        self.addCleanup(handling.join)

    async def ask(self, port: int, *requests: bytes) -> tuple[list[bytes], Answer]:
        connection = await Connection.open(port)
        pieces: list[bytes] = []
        for one in requests:
            answer = await connection.exchange(one, pieces.append)
        connection.close()
        return pieces, answer

    def test_gives_the_pieces_of_a_body_and_keeps_the_connection(self) -> None:
        pieces, answer = asyncio.run(self.ask(self.port, *[request("GET", "/")] * 2))
        self.assertEqual(b"".join(pieces), b"onetwoonetwo")
        self.assertEqual(answer, Answer(200, b"onetwo"))

    def test_a_recorder_passes_on_and_keeps_what_was_asked(self) -> None:
        requests = [request("POST", "/points/query", body=b"body"), request("GET", "/")]
        with Recorder(find_free(), self.port) as recorder:
            _, answer = asyncio.run(self.ask(recorder.port, *requests))
        self.assertEqual(answer.body, b"onetwo")
        self.assertEqual(recorder.bodies("/query"), [("/points/query", b"body")])
