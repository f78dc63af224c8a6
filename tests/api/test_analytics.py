"""The endpoints of analytics: the figures of the page, scoped and recorded."""

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client as Browser

from bellwether.portfolio.models import Client
from bellwether.staff.models import AuditEvent
from tests.analytics.cast import add_csms
from tests.api.conftest import Caller
from tests.conftest import NOW, TODAY, Clients, Staff

Callers = Callable[..., Caller]
pytestmark = pytest.mark.django_db
PATHS = ("portfolio", "health-distribution", "at-risk", "renewals", "csm-performance")


class TestPortfolio:
    def test_returns_what_the_page_shows(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        body = caller_of(staff.ada).get("/analytics/portfolio").json()
        # Sturdy 59 at risk; Fading and Newborn without a score; $120,000 each.
        assert body["now"] == {
            "clients": 3, "scored": 1, "average_health": 59.0, "arr": 360000.0, "at_risk": 1, "arr_at_risk": 120000.0,
            "arr_at_risk_share": pytest.approx(1 / 3),
            "by_status": {"HEALTHY": 0, "MONITOR": 0, "AT_RISK": 1, "CRITICAL": 0, "NA": 2},
        }  # fmt: skip
        assert body["period"] == {
            "period": "quarter", "first": "2026-04-01", "last": "2026-06-30", "before": "2026-03-31",
            "compared_from": "2025-12-31",
        }  # fmt: skip
        [row] = body["breakdown"]
        assert (row["value"], row["label"], row["now"]["clients"]) == ("ENTERPRISE", "Enterprise", 3)
        assert body["movements"]["left"]["client_ids"] == [str(scored.gone.pk)]
        browser = Browser()
        browser.force_login(staff.ada)
        page = re.sub(r"<[^>]+>", "", browser.get("/executive/").content.decode())
        for sentence in body["narrative"]:
            assert sentence in page

    def test_names_csms_by_id(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        body = caller_of(staff.vera).get("/analytics/portfolio", {"by": "csm"}).json()
        found = {row["value"]: (row["label"], row["now"]["clients"]) for row in body["breakdown"]}
        assert found == {str(staff.ada.pk): ("Ada Example", 3), str(staff.cleo.pk): ("Cleo Example", 1)}

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"period": "custom"}, "from"),
            ({"period": "custom", "from": "2026-06-29", "to": "2026-07-01"}, "to"),
            ({"period": "fortnight"}, "period"),
            ({"by": "colour"}, "by"),
            ({"csm_id": "x"}, "csm_id"),
        ],
        ids=["no_first", "future", "period", "by", "csm"],
    )
    def test_names_the_field_that_cannot_be_used(
        self, staff: Staff, scored: Clients, caller_of: Callers, query: dict[str, str], field: str
    ) -> None:
        answer = caller_of(staff.ada).get("/analytics/portfolio", query)
        assert answer.status_code == 422
        assert field in str(answer.json()["errors"])


class TestScope:
    @pytest.mark.parametrize("path", PATHS)
    def test_shows_no_client_of_others(self, staff: Staff, scored: Clients, caller_of: Callers, path: str) -> None:
        answer = caller_of(staff.cleo).get(f"/analytics/{path}")
        assert answer.status_code == 200
        for client in (scored.sturdy, scored.fading, scored.gone):
            assert str(client.pk) not in answer.content.decode()
            assert client.name not in answer.content.decode()

    @pytest.mark.parametrize("path", PATHS[:4])
    def test_a_csm_whose_clients_one_does_not_see_does_not_exist(
        self, staff: Staff, scored: Clients, caller_of: Callers, path: str
    ) -> None:
        assert caller_of(staff.ada).get(f"/analytics/{path}", {"csm_id": str(staff.cleo.pk)}).status_code == 404
        assert caller_of(staff.vera).get(f"/analytics/{path}", {"csm_id": str(staff.cleo.pk)}).status_code == 200

    @pytest.mark.parametrize("path", PATHS)
    def test_needs_a_caller_and_is_recorded(
        self, staff: Staff, scored: Clients, caller_of: Callers, client: Browser, path: str
    ) -> None:
        assert client.get(f"/api/v1/client-success/analytics/{path}").status_code == 401
        caller_of(staff.vera).get(f"/analytics/{path}")
        assert AuditEvent.objects.filter(action__startswith="analytics.").count() == 1


class TestOthers:
    def test_distribution_counts_bins(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        body = caller_of(staff.ada).get("/analytics/health-distribution").json()
        assert (body["scored"], body["not_scored"]) == (1, 2)
        assert [one["from_score"] for one in body["bins"] if one["clients"]] == [55]
        assert body["trend"] == [{"date": "2026-06-30", "clients": 1, "p25": 59.0, "median": 59.0, "p75": 59.0}]

    def test_at_risk_lists_clients(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        body = caller_of(staff.ada).get("/analytics/at-risk").json()
        assert (body["clients"], body["arr"], body["share"]) == (1, 120000.0, pytest.approx(1 / 3))
        assert body["data"][0] == {
            "id": str(scored.sturdy.pk), "name": "Sturdy", "health_score": 59, "health_status": "AT_RISK",
            "arr": 120000.0, "next_renewal_date": "2026-09-30", "csm_id": str(staff.ada.pk),
        }  # fmt: skip

    def test_renewals_say_what_they_do_not_know(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        Client.objects.filter(pk=scored.sturdy.pk).update(renewal_probability=50)
        body = caller_of(staff.ada).get("/analytics/renewals").json()
        assert len(body["months"]) == 12
        total = body["total"]
        assert (total["clients"], total["expected"], total["without_expectation"]) == (3, 60000.0, 240000.0)
        assert [rate["share"] for rate in body["rates"]] == [None, None, None]


class TestCsms:
    def test_are_named_for_vps_and_without_names_for_csms(
        self, staff: Staff, scored: Clients, caller_of: Callers
    ) -> None:
        add_csms(6, TODAY, NOW)
        every = caller_of(staff.vera).get("/analytics/csm-performance").json()
        assert {"Ada Example", "Zed0 Hidden"} <= {row["name"] for row in every["named"]}
        answer = caller_of(staff.ada).get("/analytics/csm-performance")
        assert "Hidden" not in answer.content.decode()
        body = answer.json()
        assert [row["name"] for row in body["named"]] == ["Ada Example"]
        assert len(body["others"]) == 7
        assert set(body["others"][0]) == {"label", "nps", "health_change", "activities_per_client", "workload"}

    def test_account_executives_may_not_compare(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        assert caller_of(staff.ed).get("/analytics/csm-performance").status_code == 403

    def test_metrics_of_one_are_for_who_sees_the_name(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        path = f"/analytics/csm/{staff.ada.pk}/metrics"
        body = caller_of(staff.ada).get(path).json()
        assert (body["csm"]["name"], body["csm"]["clients"], len(body["months"])) == ("Ada Example", 3, 12)
        assert [caller_of(user).get(path).status_code for user in (staff.ben, staff.vera, staff.cleo, staff.ed)] == [
            200, 200, 404, 404
        ]  # fmt: skip
        assert caller_of(staff.vera).get(f"/analytics/csm/{UUID(int=3)}/metrics").status_code == 404

    def test_short_periods_tell_nothing_of_others(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        add_csms(6, TODAY, NOW)
        query = {"period": "custom", "from": str(TODAY - timedelta(days=6))}
        body = caller_of(staff.ada).get("/analytics/csm-performance", query).json()
        assert body["others"] == []
        assert "28 days" in body["hidden"]
