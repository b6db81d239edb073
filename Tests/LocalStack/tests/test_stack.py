import os
import pty
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from stack import postgres, tokens
from stack.component import Component, Stack, StackError
from stack.engines import OUR_MODULES
from stack.ports import RememberedPorts, find_free, obstacle
from stack.processes import KnownProcess, ProcessFiles
from stack.settings import read_file


class FolderTests(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)


class TokenTests(FolderTests):
    def mint(self, claims: dict[str, object]) -> tuple[str, rsa.RSAPublicKey]:
        key = rsa.generate_private_key(65537, 2048)
        file = self.folder / "key.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return tokens.mint("http://issuer", file, "k1", claims), key.public_key()

    def test_signs_flat_claims_for_the_gateway_s_audience(self) -> None:
        claims = tokens.claims("alice", "", "", "admins, staff", "")
        token, key = self.mint(claims)
        read = jwt.decode(token, key, algorithms=["RS256"], audience="oauth2_proxy")
        self.assertEqual((read["sub"], read["groups"]), ("alice", ["admins", "staff"]))
        self.assertEqual(jwt.get_unverified_header(token)["kid"], "k1")

    def test_further_claims_override_and_null_removes(self) -> None:
        token, key = self.mint(tokens.claims("alice", "", "", "", '{"exp": 1, "aud": null}'))
        read = jwt.decode(token, key, algorithms=["RS256"], options={"verify_exp": False})
        self.assertEqual(read["exp"], 1)
        self.assertNotIn("aud", read)

    def test_says_what_is_wrong_with_claims(self) -> None:
        for wrong in ("{", "[]"):
            with self.assertRaises(StackError):
                tokens.claims("alice", "", "", "", wrong)


class ProcessTests(FolderTests):
    def test_finds_and_stops_what_is_left_and_nothing_else(self) -> None:
        process = subprocess.Popen(["sleep", "60"], start_new_session=True)
        files = ProcessFiles(self.folder)
        files.add(KnownProcess.of("ours", process.pid))
        files.add(KnownProcess("other", os.getpid(), started=1))
        [found] = files.running()
        self.assertEqual(found.name, "ours")
        found.stop(5)
        self.assertFalse(found.is_running)

    def test_names_the_owner_of_a_port(self) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            port = listener.getsockname()[1]
            self.assertIn(f"(pid {os.getpid()}): stop it", obstacle(port))

    def test_knows_what_is_no_port(self) -> None:
        for port in (-1, 0, 65536):
            self.assertIn("no port", obstacle(port))
        self.assertIsNone(obstacle(find_free()))

    def test_a_port_stays_the_same(self) -> None:
        file = self.folder / "ports.json"
        port = RememberedPorts(file).port("chat", find_free())
        self.assertEqual(RememberedPorts(file).port("chat"), port)


    def test_a_run_whose_terminal_is_gone_stops_all_the_same(self) -> None:
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(
                sys.executable, [sys.executable, "-c", HUNG_UP_RUN, str(self.folder)],
                OUR_MODULES,
            )
        self.assertIn(b"started", os.read(terminal, 1000))
        [known] = ProcessFiles(self.folder / "processes").running()
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0)
        self.assertFalse(known.is_running)


# What `make run` does at its end, with one process and without the build.
HUNG_UP_RUN = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from stack import interrupts, run, running
from stack.component import Component, Stack
running.RUN = Path(sys.argv[1])
local = SimpleNamespace(stack=Stack(running.RUN))
interrupts.as_keyboard_interrupt()
local.stack.start(Component("sleeper", ["sleep", "60"], is_ready=lambda: True))
try:
    print("started", flush=True)
    while True:
        time.sleep(60)
except KeyboardInterrupt:
    pass
finally:
    interrupts.ignored()
    run.stop(local)
"""


class PostgresTests(FolderTests):
    def test_a_cluster_is_forgotten_also_where_it_had_to_be_made_outside(self) -> None:
        wanted = self.folder / "postgres"
        outside = postgres.folder_outside(wanted)
        for folder in (wanted, outside):
            (folder / "data").mkdir(parents=True)
        postgres.forget(wanted)
        self.assertFalse(wanted.exists() or outside.exists())


class SettingsTests(FolderTests):
    def test_reads_lines_as_a_shell_would(self) -> None:
        file = self.folder / ".env.local"
        file.write_text("# note\nexport A='b c'\nD=e # why\nEMPTY=\n")
        self.assertEqual(read_file(file), {"A": "b c", "D": "e", "EMPTY": ""})

    def test_names_the_line_that_is_wrong(self) -> None:
        file = self.folder / ".env.local"
        file.write_text("A=1\nwhat\n")
        with self.assertRaisesRegex(StackError, "line 2"):
            read_file(file)


class InterruptTests(FolderTests):
    def test_a_signal_during_a_start_finds_the_process_known(self) -> None:
        stack = Stack(self.folder)
        launch = stack._launch_logging_to

        def interrupted(*given: object) -> None:
            signal.raise_signal(signal.SIGINT)
            launch(*given)

        stack._launch_logging_to = interrupted
        with self.assertRaises(KeyboardInterrupt):
            stack.start(Component("sleeper", ["sleep", "60"], is_ready=lambda: False))
        [(_, process, known)] = stack.running
        self.assertEqual([one.name for one in stack.files.running()], ["sleeper"])
        stack.stop()
        self.assertFalse(known.is_running)
        self.assertIsNotNone(process.poll())
