"""A source that goes away makes no score better, however the days are split into passes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bellwether.common.progress import NoProgress
from bellwether.health.models import HealthScore
from bellwether.health.services import score_dates
from bellwether.health.verifying import verify_scores
from bellwether.portfolio.models import Activity, Client, Contact, ContractPeriod, SupportTicket, SurveyResponse
from bellwether.usage.lake import Lake
from tests.conftest import NOW, TODAY, Clients
from tests.health.test_services import INSTANT, records, usage  # noqa: F401 (fixtures)

pytestmark = pytest.mark.django_db
LOST_FROM = TODAY - timedelta(days=3)
BEFORE = [TODAY - timedelta(days=n) for n in range(8, 3, -1)]
AFTER = [TODAY - timedelta(days=n) for n in range(3, -1, -1)]


def run(*days: Any, **options: Any) -> int:
    return score_dates(days, now=NOW, progress=NoProgress(), **options).changed


def scores(since: Any = LOST_FROM) -> dict[Any, Any]:
    rows = HealthScore.objects.filter(date__gte=since)
    return {(row.client_id, row.date): (row.overall_score, row.inputs, row.components, row.seal) for row in rows}


def remove_usage(lake: Lake) -> None:
    for path in lake.root.rglob("*.parquet"):
        path.unlink()


SOURCES: dict[str, Callable[[Lake], Any]] = {
    "tickets": lambda lake: SupportTicket.objects.all().delete(),
    "surveys": lambda lake: SurveyResponse.objects.all().delete(),
    "activities": lambda lake: (
        Activity.client_contacts.through.objects.all().delete(),
        Activity.objects.all().delete(),
    ),
    "contacts": lambda lake: (Activity.client_contacts.through.objects.all().delete(), Contact.objects.all().delete()),
    "contracts": lambda lake: (
        ContractPeriod.objects.all().delete(),
        Client.objects.update(licensed_user_count=None, licensed_modules=[]),
    ),
    "readings": lambda lake: Client.objects.update(payment_status=None, renewal_probability=None),
    "usage": remove_usage,
}


@pytest.fixture
def troubled(clients: Clients, usage: Lake, records: None) -> Lake:  # noqa: F811
    """Bad news from every source for one of the clients at least."""
    for number in range(6):
        SupportTicket.objects.create(
            client=clients.sturdy, priority="urgent", opened_at=INSTANT, external_id=f"u{number}"
        )
    SurveyResponse.objects.create(client=clients.sturdy, kind="CSAT", score=5, answered_at=INSTANT)
    SurveyResponse.objects.create(client=clients.fading, kind="NPS", score=1, respondent="x", answered_at=INSTANT)
    Contact.objects.create(client=clients.fading, name="Lee Example", role="CHAMPION")
    Client.objects.filter(pk=clients.fading.pk).update(payment_status="overdue", renewal_probability=5)
    return usage


@pytest.mark.parametrize("source", SOURCES)
def test_no_score_rises_when_a_source_goes_away(source: str, clients: Clients, troubled: Lake) -> None:
    run(*BEFORE)
    run(*AFTER)
    frozen = {key: value[0] for key, value in scores(BEFORE[0]).items()}
    last = {client: score for (client, day), score in frozen.items() if day == BEFORE[-1]}
    HealthScore.objects.filter(date__gte=LOST_FROM).delete()
    SOURCES[source](troubled)
    run(*AFTER)
    after = scores()
    assert after
    for (client, day), (score, *_) in after.items():
        assert score is None or last[client] is None or score <= max(last[client], frozen[client, day] or 0), day
    assert verify_scores(sample=None, seed=1).faults == []


class TestHeldValues:
    def test_are_the_last_known_ones_with_their_day(self, clients: Clients, troubled: Lake) -> None:
        run(*BEFORE)
        before = HealthScore.objects.get(client=clients.sturdy, date=BEFORE[-1])
        SOURCES["tickets"](troubled)
        run(*AFTER)
        for day in AFTER:
            row = HealthScore.objects.get(client=clients.sturdy, date=day)
            assert "ticket_points_30d" not in row.inputs
            assert row.inputs["ticket_points_30d.held"] == before.inputs["ticket_points_30d"] == 48
            assert row.inputs["ticket_points_30d.held_since"] == BEFORE[-1].isoformat()
            assert row.components["support"] == before.components["support"]
            assert day == TODAY or row.overall_score == before.overall_score  # today cases were closed
            assert row.component_data["support"]["coverage"] == 0.3  # CSAT is still there

    def test_make_no_score_where_there_is_none(self, clients: Clients, troubled: Lake) -> None:
        """A client with too little data has no score, whatever is held for it."""
        run(*BEFORE)
        SOURCES["tickets"](troubled)
        SurveyResponse.objects.filter(kind="CSAT").delete()
        run(*AFTER)
        row = HealthScore.objects.get(client=clients.elsewhere, date=TODAY)
        assert row.overall_score is None

    def test_end_when_data_return(self, clients: Clients, troubled: Lake) -> None:
        run(*BEFORE)
        SOURCES["tickets"](troubled)
        run(*AFTER[:2])
        SupportTicket.objects.create(
            client=clients.fading, priority="low", opened_at=NOW - timedelta(days=1), external_id="new"
        )
        run(*AFTER[2:])
        row = HealthScore.objects.get(client=clients.sturdy, date=TODAY)
        assert (row.inputs["ticket_points_30d"], "ticket_points_30d.held" in row.inputs) == (0, False)

    def test_are_not_made_of_a_value_that_expires_for_one_client(self, clients: Clients, troubled: Lake) -> None:
        SurveyResponse.objects.create(client=clients.fading, kind="CSAT", score=1, answered_at=NOW - timedelta(days=92))
        run(*BEFORE, *AFTER)
        row = HealthScore.objects.get(client=clients.fading, date=TODAY)
        assert not [name for name in row.inputs if name.startswith("csat_90d")]

    @pytest.mark.parametrize("order", ["at once", "day by day", "backwards", "one client first", "everything again"])
    def test_do_not_depend_on_the_passes(self, order: str, clients: Clients, troubled: Lake) -> None:
        run(*BEFORE)
        SOURCES["tickets"](troubled)
        run(*AFTER)
        wanted = scores(BEFORE[0])
        HealthScore.objects.filter(date__gte=LOST_FROM).delete()
        if order == "at once":
            run(*AFTER)
        elif order == "day by day":
            for day in AFTER:
                run(day)
        elif order == "backwards":
            run(*AFTER)
            for day in reversed(AFTER):
                run(day)
        elif order == "one client first":
            run(*AFTER, client_ids=[clients.sturdy.pk])
            run(*AFTER)
        else:
            run(*AFTER)
            assert {key: value[0] for key, value in scores(BEFORE[0]).items()} == {
                key: value[0] for key, value in wanted.items()
            }
            run(*BEFORE, *AFTER)  # what was stored on the days before is the evidence: nothing is lifted
            assert {key: value[0] for key, value in scores(BEFORE[0]).items()} == {
                key: value[0] for key, value in wanted.items()
            }
            return
        assert scores(BEFORE[0]) == wanted
