"""Free ports on this machine, and who holds one that is not."""

import json
import os
import re
import socket
import subprocess
from pathlib import Path


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def find_free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def owner(port: int) -> str:
    """Who listens on a port, as far as this user may know."""
    listing = subprocess.run(
        ["ss", "-Hltnp", f"sport = :{port}"], capture_output=True, text=True, check=False
    ).stdout
    found = re.search(r'"([^"]+)",pid=(\d+)', listing)
    return f"{found[1]} (pid {found[2]})" if found else "another user's process"


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
