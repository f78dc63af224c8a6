"""The usage endpoints: shapes, figures worked by hand, who may read them, what is refused."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from bellwether.portfolio.models import Client
from bellwether.staff.models import AuditEvent
from bellwether.usage.lake import Lake
from tests.api.conftest import BASE, Caller
from tests.conftest import TODAY, Clients, Staff
from tests.usage.daily_facts import back, keep_events, keep_people, keep_user_day

pytestmark = pytest.mark.django_db
PORTAL = "/api/v1/internal/client-success/usage/"


@pytest.fixture
def used(lake: Lake, clients: Clients) -> Client:
    """10 people on working days and one at weekends, 20 in the week, 30 in the month; one case and one closed today."""
    keep_people(lake, "sturdy", {day: 10 if day.isoweekday() <= 5 else 1 for day in back(TODAY, 200)}, wau=20, mau=30)
    keep_events(lake, "sturdy", TODAY, "Case Created", 3)
    keep_events(lake, "sturdy", TODAY - timedelta(days=1), "Case Closed", 2, label="on_track")
    keep_events(lake, "sturdy", TODAY, "Assignment Completed", 5)
    keep_user_day(lake, "sturdy", "u1", TODAY, role="Analyst", sessions=4)
    keep_user_day(lake, "sturdy", "u2", TODAY - timedelta(days=3), sessions=2)
    keep_user_day(lake, "sturdy", "bot", TODAY, is_service=True)
    return clients.sturdy


def read(caller_of: Callable[..., Caller], user: Any, client: Client, path: str = "", query: Any = None) -> Any:
    return caller_of(user, "read").get(f"/clients/{client.pk}/usage{path}", query)


class TestUsage:
    def test_has_the_days_their_summary_and_what_they_compare_with(
        self, used: Client, staff: Staff, caller_of: Callable[..., Caller]
    ) -> None:
        body = read(caller_of, staff.ada, used, query={"days": "7"}).json()
        assert body["range"] == {"first": "2026-06-24", "last": "2026-06-30", "days": 7}
        assert body["baseline_range"] == {"first": "2026-03-26", "last": "2026-06-23", "days": 90}
        assert (body["time_zone"], body["first_event_on"]) == ("UTC", "2025-12-13")
        assert body["newest_event_at"] == "2026-06-30T12:00:00Z"
        assert body["no_events_from_any_client_since"] is None
        today, before = body["data"][-1], body["data"][-2]
        assert today | {"counts": {}, "expected_low": 0, "expected_high": 0} == {
            "date": "2026-06-30",
            "daily_active_users": 10,
            "weekly_active_users": 20,
            "monthly_active_users": 30,
            "total_users": 30,
            "new_users": 0,
            "total_sessions": 10,
            "avg_session_duration_seconds": 600,
            "avg_session_depth": 3.0,
            "total_actions": 30,
            "logins": 10,
            "cases_created": 3,
            "cases_closed": 0,
            "reports_run": 0,
            "disclosures_submitted": None,
            "policies_viewed": None,
            "chatbot_conversations": 0,
            "counts": {},
            "actions_by_hour": [0] * 9 + [30] + [0] * 14,
            "before_first_event": False,
            "expected_low": 0,
            "expected_high": 0,
        }
        assert (before["cases_closed"], before["counts"]["cases_on_time"]) == (2, 2)
        assert before["expected_low"] <= 10 <= before["expected_high"]
        summary = body["summary"]
        assert (summary["dau"], summary["wau"], summary["mau"]) == (10, 20, 30)
        assert summary["stickiness"] == pytest.approx(1 / 3)
        assert (summary["session_minutes"], summary["session_depth"], summary["power_users"]) == (10, 3, 6)
        assert (summary["active_users"], summary["total_users"]) == (2, 30)
        own = body["comparisons"][0]
        assert (own["against"], own["values"]["dau"], own["change"]["dau"]) == ("own", 10, 0)
        assert [item["against"] for item in body["comparisons"]] == ["own", "tier", "all", "best"]
        assert "5 are needed" in body["comparisons"][1]["reason"]
        assert body["sessions_by_role"] == [
            {"role": "Analyst", "users": 1, "sessions": 4, "sessions_per_user": 4.0, "baseline": None},
            {"role": None, "users": 1, "sessions": 2, "sessions_per_user": 2.0, "baseline": None},
        ]
        assert body["anomalies"] == []

    def test_tells_unusual_days(
        self, staff: Staff, clients: Clients, lake: Lake, caller_of: Callable[..., Caller]
    ) -> None:
        people = dict.fromkeys(back(TODAY, 200), 20)
        people[date(2026, 6, 23)] = 1
        keep_people(lake, "sturdy", people)
        (found,) = read(caller_of, staff.ada, clients.sturdy).json()["anomalies"]
        assert (found["date"], found["kind"], found["daily_active_users"]) == ("2026-06-23", "low", 1)
        assert found["expected"] == pytest.approx(20)
        assert 1 < found["expected_low"] < 20 < found["expected_high"]
        assert found["reason"].startswith("1 person came; ")

    def test_a_client_without_usage_has_days_and_no_figures(
        self, staff: Staff, clients: Clients, lake: Lake, caller_of: Callable[..., Caller]
    ) -> None:
        body = read(caller_of, staff.ada, clients.newborn).json()
        assert len(body["data"]) == 30
        assert all(day["before_first_event"] for day in body["data"])
        assert body["summary"]["dau"] is None
        assert body["first_event_on"] is None

    def test_is_written_down(self, used: Client, staff: Staff, caller_of: Callable[..., Caller]) -> None:
        read(caller_of, staff.ada, used, query={"from": "2026-06-01", "to": "2026-06-02"})
        (row,) = AuditEvent.objects.filter(action="client.usage")
        assert (row.client_id, row.detail) == (used.pk, {"from": "2026-06-01", "to": "2026-06-02"})

    @pytest.mark.parametrize("path", ["", "/heatmap"], ids=["usage", "heatmap"])
    def test_others_clients_do_not_exist(
        self, used: Client, staff: Staff, caller_of: Callable[..., Caller], path: str
    ) -> None:
        assert read(caller_of, staff.cleo, used, path).status_code == 404
        assert not AuditEvent.objects.filter(action__startswith="client.usage").exists()

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"days": "8"}, "days"),
            ({"days": "7", "from": "2026-06-01"}, "days"),
            ({"from": "2026-02-30"}, "from"),
            ({"to": "2026-07-01"}, "to"),
            ({"from": "2026-06-10", "to": "2026-06-01"}, "from"),
        ],
        ids=["days", "both", "no date", "future", "backwards"],
    )
    @pytest.mark.parametrize("path", ["", "/heatmap"], ids=["usage", "heatmap"])
    def test_a_range_that_cannot_be_used_names_its_field(
        self, used: Client, staff: Staff, caller_of: Callable[..., Caller], query: Any, field: str, path: str
    ) -> None:
        response = read(caller_of, staff.ada, used, path, query)
        assert response.status_code == 422
        assert [error["field"] for error in response.json()["errors"]] == [field]

    def test_needs_somebody(self, used: Client, client: Browser) -> None:
        assert client.get(f"{BASE}/clients/{used.pk}/usage").status_code == 401


class TestHeatmap:
    def test_adds_up_actions_by_weekday_and_hour(
        self, used: Client, staff: Staff, caller_of: Callable[..., Caller]
    ) -> None:
        body = read(caller_of, staff.ada, used, "/heatmap", {"days": "7"}).json()
        assert (body["counted"], body["time_zone"]) == ("actions", "UTC")
        assert [row[9] for row in body["data"]] == [30, 30, 30, 30, 30, 3, 3]
        assert body["by_day_of_week"] == {"mon": 30, "tue": 30, "wed": 30, "thu": 30, "fri": 30, "sat": 3, "sun": 3}
        assert body["by_hour"]["9"] == body["total"] == 156
        assert body["peak"] == {"weekday": "monday", "hour": 9, "actions": 30}


class TestPortal:
    def get(self, caller: Caller, organization_id: str, query: Any = None) -> Any:
        return caller.browser.get(PORTAL + organization_id, query, headers={"Authorization": f"Bearer {caller.secret}"})

    def test_has_the_shape_that_the_portal_reads(
        self, used: Client, staff: Staff, caller_of: Callable[..., Caller]
    ) -> None:
        body = self.get(caller_of(staff.ada, "read"), "sturdy").json()
        assert set(body) == {"daily", "summary"}
        assert len(body["daily"]) == 30
        assert body["daily"][-1] == {
            "date": "2026-06-30",
            "logins": 10,
            "casesCreated": 3,
            "casesResolved": 0,
            "campaignResponses": 5,
        }
        assert body["daily"][-2]["casesResolved"] == 2
        # 22 working days with 10 sessions and 8 days off with 1; the first working day of those with most is 1 June.
        assert body["summary"] == {
            "totalLogins": 228,
            "uniqueUsers": 2,
            "avgSessionDuration": 10.0,
            "peakDay": "2026-06-01",
        }

    def test_counts_login_events_where_the_preset_names_them(
        self, used: Client, staff: Staff, caller_of: Callable[..., Caller], lake: Lake, settings: Any
    ) -> None:
        settings.BELLWETHER_PRESET = "operations"
        keep_events(lake, "sturdy", TODAY, "Signed In", 6)
        keep_events(lake, "sturdy", TODAY, "Signed In", 50, is_service=True)
        body = self.get(caller_of(staff.ada, "read"), "sturdy").json()
        assert body["summary"]["totalLogins"] == 6
        assert body["summary"]["peakDay"] == "2026-06-30"

    def test_an_organisation_without_usage_has_zeros(
        self, staff: Staff, clients: Clients, lake: Lake, caller_of: Callable[..., Caller]
    ) -> None:
        body = self.get(caller_of(staff.ada, "read"), "newborn").json()
        assert body["summary"] == {"totalLogins": 0, "uniqueUsers": 0, "avgSessionDuration": 0.0, "peakDay": ""}

    def test_others_organisations_and_unknown_ones_do_not_exist(
        self, used: Client, staff: Staff, caller_of: Callable[..., Caller]
    ) -> None:
        assert self.get(caller_of(staff.cleo, "read"), "sturdy").status_code == 404
        assert self.get(caller_of(staff.ada, "read"), "nobody").status_code == 404

    @pytest.mark.parametrize("days", ["0", "366", "many"])
    def test_days_that_cannot_be_used_are_told(
        self, used: Client, staff: Staff, caller_of: Callable[..., Caller], days: str
    ) -> None:
        response = self.get(caller_of(staff.ada, "read"), "sturdy", {"days": days})
        assert response.status_code == 422
        assert response.json()["errors"][0]["field"] == "days"
