"""kill -9 of the flush, before and after each of its steps and at random: every event lands once."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from tests.usage.workspace import Workspace

pytestmark = pytest.mark.slow

# A parent that has imported everything and used nothing forks a child for each flush: starting takes no time then, and
# a child that is killed takes nothing with it.
FORKER = """
import django, json, os, sys
django.setup()
from datetime import timedelta
from pathlib import Path
from django.conf import settings
from django.utils import timezone
from bellwether.usage import flush, identity, ids, landing, spool
from bellwether.usage.lake import Lake
from bellwether.usage.spool_format import Batch, Reject, SpooledEvent, microseconds, pack

def fill(prefix, batches):
    now = timezone.now()
    rows = []
    for b in range(batches):
        events = [
            SpooledEvent(f"{prefix}-{b}-{n}", "" if n % 3 else f"acct-{b % 2}", f"user-{b % 2}", False, "track", "E",
                         None, None, None, microseconds(now - timedelta(days=n % 4)), None, None, None)
            for n in range(12)
        ]
        rows.append((now, "web", 12, pack(Batch(events, [Reject(f"{prefix}-{b}-bad", "no", {})]))))
    spool.store(rows)

def patch(module, name, when, nth):
    original, calls = getattr(module, name), [0]
    def dying(*arguments, **named):
        calls[0] += 1
        number = calls[0]
        if when == "before" and number == nth:
            os.kill(os.getpid(), 9)
        result = original(*arguments, **named)
        if when == "after" and number == nth:
            os.kill(os.getpid(), 9)
        return result
    setattr(module, name, dying)

def child(request):
    flush.EVENTS_PER_PART = 60
    if request["do"] == "fill":
        fill(request["prefix"], request["batches"])
        return
    if "step" in request:
        module, _, name = request["step"].rpartition(".")
        target = {"flush": flush, "landing": landing, "ids": ids, "identity": identity}.get(module)
        patch(target if target is not None else ids.RecentIds, name, request["when"], request.get("nth", 1))
    flush.flush(lake=Lake(Path(settings.BELLWETHER_LAKE)), zone=settings.BELLWETHER_WORKSPACE_ZONE, now=timezone.now())

for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        child(json.loads(line))
        sys.stdout.flush()
        os._exit(0)
    print(pid, flush=True)
    print(os.waitpid(pid, 0)[1], flush=True)
"""

STEPS = [
    ("flush._claim", "after", 1),
    ("landing.write_part", "before", 1),
    ("landing.write_part", "after", 2),
    ("RecentIds.add", "before", 1),
    ("RecentIds.add", "after", 1),
    ("identity.write_part", "after", 1),
    ("flush.mark_facts", "before", 1),
    ("flush.remember_users", "before", 1),
    ("flush.remember_users", "after", 1),
    ("flush._keep_rejects", "after", 1),
    ("flush.landed_rows", "before", 1),
    ("flush.count_flush", "before", 1),
    ("flush.count_flush", "after", 2),
    ("flush._release", "before", 1),
    ("flush._release", "after", 1),
]


class Flusher:
    def __init__(self, workspace: Workspace) -> None:
        pipe = subprocess.PIPE
        command = [sys.executable, "-W", "ignore", "-c", FORKER]
        self.process = subprocess.Popen(command, env=workspace.environment, stdin=pipe, stdout=pipe, text=True)

    def ask(self, *, kill_after: float | None = None, **request: Any) -> int:
        """Have a child do `request` and return its exit status; killed so many seconds after it began, if given."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        pid = int(self.line())
        if kill_after is not None:
            time.sleep(kill_after)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return int(self.line())

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def close(self) -> None:
        self.process.communicate(timeout=30)


class TestKillingTheFlush:
    def test_loses_and_doubles_nothing_at_any_step(self, workspace: Workspace):
        flusher = Flusher(workspace)
        for number, (step, when, nth) in enumerate(STEPS):
            assert flusher.ask(do="fill", prefix=f"p{number}", batches=7) == 0
            status = flusher.ask(do="flush", step=step, when=when, nth=nth)
            if step != "identity.write_part":  # only the first users were unassigned before
                assert status == signal.SIGKILL, step
        flusher.close()
        check_landed_once(workspace, [f"p{number}" for number in range(len(STEPS))], 7)

    def test_loses_and_doubles_nothing_at_random_moments(self, workspace: Workspace):
        flusher, chance = Flusher(workspace), random.Random(11)
        killed = 0
        for number in range(15):
            assert flusher.ask(do="fill", prefix=f"r{number}", batches=20) == 0
            killed += flusher.ask(do="flush", kill_after=chance.uniform(0, 0.8)) == signal.SIGKILL
        flusher.close()
        assert killed > 0
        check_landed_once(workspace, [f"r{number}" for number in range(15)], 20)


def check_landed_once(workspace: Workspace, prefixes: list[str], batches: int) -> None:
    state = workspace.flush()
    assert (state["waiting"], state["claims"]) == (0, 0)
    events = workspace.events()
    wanted = sorted(f"{prefix}-{b}-{n}" for prefix in prefixes for b in range(batches) for n in range(12))
    assert sorted(events["message_id"]) == wanted
    assert set(events["organization_id"]) == {"acct-0", "acct-1"}
    assert sorted(row["message_id"] for row in state["rejects"]) == sorted(
        f"{prefix}-{b}-bad" for prefix in prefixes for b in range(batches)
    )
    counted = [sum(numbers) for numbers in zip(*(row[1:] for row in state["sources"]), strict=True)]
    requests = len(prefixes) * batches
    assert counted == [requests, 12 * requests, 0, requests]
    assert set(state["dirty"]) >= {str(day) for day in events["ts"].dt.date().unique()}
    assert sorted((user["organization_id"], user["user_key"]) for user in state["users"]) == [
        ("acct-0", "user-0"),
        ("acct-1", "user-1"),
    ]
