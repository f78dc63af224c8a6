"""The other cards of the usage tab: activity per day, hours, roles, unusual days, the table; every text ready."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bellwether.dashboard.usage_chart import Bars, draw_bars
from bellwether.health.usage_days import UsageDay
from bellwether.health.usage_reading import Usage
from bellwether.usage.hours import WEEKDAYS
from bellwether.usage.periods import BASELINE_DAYS
from bellwether.usage.role_sessions import LONGEST_DAYS
from bellwether.web.formatting import DASH, Delta, change, day, number, plural

SHOWN_UNUSUAL = 12
SMALL_PERCENT = 5
LOGINS, ACTIONS = "logins", "actions"
# What the bars may show: key, heading, the counts that are added up.
SERIES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("cases", "Cases", ("cases_created", "cases_closed")),
    ("campaigns", "Campaign responses", ("assignments_completed",)),
    ("forms", "Forms", ("forms_started", "forms_completed")),
    ("journeys", "Journeys", ("journeys_started", "journeys_completed")),
)
UNUSUAL = {
    "low": ("critical", "arrow-down", "Fewer than expected"),
    "high": ("monitor", "arrow-up", "More than expected"),
    "holiday": ("na", "calendar-off", "Public holiday"),
}


@dataclass(frozen=True)
class Series:
    """One thing that the bars may show: `parts` are counts of a day that are added up, empty for actions."""

    key: str
    label: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Activity:
    """The card with the bars: the choices, the drawing, four totals, and the same in words."""

    series: list[Series]
    chosen: Series
    bars: Bars
    totals: list[tuple[str, str]]
    sentence: str
    note: str
    weekly: bool


@dataclass(frozen=True)
class HourRow:
    """A weekday of the heatmap: (level, amount, tooltip, is the peak) for each hour."""

    short: str
    name: str
    cells: list[tuple[int, str, str, bool]]


@dataclass(frozen=True)
class HoursCard:
    """The heatmap."""

    rows: list[HourRow]
    sentence: str
    most: str
    zone: str
    empty: bool


@dataclass(frozen=True)
class RoleRow:
    """A role: bars are 0-100 of the largest value on the card."""

    role: str
    users: str
    per_user: str
    bar: float
    ref: float | None
    change: Delta | None
    baseline: str


@dataclass(frozen=True)
class UnusualRow:
    """An unusual day; `number` is its mark on the line of daily active users, 0 where it has none."""

    number: int
    day: str
    iso: str
    status: str
    icon: str
    word: str
    reason: str
    people: str
    expected: str


@dataclass(frozen=True)
class DayRow:
    """A day of the table, as text."""

    day: str
    iso: str
    cells: list[str]
    note: str


def all_series(usage: Usage) -> list[Series]:
    """Return what the bars can show: logins (or sessions), what the preset counts, actions."""
    first = Series(LOGINS, "Logins" if usage.logins_are_events else "Sessions", (LOGINS,))
    counted = [
        Series(key, label, tuple(part for part in parts if part in usage.counted))
        for key, label, parts in SERIES
        if any(part in usage.counted for part in parts)
    ]
    return [first, *counted, Series(ACTIONS, "Actions", ())]


def activity_card(usage: Usage, show: str) -> Activity:
    """Return the bars of the series `show`, else of the first; weeks for a long range."""
    series = all_series(usage)
    chosen = next((item for item in series if item.key == show), series[0])
    amounts = [(item.day, _amount(item, chosen)) for item in usage.days]
    bars = _weeks(amounts) if usage.period.weekly else amounts
    word = chosen.label.lower()
    texts = [(on, amount, f"{_when(on, usage)}: {number(amount)} {word}") for on, amount in bars]
    peak = max(amounts, key=lambda item: (item[1], -item[0].toordinal()))
    total = sum(amount for _, amount in amounts)
    minutes = usage.figures["session_minutes"]
    best = f"{WEEKDAYS[peak[0].weekday()][:3]} {day(peak[0], usage.today)}" if peak[1] else DASH
    note = ""
    if chosen.key == LOGINS and not usage.logins_are_events:
        note = "The preset names no login event, so sessions stand for logins."
    elif len(chosen.parts) > 1:
        names = " and ".join(part.replace("_", " ") for part in chosen.parts)
        note = f"{names.capitalize()} together."
    return Activity(
        series=series,
        chosen=chosen,
        bars=draw_bars(texts),
        totals=[
            (f"Total {word}", number(total)),
            ("Unique users", number(usage.active_users)),
            ("Average session", f"{number(minutes)} min" if minutes is not None else DASH),
            ("Peak day", best),
        ],
        sentence=f"{chosen.label} per {'week' if usage.period.weekly else 'day'}: {number(total)} in all"
        + (f", most on {best} with {number(peak[1])}." if peak[1] else "."),
        note=note,
        weekly=usage.period.weekly,
    )


def hours_card(usage: Usage, zone: str) -> HoursCard:
    """Return when people act; hours are those of the workspace's time zone `zone`."""
    found = usage.hours
    rows = [
        HourRow(
            name[:3],
            name,
            [
                (
                    found.level(weekday, hour) if found.total else 0,
                    number(amount),
                    f"{name} {hour:02d}:00, {plural(amount, 'action')}",
                    found.peak == (weekday, hour),
                )
                for hour, amount in enumerate(found.actions[weekday])
            ],
        )
        for weekday, name in enumerate(WEEKDAYS)
    ]
    if found.peak is None:
        return HoursCard(rows, "Nobody did anything in this range.", "0", zone, empty=True)
    weekday, hour = found.peak
    share = found.most / found.total
    sentence = f"Busiest: {WEEKDAYS[weekday]} {hour:02d}:00 to {(hour + 1) % 24:02d}:00, {share:.0%} of all actions."
    return HoursCard(rows, sentence, plural(found.most, "action"), zone, empty=False)


