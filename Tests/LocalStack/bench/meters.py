"""What processes use, from /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")


def with_children(pid: int) -> list[int]:
    """A process and those it started, at any depth: nginx works in children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid] + [one for child in children for one in with_children(int(child))]


def cpu_seconds(pids: list[int]) -> float:
    """User and kernel time, of all threads, ended ones too. Counted in ticks of 10 ms."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks * TICK_SECONDS


def rss_mb(pids: list[int]) -> float:
    return sum(status_kb(pid, "VmRSS") for pid in pids) / 1024


def peak_rss_mb(pids: list[int]) -> float:
    """The most each has held since `forget_peak`."""
    return sum(status_kb(pid, "VmHWM") for pid in pids) / 1024


def forget_peak(pids: list[int]) -> None:
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def status_kb(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise ValueError(f"no {name} in the status of process {pid}")


@dataclass
class CPU:
    """The time that processes use between two looks."""

    pids: list[int]

    def __post_init__(self) -> None:
        self.start = cpu_seconds(self.pids)

    def seconds(self) -> float:
        return cpu_seconds(self.pids) - self.start
