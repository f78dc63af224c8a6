"""The portfolio page, the pages of a client and the page about the data under 50 people at once, and the memory of it.

Makes a demo portfolio of 1,000 clients in a folder that goes away, starts the product with its worker, signs 50 people
in (VP: they see all clients) and lets each open a page every 5 seconds for half a minute; then as fast as they can.
Times are taken at the client, on the same 2 cores, from the first byte sent to the last byte read, so they include
waiting in line and the client's own work: the server's share is smaller.

    python -m benches.bench_pages [--clients 1000] [--days 120] [--home FOLDER] [--only NAME]
"""

import argparse
import http.client
import os
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

import psutil

PEOPLE = 50
PAUSE_S = 5.0
STEADY_S = 30.0
FLAT_OUT_S = 15.0
QUIET_S, LONGEST_S = 20.0, 240.0
PREPARE = """
import django; django.setup()
from importlib import import_module
from django.conf import settings
from bellwether.staff.models import StaffUser, Role
from bellwether.portfolio.models import Client
engine = import_module(settings.SESSION_ENGINE)
vp = StaffUser.objects.filter(role=Role.VP_CLIENT_SUCCESS).first()
for _ in range({people}):
    session = engine.SessionStore()
    session["_auth_user_id"] = str(vp.pk)
    session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    session["_auth_user_hash"] = vp.get_session_auth_hash()
    session.create()
    print("session", session.session_key)
for pk in Client.objects.active().values_list("pk", flat=True)[:200]:
    print("client", pk)
"""