def role_rows(usage: Usage) -> list[RoleRow]:
    """Return the sessions per user of each role."""
    most = max([1e-9] + [max(item.per_user, item.baseline or 0) for item in usage.roles])
    rows = []
    for item in usage.roles:
        moved = round(100 * (item.per_user / item.baseline - 1)) if item.baseline else None
        rows.append(
            RoleRow(
                role=item.role or "No role known",
                users=number(item.users),
                per_user=number(item.per_user),
                bar=round(100 * item.per_user / most, 1),
                ref=round(100 * item.baseline / most, 1) if item.baseline else None,
                change=None
                if moved is None
                else change(moved, better="up" if abs(moved) >= SMALL_PERCENT else "", text=f"{abs(moved)}%"),
                baseline=number(item.baseline),
            )
        )
    return rows


def roles_note(usage: Usage) -> str:
    """Return which days the sessions per role are of, and what the baseline is."""
    days = min(usage.period.days, LONGEST_DAYS)
    windows = BASELINE_DAYS // days
    before = "the 90 days before" if windows <= 1 else f"{windows} times {plural(days, 'day')} before"
    return f"The tick is the mean of {before}."


def roles_days(usage: Usage) -> str:
    """Return how many days the sessions per role are counted over."""
    return f"{min(usage.period.days, LONGEST_DAYS)} d"


def unusual_rows(usage: Usage) -> list[UnusualRow]:
    """Return the unusual days, newest first; holidays have no number."""
    numbers = {item.day: place for place, item in enumerate(marked(usage), start=1)}
    rows = []
    for item in reversed(usage.unusual):
        status, icon, word = UNUSUAL[item.kind]
        rows.append(
            UnusualRow(
                number=numbers.get(item.day, 0),
                day=f"{WEEKDAYS[item.day.weekday()][:3]} {day(item.day, usage.today)}",
                iso=item.day.isoformat(),
                status=status,
                icon=icon,
                word=word,
                reason=item.reason,
                people=number(item.people),
                expected=f"{number(item.low)} to {number(item.high)}",
            )
        )
    return rows


def marked(usage: Usage) -> Sequence:
    """Return the unusual days that are no holidays, in the order of their numbers."""
    return [item for item in usage.unusual if item.kind != "holiday"]


def day_rows(usage: Usage) -> list[DayRow]:
    """Return a row for each day since the first event, newest first."""
    return [
        DayRow(
            day=f"{WEEKDAYS[item.day.weekday()][:3]} {day(item.day, usage.today)}",
            iso=item.day.isoformat(),
            cells=[
                number(item.dau),
                f"{number(item.interval[0])} to {number(item.interval[1])}" if item.interval else DASH,
                number(item.wau),
                number(item.mau),
                number(item.sessions),
                number(item.actions),
            ],
            note=usage.holidays.get(item.day, "so far" if item.day == usage.today else ""),
        )
        for item in reversed(usage.days)
        if not item.before_start
    ]


def _amount(item: UsageDay, chosen: Series) -> int:
    counts: Mapping[str, int] = item.counts
    return sum(counts[part] for part in chosen.parts) if chosen.parts else item.actions


def _weeks(amounts: Sequence[tuple[date, int]]) -> list[tuple[date, int]]:
    """Return the sums of weeks that begin on Monday, by their first day in the range."""
    found: dict[date, list[int]] = {}
    for on, amount in amounts:
        found.setdefault(on - timedelta(days=on.weekday()), []).append(amount)
    first = amounts[0][0]
    return [(max(monday, first), sum(values)) for monday, values in found.items()]


def _when(on: date, usage: Usage) -> str:
    return f"Week of {day(on, usage.today)}" if usage.period.weekly else day(on, usage.today)
