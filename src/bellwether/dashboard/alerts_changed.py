"""What changed, by type of alert: from and to, a line, the parts of a score, the records behind it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse

from bellwether.alerts.advice_reading import contacts_of, related_contact
from bellwether.alerts.models import Alert
from bellwether.common.time import day_of
from bellwether.dashboard import client_selectors as read
from bellwether.dashboard.client_trend_reading import card_of
from bellwether.health.configs import active_config, main_scorecard
from bellwether.health.models import HealthScore
from bellwether.health.score_changes import ScoreDay, component_labels, contributions, effects
from bellwether.portfolio.models import Client, SupportTicket, SurveyResponse
from bellwether.web.formatting import (
    DASH,
    MINUS,
    Delta,
    Spark,
    change,
    day,
    days_ago,
    full_day,
    money,
    number,
    percent,
    spark,
    words,
)  # fmt: skip

LINE_DAYS = 90
LINE = {"width": 240, "height": 44}
MOST_BARS = 6
MOST_ROWS = 6
TICKET_DAYS = 7


@dataclass(frozen=True)
class Bar:
    """A part of the score: where its bar begins and how wide it is (0-100), "66 to 41", and its points."""

    label: str
    start: float
    width: float
    between: str
    points: str
    better: bool


@dataclass(frozen=True)
class Row:
    """A record behind the alert: what, a note, and where it stands."""

    text: str
    note: str = ""
    href: str = ""
    icon: str = ""


@dataclass(frozen=True)
class Changed:
    """What changed. `before` and `after` are texts, `line` runs over the days in `line_text`; `more` leads to the
    figures."""

    before: str = ""
    after: str = ""
    unit: str = ""
    delta: Delta | None = None
    line: Spark | None = None
    line_text: str = ""
    status: str | None = None
    bars: list[Bar] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    note: str = ""
    more: tuple[str, str] | None = None
    drivers: tuple[tuple[str, float], ...] = ()


def changed_of(alert: Alert, now: datetime) -> Changed:
    """Return what changed, read from the client's records as they were when the alert last fired."""
    zone: ZoneInfo = settings.BELLWETHER_WORKSPACE_ZONE
    found = READERS[alert.alert_type](alert, day_of(now, zone))
    if not found.after and alert.trigger_value:
        found = replace(found, after=alert.trigger_value)
    return found


def _health(alert: Alert, today: date) -> Changed:
    client, last = alert.client, min(alert.last_fired_on, today)
    config = active_config(main_scorecard(), now=datetime.now(tz=settings.BELLWETHER_WORKSPACE_ZONE))
    days = int(_number(alert.evidence.get("days")) or (30 if alert.alert_type == "CRITICAL_HEALTH" else 7))
    first = min(last - timedelta(days=LINE_DAYS), alert.opened_on - timedelta(days=days))
    series = read.score_series(client, main_scorecard(), first=first, last=today)
    series = [one for one in series if one.day >= first]
    more = (reverse("client", args=[client.pk]) + "#trend", "Trend")
    on = next((one for one in reversed(series) if one.score is not None and one.day <= last), None)
    if on is None or on.score is None:
        return _from_evidence(alert, more)
    before = _before(alert, series, on, days)
    line = spark([one.score for one in series], **LINE)
    status = client.health_status
    newest = series[-1]
    begin, end = (f"{_score(one)} on {day(one.day, today)}" for one in (series[0], newest))
    text = f"Health from {begin} to {end}"
    since = f" Today it is {newest.score}." if newest.score is not None and newest.day > on.day else ""
    if before is None or before.score is None:
        return Changed(after=str(on.score), line=line, line_text=text, status=status, more=more)
    card = card_of(on.version, config)
    moves = effects(
        contributions(before.components, before.weights, points=card.points),
        contributions(on.components, on.weights, points=card.points),
    )
    labels = component_labels(card, list(moves))
    drivers = sorted(((labels[key], points) for key, points in moves.items() if points < 0), key=lambda one: one[1])
    return Changed(
        before=str(before.score),
        after=str(on.score),
        delta=change(on.score - before.score, better="up"),
        line=line,
        line_text=text,
        status=status,
        bars=_bars(moves, labels, before, on),
        note=f"Between {day(before.day, today)} and {day(on.day, today)}.{since}",
        more=(reverse("client", args=[client.pk])
              + f"?explain={on.day.isoformat()}&since={before.day.isoformat()}#explained", "Explained"),
        drivers=tuple(drivers),
    )  # fmt: skip


