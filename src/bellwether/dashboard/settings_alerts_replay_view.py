"""The replay of a rule in words, figures and a drawing for its page."""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from uuid import UUID

from django.urls import reverse

from bellwether.alerts.replaying import Load, Replay
from bellwether.alerts.rule_replays import RuleReplay
from bellwether.web.formatting import day, full_day, number, percent, plural

WIDTH, HEIGHT, BASE, TOP = 560, 118, 96, 10
HORIZON = 90
FEW_CHURNS = 5
YEAR_WEEKS = 51
CLIENTS_SHOWN = 8


@dataclass(frozen=True)
class Figure:
    """A figure of what is shown, with that of the rule in force where something else is tried out ("" otherwise)."""

    label: str
    value: str
    note: str = ""
    was: str = ""


@dataclass(frozen=True)
class Column:
    """Alerts of a week: the column's place and height, and where the rule in force stands (None: nothing is tried)."""

    x: float
    y: float
    width: float
    height: float
    mark: float | None
    told: str


@dataclass(frozen=True)
class CsmRow:
    """Alerts a week of a CSM."""

    name: str
    value: str
    was: str


@dataclass(frozen=True)
class ClientRow:
    """A client with alerts; `left`: when it left, "" while it is there."""

    name: str
    href: str
    alerts: str
    last: str
    left: str


@dataclass(frozen=True)
class ReplayView:
    """What the card shows. `verdict`: one sentence; `caution`: why the figures say little, "" where they do not."""

    title: str
    rule: str
    span: str
    whom: str
    tried: bool
    same: bool
    verdict: str
    caution: str
    figures: list[Figure]
    columns: list[Column]
    most: str
    ticks: list[tuple[float, str]]
    sentence: str
    weeks: list[tuple[str, str, str]]
    csms: list[CsmRow]
    clients: list[ClientRow]
    more: list[ClientRow]


def replay_view(found: RuleReplay, *, asked: bool, rule: str) -> ReplayView:
    """Return what the card shows; `asked`: a form was sent along, though it may say what is in force. `rule`: in words,
    as it was run."""
    shown, was = found.shown, found.present if found.candidate is not None else None
    load = shown.total
    rows = _clients(found)
    last = found.last
    short = shown.weeks < YEAR_WEEKS
    return ReplayView(
        title=f"Over the past {plural(round(shown.weeks), 'week')}" if short else "Over the past year",
        rule=rule,
        span=f"{full_day(shown.first)} to {full_day(last)}{', no figures before' if short else ''}",
        whom=plural(found.clients, "client"),
        tried=was is not None,
        same=asked and was is None,
        verdict=_verdict(load, was.total if was else None),
        caution=_caution(load),
        figures=_figures(load, was.total if was else None),
        columns=(drawn := _columns(shown, was))[0],
        most=drawn[1],
        ticks=_ticks(shown),
        sentence=_sentence(shown, was),
        weeks=_weeks(shown, was),
        csms=_csms(found, was),
        clients=rows[:CLIENTS_SHOWN],
        more=rows[CLIENTS_SHOWN:],
    )


def _verdict(load: Load, was: Load | None) -> str:
    """Return the load in a sentence: by the week, by the year where it is less than one a week."""
    rare = load.per_week < 1 and (was is None or was.per_week < 1)
    now = plural(load.alerts, "alert") if rare else f"{_weekly(load.per_week)} alerts"
    span = "in all" if rare else "a week"
    if was is None:
        return f"{now} {span}." if rare else f"{now} {span}, {plural(load.alerts, 'alert')} in all."
    before = number(was.alerts) if rare else _weekly(was.per_week)
    if load.alerts == was.alerts:
        return f"As many alerts as with the rule in force: {now} {span}."
    if not was.alerts:
        return f"{now} {span} instead of none."
    times = load.alerts / was.alerts
    changed = (
        f"{times:.1f} times as many" if times >= 2 else f"{percent(abs(times - 1))} {'more' if times > 1 else 'fewer'}"
    )
    return f"{now} {span} instead of {before}: {changed}."


def _caution(load: Load) -> str:
    if load.churns < FEW_CHURNS:
        return f"{plural(load.churns, 'client')} left in this time: too few to say whether these alerts foretell it."
    return ""


def _weekly(value: float) -> str:
    if value >= 100:
        return number(value)
    return f"{value:.2f}" if 0 < value < 1 else f"{value:.1f}"


def _share(load: Load) -> tuple[str, str]:
    """Return the share of alerts that a churn followed, and its interval with what chance gives."""
    one = next(one for one in load.precision if one.days == HORIZON)
    if one.share is None or one.low is None or one.high is None:
        return "–", "no alert is 90 days old"
    base = f", any day {percent(one.base, 1)}" if one.base is not None else ""
    return percent(one.share, 1), f"95 %: {percent(one.low, 1)} to {percent(one.high, 1)}{base}"


