"""The state of each source, and what is wrong with it. Pure; thresholds: usage.quality_thresholds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from bellwether.usage import quality_thresholds as limit
from bellwether.usage.quality_facts import FILE, SENT, TABLE, SourceFacts
from bellwether.usage.source_tally import MORE, Tally, lag_quantile, merged_lags

WORKDAYS = 5  # Monday to Friday
ROBUST = 1.4826  # makes the median deviation that of a normal distribution


@dataclass(frozen=True, kw_only=True)
class SourceState:
    """A source as the page shows it. `series` are events a day, oldest first, today last; shares are 0-1 over 7 days.

    `usual` is what a day like yesterday usually brings, None without four such days; `silent_days` counts whole days
    that should have brought something and did not, up to yesterday.
    """

    name: str
    kind: str
    series: tuple[int, ...]
    today: int
    week: int
    last_received_at: datetime | None
    lag_median: str | None
    lag_p95: str | None
    late_share: float | None
    duplicates: int
    duplicate_share: float | None
    reject_share: float | None
    rejected: int
    unassigned_share: float | None
    userless_share: float | None
    ahead_share: float | None
    library: str
    key: str
    error: str
    yesterday: int
    usual: float | None
    is_unusual: bool
    is_silent: bool
    silent_days: int


def source_state(source: SourceFacts, *, now: datetime, today: date) -> SourceState:
    """Return the state of `source` at `now`."""
    counts = {day: tally.events for day, tally in source.days.items()}
    days = [today - timedelta(days=n) for n in range(limit.SPARK_DAYS - 1, -1, -1)]
    week = _sum(source.days.get(today - timedelta(days=n)) for n in range(limit.WEEK_DAYS))
    received = week.events + week.duplicates
    asked = received + week.rejected
    yesterday = today - timedelta(days=1)
    usual, is_unusual = _usual(counts, yesterday)
    silent_days = _silent_days(counts, today) if source.kind == SENT else 0
    late = sum(week.lags.get(key, 0) for key in ("604800", MORE))
    return SourceState(
        name=source.name,
        kind=source.kind,
        series=tuple(counts.get(day, 0) for day in days),
        today=counts.get(today, 0),
        week=week.events,
        last_received_at=source.last_received_at,
        lag_median=lag_quantile(week.lags, 0.5),
        lag_p95=lag_quantile(week.lags, 0.95),
        late_share=_share(late, sum(week.lags.values())),
        duplicates=week.duplicates,
        duplicate_share=_share(week.duplicates, received),
        reject_share=_share(week.rejected, asked),
        rejected=week.rejected,
        unassigned_share=_share(week.unassigned, week.events),
        userless_share=_share(week.userless, week.events),
        ahead_share=_share(week.ahead, week.events),
        library=source.library,
        key=source.key,
        error=source.error,
        yesterday=counts.get(yesterday, 0),
        usual=usual,
        is_unusual=is_unusual and source.kind != FILE,
        is_silent=_is_silent(source, counts, silent_days, now, today),
        silent_days=silent_days,
    )


def _sum(tallies: Iterable[Tally | None]) -> Tally:
    total = Tally()
    given = [tally for tally in tallies if tally is not None]
    for one in given:
        total.events += one.events
        total.duplicates += one.duplicates
        total.rejected += one.rejected
        total.unassigned += one.unassigned
        total.userless += one.userless
        total.ahead += one.ahead
    total.lags = merged_lags(one.lags for one in given)
    return total


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole >= limit.FEWEST_EVENTS else None


def _same_weekdays(counts: dict[date, int], day: date) -> list[int]:
    """Return the counts of the same weekday in the eight weeks before `day`, since the first day of the source."""
    first = min(counts, default=day)
    days = (day - timedelta(weeks=n) for n in range(1, limit.USUAL_WEEKS + 1))
    return [counts.get(one, 0) for one in days if one >= first]


def _usual(counts: dict[date, int], day: date) -> tuple[float | None, bool]:
    """Return the usual count of a day such as `day`, and whether that day's count is far from it."""
    before = _same_weekdays(counts, day)
    if len(before) < limit.FEWEST_SAME_WEEKDAYS:
        return None, False
    usual = median(before)
    spread = ROBUST * median(abs(value - usual) for value in before)
    away = abs(counts.get(day, 0) - usual)
    far = away > max(limit.UNUSUAL_DEVIATIONS * spread, limit.UNUSUAL_SHARE * usual, limit.FEWEST_EVENTS)
    return usual, far


def _silent_days(counts: dict[date, int], today: date) -> int:
    """Return how many days without events there were since the last with some, up to yesterday.

    Weekdays that are usually quiet do not count, nor do the first weekends of a source that is new.
    """
    silent = 0
    for back in range(1, 8 * limit.USUAL_WEEKS):
        day = today - timedelta(days=back)
        if counts.get(day, 0) or day < min(counts, default=today):
            break
        before = _same_weekdays(counts, day)
        silent += median(before) >= limit.FEWEST_EVENTS if before else day.isoweekday() <= WORKDAYS
    return silent


def _is_silent(source: SourceFacts, counts: dict[date, int], silent_days: int, now: datetime, today: date) -> bool:
    """Tell whether a source that should be sending is not: a whole expected day, or 26 hours into an expected one."""
    if source.kind != SENT or source.key == "revoked" or source.last_received_at is None or counts.get(today):
        return False
    if silent_days:
        return True
    before = _same_weekdays(counts, today)
    expected = bool(before) and median(before) >= limit.FEWEST_EVENTS
    return expected and now - source.last_received_at > timedelta(hours=limit.SILENT_HOURS)


def sending(states: Iterable[SourceState]) -> list[SourceState]:
    """Return the sources that send by themselves: those whose silence means something."""
    return [state for state in states if state.kind in (SENT, TABLE)]
