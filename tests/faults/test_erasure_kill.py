"""kill -9 of an erasure at its steps: the next run finishes it, no figure changes, and no byte of the key is left."""

import json
import random
import subprocess
import sys
from typing import Any

import polars as pl
import pytest

from tests.usage.workspace import Workspace

pytestmark = pytest.mark.slow

PROGRAM = """
import django, json, os, sys
django.setup()
from datetime import timedelta
from django.utils import timezone
from bellwether.common.progress import NoProgress
from bellwether.usage import erasure, erasure_lake, services, spool
from bellwether.usage.flush import flush
from bellwether.usage.models import DirtyDate, Erasure, PlatformUser
from bellwether.usage.spool_format import Batch, SpooledEvent, microseconds, pack
from bellwether.usage.workspace import workspace_lake
from django.conf import settings

what, step, when, nth = json.loads(sys.argv[1])
ANN, BOB = "a" * 32, "b" * 32
now = timezone.now()

def fill():
    for number in range(60):
        at = now - timedelta(days=number % 50, hours=number % 7)
        one = SpooledEvent(f"m{number}", f"acct-{number % 2}", (ANN, BOB)[number % 3 == 0], False, "track", "E", None,
                           None, None, microseconds(at), None, None, '{"a":1}')
        spool.store([(at, "web", 1, pack(Batch([one], [], "")))])
    flush(lake=workspace_lake(), zone=settings.BELLWETHER_WORKSPACE_ZONE, now=now)
    services.roll_up_dirty(now=now, progress=NoProgress())

def dying(module, name):
    original, calls = getattr(module, name), [0]
    def wrapped(*arguments, **named):
        calls[0] += 1
        if when == "before" and calls[0] == nth:
            os.kill(os.getpid(), 9)
        result = original(*arguments, **named)
        if when == "after" and calls[0] == nth:
            os.kill(os.getpid(), 9)
        return result
    setattr(module, name, wrapped)

if what == "fill":
    fill()
elif what == "erase":
    if step:
        module, name = step.split(".")
        dying({"erasure": erasure, "erasure_lake": erasure_lake}[module], name)
    erasure.erase(ANN, actor=None, now=now)
else:
    services.roll_up(workspace_lake(), workspace_lake().event_dates(), progress=NoProgress())
"""

STEPS = [
    ("erasure_lake.write_part", "before", 1),
    ("erasure_lake.write_part", "after", 5),
    ("erasure_lake.store_month", "after", 1),
    ("erasure.record", "before", 1),
    ("erasure.record", "after", 1),
]
KEY = b"a" * 32


def run(workspace: Workspace, what: str, *fault: Any) -> int:
    step, when, nth = fault or ("", "", 0)
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, json.dumps([what, step, when, nth])]
    return subprocess.run(command, env=workspace.environment, capture_output=True, timeout=300, check=False).returncode


def figures(workspace: Workspace) -> dict[str, Any]:
    """Return the facts; of people only their figures."""
    found = {}
    for kind in ("client_days", "event_days", "user_days"):
        files = sorted((workspace.home / "lake" / kind).glob("*/facts.parquet"))
        rows = pl.read_parquet(files, hive_partitioning=False)
        rows = rows.drop("user_key", strict=False)
        found[kind] = sorted(map(repr, rows.rows()))
    return found


def left_of_the_key(workspace: Workspace) -> list[str]:
    """Return which files hold the key, unpacked where they are Parquet."""
    held = []
    for path in sorted(workspace.home.rglob("*")):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            if path.suffix == ".parquet":
                content = pl.read_parquet(path, hive_partitioning=False).select(pl.col(pl.String)).write_csv().encode()
            if KEY in content:
                held.append(path.name)
    return held


class TestKilledErasure:
    def test_is_finished_and_leaves_no_byte_of_the_key(self, workspace: Workspace) -> None:
        assert run(workspace, "fill") == 0
        before = figures(workspace)
        assert left_of_the_key(workspace)
        for fault in STEPS:
            assert run(workspace, "erase", *fault) == -9, fault
        assert run(workspace, "erase") == 0
        assert figures(workspace) == before
        assert left_of_the_key(workspace) == []
        assert run(workspace, "count") == 0
        assert figures(workspace) == before

    @pytest.mark.one_database
    @pytest.mark.parametrize("seed", range(1))
    def test_may_be_killed_at_any_time(self, workspace: Workspace, seed: int) -> None:
        chance = random.Random(seed)
        assert run(workspace, "fill") == 0
        before = figures(workspace)
        for _ in range(3):
            place = ("write_part", "store_month", "read_month")[chance.randrange(3)]
            when = chance.choice(["before", "after"])
            run(workspace, "erase", f"erasure_lake.{place}", when, chance.randrange(1, 30))
        run(workspace, "erase")  # fails when there is nothing left to do
        assert figures(workspace) == before
        assert left_of_the_key(workspace) == []
