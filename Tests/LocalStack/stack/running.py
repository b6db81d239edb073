"""What one command knows of a stack that another one runs: its settings, its processes."""

import os
import shutil

from stack import postgres, tokens
from stack.component import StackError
from stack.issuer import Issuer
from stack.paths import LOCAL, RUN, STATE
from stack.processes import KnownProcess, ProcessFiles
from stack.settings import export_lines, read_file

SETTINGS = RUN / "settings.env"
RUNNER = "runner"
STOP_SECONDS = 60


def remember_runner() -> None:
    """So that `make stop` finds this process; nothing of an earlier run is running any more."""
    ProcessFiles(RUN / "runner").add(KnownProcess.of(RUNNER, os.getpid()))


def forget_runner() -> None:
    ProcessFiles(RUN / "runner").remove(RUNNER)
    SETTINGS.unlink(missing_ok=True)


def runner() -> KnownProcess | None:
    return next(iter(ProcessFiles(RUN / "runner").running()), None)


def leftovers() -> list[KnownProcess]:
    return ProcessFiles(RUN / "processes").running()


def stop_leftovers() -> list[str]:
    """Of a run that was killed: known by pid and start time, so nobody else's process is hit."""
    found = leftovers()
    for process in found:
        process.stop(15)
    ProcessFiles(RUN / "processes").clear()
    return [process.name for process in found]


def stop() -> None:
    running = runner()
    if running is not None:
        running.stop(STOP_SECONDS)
    names = stop_leftovers()
    if running is None and not names:
        print("Nothing is running.")
    else:
        print("Stopped." if not names else f"Stopped, with leftovers: {', '.join(names)}.")


def write_settings(settings: dict[str, str]) -> None:
    RUN.mkdir(parents=True, exist_ok=True)
    SETTINGS.touch(mode=0o600)
    SETTINGS.chmod(0o600)
    SETTINGS.write_text(export_lines(settings))


def settings() -> dict[str, str]:
    if runner() is None or not SETTINGS.exists():
        raise StackError("The local stack is not running: start it with `make run`.")
    return read_file(SETTINGS)


def token(subject: str, email: str, name: str, group: str, more: str) -> str:
    current = settings()
    issuer = Issuer(STATE / "issuer", int(current.get("LOCAL_ISSUER_PORT", "0")))
    if issuer.port == 0:
        raise StackError("OAUTH2_ISSUER is set: get the token from that issuer.")
    wanted = tokens.claims(subject, email, name, group, more)
    return tokens.mint(issuer.url, issuer.key_file, issuer.key_id, wanted)


def clean_state() -> None:
    """All that the stack kept; what it downloaded stays."""
    if runner() is not None or leftovers():
        raise StackError("The local stack is running: `make stop` first.")
    postgres.forget(STATE / "postgres")
    for folder in (STATE, RUN, LOCAL / "training-materials"):
        shutil.rmtree(folder, ignore_errors=True)
    print("The local stack's state is gone.")

