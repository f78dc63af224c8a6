"""Licences of a client: changed, logged, undone, and the scores that follow."""

from datetime import date

import pytest
from auditlog.models import LogEntry

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.portfolio.models import ContractPeriod
from bellwether.staff.models import AuditEvent
from bellwether.usage.licence import NOTHING, Licence, first_affected
from bellwether.usage.licences import change_licences, effective_licences, licences_of, undo_licences
from bellwether.usage.models import DirtyScore, FeatureAdoption
from tests.conftest import NOW, TODAY, Clients, Staff

MARCH = date(2026, 3, 1)
SINCE_MARCH = Licence(is_licensed=True, licensed_at=MARCH, is_configured=False, configured_at=None)


@pytest.fixture
def analytics(clients: Clients) -> Clients:
    """Sturdy has Analytics by its contract since July 2025."""
    ContractPeriod.objects.create(
        client=clients.sturdy, external_id="t1", start_date=date(2024, 7, 1), licensed_modules=["Chatbot"]
    )
    ContractPeriod.objects.create(
        client=clients.sturdy, external_id="t2", start_date=date(2025, 7, 1), licensed_modules=["analytics", "Chatbot"]
    )
    return clients


def test_modules_say_what_is_licensed_until_features_do(analytics: Clients) -> None:
    found = effective_licences(analytics.sturdy, now=NOW)
    by_contract = Licence(is_licensed=True, licensed_at=date(2025, 7, 1), is_configured=True, configured_at=None)
    assert (found["report_exports"], found["dashboard_views"]) == (by_contract, by_contract)
    assert found["conversation_volume"].licensed_at == date(2024, 7, 1)
    assert found["api_calls"] == NOTHING


def test_the_first_change_keeps_what_modules_said(analytics: Clients, staff: Staff) -> None:
    before = effective_licences(analytics.sturdy, now=NOW)
    done = change_licences(analytics.sturdy, {"api_calls": SINCE_MARCH}, actor=staff.ada, now=NOW)
    assert done.keys == ["api_calls"]
    assert effective_licences(analytics.sturdy, now=NOW) == before | {"api_calls": SINCE_MARCH}
    assert sorted(DirtyScore.objects.values_list("date", flat=True))[0] == MARCH == done.due_from
    assert DirtyScore.objects.count() == (TODAY - MARCH).days + 1
    event = AuditEvent.objects.latest("seq")
    assert (event.action, event.client_id, list(event.detail)) == (
        "client.licences",
        analytics.sturdy.pk,
        ["api_calls"],
    )
    row = FeatureAdoption.objects.get(client=analytics.sturdy, feature_key="api_calls")
    assert LogEntry.objects.get_for_object(row).count() == 1


def test_the_same_again_changes_nothing(clients: Clients, staff: Staff) -> None:
    change_licences(clients.sturdy, {"api_calls": SINCE_MARCH}, actor=staff.ada, now=NOW)
    count = AuditEvent.objects.count()
    again = change_licences(clients.sturdy, {"api_calls": SINCE_MARCH}, actor=staff.ada, now=NOW)
    assert (again.keys, again.undo, AuditEvent.objects.count()) == ([], "", count)


def test_undo_puts_everything_back_once(analytics: Clients, staff: Staff) -> None:
    done = change_licences(analytics.sturdy, {"api_calls": SINCE_MARCH}, actor=staff.ada, now=NOW)
    undone = undo_licences(analytics.sturdy, done.undo, actor=staff.ada, now=NOW)
    assert "api_calls" in undone.keys
    assert licences_of(analytics.sturdy) == {}
    assert undo_licences(analytics.sturdy, done.undo, actor=staff.ada, now=NOW).keys == []


def test_undo_is_for_its_own_client(clients: Clients, staff: Staff) -> None:
    done = change_licences(clients.sturdy, {"api_calls": SINCE_MARCH}, actor=staff.ada, now=NOW)
    for token in (done.undo + "x", "", "nonsense"):
        with pytest.raises(InvalidInputError):
            undo_licences(clients.sturdy, token, actor=staff.ada, now=NOW)
    with pytest.raises(InvalidInputError):
        undo_licences(clients.fading, done.undo, actor=staff.ada, now=NOW)


def test_refuses_unknown_features_old_dates_and_archived_clients(clients: Clients, staff: Staff) -> None:
    old = Licence(is_licensed=True, licensed_at=date(1980, 1, 1), is_configured=True, configured_at=None)
    with pytest.raises(InvalidInputError) as caught:
        change_licences(clients.sturdy, {"teleport": SINCE_MARCH, "api_calls": old}, actor=staff.ada, now=NOW)
    assert sorted(caught.value.errors) == ["api_calls.licensed_at", "teleport"]
    with pytest.raises(ConflictError):
        change_licences(clients.gone, {"api_calls": SINCE_MARCH}, actor=staff.ada, now=NOW)
    assert not FeatureAdoption.objects.exists()


@pytest.mark.parametrize(
    ("old", "new", "first"),
    [
        (NOTHING, SINCE_MARCH, MARCH),
        (SINCE_MARCH, NOTHING, TODAY),
        (SINCE_MARCH, Licence(True, date(2026, 2, 1), False, None), date(2026, 2, 1)),
        (SINCE_MARCH, Licence(True, None, False, None), None),
        (SINCE_MARCH, Licence(True, MARCH, True, date(2026, 4, 1)), date(2026, 4, 1)),
        (SINCE_MARCH, SINCE_MARCH, TODAY),
    ],
    ids=["licensed", "no longer", "earlier", "always", "set up", "the same"],
)
def test_knows_the_first_day_that_differs(old: Licence, new: Licence, first: date | None) -> None:
    assert first_affected(old, new, TODAY) == first
