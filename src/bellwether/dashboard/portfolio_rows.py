"""Clients as the list shows them: every text made once, in Python, so that the template only places it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from django.urls import reverse

from bellwether.common.rounding import half_up
from bellwether.dashboard.addresses import Address
from bellwether.dashboard.attention import Reason, reasons, summary
from bellwether.dashboard.crm_links import crm_address
from bellwether.health.gathering import row_facts
from bellwether.health.levels import level_of
from bellwether.health.risk_factors import findings
from bellwether.health.score_changes import component_labels
from bellwether.health.scorecard import Scorecard
from bellwether.portfolio.choices import ContractTier
from bellwether.portfolio.models import Client
from bellwether.portfolio.priority import Priority
from bellwether.portfolio.ranking import row_priority
from bellwether.web.chances import chance, risk_of
from bellwether.web.formatting import (
    Delta,
    Spark,
    Status,
    days_ago,
    days_short,
    full_day,
    percent,
    short_money,
    spark,
    status_of,
    trend,
    words,
)

NO_REASON = "There is no score for this client yet."
TIERS = dict(ContractTier.choices)
LEVEL_STATUS = {"good": "healthy", "fair": "monitor", "poor": "risk"}


@dataclass(frozen=True)
class Part:
    """A component of the score: `value` None without data, `weight` with its unit, `level` where it stands, 0-100."""

    label: str
    value: int | None
    weight: str
    level: int | None

    @property
    def status(self) -> str:
        """The level as a status word of the interface."""
        return "na" if self.level is None else LEVEL_STATUS[level_of(self.level)]


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
    interval: str
    interval_text: str
    trend: Delta | None
    spark: Spark | None
    churn: int | None
    churn_look: Status | None
    churn_title: str
    arr: str
    renewal: str
    renewal_title: str
    contact: str
    contact_title: str
    csm: str
    reasons: tuple[Reason, ...]
    reason: str
    parts: tuple[Part, ...]
    rank: int = 0
    why: Priority | None = None
    segment: str = ""
    tier: str = ""
    industry: str = ""
    region: str = ""
    ae: str = ""
    coverage: str = ""
    tags: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    crm: str = ""

    @property
    def churn_words(self) -> str:
        """The 90-day churn risk as "24%"; never 0% or 100%, which would be a promise."""
        return chance(None if self.churn is None else self.churn / 100)

    @property
    def why_text(self) -> str:
        """What lifts the client beyond risk and ARR, in one line."""
        lifted = [f"{factor.label.lower()} × {factor.value:g}" for factor in self.why.raised_by] if self.why else []
        return "Risk × ARR" + (", " + ", ".join(lifted) if lifted else "")


ROW_FIELDS = (
    "name", "contract_tier", "industry", "annual_recurring_revenue", "next_renewal_date", "auto_renew", "archived_at",
    "payment_status", "licensed_user_count", "last_activity_at", "last_csm_contact_at", "current_health_score",
    "health_status", "health_trend", "health_trend_change", "health_coverage", "health_interval_low",
    "health_interval_high", "health_missing", "health_reason", "health_components", "health_sparkline",
    "scored_on", "churn_risk_score", "churn_low", "churn_high", "churn_category", "churn_is_band", "churn_reason",
    "csm_user__first_name", "csm_user__last_name", "contract_start_date",
    "segment", "region", "ae_user__first_name", "ae_user__last_name", "salesforce_account_id", "hubspot_company_id",
)  # fmt: skip
"""What `make_row` reads of a client."""


def parts_of(values: dict[str, int | None], scorecard: Scorecard) -> tuple[Part, ...]:
    """Return the components in the scorecard's order, then those that it no longer has; none before the first score."""
    if not values:
        return ()
    unit = " pts" if scorecard.points else "%"
    named = []
    for component in scorecard.components:
        value, top = values.get(component.key), component.weight if scorecard.points else 100
        level = None if value is None or not top else half_up(min(100.0, 100 * value / top))
        named.append(Part(component.label, value, f"{component.weight:g}{unit}", level))
    known = {component.key for component in scorecard.components}
    others = [Part(words(key).capitalize(), value, "", value) for key, value in values.items() if key not in known]
    return tuple(named + others)