def run(home: Path, *arguments: str) -> str:
    """Run the product's command in `home` and return what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments], env=environment(home), check=True, text=True, stdout=subprocess.PIPE
    )
    return done.stdout


def environment(home: Path) -> dict[str, str]:
    return os.environ | {"BELLWETHER_HOME": str(home), "DJANGO_SETTINGS_MODULE": "bellwether.config.settings"}


class Person(threading.Thread):
    """Opens pages over one connection until told to stop; keeps the seconds that each took."""

    def __init__(
        self, port: int, session: str, paths: list[str], *, pause_s: float, until: float, first_s: float
    ) -> None:
        super().__init__()
        self.port, self.session, self.paths = port, session, paths
        self.pause_s, self.until, self.first_s = pause_s, until, first_s
        self.seconds: list[float] = []
        self.failures = 0

    def run(self) -> None:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        time.sleep(self.first_s)
        number = 0
        while time.monotonic() < self.until:
            started = time.perf_counter()
            link.request("GET", self.paths[number % len(self.paths)], headers={"Cookie": f"sessionid={self.session}"})
            answer = link.getresponse()
            answer.read()
            self.seconds.append(time.perf_counter() - started)
            self.failures += answer.status != 200
            number += 1
            time.sleep(self.pause_s)


def visit(port: int, sessions: list[str], paths: list[str], *, pause_s: float, for_s: float) -> list[float]:
    """Let everybody open `paths` for a while; return the seconds of all pages. Fails when one was not a 200."""
    until = time.monotonic() + for_s
    people = [
        Person(
            port, session, paths[n % len(paths) :] + paths, pause_s=pause_s, until=until, first_s=pause_s * n / PEOPLE
        )
        for n, session in enumerate(sessions)
    ]
    for person in people:
        person.start()
    for person in people:
        person.join()
    failures = sum(person.failures for person in people)
    if failures:
        raise SystemExit(f"{failures} pages were not answered with 200")
    return [second for person in people for second in person.seconds]


def p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


def memory_mb(process: psutil.Process) -> float:
    """Return the memory of a process and its children in MB, shared pages counted once (PSS)."""
    return sum(p.memory_full_info().pss for p in [process, *process.children(recursive=True)]) / 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--home", type=Path, help="use and keep this demo folder")
    parser.add_argument("--only", action="append", help="only pages of this name, such as 'client page'")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bellwether-bench-") as temporary:
        home = given.home or Path(temporary)
        run(home, "-m", "bellwether", "demo", "--clients", str(given.clients), "--days", str(given.days), "--no-serve")
        measure(home, given.clients, given.only)


def measure(home: Path, clients: int, only: list[str] | None) -> None:
    """Serve `home`, let people visit, print the figures."""
    printed = [line.split() for line in run(home, "-c", PREPARE.format(people=PEOPLE)).splitlines()]
    sessions = [words[1] for words in printed if words[0] == "session"]
    client_paths = [f"/clients/{words[1]}/" for words in printed if words[0] == "client"]
    pages_of_client = {
        name: ([f"{path}{tab}/" for path in client_paths], 100)
        for name, tab in (
            ("usage tab", "usage"),
            ("adoption tab", "adoption"),
            ("people page", "people"),
            ("timeline tab", "timeline"),
            ("contacts tab", "contacts"),
            ("contract tab", "contract"),
            ("support tab", "support"),
        )
    }
    list_paths = ["/", "/?sort=-arr", "/?health_status=AT_RISK", "/?page=2", "/?view=renewals", "/?search=a"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "bellwether", "serve", "--port", str(port)]
    server = subprocess.Popen(command, env=environment(home))
    try:
        wait_for(port)
        visit(port, sessions, ["/", client_paths[0]], pause_s=0.0, for_s=3.0)  # warm
        waited = wait_for_jobs(home)
        print(f"The worker had caught up {waited:.0f} s after the start; its usual sweeps go on.")
        print(f"{clients} clients, {PEOPLE} people; steady: a page each every {PAUSE_S:g} s; times at the client")
        print("name | measured | limit | ratio")
        visits = {"portfolio page": (list_paths, 150), "client page": (client_paths, 100), **pages_of_client}
        visits |= {
            "client page, three years": ([f"{path}?days=1095" for path in client_paths], 100),
            "health score page": (["/health-score/"], 100),
            "benchmarks page": ([f"/benchmarks/?client={path.split('/')[2]}" for path in client_paths], 100),
            "data page": (["/data/"], 150),
            "executive summary": (["/executive/", "/executive/?by=csm"], 150),
            "follow-ups": (["/follow-ups/"], 150),
            "renewals": (["/renewals/"], 150),
        }
        for name, (paths, limit_ms) in visits.items():
            if only and name not in only:
                continue
            steady = p95(visit(port, sessions, paths, pause_s=PAUSE_S, for_s=STEADY_S)) * 1000
            print(f"{name}, p95 | {steady:.0f} ms | {limit_ms} ms | {limit_ms / steady:.2f}", flush=True)
        pages = len(visit(port, sessions, list_paths, pause_s=0.0, for_s=FLAT_OUT_S)) / FLAT_OUT_S
        print(f"portfolio page, flat out | {pages:.0f} pages/s | 60 pages/s | {pages / 60:.2f}")
        memory = memory_mb(psutil.Process(server.pid))
        print(f"memory, serve and worker (PSS) | {memory:.0f} MB | 600 MB | {600 / memory:.2f}")
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def wait_for_jobs(home: Path) -> float:
    """Return the seconds until no job had run for a while: a demo that was lying there owes scores and more first."""
    started, quiet_since = time.monotonic(), time.monotonic()
    with closing(sqlite3.connect(f"file:{home}/bellwether.sqlite3?mode=ro", uri=True)) as database:
        while time.monotonic() - quiet_since < QUIET_S and time.monotonic() - started < LONGEST_S:
            if database.execute("SELECT COUNT(*) FROM common_jobrun WHERE state = 'running'").fetchone()[0]:
                quiet_since = time.monotonic()
            time.sleep(0.2)
    return time.monotonic() - started


def wait_for(port: int) -> None:
    """Return when the server answers; fail after a minute."""
    for _ in range(120):
        try:
            link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            link.request("GET", "/healthz")
            if link.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.5)
    raise SystemExit("The server did not start")


if __name__ == "__main__":
    main()
