"""The days of a client's usage as rows: people, sessions, actions, and what the preset counts. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from bellwether.health.inputs import MeasureSettings
from bellwether.usage.event_counts import DailyEvents
from bellwether.usage.hours import HOUR_COLUMNS
from bellwether.usage.periods import Period

FEATURE_COUNTS = {
    "reports_run": ("report_exports", "reports"),
    "disclosures_submitted": ("disclosure_submission", "disclosures"),
    "policies_viewed": ("policy_views", "policies"),
    "chatbot_conversations": ("conversation_volume", "ai_assistant"),
}
"""Fields of the data model that are uses of a feature, by the keys of the feature in the shipped presets."""

LOGINS = "logins"


@dataclass(frozen=True)
class UsageDay:
    """One day. `before_start`: before the client's first event, when numbers are 0 and mean nothing.

    `interval` is what was expected of `dau` as (low, high), None where that is not known. `counts` are events by name,
    of those that the preset counts; `logins` is always among them.
    """

    day: date
    dau: int
    wau: int
    mau: int
    total_users: int
    new_users: int
    sessions: int
    session_seconds: int
    actions: int
    by_hour: Sequence[int]
    before_start: bool
    interval: tuple[int, int] | None
    counts: Mapping[str, int]


def counts_of(settings: MeasureSettings, event_days: pl.DataFrame, first: date, last: date) -> dict[str, list[int]]:
    """Return the events of each day by name: the preset's counts, and the uses of features named in FEATURE_COUNTS.

    `logins` are the preset's login events of people, and missing where the preset names none: sessions stand for them.
    """
    happened = DailyEvents(event_days, first, last)
    found = {count.name: happened.count(count.events, labels=count.where) for count in settings.counts}
    events_of = {feature.key: feature.events for feature in settings.features}
    for name, keys in FEATURE_COUNTS.items():
        key = next((key for key in keys if key in events_of), None)
        if key:
            found[name] = happened.count(events_of[key])
    if settings.login_events:
        found[LOGINS] = happened.count(settings.login_events, people_only=True)
    return found


def usage_days(
    rows: pl.DataFrame,
    client_hours: pl.DataFrame,
    period: Period,
    started: date | None,
    counts: Mapping[str, Sequence[int]],
    intervals: Sequence[tuple[int, int] | None],
) -> list[UsageDay]:
    """Return a row for each day of `period`, oldest first, from one client's CLIENT_DAYS and CLIENT_HOURS.

    Numbers are 0 where there is no fact.
    """
    hours = dict(zip(client_hours["date"], client_hours.select(HOUR_COLUMNS).rows(), strict=True))
    by_day = {row["date"]: row for row in rows.iter_rows(named=True)}
    found = []
    for at in range(period.days):
        day = period.first + timedelta(days=at)
        row = by_day.get(day, {})
        sessions = row.get("sessions", 0)
        found.append(
            UsageDay(
                day=day,
                dau=row.get("dau", 0),
                wau=row.get("wau", 0),
                mau=row.get("mau", 0),
                total_users=row.get("total_users", 0),
                new_users=row.get("new_users", 0),
                sessions=sessions,
                session_seconds=row.get("session_seconds", 0),
                actions=row.get("actions", 0),
                by_hour=hours.get(day, ()),
                before_start=started is None or day < started,
                interval=intervals[at],
                counts={LOGINS: sessions} | {name: values[at] for name, values in counts.items()},
            )
        )
    return found
