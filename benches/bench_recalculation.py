"""A full recalculation of 1,000 clients for today: load, measure, score, store, against the operations portal's loop.

Ours reads records from the database and a year of facts from the lake, computes all measures, scores the workspace's
scorecard and stores score rows and client columns. "First in a process" also folds the older months of facts; a running
worker has them folded ("again"). The peer is benches.portal_loop on the same SQLite file. Its 100 ms pause a tenant is
not waited for but added: both figures are shown. Best of three for both.

    python -m benches.bench_recalculation [--clients 1000] [--days 400]
"""

import argparse
import time
from collections.abc import Callable
from datetime import timedelta

from benches.health_workspace import NOW, TODAY, fill, make_home

LIMIT_S, LIMIT_RATIO = 1.0, 100.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--days", type=int, default=400)
    given = parser.parse_args()
    make_home()
    fill(given.clients, given.days)
    from bellwether.common.progress import NoProgress
    from bellwether.health.models import HealthScore
    from bellwether.health.services import score_dates
    from bellwether.portfolio.models import Client
    from benches.portal_loop import PAUSE_S, fill_portal, run_portal_loop

    organizations = list(Client.objects.values_list("organization_id", flat=True))
    fill_portal(organizations, NOW)

    def ours() -> float:
        # Yesterday's rows stay, today's go: every run writes all of its rows.
        HealthScore.objects.filter(date=TODAY).delete()
        return timed(lambda: score_dates([TODAY], now=NOW, progress=NoProgress()))

    print("name | measured | limit | ratio")
    first = ours()
    line(f"{given.clients} clients, first in a process", f"{first:.2f} s", f"{LIMIT_S:g} s", LIMIT_S / first)
    score_dates([TODAY - timedelta(days=30)], now=NOW, progress=NoProgress())
    cpu = time.process_time()
    again = min(ours() for _ in range(3))
    cpu = (time.process_time() - cpu) / 3
    line(f"{given.clients} clients, again", f"{again:.2f} s", f"{LIMIT_S:g} s", LIMIT_S / again)
    line("the same, processor time, mean of three", f"{cpu:.2f} s", "-", None)
    unchanged = timed(lambda: score_dates([TODAY], now=NOW, progress=NoProgress()))
    line("the same when nothing changed", f"{unchanged:.2f} s", "-", None)
    loop = min(timed(lambda: run_portal_loop(organizations, NOW)) for _ in range(3))
    paused = loop + PAUSE_S * len(organizations)
    line("portal's loop, without its pause", f"{loop:.2f} s", "-", None)
    line("portal's loop, with its pause", f"{paused:.1f} s", "-", None)
    line("times faster, pause left out", f"{loop / again:.1f}", "-", None)
    line("times faster, pause included", f"{paused / again:.0f}", f"{LIMIT_RATIO:g}", paused / again / LIMIT_RATIO)


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def line(name: str, measured: str, limit: str, ratio: float | None) -> None:
    print(f"{name} | {measured} | {limit} | {'-' if ratio is None else f'{ratio:.2f}'}", flush=True)


if __name__ == "__main__":
    main()
