"""The form of an activity, the agenda and the page of one activity, as staff get them."""

import csv
import io
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.test import Client as Browser
from django.urls import reverse

from bellwether.portfolio.models import Activity, Change, Client, Contact, SupportTicket
from bellwether.staff.models import AuditEvent, StaffUser
from tests.conftest import NOW, TODAY, Clients, Staff

pytestmark = pytest.mark.django_db
TARGET = {"HX-Request": "true", "HX-Target": "dialog"}
GIVEN: dict[str, Any] = {"activity_type": "CALL", "subject": "Renewal talk", "occurred_at": "2026-06-29T10:00"}


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


def signed_in(user: StaffUser) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def form_of(client: Client, query: str = "") -> str:
    return reverse("client_activity_new", args=[client.pk]) + query


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def had(client: Client, by: StaffUser | None, days: int = 2, **fields: Any) -> Activity:
    at = NOW - timedelta(days=days)
    kept: dict[str, Any] = {"activity_type": "CALL", "subject": "Call", "occurred_at": at, "completed_at": at}
    return Activity.objects.create(client=client, performed_by=by, **(kept | fields))


class TestForm:
    def test_is_filled_with_what_is_likely(self, staff: Staff, clients: Clients) -> None:
        mara = Contact.objects.create(client=clients.fading, name="Mara", is_primary=True)
        Contact.objects.create(client=clients.fading, name="Gone", left_company_at=NOW)
        page = signed_in(staff.ada).get(form_of(clients.fading)).content.decode()
        assert 'value="2026-06-30T12:00"' in page
        assert f'name="contacts" value="{mara.pk}" checked' in page
        assert 'name="activity_type" value="CALL" data-minutes="30" checked' in page
        assert "Gone" not in page

    def test_takes_type_plan_and_contact_from_the_address(self, staff: Staff, clients: Clients) -> None:
        other = Contact.objects.create(client=clients.fading, name="Other")
        query = f"?type=qbr&schedule=1&contact={other.pk}"
        page = signed_in(staff.ada).get(form_of(clients.fading, query)).content.decode()
        assert "Schedule activity" in page
        assert re.search(r'value="QBR"[^>]* checked', page)
        assert f'value="{other.pk}" checked' in page
        assert 'value="2026-07-01T10:00"' in page

    def test_stores_what_the_type_has(self, staff: Staff, clients: Clients) -> None:
        ticket = SupportTicket.objects.create(client=clients.fading, opened_at=NOW)
        given = GIVEN | {
            "activity_type": "TRAINING", "topic": "Reports", "decisions": "Hidden", "ticket": str(ticket.pk),
            "tags": ["check-in"], "more_tags": "renewal, ", "label": "check-in", "follow_up": "on",
            "follow_up_when": "two_weeks", "follow_up_text": "Send slides", "remind": "2",
        }  # fmt: skip
        answer = signed_in(staff.ada).post(form_of(clients.fading), given)
        kept = Activity.objects.get()
        assert answer.headers["Location"] == reverse("client", args=[clients.fading.pk])
        assert (kept.details, kept.ticket, kept.label) == ({"topic": "Reports"}, None, "")
        assert kept.tags == ["check-in", "renewal"]
        assert kept.follow_up_date == TODAY + timedelta(days=14)
        assert kept.follow_up_remind_on == TODAY + timedelta(days=12)

    def test_reads_times_in_the_zone_of_the_reader(self, staff: Staff, clients: Clients) -> None:
        StaffUser.objects.filter(pk=staff.ada.pk).update(time_zone="America/New_York")
        signed_in(staff.ada).post(form_of(clients.fading), GIVEN)
        assert Activity.objects.get().occurred_at == datetime(2026, 6, 29, 10, tzinfo=ZoneInfo("America/New_York"))

    def test_says_what_is_wrong_beside_the_field(self, staff: Staff, clients: Clients) -> None:
        browser = signed_in(staff.ada)
        answer = browser.post(form_of(clients.fading), GIVEN | {"occurred_at": "2026-07-29T10:00"}, headers=TARGET)
        assert answer.status_code == 422
        assert 'id="activity-occurred_at-error"' in answer.content.decode()
        assert 'value="Renewal talk"' in answer.content.decode()
        for wrong in ({"occurred_at": "soon"}, {"contacts": [str(uuid4())]}, {"activity_type": "CHAT"}):
            assert browser.post(form_of(clients.fading), GIVEN | wrong).status_code == 422
        assert not Activity.objects.exists()

    def test_sent_twice_is_stored_once(self, staff: Staff, clients: Clients) -> None:
        browser, given = signed_in(staff.ada), GIVEN | {"key": str(uuid4())}
        for _ in range(2):
            assert browser.post(form_of(clients.fading), given).status_code == 302
        assert (Activity.objects.count(), Change.objects.count()) == (1, 1)

    def test_stays_open_for_another(self, staff: Staff, clients: Clients) -> None:
        browser = signed_in(staff.ada)
        answer = browser.post(form_of(clients.fading), GIVEN | {"another": "1"}, headers=TARGET)
        assert "Call with Fading logged." in text_of(answer)
        assert 'value="Renewal talk"' not in answer.content.decode()
        plain = browser.post(form_of(clients.fading, "?next=/follow-ups/"), GIVEN | {"another": "1"})
        assert plain.headers["Location"].startswith(form_of(clients.fading))
        assert "next=%2Ffollow-ups%2F" in plain.headers["Location"]

    def test_keeps_where_it_came_from(self, staff: Staff, clients: Clients) -> None:
        browser = signed_in(staff.ada)
        browser.post(form_of(clients.fading, "?from=alert:12"), GIVEN)
        made = Activity.objects.get()
        assert made.details == {"from": "alert:12"}
        browser.post(reverse("client_activity_edit", args=[clients.fading.pk, made.pk]), GIVEN | {"subject": "New"})
        made.refresh_from_db()
        assert (made.subject, made.details) == ("New", {"from": "alert:12"})
        browser.post(form_of(clients.fading, "?from=<script>"), GIVEN)
        assert Activity.objects.exclude(pk=made.pk).get().details == {}

    def test_is_not_for_archived_clients(self, staff: Staff, clients: Clients) -> None:
        assert "is archived" in text_of(signed_in(staff.ada).post(form_of(clients.gone), GIVEN))
        assert not Activity.objects.exists()


