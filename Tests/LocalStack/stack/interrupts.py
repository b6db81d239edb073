"""The signals that end a stack, and when they may come."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

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


def ignored() -> None:
    """For the time of stopping: impatience shall not leave half of it running."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
