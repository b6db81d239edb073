"""Processes that are known by pid and start time, so that a reused pid is never taken for one."""

import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

CLOCK_TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class KnownProcess:
    """A process and its group, which it leads."""

    name: str
    pid: int
    started: int
    stop_signal: int = signal.SIGTERM

    @classmethod
    def of(cls, name: str, pid: int, stop_signal: int = signal.SIGTERM) -> "KnownProcess":
        return cls(name, pid, start_time(pid) or 0, stop_signal)

    @property
    def is_running(self) -> bool:
        return start_time(self.pid) == self.started

    def stop(self, seconds: float) -> None:
        """Asks, waits, and at last kills the whole group."""
        if not self.is_running:
            return
        send(self.pid, self.stop_signal)
        deadline = time.monotonic() + seconds
        while self.is_running and time.monotonic() < deadline:
            reap(self.pid)
            time.sleep(0.02)
        if self.is_running:
            print(f"  {self.name} did not stop in {seconds:.0f} s and is killed", flush=True)
            kill_group(self.pid)
            reap(self.pid)


def start_time(pid: int) -> int | None:
    """In ticks since the machine's start; nil when there is no such process, or only its remains."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        send(pid, signal.SIGKILL)


def reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass


class ProcessFiles:
    """One file per running process in a folder; what is left of a killed run is found by them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, process: KnownProcess) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        document = {
            "pid": process.pid,
            "started": process.started,
            "stop_signal": int(process.stop_signal),
            "order": time.monotonic_ns(),
        }
        (self.folder / f"{process.name}.json").write_text(json.dumps(document))

    def remove(self, name: str) -> None:
        (self.folder / f"{name}.json").unlink(missing_ok=True)

    def running(self) -> list[KnownProcess]:
        """The newest first: the order in which they are stopped."""
        documents = [(file.stem, _read(file)) for file in self.folder.glob("*.json")]
        documents.sort(key=lambda item: -item[1].get("order", 0))
        known = [
            KnownProcess(name, d["pid"], d["started"], d.get("stop_signal", signal.SIGTERM))
            for name, d in documents
            if "pid" in d
        ]
        return [process for process in known if process.is_running]

    def clear(self) -> None:
        for file in self.folder.glob("*.json"):
            file.unlink(missing_ok=True)


def _read(file: Path) -> dict[str, int]:
    try:
        return json.loads(file.read_text())
    except (OSError, json.JSONDecodeError):
        return {}