class TestPick:
    def test_offers_clients_that_are_seen(self, staff: Staff, clients: Clients) -> None:
        had(clients.sturdy, staff.ada)
        text = text_of(signed_in(staff.ada).get(reverse("activity_new")))
        assert text.index("Sturdy") < text.index("Fading")
        assert "Elsewhere" not in text
        assert "Gone" not in text

    def test_searches(self, staff: Staff, clients: Clients) -> None:
        browser = signed_in(staff.ada)
        found = browser.get(
            reverse("activity_new"), {"search": "fad", "type": "EMAIL", "schedule": "1"}
        ).content.decode()
        assert f"{form_of(clients.fading)}?type=EMAIL&amp;schedule=1" in found
        assert "No client of yours" in text_of(browser.get(reverse("activity_new"), {"search": "elsewhere"}))

    def test_goes_to_the_client_that_is_named(self, staff: Staff, clients: Clients) -> None:
        answer = signed_in(staff.ada).get(reverse("activity_new"), {"client": str(clients.fading.pk)})
        assert answer.headers["Location"] == f"{form_of(clients.fading)}?type=CALL"


class TestChange:
    def test_completes_what_was_planned(self, staff: Staff, clients: Clients) -> None:
        planned = had(clients.fading, staff.ada, -1, completed_at=None, scheduled_for=NOW)
        address = reverse("client_activity_complete", args=[clients.fading.pk, planned.pk])
        browser = signed_in(staff.ada)
        assert 'value="2026-06-30T12:00"' in browser.get(address).content.decode()
        browser.post(address, GIVEN | {"occurred_at": "2026-06-30T11:30", "outcome": "ISSUE_IDENTIFIED"})
        planned.refresh_from_db()
        assert (planned.completed_at, planned.outcome) == (NOW - timedelta(minutes=30), "ISSUE_IDENTIFIED")
        assert "completed already" in text_of(browser.post(address, GIVEN))

    def test_moves_plans_and_follow_ups(self, staff: Staff, clients: Clients) -> None:
        planned = had(clients.fading, staff.ada, -1, completed_at=None, scheduled_for=NOW)
        browser = signed_in(staff.ada)
        move = reverse("client_activity_move", args=[clients.fading.pk, planned.pk])
        assert browser.post(move, {"to": "2026-07-08T09:00"}).status_code == 302
        assert browser.post(move, {"to": "2026-06-08T09:00"}).status_code == 422
        assert browser.post(move, {"to": "soon"}).status_code == 422
        planned.refresh_from_db()
        assert f"{planned.scheduled_for:%d %H}" == "08 09"
        promised = had(clients.fading, staff.ada, follow_up_required=True, follow_up_date=TODAY)
        move = reverse("client_follow_up_move", args=[clients.fading.pk, promised.pk])
        assert browser.post(move, {"when": "week"}).status_code == 302
        assert browser.post(move, {"when": "date", "date": "x"}).status_code == 422
        promised.refresh_from_db()
        assert promised.follow_up_date == TODAY + timedelta(days=7)

    def test_ticks_off_archives_and_undoes(self, staff: Staff, clients: Clients) -> None:
        promised = had(clients.fading, staff.ada, follow_up_required=True, follow_up_date=TODAY)
        browser = signed_in(staff.ada)
        for action in ("follow-up-done", "follow-up-open", "archive"):
            browser.post(reverse("client_activity_act", args=[clients.fading.pk, promised.pk, action]))
        promised.refresh_from_db()
        assert (promised.follow_up_completed_at, promised.archived_at) == (None, NOW)
        change = Change.objects.get(kind="activity.archived")
        browser.post(reverse("change_undo", args=[change.pk]))
        promised.refresh_from_db()
        assert promised.archived_at is None
        assert (
            browser.post(reverse("client_activity_act", args=[clients.fading.pk, promised.pk, "x"])).status_code == 404
        )

    def test_those_of_others_do_not_exist(self, staff: Staff, clients: Clients) -> None:
        made, browser = had(clients.fading, staff.ada), signed_in(staff.cleo)
        of = [clients.fading.pk, made.pk]
        pages = ("client_activity", "client_activity_edit", "client_activity_complete", "client_activity_move")
        assert {browser.get(reverse(name, args=of)).status_code for name in pages} == {404}
        assert browser.get(form_of(clients.fading)).status_code == 404
        assert browser.post(form_of(clients.fading), GIVEN).status_code == 404
        assert browser.post(reverse("client_activity_act", args=[*of, "archive"])).status_code == 404
        elsewhere = reverse("client_activity", args=[clients.sturdy.pk, made.pk])
        assert signed_in(staff.ada).get(elsewhere).status_code == 404


