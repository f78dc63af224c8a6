"""Clients with scores and records for the tests of the client page."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.core.cache import caches

from bellwether.common.rounding import half_up
from bellwether.health.models import HealthScore
from bellwether.portfolio.models import Activity, Client, Contact, SupportTicket
from bellwether.staff.models import StaffUser

WEIGHTS = {"usage": 25, "adoption": 20, "support": 15, "relationship": 15, "contract": 15, "outcome": 10}
# The sample of PRD-015: 41.2·25 + 72·20 + 55·15 + 40·15 + 75·15 + 80·10 over 100 = 58.2.
SAMPLE: dict[str, float | None] = {
    "usage": 41.2,
    "adoption": 72.0,
    "support": 55.0,
    "relationship": 40.0,
    "contract": 75.0,
    "outcome": 80.0,
}
INPUTS: dict[str, Any] = {
    "wau": 23,
    "mau": 42,
    "dau_avg_7d": 12.0,
    "dau_avg_30d": 20.0,
    "dau_change": -0.4,
    "expected_dau": 18.0,
    "features_used": 5,
    "features_licensed": 7,
    "ticket_points_30d": 9,
    "active_users_30d": 42,
    "csat_90d": 81.0,
    "days_since_contact": 45,
    "stakeholder_coverage_90d": 0.5,
    "nps_latest": 9.0,
    "payment_status": "current",
    "renewal_signal": 70.0,
    "cases_on_time": 44,
    "cases_closed": 50,
    "assignments_total": 300,
    "assignments_completed": 260,
}


def forget_cohorts() -> None:
    """Empty the memory of cohorts, which outlives a test."""
    caches["memory"].clear()


def score(
    client: Client,
    day: date,
    components: Mapping[str, float | None] = SAMPLE,
    *,
    now: datetime,
    inputs: Mapping[str, Any] = INPUTS,
    scorecard: str = "prd-015",
    weights: Mapping[str, float] = WEIGHTS,
    reason: str = "",
) -> HealthScore:
    """Return a stored score made of `components`; none if `reason` says why."""
    known = {key: value for key, value in components.items() if value is not None}
    whole = sum(weights[key] for key in known)
    exact = sum(weights[key] * value for key, value in known.items()) / whole if whole else 0.0
    return HealthScore.objects.create(
        client=client,
        scorecard=scorecard,
        date=day,
        overall_score=None if reason else half_up(exact),
        coverage=whole / sum(weights.values()),
        no_score_reason=reason,
        components=dict(components),
        inputs=dict(inputs),
        weights_snapshot=dict(weights),
        weights_version=f"{scorecard} v1",
        created_at=now,
    )


def history(client: Client, today: date, days: int, *, now: datetime, fall: float = 0.0) -> None:
    """Store a score a day for the last `days` days; usage is `fall` points higher at their beginning."""
    for ago in range(days, -1, -1):
        usage = 41.2 + fall * ago / days
        score(client, today - timedelta(days=ago), SAMPLE | {"usage": usage}, now=now)
    Client.objects.filter(pk=client.pk).update(
        current_health_score=58,
        health_status="AT_RISK",
        health_components={key: half_up(value or 0) for key, value in SAMPLE.items()},
        scored_on=today,
    )


def peers(tier: str, scores: list[int], today: date, *, now: datetime) -> None:
    """Make clients of `tier` with one score each on `today` and every third day before, for 30 days."""
    for place, value in enumerate(scores):
        parts: dict[str, float | None] = dict.fromkeys(WEIGHTS, float(value))
        peer = Client.objects.create(
            organization_id=f"peer-{place}",
            name=f"Peer {place}",
            contract_tier=tier,
            current_health_score=value,
            health_components=parts,
        )
        for ago in range(0, 31):
            score(peer, today - timedelta(days=ago), parts, now=now)


def call(client: Client, at: datetime, by: StaffUser, **fields: Any) -> Activity:
    """Return a completed call."""
    values: dict[str, Any] = {
        "activity_type": "CALL",
        "subject": "Check-in",
        "occurred_at": at,
        "completed_at": at,
        "performed_by": by,
    }
    return Activity.objects.create(client=client, **(values | fields))


def champion(client: Client, **fields: Any) -> Contact:
    """Return a champion with e-mail and phone."""
    values: dict[str, Any] = {
        "name": "Mara Lindqvist",
        "role": "CHAMPION",
        "email": "mara.lindqvist@cobalt.example",
        "phone": "+1 312 555 0142",
    }
    return Contact.objects.create(client=client, **(values | fields))


def ticket(client: Client, at: datetime, **fields: Any) -> SupportTicket:
    """Return an open urgent ticket."""
    values: dict[str, Any] = {"subject": "Export fails", "priority": "urgent", "external_id": "4821", "opened_at": at}
    return SupportTicket.objects.create(client=client, **(values | fields))
