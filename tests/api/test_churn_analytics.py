"""Churn risk and expansion over HTTP: the figures of the pages, scoped and recorded."""

from collections.abc import Callable
from uuid import UUID

import pytest

from bellwether.staff.models import AuditEvent
from bellwether.usage.lake import Lake
from tests.analytics.foretold import REASON, make_model, predict
from tests.api.conftest import Caller
from tests.conftest import TODAY, Clients, Staff

Callers = Callable[..., Caller]
pytestmark = pytest.mark.django_db
RISK, GROWTH = "/analytics/churn-risk", "/analytics/expansion"


@pytest.fixture
def foretold(clients: Clients, lake: Lake) -> Clients:
    """Fading 60 % (40 % a month ago), Sturdy 10 %, Newborn banded; Elsewhere, Cleo's, 30 %."""
    model = make_model()
    full = {"seat_use": 0.96}
    predict(clients.fading, model, TODAY, 0.6, was=0.4, renewal_risk=0.5, renewal_low=0.4, renewal_high=0.6)
    predict(clients.sturdy, model, TODAY, 0.1, inputs=full)
    predict(clients.newborn, model, TODAY, 0.25, precision="BAND", precision_reason="Known of too little.")
    predict(clients.elsewhere, model, TODAY, 0.3, inputs=full)
    return clients


def test_sums_up_the_callers_clients(staff: Staff, foretold: Clients, caller_of: Callers) -> None:
    body = caller_of(staff.ada).get(RISK).json()
    assert (body["clients"], body["predicted"], body["predicted_on"]) == (3, 3, "2026-06-30")
    assert body["model"]["version"] == 3
    assert body["next_90_days"]["arr"]["mean"] == pytest.approx(120_000 * 0.95)
    assert body["next_90_days"]["clients"]["mean"] == pytest.approx(0.95)
    assert body["next_90_days"]["nobody_leaves"] == pytest.approx(0.4 * 0.9 * 0.75)
    assert body["month_ago"]["arr"]["mean"] == pytest.approx(48_000)
    assert (body["next_quarter"]["first"], body["next_quarter"]["last"]) == ("2026-07-01", "2026-09-30")
    assert [(one["category"], one["clients"], one["clients_month_ago"]) for one in body["by_category"]] == [
        ("HIGH", 1, 0), ("MEDIUM", 1, 1), ("LOW", 1, 0)
    ]  # fmt: skip
    assert body["by_tier"] == [
        {"tier": "ENTERPRISE", "clients": 3, "high": 1, "medium": 1, "low": 1, "arr": 360000.0,
         "expected_churned_arr": pytest.approx(114_000)},
    ]  # fmt: skip
    assert AuditEvent.objects.filter(action="analytics.churn-risk").count() == 1


def test_lists_clients_and_keeps_figures_of_bands_back(staff: Staff, foretold: Clients, caller_of: Callers) -> None:
    first, second, third = caller_of(staff.ada).get(RISK).json()["data"]
    assert (first["name"], first["p90"], first["change_points"], first["largest_factor"]) == ("Fading", 0.6, 20, REASON)
    assert (first["renewal_risk"], first["renewal_risk_low"]) == (0.5, 0.4)
    assert (second["name"], second["category"], second["precision"]) == ("Newborn", "MEDIUM", "BAND")
    assert second["precision_reason"] == "Known of too little."
    hidden = ("p30", "p60", "p90", "p90_low", "p90_high", "change_points", "renewal_risk")
    assert [second[name] for name in hidden] == [None] * 7
    assert third["name"] == "Sturdy"


def test_filters_sorts_and_pages(staff: Staff, foretold: Clients, caller_of: Callers) -> None:
    ask = caller_of(staff.vera)

    def names(**query: object) -> list[str]:
        return [one["name"] for one in ask.get(RISK, query).json()["data"]]

    assert names(category="HIGH,LOW") == ["Fading", "Sturdy"]
    assert names(sort="name", limit=2) == ["Elsewhere", "Fading"]
    assert names(sort="name", limit=2, page=2) == ["Newborn", "Sturdy"]
    assert names(sort="name", limit=2, page=9) == []
    assert names(search="else") == ["Elsewhere"]
    assert names(csm_id=staff.cleo.pk) == ["Elsewhere"]
    assert names(tier="STARTER") == []
    assert names(renewal_within=30) == []


@pytest.mark.parametrize("path", [RISK, GROWTH], ids=["risk", "expansion"])
def test_other_peoples_csms_do_not_exist(staff: Staff, foretold: Clients, caller_of: Callers, path: str) -> None:
    assert caller_of(staff.ada).get(path, {"csm_id": staff.cleo.pk}).status_code == 404
    assert caller_of(staff.ada).get(path, {"csm_id": UUID(int=7)}).status_code == 404


@pytest.mark.parametrize("query", ["category=HUGE", "sort=size", "renewal_within=-1", "page=0", "tier=x"], ids=str)
def test_wrong_words_are_named(staff: Staff, clients: Clients, caller_of: Callers, query: str) -> None:
    answer = caller_of(staff.ada).get(f"{RISK}?{query}")
    assert answer.status_code == 422
    assert query.split("=")[0] in str(answer.json()["errors"])


def test_before_the_first_prediction(staff: Staff, clients: Clients, lake: Lake, caller_of: Callers) -> None:
    body = caller_of(staff.ada).get(RISK).json()
    assert (body["model"], body["predicted_on"], body["next_90_days"], body["data"]) == (None, None, None, [])
    assert body["clients"] == 3
    assert caller_of(staff.ada).get(GROWTH).json()["data"] == []


def test_lists_who_could_grow(staff: Staff, foretold: Clients, caller_of: Callers) -> None:
    body = caller_of(staff.vera).get(GROWTH).json()
    assert (body["clients"], body["arr"], body["held_back"]) == (1, 120_000.0, 1)
    [found] = body["data"]
    assert found["name"] == "Sturdy"
    assert found["signals"] == [
        {"signal": "seats", "label": "Seats nearly full", "reason": "48 of 50 seats used in 30 days", "points": 3}
    ]
    assert found["strength"] == pytest.approx(0.25)
    assert caller_of(staff.vera).get(GROWTH, {"signal": "growth"}).json()["data"] == []
