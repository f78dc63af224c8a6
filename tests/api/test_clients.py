"""The client endpoints: who sees what, filters, pages, changes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import TestCase
from pydantic import TypeAdapter, ValidationError

from bellwether.api.client_schemas import SortWord, View
from bellwether.portfolio.listing import SORTS, VIEWS
from bellwether.portfolio.models import Client, Contact, Tag
from bellwether.staff.models import AuditEvent
from tests.api.conftest import Caller
from tests.conftest import NOW, Clients, Staff

Callers = Callable[..., Caller]


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["name"] for row in response.json()["data"]]


class TestListClients:
    def test_returns_the_fields_of_the_requirements(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        Contact.objects.create(
            client=scored.sturdy, name="Sarah Example", role="CHAMPION", last_platform_login=NOW - timedelta(days=21)
        )
        body = caller_of(staff.ada).get("/clients", {"search": "sturdy"}).json()
        assert body["pagination"] == {"page": 1, "limit": 50, "total": 1, "pages": 1}
        row = body["data"][0]
        expected = {
            "id": str(scored.sturdy.pk),
            "name": "Sturdy",
            "industry": "Manufacturing",
            "contract_tier": "ENTERPRISE",
            "annual_recurring_revenue": 120000,
            "current_health_score": 59,
            "health_status": "AT_RISK",
            "health_trend": "DOWN",
            "churn_risk_score": None,
            "next_renewal_date": "2026-09-30",
            "days_to_renewal": 92,
            "last_csm_contact_at": "2026-05-09T12:00:00Z",
            "csm": {"id": str(staff.ada.pk), "name": "Ada Example"},
            "ae": {"id": str(staff.ed.pk), "name": "Ed Example"},
        }
        assert {name: row[name] for name in expected} == expected
        assert (row["health_interval_low"], row["health_interval_high"], row["health_missing"]) == (
            55,
            70,
            ["contract"],
        )
        assert row["health_reason"] is None
        Client.objects.filter(pk=scored.sturdy.pk).update(
            churn_risk_score=54,
            churn_low=41,
            churn_high=66,
            churn_category="HIGH",
            churn_change=19,
            churn_reason="Quiet",
        )
        [told] = caller_of(staff.ada).get("/clients", {"churn_category": "HIGH,MEDIUM"}).json()["data"]
        fields = ("churn_risk_score", "churn_low", "churn_high", "churn_category", "churn_is_band", "churn_change")
        assert [told[name] for name in fields] == [54, 41, 66, "HIGH", False, 19]
        Client.objects.filter(pk=scored.sturdy.pk).update(churn_is_band=True)
        [banded] = caller_of(staff.ada).get("/clients", {"churn_category": "HIGH"}).json()["data"]
        assert [banded[name] for name in fields[:5]] == [None, None, None, "HIGH", True]
        [unscored] = caller_of(staff.ada).get("/clients", {"search": "newborn"}).json()["data"]
        assert unscored["health_reason"] == "25% of the weight has data, 50% is needed"
        assert (unscored["health_interval_low"], unscored["health_missing"]) == (None, [])
        assert row["ai_risk_factors"] == [
            {
                "factor": "champion_inactive",
                "impact": "high",
                "detail": "Champion inactive. Sarah Example has not logged in for 21 days.",
            },
            {
                "factor": "health_decline",
                "impact": "medium",
                "detail": "Health down 14 points in 30 days. From 73 to 59.",
            },
            {
                "factor": "usage_decline",
                "impact": "medium",
                "detail": "Usage down 40%. 7.2 people on an average working day in 7 days, 12 in 30.",
            },
            {"factor": "payment_issue", "impact": "medium", "detail": "Payment late. As the contract record says."},
            {"factor": "no_recent_contact", "impact": "medium", "detail": "No contact for 52 days. Last: 9 May."},
            {
                "factor": "support_spike",
                "impact": "medium",
                "detail": "Support spike. 8 tickets in 30 days, normal is 3.",
            },
        ]

    def test_shows_each_role_its_own_clients_and_no_archived_ones(
        self, staff: Staff, clients: Clients, caller_of: Callers
    ) -> None:
        seen = {
            person.first_name: set(names(caller_of(person).get("/clients")))
            for person in (staff.ada, staff.ben, staff.cleo, staff.ed, staff.vera, staff.adam)
        }
        of_ada = {"Sturdy", "Fading", "Newborn"}
        assert seen == {
            "Ada": of_ada,
            "Ben": of_ada,
            "Cleo": {"Elsewhere"},
            "Ed": {"Sturdy"},
            "Vera": of_ada | {"Elsewhere"},
            "Adam": of_ada | {"Elsewhere"},
        }

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"health_status": "AT_RISK"}, ["Sturdy"]),
            ({"health_status": "NA", "sort": "name"}, ["Fading", "Newborn"]),
            ({"tier": "STARTER"}, []),
            ({"industry": "Manufacturing", "search": "NEW"}, ["Newborn"]),
            ({"tag": "vip"}, ["Fading"]),
            ({"segment": "Key"}, ["Fading"]),
            ({"arr_min": "200000"}, ["Fading"]),
            ({"arr_max": 120000, "sort": "-name"}, ["Sturdy", "Newborn"]),
            ({"churn_min": 40, "churn_max": 50}, ["Fading"]),
            ({"renewal_within": 92, "sort": "name"}, ["Fading", "Newborn", "Sturdy"]),
            ({"renewal_within": 91}, []),
            ({"view": "at_risk"}, ["Sturdy"]),
            ({"sort": "-arr", "limit": 1}, ["Fading"]),
            ({"sort": "name", "limit": 1, "page": 3}, ["Sturdy"]),
            ({"sort": "name", "limit": 1, "page": 4}, []),
            ({"search": "\x00"}, []),
        ],
    )
    def test_filters_sorts_and_pages(
        self, staff: Staff, scored: Clients, caller_of: Callers, query: dict[str, Any], found: list[str]
    ) -> None:
        Client.objects.filter(pk=scored.fading.pk).update(
            segment="Key", annual_recurring_revenue=250000, churn_risk_score=45
        )
        scored.fading.tags.add(Tag.objects.create(name="vip"))
        assert names(caller_of(staff.ada).get("/clients", query)) == found

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"health_status": "FINE"}, "health_status"),
            ({"limit": 201}, "limit"),
            ({"limit": 0}, "limit"),
            ({"page": 0}, "page"),
            ({"page": "x"}, "page"),
            ({"sort": "password"}, "sort"),
            ({"csm_id": "ada"}, "csm_id"),
            ({"churn_min": 101}, "churn_min"),
            ({"arr_min": "nan"}, "arr_min"),
            ({"view": "yours"}, "view"),
        ],
    )
    def test_names_the_unusable_filter(
        self, staff: Staff, clients: Clients, caller_of: Callers, query: dict[str, Any], field: str
    ) -> None:
        response = caller_of(staff.ada).get("/clients", query)
        assert response.status_code == 422
        assert response["Content-Type"] == "application/problem+json"
        assert [error["field"] for error in response.json()["errors"]] == [field]

    def test_is_logged_with_the_count_once(self, staff: Staff, clients: Clients, caller_of: Callers) -> None:
        caller_of(staff.ada).get("/clients", {"tier": "ENTERPRISE"})
        event = AuditEvent.objects.get(action="client.list")
        assert event.actor_id == staff.ada.pk
        assert event.detail["count"] == 3
        assert event.detail["query"]["tier"] == "ENTERPRISE"

    def test_takes_the_same_number_of_queries_for_any_number_of_clients(
        self, staff: Staff, scored: Clients, caller_of: Callers
    ) -> None:
        caller = caller_of(staff.ada)
        caller.get("/clients")
        for number in range(30):
            Client.objects.create(organization_id=f"more-{number}", name=f"More {number}", csm_user=staff.ada)
        with TestCase().assertNumQueries(15 + (connection.vendor == "postgresql")):
            # token, its rate count · count and sums, rows, tags · configuration, scores, contacts, tickets, last
            # contacts · savepoint, (lock,) head, row, head, release: the log
            caller.get("/clients")


class TestGetClient:
    def test_returns_everything_about_a_client(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        body = caller_of(staff.ada).get(f"/clients/{scored.sturdy.pk}").json()
        assert body["organization_id"] == "sturdy"
        assert body["licensed_user_count"] == 50
        assert body["health_components"]["usage"] == 45
        assert body["contract_start_date"] == "2024-07-01"
        event = AuditEvent.objects.get(action="client.read")
        assert (event.client_id, event.actor_id) == (scored.sturdy.pk, staff.ada.pk)

    def test_shows_an_archived_client_as_such(self, staff: Staff, clients: Clients, caller_of: Callers) -> None:
        body = caller_of(staff.ada).get(f"/clients/{clients.gone.pk}").json()
        assert body["archived_at"] == "2026-05-01T00:00:00Z"

    def test_is_not_found_by_a_stranger(self, staff: Staff, clients: Clients, caller_of: Callers) -> None:
        response = caller_of(staff.cleo).get(f"/clients/{clients.sturdy.pk}")
        assert response.status_code == 404
        assert response.json()["type"] == "urn:bellwether:problem:not-found"
        assert not AuditEvent.objects.filter(action="client.read").exists()

    @pytest.mark.parametrize("nothing", ["00000000-0000-4000-8000-000000000000", "sturdy", "1", "%00"])
    def test_is_not_found_if_there_is_none(
        self, staff: Staff, clients: Clients, caller_of: Callers, nothing: str
    ) -> None:
        assert caller_of(staff.adam).get(f"/clients/{nothing}").status_code == 404


class TestUpdateClient:
    def test_replaces_tags_and_segment_and_keeps_the_rest(
        self, staff: Staff, clients: Clients, caller_of: Callers
    ) -> None:
        path = f"/clients/{clients.sturdy.pk}"
        caller = caller_of(staff.ada)
        body = caller.put(path, {"tags": [" vip ", "pilot"], "segment": "Key"}).json()
        assert (body["tags"], body["segment"]) == (["pilot", "vip"], "Key")
        assert caller.put(path, {"tags": ["vip"]}).json()["segment"] == "Key"
        event = AuditEvent.objects.filter(action="client.changed").order_by("seq")[1]
        assert event.detail == {"tags": [["pilot", "vip"], ["vip"]]}

    def test_changing_nothing_is_not_logged(self, staff: Staff, clients: Clients, caller_of: Callers) -> None:
        assert caller_of(staff.ada).put(f"/clients/{clients.sturdy.pk}", {"segment": ""}).status_code == 200
        assert not AuditEvent.objects.filter(action="client.changed").exists()

    @pytest.mark.parametrize(
        ("who", "field", "whom", "status"),
        [
            ("ada", "csm_id", "cleo", 403),
            ("ben", "csm_id", "ben", 200),
            ("ben", "csm_id", "cleo", 403),
            ("vera", "csm_id", "cleo", 200),
            ("vera", "csm_id", "ed", 422),
            ("vera", "csm_id", None, 200),
            ("ed", "ae_id", "ed", 200),
            ("ed", "ae_id", None, 403),
            ("adam", "ae_id", "ada", 422),
            ("adam", "ae_id", None, 200),
        ],
    )
    def test_assigns_people_as_the_role_allows(
        self,
        staff: Staff,
        clients: Clients,
        caller_of: Callers,
        who: str,
        field: str,
        whom: str | None,
        status: int,
    ) -> None:
        target = str(getattr(staff, whom).pk) if whom else None
        response = caller_of(getattr(staff, who)).put(f"/clients/{clients.sturdy.pk}", {field: target})
        assert response.status_code == status, response.content
        client = Client.objects.get(pk=clients.sturdy.pk)
        assert client.csm_user_id == (
            (getattr(staff, whom).pk if whom else None) if (field, status) == ("csm_id", 200) else staff.ada.pk
        )

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, ""),
            ({"name": "Other"}, "name"),
            ({"tags": "vip"}, "tags"),
            ({"tags": ["vip", 3]}, "tags.1"),
            ({"tags": [""]}, "tags.0"),
            ({"tags": ["x" * 61]}, "tags.0"),
            ({"segment": None}, "segment"),
            ({"csm_id": "me"}, "csm_id"),
            ([], ""),
            (3, ""),
        ],
    )
    def test_names_the_unusable_field(
        self, staff: Staff, clients: Clients, caller_of: Callers, body: object, field: str
    ) -> None:
        response = caller_of(staff.adam).put(f"/clients/{clients.sturdy.pk}", body)
        assert response.status_code == 422, response.content
        assert [error["field"] for error in response.json()["errors"]] == [field]

    def test_leaves_archived_clients_alone(self, staff: Staff, clients: Clients, caller_of: Callers) -> None:
        response = caller_of(staff.ada).put(f"/clients/{clients.gone.pk}", {"segment": "Key"})
        assert response.status_code == 409
        assert response.json()["type"] == "urn:bellwether:problem:conflict"

    def test_is_not_found_by_a_stranger(self, staff: Staff, clients: Clients, caller_of: Callers) -> None:
        response = caller_of(staff.cleo).put(f"/clients/{clients.sturdy.pk}", {"segment": "Mine"})
        assert response.status_code == 404
        assert Client.objects.get(pk=clients.sturdy.pk).segment == ""


class TestRenewalFactor:
    def test_appears_when_the_renewal_is_near_and_the_score_is_low(
        self, staff: Staff, scored: Clients, caller_of: Callers
    ) -> None:
        Client.objects.filter(pk=scored.sturdy.pk).update(next_renewal_date=NOW.date() + timedelta(days=30))
        factors = caller_of(staff.ada).get(f"/clients/{scored.sturdy.pk}").json()["ai_risk_factors"]
        assert factors[0] == {
            "factor": "renewal_approaching",
            "impact": "high",
            "detail": "Renewal in 30 days. With health 59.",
        }


class TestVocabulary:
    def test_offers_the_views_and_orders_that_the_list_knows(self) -> None:
        assert [view.value for view in View] == list(VIEWS)
        orders = TypeAdapter(SortWord)
        for word in (*SORTS, "m.reports_exported"):
            assert orders.validate_python(word) == word
            assert orders.validate_python(f"-{word}") == f"-{word}"
        for other in ("speed", "--score", "m.", "m.Reports", "score; drop"):
            with pytest.raises(ValidationError):
                orders.validate_python(other)
