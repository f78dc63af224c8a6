"""The card with the health trend: the drawing, what its points say, and the same in a table."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bellwether.dashboard.addresses import Address
from bellwether.dashboard.explanations import largest
from bellwether.dashboard.trend_chart import Band, TrendChart, draw, in_words
from bellwether.health.score_changes import ScoreDay, contributions, effects
from bellwether.health.scorecard import Scorecard
from bellwether.portfolio.timeline import Entry, chosen_marks
from bellwether.web.formatting import STATUSES, day, full_day, number, plural, signed

PERIODS = (30, 90, 180)
DEFAULT_DAYS = 90
MOST_MARKS = 8
MEDIAN_POINTS = 30


@dataclass(frozen=True)
class Choice:
    """One of several ways to show something; `current` is the one shown."""

    text: str
    href: str
    current: bool


@dataclass(frozen=True)
class EventItem:
    """A numbered event below the chart."""

    number: int
    text: str
    day: str
    iso: str
    status: str


@dataclass(frozen=True)
class TableRow:
    """A day of the table: score and change as text, the tier median where it was taken, the day's explanation."""

    day: str
    iso: str
    score: str
    change: str
    median: str
    href: str


@dataclass(frozen=True)
class Trend:
    """The trend card. `chart` None: no score in the period, `nothing` says why. `points` is JSON for the tooltip.

    `explain_href` explains a day when its ISO date is put in place of "~day~".
    """

    periods: list[Choice]
    chart: TrendChart | None
    nothing: str
    sentence: str
    name: str
    cohort: str
    no_cohort: str
    events: list[EventItem]
    points: str
    rows: list[TableRow]
    has_median: bool
    explain_href: str


def sampled_days(first: date, last: date) -> list[date]:
    """Return about MEDIAN_POINTS days from `first` to `last`, both included: where the tier's median is taken."""
    span = (last - first).days
    step = max(1, -(-span // MEDIAN_POINTS))
    return sorted({first, *(last - timedelta(days=n) for n in range(0, span + 1, step))})


def bands_of(scorecard: Scorecard) -> list[Band]:
    """Return the product's four bands with the scorecard's thresholds."""
    limits = scorecard.thresholds
    minima = {"HEALTHY": limits.healthy, "MONITOR": limits.monitor, "AT_RISK": limits.at_risk, "CRITICAL": 0}
    return [Band(STATUSES[word].label, minimum, STATUSES[word].key) for word, minimum in minima.items()]


def trend_card(
    *,
    name: str,
    address: Address,
    days: int,
    first: date,
    last: date,
    today: date,
    series: Sequence[ScoreDay],
    scorecard: Scorecard,
    labels: Mapping[str, str],
    median: Mapping[date, float],
    tier: str,
    cohort: str,
    no_cohort: str,
    entries: Sequence[Entry],
) -> Trend:
    """Return the card for the days `first` to `last`; `tier` and `cohort` name the peers, `no_cohort` why none."""
    periods = [Choice(f"{n} d", address.with_(days=n, explain=None), n == days) for n in PERIODS]
    inside = [point for point in series if point.day >= first]
    scores = {point.day: point.score for point in inside}
    if not any(score is not None for score in scores.values()):
        reason = f"There is no health score from {full_day(first)} to {full_day(last)}."
        return Trend(periods, None, reason, "", name, "", "", [], "[]", [], False, "")
    marks = chosen_marks(entries, first=first, last=last, at_most=MOST_MARKS)
    chart = draw(
        first=first,
        last=last,
        scores=scores,
        median=median,
        bands=bands_of(scorecard),
        events=[(mark.on, mark.status) for mark in marks],
    )
    return Trend(
        periods=periods,
        chart=chart,
        nothing="",
        sentence=in_words(first=first, last=last, scores=scores, median=median, cohort=tier),
        name=name,
        cohort=cohort if median else "",
        no_cohort=no_cohort,
        events=[
            EventItem(n, mark.mark, day(mark.on, today), mark.on.isoformat(), mark.status)
            for n, mark in enumerate(marks, start=1)
        ],
        points=point_data(chart, series, labels, points=scorecard.points, today=today),
        rows=table_rows(inside, series, median, address=address, today=today),
        has_median=bool(median),
        explain_href=address.with_(explain="~day~") + "#explained",
    )


def point_data(
    chart: TrendChart, series: Sequence[ScoreDay], labels: Mapping[str, str], *, points: bool, today: date
) -> str:
    """Return the points of the chart as JSON: x, y, ISO day, day, score, change in words and the two largest causes.

    Change and causes are against the day before, and absent where that day has no score.
    """
    by_day = {point.day: point for point in series}
    parts = {point.day: contributions(point.components, point.weights, points=points) for point in series}
    data = []
    for point in chart.points:
        before = by_day.get(point.day - timedelta(days=1))
        known = before is not None and before.score is not None
        moved = point.score - (before.score or 0) if before is not None and known else None
        causes = largest(effects(parts[before.day], parts[point.day]), labels, at_most=2) if before and known else []
        data.append(
            {
                "x": point.x,
                "y": point.y,
                "iso": point.day.isoformat(),
                "day": full_day(point.day),
                "score": point.score,
                "change": None if moved is None else signed(moved),
                "tone": "" if not moved else "good" if moved > 0 else "bad",
                "causes": [[label, signed(round(move, 1))] for label, move in causes],
            }
        )
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def table_rows(
    inside: Sequence[ScoreDay],
    series: Sequence[ScoreDay],
    median: Mapping[date, float],
    *,
    address: Address,
    today: date,
) -> list[TableRow]:
    """Return a row for each day with a stored score or a stored reason, newest first."""
    known = {point.day: point.score for point in series}
    rows = []
    for point in reversed(inside):
        before = known.get(point.day - timedelta(days=1))
        moved = None if point.score is None or before is None else point.score - before
        rows.append(
            TableRow(
                day=day(point.day, today),
                iso=point.day.isoformat(),
                score=str(point.score) if point.score is not None else "N/A",
                change=signed(moved),
                median=number(median[point.day]) if point.day in median else "",
                href=address.with_(explain=point.day.isoformat()) + "#explained",
            )
        )
    return rows


def cohort_words(tier: str, peers: int, *, needed: int) -> tuple[str, str]:
    """Return (name of the reference line, reason why there is none); one of them is empty."""
    if peers >= needed:
        return f"{tier} median, {plural(peers, 'client')}", ""
    have = "no other client has" if peers == 0 else f"only {plural(peers, 'other client has', 'other clients have')}"
    return "", f"No {tier} median: {have} a score, {needed} are needed."