class TestPage:
    def test_shows_everything_and_its_history(self, staff: Staff, clients: Clients) -> None:
        browser = signed_in(staff.ada)
        given = GIVEN | {
            "activity_type": "QBR", "decisions": "Two more sites", "meeting_type": "review", "description": "Went well",
            "follow_up": "on", "follow_up_when": "tomorrow", "follow_up_text": "Send the offer", "tags": ["check-in"],
        }  # fmt: skip
        browser.post(form_of(clients.fading), given)
        made = Activity.objects.get()
        browser.post(
            reverse("client_activity_edit", args=[clients.fading.pk, made.pk]),
            given | {"subject": "Quarterly review", "outcome": "RISK_IDENTIFIED"},
        )
        text = text_of(browser.get(reverse("client_activity", args=[clients.fading.pk, made.pk])))
        for part in ("Two more sites", "Review", "Went well", "Send the offer", "Tomorrow", "check-in"):
            assert part in text
        assert "Changed by Ada Example" in text
        assert "Subject: Renewal talk Quarterly review Outcome: Risk identified" in text
        assert "Recorded by Ada Example" in text
        assert AuditEvent.objects.filter(action="activity.read", object_id=str(made.pk)).count() == 1


@pytest.fixture
def due(staff: Staff, clients: Clients) -> None:
    asked: dict[str, Any] = {"follow_up_required": True}
    had(clients.fading, staff.ada, follow_up_date=TODAY - timedelta(days=3), follow_up_text="Call back", **asked)
    had(clients.sturdy, staff.ada, follow_up_date=TODAY, follow_up_text='=HYPERLINK("x")', **asked)
    had(clients.sturdy, staff.ada, -9, completed_at=None, subject="Workshop")
    had(clients.elsewhere, staff.cleo, follow_up_date=TODAY, follow_up_text="Not hers", **asked)


