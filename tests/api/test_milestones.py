"""Milestones over the API: of a client, of all that one sees, and their celebration."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from bellwether.milestones.definitions import definitions
from bellwether.milestones.models import Milestone, MilestoneProgress
from bellwether.portfolio.models import Client
from tests.api.conftest import Caller
from tests.conftest import NOW, TODAY, Clients, Staff

pytestmark = pytest.mark.django_db
Callers = Callable[..., Caller]


def reach(client: Client, key: str, days: int) -> Milestone:
    made: Milestone = Milestone.objects.create(
        client=client, milestone_type=key, name=key, sentence=f"{client.name}: {key}", detected_at=NOW,
        achieved_on=TODAY - timedelta(days=days), detail={"value": 100, "target": 100},
    )  # fmt: skip
    return made


@pytest.fixture
def known(clients: Clients) -> Clients:
    definitions()
    reach(clients.sturdy, "cases_100", 3)
    reach(clients.sturdy, "go_live", 40)
    reach(clients.elsewhere, "go_live", 5)
    steps = [
        {"key": "cases_1000", "value": 500, "target": 1000, "share": 0.5, "expected_on": None},
        {"key": "no_longer_used", "value": 1, "target": 2, "share": 0.5, "expected_on": None},
    ]
    MilestoneProgress.objects.create(client=clients.sturdy, steps=steps, next_key="cases_1000", computed_at=NOW)
    return clients


def test_of_a_client(staff: Staff, known: Clients, caller_of: Callers) -> None:
    body = caller_of(staff.ada).get(f"/clients/{known.sturdy.pk}/milestones").json()
    assert [(one["milestone_type"], one["achieved_on"]) for one in body["reached"]] == [
        ("cases_100", "2026-06-27"), ("go_live", "2026-05-21"),
    ]  # fmt: skip
    assert body["coming"] == [
        {"milestone_type": "cases_1000", "name": "1,000th case", "value": 500.0, "target": 1000.0, "share": 0.5,
         "expected_on": None},
    ]  # fmt: skip
    assert caller_of(staff.cleo).get(f"/clients/{known.sturdy.pk}/milestones").status_code == 404


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Sturdy: cases_100", "Elsewhere: go_live", "Sturdy: go_live"]),
        ("?milestone_type=go_live", ["Elsewhere: go_live", "Sturdy: go_live"]),
        ("?since=2026-06-25&until=2026-06-25", ["Elsewhere: go_live"]),
        ("?celebrated=true", []),
        ("?limit=1&page=2", ["Elsewhere: go_live"]),
    ],
    ids=["all", "type", "days", "celebrated", "page"],
)
def test_lists_and_filters(staff: Staff, known: Clients, caller_of: Callers, query: str, expected: list[str]) -> None:
    body = caller_of(staff.vera).get(f"/milestones{query}").json()
    assert [one["sentence"] for one in body["data"]] == expected


def test_lists_only_what_one_sees_and_refuses_nonsense(staff: Staff, known: Clients, caller_of: Callers) -> None:
    assert caller_of(staff.cleo).get("/milestones").json()["pagination"]["total"] == 1
    assert caller_of(staff.cleo).get("/milestones?since=soon").status_code == 422


def test_celebrates_once(staff: Staff, known: Clients, caller_of: Callers) -> None:
    found = Milestone.objects.get(milestone_type="cases_100")
    first = caller_of(staff.ada).post(f"/milestones/{found.pk}/celebrate").json()
    assert (first["celebrated"], first["celebrated_by"]) == (True, "Ada Example")
    again = caller_of(staff.vera).post(f"/milestones/{found.pk}/celebrate").json()
    assert again == first
    assert caller_of(staff.cleo).post(f"/milestones/{found.pk}/celebrate").status_code == 404
    assert caller_of(staff.ada).post(f"/milestones/{uuid4()}/celebrate").status_code == 404
