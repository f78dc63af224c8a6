"""The bell, its menu, the page of notifications and the choice of kinds."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from bellwether.notifications.models import Notification
from bellwether.notifications.services import notify
from bellwether.staff.models import AuditEvent, StaffUser
from tests.conftest import NOW, Clients, Staff

pytestmark = pytest.mark.django_db
MENU = {"HX-Request": "true", "HX-Target": "bell-menu"}
LIST = {"HX-Request": "true", "HX-Target": "notifications"}


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def told(staff: Staff, clients: Clients) -> Clients:
    """Ada: a milestone of sturdy an hour ago, an import yesterday, something old about a client of Cleo's."""
    told_of = (("milestone", clients.sturdy, 1), ("import", None, 25), ("assigned", clients.elsewhere, 50))
    for kind, client, hours in told_of:
        href = reverse("client", args=[client.pk]) if client else ""
        at = NOW - timedelta(hours=hours)
        notify([staff.ada], kind=kind, key=kind, title=f"About {kind}", href=href, client=client, now=at)
    return clients


def signed_in(user: StaffUser) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def titles(response: Any) -> list[str]:
    return re.findall(r'<a href="/notifications/[^"]+/">(About \w+)</a>', response.content.decode())


def one(kind: str) -> Notification:
    return Notification.objects.get(kind=kind)


class TestBell:
    def test_counts_what_is_unread_and_seen_with_one_query(
        self, staff: Staff, told: Clients, django_assert_max_num_queries: Any
    ) -> None:
        browser = signed_in(staff.ada)
        page = browser.get(reverse("settings_notifications")).content.decode()
        assert '<span class="badge-dot" aria-hidden="true">2</span>' in page
        with django_assert_max_num_queries(6):  # session, user, what is due, alerts, the bell, when scores were made
            browser.get(reverse("settings_notifications"))
        Notification.objects.update(read_at=NOW)
        assert "badge-dot" not in browser.get(reverse("settings_notifications")).content.decode()

    def test_opens_a_menu_which_is_the_page_without_htmx(self, staff: Staff, told: Clients) -> None:
        browser = signed_in(staff.ada)
        assert titles(browser.get(reverse("notifications_menu"), headers=MENU)) == ["About milestone", "About import"]
        assert browser.get(reverse("notifications_menu")).headers["Location"] == reverse("notifications")
        logged = AuditEvent.objects.get(action="notification.list")
        assert logged.detail == {"count": 2}

    def test_is_told_apart_for_each_reader(self, staff: Staff, told: Clients) -> None:
        assert titles(signed_in(staff.cleo).get(reverse("notifications"))) == []


class TestReading:
    def test_opening_marks_as_read_and_goes_there(self, staff: Staff, told: Clients) -> None:
        answer = signed_in(staff.ada).get(reverse("notification_open", args=[one("milestone").pk]))
        assert answer.headers["Location"] == reverse("client", args=[told.sturdy.pk])
        assert one("milestone").read_at == NOW

    def test_read_unread_archive_restore(self, staff: Staff, told: Clients) -> None:
        browser, pk = signed_in(staff.ada), one("import").pk
        for action, read, archived in (
            ("read", True, False),
            ("unread", False, False),
            ("archive", True, True),
            ("archive", True, True),
            ("restore", True, False),
        ):
            assert browser.post(reverse("notification_act", args=[pk, action])).status_code == 302
            assert (one("import").read_at is not None, one("import").archived_at is not None) == (read, archived)
        assert browser.post(reverse("notification_act", args=[pk, "burn"])).status_code == 404
        assert browser.get(reverse("notification_act", args=[pk, "read"])).status_code == 405

    def test_all_at_once_only_what_one_sees(self, staff: Staff, told: Clients) -> None:
        browser = signed_in(staff.ada)
        browser.post(reverse("notifications_read_all"), {"kind": "milestone"})
        assert [one(kind).read_at for kind in ("milestone", "import")] == [NOW, None]
        browser.post(reverse("notifications_read_all"))
        assert [one(kind).read_at for kind in ("import", "assigned")] == [NOW, None]

    def test_others_and_those_of_unseen_clients_do_not_exist(self, staff: Staff, told: Clients) -> None:
        for user, kind in ((staff.cleo, "milestone"), (staff.ada, "assigned")):
            browser, pk = signed_in(user), one(kind).pk
            assert browser.get(reverse("notification_open", args=[pk])).status_code == 404
            assert browser.post(reverse("notification_act", args=[pk, "read"])).status_code == 404
            assert one(kind).read_at is None


class TestPage:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", ["About milestone", "About import"]),
            ("?kind=import", ["About import"]),
            ("?show=unread", ["About milestone"]),
            ("?show=archived", []),
            ("?show=nonsense&kind=gossip&page=99999999", ["About milestone", "About import"]),
        ],
        ids=["all", "kind", "unread", "archived", "nonsense"],
    )
    def test_filters(self, staff: Staff, told: Clients, query: str, expected: list[str]) -> None:
        Notification.objects.filter(kind="import").update(read_at=NOW)
        assert titles(signed_in(staff.ada).get(reverse("notifications") + query)) == expected

    def test_turns_pages_and_swaps_only_the_list(self, staff: Staff, clients: Clients) -> None:
        for n in range(53):
            notify([staff.ada], kind="import", key=str(n), title=f"About n{n}", now=NOW - timedelta(minutes=n))
        browser = signed_in(staff.ada)
        first = browser.get(reverse("notifications"), headers=LIST)
        assert len(titles(first)) == 50
        assert b"<html" not in first.content
        assert b"1 to 50 of 53 notifications" in first.content
        assert titles(browser.get(reverse("notifications") + "?page=2")) == ["About n50", "About n51", "About n52"]

    def test_needs_somebody(self) -> None:
        for name in ("notifications", "notifications_menu", "settings_notifications"):
            assert Browser().get(reverse(name)).status_code == 302


def test_kinds_can_be_turned_off_without_losing_other_preferences(staff: Staff) -> None:
    staff.ada.preferences = {"portfolio": {"sort": "name"}}
    staff.ada.save()
    browser = signed_in(staff.ada)
    browser.post(reverse("settings_notifications"), {"kind": ["milestone", "assigned", "gossip"]})
    staff.ada.refresh_from_db()
    off = staff.ada.preferences["notifications"]["off"]
    assert staff.ada.preferences["portfolio"] == {"sort": "name"}
    assert "follow_up" in off
    assert "milestone" not in off
    page = browser.get(reverse("settings_notifications")).content.decode()
    assert re.findall(r'name="kind" value="(\w+)" checked', page) == ["assigned", "milestone"]
