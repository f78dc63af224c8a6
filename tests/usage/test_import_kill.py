"""Imports that are killed with SIGKILL and run again end in the state of one that was left alone."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from tests.homes import make_migrated

COMMAND = [sys.executable, "-c", "from bellwether.cli import main; main()"]
ROWS = 30_000


def run(home: Path, *arguments: str, kill_after: float | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BELLWETHER_")}
    environment |= {"BELLWETHER_HOME": str(home), "DJANGO_SETTINGS_MODULE": "bellwether.config.settings"}
    process = subprocess.Popen([*COMMAND, *arguments], env=environment, stdout=subprocess.PIPE, text=True)
    if kill_after is not None:
        time.sleep(kill_after)
        process.send_signal(signal.SIGKILL)
    output, _ = process.communicate(timeout=300)
    return output.strip().splitlines()[-1] if output.strip() else ""


def events_in(home: Path) -> pl.DataFrame:
    paths = sorted((home / "lake" / "events").glob("*/[!.]*.parquet"))
    frames = [
        pl.read_parquet(path, columns=["message_id", "ts", "organization_id"], hive_partitioning=False)
        for path in paths
    ]
    return pl.concat(frames).sort("message_id") if frames else pl.DataFrame()


def facts_in(home: Path) -> pl.DataFrame:
    paths = sorted((home / "lake" / "client_days").glob("*/[!.]*.parquet"))
    return pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in paths]).sort("organization_id", "date")


def sent_in(home: Path) -> list[tuple[str, int, int, int]]:
    """Return what was counted of each source, whatever the day: events, repetitions, rejects."""
    with closing(sqlite3.connect(home / "bellwether.sqlite3")) as database:
        counted = "SELECT source, SUM(events), SUM(duplicates), SUM(rejected) FROM usage_sourceday GROUP BY source"
        return database.execute(counted).fetchall()


@pytest.mark.slow
def test_killed_imports_of_events_and_records_lose_and_double_nothing(tmp_path: Path):
    number = pl.int_range(ROWS, eager=True)
    events = pl.DataFrame({"client_id": (number % 40).cast(pl.String), "user_id": (number % 977).cast(pl.String)})
    start = pl.datetime(2025, 1, 1, time_zone="UTC")
    events = events.with_columns(ts=start + pl.duration(minutes=number * 4 % 50_000), event=pl.lit("Case Created"))
    events.write_parquet(tmp_path / "events.parquet", row_group_size=10_000)
    rows = "".join(f"T{n},{n % 40},2026-01-{n % 28 + 1:02d},low\n" for n in range(6_000))
    (tmp_path / "tickets.csv").write_text("ticket_id,client_id,opened_at,priority\n" + rows)

    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    for home in (undisturbed, killed):
        make_migrated(home)
    imports = (
        ["events", str(tmp_path / "events.parquet")],
        ["tickets", str(tmp_path / "tickets.csv"), "--create-clients"],
    )
    for arguments in imports:
        began = time.monotonic()
        run(undisturbed, "import", *arguments)
        took = time.monotonic() - began
        for part in (0.65, 0.85):
            run(killed, "import", *arguments, kill_after=took * part)
        assert run(killed, "import", *arguments).endswith("rejected 0")

    assert events_in(killed).equals(events_in(undisturbed))
    assert events_in(killed).height == ROWS
    assert sent_in(killed) == sent_in(undisturbed) == [("import", ROWS, 0, 0)]
    assert facts_in(killed).equals(facts_in(undisturbed))
    last = run(killed, "import", *imports[1])
    assert last == "read 6000, created 0, updated 0, unchanged 6000, rejected 0"