class TestAgenda:
    def test_says_what_is_due_when(self, staff: Staff, due: None) -> None:
        text = text_of(signed_in(staff.ada).get(reverse("follow_ups")))
        assert "1 overdue, 1 due today." in text
        assert "3 days overdue" in text
        assert text.index("Call back") < text.index("HYPERLINK") < text.index("Workshop")
        assert "Not hers" not in text
        assert "Follow-ups 2 due" in text

    @pytest.mark.parametrize(
        ("query", "shown", "hidden"),
        [
            ("?when=overdue", "Call back", "Workshop"),
            ("?kind=planned", "Workshop", "Call back"),
            ("?search=sturdy", "Workshop", "Call back"),
            ("?kind=nonsense&when=never&person=x", "Workshop", "Not hers"),
            ("?search=nobody", "Nothing matches these filters", "Workshop"),
        ],
        ids=["when", "kind", "search", "nonsense", "nothing"],
    )
    def test_filters_by_the_address(self, staff: Staff, due: None, query: str, shown: str, hidden: str) -> None:
        text = text_of(signed_in(staff.ada).get(reverse("follow_ups") + query))
        assert shown in text
        assert hidden not in text

    def test_of_a_vp_is_everyones(self, staff: Staff, due: None) -> None:
        browser = signed_in(staff.vera)
        assert "Not hers" in text_of(browser.get(reverse("follow_ups")))
        assert "Nothing is due" in text_of(browser.get(reverse("follow_ups") + "?whose=mine"))
        assert "Call back" not in text_of(browser.get(f"{reverse('follow_ups')}?person={staff.cleo.pk}"))

    def test_exports_safely(self, staff: Staff, due: None) -> None:
        body = signed_in(staff.ada).get(reverse("follow_ups_export")).content.decode()
        rows = list(csv.DictReader(io.StringIO(body)))
        assert [(row["state"], row["client"]) for row in rows] == [
            ("overdue", "Fading"),
            ("today", "Sturdy"),
            ("later", "Sturdy"),
        ]
        assert rows[1]["what"] == '\'=HYPERLINK("x")'

    def test_takes_a_fixed_number_of_queries(
        self, staff: Staff, clients: Clients, django_assert_max_num_queries: Any
    ) -> None:
        for number in range(40):
            had(clients.fading, staff.ada, follow_up_required=True, follow_up_date=TODAY + timedelta(days=number))
        browser = signed_in(staff.ada)
        browser.get(reverse("follow_ups"))
        with django_assert_max_num_queries(18):
            browser.get(reverse("follow_ups"))

    def test_stands_on_the_clients_page(self, staff: Staff, clients: Clients, due: None) -> None:
        text = text_of(signed_in(staff.ada).get(reverse("client", args=[clients.fading.pk])))
        assert "Planned and promised All 1 Call back" in text
        assert "Nothing is planned" in text_of(signed_in(staff.ada).get(reverse("client", args=[clients.newborn.pk])))
