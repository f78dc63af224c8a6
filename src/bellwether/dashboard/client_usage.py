"""The usage tab as data: everything that the templates place, as text where it is text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_trend import Choice
from bellwether.dashboard.client_usage_cards import (
    SHOWN_UNUSUAL,
    Activity,
    DayRow,
    HoursCard,
    RoleRow,
    UnusualRow,
    activity_card,
    day_rows,
    hours_card,
    marked,
    role_rows,
    roles_days,
    roles_note,
    unusual_rows,
)
from bellwether.dashboard.client_usage_figures import (
    SPECS,
    ComparisonRow,
    FigureCard,
    against_words,
    baseline_words,
    comparison_rows,
    figure_card,
    modules_card,
    peers_words,
    picks,
    span,
)
from bellwether.dashboard.explanations import Input
from bellwether.dashboard.usage_chart import Line, draw_line
from bellwether.health.usage_comparison import Comparison
from bellwether.health.usage_reading import Usage
from bellwether.usage.periods import CUSTOM, RANGES
from bellwether.usage.unusual_days import UnusualDay
from bellwether.web.formatting import day, moment, number, plural

ACTIVE = ("dau", "wau", "mau")
DEPTH = ("stickiness", "session_minutes", "session_depth")


@dataclass(frozen=True)
class ActiveCard:
    """A card of active users: the figure, its line, the sentence for those who do not see it."""

    figure: FigureCard
    aside: str
    chart: Line | None
    sentence: str


@dataclass(frozen=True)
class UsagePage:
    """The tab without head and people. `empty` says why there is nothing to show; then only `ranges` matter."""

    ranges: list[Choice]
    custom: bool
    start: str
    end: str
    newest_day: str
    problems: dict[str, str]
    compare: str
    compare_options: dict[str, str]
    hidden: dict[str, str]
    as_of: str
    export: str
    live: str
    notices: list[tuple[str, str]]
    empty: str
    active: list[ActiveCard]
    depth: list[FigureCard]
    comparisons: list[tuple[str, str, str]]
    compared: list[ComparisonRow]
    activity: Activity
    activity_choices: list[Choice]
    hours: HoursCard
    roles: list[RoleRow]
    roles_note: str
    roles_days: str
    unusual: list[UnusualRow]
    more_unusual: list[UnusualRow]
    days: list[DayRow]
    span: str


def usage_page(
    usage: Usage,
    *,
    address: Address,
    export: Address,
    live: Address,
    compare: str,
    show: str,
    problems: dict[str, str],
    now: datetime,
    zone: ZoneInfo,
) -> UsagePage:
    """Return the tab of one client. `address` is the page with its choices, `problems` what is wrong with its dates."""
    against = next((item for item in usage.comparisons if item.against == compare), usage.baseline)
    unusual = unusual_rows(usage)
    activity = activity_card(usage, show)
    custom = usage.period.name == CUSTOM
    return UsagePage(
        ranges=[
            Choice(text, address.with_(range=name, start=None, end=None), name == usage.period.name)
            for name, text in RANGES.items()
        ],
        custom=custom,
        start=_date_or_none(address.query.get("start", "")) or usage.period.first.isoformat(),
        end=_date_or_none(address.query.get("end", "")) or usage.period.last.isoformat(),
        newest_day=usage.today.isoformat(),
        problems=problems,
        compare=against.against,
        compare_options=dict(picks(usage.comparisons)),
        hidden={key: value for key, value in address.query.items() if value and key not in {"compare"}},
        as_of=moment(usage.newest_event_at, now, zone) if usage.newest_event_at else "",
        export=str(export),
        live=live.with_(version=usage.version, facts=usage.facts),
        notices=_notices(usage),
        empty=_empty(usage),
        active=[_active(name, usage, against) for name in ACTIVE],
        depth=[
            *(figure_card(SPECS[name], usage, against) for name in DEPTH),
            modules_card(usage.modules, usage),
            figure_card(SPECS["power_users"], usage, against, extra=[Input("MAU", number(usage.figures["mau"]), "")]),
        ],
        comparisons=[(item.label, peers_words(item), item.reason) for item in usage.comparisons],
        compared=comparison_rows(usage),
        activity=activity,
        activity_choices=[
            Choice(item.label, address.with_(show=item.key) + "#activity", item == activity.chosen)
            for item in activity.series
        ],
        hours=hours_card(usage, zone.key),
        roles=role_rows(usage),
        roles_note=roles_note(usage),
        roles_days=roles_days(usage),
        unusual=unusual[:SHOWN_UNUSUAL],
        more_unusual=unusual[SHOWN_UNUSUAL:],
        days=day_rows(usage),
        span=span(usage.period, usage.today),
    )


def _date_or_none(text: str) -> str:
    """Return `text` if a date field can hold it, else nothing."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _active(name: str, usage: Usage, against: Comparison) -> ActiveCard:
    spec = SPECS[name]
    reference = against.values.get(name)
    points = _points(name, usage)
    marks: Sequence[UnusualDay] = marked(usage) if name == "dau" and not usage.period.weekly else ()
    unfinished = usage.today if name == "dau" and not usage.period.weekly else None
    today = usage.days[-1]
    if name == "dau" and today.day == usage.today:
        aside = f"{number(today.dau)} today so far"
    else:
        tier = usage.comparisons[1]
        value = tier.values.get(name)
        aside = f"{tier.label} {number(value)}" if value is not None and against.against != "tier" else ""
    figure = figure_card(spec, usage, against)
    compared = f", {against_words(against)} {number(reference)}" if reference is not None else ""
    told = f", {plural(len(marks), 'unusual day')} marked" if marks else ""
    return ActiveCard(
        figure=figure,
        aside=aside,
        chart=draw_line(
            points,
            reference=reference,
            marks=[(item.day, "critical" if item.kind == "low" else "monitor") for item in marks],
            unfinished=unfinished,
        ),
        sentence=f"{spec.label}, {span(usage.period, usage.today)}, now {figure.value or 'not known'}{compared}{told}.",
    )


