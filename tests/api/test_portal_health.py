"""The operations portal: shapes as its components read them, scoping, alerts, and a workspace without its scorecard."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from auditlog.models import LogEntry

from bellwether.benchmarks.night import forget_night
from bellwether.benchmarks.nightly import make_night
from bellwether.common.models import JobRun
from bellwether.portfolio.models import Activity, Client, SupportTicket
from bellwether.staff.models import AuditEvent
from tests.api.conftest import Caller
from tests.api.portal_cast import ORGANIZATION, keep_score
from tests.conftest import NOW, TODAY, Clients, Staff

HEALTH, SUCCESS = "/api/v1/internal/client-health", "/api/v1/internal/client-success"
Make = Callable[..., Caller]


@pytest.fixture(autouse=True)
def _operations(settings: Any) -> None:
    settings.BELLWETHER_SCORECARD = "operations"


@pytest.fixture
def organization(clients: Clients) -> Client:
    keep_score(clients.sturdy, "operations", TODAY - timedelta(days=1), ORGANIZATION | {"tickets_30d": 0}, previous=90)
    keep_score(clients.sturdy, "operations", TODAY, ORGANIZATION, previous=76)
    Client.objects.filter(pk=clients.sturdy.pk).update(last_activity_at=datetime(2026, 6, 30, 8, 15, tzinfo=UTC))
    clients.sturdy.refresh_from_db()
    return clients.sturdy


def ask(caller: Caller, method: str, path: str, body: Any = None, **headers: str) -> Any:
    call = getattr(caller.browser, method)
    sent = {"Authorization": f"Bearer {caller.secret}", **headers}
    return call(path, body, headers=sent) if method == "get" else call(path, body, "application/json", headers=sent)


class TestScore:
    def test_has_the_fields_of_a_tenant_health_score(self, staff: Staff, organization: Client, caller_of: Make) -> None:
        body = ask(caller_of(staff.ada, "read"), "get", f"{HEALTH}/sturdy/score").json()
        assert int(body.pop("id")) > 0
        assert body == {
            "organizationId": "sturdy",
            "calculatedAt": "2026-06-30T12:00:00Z",
            "loginScore": 40,
            "caseResolutionScore": 83,
            "campaignCompletionScore": 80,
            "featureAdoptionScore": 83,
            "supportTicketScore": 70,
            "overallScore": 72,
            "trend": "STABLE",
            "riskLevel": "LOW",
            "previousScore": 76,
            "alertLevel": "DASHBOARD_ONLY",
            "coverage": 1.0,
            "noData": [],
        }

    def test_marks_what_rests_on_no_data(self, staff: Staff, clients: Clients, caller_of: Make) -> None:
        quiet = ORGANIZATION | {"cases_closed": 0, "cases_on_time": 0, "assignments_total": 0, "total_users": 0}
        keep_score(clients.newborn, "operations", TODAY, quiet)
        body = ask(caller_of(staff.ada, "read"), "get", f"{HEALTH}/newborn/score").json()
        # The seed's rules still give numbers: nobody to log in 0, nothing to close or to complete 100 each.
        assert (body["loginScore"], body["caseResolutionScore"], body["campaignCompletionScore"]) == (0, 100, 100)
        assert body["noData"] == ["caseResolution", "campaignCompletion"]
        assert body["coverage"] == 0.5
        assert (body["trend"], body["previousScore"]) == ("STABLE", None)

    def test_before_the_first_score_says_so(self, staff: Staff, clients: Clients, caller_of: Make) -> None:
        response = ask(caller_of(staff.ada, "read"), "get", f"{HEALTH}/fading/score")
        assert response.status_code == 404
        assert response.json()["type"] == "urn:bellwether:problem:not-scored"

    def test_history_is_bounded_and_ascending(self, staff: Staff, organization: Client, caller_of: Make) -> None:
        keep_score(organization, "operations", TODAY - timedelta(days=30), ORGANIZATION)
        caller = caller_of(staff.ada, "read")
        days = ask(caller, "get", f"{HEALTH}/sturdy/history").json()
        # Yesterday, made today: its time is the last second of its own day.
        assert [day["calculatedAt"] for day in days] == ["2026-06-29T23:59:59Z", "2026-06-30T12:00:00Z"]
        # 72 and the tickets' 100 instead of 70: 71.7 + 4.5 = 76.2; 90 before: declining, so at least MEDIUM.
        assert [(d["overallScore"], d["trend"], d["riskLevel"]) for d in days] == [
            (76, "DECLINING", "MEDIUM"), (72, "STABLE", "LOW"),
        ]  # fmt: skip
        assert len(ask(caller, "get", f"{HEALTH}/sturdy/history", {"days": 31}).json()) == 3
        refused = ask(caller, "get", f"{HEALTH}/sturdy/history", {"days": 5000})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "days")


class TestCalculate:
    def test_asks_for_one(self, staff: Staff, organization: Client, caller_of: Make) -> None:
        caller = caller_of(staff.ada)
        first = ask(caller, "post", f"{HEALTH}/sturdy/calculate", **{"Idempotency-Key": "k"})
        again = ask(caller, "post", f"{HEALTH}/sturdy/calculate", **{"Idempotency-Key": "k"})
        assert (first.status_code, set(first.json())) == (201, {"jobId"})
        assert again.json() == first.json()
        run = JobRun.objects.get()
        assert (str(run.pk), run.name, run.arguments["client_id"]) == (
            first.json()["jobId"], "health_refresh", str(organization.pk),
        )  # fmt: skip

    def test_asks_for_all_where_the_role_sees_all(self, staff: Staff, clients: Clients, caller_of: Make) -> None:
        assert ask(caller_of(staff.ada), "post", f"{HEALTH}/calculate-all").status_code == 403
        assert not JobRun.objects.exists()
        response = ask(caller_of(staff.vera), "post", f"{HEALTH}/calculate-all")
        assert response.status_code == 201
        assert JobRun.objects.get(pk=response.json()["jobId"]).name == "score"

    def test_refuses_an_archived_client(self, staff: Staff, clients: Clients, caller_of: Make) -> None:
        assert ask(caller_of(staff.ada), "post", f"{HEALTH}/gone/calculate").status_code == 409


class TestConsole:
    def test_portfolio_has_the_shape_that_the_cards_read(
        self, staff: Staff, organization: Client, caller_of: Make
    ) -> None:
        body = ask(caller_of(staff.ada, "read"), "get", f"{SUCCESS}/portfolio").json()
        found = {client["id"]: client for client in body["clients"]}
        assert list(found) == ["fading", "newborn", "sturdy"]  # by name; the archived one and Cleo's are not there
        assert found["sturdy"] == {
            "id": "sturdy",
            "name": "Sturdy",
            "healthScore": 72,
            "trend": -4,
            "components": {
                "login": 40, "caseResolution": 83, "campaignCompletion": 80, "featureAdoption": 83, "ticketVolume": 70,
            },
            "alertsEnabled": False,
            "lastActivity": "2026-06-30T08:15:00Z",
            "light": "amber",
            "riskLevel": "LOW",
            "coverage": 1.0,
            "noData": [],
        }  # fmt: skip
        assert (found["fading"]["healthScore"], found["fading"]["trend"], found["fading"]["light"]) == (None, 0, None)

    def test_no_light_is_green_on_thin_data(self, staff: Staff, clients: Clients, caller_of: Make) -> None:
        keep_score(clients.sturdy, "operations", TODAY, {"tickets_30d": 0})
        body = ask(caller_of(staff.ada, "read"), "get", f"{SUCCESS}/portfolio").json()
        found = {client["id"]: client for client in body["clients"]}["sturdy"]
        assert (found["healthScore"], found["coverage"], found["light"]) == (100, 0.15, "amber")
        assert found["components"]["login"] is None
        assert found["noData"] == ["login", "caseResolution", "campaignCompletion", "featureAdoption"]

    def test_a_client_comes_with_what_happened_lately(
        self, staff: Staff, organization: Client, caller_of: Make
    ) -> None:
        at = NOW - timedelta(days=2)
        Activity.objects.create(
            client=organization, activity_type="CALL", subject="Plans for autumn", occurred_at=at, completed_at=at,
            performed_by=staff.ada,
        )  # fmt: skip
        Activity.objects.create(
            client=organization, activity_type="QBR", subject="Not yet", occurred_at=NOW + timedelta(days=3),
            performed_by=staff.ada,
        )  # fmt: skip
        SupportTicket.objects.create(client=organization, external_id="T-1", subject="Slow", opened_at=NOW)
        body = ask(caller_of(staff.ada, "read"), "get", f"{SUCCESS}/health/sturdy").json()
        assert (body["id"], body["healthScore"], body["alertLevel"]) == ("sturdy", 72, "DASHBOARD_ONLY")
        assert body["recentActivity"] == [
            {"timestamp": "2026-06-30T12:00:00Z", "description": "Ticket T-1 opened: Slow"},
            {"timestamp": "2026-06-28T12:00:00Z", "description": "Call: Plans for autumn"},
        ]

    def test_switches_alerts_and_writes_it_down_once(self, staff: Staff, organization: Client, caller_of: Make) -> None:
        caller = caller_of(staff.ada)
        for _ in range(2):
            response = ask(caller, "patch", f"{SUCCESS}/alerts/sturdy", {"enabled": True})
            assert response.json() == {"alertsEnabled": True, "alertLevel": "PROACTIVE"}
        organization.refresh_from_db()
        assert organization.alert_level == "PROACTIVE"
        events = AuditEvent.objects.filter(action="client.changed", client_id=organization.pk)
        assert [event.detail for event in events] == [{"alert_level": ["DASHBOARD_ONLY", "PROACTIVE"]}]
        history = LogEntry.objects.get_for_object(organization).filter(action=LogEntry.Action.UPDATE)
        assert [entry.changes["alert_level"] for entry in history] == [["DASHBOARD_ONLY", "PROACTIVE"]]
        off = ask(caller, "patch", f"{SUCCESS}/alerts/sturdy", {"enabled": False})
        assert off.json() == {"alertsEnabled": False, "alertLevel": "DASHBOARD_ONLY"}

    @pytest.mark.parametrize(
        ("body", "field"), [({}, "enabled"), ({"enabled": "soon"}, "enabled")], ids=["none", "word"]
    )
    def test_names_what_is_wrong(
        self, staff: Staff, organization: Client, caller_of: Make, body: Any, field: str
    ) -> None:
        response = ask(caller_of(staff.ada), "patch", f"{SUCCESS}/alerts/sturdy", body)
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, field)


class TestBenchmarks:
    @pytest.fixture
    def compared(self, staff: Staff, organization: Client) -> Client:
        """Five others with 20, 40, 60, 80 and 100% of their assignments completed; Sturdy has 34 of 50, 68%."""
        for number in range(1, 6):
            peer = Client.objects.create(organization_id=f"peer-{number}", name=f"Peer {number}", csm_user=staff.cleo)
            keep_score(peer, "operations", TODAY, ORGANIZATION | {"assignments_completed": 10 * number})
        make_night(now=NOW)
        forget_night()
        return organization

    def test_has_the_shape_that_the_page_reads(self, staff: Staff, compared: Client, caller_of: Make) -> None:
        body = ask(caller_of(staff.vera, "read"), "get", f"{SUCCESS}/benchmarks").json()
        assert (body["peerCount"], body["hidden"], body["day"]) == (9, "", "2026-06-30")  # six of them have the metric
        # 20 40 60 68 80 100: quartiles at places 1.25, 2.5 and 3.75.
        assert body["benchmarks"]["attestationCompletion"] == {
            "p25": 45.0, "median": 64.0, "p75": 77.0, "peerCount": 6, "mean": 61.3, "min": 20.0, "max": 100.0,
        }  # fmt: skip
        assert body["benchmarks"]["caseResolutionDays"] is None
        assert body["clientMetrics"]["sturdy"]["attestationCompletion"] == 68.0
        assert body["clientPercentiles"]["sturdy"]["attestationCompletion"] == 60.0  # ahead of 3 of the 5 others

    def test_gives_only_what_one_may_see(self, staff: Staff, compared: Client, caller_of: Make) -> None:
        body = ask(caller_of(staff.ada, "read"), "get", f"{SUCCESS}/benchmarks").json()
        assert set(body["clientMetrics"]) == set(body["clientPercentiles"]) == {"sturdy", "fading", "newborn"}
        found = body["benchmarks"]["attestationCompletion"]
        assert found is None or (found["min"], found["max"]) == (None, None)

    def test_hides_small_groups_and_names_wrong_filters(self, staff: Staff, compared: Client, caller_of: Make) -> None:
        caller = caller_of(staff.vera, "read")
        body = ask(caller, "get", f"{SUCCESS}/benchmarks", {"industry": "manuf"}).json()
        assert body["peerCount"] == 4
        assert "at least 5 peers" in body["hidden"]
        assert set(body["benchmarks"].values()) == {None}
        refused = ask(caller, "get", f"{SUCCESS}/benchmarks", {"size": "huge"})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "size")


ROUTES = [
    ("get", f"{HEALTH}/sturdy/score", None),
    ("get", f"{HEALTH}/sturdy/history", None),
    ("post", f"{HEALTH}/sturdy/calculate", None),
    ("get", f"{SUCCESS}/health/sturdy", None),
    ("patch", f"{SUCCESS}/alerts/sturdy", {"enabled": True}),
]
NAMES = ["score", "history", "calculate", "client", "alerts"]


class TestAccess:
    @pytest.mark.parametrize(("method", "path", "body"), ROUTES, ids=NAMES)
    def test_what_one_may_not_see_does_not_exist(
        self, staff: Staff, organization: Client, caller_of: Make, method: str, path: str, body: Any
    ) -> None:
        assert ask(caller_of(staff.cleo), method, path, body).status_code == 404
        assert ask(caller_of(staff.ada), method, path.replace("sturdy", "nobody"), body).status_code == 404
        organization.refresh_from_db()
        assert organization.alert_level == "DASHBOARD_ONLY"
        assert not JobRun.objects.exists()

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [*ROUTES, ("get", f"{SUCCESS}/portfolio", None), ("get", f"{SUCCESS}/benchmarks", None)],
        ids=[*NAMES, "portfolio", "benchmarks"],
    )
    def test_without_the_scorecard_says_how_to_switch_it_on(
        self, staff: Staff, clients: Clients, caller_of: Make, settings: Any, method: str, path: str, body: Any
    ) -> None:
        settings.BELLWETHER_SCORECARD = "prd-015"
        response = ask(caller_of(staff.ada), method, path, body)
        assert response.status_code == 409
        assert "BELLWETHER_OTHER_SCORECARDS=operations" in response.json()["detail"]
