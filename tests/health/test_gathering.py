"""Facts of clients: the same from the page's records, one client and many."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bellwether.health.client_facts import ClientFacts
from bellwether.health.configs import active_config
from bellwether.health.gathering import facts_of_client, facts_of_clients, row_facts
from bellwether.health.models import HealthScore
from bellwether.health.scorecard import load_scorecard
from bellwether.portfolio.models import Activity, Client, Contact, SupportTicket
from tests.conftest import NOW, TODAY, Clients

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("UTC")
CARD = load_scorecard("prd-015")
WEIGHTS = {"usage": 25, "adoption": 20, "support": 15, "relationship": 15, "contract": 15, "outcome": 10}


def score(client: Client, days_back: int = 0, value: int | None = 60, **fields: Any) -> HealthScore:
    values: dict[str, Any] = {
        "scorecard": "prd-015", "overall_score": value, "coverage": 1.0, "components": dict.fromkeys(WEIGHTS, value),
        "inputs": {"mau": 12}, "weights_snapshot": WEIGHTS, "weights_version": "prd-015 v1", "created_at": NOW,
    }  # fmt: skip
    row: HealthScore = HealthScore.objects.create(
        client=client, date=TODAY - timedelta(days=days_back), **(values | fields)
    )
    return row


@pytest.fixture
def known(clients: Clients) -> Client:
    """Sturdy with a score that fell by 20 in 30 days, a champion, two tickets of which one is solved, and calls."""
    client = clients.sturdy
    score(client, 30, 80)
    score(client)
    Contact.objects.create(client=client, name="Mara", role="CHAMPION", last_platform_login=NOW - timedelta(days=21))
    SupportTicket.objects.create(client=client, external_id="1", subject="Export", priority="urgent", opened_at=NOW)
    SupportTicket.objects.create(client=client, external_id="2", opened_at=NOW, status="solved")
    for number, (days, kind) in enumerate(((50, "QBR"), (60, "CALL"), (5, "INTERNAL_DISCUSSION"))):
        at = NOW - timedelta(days=days)
        Activity.objects.create(
            client=client, external_id=f"a{number}", activity_type=kind, subject="x", occurred_at=at, completed_at=at
        )
    Activity.objects.create(client=client, external_id="planned", activity_type="CALL", subject="x", occurred_at=NOW)
    Client.objects.filter(pk=client.pk).update(
        scored_on=TODAY, current_health_score=60, health_status="MONITOR", health_trend="DOWN", health_trend_change=-20,
        health_components=dict.fromkeys(WEIGHTS, 60), health_coverage=1.0, last_csm_contact_at=NOW - timedelta(days=50),
        last_activity_at=NOW, payment_status="late",
    )  # fmt: skip
    client.refresh_from_db()
    return client


def of_one(client: Client) -> ClientFacts:
    row = HealthScore.objects.filter(client=client).order_by("-date").first()
    return facts_of_client(client, row, CARD, now=NOW, zone=ZONE)


class TestFactsOfClient:
    def test_gather_records_and_the_newest_score(self, known: Client) -> None:
        facts = of_one(known)
        assert (facts.score, facts.status, facts.trend, facts.coverage) == (60, "Monitor", "DOWN", 1.0)
        assert (facts.change, facts.change_days) == (-20, 30)
        assert {(cause.label, round(cause.effect, 6)) for cause in facts.causes} >= {
            ("Usage", -5.0),
            ("Outcomes", -2.0),
        }
        assert (facts.contact_days, facts.contact_label) == (50, "Quarterly business review")
        assert [(person.name, person.login_days, person.is_champion) for person in facts.people] == [("Mara", 21, True)]
        assert [ticket.subject for ticket in facts.open_tickets] == ["Export"]
        assert (facts.payment, facts.quiet_days, facts.number("mau")) == ("late", 0, 12.0)

    def test_say_nothing_of_a_change_without_an_earlier_score(self, clients: Clients) -> None:
        score(clients.fading)
        assert of_one(clients.fading).change is None

    def test_know_no_score_before_the_first(self, clients: Clients) -> None:
        facts = of_one(clients.fading)
        assert (facts.score, facts.components, facts.inputs, facts.ended) == (None, (), {}, False)
        assert of_one(clients.gone).ended

    def test_name_the_components_without_data(self, clients: Clients) -> None:
        score(clients.fading, components=dict.fromkeys(WEIGHTS, 50.0) | {"outcome": None}, coverage=0.9)
        facts = of_one(clients.fading)
        assert "Outcomes" in facts.missing
        assert "Outcomes" not in dict(facts.components)

    def test_read_points_as_a_share_of_their_top(self, clients: Clients) -> None:
        card = load_scorecard("suppliers")
        first = card.components[0]
        row = score(clients.fading, components={first.key: first.weight / 2}, scorecard="suppliers")
        facts = facts_of_client(clients.fading, row, card, now=NOW, zone=ZONE)
        assert facts.components == ((first.label, 50),)


class TestFactsOfClients:
    def test_are_those_of_one_client_but_for_the_causes(self, known: Client, clients: Clients) -> None:
        config = active_config("prd-015", now=NOW)
        found = facts_of_clients([known, clients.fading], config, now=NOW, zone=ZONE)
        assert found[known.pk] == replace(of_one(known), causes=())
        assert found[clients.fading.pk].score is None

    def test_take_the_same_number_of_queries_for_any_number(self, known: Client, clients: Clients) -> None:
        config = active_config("prd-015", now=NOW)
        for few in ([known], [known, clients.fading, clients.newborn, clients.elsewhere]):
            with CaptureQueriesContext(connection) as captured:
                facts_of_clients(few, config, now=NOW, zone=ZONE)
            assert len(captured) == 4

    def test_ask_nothing_for_nobody(self) -> None:
        config = active_config("prd-015", now=NOW)
        with CaptureQueriesContext(connection) as captured:
            assert facts_of_clients([], config, now=NOW, zone=ZONE) == {}
        assert len(captured) == 0


class TestRowFacts:
    def test_say_what_the_row_says_without_a_query(self, known: Client) -> None:
        with CaptureQueriesContext(connection) as captured:
            facts = row_facts(known, CARD, today=TODAY, zone=ZONE)
        assert len(captured) == 0
        assert (facts.score, facts.change, facts.change_days, facts.contact_days) == (60, -20, 30, 50)
        assert dict(facts.components)["Usage"] == 60
        assert facts.people == ()

    def test_name_the_day_before_where_the_trend_is_against_the_previous_score(self, known: Client) -> None:
        assert row_facts(known, load_scorecard("operations"), today=TODAY, zone=ZONE).change_days == 1
