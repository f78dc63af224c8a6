"""The panel under the health trend: what moved the score, on a day that the reader chose or over the trend's period."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_trend import Choice
from bellwether.dashboard.client_trend_range import newest_before
from bellwether.health.drivers import Driver, MovedMeasure
from bellwether.health.explain import Change
from bellwether.health.score_changes import ScoreDay
from bellwether.portfolio.timeline import Entry
from bellwether.web.formatting import NOT_SCORED, Status, day, full_day, plural, signed

AGAINST = ("day", "week", "event", "start")
MOST_MEASURES, MOST_EVENTS = 10, 8


@dataclass(frozen=True)
class Against:
    """A day that the score is compared with, and what the choice is called."""

    key: str
    on: date
    text: str


@dataclass(frozen=True)
class DriverLine:
    """A driver as it is shown."""

    label: str
    points: str
    tone: str
    reason: str


@dataclass(frozen=True)
class Happening:
    """Something that happened on the day."""

    icon: str
    title: str
    detail: str
    status: str


@dataclass(frozen=True)
class Moved:
    """The panel. `chosen`: the reader chose a day; `close` then leads back.

    `nothing` says why there are no drivers, `late` that late data changed the day afterwards.
    """

    title: str
    iso: str
    score: str
    status: Status
    chosen: bool
    choices: list[Choice]
    summary: str
    drivers: list[DriverLine]
    measures: list[MovedMeasure]
    more_measures: int
    events: list[Happening]
    nothing: str
    late: str
    explain: str
    close: str
    previous: str
    next: str


def comparisons(series: Sequence[ScoreDay], on: date, *, marks: Sequence[Entry], first: date) -> list[Against]:
    """Return the earlier days with a score that the score of `on` can be compared with, of AGAINST those there are.

    The last event is the newest of `marks` before `on`, or the nearest scored day before it within a week.
    """
    scored = [point.day for point in series if point.score is not None and point.day < on]
    known = set(scored)
    found = [
        Against(key, on - timedelta(days=days), text)
        for key, days, text in (("day", 1, "Day before"), ("week", 7, "Week before"))
        if on - timedelta(days=days) in known
    ]
    event = next((mark for mark in sorted(marks, key=lambda one: one.on, reverse=True) if mark.on < on), None)
    if event is not None:
        near = event.on if event.on in known else newest_before(scored, event.on)
        if near is not None and (event.on - near).days <= 7:
            found.append(Against("event", near, f"Last event: {event.mark}"))
    start = [one for one in scored if one >= first]
    if start and start[0] not in {one.on for one in found}:
        found.append(Against("start", start[0], f"Start, {full_day(start[0])}"))
    return found


def chosen_of(found: Sequence[Against], key: str) -> Against | None:
    """Return the comparison that is asked for, else the first; None if there is none."""
    return next((one for one in found if one.key == key), found[0] if found else None)


def day_panel(
    on: date,
    *,
    series: Sequence[ScoreDay],
    found: Sequence[Against],
    against: Against | None,
    status: Status,
    moves: Change | None,
    drivers: Sequence[Driver],
    measures: Sequence[MovedMeasure],
    entries: Sequence[Entry],
    seen: Mapping[date, int | None],
    address: Address,
    today: date,
) -> Moved:
    """Return the panel of the day `on`; `drivers` and `measures` are against `against`, one of `found`.

    `seen` are the scores as they first stood of days that late data changed.
    """
    scores = {point.day: point.score for point in series}
    reasons = {point.day: point.reason for point in series}
    score = scores.get(on)
    days = sorted(scores)
    later = [one for one in days if one > on]
    previous = newest_before(days, on)
    nothing = ""
    if on not in scores:
        nothing = "Nothing was scored on this day."
    elif score is None:
        nothing = f"There was no score on this day: {(reasons.get(on) or 'no reason was kept').rstrip('.')}."
    elif against is None:
        nothing = "There is no earlier score to compare with."
    return Moved(
        title=full_day(on),
        iso=on.isoformat(),
        score="N/A" if score is None else str(score),
        status=status if score is not None else NOT_SCORED,
        chosen=True,
        choices=[
            Choice(
                f"{one.text} {signed(score - (scores[one.on] or 0))}",
                address.with_(against=one.key) + "#moved",
                one == against,
            )
            for one in found
            if score is not None
        ],
        summary=_summary(score, moves.before, against.on, today) if against and moves and score is not None else "",
        drivers=driver_lines(drivers),
        measures=list(measures[:MOST_MEASURES]),
        more_measures=max(0, len(measures) - MOST_MEASURES),
        events=[Happening(entry.icon, entry.title, entry.detail, entry.status) for entry in entries if entry.on == on][
            :MOST_EVENTS
        ],
        nothing=nothing,
        late=_late(on, seen),
        explain=_explain(address, on, against.on if against else None) if on in scores else "",
        close=address.with_(on=None, against=None) + "#trend",
        previous=address.with_(on=previous.isoformat()) + "#moved" if previous else "",
        next=address.with_(on=later[0].isoformat()) + "#moved" if later else "",
    )


def period_panel(
    newest: ScoreDay,
    before: ScoreDay,
    *,
    moves: Change,
    drivers: Sequence[Driver],
    measures: Sequence[MovedMeasure],
    status: Status,
    address: Address,
    today: date,
) -> Moved:
    """Return the panel for the change over the trend's period, where no day was chosen."""
    days = (newest.day - before.day).days
    return Moved(
        title=f"What moved it in {plural(days, 'day')}",
        iso=newest.day.isoformat(),
        score=str(newest.score),
        status=status,
        chosen=False,
        choices=[],
        summary=_summary(newest.score or 0, moves.before, before.day, today),
        drivers=driver_lines(drivers),
        measures=list(measures[:MOST_MEASURES]),
        more_measures=max(0, len(measures) - MOST_MEASURES),
        events=[],
        nothing="",
        late="",
        explain=_explain(address, newest.day, before.day),
        close="",
        previous="",
        next="",
    )


def driver_lines(drivers: Sequence[Driver]) -> list[DriverLine]:
    """Return drivers as they are shown; what is good or bad only where it is a point or more."""
    return [
        DriverLine(
            one.label,
            signed(one.points),
            ("good" if one.points > 0 else "bad") if abs(one.points) >= 1 else "",
            one.reason[:1].upper() + one.reason[1:],
        )
        for one in drivers
    ]


def _explain(address: Address, on: date, since: date | None) -> str:
    return address.with_(explain=on.isoformat(), since=since.isoformat() if since else None) + "#explained"


def _late(on: date, seen: Mapping[date, int | None]) -> str:
    if on not in seen:
        return ""
    first = seen[on]
    stood = "there was no score" if first is None else f"the score was {first}"
    return f"Data that came late changed this day afterwards: when it was over, {stood}."


def _summary(score: int, before: int, since: date, today: date) -> str:
    if score == before:
        return f"{score}, the same as on {day(since, today)}."
    return f"From {before} on {day(since, today)} to {score}: {signed(score - before)}."
