"""The signals that end a stack, and when they may come."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def held_back() -> Iterator[None]:
    """What comes meanwhile comes at the end, to whoever handled it before."""
    came: list[int] = []
    handlers = {number: signal.signal(number, lambda n, _: came.append(n)) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for number in came:
        signal.raise_signal(number)


def as_keyboard_interrupt() -> None:
    """A closed terminal and `make stop` end a run as Ctrl-C does."""
    for number in ENDING:
        signal.signal(number, signal.default_int_handler)
    signal.signal(signal.SIGHUP, _hang_up)


def _hang_up(number: int, frame: FrameType | None) -> None:
    silence()
    signal.default_int_handler(number, frame)


def silence() -> None:
    """For when the terminal is gone, or who reads a pipe: writing would fail in the midst of stopping."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.dup2(nowhere, sys.stderr.fileno())


def ignored() -> None:
    """For the time of stopping: impatience shall not leave half of it running."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