def _before(alert: Alert, series: Sequence[ScoreDay], on: ScoreDay, days: int) -> ScoreDay | None:
    """Return the day that the alert compares with: the last one with the score that it fell from, else the highest of
    the days before."""
    start = _number(alert.evidence.get("from"))
    first = min(alert.opened_on, on.day) - timedelta(days=days)
    earlier = [one for one in series if first <= one.day < on.day and one.score is not None]
    named = [one for one in earlier if one.score == start]
    if named:
        return named[-1]
    window = [one for one in earlier if one.day >= on.day - timedelta(days=days)]
    return max(window, key=lambda one: (one.score or 0, one.day), default=None)


def _score(one: ScoreDay) -> str:
    return DASH if one.score is None else str(one.score)


def _bars(moves: dict[str, float], labels: dict[str, str], before: ScoreDay, on: ScoreDay) -> list[Bar]:
    """Return the parts that moved the score, the largest first, falls drawn from the right."""
    shown = sorted(((key, points) for key, points in moves.items() if abs(points) >= 0.05), key=lambda one: one[1])
    most = max((abs(points) for _, points in shown), default=0.0)
    found = []
    for key, points in shown[:MOST_BARS]:
        width = round(100 * abs(points) / most, 1)
        between = f"{number(_whole(before.components.get(key)))} to {number(_whole(on.components.get(key)))}"
        text = f"{MINUS if points < 0 else '+'}{abs(points):.1f}"
        found.append(Bar(labels[key], round(100 - width, 1), width, between, text, points > 0))
    return found


def _whole(value: float | None) -> float | None:
    return None if value is None else float(round(value))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _from_evidence(alert: Alert, more: tuple[str, str] | None = None) -> Changed:
    """Return what the alert itself says: from and to, or the value that fired."""
    start, end = _number(alert.evidence.get("from")), _number(alert.evidence.get("to"))
    if start is not None and end is not None:
        return Changed(number(start), number(end), delta=change(end - start), more=more)
    return Changed(after=alert.trigger_value, more=more)


def _measure(client: Client, names: Sequence[str], last: date) -> tuple[list[tuple[date, float | None]], str]:
    """Return (day, value) of the first of the measures that scores of LINE_DAYS days up to `last` rest on."""
    rows = HealthScore.objects.filter(
        client=client, scorecard=main_scorecard(), date__gt=last - timedelta(days=LINE_DAYS), date__lte=last
    )
    held = list(rows.order_by("date").values_list("date", "inputs"))
    for name in names:
        found = [(on, _number(inputs.get(name))) for on, inputs in held]
        if sum(value is not None for _, value in found) > 1:
            return found, name
    return [], ""


def _usage(alert: Alert, today: date) -> Changed:
    last = min(alert.last_fired_on, today)
    more = (reverse("client_usage", args=[alert.client_id]), "Usage")
    found = _from_evidence(alert, more)
    # A client without people on a day is shown as the change that fired: it is what the rule compared.
    series, name = _measure(alert.client, ("dau_avg_7d", "dau", "wau"), last)
    known = [value for _, value in series if value is not None]
    if known:
        label = {"dau_avg_7d": "daily users, mean of 7 days", "dau": "daily users", "wau": "weekly users"}[name]
        found = replace(
            found, line=_line([value for _, value in series]), status="risk",
            line_text=f"{label.capitalize()}: from {number(known[0])} to {number(known[-1])} in {LINE_DAYS} days",
        )  # fmt: skip
    now, usual = _number(alert.evidence.get("average_7d")), _number(alert.evidence.get("average_30d"))
    if now is not None and usual is not None:
        moved = round(100 * (now / usual - 1)) if usual else None
        delta = change(moved, better="up", text=f"{number(abs(moved))}%") if moved is not None else None
        return replace(found, before=number(usual), after=number(now), delta=delta, unit="daily users, mean of 7 days")
    return replace(found, unit="" if found.before else "daily users against their average")


def _seats(alert: Alert, today: date) -> Changed:
    last = min(alert.last_fired_on, today)
    more = (reverse("client_usage", args=[alert.client_id]), "Usage")
    series, _ = _measure(alert.client, ("seat_use",), last)
    known = [value for _, value in series if value is not None]
    seats = alert.client.licensed_user_count
    rows = [Row(f"{number(seats)} licensed seats", "in the contract", _contract(alert.client))] if seats else []
    if not known:
        return Changed(after=alert.trigger_value, unit="of the seats", rows=rows, more=more)
    text = f"Seats used: from {percent(known[0])} to {percent(known[-1])} in {LINE_DAYS} days"
    return Changed(
        after=percent(known[-1]), unit="of the seats are used", line=_line([value for _, value in series]),
        line_text=text, status="monitor", rows=rows, more=more,
    )  # fmt: skip