def _figures(load: Load, was: Load | None) -> list[Figure]:
    def before(text: str) -> str:
        return f"was {text}" if was else ""

    share, interval = _share(load)
    lead = "–" if load.lead_days is None else f"{load.lead_days:.0f} d"
    was_lead = "" if was is None else "–" if was.lead_days is None else f"{was.lead_days:.0f} d"
    per_csm = "–" if load.per_csm_week is None else _weekly(load.per_csm_week)
    figures = [
        Figure("Alerts a week", _weekly(load.per_week), plural(load.alerts, "alert"),
               before(_weekly(was.per_week) if was else "")),
        Figure("A week and CSM", per_csm, "on average", before(
            "–" if was is None or was.per_csm_week is None else _weekly(was.per_csm_week))),
        Figure("Clients with one", number(load.clients), "", before(number(was.clients) if was else "")),
        Figure("Left within 90 days", share, interval, before(_share(was)[0] if was else "")),
        Figure("Losses announced", f"{load.warned} of {load.churns}", "an alert in the 90 days before",
               before(f"{was.warned}" if was else "")),
        Figure("How early", lead, "median from the first alert", before(was_lead)),
    ]  # fmt: skip
    return figures


def _by_week(one: Replay) -> dict[int, int]:
    found: dict[int, int] = {}
    for week, alerts in one.by_week.select("week", "alerts").iter_rows():
        place = (week - one.first).days // 7
        found[place] = found.get(place, 0) + alerts
    return found


def _columns(shown: Replay, was: Replay | None) -> tuple[list[Column], str]:
    count = ceil(shown.weeks)
    now, before = _by_week(shown), _by_week(was) if was else {}
    most = max([*now.values(), *before.values(), 1])
    step = WIDTH / count
    columns = []
    for place in range(count):
        alerts, other = now.get(place, 0), before.get(place, 0)
        height = round((BASE - TOP) * alerts / most, 1)
        mark = round(BASE - (BASE - TOP) * other / most, 1) if was else None
        start = shown.first + timedelta(days=7 * place)
        told = f"Week of {full_day(start)}: {plural(alerts, 'alert')}" + (f", in force {other}" if was else "")
        columns.append(
            Column(round(place * step + 1, 1), round(BASE - height, 1), round(step - 2, 1), height, mark, told)
        )
    return columns, number(most)


def _ticks(shown: Replay) -> list[tuple[float, str]]:
    """Return the places of about five days below the columns."""
    count = ceil(shown.weeks)
    step = WIDTH / count
    places = range(0, count, max(1, count // 4))
    return [(round(place * step, 1), full_day(shown.first + timedelta(days=7 * place))[:-5]) for place in places]


def _sentence(shown: Replay, was: Replay | None) -> str:
    most = max(_by_week(shown).values(), default=0)
    text = f"Alerts by week: {_weekly(shown.total.per_week)} on average, at most {most}"
    return text + (f"; with the rule in force {_weekly(was.total.per_week)} on average." if was else ".")


def _weeks(shown: Replay, was: Replay | None) -> list[tuple[str, str, str]]:
    now, before = _by_week(shown), _by_week(was) if was else {}
    rows = []
    for place in range(ceil(shown.weeks)):
        start = shown.first + timedelta(days=7 * place)
        rows.append((full_day(start), number(now.get(place, 0)), number(before.get(place, 0)) if was else ""))
    return rows


def _loads(one: Replay) -> dict[str, float]:
    """Return alerts a week by CSM, all kinds together."""
    found: dict[str, float] = {}
    for csm, per_week in one.by_csm.select("csm", "per_week").iter_rows():
        if csm:
            found[csm] = found.get(csm, 0.0) + per_week
    return found


def _csms(found: RuleReplay, was: Replay | None) -> list[CsmRow]:
    if not found.csms:
        return []
    now, before = _loads(found.shown), _loads(was) if was else {}
    order = sorted(found.csms, key=lambda csm: (-now.get(csm, 0.0), found.csms[csm]))
    return [
        CsmRow(found.csms[csm], _weekly(now.get(csm, 0.0)), _weekly(before.get(csm, 0.0)) if was else "")
        for csm in order
    ]


def _clients(found: RuleReplay) -> list[ClientRow]:
    rows = []
    columns = ("client_id", "alerts", "last_opened_on", "churned_on")
    for client_id, alerts, last, churned in found.shown.by_client.select(columns).iter_rows():
        if client_id in found.names:
            name, _ = found.names[client_id]
            href = reverse("client", args=[_dashed(client_id)])
            left = f"left {day(churned, found.last)}" if churned else ""
            rows.append(ClientRow(name, href, number(alerts), day(last, found.last), left))
    return rows


def _dashed(hex_id: str) -> str:
    return str(UUID(hex_id))
