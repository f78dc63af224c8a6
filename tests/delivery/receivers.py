"""Receivers on this machine that speak the real protocols: an HTTP one with scripted answers, and a mail server."""

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message as Mail
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass(frozen=True)
class Said:
    """One answer: `reset` breaks the connection off instead, `slow` seconds pass before it."""

    status: int = 200
    body: str = "ok"
    headers: dict[str, str] = field(default_factory=dict)
    slow: float = 0.0
    reset: bool = False


def slack_says(**values: object) -> Said:
    """An answer of Slack's Web API: always 200."""
    return Said(200, json.dumps(values), {"Content-Type": "application/json"})


@dataclass(frozen=True)
class Received:
    """One request as it came over the wire."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """What came, and what is answered: `answers` in turn, the last again and again."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.received: list[Received] = []
        self.answers: list[Said] = [Said()]
        self.arrived = threading.Event()

    def next_answer(self) -> Said:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.receiver.received.append(Received(self.path, headers, body))
        said = self.receiver.next_answer()
        self.receiver.arrived.set()
        time.sleep(said.slow)
        if said.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        self.send_response(said.status)
        for name, value in {"Content-Length": str(len(said.body.encode())), **said.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said.body.encode())

    def log_message(self, *given: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that the other side or a scripted reset ended is no news."""


@contextmanager
def http_receiver() -> Iterator[Receiver]:
    """Run a receiver on a free port of this machine."""
    handler = type("OneHandler", (_Handler,), {})
    server = _Server(("127.0.0.1", 0), handler)
    receiver = Receiver(server.server_address[1])
    handler.receiver = receiver  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


class MailServer:
    """A mail server that keeps what it takes; `refuses` answers a recipient with a line instead."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.refuses: dict[str, str] = {}
        self.host, self.port = "", 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = message_from_bytes(envelope.content)
        mail["X-To"] = ", ".join(envelope.rcpt_tos)
        self.mails.append(mail)
        return "250 Taken"


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Run a mail server on a free port of this machine."""
    controller_module = pytest.importorskip("aiosmtpd.controller")
    keeper = MailServer()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        keeper.host, keeper.port = free.getsockname()
    controller = controller_module.Controller(keeper, hostname=keeper.host, port=keeper.port, ready_timeout=10)
    controller.start()
    try:
        yield keeper
    finally:
        controller.stop()