def _line(values: Sequence[float | None]) -> Spark | None:
    """Return the line through measures of any size: drawn against their largest."""
    most = max((value for value in values if value is not None), default=0.0)
    return spark([None if value is None else 100 * value / (most or 1) for value in values], **LINE)


def _person(alert: Alert, today: date) -> Changed:
    zone: ZoneInfo = settings.BELLWETHER_WORKSPACE_ZONE
    people = contacts_of(alert)
    named = related_contact(alert)
    ours = [one for one in people if str(one.pk) == named]
    others = [one for one in people if str(one.pk) != named and one.left_company_at is None and one.is_active]
    rows = []
    for one in (*ours, *others[: MOST_ROWS - 1]):
        seen = day_of(one.last_platform_login, zone) if one.last_platform_login else None
        login = f"last login {days_ago((today - seen).days)}" if seen else "no login on record"
        left = f"left {full_day(day_of(one.left_company_at, zone))}" if one.left_company_at else login
        role = one.title or ("" if one.role == "OTHER" else str(one.get_role_display()))
        note = ", ".join(part for part in (role, left) if part)
        href = reverse("client_contact", args=[alert.client_id, one.pk])
        rows.append(Row(one.name, note, href, "user-round-x" if one in ours else "user-round"))
    more = (reverse("client_people", args=[alert.client_id]), "People")
    if alert.alert_type == "CHAMPION_RISK":
        before, now = _number(alert.evidence.get("actions_before")), _number(alert.evidence.get("actions"))
        if ours and ours[0].left_company_at is not None:
            return Changed(after="Left", unit="the company", rows=rows, more=more)
        days = number(_number(alert.evidence.get("days")) or 30)
        delta = change(now - before, better="up") if now is not None and before is not None else None
        return Changed(number(before) if before is not None else "", number(now) if now is not None else "",
                       f"actions in {days} days", delta, rows=rows, more=more)  # fmt: skip
    seen = day_of(ours[0].last_platform_login, zone) if ours and ours[0].last_platform_login else None
    silent = number((today - seen).days) if seen else alert.trigger_value
    return Changed(after=silent, unit="days without a login", rows=rows, more=more)


def _tickets(alert: Alert, today: date) -> Changed:
    zone: ZoneInfo = settings.BELLWETHER_WORKSPACE_ZONE
    last = min(alert.last_fired_on, today)
    end = datetime.combine(last + timedelta(days=1), datetime.min.time(), tzinfo=zone)
    opened = SupportTicket.objects.filter(
        client=alert.client, opened_at__gte=end - timedelta(days=TICKET_DAYS), opened_at__lt=end
    ).order_by("-opened_at")
    found = list(opened[: MOST_ROWS + 1])
    rows = []
    for one in found[:MOST_ROWS]:
        state = one.get_status_display().lower()
        note = f"{one.get_priority_display()}, {state}, {day(day_of(one.opened_at, zone), today)}"
        rows.append(Row(one.subject or "Ticket", note, reverse("ticket", args=[alert.client_id, one.pk]), "life-buoy"))
    usual = next(
        (value for key in ("weekly", "normal") if (value := _number(alert.evidence.get(key))) is not None), None
    )
    count = opened.count()
    return Changed(
        before=number(usual) if usual is not None else "",
        after=str(count) if count else alert.trigger_value,
        unit=f"tickets in {TICKET_DAYS} days" + (", against the normal week" if usual is not None else ""),
        rows=rows,
        note=f"The newest {MOST_ROWS} of {count}." if count > MOST_ROWS else "",
        more=(reverse("client_support", args=[alert.client_id]), "Support"),
    )


def _feature(alert: Alert, today: date) -> Changed:
    key = alert.related_entity_id if alert.related_entity_type == "feature" else alert.subject
    name = str(alert.evidence.get("feature") or words(key).capitalize())
    href = reverse("client_adoption", args=[alert.client_id])
    used = _day(alert.evidence.get("last_used"))
    note = f"last used {full_day(used)}, {days_ago((today - used).days)}" if used else ""
    after = number((today - used).days) if used else alert.trigger_value
    row = Row(name, note, href + f"{key}/" if _is_slug(key) else href, "puzzle")
    return Changed(after=after, unit="days without use", rows=[row], more=(href, "Adoption"))


