"""Facts, measures and scores of a span of dates made anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bellwether.common.errors import InvalidInputError
from bellwether.common.progress import Progress
from bellwether.common.time import day_of, days_between
from bellwether.health.loading import workspace_settings
from bellwether.health.scorecards_in_use import scorecards_in_use
from bellwether.health.services import ScoreCounts, score_dates
from bellwether.usage.dirty import mark_scores
from bellwether.usage.kept import EVENTS, kept_from
from bellwether.usage.services import roll_up_dates
from bellwether.usage.workspace import workspace_lake

TREND_REACH_DAYS = 30


@dataclass(frozen=True)
class Recomputed:
    """What a recompute did: days with facts counted, files of facts that changed, and what scoring did."""

    fact_days: int
    fact_files: int
    scores: ScoreCounts


def recompute(
    first: date,
    last: date,
    *,
    now: datetime,
    progress: Progress,
    scorecards: Sequence[str] | None = None,
    with_facts: bool = True,
) -> Recomputed:
    """Make the facts (unless `with_facts` is false) and scores of `first` to `last` anew, both included.

    `scorecards` are by default all in use, the main one first.

    Scores of the 30 days after it, whose trends look back into it, are marked for the next scoring run.
    Raises InvalidInputError when `last` is before `first` or after today.
    """
    today = day_of(now, workspace_settings().zone)
    if last < first:
        raise InvalidInputError(f"--to {last} is before --from {first}; exchange them.")
    if last > today:
        raise InvalidInputError(f"--to {last} is after today, {today}; choose today or a day before.")
    since = kept_from(workspace_lake(), EVENTS)
    if since is not None and first < since:
        raise InvalidInputError(f"Usage before {since} was removed by the retention; take --from {since} or later.")
    facts = roll_up_dates(first, last, now=now, progress=progress) if with_facts else None
    scores = score_dates(
        days_between(first, last), now=now, progress=progress, scorecards=scorecards or scorecards_in_use()
    )
    if scores.changed:
        after = days_between(last + timedelta(days=1), min(last + timedelta(days=TREND_REACH_DAYS), today))
        mark_scores(after, now=now)
    return Recomputed(facts.days if facts else 0, facts.files if facts else 0, scores)
