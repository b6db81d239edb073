"""A Postgres cluster in a private folder on a private port."""

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path

from stack.component import Component, StackError

USER = "celine"
CONNECTION_COUNT_MAX = 400


def binaries() -> Path:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    if not versions:
        raise StackError("Postgres is not installed: apt-get install postgresql")
    return versions[-1]


def as_unprivileged() -> list[str]:
    """Postgres refuses to run as root; Debian's package brings a user."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]


def readable_folder(wanted: Path) -> Path:
    """The wanted folder, or one that Postgres's user can reach when our clone is closed to it."""
    wanted.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return wanted
    reaches = subprocess.run([*as_unprivileged(), "test", "-x", str(wanted)], check=False)
    if reaches.returncode != 0:
        wanted = folder_outside(wanted)
        wanted.mkdir(mode=0o700, exist_ok=True)
        if wanted.lstat().st_uid not in (0, pwd.getpwnam("postgres").pw_uid):
            raise StackError(f"{wanted} belongs to somebody else")
    shutil.chown(wanted, "postgres", "postgres")
    wanted.chmod(0o700)
    return wanted


def folder_outside(wanted: Path) -> Path:
    mark = hashlib.sha256(str(wanted).encode()).hexdigest()[:12]
    return Path("/var/tmp") / f"celine-assistant-postgres-{mark}"


def forget(wanted: Path) -> None:
    """Removes the cluster, wherever it was made."""
    for folder in (wanted, folder_outside(wanted)):
        shutil.rmtree(folder, ignore_errors=True)


def initialise(folder: Path) -> None:
    """Makes the cluster once. A half-made one, told by its missing mark, is made anew."""
    mark = folder / "complete"
    if mark.exists():
        return
    shutil.rmtree(folder / "data", ignore_errors=True)
    made = subprocess.run(
        [
            *as_unprivileged(), str(binaries() / "initdb"), "--pgdata", str(folder / "data"),
            "--username", USER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8",
        ],
        cwd="/", capture_output=True, text=True, check=False,
    )
    if made.returncode != 0:
        raise StackError(f"initdb failed:\n{made.stdout}{made.stderr}")
    mark.touch()


def component(wanted: Path, port: int, *, is_durable: bool) -> Component:
    """Listens on 127.0.0.1 only, where every local user may connect: this is a developer's machine."""
    folder = readable_folder(wanted)
    initialise(folder)
    # A killed server leaves this file; a start refuses only if its process is alive.
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": str(CONNECTION_COUNT_MAX),
        "fsync": "on" if is_durable else "off",
        "log_min_messages": "warning",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Component(
        name="postgres",
        command=[
            *as_unprivileged(), str(binaries() / "postgres"), "-D", str(folder / "data"), *options,
        ],
        is_ready=lambda: is_accepting(port),
        folder=Path("/"),
        # SIGINT is Postgres's fast shutdown: it does not wait for clients to leave.
        stop_signal=signal.SIGINT,
    )


def is_accepting(port: int) -> bool:
    asked = subprocess.run(
        [str(binaries() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)], check=False
    )
    return asked.returncode == 0


def url(port: int, database: str) -> str:
    return f"postgresql://{USER}@127.0.0.1:{port}/{database}"


def ensure_database(port: int, name: str) -> None:
    made = subprocess.run(
        [
            str(binaries() / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", USER, name,
        ],
        capture_output=True, text=True, check=False,
    )
    if made.returncode != 0 and "already exists" not in made.stderr:
        raise StackError(f"the database {name} could not be made: {made.stderr}")
