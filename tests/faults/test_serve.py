"""`bellwether serve` as its operators meet it: one command, one port, clean ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import requests

from bellwether.demo.staffing import PASSWORD
from tests.homes import make_migrated

pytestmark = [pytest.mark.slow, pytest.mark.one_database]
START_WITHIN_S = 60


def command(home: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "bellwether", *arguments]


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BELLWETHER_", "DJANGO_"))}
    return kept | {"BELLWETHER_HOME": str(home)}


def run(home: Path, *arguments: str) -> str:
    done = subprocess.run(
        command(home, *arguments), env=environment(home), capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout


def until(condition: Callable[[], bool], what: str, within_s: float = START_WITHIN_S) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.2)
    raise AssertionError(f"{what} did not happen within {within_s} s")


def alive(process: psutil.Process) -> bool:
    """Return whether the process runs; one that ended and was not yet collected by its parent does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Server:
    def __init__(self, home: Path, *arguments: str) -> None:
        self.home = home
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        given = environment(home) | {"BELLWETHER_PORT": str(self.port)}
        self.process = subprocess.Popen(command(home, *(arguments or ("serve",))), env=given)
        try:
            until(lambda: self.get("/healthz") == 200, "an answer of /healthz")
        except AssertionError:
            self.process.terminate()
            raise

    def get(self, path: str) -> int:
        try:
            return int(urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5).status)
        except OSError:
            return 0

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    make_migrated(tmp_path)
    started = Server(tmp_path)
    yield started
    if started.process.poll() is None:
        started.process.terminate()
        started.process.wait(40)


class TestServe:
    def test_takes_an_event_to_the_facts_and_ends_cleanly_on_sigterm(self, server: Server) -> None:
        printed = run(server.home, "key", "add", "shop")
        key = next(word for word in printed.split() if word.startswith("wk_"))
        event = {"type": "track", "userId": "u1", "event": "Signed In", "context": {"groupId": "acme"}}
        request = urllib.request.Request(
            f"http://127.0.0.1:{server.port}/v1/batch",
            json.dumps({"batch": [event]}).encode(),
            {"Authorization": "Basic " + b64encode(f"{key}:".encode()).decode(), "Content-Type": "application/json"},
        )
        assert urllib.request.urlopen(request, timeout=10).status == 200
        facts = server.home / "lake" / "client_days"
        until(lambda: any(facts.rglob("*.parquet")), "the rollup of the event", 40)
        children = server.descendants()
        assert any("worker" in child.cmdline() for child in children)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(40) == 0
        until(lambda: not any(alive(child) for child in children), "the end of all processes", 10)

    def test_takes_its_worker_along_when_it_is_killed(self, server: Server) -> None:
        workers = [child for child in server.descendants() if "worker" in child.cmdline()]
        assert len(workers) == 1
        server.process.kill()
        until(lambda: not alive(workers[0]), "the end of the worker", 20)
        for child in psutil.process_iter(["environ"]):
            if (child.info["environ"] or {}).get("BELLWETHER_HOME") == str(server.home):
                child.kill()


class TestDemo:
    def test_shows_a_client_right_after_it_was_made(self, tmp_path: Path) -> None:
        """The pages compute with Polars; a web process forked from the one that made the demo would hang there."""
        make_migrated(tmp_path)
        server = Server(tmp_path, "demo", "--clients", "8", "--days", "40")
        try:
            address = f"http://127.0.0.1:{server.port}"
            visitor = requests.Session()
            form = visitor.get(f"{address}/accounts/login/", timeout=20).text
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
            assert token
            who = {"login": "vivian.holloway@larkfield.example", "password": PASSWORD}
            sent = who | {"csrfmiddlewaretoken": token[1]}
            home = visitor.post(f"{address}/accounts/login/", data=sent, timeout=20).text
            links = re.findall(r'href="(/clients/[0-9a-f-]{36}/)', home)
            assert links
            for link in links[:3] * 2:  # both web processes
                assert visitor.get(address + link, timeout=20).status_code == 200
        finally:
            server.process.terminate()
            assert server.process.wait(40) == 0