def _points(name: str, usage: Usage) -> list[tuple[date, float | None]]:
    """Return the values of each day, or of each week in a long range: mean over its days, days off left out."""
    values = [(item.day, None if item.before_start else float(getattr(item, name))) for item in usage.days]
    if not usage.period.weekly:
        return values
    weeks: dict[date, list[float]] = {}
    for on, value in values:
        week = weeks.setdefault(on - timedelta(days=on.weekday()), [])
        if value is not None and on != usage.today and (name != "dau" or on.isoweekday() in usage.working_days):
            week.append(value)
    return [
        (max(monday, usage.period.first), sum(week) / len(week) if week else None) for monday, week in weeks.items()
    ]


def _notices(usage: Usage) -> list[tuple[str, str]]:
    """Return (status word, text) of what must be said about the numbers."""
    found = []
    if usage.silent_since:
        silent = (usage.today - usage.silent_since).days
        found.append(
            (
                "monitor",
                f"No events from any client since {day(usage.silent_since, usage.today)}, {plural(silent, 'day')} ago. "
                "The numbers take that for people who stayed away. Check that events are still being sent.",
            )
        )
    elif not _empty(usage) and not any(item.actions for item in usage.days):
        found.append(("", "Nobody used the product in this range."))
    if usage.started and usage.period.first < usage.started <= usage.period.last:
        found.append(
            (
                "",
                f"The first event of this client is of {day(usage.started, usage.today)}. The days before it are left "
                "out of the lines and of every mean.",
            )
        )
    if usage.baseline.reason and not _empty(usage):
        found.append(("", baseline_words(usage)))
    return found


def _empty(usage: Usage) -> str:
    if usage.started is None:
        return "No event of this client has arrived yet. Usage appears here within seconds of the first one."
    if usage.started > usage.period.last:
        return f"The first event of this client is of {day(usage.started, usage.today)}. Choose a later range."
    return ""
