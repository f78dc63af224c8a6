"""Rolls events up into facts, against DuckDB's bare scan-and-group over the same files. See bench_rolling for memory.

Method: made-up events of 60,000 users at 1,000 clients, one Parquet part a day in the lake's own layout, in a temporary
folder. A user's sessions have 20 events about a minute apart, of eight kinds. Each measurement runs in a process of its
own, so that its peak memory is its own. Processor time is of all cores; the ratio is of processor times, because that
of wall times depends on what else the machine does.
  bare     count(*) by client, user and day: read four columns, group once; day by day, like the rollup
  needed   the same for the three groupings that the facts cannot do without: distinct message ids; by client, user
           and half hour; by client, user and kind of event, the latter two with count, first and last
  rollup   everything the product does: repeated messages, user_days, sessions, event_days, hours, client_days, stored

    python -m benches.bench_rollup [--rows 50000000] [--days 50]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

FIRST = date(2026, 1, 1)
AIM = 0.5
Task = Callable[[], dict]

EVENTS = """
COPY (
  WITH sessions AS (SELECT i, i % 20 AS step, hash(i // 20 + {day} * 1000003) AS h FROM range({begin}, {end}) t(i)),
  events AS (SELECT *, h % 60000 AS u, hash(i * 7 + {day}) % 8 AS kind FROM sessions)
  SELECT
    md5((i + {day}::BIGINT * {rows})::VARCHAR) AS message_id,
    'client-' || lpad((u % 1000)::VARCHAR, 4, '0') AS organization_id,
    md5(u::VARCHAR) AS user_key,
    u % 50 = 0 AS is_service,
    'track' AS type,
    ['Case Created', 'Case Closed', 'Dashboard Viewed', 'Report Exported', 'Policy Published', 'Signed In',
     'Search Run', 'Page Viewed'][1 + kind::INT] AS event,
    ['Cases', 'Analytics', 'Policies', 'Disclosures', NULL][1 + (kind % 5)::INT] AS module,
    ['case', 'report', 'policy'][1 + (kind % 3)::INT] AS feature,
    NULL::VARCHAR AS role,
    (TIMESTAMP '{date}' + to_microseconds(
      ((h // 60000 % 72000) * 1000000 + step * 60000000 + hash(i) % 60000000)::BIGINT))::TIMESTAMPTZ AS ts,
    ts + INTERVAL 3 SECOND AS received_at,
    ts + INTERVAL 1 SECOND AS sent_at,
    ts AS original_ts,
    'web' AS source,
    CASE WHEN event = 'Case Closed' THEN '{{"sla_status":"on_track"}}' ELSE '{{"n":' || (i % 100) || '}}' END
      AS properties
  FROM events ORDER BY received_at
) TO '{path}' (FORMAT PARQUET, COMPRESSION ZSTD)
"""

USER_DAYS = """
COPY (
  SELECT DISTINCT ON (date, organization_id, user_key, is_service)
    'client-' || lpad((u % 1000)::VARCHAR, 4, '0') AS organization_id, md5(u::VARCHAR) AS user_key, d AS date,
    3::BIGINT AS actions, 1::INTEGER AS sessions, 60::BIGINT AS session_seconds, FALSE AS is_service
  FROM (
    SELECT hash(i, {month}) % 60000 AS u, DATE '{first}' + (hash(i) % {days})::INTEGER AS d FROM range({rows}) t(i)
  )
  ORDER BY date, organization_id, user_key
) TO '{path}' (FORMAT PARQUET, COMPRESSION ZSTD)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--days", type=int, default=50)
    parser.add_argument("--measure", choices=list(TASKS))
    parser.add_argument("--root", type=Path)
    given = parser.parse_args()
    if given.measure:
        measure_task(TASKS[given.measure](given.root))
        return
    with tempfile.TemporaryDirectory(prefix="bellwether-bench-") as folder:
        root = Path(folder)
        make_events(root / "events-lake", given.rows // given.days, given.days)
        bare, needed, rollup = (run(name, root / "events-lake") for name in ("bare", "needed", "rollup"))
        print("name | wall | processor | rows per processor second | peak memory")
        line("bare scan-and-group", bare)
        line("needed groupings", needed)
        line("rollup", rollup)
        for name, peer in (("bare", bare), ("needed", needed)):
            ratio = peer["cpu"] / rollup["cpu"]
            verdict = "reached" if ratio >= AIM else "missed"
            print(f"rollup against {name} | {ratio:.0%} of the rate | aim {AIM:.0%} | {verdict}", flush=True)
        for stage, seconds in rollup["stages"].items():
            print(f"  of it {stage} | {seconds:.1f} s")


def line(name: str, result: dict) -> None:
    cpu, rows = result["cpu"], result["rows"]
    numbers = f"{result['wall']:.1f} s | {cpu:.1f} s | {rows / cpu / 1e6:.2f} M/s | {result['peak_mb']:.0f} MB"
    print(f"{name} | {numbers}", flush=True)


def run(name: str, root: Path) -> dict:
    command = [sys.executable, "-m", "benches.bench_rollup", "--measure", name, "--root", str(root)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def make_events(root: Path, rows: int, days: int, *, parts: int = 1) -> None:
    """Make `days` days of `rows` events each, in `parts` files a day."""
    import duckdb

    started = time.perf_counter()
    with duckdb.connect() as connection:
        for number in range(days):
            day = FIRST + timedelta(days=number)
            folder = root / "events" / f"date={day}"
            folder.mkdir(parents=True)
            for part in range(parts):
                span = {"begin": rows * part // parts, "end": rows * (part + 1) // parts}
                path = folder / f"made-up-{part:03d}.parquet"
                connection.execute(EVENTS.format(rows=rows, day=number, date=day, path=path, **span)).fetchall()
    print(
        f"made {rows * days:,} events of {days} days in {time.perf_counter() - started:.0f} s (not measured)",
        flush=True,
    )


def make_user_days(root: Path, rows: int) -> None:
    import duckdb

    with duckdb.connect() as connection:
        for month in range(12):
            first = date(2026, month + 1, 1)
            days = ((first + timedelta(days=31)).replace(day=1) - first).days
            path = root / "user_days" / f"month=2026-{month + 1:02d}" / "facts.parquet"
            path.parent.mkdir(parents=True)
            made = USER_DAYS.format(rows=rows // 12, month=month, first=first, days=days, path=path)
            connection.execute(made).fetchall()


def measure_task(task: Task) -> None:
    """Run the task and print what it took as JSON."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = task()
    result |= {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "peak_mb": peak_mb()}
    print(json.dumps(result))


def peak_mb() -> float:
    """Return the most memory this process had, in MiB; getrusage would count that of the process it was made from."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def bare(root: Path) -> Task:
    return grouping(root, ["SELECT organization_id, user_key, date, count(*) AS n FROM {events} GROUP BY ALL"])


def needed(root: Path) -> Task:
    return grouping(
        root,
        [
            "SELECT count(DISTINCT hash(message_id)) AS ids FROM {events}",
            "SELECT organization_id, user_key, is_service, date, epoch_us(ts) // 1800000000 AS slot, count(*) AS n, "
            "min(ts) AS first, max(ts) AS last FROM {events} GROUP BY ALL",
            "SELECT organization_id, user_key, is_service, date, event, module, feature, count(*) AS n, "
            "min(ts) AS first, max(ts) AS last FROM {events} GROUP BY ALL",
        ],
    )


def grouping(root: Path, queries: list[str]) -> Task:
    import duckdb

    paths = sorted((root / "events").glob("*/*.parquet"))
    rows = sum(_height(path) for path in paths)

    def task() -> dict:
        with duckdb.connect() as connection:
            for path in paths:
                events = f"read_parquet('{path}', hive_partitioning = true)"
                for query in queries:
                    connection.execute(f"CREATE OR REPLACE TABLE kept AS {query.format(events=events)}").fetchall()
        return {"rows": rows}

    return task


def rollup(root: Path) -> Task:
    from bellwether.usage.lake import Lake
    from bellwether.usage.refresh import refresh_facts

    lake, clock = Lake(root), StageClock()

    def task() -> dict:
        days, labels = lake.event_dates(), {"Case Closed": "sla_status"}
        done = refresh_facts(lake, days, zone=ZoneInfo("UTC"), labels=labels, progress=clock)
        return {"rows": done.events, "stages": clock.stages()}

    return task


def rolling(root: Path) -> Task:
    from bellwether.common.progress import NoProgress
    from bellwether.usage.engine_duckdb import DuckDBEngine as Engine
    from bellwether.usage.facts import stored_months
    from bellwether.usage.lake import Lake
    from bellwether.usage.rolling import refresh_client_days

    lake = Lake(root)
    rows = sum(_height(path) for path in root.rglob("user_days/*/*.parquet"))

    def task() -> dict:
        with Engine(lake) as engine:
            months = stored_months(lake, "user_days")
            refresh_client_days(engine, lake, months, progress=NoProgress(), announce=lambda days: None)
        return {"rows": rows}

    return task


def _height(path: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)


class StageClock:
    """A progress that remembers how long each stage took."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, float]] = []

    def start(self, what: str, total: int | None) -> None:
        self.begun.append((what, time.perf_counter()))

    def advance(self, steps: int = 1) -> None:
        """Nothing to show."""

    def stages(self) -> dict[str, float]:
        ends = [*(at for _, at in self.begun[1:]), time.perf_counter()]
        return {what: end - at for (what, at), end in zip(self.begun, ends, strict=True)}


TASKS = {"bare": bare, "needed": needed, "rollup": rollup}


if __name__ == "__main__":
    main()