def _is_slug(key: str) -> bool:
    return bool(key) and all(letter.isalnum() or letter in "-_" for letter in key) and key.isascii()


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _renewal(alert: Alert, today: date) -> Changed:
    client = alert.client
    on = client.next_renewal_date or _day(alert.evidence.get("renews_on")) or _day(alert.subject[:10])
    renews = {True: "Renews by itself", False: "Does not renew by itself"}
    rows = [
        Row(f"Renewal on {full_day(on)}", renews.get(client.auto_renew, ""), _contract(client), "calendar-clock")  # type: ignore[arg-type]
    ]
    if client.annual_recurring_revenue is not None:
        rows.append(Row(f"{money(client.annual_recurring_revenue)} a year", client.get_contract_tier_display(),
                        _contract(client), "banknote"))  # fmt: skip
    if client.renewal_probability is not None:
        rows.append(Row(f"{client.renewal_probability}% likely to renew", "as entered", _contract(client), "percent"))
    if client.current_health_score is not None:
        rows.append(
            Row(f"Health {client.current_health_score}", "today", reverse("client", args=[client.pk]), "activity")
        )
    left = (on - today).days if on else None
    after = alert.trigger_value if left is None else number(abs(left))
    unit = "days to the renewal" if left is None or left >= 0 else "days past the renewal"
    return Changed(after=after, unit=unit, rows=rows, more=(_contract(client), "Contract"))


def _contract(client: Client) -> str:
    return reverse("client_contract", args=[client.pk])


def _answer(alert: Alert, today: date) -> Changed:
    zone: ZoneInfo = settings.BELLWETHER_WORKSPACE_ZONE
    rows_of = SurveyResponse.objects.filter(client=alert.client, kind="NPS").select_related("contact")
    answers = list(rows_of.order_by("-answered_at")[:40])
    wanted = str(alert.evidence.get("answer_id") or "").replace("-", "")
    ours = next((one for one in answers if one.pk.hex == wanted), None)
    support = reverse("client_support", args=[alert.client_id])
    shown = [*([ours] if ours else []), *(one for one in answers if one is not ours)][:MOST_ROWS]
    rows = []
    for one in shown:
        who = one.contact.name if one.contact else "Nobody in particular"
        said = f"“{one.comment.strip()}”" if one.comment.strip() else "no comment"
        href = reverse("survey", args=[alert.client_id, one.pk])
        note = f"{day(day_of(one.answered_at, zone), today)}, {said}"
        rows.append(Row(f"{number(one.score)} from {who}", note, href, "message-square-text"))
    after = number(ours.score) if ours else alert.trigger_value
    return Changed(after=after, unit="of 10", rows=rows, more=(support + "#surveys", "Surveys"))


def _payment(alert: Alert, today: date) -> Changed:
    client = alert.client
    status = client.get_payment_status_display() if client.payment_status else ""
    billing = [one for one in contacts_of(alert) if one.is_billing or one.role == "BILLING"]
    rows = [Row(one.name, one.title or "Billing", reverse("client_contact", args=[client.pk, one.pk]), "user-round")
            for one in billing[:MOST_ROWS]]  # fmt: skip
    if client.annual_recurring_revenue is not None:
        rows.append(Row(f"{money(client.annual_recurring_revenue)} a year", "", _contract(client), "banknote"))
    before = str(alert.evidence.get("from") or "").capitalize()
    after = status or alert.trigger_value.capitalize()
    before = "" if before == after else before
    return Changed(before=before, after=after, rows=rows, more=(_contract(client), "Contract"))


READERS: dict[str, Callable[[Alert, date], Changed]] = {
    "HEALTH_DROP": _health,
    "CRITICAL_HEALTH": _health,
    "KEY_USER_INACTIVE": _person,
    "CHAMPION_RISK": _person,
    "SUPPORT_SPIKE": _tickets,
    "USAGE_DECLINE": _usage,
    "FEATURE_ABANDONED": _feature,
    "RENEWAL_APPROACHING": _renewal,
    "CONTRACT_UTILIZATION_LOW": _seats,
    "NPS_DETRACTOR": _answer,
    "PAYMENT_ISSUE": _payment,
}
