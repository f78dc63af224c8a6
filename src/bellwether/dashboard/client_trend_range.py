"""Which days the health trend shows, and how densely. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bellwether.web.formatting import full_day

PERIODS: dict[int, str] = {30: "30 d", 90: "90 d", 180: "180 d", 365: "1 y", 730: "2 y", 1_095: "3 y"}
"""The ranges that are offered, by their length in days."""

DEFAULT_DAYS = 90
LONGEST_DAYS = 1_095
DENSE_DAYS = 200
MEDIAN_POINTS = 30


@dataclass(frozen=True)
class Asked:
    """What the address asks for: the last `days` days, or, where both are given, from `start` to `end`.

    `problem` says why dates that were given cannot be used; then the last `days` are shown.
    """

    days: int = DEFAULT_DAYS
    start: date | None = None
    end: date | None = None
    problem: str = ""

    @property
    def custom(self) -> bool:
        """Whether a range of the reader's own is shown."""
        return self.start is not None and self.end is not None


def asked_for(values: Mapping[str, str], *, today: date) -> Asked:
    """Return the range that `days`, `start` and `end` of an address ask for; what cannot be used is told."""
    text = values.get("days", "")
    days = int(text) if text in {str(period) for period in PERIODS} else DEFAULT_DAYS
    given = values.get("start", "").strip(), values.get("end", "").strip()
    if not any(given):
        return Asked(days)
    start, end = _day(given[0]), _day(given[1]) if given[1] else today
    if start is None or end is None:
        return Asked(days, problem="The dates cannot be used: give both as year-month-day, such as 2026-03-31.")
    if start >= min(end, today):
        return Asked(days, problem=f"The dates cannot be used: {full_day(start)} is not before {_end(end, today)}.")
    end = min(end, today)
    if (end - start).days > LONGEST_DAYS:
        return Asked(days, problem=f"The dates cannot be used: a range is at most {LONGEST_DAYS:,} days long.")
    return Asked(days, start, end)


def bounds(asked: Asked, last: date) -> tuple[date, date]:
    """Return the first and the last day to show; `last` is the newest day that there is."""
    if asked.start is not None and asked.end is not None:
        return asked.start, asked.end
    return last - timedelta(days=asked.days), last


def is_dense(first: date, last: date) -> bool:
    """Return whether every day is drawn; longer ranges are thinned out by week."""
    return (last - first).days <= DENSE_DAYS


def kept_days(scores: Mapping[date, int | None], first: date, last: date) -> set[date]:
    """Return the days with a score to draw: all, in a long range the lowest, highest and last of each week.

    Of equal scores in a week the first stands for them. Weeks begin on Monday.
    """
    known = [(day, score) for day in sorted(scores) if first <= day <= last and (score := scores[day]) is not None]
    if is_dense(first, last):
        return {day for day, _ in known}
    weeks: dict[tuple[int, int], list[tuple[date, int]]] = {}
    for day, score in known:
        weeks.setdefault(day.isocalendar()[:2], []).append((day, score))
    kept: set[date] = set()
    for week in weeks.values():
        kept |= {min(week, key=lambda one: one[1])[0], max(week, key=lambda one: one[1])[0], week[-1][0]}
    return kept


def median_days(first: date, last: date) -> list[date]:
    """Return the days on which the tier's median is taken: about MEDIAN_POINTS, in a long range one a week."""
    span = (last - first).days
    step = max(1, -(-span // MEDIAN_POINTS)) if is_dense(first, last) else 7
    return sorted({first, *(last - timedelta(days=n) for n in range(0, span + 1, step))})


@dataclass(frozen=True)
class Gap:
    """Days without a score, `first` to `last`, both included, and why."""

    first: date
    last: date
    reason: str

    @property
    def text(self) -> str:
        """The gap in one sentence."""
        when = f"on {full_day(self.first)}"
        if self.first < self.last:
            when = f"from {full_day(self.first)} to {full_day(self.last)}"
        return f"No score {when}: {self.reason}."


def gaps(
    scores: Mapping[date, int | None], reasons: Mapping[date, str], first: date, last: date, *, known_from: date | None
) -> list[Gap]:
    """Return the stretches without a score from `first` to `last`, oldest first; a new reason begins a new gap.

    `reasons` are those stored with days that have no score. `known_from` is the first day on which the client was
    scored at all, None if it is not within reach. The last day alone is no gap: it may not have been scored yet.
    """
    found: list[Gap] = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if scores.get(day) is not None or (day == last and day not in scores):
            continue
        reason = reasons.get(day, "").rstrip(".") or "nothing was scored"
        if known_from is not None and day < known_from:
            reason = "the client was not scored yet"
        if found and found[-1].last == day - timedelta(days=1) and found[-1].reason == reason:
            found[-1] = Gap(found[-1].first, day, reason)
        else:
            found.append(Gap(day, day, reason))
    return found


def days_scored(scores: Mapping[date, int | None], first: date, last: date) -> tuple[int, int]:
    """Return how many days of the range have a score, and how many it has."""
    scored = sum(1 for day, score in scores.items() if first <= day <= last and score is not None)
    return scored, (last - first).days + 1


def newest_before(days: Sequence[date], day: date) -> date | None:
    """Return the newest of `days` before `day`, None if there is none."""
    earlier = [one for one in days if one < day]
    return max(earlier) if earlier else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _end(end: date, today: date) -> str:
    return full_day(end) if end <= today else f"today, {full_day(today)}"
