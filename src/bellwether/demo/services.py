"""Makes the demo in a home: records, events through the real pipeline, facts, scores. Safe to run again."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from django.conf import settings

from bellwether.benchmarks.nightly import make_night
from bellwether.churn.replaying import replay_weeks
from bellwether.common.progress import Progress
from bellwether.common.time import days_between, end_of
from bellwether.config.commands import migrate_databases
from bellwether.demo.alerts import make_alerts
from bellwether.demo.contracts import make_readings
from bellwether.demo.databases import database_name, remove_everything, rows_present
from bellwether.demo.delivery import seen_between, tables
from bellwether.demo.home import (
    DemoHomeError,
    Marker,
    empty_home,
    playbook_truth_path,
    read_marker,
    same_demo,
    truth_path,
    write_marker,
)
from bellwether.demo.plan import DemoPlan, check_plan
from bellwether.demo.playbook_storing import store_playbooks
from bellwether.demo.portfolio import Portfolio, make_messages, make_portfolio, truth
from bellwether.demo.sources import refused_events, source_days
from bellwether.demo.storing import store, store_sources
from bellwether.health.scorecards_in_use import scorecards_in_use
from bellwether.health.services import score_dates
from bellwether.milestones.services import detect_milestones
from bellwether.portfolio.models import Client
from bellwether.usage.landing import index_of, land
from bellwether.usage.pseudonyms import pseudonyms
from bellwether.usage.services import roll_up
from bellwether.usage.workspace import workspace_lake

NO_SCORE = "N/A"
WARM_UP_DAYS = 30
"""Days at the start of a longer demo that are not scored: their 30-day windows would reach before the first event."""


@dataclass
class Stages:
    """How long each stage took, in seconds, in order."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Record the time of the block under `name`."""
        began = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - began, 2)


def prepare(plan: DemoPlan, *, home: Path, now: datetime, today_given: bool, fresh: bool, progress: Progress) -> Marker:
    """Make the demo of `plan` in `home` unless it is there, and return its marker with the summary.

    A demo that was interrupted is made again from the start. Raises DemoHomeError when the home holds other data, or
    another demo and `fresh` is not set; InvalidInputError for a plan out of range.
    """
    check_plan(plan)
    marker = read_marker(home)
    if marker is None:
        _refuse_other_data(home)
    else:
        if not fresh and not same_demo(marker, plan, today_given=today_given):
            raise DemoHomeError(_another_demo(home, marker, plan))
        if marker.complete and not fresh:
            migrate_databases()
            return marker
        if marker.database != database_name():
            raise DemoHomeError(
                f"{home} was made with the database {marker.database}, but {database_name()} is set now. "
                "Set BELLWETHER_DATABASE_URL as it was, or choose another --home."
            )
        remove_everything()
        empty_home(home)
    marker = Marker(plan=plan, database=database_name())
    write_marker(home, marker)
    marker = marker.done(_make(plan, home=home, now=now, progress=progress))
    write_marker(home, marker)
    return marker


def _refuse_other_data(home: Path) -> None:
    found = [f"{count} {name}" for name, count in rows_present().items() if count]
    days = len(workspace_lake().event_dates())
    found += [f"events of {days} days"] if days else []
    if found:
        raise DemoHomeError(
            f"{home} or its database {database_name()} holds data that is not of a demo: {', '.join(found)}. "
            "Nothing was changed. Choose another folder with --home."
        )


def _another_demo(home: Path, marker: Marker, plan: DemoPlan) -> str:
    return (
        f"{home} holds another demo ({_described(marker.plan)}) than the one asked for ({_described(plan)}). "
        "Use --fresh to replace it, or choose another --home."
    )


def _described(plan: DemoPlan) -> str:
    size = f"{plan.clients} clients, {plan.days} days up to {plan.today}"
    return f"{size}, seed {plan.seed}, preset {plan.preset}"


def _make(plan: DemoPlan, *, home: Path, now: datetime, progress: Progress) -> dict[str, Any]:
    stages = Stages()
    zone: ZoneInfo = settings.BELLWETHER_WORKSPACE_ZONE
    with stages.timed("database"):
        progress.start("Preparing the database", None)
        migrate_databases()
    with stages.timed("invent"):
        progress.start(f"Inventing {plan.clients} clients and {plan.days} days of usage", None)
        portfolio = make_portfolio(plan, until=min(end_of(plan.today, zone), now))
        messages = make_messages(portfolio)
        truth(portfolio.world).write_parquet(truth_path(home))
    user_keys = pseudonyms(pl.Series(portfolio.world.users.ids), settings.BELLWETHER_PSEUDONYM_KEY).to_list()
    with stages.timed("records"):
        counts = store(portfolio, user_keys=user_keys, seen=seen_between(messages), progress=progress)
    with stages.timed("events"):
        landed, dates = _land(portfolio, messages, user_keys, zone=zone, progress=progress)
        sent = source_days(portfolio.world, messages, zone=zone)
        store_sources(sent, refused_events(portfolio.world, sent, until=portfolio.until))
    with stages.timed("facts"):
        roll_up(workspace_lake(), dates, progress=progress)
    with stages.timed("scores"):
        days = days_between(plan.day(WARM_UP_DAYS if plan.days >= 3 * WARM_UP_DAYS else 0), plan.today)
        scored = score_dates(
            days,
            now=now,
            progress=progress,
            scorecards=scorecards_in_use(),
            readings=make_readings(portfolio.world),
        )
    with stages.timed("benchmarks"):
        make_night(now=now, progress=progress)
    with stages.timed("milestones"):
        counts["milestones"] = detect_milestones(now=now, progress=progress).new
    with stages.timed("alerts"):
        counts["alerts"] = make_alerts(plan, until=portfolio.until, progress=progress)
    with stages.timed("churn"):
        counts |= replay_weeks(now=portfolio.until - timedelta(seconds=1), progress=progress)
    with stages.timed("playbooks"):
        progress.start("Running playbooks for two years", None)
        counts |= store_playbooks(portfolio, truth_path=playbook_truth_path(home), now=now)
    counts |= landed | {"scores": scored.scored, "days without a score": scored.unscored}
    return {"counts": counts, "bands": bands(), "seconds": stages.seconds}


def _land(
    portfolio: Portfolio, messages: pl.DataFrame, user_keys: list[str], *, zone: ZoneInfo, progress: Progress
) -> tuple[dict[str, int], list[date]]:
    """Send the messages through the lake's door, a month of receipt at a time; return counts and the touched days."""
    lake = workspace_lake()
    index = index_of(lake, portfolio.until.date())
    progress.start("Landing events", messages.height)
    dates: set[date] = set()
    new_rows = duplicates = 0
    for part, table in tables(portfolio.world, messages, user_keys):
        done = land(table, lake=lake, part=part, index=index, zone=zone)
        dates.update(done.dates)
        new_rows += done.new_rows
        duplicates += done.duplicates
        progress.advance(table.num_rows)
    return {"events": new_rows, "repeated events dropped": duplicates}, sorted(dates)


def bands() -> dict[str, int]:
    """Return how many clients that are not archived stand in each band, `N/A` for those without a score."""
    found = Counter(Client.objects.active().values_list("health_status", flat=True))
    return {status or NO_SCORE: count for status, count in sorted(found.items(), key=lambda item: str(item[0]))}
