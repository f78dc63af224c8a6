"""Which scores an import of records can change."""

from datetime import date, datetime

from bellwether.common.time import days_between
from bellwether.usage.dirty import mark_scores
from bellwether.usage.tallies import tallied_days
from bellwether.usage.workspace import workspace_lake


def mark_scores_since(affected: date, today: date, now: datetime) -> None:
    """Mark the scores from `affected` to `today`, but none before the first event: without usage there are none."""
    lake = workspace_lake()
    days = [*lake.event_dates()[:1], *list(tallied_days(lake))[:1]]
    first = min([*days, today])
    mark_scores(days_between(min(max(affected, first), today), today), now=now)
