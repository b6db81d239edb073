"""The HTTP side: reads a request, asks git, answers as the fault says."""

from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from git_server import backend, faults

BODY_BYTES_MAX = 64 << 20


class GitHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.serve()

    def do_POST(self) -> None:
        self.serve()

    def serve(self) -> None:
        address = urlsplit(self.path)
        body = self.read_body()
        fault = self.fault()
        if fault in faults.BEFORE_GIT:
            faults.BEFORE_GIT[fault](self)
            return
        answer = backend.ask(
            self.server.root, self.command, address.path, address.query, self.headers, body
        )
        is_pack = address.path.endswith("/git-upload-pack")
        if is_pack and fault in faults.AT_THE_PACK:
            faults.AT_THE_PACK[fault](self, answer)
            return
        self.start(answer, len(answer.body))
        self.wfile.write(answer.body)

    def start(self, answer: backend.BackendAnswer, length: int | None) -> None:
        """Without a length the answer ends with the connection."""
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if length is None:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def fault(self) -> str:
        file = self.server.fault_file
        return file.read_text().strip() if file.exists() else ""

    def read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self.read_chunks()
        return self.rfile.read(min(int(self.headers.get("Content-Length") or 0), BODY_BYTES_MAX))

    def read_chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline(64), 16):
            body += self.rfile.read(size)
            self.rfile.readline(8)
            if len(body) > BODY_BYTES_MAX:
                raise ValueError("the request is too large")
        self.rfile.readline(8)
        return body

    def log_message(self, *_: object) -> None:
        """Tests read what the client says."""