def interval_of(client: Client) -> tuple[int, int] | None:
    """Return where the client's score may lie whatever the missing data are, None without a score or gaps."""
    low, high = client.health_interval_low, client.health_interval_high
    return None if client.current_health_score is None or low is None or high is None else (low, high)


def interval_text(client: Client, scorecard: Scorecard) -> str:
    """Return the score with its interval and what is missing, in words; "" where nothing is missing."""
    bounds = interval_of(client)
    if bounds is None:
        return ""
    labels = component_labels(scorecard, tuple(client.health_missing))
    text = f"{client.current_health_score}, may lie between {bounds[0]} and {bounds[1]}"
    missing = [labels[key] for key in client.health_missing]
    named = ", ".join(missing[:-1]) + " and " + missing[-1] if len(missing) > 1 else "".join(missing)
    return f"{text}: data are missing for {named}" if named else text


def churn_title(client: Client) -> str:
    """Return the churn risk's interval and largest factor in words; "" without a prediction."""
    if client.churn_risk_score is None:
        return ""
    low, high = client.churn_low, client.churn_high
    known = not client.churn_is_band and low is not None and high is not None
    first = f"80% interval {low} to {high}%" if known else ""
    if client.churn_is_band:
        first = "Too little is known for a figure"
    return ". ".join(filter(None, (first, client.churn_reason)))


def make_row(
    client: Client,
    scorecard: Scorecard,
    today: date,
    zone: ZoneInfo,
    *,
    listed: str = "",
    with_parts: bool = False,
    rank: int = 0,
    typical_arr: float | None = None,
    with_tags: bool = False,
    texts: Mapping[str, str] | None = None,
) -> Row:
    """Return `client` ready to be placed; `today` is the workspace's day.

    `listed` is the query of the list that it stands in: its page then knows who comes before and after. `rank` is the
    place there; with `typical_arr` the row says why. `texts` are what further columns show. With `with_tags` the
    client's tags, which should be prefetched.
    """
    facts = row_facts(client, scorecard, today=today, zone=zone)
    found = findings(facts)
    bounds = interval_of(client)
    tier = TIERS.get(client.contract_tier, client.contract_tier)
    return Row(
        id=str(client.pk),
        href=Address(reverse("client", args=[client.pk]), {"from": listed}).with_(),
        name=client.name,
        sub=f"{tier}, {client.industry}" if client.industry else tier,
        score=client.current_health_score,
        status=status_of(client.health_status),
        why_not=client.health_reason or NO_REASON,
        interval="" if bounds is None else "{}–{}".format(*bounds),
        interval_text=interval_text(client, scorecard),
        trend=trend(client.health_trend_change, client.health_trend),
        spark=spark(client.health_sparkline),
        churn=None if client.churn_is_band else client.churn_risk_score,
        churn_look=risk_of(client.churn_category) if client.churn_is_band and client.churn_category else None,
        churn_title=churn_title(client),
        arr=short_money(client.annual_recurring_revenue),
        renewal=days_short(facts.renewal_days),
        renewal_title=full_day(client.next_renewal_date) if client.next_renewal_date else "No renewal date",
        contact=days_short(facts.contact_days),
        contact_title=days_ago(facts.contact_days).capitalize(),
        csm=client.csm_user.name if client.csm_user else "",
        reasons=reasons(found),
        reason=summary(found),
        parts=parts_of(client.health_components, scorecard) if with_parts else (),
        rank=rank,
        why=None if typical_arr is None else row_priority(client, today=today, typical_arr=typical_arr, zone=zone),
        segment=client.segment,
        tier=tier,
        industry=client.industry,
        region=client.region,
        ae=client.ae_user.name if client.ae_user else "",
        coverage=percent(client.health_coverage),
        tags=tuple(tag.name for tag in client.tags.all()) if with_tags else (),
        texts=texts or {},
        crm=crm_address(client),
    )
