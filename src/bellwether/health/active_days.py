"""On how many days the people of a client logged in, for all clients at once."""

from collections.abc import Collection
from datetime import date, timedelta

import polars as pl
from django.core.cache import BaseCache

from bellwether.usage.facts import read_client_days, read_event_days
from bellwether.usage.workspace import workspace_lake

WINDOW_DAYS = 30
KEPT_SECONDS = 60


def active_days(last: date, *, login_events: Collection[str], cache: BaseCache) -> dict[str, int]:
    """Return the days with a login in the 30 days to `last`, by organization id; clients without one are left out.

    Logins are `login_events`, without those of services; where there are none, any day with an active user counts.
    The same for every reader, so it is kept for KEPT_SECONDS.
    """
    key = f"active-days:{last.isoformat()}:{','.join(sorted(login_events)).encode().hex()}"
    kept: dict[str, int] | None = cache.get(key)
    if kept is None:
        kept = dict(_days(last, login_events).group_by("organization_id").agg(pl.col("date").n_unique()).iter_rows())
        cache.set(key, kept, KEPT_SECONDS)
    return kept


def _days(last: date, login_events: Collection[str]) -> pl.DataFrame:
    """Return organization_id and date of the days that count."""
    lake, first = workspace_lake(), last - timedelta(days=WINDOW_DAYS - 1)
    if login_events:
        columns = ["organization_id", "date", "event", "is_service"]
        events = read_event_days(lake, first, last, columns=columns)
        return events.filter(pl.col("event").is_in(list(login_events)) & ~pl.col("is_service"))
    days = read_client_days(lake, first, last, columns=["organization_id", "date", "dau"])
    return days.filter(pl.col("dau") > 0)
