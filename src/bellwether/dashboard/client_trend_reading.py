"""Reads the health trend of a client, for the page and for its exports alike."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.cache import caches
from django.http import QueryDict
from django.urls import reverse

from bellwether.dashboard import client_selectors as read
from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_trend import Choice, cohort_words
from bellwether.dashboard.client_trend_course import Course
from bellwether.dashboard.client_trend_day import (
    AGAINST,
    Against,
    Moved,
    chosen_of,
    comparisons,
    day_panel,
    period_panel,
)
from bellwether.dashboard.client_trend_range import DEFAULT_DAYS, Asked, asked_for, bounds, is_dense, median_days
from bellwether.dashboard.timeline import entries as timeline_entries
from bellwether.health.cohort_reading import PAST_SECONDS, seen_scores, shown_peers, tier_scores
from bellwether.health.cohorts import AT_LEAST, daily_medians
from bellwether.health.configs import ActiveConfig, active_config, config_of, main_scorecard
from bellwether.health.details import status_of as status_of_row
from bellwether.health.driver_reading import Moves, as_first_seen, moves_between
from bellwether.health.models import HealthScore
from bellwether.health.published_groups import HELD_BACK
from bellwether.health.score_changes import Comparison, ScoreDay, compare
from bellwether.health.score_events import config_entries, number_of, rescored_entries, version_changes
from bellwether.health.scorecard import Scorecard
from bellwether.health.scorecards_in_use import other_scorecards, scorecards_in_use, title_of
from bellwether.milestones.timeline_entries import milestone_entries
from bellwether.portfolio.models import Client
from bellwether.portfolio.timeline import Entry, score_steps
from bellwether.portfolio.timeline_words import OF_NOTE, TICKET_WEIGHT, of_activity, of_ticket
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import status_of

EXPORTS = {"png": "Image (PNG)", "svg": "Drawing (SVG)", "csv": "Table (CSV)"}
EXPORTED = ("days", "start", "end", "component", "scorecard")
LAST_PERIOD, RECENT_DAYS = 180, 14
"""How far back the score is always read: what the timeline tells of it does not depend on the chart's range."""


@dataclass(frozen=True)
class TrendView:
    """What the reader chose of the trend: the range, a component instead of the score, one of the scorecards ("" for
    the main one), a day to look into and what it is compared with."""

    asked: Asked = field(default_factory=Asked)
    component: str = ""
    scorecard: str = ""
    on: date | None = None
    against: str = ""


def trend_query(view: TrendView) -> dict[str, str]:
    """Return the choices of the trend as an address carries them."""
    asked = view.asked
    return {
        "days": "" if asked.days == DEFAULT_DAYS or asked.custom else str(asked.days),
        "start": asked.start.isoformat() if asked.start else "",
        "end": asked.end.isoformat() if asked.end else "",
        "component": view.component,
        "scorecard": view.scorecard,
        "on": view.on.isoformat() if view.on else "",
        "against": view.against,
    }


def read_trend_view(values: QueryDict, *, today: date) -> TrendView:
    """Return what the address asks of the trend; what cannot be used is left out."""
    scorecard = values.get("scorecard", "")
    return TrendView(
        asked=asked_for(values.dict(), today=today),  # type: ignore[arg-type]
        component=values.get("component", ""),
        scorecard=scorecard if scorecard in other_scorecards() else "",
        on=day_from(values.get("on", "")),
        against=values.get("against", "") if values.get("against", "") in AGAINST else "",
    )


def day_from(text: str) -> date | None:
    """Return the day that an ISO text names, None for any other text."""
    with suppress(ValueError):
        return date.fromisoformat(text)
    return None


def last_day(client: Client, today: date) -> date:
    """Return the last day of the trend: today, for a client that has left the last day on which it was scored."""
    ended = client.archived_at is not None
    return client.scored_on if ended and client.scored_on and client.scored_on < today else today


def read_series(client: Client, scorecard: str, view: TrendView, last: date) -> list[ScoreDay]:
    """Return the scores that the trend and the comparisons of the page need, oldest first."""
    first, _ = bounds(view.asked, last)
    return read.score_series(client, scorecard, first=min(first, last - timedelta(days=LAST_PERIOD)), last=last)


def timeline_of(
    client: Client, records: read.Records, series: Sequence[ScoreDay], last: date, *, now: datetime, zone: ZoneInfo
) -> list[Entry]:
    """Return the entries of the client's timeline; `series` is that of the main scorecard."""
    since = last - timedelta(days=LAST_PERIOD + read.LEAD_DAYS)
    steps = score_steps([(point.day, point.score) for point in series if point.day >= since])
    return [*timeline_entries(client, records, steps, now=now, zone=zone), *milestone_entries(client)]


