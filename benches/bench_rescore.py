"""Re-scores three years of 1,000 clients: loading and measuring and scoring as a back-test does, and storing as well.

Everything runs in one process on a throwaway SQLite workspace with 1,095 days of facts. "Back-test" loads records and
facts, measures and scores in chunks, and keeps the scores in memory; "stored" goes through the service that recompute
uses, once for new rows and once for a year of rows that are already there.

    python -m benches.bench_rescore [--clients 1000] [--days 1095] [--no-store]
"""

import argparse
import resource
import time
from datetime import date, timedelta

from benches.health_workspace import NOW, TODAY, fill, make_home

LIMIT_S = 10.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--days", type=int, default=1095)
    parser.add_argument("--no-store", action="store_true")
    given = parser.parse_args()
    make_home()
    started = time.perf_counter()
    fill(given.clients, given.days)
    print(f"filled {given.clients} clients, {given.days} days in {time.perf_counter() - started:.0f} s (not measured)")
    dates = [TODAY - timedelta(days=n) for n in range(given.days - 1, -1, -1)]
    print("name | measured | limit | ratio")
    cpu = time.process_time()
    rows, seconds = backtest(dates)
    cpu = time.process_time() - cpu
    line(f"re-score {rows:,} client-days, load + measure + score", seconds, LIMIT_S)
    line("the same, processor time of both cores", cpu, None)
    if not given.no_store:
        store(dates)
    print(f"peak memory | {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB | - | -")


def line(name: str, seconds: float, limit: float | None) -> None:
    ratio = "-" if limit is None else f"{limit / seconds:.2f}"
    print(f"{name} | {seconds:.2f} s | {'-' if limit is None else f'{limit:g} s'} | {ratio}", flush=True)


def backtest(dates: list[date]) -> tuple[int, float]:
    """Return how many client-days were scored, and the seconds it took."""
    from bellwether.health.replay import score_frames

    started = time.perf_counter()
    rows = sum(scored.height for _, scored in score_frames(dates, now=NOW))
    return rows, time.perf_counter() - started


def store(dates: list[date]) -> None:
    """Score through the service: all new, then the last year again."""
    from bellwether.common.progress import NoProgress
    from bellwether.health.services import score_dates

    for name, part in (("new rows", dates), ("last year again, nothing changed", dates[-365:])):
        started = time.perf_counter()
        counts = score_dates(part, now=NOW, progress=NoProgress())
        line(f"the same stored, {name} ({counts.changed:,} rows written)", time.perf_counter() - started, None)


if __name__ == "__main__":
    main()
