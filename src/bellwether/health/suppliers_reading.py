"""Suppliers with their score, last login, active days and what to do: for the page, the API and the export alike."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.core.cache import caches

from bellwether.health.active_days import active_days
from bellwether.health.loading import workspace_settings
from bellwether.health.scored_clients import SUPPLIERS, ScoredClient, scored_clients
from bellwether.health.supplier_advice import recommendations
from bellwether.staff.models import StaffUser

RISKS = ("healthy", "at_risk", "critical")


@dataclass(frozen=True)
class Supplier:
    """A supplier. `last_login` is the day of its last login, None if there was none; `days_active` counts the days with
    a login in the 30 days to the newest score; `risk` is None without a score."""

    scored: ScoredClient
    last_login: date | None
    days_active: int
    recommendations: tuple[str, ...]

    @property
    def risk(self) -> str | None:
        """healthy, at_risk or critical, from the unrounded points; None without a score."""
        return (self.scored.row.risk or None) if self.scored.row else None


@dataclass(frozen=True)
class RiskCounts:
    """How many suppliers there are, by risk; `unscored` have no score yet."""

    total: int
    healthy: int
    at_risk: int
    critical: int
    unscored: int


def suppliers_of(user: StaffUser) -> list[Supplier]:
    """Return the suppliers that `user` sees, by name. A fixed number of queries, and one read of the facts."""
    found = scored_clients(user, SUPPLIERS, with_inputs=True)
    newest = max((one.row.date for one in found if one.row), default=None)
    logins = workspace_settings().login_events
    days = active_days(newest, login_events=logins, cache=caches["memory"]) if newest else {}
    return [_supplier(one, days.get(one.client.organization_id, 0)) for one in found]


def risk_counts(suppliers: Sequence[Supplier]) -> RiskCounts:
    """Return the suppliers counted by risk."""
    counts = Counter(one.risk for one in suppliers)
    return RiskCounts(len(suppliers), *(counts[risk] for risk in (*RISKS, None)))


def _supplier(found: ScoredClient, days: int) -> Supplier:
    if found.row is None:
        return Supplier(found, None, days, ())
    inputs = found.row.inputs
    since = inputs.get("days_since_login")
    return Supplier(
        scored=found,
        last_login=found.row.date - timedelta(days=int(since)) if since is not None else None,
        days_active=days,
        recommendations=tuple(recommendations(inputs, change=found.row.trend_change)),
    )
