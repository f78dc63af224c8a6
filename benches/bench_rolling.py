"""Rolling users of a year, and the memory of large rebuilds: a year of days, and one day that is larger than memory.

Method: made-up events and user-days as in bench_rollup. Each measurement runs in a process of its own, so that its peak
memory (VmHWM) is its own. The bound: the engine may take 1 GB before it spills, and the frames in Python hold some
250,000 rows at a time, together at most LIMIT_MB whatever the number of days and of events a day.
  rolling   client_days (exact 1, 7 and 30 day users) of a year of user-days, read, counted and stored
  bare      DuckDB without limits: the same exact users by the gap method in hand-written SQL, nothing stored
  sets      the same by multiplying each active day by the length of its window, on a tenth of the users
  year      365 days counted anew from their events
  day       one day of as many events

    python -m benches.bench_rolling [--user-days 8600000] [--rows 5000000] [--full]    # --full: 50,000,000 events
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benches.bench_rollup import make_events, make_user_days, measure_task, rolling, rollup

LIMIT_MB = 2048
AIM = 0.5

GAPS = """
WITH active AS (
  SELECT organization_id, user_key, date - DATE '1970-01-01' AS day,
    lead(date - DATE '1970-01-01') OVER (PARTITION BY organization_id, user_key ORDER BY date) AS following
  FROM read_parquet('{root}/user_days/*/facts.parquet') WHERE actions > 0 AND NOT is_service
), changes AS (
  SELECT organization_id, day, count(*) AS wau, count(*) AS mau FROM active GROUP BY ALL
  UNION ALL
  SELECT organization_id, least(coalesce(following, day + 7), day + 7) AS day, -count(*), 0 FROM active GROUP BY ALL
  UNION ALL
  SELECT organization_id, least(coalesce(following, day + 30), day + 30) AS day, 0, -count(*) FROM active GROUP BY ALL
), steps AS (SELECT organization_id, day, sum(wau) AS wau, sum(mau) AS mau FROM changes GROUP BY ALL)
SELECT organization_id, day, sum(wau) OVER w AS wau, sum(mau) OVER w AS mau FROM steps
WINDOW w AS (PARTITION BY organization_id ORDER BY day)
"""

SETS = """
SELECT organization_id, day, count(DISTINCT user_key) FILTER (back < 7) AS wau, count(DISTINCT user_key) AS mau
FROM (
  SELECT organization_id, user_key, date + back::INTEGER AS day, back
  FROM read_parquet('{root}/user_days/*/facts.parquet'), range(30) r(back)
  WHERE actions > 0 AND NOT is_service AND hash(user_key) % 10 = 0
) GROUP BY ALL
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--user-days", type=int, default=8_600_000)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--measure", choices=list(TASKS))
    parser.add_argument("--root", type=Path)
    given = parser.parse_args()
    if given.measure:
        measure_task(TASKS[given.measure](given.root))
        return
    rows = 50_000_000 if given.full else given.rows
    with tempfile.TemporaryDirectory(prefix="bellwether-bench-") as folder:
        root = Path(folder)
        print("name | measured | limit | ratio", flush=True)
        make_user_days(root / "users", given.user_days)
        product, bare, sets = (run(name, root / "users") for name in ("rolling", "bare", "sets"))
        ratio = bare["cpu"] / product["cpu"]
        print(
            f"rolling users of {given.user_days:,} user-days | {told(product)} | against bare {AIM:.0%} | {ratio:.0%}"
        )
        print(f"  bare gap query | {told(bare)} | |")
        per_user_day = sets["cpu"] * 10 / product["cpu"]
        print(
            f"  multiplied days, a tenth | {told(sets)} | | {per_user_day:.1f} times the product's, all taken",
            flush=True,
        )
        make_events(root / "year", rows // 365, 365)
        memory(f"365 days of {rows:,} events", run("rollup", root / "year"))
        make_events(root / "day", rows, 1, parts=max(1, rows // 2_000_000))
        memory(f"one day of {rows:,} events", run("rollup", root / "day"))


def memory(name: str, result: dict) -> None:
    rate = f"{result['rows'] / result['cpu'] / 1e6:.2f} M/s of processor time"
    ratio = result["peak_mb"] / LIMIT_MB
    print(f"{name}, time | {told(result)} | | {rate}")
    print(f"{name}, peak memory | {result['peak_mb']:.0f} MB | {LIMIT_MB} MB | {ratio:.0%}", flush=True)


def told(result: dict) -> str:
    return f"{result['wall']:.1f} s, {result['cpu']:.1f} s of processor, {result['peak_mb']:.0f} MB"


def run(name: str, root: Path) -> dict:
    command = [sys.executable, "-m", "benches.bench_rolling", "--measure", name, "--root", str(root)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def query(sql: str):
    def prepare(root: Path):
        import duckdb

        def task() -> dict:
            with duckdb.connect() as connection:
                made = f"CREATE TABLE counted AS {sql.format(root=root)}"
                return {"rows": int(connection.execute(made).fetchall()[0][0])}

        return task

    return prepare


TASKS = {"rolling": rolling, "rollup": rollup, "bare": query(GAPS), "sets": query(SETS)}


if __name__ == "__main__":
    main()