def read_course(
    client: Client,
    *,
    user: StaffUser,
    config: ActiveConfig,
    view: TrendView,
    series: Sequence[ScoreDay],
    records: read.Records,
    entries: Sequence[Entry],
    last: date,
    now: datetime,
    zone: ZoneInfo,
) -> Course:
    """Return the trend of a client that the reader may see; `config` and `series` are those of the scorecard shown."""
    first, until = bounds(view.asked, last)
    name = config.scorecard.name
    tier = str(client.get_contract_tier_display())
    own = {point.day: point.score for point in series}
    cache = caches["memory"]
    days = median_days(first, until)
    recent = [day for day in days if is_dense(first, until) or (until - day).days <= RECENT_DAYS]
    tier_days = tier_scores(client.contract_tier, name, recent, cache=cache)
    if past := [day for day in days if day not in set(recent)]:
        tier_days = tier_days | tier_scores(client.contract_tier, name, past, cache=cache, seconds=PAST_SECONDS)
    peers, held_back = shown_peers(user, client, "tier", cache=cache)
    count = len(peers) if name == main_scorecard() else _others(tier_days, own)
    cohort, no_cohort = cohort_words(tier, count, needed=AT_LEAST)
    if held_back:
        cohort, no_cohort = "", f"No {tier} median. {HELD_BACK}"
    visible = seen_scores(user, client.contract_tier, name, days, cache=cache) if cohort else None
    scorecard = card_of(series[-1].version if series else "", config)
    seen = read.rescored_days(client, name, first=first, last=until)
    keys = {component.key for component in scorecard.components}
    return Course(
        name=client.name,
        first=first,
        last=until,
        series=series,
        scorecard=scorecard,
        median=daily_medians(tier_days, own, counted=True, seen=visible) if cohort else {},
        tier=tier,
        cohort=cohort,
        no_cohort=no_cohort,
        entries=[
            *entries,
            *_own_entries(name, series, seen),
            *_older(client, records, first, now, zone),
        ],
        component=view.component if view.component in keys else "",
        known_from=read.first_scored(client, name),
        seen=dict(seen),
    )


@dataclass(frozen=True)
class Comparing:
    """Which two days the panel compares: `on` with `against`, one of `found`; without a chosen day the period's."""

    on: date | None
    found: list[Against]
    against: Against | None
    period: Comparison | None

    @property
    def before(self) -> date | None:
        """The earlier day."""
        if self.against is not None:
            return self.against.on
        return self.period.before.day if self.period else None

    @property
    def days(self) -> set[date]:
        """The days whose whole rows are needed."""
        return {day for day in (self.on, self.before) if day is not None}


def comparing(view: TrendView, series: Sequence[ScoreDay], course: Course) -> Comparing:
    """Return what the panel under the trend compares."""
    newest = series[-1] if series else None
    if view.on is None:
        return Comparing(None, [], None, compare(series, newest, points=course.scorecard.points))
    found = comparisons(series, view.on, marks=course.marks, first=course.first)
    return Comparing(view.on, found, chosen_of(found, view.against), None)


@dataclass(frozen=True)
class ShownTrend:
    """The trend as it was read: its `course`, what is compared, and the whole `rows` of the days that need them.

    `config` is the configuration in force of the scorecard that is shown, `is_main` whether that is the main one.
    """

    course: Course
    config: ActiveConfig
    comparing: Comparing
    rows: dict[date, HealthScore]
    is_main: bool

    @property
    def newest(self) -> HealthScore | None:
        """The row of the newest day."""
        series = self.course.series
        return self.rows.get(series[-1].day) if series else None

    def moved(self, address: Address, today: date) -> Moved | None:
        """Return the panel under the trend; None where no day was chosen and there is no earlier score."""
        what, series = self.comparing, self.course.series
        after = self.rows.get(what.on) if what.on else self.newest
        before = self.rows.get(what.before) if what.before else None
        moves = Moves(None, [], [])
        if before is not None and after is not None and after.overall_score is not None:
            seen = as_first_seen(before) if before.date in self.course.seen else None
            moves = moves_between(before, after, known={self.config.version: self.config.scorecard}, seen=seen)
        status = status_of(status_of_row(after, self.course.scorecard) if after else None)
        if what.on is not None:
            return day_panel(
                what.on,
                series=series,
                found=what.found,
                against=what.against,
                status=status,
                moves=moves.change,
                drivers=moves.drivers,
                measures=moves.measures,
                entries=self.course.entries,
                seen=self.course.seen,
                address=address,
                today=today,
            )
        if what.period is None or not moves.change:
            return None
        return period_panel(
            series[-1],
            what.period.before,
            moves=moves.change,
            drivers=moves.drivers,
            measures=moves.measures,
            status=status,
            address=address,
            today=today,
        )


