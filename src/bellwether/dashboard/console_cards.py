"""A client on the console as text: the traffic light, the breakdown, what rests on no data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from django.urls import reverse

from bellwether.common.time import day_of
from bellwether.dashboard.portfolio_rows import Part, parts_of
from bellwether.health.details import DOWN_WORDS, UP_WORDS
from bellwether.health.scorecard import Scorecard
from bellwether.health.scored_clients import ScoredClient
from bellwether.portfolio.choices import AlertLevel, ContractTier
from bellwether.web.formatting import Delta, Spark, day, days_ago, percent, spark, trend

TIERS = dict(ContractTier.choices)


@dataclass(frozen=True)
class Look:
    """How a traffic light or a risk is drawn: data-status word, label, icon."""

    status: str
    label: str
    icon: str


LIGHTS: dict[str | None, Look] = {
    "green": Look("healthy", "Green", "circle-check"),
    "amber": Look("monitor", "Amber", "eye"),
    "red": Look("critical", "Red", "octagon-alert"),
    None: Look("na", "N/A", "circle-dashed"),
}


@dataclass(frozen=True)
class ConsolePart:
    """A component; `without` says that its number rests on no data."""

    part: Part
    without: bool


@dataclass(frozen=True)
class ConsoleCard:
    """One client, ready to be placed. `thin` says how much of the weight has data where that is not all of it;
    `held_back` whether the light is amber for that reason alone."""

    href: str
    name: str
    sub: str
    score: int | None
    look: Look
    trend: Delta | None
    spark: Spark | None
    proactive: bool
    alerts: str
    thin: str
    held_back: bool
    parts: list[ConsolePart]
    why_not: str


def console_card(
    found: ScoredClient,
    card: Scorecard,
    line: Sequence[int | None],
    *,
    today: date,
    zone: ZoneInfo,
    scored_on: date | None = None,
) -> ConsoleCard:
    """Return the card of a client; `line` are its scores of the last 30 days, `scored_on` the newest scored day."""
    client = found.client
    last = client.last_activity_at
    seen = days_ago((today - day_of(last, zone)).days) if last else "never"
    return ConsoleCard(
        href=reverse("console_client", args=[client.pk]),
        name=client.name,
        sub=f"Last activity {seen}{older_text(found, scored_on, today)}",
        score=found.score,
        look=LIGHTS[found.light],
        trend=trend_of(found),
        spark=spark(line),
        proactive=client.alert_level == AlertLevel.PROACTIVE,
        alerts=alerts_text(client.alert_level),
        thin=thin_text(found),
        held_back=found.held_back,
        parts=console_parts(found, card),
        why_not=found.reason,
    )


def console_parts(found: ScoredClient, card: Scorecard) -> list[ConsolePart]:
    """Return the components in the scorecard's order with their weights; none before the first score."""
    if found.row is None:
        return []
    labels = {component.label: component.key for component in card.components}
    parts = parts_of({key: found.component(key) for key in found.row.components}, card)
    return [ConsolePart(part, labels.get(part.label) in found.no_data) for part in parts]


def trend_of(found: ScoredClient) -> Delta | None:
    """Return the change against the score that the scorecard's trend rule compares with; None without one."""
    row = found.row
    if row is None or row.trend_change is None or row.overall_score is None:
        return None
    word = "UP" if row.trend in UP_WORDS else "DOWN" if row.trend in DOWN_WORDS else "FLAT"
    return trend(row.trend_change, word)


def older_text(found: ScoredClient, scored_on: date | None, today: date) -> str:
    """Return of which day the score is, where the others' are newer: the client has left, or just came back."""
    if found.row is None or scored_on is None or found.row.date >= scored_on:
        return ""
    return f". Score of {day(found.row.date, today)}"


def thin_text(found: ScoredClient) -> str:
    """Return "75% of the weight has data", empty where all of it has."""
    if found.row is None or found.score is None or not found.no_data:
        return ""
    return f"{percent(found.row.coverage)} of the weight has data"


def alerts_text(level: str) -> str:
    """Return what the alert level means, in words."""
    return {
        AlertLevel.PROACTIVE: "Alerts are proactive",
        AlertLevel.DASHBOARD_ONLY: "Alerts on the dashboard only",
        AlertLevel.NONE: "No alerts",
    }[AlertLevel(level)]
