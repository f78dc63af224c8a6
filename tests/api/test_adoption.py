"""The adoption endpoints: a client's features, one feature, licences, the catalogue, and the operations portal."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

import pytest
from django.test import Client as Browser

from bellwether.portfolio.models import Client
from bellwether.staff.models import AuditEvent
from bellwether.staff.tokens import issue_token
from bellwether.usage.lake import Lake
from bellwether.usage.models import DirtyScore, FeatureAdoption
from tests.api.conftest import BASE, Caller
from tests.conftest import NOW, TODAY, Clients, Staff
from tests.health.use_facts import store_use, use

Callers = Callable[..., Caller]


@pytest.fixture
def used(clients: Clients, lake: Lake) -> Clients:
    """Sturdy: 4 of 10 expected cases, 2 in the 30 days before; analytics licensed, not used. Five peers: 0-4 cases."""
    for key, configured in (("case_creation", True), ("dashboard_views", True), ("report_exports", False)):
        FeatureAdoption.objects.create(
            client=clients.sturdy,
            feature_key=key,
            is_licensed=True,
            licensed_at=date(2025, 1, 1),
            is_configured=configured,
        )
    rows = [use("sturdy", TODAY - timedelta(days=3), "Case Created", 4)]
    rows += [use("sturdy", TODAY - timedelta(days=40), "Case Created", 2, module="Case Management")]
    for number in range(5):
        Client.objects.create(
            organization_id=f"peer-{number}", name=f"Peer {number}", contract_tier="ENTERPRISE",
            licensed_modules=["Case Management"], csm_user=clients.sturdy.csm_user,
        )  # fmt: skip
        rows += [use(f"peer-{number}", TODAY - timedelta(days=60), "Signed In")]
        rows += [use(f"peer-{number}", TODAY - timedelta(days=2), "Case Created", number)] * bool(number)
    store_use(lake, rows)
    return clients


def post(caller: Caller, path: str, body: Any) -> Any:
    headers = {"Authorization": f"Bearer {caller.secret}"}
    return caller.browser.post(BASE + path, body, "application/json", headers=headers)


def of(body: Any, key: str) -> Any:
    return next(feature for feature in body["features"] if feature["feature_key"] == key)


class TestAdoption:
    def test_returns_every_feature_with_level_trend_and_peers(
        self, staff: Staff, used: Clients, caller_of: Callers
    ) -> None:
        body = caller_of(staff.ada).get(f"/clients/{used.sturdy.pk}/adoption").json()
        assert (body["date"], body["adoption_score"]) == (TODAY.isoformat(), 33)  # 1 of 3, half-up
        assert (body["features_licensed"], body["features_used"], body["features_tracked"]) == (3, 1, 10)
        assert (body["licensed_not_used"], body["licensed_not_used_before"]) == (2, 2)
        assert (body["peers"], body["tier_median"], body["adoption_percentile"]) == (5, 50, 20)  # 0 and four times 50
        cases = of(body, "case_creation")
        assert cases["client_id"] == str(used.sturdy.pk)
        assert (cases["feature_name"], cases["module"], cases["category"]) == (
            "Case creation",
            "Case Management",
            "Core",
        )
        assert (cases["is_licensed"], cases["licensed_at"], cases["configured_at"]) == (True, "2025-01-01", None)
        assert (cases["adoption_status"], cases["usage_trend"]) == ("ACTIVE_USE", "INCREASING")
        assert (cases["usage_30_days"], cases["usage_before_30_days"], cases["expected_usage"]) == (4, 2, 10)
        assert cases["share_of_expected"] == 0.4
        assert (cases["peers"], cases["peers_using"], cases["adoption_percentile"]) == (5, 0.8, 90)  # 4 below, 1 tie
        assert datetime.fromisoformat(cases["last_used_at"]) == datetime(2026, 6, 27, 10, 30, tzinfo=UTC)
        assert of(body, "dashboard_views")["adoption_status"] == "NOT_USED"
        assert of(body, "report_exports")["adoption_status"] == "NOT_CONFIGURED"
        review = of(body, "disclosure_review")
        assert (review["adoption_status"], review["expected_usage"], review["expected_share"]) == (
            "NOT_LICENSED",
            None,
            0.8,
        )
        assert [(one["rule"], one["feature_key"]) for one in body["opportunities"]] == [
            ("never_configured", "report_exports")
        ]
        assert AuditEvent.objects.latest("seq").action == "client.adoption"

    def test_says_nothing_of_peers_where_there_are_four(self, staff: Staff, used: Clients, caller_of: Callers) -> None:
        Client.objects.filter(organization_id="peer-0").update(archived_at=NOW)
        body = caller_of(staff.ada).get(f"/clients/{used.sturdy.pk}/adoption").json()
        assert (body["peers"], body["tier_median"], body["adoption_percentile"]) == (4, None, None)
        assert (of(body, "case_creation")["peers_using"], of(body, "case_creation")["adoption_percentile"]) == (
            None,
            None,
        )

    @pytest.mark.parametrize("path", ["adoption", "adoption/case_creation"])
    def test_hides_clients_of_others(self, path: str, staff: Staff, used: Clients, caller_of: Callers) -> None:
        assert caller_of(staff.cleo).get(f"/clients/{used.sturdy.pk}/{path}").status_code == 404

    def test_answers_before_any_event(self, staff: Staff, clients: Clients, lake: Lake, caller_of: Callers) -> None:
        body = caller_of(staff.ada).get(f"/clients/{clients.newborn.pk}/adoption").json()
        assert (body["adoption_score"], of(body, "api_calls")["adoption_status"]) == (None, None)


class TestFeature:
    def test_returns_days_and_says_when_users_are_not_known(
        self, staff: Staff, used: Clients, caller_of: Callers
    ) -> None:
        body = caller_of(staff.ada).get(f"/clients/{used.sturdy.pk}/adoption/case_creation").json()
        assert body["events"] == ["Case Created"]
        assert len(body["daily_usage"]) == 90
        assert [day for day in body["daily_usage"] if day["uses"]] == [
            {"first": "2026-05-21", "last": "2026-05-21", "uses": 2},
            {"first": "2026-06-27", "last": "2026-06-27", "uses": 4},
        ]
        assert (body["active_users_30_days"], body["top_users"]) == (None, [])

    def test_knows_no_other_feature(self, staff: Staff, used: Clients, caller_of: Callers) -> None:
        assert caller_of(staff.ada).get(f"/clients/{used.sturdy.pk}/adoption/teleport").status_code == 404


class TestLicence:
    def test_changes_what_is_given_and_marks_scores(self, staff: Staff, used: Clients, caller_of: Callers) -> None:
        path = f"/clients/{used.sturdy.pk}/adoption/report_exports"
        body = caller_of(staff.ada).put(path, {"is_configured": True, "configured_at": "2026-06-20"}).json()
        assert (body["is_licensed"], body["is_configured"], body["configured_at"]) == (True, True, "2026-06-20")
        assert body["adoption_status"] == "NOT_USED"
        assert DirtyScore.objects.count() == 11
        assert caller_of(staff.ada).put(path, {"is_configured": True}).status_code == 200
        assert AuditEvent.objects.filter(action="client.licences").count() == 1

    @pytest.mark.parametrize(
        ("body", "field"),
        [({}, ""), ({"is_licensed": None}, "is_licensed"), ({"licensed_at": "soon"}, "licensed_at"),
         ({"licensed_at": "1900-01-01"}, "report_exports.licensed_at")],
        ids=str,
    )  # fmt: skip
    def test_names_what_is_wrong(
        self, body: dict[str, Any], field: str, staff: Staff, used: Clients, caller_of: Callers
    ) -> None:
        answer = caller_of(staff.ada).put(f"/clients/{used.sturdy.pk}/adoption/report_exports", body)
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == [field]

    def test_is_not_for_others_nor_for_archived_clients(self, staff: Staff, used: Clients, caller_of: Callers) -> None:
        change = {"is_licensed": True}
        assert caller_of(staff.cleo).put(f"/clients/{used.sturdy.pk}/adoption/api_calls", change).status_code == 404
        assert caller_of(staff.ada).put(f"/clients/{used.sturdy.pk}/adoption/teleport", change).status_code == 404
        assert caller_of(staff.ada).put(f"/clients/{used.gone.pk}/adoption/api_calls", change).status_code == 409


class TestCatalogue:
    NEW: ClassVar[dict[str, Any]] = {
        "name": "Bulk export",
        "events": [{"event": "export", "feature": "bulk"}],
        "expected": 5,
    }

    def test_lists_adds_and_changes(self, staff: Staff, lake: Lake, caller_of: Callers) -> None:
        adam = caller_of(staff.adam)
        made = post(adam, "/config/features", self.NEW)
        assert (made.status_code, made.json()["key"], made.json()["events"]) == (201, "bulk_export", self.NEW["events"])
        changed = adam.put("/config/features/bulk_export", self.NEW | {"name": "Exports"})
        assert (changed.status_code, changed.json()["name"]) == (200, "Exports")
        data = adam.get("/config/features").json()["data"]
        assert (len(data), data[-1]["name"], data[-1]["archived"]) == (11, "Exports", False)

    def test_names_what_is_wrong(self, staff: Staff, lake: Lake, caller_of: Callers) -> None:
        answer = post(caller_of(staff.adam), "/config/features", self.NEW | {"expected": -1, "events": []})
        assert answer.status_code == 422
        assert sorted(error["field"] for error in answer.json()["errors"]) == ["events", "expected"]
        assert caller_of(staff.adam).put("/config/features/nothing", self.NEW).status_code == 404

    def test_is_changed_by_administrators_only(self, staff: Staff, lake: Lake, caller_of: Callers) -> None:
        vera = caller_of(staff.vera)
        assert vera.get("/config/features").status_code == 200
        assert post(vera, "/config/features", self.NEW).status_code == 403
        assert vera.put("/config/features/api_calls", self.NEW).status_code == 403


class TestPortal:
    def get(self, user: Any, organization_id: str) -> Any:
        _, secret = issue_token(user, name="portal", scopes=["read"], expires_at=None, actor=None, now=NOW)
        path = f"/api/v1/internal/client-success/features/{organization_id}"
        return Browser().get(path, headers={"Authorization": f"Bearer {secret}"})

    def test_has_the_shape_of_the_portal(self, staff: Staff, used: Clients) -> None:
        body = self.get(staff.ada, "sturdy").json()
        assert len(body) == 10
        assert body[0] == {
            "key": "case_creation", "name": "Case creation", "category": "Core", "adopted": True,
            "firstUsed": "2026-05-21T10:30:00Z", "lastUsed": "2026-06-27T10:30:00Z",
        }  # fmt: skip
        assert body[1] == {
            "key": "investigation_workflow", "name": "Investigation workflow", "category": "Core", "adopted": False,
        }  # fmt: skip

    def test_hides_organizations_of_others(self, staff: Staff, used: Clients) -> None:
        assert self.get(staff.cleo, "sturdy").status_code == 404
        assert self.get(staff.ada, "nobody").status_code == 404
