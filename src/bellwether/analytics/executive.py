"""The executive view of one reader's clients: what the page, the exports and the API all show."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

import polars as pl
from django.conf import settings

from bellwether.analytics import reading, renewals
from bellwether.analytics.book import DIMENSIONS, Limits, Records, book_on
from bellwether.analytics.executive_churn import Foretold, foretold
from bellwether.analytics.figures import (
    Group,
    Level,
    Movements,
    TrendPoint,
    breakdown,
    histogram,
    level_of,
    movements,
    trend,
)
from bellwether.analytics.keeping import kept
from bellwether.analytics.narrative import Facts
from bellwether.analytics.periods import DEFAULT, Period, months_before, period_of
from bellwether.analytics.reading import Scope
from bellwether.analytics.renewals import Month, Rate
from bellwether.analytics.retention import Retention, cohort, retention_of
from bellwether.analytics.values import value_name
from bellwether.common.errors import InvalidInputError
from bellwether.common.time import day_of
from bellwether.health.configs import active_config, main_scorecard
from bellwether.staff.models import StaffUser

TREND_MONTHS = 12


@dataclass(frozen=True)
class Asked:
    """What to show: the period, the CSM whose clients alone count (None: all), and what to break down by."""

    period: Period
    csm: UUID | None = None
    by: str = "tier"


@dataclass(frozen=True)
class Workspace:
    """What every answer about a day needs: the day, the main scorecard and its limits, and when the reader last changed
    something, which has to show."""

    today: date
    scorecard: str
    limits: Limits
    since: datetime | None


@dataclass(frozen=True)
class Executive:
    """The view. `before` and `retention_before` are those of the day before the period; None where nothing is known of
    it. `names` are those of CSMs by id as 32 hex digits, `csms` the ids that the reader's clients have. `bins` count
    clients by five points of score. `ended` counts past outcomes by group, enough for a rate or not. `churn`: what is
    foretold from today on."""

    asked: Asked
    today: date
    limits: Limits
    now: Level
    before: Level | None
    retention: Retention
    retention_before: Retention
    groups: list[Group]
    names: dict[str, str]
    csms: list[str]
    bins: list[int]
    bins_before: list[int] | None
    trend: list[TrendPoint]
    moves: Movements
    months: list[Month]
    year: Month
    overdue_renewals: Month
    rates: dict[str, Rate]
    ended: dict[str, int]
    without_start: int
    any_outcome: bool
    churn: Foretold | None

    @property
    def current(self) -> bool:
        """Whether the period ends today, so that its clients are those of the portfolio."""
        return self.asked.period.last >= self.today

    @property
    def scored_before(self) -> bool:
        """Whether there are scores to compare with."""
        return self.before is not None and self.before.scored > 0

    @property
    def retention_known(self) -> bool:
        """Whether anything was ever recorded that tells who stayed: an outcome, or a client that left."""
        return self.any_outcome


def facts_of(view: Executive) -> Facts:
    """Return what the sentences about a view are written from."""
    return Facts(
        now=view.now,
        before=view.before,
        retention=view.retention,
        retention_before=view.retention_before,
        retention_known=view.retention_known,
        groups=[(value_name(view.asked.by, group.value, view.names), group) for group in view.groups],
        moves=view.moves,
        year=view.year,
        months=view.months,
        churn=view.churn.outlook if view.churn else None,
    )


def workspace(user: StaffUser, now: datetime) -> Workspace:
    """Return the day and scorecard of `now` for one reader."""
    scorecard = main_scorecard()
    limits = active_config(scorecard, now=now).scorecard.thresholds
    return Workspace(
        today=day_of(now, settings.BELLWETHER_WORKSPACE_ZONE),
        scorecard=scorecard,
        limits=Limits(limits.healthy, limits.monitor, limits.at_risk),
        since=reading.last_change(user),
    )


def make_asked(
    *,
    today: date,
    period: str = DEFAULT,
    first: date | None = None,
    last: date | None = None,
    csm: UUID | None = None,
    by: str = "tier",
) -> Asked:
    """Return the question; raises InvalidInputError naming `period`, `from`, `to` or `by`."""
    if by not in DIMENSIONS:
        sentence = f"{by!r} is not known. Use one of {', '.join(DIMENSIONS)}."
        raise InvalidInputError(f"The clients cannot be broken down. {sentence}", {"by": sentence})
    return Asked(period_of(period, today=today, first=first, last=last), csm, by)


def replace_by(asked: Asked, by: str) -> Asked:
    """Return the same question with another breakdown."""
    return replace(asked, by=by)


def trend_days(last: date) -> list[date]:
    """Return the days of the trend: `last` and the same day of the twelve months before, oldest first."""
    return [months_before(last, month) for month in range(TREND_MONTHS, -1, -1)]


def records_for(scope: Scope, asked: Asked, space: Workspace) -> Records:
    """Return the records of the scope with the scores that `asked` needs; a day of the period without scores has those
    of the newest day before it, up to a week."""
    period = asked.period
    ends = {day: reading.scored_day(space.scorecard, day) for day in (period.last, period.before) if day < space.today}
    days = {*trend_days(period.last), *ends.values()}
    found = reading.records(scope, space.scorecard, space.limits, days, today=space.today, since=space.since)
    copies = [
        found.scores.filter(pl.col("date") == scored).with_columns(pl.lit(wanted).cast(pl.Date).alias("date"))
        for wanted, scored in ends.items()
        if wanted != scored
    ]
    return replace(found, scores=pl.concat([found.scores, *copies])) if copies else found


def executive_view(user: StaffUser, asked: Asked, space: Workspace) -> Executive:
    """Return the view of the clients that `user` sees; figures are at most a minute old.

    Raises InvalidInputError naming `csm_id` for somebody who looks after none of these clients.
    """
    scope = Scope(user)
    key = ("executive", scope.key, asked, space.today, space.scorecard, space.limits)
    return kept(key, lambda: _view(scope, asked, space), seconds=reading.KEPT_SECONDS, since=space.since)


def _view(scope: Scope, asked: Asked, space: Workspace) -> Executive:
    found = records_for(scope, asked, space)
    csms = _holders(found)
    found = _of_csm(found, asked.csm)
    active = found.clients.filter("active")
    period = asked.period
    book, earlier = book_on(found, period.last), book_on(found, period.before)
    before = level_of(earlier) if earlier.height else None
    ended = reading.ended_terms(space.scorecard, space.limits, today=space.today)
    rates = renewals.renewal_rates(ended)
    return Executive(
        asked=asked,
        today=space.today,
        limits=space.limits,
        now=level_of(book),
        before=before,
        retention=retention_of(cohort(found, period.last), period.last),
        retention_before=retention_of(cohort(found, period.before), period.before),
        groups=breakdown(book, earlier, asked.by),
        names=reading.holder_names(since=space.since),
        csms=csms,
        bins=histogram(book),
        bins_before=histogram(earlier) if before and before.scored else None,
        trend=trend(found, trend_days(period.last)),
        moves=movements(earlier, book),
        months=renewals.forecast(active, rates, space.today),
        year=renewals.whole(active, rates, space.today),
        overdue_renewals=renewals.missed(active, space.today),
        rates=rates,
        ended=renewals.case_counts(ended),
        without_start=book.filter(pl.col("start").is_null()).height,
        any_outcome=found.outcomes.height > 0 or found.clients.height > active.height,
        churn=foretold(scope, asked.csm, today=space.today, since=space.since),
    )


def today_book(user: StaffUser, csm: UUID | None, space: Workspace) -> pl.DataFrame:
    """Return today's clients that `user` sees, of one CSM or of all; raises InvalidInputError naming `csm_id`."""
    found = reading.records(Scope(user), space.scorecard, space.limits, (), today=space.today, since=space.since)
    return book_on(_of_csm(found, csm), space.today)


def _holders(found: Records) -> list[str]:
    return sorted(key for key in found.clients.filter("active")["csm"].unique() if key)


def _of_csm(found: Records, csm: UUID | None) -> Records:
    if csm is None:
        return found
    if csm.hex not in _holders(found):
        sentence = "Nobody with this id looks after any of your clients."
        raise InvalidInputError(sentence, {"csm_id": sentence})
    return found.of_csm(csm.hex)
