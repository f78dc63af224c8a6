"""The suppliers' API: the dashboard's shape, risk before rounding, the filter and the export."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from bellwether.portfolio.models import Client
from bellwether.staff.models import AuditEvent
from bellwether.usage.facts import EVENT_DAYS, store_month
from bellwether.usage.lake import Lake
from tests.api.conftest import Caller
from tests.api.portal_cast import SUPPLIER, keep_score
from tests.conftest import TODAY, Clients, Staff

PATH = "/api/customer-success/health"
Make = Callable[..., Caller]
GOOD = {
    "days_since_login": 0, "feature_share": 0.8, "features_tracked": 8, "client_activity": 0.9,
    "form_completion_rate": 0.9, "journey_performance": 0.8,
}  # fmt: skip


@pytest.fixture
def suppliers(clients: Clients, lake: Lake, settings: Any) -> Clients:
    settings.BELLWETHER_PRESET = "suppliers"
    keep_score(clients.fading, "suppliers", TODAY, SUPPLIER, previous=52)
    keep_score(clients.sturdy, "suppliers", TODAY, GOOD, previous=91)
    # Logins on three days; one of a service, one other event and one 30 days ago do not count.
    logins = [(0, "Page Viewed", False), (9, "Signed In", False), (12, "Signed In", False), (29, "Signed In", False),
              (5, "Signed In", True), (30, "Signed In", False)]  # fmt: skip
    rows = [
        {"organization_id": "fading", "date": TODAY - timedelta(days=ago), "event": event, "is_service": service}
        for ago, event, service in logins
    ]
    frame = pl.DataFrame(rows, schema=dict(EVENT_DAYS))
    for month, part in frame.group_by(pl.col("date").dt.strftime("%Y-%m")):
        store_month(lake, "event_days", str(month[0]), part)
    return clients


def get(caller: Caller, path: str = "", query: Any = None) -> Any:
    return caller.browser.get(PATH + path, query, headers={"Authorization": f"Bearer {caller.secret}"})


class TestHealth:
    def test_has_the_shape_of_the_dashboard(self, staff: Staff, suppliers: Clients, caller_of: Make) -> None:
        body = get(caller_of(staff.ada, "read")).json()
        assert body["summary"] == {"totalSuppliers": 3, "healthyCount": 1, "atRiskCount": 0, "criticalCount": 1}
        fading, newborn, sturdy = body["suppliers"]
        assert fading == {
            "id": "fading",
            "name": "Fading",
            "healthScore": 40,
            "riskLevel": "critical",
            "lastLogin": "2026-06-21",
            "daysActive": 3,
            "tier": "ENTERPRISE",
            "recommendations": [
                "The score fell 12 points in 30 days: call and ask what changed.",
                "Last login 9 days ago: send a re-engagement e-mail with tips.",
                "Used 3 of 8 features in 30 days: offer a tour of the others.",
            ],
        }
        assert (newborn["healthScore"], newborn["riskLevel"], newborn["lastLogin"]) == (None, None, None)
        # 30 + 20 + 22.5 + 9 + 8 = 89.5, half-up.
        assert (sturdy["healthScore"], sturdy["riskLevel"], sturdy["recommendations"]) == (90, "healthy", [])

    def test_filters_by_risk_and_still_counts_all(self, staff: Staff, suppliers: Clients, caller_of: Make) -> None:
        caller = caller_of(staff.ada, "read")
        body = get(caller, query={"risk": "critical"}).json()
        assert [one["name"] for one in body["suppliers"]] == ["Fading"]
        assert body["summary"]["totalSuppliers"] == 3
        refused = get(caller, query={"risk": "doomed"})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "risk")

    def test_shows_only_what_one_may_see(self, staff: Staff, suppliers: Clients, caller_of: Make) -> None:
        assert [one["name"] for one in get(caller_of(staff.cleo, "read")).json()["suppliers"]] == ["Elsewhere"]
        assert len(get(caller_of(staff.vera, "read")).json()["suppliers"]) == 4

    def test_without_the_scorecard_says_how_to_switch_it_on(
        self, staff: Staff, clients: Clients, caller_of: Make
    ) -> None:
        for path in ("", "/export"):
            response = get(caller_of(staff.ada, "read"), path)
            assert response.status_code == 409
            assert "BELLWETHER_OTHER_SCORECARDS=suppliers" in response.json()["detail"]


class TestExport:
    def test_is_a_safe_file_and_written_down(self, staff: Staff, suppliers: Clients, caller_of: Make) -> None:
        Client.objects.filter(pk=suppliers.fading.pk).update(name='=HYPERLINK("http://example.org")')
        response = get(caller_of(staff.ada, "read"), "/export", {"risk": "critical"})
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        assert response["Content-Disposition"] == 'attachment; filename="suppliers-2026-06-30.csv"'
        [line] = csv.DictReader(io.StringIO(response.content.decode()))
        assert line["name"] == '\'=HYPERLINK("http://example.org")'
        assert (line["health_score"], line["risk_level"], line["trend_change"], line["days_active"]) == (
            "40", "critical", "-12", "3",
        )  # fmt: skip
        event = AuditEvent.objects.get(action="client.export")
        assert event.detail == {"suppliers": True, "risk": "critical", "count": 1}
