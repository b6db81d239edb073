"""What a remote can do instead of answering."""

from typing import TYPE_CHECKING

from git_server.backend import BackendAnswer

if TYPE_CHECKING:
    from git_server.handler import GitHandler


def silence(handler: "GitHandler") -> None:
    """Takes the request and says nothing, until the client goes."""
    handler.close_connection = True
    handler.connection.recv(1)


def redirect(handler: "GitHandler") -> None:
    """To the same repository under another host name, as a forge does that has moved."""
    handler.send_response(302)
    port = handler.server.server_address[1]
    handler.send_header("Location", f"http://localhost:{port}{handler.path}")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def page(handler: "GitHandler") -> None:
    """A page for people, with status 200, as a login wall does."""
    text = b"<!doctype html><title>Sign in</title>"
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Content-Length", str(len(text)))
    handler.end_headers()
    handler.wfile.write(text)


def refuse(handler: "GitHandler") -> None:
    """Wants a password that nobody has."""
    handler.send_response(401)
    handler.send_header("WWW-Authenticate", 'Basic realm="git"')
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def cut(handler: "GitHandler", answer: BackendAnswer) -> None:
    """Half of the pack, then the connection breaks: shorter than it was said to be."""
    handler.start(answer, len(answer.body))
    send_half(handler, answer)


def cut_unseen(handler: "GitHandler", answer: BackendAnswer) -> None:
    """The same, of an answer that never said how long it is: only the pack itself can tell."""
    handler.start(answer, None)
    send_half(handler, answer)


def silence_in_pack(handler: "GitHandler", answer: BackendAnswer) -> None:
    """Half of the pack, and then nothing, until the client goes."""
    handler.start(answer, len(answer.body))
    handler.wfile.write(answer.body[: len(answer.body) // 2])
    silence(handler)


def garble(handler: "GitHandler", answer: BackendAnswer) -> None:
    """One byte in the middle of the pack is another."""
    body = bytearray(answer.body)
    body[len(body) * 3 // 4] ^= 0xFF
    handler.start(answer, len(body))
    handler.wfile.write(bytes(body))


def send_half(handler: "GitHandler", answer: BackendAnswer) -> None:
    handler.wfile.write(answer.body[: len(answer.body) // 2])
    handler.close_connection = True


BEFORE_GIT = {"silence": silence, "redirect": redirect, "page": page, "refuse": refuse}
AT_THE_PACK = {
    "cut": cut, "cut-unseen": cut_unseen, "silence-in-pack": silence_in_pack, "garble": garble,
}
