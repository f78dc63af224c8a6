"""A workspace of its own, in processes of its own: for tests that deliver over HTTP or kill what runs."""

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest

from tests.homes import make_migrated, make_migrated_database, with_database

BIN = Path(sys.executable).parent
HELPER = """
import django, json, sys
django.setup()
from pathlib import Path
from django.conf import settings
from django.utils import timezone
from bellwether.usage import keys
from bellwether.usage.flush import flush
from bellwether.usage.lake import Lake
from bellwether.usage.models import DirtyDate, EventBatch, FlushClaim, PlatformUser, RejectedEvent, SourceDay

def do_flush():
    flush(lake=Lake(Path(settings.BELLWETHER_LAKE)), zone=settings.BELLWETHER_WORKSPACE_ZONE, now=timezone.now())
    return {
        "waiting": EventBatch.objects.count(),
        "claims": FlushClaim.objects.count(),
        "rejects": list(RejectedEvent.objects.order_by("id").values("source", "message_id", "reason", "sample")),
        "users": list(PlatformUser.objects.order_by("id").values("organization_id", "user_key", "role", "is_service")),
        "sources": list(SourceDay.objects.values_list("source", "batches", "events", "duplicates", "rejected")),
        "dirty": [str(day) for day in DirtyDate.objects.values_list("date", flat=True)],
    }

for line in sys.stdin:
    name, *arguments = json.loads(line)
    if name == "flush":
        answer = do_flush()
    else:
        answer = {"add_key": keys.add_key, "revoke_key": keys.revoke_key}[name](*arguments, now=timezone.now())
    print(json.dumps(answer), flush=True)
"""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """A running web server. `kill` is kill -9 of every process of it."""

    process: "subprocess.Popen[bytes]"
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def post(self, path: str, body: Any, *, key: str | None = None, headers: dict[str, str] | None = None) -> Answer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} | (headers or {})
        if key:
            sent["Authorization"] = basic(key)
        return self.request("POST", path, data, sent)

    def request(
        self, method: str, path: str, data: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, data, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def kill(self) -> None:
        os.killpg(self.process.pid, 9)
        self.process.wait(20)


@dataclass
class Workspace:
    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    _helper: "subprocess.Popen[str] | None" = None

    def bellwether(self, *arguments: str) -> str:
        return self.run([str(BIN / "bellwether"), *arguments])

    def run(self, command: list[str]) -> str:
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def add_key(self, source: str = "web-app") -> str:
        return str(self.ask("add_key", source))

    def revoke_key(self, source: str) -> None:
        self.ask("revoke_key", source)

    def flush(self) -> dict[str, Any]:
        return dict(self.ask("flush"))

    def ask(self, *request: str) -> Any:
        """Have the helper process do something: it is started once, as starting takes longer than most requests."""
        if self._helper is None:
            command = [sys.executable, "-W", "ignore", "-c", HELPER]
            pipe = subprocess.PIPE
            self._helper = subprocess.Popen(command, env=self.environment, stdin=pipe, stdout=pipe, text=True)
        assert self._helper.stdin is not None
        assert self._helper.stdout is not None
        self._helper.stdin.write(json.dumps(request) + "\n")
        self._helper.stdin.flush()
        return json.loads(self._helper.stdout.readline())

    def close(self) -> None:
        if self._helper is not None:
            self._helper.communicate(timeout=60)

    def events(self) -> pl.DataFrame:
        """Return every event of the lake, read from each part as it is: repetitions would show."""
        parts = sorted((self.home / "lake" / "events").glob("*/[!.]*.parquet"))
        return pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in parts]).sort("ts", "message_id")

    def bytes_on_disk(self) -> bytes:
        """Return everything that this workspace has written to files, unpacked where it is Parquet."""
        written = [path.read_bytes() for path in sorted(self.home.rglob("*")) if path.is_file()]
        if (self.home / "lake" / "events").exists():
            written.append(self.events().write_csv().encode())
        return b"\n".join(written)

    @contextmanager
    def serve(self, *, processes: int = 1) -> Iterator[Server]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [str(BIN / "granian"), "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--no-ws"]
        command += ["--workers", str(processes), "--blocking-threads", "32", "bellwether.config.wsgi:application"]
        with (self.home / "server.log").open("ab") as log:
            process = subprocess.Popen(command, env=self.environment, start_new_session=True, stdout=log, stderr=log)
        server = Server(process, port)
        try:
            wait_until_open(server)
            yield server
        finally:
            if process.poll() is None:
                server.kill()


def basic(key: str) -> str:
    return "Basic " + b64encode(f"{key}:".encode()).decode()


def wait_until_open(server: Server) -> None:
    for _ in range(1500):
        try:
            if server.request("OPTIONS", "/v1/batch").status == 204:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not open its port within 150 s")


@contextmanager
def new_workspace(home: Path) -> Iterator[Workspace]:
    """A migrated workspace in `home`; on PostgreSQL, when the tests run on it, with a database of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BELLWETHER_")}
    environment |= {
        "BELLWETHER_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "bellwether.config.settings",
        "PYTHONWARNINGS": "ignore",
    }
    url = os.environ.get("BELLWETHER_DATABASE_URL", "")
    if not url.startswith("postgres"):
        make_migrated(home)
        with contextlib.closing(Workspace(home, environment)) as workspace:
            yield workspace
        return
    name = f"bellwether_{secrets.token_hex(6)}"
    make_migrated_database(url, name)
    try:
        workspace = Workspace(home, environment | {"BELLWETHER_DATABASE_URL": with_database(url, name)})
        with contextlib.closing(workspace):
            yield workspace
    finally:
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    home = tmp_path / "home"
    home.mkdir()
    with new_workspace(home) as made:
        yield made
