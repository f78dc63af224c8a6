"""Telling people once, and showing them only what is about clients that they see."""

import pytest

from bellwether.notifications.kinds import turned_off, with_off
from bellwether.notifications.models import Notification
from bellwether.notifications.services import Draft, notify, notify_all
from tests.conftest import NOW, Clients, Staff


def tell(staff: Staff, clients: Clients, **changes: object) -> int:
    values = {"kind": "milestone", "key": "sturdy:first_login", "title": "First sign-in", "client": clients.sturdy}
    return notify([staff.ada, staff.vera], **{**values, "now": NOW, **changes})  # type: ignore[arg-type]


def test_the_same_thing_is_told_once(staff: Staff, clients: Clients) -> None:
    assert tell(staff, clients) == 2
    Notification.objects.update(read_at=NOW, archived_at=NOW)
    assert tell(staff, clients, title="Another title") == 0
    assert tell(staff, clients, key="sturdy:go_live") == 2
    assert Notification.objects.count() == 4


def test_who_turned_a_kind_off_or_left_is_told_nothing(staff: Staff, clients: Clients) -> None:
    staff.ada.preferences = with_off({"portfolio": {"sort": "name"}}, ["milestone", "nonsense"])
    staff.ada.save()
    assert staff.ada.preferences == {"portfolio": {"sort": "name"}, "notifications": {"off": ["milestone"]}}
    staff.vera.is_active = False
    staff.vera.save()
    assert tell(staff, clients) == 0
    assert tell(staff, clients, kind="assigned") == 1


def test_a_client_that_one_no_longer_sees_is_no_longer_shown(staff: Staff, clients: Clients) -> None:
    tell(staff, clients)
    tell(staff, clients, kind="import", key="run", client=None)
    assert Notification.objects.visible_to(staff.ada).unread().count() == 2
    clients.sturdy.csm_user = staff.cleo
    clients.sturdy.save()
    assert [one.kind for one in Notification.objects.visible_to(staff.ada)] == ["import"]
    assert Notification.objects.visible_to(staff.vera).count() == 2
    assert not Notification.objects.visible_to(staff.cleo).exists()
    staff.vera.is_active = False
    assert not Notification.objects.visible_to(staff.vera).exists()


def test_many_are_stored_in_a_fixed_number_of_queries(
    staff: Staff, clients: Clients, django_assert_max_num_queries: object
) -> None:
    drafts = [
        Draft(user_id=staff.ada.pk, kind="follow_up", key=str(n), title=f"Follow-up {n}", client_id=clients.sturdy.pk)
        for n in range(400)
    ]
    with django_assert_max_num_queries(10):  # type: ignore[operator]  # SQLite takes about 90 rows an insert
        assert notify_all(drafts + drafts, now=NOW) == 400


@pytest.mark.parametrize(
    "changes",
    [{"kind": "gossip"}, {"key": ""}, {"href": "https://elsewhere.example/"}, {"href": "//elsewhere.example/"}],
    ids=["kind", "key", "address", "protocol-relative"],
)
def test_what_cannot_be_told_is_refused(staff: Staff, clients: Clients, changes: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        tell(staff, clients, **changes)


@pytest.mark.parametrize("kept", [{}, {"notifications": []}, {"notifications": {"off": "milestone"}}])
def test_preferences_of_another_shape_turn_nothing_off(kept: dict[str, object]) -> None:
    assert turned_off(kept) == frozenset()
