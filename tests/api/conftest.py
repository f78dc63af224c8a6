"""Callers of the staff API: a browser session or a token each, at noon of the cast's day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client as Browser

from bellwether.health.models import HealthScore
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser
from bellwether.staff.tokens import issue_token
from tests.conftest import NOW, TODAY, Clients

BASE = "/api/v1/client-success"
WEIGHTS = {"usage": 25.0, "adoption": 20.0, "support": 15.0, "relationship": 15.0, "contract": 15.0, "outcome": 10.0}
SAMPLE = {"usage": 45.0, "adoption": 72.0, "support": 55.0, "relationship": 40.0, "contract": 75.0, "outcome": 80.0}
INPUTS = {
    "dau_change": -0.4,
    "dau_avg_7d": 7.2,
    "dau_avg_30d": 12.0,
    "days_since_contact": 52,
    "tickets_30d": 8,
    "tickets_norm": 3.0,
    "nps_latest": 5.0,
    "payment_status": "late",
    "features_used": 3,
    "features_licensed": 8,
}


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    caches["memory"].clear()


@dataclass(frozen=True)
class Caller:
    """Sends requests with a token."""

    browser: Browser
    secret: str

    def _headers(self, headers: dict[str, str] | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}", **(headers or {})}

    def get(self, path: str, query: dict[str, Any] | None = None) -> Any:
        return self.browser.get(BASE + path, query, headers=self._headers(None))

    def put(self, path: str, body: Any) -> Any:
        return self.browser.put(BASE + path, body, "application/json", headers=self._headers(None))

    def post(self, path: str, headers: dict[str, str] | None = None) -> Any:
        return self.browser.post(BASE + path, headers=self._headers(headers))


@pytest.fixture
def caller_of(client: Browser) -> Callable[..., Caller]:
    """Return a function that makes a caller with a token of the user, by default with the scope write."""

    def make(user: StaffUser, *scopes: str) -> Caller:
        wanted = scopes or ("write",)
        _, secret = issue_token(user, name="test", scopes=wanted, expires_at=None, actor=None, now=NOW)
        return Caller(client, secret)

    return make


def add_score(client: Client, day: date, score: int | None, **fields: Any) -> HealthScore:
    values: dict[str, Any] = {
        "scorecard": "prd-015",
        "overall_score": score,
        "status": "AT_RISK" if score is not None else "",
        "trend": "DOWN" if score is not None else "",
        "trend_change": -14 if score is not None else None,
        "coverage": 1.0,
        "components": SAMPLE,
        "inputs": INPUTS,
        "weights_snapshot": WEIGHTS,
        "weights_version": "prd-015 v1",
        "created_at": NOW,
    }
    row: HealthScore = HealthScore.objects.create(client=client, date=day, **(values | fields))
    return row


@pytest.fixture
def scored(clients: Clients) -> Clients:
    """The cast with scores: `sturdy` has the sample of PRD-015 (59) and two earlier days, `newborn` none."""
    for days, score in ((2, 61), (1, 60), (0, 59)):
        add_score(clients.sturdy, TODAY - timedelta(days=days), score)
    add_score(
        clients.newborn, TODAY, None, coverage=0.25, components={"usage": 80.0, "adoption": None}, inputs={},
        no_score_reason="25% of the weight has data, 50% is needed; missing: Adoption",
    )  # fmt: skip
    Client.objects.filter(pk=clients.sturdy.pk).update(
        current_health_score=59, health_status="AT_RISK", health_trend="DOWN", health_trend_change=-14,
        health_coverage=1.0, health_components={key: round(value) for key, value in SAMPLE.items()},
        health_interval_low=55, health_interval_high=70, health_missing=["contract"],
        scored_on=TODAY, payment_status="late", last_csm_contact_at=NOW - timedelta(days=52),
    )  # fmt: skip
    Client.objects.filter(pk=clients.newborn.pk).update(health_reason="25% of the weight has data, 50% is needed")
    clients.sturdy.refresh_from_db()
    return clients
