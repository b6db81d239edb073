"""Free ports on this machine, and who holds one that is not."""

import json
import os
import random
import socket
from pathlib import Path


def obstacle(port: int) -> str | None:
    """Why a port cannot be listened on; nil when it can."""
    if not 0 < port < 1 << 16:
        return f"{port} is no port: they go from 1 to 65535."
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            return f"Port {port} is for root alone."
        except OSError:
            return f"Port {port} is in use by {owner(port)}: stop it, or take another."
    return None


def is_free(port: int) -> bool:
    return obstacle(port) is None


given: set[int] = set()


def find_free() -> int:
    """One that the kernel gives to nobody of itself: below its range for outgoing connections,
    which could take a port between our look and the server's start. Never the same one twice."""
    while True:
        port = random.randrange(15_000, 32_000)
        if port not in given and is_free(port):
            given.add(port)
            return port


def owner(port: int) -> str:
    """Who listens on a port, as far as this user may know."""
    sockets = {f"socket:[{inode}]" for inode in listening_inodes(port)}
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(descriptor) in sockets:
                process = descriptor.parents[1]
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
        except OSError:
            continue
    return "another user's process"


def listening_inodes(port: int) -> list[str]:
    """From the kernel's tables, where the local address ends in the port and 0A means listening."""
    rows = [
        line.split()
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        if Path(table).exists()
        for line in Path(table).read_text().splitlines()[1:]
    ]
    return [row[9] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"]


class RememberedPorts:
    """A port per component that stays the same from one start to the next, if it is still free."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.ports: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}

    def port(self, name: str, preferred: int | None = None) -> int:
        port = self.ports.get(name, preferred)
        if port is None or not is_free(port):
            port = find_free()
        self.ports[name] = port
        self.file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.file.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(self.ports, indent=1, sort_keys=True))
        temporary.replace(self.file)
        return port