def read_trend(
    client: Client,
    *,
    user: StaffUser,
    config: ActiveConfig,
    view: TrendView,
    series: Sequence[ScoreDay],
    records: read.Records,
    entries: Sequence[Entry],
    last: date,
    now: datetime,
    zone: ZoneInfo,
    also: Collection[date] = (),
) -> ShownTrend:
    """Return the trend that `view` asks for; `config` and `series` are those of the main scorecard.

    The whole rows of the days `also` are read with those that the trend needs.
    """
    is_main = view.scorecard in {"", config.scorecard.name}
    if not is_main:
        config = active_config(view.scorecard, now=now)
        series = read_series(client, view.scorecard, view, last)
    course = read_course(
        client,
        user=user,
        config=config,
        view=view,
        series=series,
        records=records,
        entries=entries,
        last=last,
        now=now,
        zone=zone,
    )
    what = comparing(view, series, course)
    wanted = {*what.days, *also, *(point.day for point in series[-1:])}
    rows = read.stored_scores(client, config.scorecard.name, wanted)
    return ShownTrend(course, config, what, rows, is_main)


def card_of(version: str, config: ActiveConfig) -> Scorecard:
    """Return the scorecard of `version`, that of `config` where there is no such version."""
    if version in {"", config.version}:
        return config.scorecard
    named = config_of(version)
    return named.scorecard if named else config.scorecard


def scorecard_choices(address: Address, shown: str) -> list[Choice]:
    """Return the scorecards in use as choices of what the trend shows; none where there is only one."""
    names = scorecards_in_use()
    if len(names) == 1:
        return []
    current = shown or names[0]
    return [
        Choice(
            title_of(name),
            address.with_(scorecard=None if name == names[0] else name, component=None, explain=None, since=None)
            + "#trend",
            name == current,
        )
        for name in names
    ]


def export_addresses(client_id: UUID, address: Address) -> list[tuple[str, str]]:
    """Return (name, address) of the chart as a file, with the choices of the page."""
    kept = {key: value for key, value in address.query.items() if key in EXPORTED}
    return [
        (text, Address(reverse("client_trend_export", args=[client_id, kind]), kept).with_())
        for kind, text in EXPORTS.items()
    ]


def _own_entries(scorecard: str, series: Sequence[ScoreDay], seen: Sequence[tuple[date, int | None]]) -> list[Entry]:
    """Return the entries that only the trend has: versions that came into force and days scored again."""
    changed = {number for *_, version in version_changes(series) if (number := number_of(version)) is not None}
    reasons = read.config_reasons(scorecard, changed)
    scores = {point.day: point.score for point in series}
    return [*config_entries(series, reasons), *rescored_entries(seen, scores)]


def _older(client: Client, records: read.Records, first: date, now: datetime, zone: ZoneInfo) -> list[Entry]:
    """Return the entries of note before the records that the page holds; no query where it holds all of the range."""
    found: list[Entry] = []
    today = now.astimezone(zone).date()
    held = records.activities
    if len(held) >= read.MOST_ACTIVITIES and held[-1].occurred_at.astimezone(zone).date() >= first:
        older = read.older_activities(client, tuple(OF_NOTE), first, held[-1].occurred_at)
        found += [of_activity(activity, [], now=now, zone=zone) for activity in older]
    tickets = records.tickets
    if len(tickets) >= read.MOST_TICKETS and tickets[-1].opened_at.astimezone(zone).date() >= first:
        for ticket in read.older_tickets(client, tuple(TICKET_WEIGHT), first, tickets[-1].opened_at):
            found += of_ticket(ticket, today=today, zone=zone)
    return found


def _others(tier_days: Mapping[date, Mapping[int, int]], own: Mapping[date, int | None]) -> int:
    """Return how many other clients have a score on the newest day that any of them has."""
    counts = (sum(tier_days[day].values()) - (own.get(day) is not None) for day in sorted(tier_days, reverse=True))
    return next((count for count in counts if count > 0), 0)
