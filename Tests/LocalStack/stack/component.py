"""One server of the stack: how it is started, when it is ready, how it ends."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import httpx

from stack.interrupts import held_back
from stack.processes import KnownProcess, ProcessFiles

LOG_TAIL_LINES = 25


class StackError(Exception):
    """Something a person has to know; printed without a trace."""


@dataclass
class Component:
    name: str
    command: list[str]
    is_ready: Callable[[], bool]
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path | None = None
    ready_seconds: float = 30
    stop_seconds: float = 15
    stop_signal: int = signal.SIGTERM


def answers(url: str, status: int = 200) -> Callable[[], bool]:
    """Ready when a GET of this address is answered so."""

    def ask() -> bool:
        try:
            return httpx.get(url, timeout=2, trust_env=False).status_code == status
        except httpx.HTTPError:
            return False

    return ask


def base_environment() -> dict[str, str]:
    """What every process gets: nothing that could change what it does behind our back."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ}


class Stack:
    """Running components, in the order of their start."""

    def __init__(self, folder: Path) -> None:
        self.logs = folder / "logs"
        self.files = ProcessFiles(folder / "processes")
        self.running: list[tuple[Component, subprocess.Popen[bytes], KnownProcess]] = []

    def start(self, *components: Component) -> None:
        """All at once, then waits for each."""
        self.logs.mkdir(parents=True, exist_ok=True)
        for component in components:
            self._launch(component)
        for component in components:
            self._wait(component)

    def _launch(self, component: Component) -> None:
        """No signal comes between a process's start and our knowing it, or nobody would stop it."""
        with held_back(), self.log(component.name).open("wb") as log:
            self._launch_logging_to(log, component)

    def _launch_logging_to(self, log: BinaryIO, component: Component) -> None:
        process = subprocess.Popen(
            component.command,
            env=base_environment() | component.environment,
            cwd=component.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        known = KnownProcess.of(component.name, process.pid, component.stop_signal)
        self.files.add(known)
        self.running.append((component, process, known))

    def _wait(self, component: Component) -> None:
        process = next(p for c, p, _ in self.running if c is component)
        deadline = time.monotonic() + component.ready_seconds
        while not component.is_ready():
            if process.poll() is not None:
                raise StackError(f"{component.name} ended at its start.\n{self.tail(component.name)}")
            if time.monotonic() > deadline:
                late = f"{component.name} was not ready in {component.ready_seconds:.0f} s."
                raise StackError(f"{late}\n{self.tail(component.name)}")
            time.sleep(0.05)

    def ended(self) -> str | None:
        """The name of a component that is no longer there."""
        return next((c.name for c, process, _ in self.running if process.poll() is not None), None)

    def stop(self) -> None:
        while self.running:
            component, _, known = self.running.pop()
            known.stop(component.stop_seconds)
            self.files.remove(component.name)

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def tail(self, name: str) -> str:
        file = self.log(name)
        lines = file.read_text(errors="replace").splitlines() if file.exists() else []
        return "\n".join([f"The end of {file}:", *(f"  {x}" for x in lines[-LOG_TAIL_LINES:])])
