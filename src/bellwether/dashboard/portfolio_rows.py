"""Clients as the list shows them: every text made once, in Python, so that the template only places it."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.urls import reverse

from bellwether.common.time import day_of
from bellwether.dashboard.attention import Figures, Reason, reasons, summary
from bellwether.health.scorecard import Scorecard
from bellwether.portfolio.choices import ContractTier
from bellwether.portfolio.models import Client
from bellwether.web.formatting import (
    Delta,
    Spark,
    Status,
    days_ago,
    days_short,
    full_day,
    short_money,
    spark,
    status_of,
    trend,
    words,
)

NO_REASON = "There is no score for this client yet."
TIERS = dict(ContractTier.choices)


@dataclass(frozen=True)
class Part:
    """A component of the score: its label, its value 0-100 or None without data, and its weight in percent."""

    label: str
    value: int | None
    weight: str

    @property
    def status(self) -> str:
        """The level as a status word: good from 75, fair from 60, poor below."""
        if self.value is None:
            return "na"
        return "healthy" if self.value >= 75 else "monitor" if self.value >= 60 else "risk"


@dataclass(frozen=True)
class Row:
    """One client, ready to be placed."""

    id: str
    href: str
    name: str
    sub: str
    score: int | None
    status: Status
    why_not: str
    trend: Delta | None
    spark: Spark | None
    churn: int | None
    arr: str
    renewal: str
    renewal_title: str
    contact: str
    contact_title: str
    csm: str
    reasons: tuple[Reason, ...]
    reason: str
    parts: tuple[Part, ...]


def age_in_days(instant: datetime | None, today: date, zone: ZoneInfo) -> int | None:
    """Return the whole workspace days since `instant`; None without one."""
    return None if instant is None else (today - day_of(instant, zone)).days


def component_labels(scorecard: Scorecard) -> dict[str, tuple[str, str]]:
    """Return label and weight by component, in the scorecard's order."""
    return {component.key: (component.label, f"{component.weight:g}%") for component in scorecard.components}


def _parts(values: dict[str, int | None], labels: dict[str, tuple[str, str]]) -> tuple[Part, ...]:
    named = [Part(label, values.get(key), weight) for key, (label, weight) in labels.items()]
    others = [Part(words(key).capitalize(), value, "") for key, value in values.items() if key not in labels]
    return tuple(named + others) if values else ()


def figures_of(client: Client, labels: dict[str, tuple[str, str]], today: date, zone: ZoneInfo) -> Figures:
    """Return what the rules of attention read about `client`."""
    renewal = client.next_renewal_date
    return Figures(
        score=client.current_health_score,
        no_score_reason=client.health_reason,
        trend=client.health_trend,
        trend_change=client.health_trend_change,
        components={
            labels.get(key, (words(key).capitalize(), ""))[0]: value for key, value in client.health_components.items()
        },
        contact_days=age_in_days(client.last_csm_contact_at, today, zone),
        renewal_days=(renewal - today).days if renewal else None,
        quiet_days=age_in_days(client.last_activity_at, today, zone),
        payment=client.payment_status,
    )


def make_row(
    client: Client, labels: dict[str, tuple[str, str]], today: date, zone: ZoneInfo, *, with_parts: bool = False
) -> Row:
    """Return `client` ready to be placed. `labels` are those of `component_labels`; `today` is the workspace's day."""
    figures = figures_of(client, labels, today, zone)
    found = tuple(reasons(figures))
    tier = TIERS.get(client.contract_tier, client.contract_tier)
    return Row(
        id=str(client.pk),
        href=reverse("client", args=[client.pk]),
        name=client.name,
        sub=f"{tier}, {client.industry}" if client.industry else tier,
        score=client.current_health_score,
        status=status_of(client.health_status),
        why_not=client.health_reason or NO_REASON,
        trend=trend(client.health_trend_change, client.health_trend),
        spark=spark(client.health_sparkline),
        churn=client.churn_risk_score,
        arr=short_money(client.annual_recurring_revenue),
        renewal=days_short(figures.renewal_days),
        renewal_title=full_day(client.next_renewal_date) if client.next_renewal_date else "No renewal date",
        contact=days_short(figures.contact_days),
        contact_title=days_ago(figures.contact_days).capitalize(),
        csm=client.csm_user.name if client.csm_user else "",
        reasons=found,
        reason=summary(found),
        parts=_parts(client.health_components, labels) if with_parts else (),
    )
