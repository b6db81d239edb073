"""One request through `git http-backend`, which speaks CGI."""

import os
import subprocess
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

DEADLINE_SECONDS = 60


@dataclass
class BackendAnswer:
    status: int
    headers: Message
    body: bytes


def ask(
    root: Path, method: str, path: str, query: str, headers: Message, body: bytes
) -> BackendAnswer:
    environment = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": headers.get("Git-Protocol", ""),
        "REMOTE_ADDR": "127.0.0.1",
    }
    done = subprocess.run(
        ["git", "http-backend"], env=environment, input=body, capture_output=True,
        timeout=DEADLINE_SECONDS, check=False,
    )
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    fields = BytesParser().parsebytes(head + b"\r\n\r\n")
    status = int(fields.get("Status", "200").split()[0])
    del fields["Status"]
    return BackendAnswer(status, fields, content)
