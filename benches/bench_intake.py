"""Durable intake over HTTP: batches of 100 events, every 200 means on disk, nothing may be missing afterwards.

Starts the product's own web server (2 processes, SQLite) in a folder that goes away, sends from client processes on the
same cores for a while, then flushes and counts the events in the lake. The figure includes the clients' own work.

    python -m benches.bench_intake [--seconds 10] [--clients 2]
"""

import argparse
import contextlib
import http.client
import json
import multiprocessing
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from base64 import b64encode
from pathlib import Path

import duckdb

EVENTS_PER_BATCH = 100
LIMIT = 80_000
CONNECTIONS = 16  # a process: while some wait for the disk, the others send
MODULES = ("Case Management", "Disclosures", "Policy Management", "Analytics")


def body_template() -> bytes:
    """Return a batch as an SDK sends it, with one placeholder that makes all message ids of a request its own."""
    events = [
        {
            "type": "track",
            "messageId": f"@@@@@@@@-{n:04d}-4c1e-9a77-0123456789ab",
            "userId": f"user-{n * 37 % 500}",
            "anonymousId": None,
            "event": "Case Created",
            "properties": {"module": MODULES[n % 4], "feature": "case_creation", "count": n, "plan": "pro"},
            "timestamp": f"2026-01-10T16:34:{n % 60:02d}.253+00:00",
            "context": {"groupId": f"acct_{n % 40}", "library": {"name": "analytics-python", "version": "2.4.0"}},
            "integrations": {},
        }
        for n in range(EVENTS_PER_BATCH)
    ]
    return json.dumps({"batch": events, "sentAt": "2026-01-10T16:34:59.900000+00:00"}).encode()


def send(port: int, key: str, until: float, counts: "multiprocessing.Queue[int]") -> None:
    """Send batches over several connections in turn until `until`; report the number of batches answered with 200."""
    template = body_template()
    headers = {"Authorization": "Basic " + b64encode(f"{key}:".encode()).decode(), "Content-Type": "application/json"}
    links = [http.client.HTTPConnection("127.0.0.1", port, timeout=60) for _ in range(CONNECTIONS)]
    prefix, number, done = uuid.uuid4().hex[:3], 0, 0
    waiting = []
    while time.time() < until or waiting:
        if time.time() < until and links:
            number += 1
            link = links.pop()
            link.request("POST", "/v1/batch", template.replace(b"@@@@@@@@", f"{prefix}{number:05x}".encode()), headers)
            waiting.append(link)
        if waiting and (not links or time.time() >= until):
            link = waiting.pop(0)
            answer = link.getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit(f"The server answered {answer.status}.")
            done += 1
            links.append(link)
    counts.put(done)


def run(command: list[str], environment: dict[str, str]) -> str:
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"The server did not open port {port} within 20 s.")


def measure(home: Path, *, port: int, seconds: float, clients: int) -> tuple[int, float, float]:
    """Return (events answered with 200, seconds, CPU seconds of servers and clients together)."""
    environment = os.environ | {
        "BELLWETHER_HOME": str(home),
        "BELLWETHER_PORT": str(port),
        "BELLWETHER_INTAKE_RATE": "1000000",
        "BELLWETHER_SPOOL_LIMIT": "10000000",
        "BELLWETHER_LOG_LEVEL": "WARNING",
    }
    program = str(Path(sys.executable).with_name("bellwether"))
    run([program, "migrate"], environment)
    key = run([program, "key", "add", "bench"], environment)
    granian = [str(Path(sys.executable).with_name("granian")), "--interface", "wsgi", "--host", "127.0.0.1"]
    granian += ["--port", str(port), "--workers", "2", "--no-ws", "--no-log", "bellwether.config.wsgi:application"]
    server = subprocess.Popen(granian, env=environment)
    try:
        wait_for(port)
        time.sleep(2)
        started = cpu_seconds(server.pid)
        counts: multiprocessing.Queue[int] = multiprocessing.Queue()
        start = time.time()
        senders = [
            multiprocessing.Process(target=send, args=(port, key, start + seconds, counts)) for _ in range(clients)
        ]
        for sender in senders:
            sender.start()
        sent = sum(counts.get(timeout=seconds + 60) for _ in senders) * EVENTS_PER_BATCH
        elapsed = time.time() - start
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        for sender in senders:
            sender.join(30)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = cpu_seconds(server.pid) - started
        cpu += after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    return sent, elapsed, cpu


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds that the process `pid` and its children have taken so far."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(path.parent.name) == pid or int(fields[1]) == pid:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--port", type=int, default=8119)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bellwether-bench-") as folder:
        home = Path(folder)
        sent, elapsed, cpu = measure(home, port=options.port, seconds=options.seconds, clients=options.clients)
        lake, lost, flush_seconds = flushed(home, sent)
    rate = sent / elapsed
    print(
        f"Method: {options.clients} client processes x {CONNECTIONS} connections on the {os.cpu_count()} cores of the"
        f" 2 server processes, {EVENTS_PER_BATCH} events a batch ({len(body_template()):,} bytes), {elapsed:.1f} s;"
        f" SQLite WAL, synchronous=FULL. {sent:,} events answered with 200, {lake:,} in the lake, {lost:,} lost."
        f" Servers and clients took {cpu:.1f} CPU seconds, {cpu / sent * 1e6:.1f} us an event."
        f" Flush afterwards: {sent / flush_seconds:,.0f} events/s."
    )
    print("name | measured | limit | ratio")
    print(f"durable intake, events/s | {rate:,.0f} | {LIMIT:,} | {rate / LIMIT:.2f}")
    if lost:
        sys.exit(1)


def flushed(home: Path, sent: int) -> tuple[int, int, float]:
    """Flush the spool of `home` in this process and return (different messages in the lake, how many of `sent` are
    missing, seconds of the flush)."""
    os.environ |= {"BELLWETHER_HOME": str(home), "DJANGO_SETTINGS_MODULE": "bellwether.config.settings"}
    import django

    django.setup()
    from django.conf import settings
    from django.utils import timezone

    from bellwether.usage.flush import flush
    from bellwether.usage.lake import Lake

    lake = Lake(Path(settings.BELLWETHER_LAKE))
    start = time.perf_counter()
    while flush(lake=lake, zone=settings.BELLWETHER_WORKSPACE_ZONE, now=timezone.now()).batches:
        pass
    seconds = time.perf_counter() - start
    query = f"SELECT count(DISTINCT message_id), count(*) FROM '{lake.root}/events/*/*.parquet'"
    distinct, rows = duckdb.sql(query).fetchall()[0]
    if rows != distinct:
        raise SystemExit(f"{rows - distinct:,} events are doubled in the lake.")
    return distinct, sent - distinct, seconds


if __name__ == "__main__":
    main()
