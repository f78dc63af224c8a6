"""The support tab, the tickets of all clients, and how contracts ended, as staff get them."""

import csv
import io
import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from bellwether.portfolio.models import Change, Client, ClientOutcome, Contact, SupportTicket, SurveyResponse
from bellwether.staff.models import AuditEvent, StaffUser
from tests.conftest import Clients, Staff

pytestmark = pytest.mark.django_db
SWAP = {"HX-Request": "true", "HX-Target": "tickets"}


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def client(clients: Clients, now: datetime) -> Client:
    """The sturdy client with a ticket that waits, two that are solved, and answers to surveys."""
    mara = Contact.objects.create(client=clients.sturdy, name="Mara Lindqvist")
    for days, priority, status in ((2, "urgent", "open"), (20, "low", "solved"), (45, "low", "closed")):
        at = now - timedelta(days=days)
        SupportTicket.objects.create(
            client=clients.sturdy, subject=f"Fault of {days} days", external_id=f"T-{days}", priority=priority,
            status=status, opened_at=at, solved_at=None if status == "open" else at + timedelta(hours=6),
            first_response_minutes=30, contact=mara,
        )  # fmt: skip
    for kind, score, scale, contact in (("NPS", 9, "", mara), ("NPS", 3, "", None), ("CSAT", 75, "1-5", mara)):
        SurveyResponse.objects.create(
            client=clients.sturdy, kind=kind, score=score, scale=scale, contact=contact, comment=f"About {kind}",
            answered_at=now - timedelta(days=3),
        )  # fmt: skip
    return clients.sturdy


def signed_in(user: StaffUser) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def subjects(response: Any) -> list[str]:
    return re.findall(r"data-dialog>(Fault of \d+ days)</a>", response.content.decode())


class TestTickets:
    def test_wait_first_with_figures_of_the_client(self, staff: Staff, client: Client) -> None:
        response = signed_in(staff.ada).get(reverse("client_support", args=[client.pk]))
        assert subjects(response) == ["Fault of 2 days", "Fault of 20 days", "Fault of 45 days"]
        text = text_of(response)
        assert "Open now 1 1 urgent, 0 escalated" in text
        assert "First response 30 min median of 3 tickets, 90 days" in text
        assert "Time to solve 6 h median of 2 tickets, 90 days" in text
        assert "Opened in 30 days 2 0.3 are normal" in text  # one ticket in the 90 days before, a third a month
        assert AuditEvent.objects.filter(action="client.tickets", client_id=client.pk).count() == 1

    @pytest.mark.parametrize(
        ("query", "days"),
        [("status=waiting", [2]), ("status=done&sort=opened", [45, 20]), ("priority=low&period=30", [20]),
         ("search=t-45", [45]), ("escalated=1", []), ("status=lost&page=" + "1" * 5000 + "&sort=colour", [2, 20, 45])],
        ids=["waiting", "done", "period", "search", "none", "unusable"],
    )  # fmt: skip
    def test_are_narrowed_by_a_swap(self, staff: Staff, client: Client, query: str, days: list[int]) -> None:
        response = signed_in(staff.ada).get(f"{reverse('client_support', args=[client.pk])}?{query}", headers=SWAP)
        assert subjects(response) == [f"Fault of {day} days" for day in days]
        assert "<h1" not in response.content.decode()

    def test_cost_a_fixed_number_of_queries(
        self, staff: Staff, client: Client, now: datetime, django_assert_max_num_queries: Any
    ) -> None:
        SupportTicket.objects.bulk_create(
            SupportTicket(client=client, subject=f"Fault {n}", opened_at=now - timedelta(hours=n)) for n in range(300)
        )
        browser = signed_in(staff.ada)
        with django_assert_max_num_queries(26):
            page = text_of(browser.get(reverse("client_support", args=[client.pk])))
        assert "1 to 50 of 303 tickets" in page

    def test_are_added_in_the_zone_of_who_types(self, staff: Staff, client: Client) -> None:
        StaffUser.objects.filter(pk=staff.ada.pk).update(time_zone="Asia/Tokyo")
        values = {"subject": "New fault", "priority": "high", "status": "open", "opened_at": "2025-02-12T09:30"}
        browser = signed_in(StaffUser.objects.get(pk=staff.ada.pk))
        answer = browser.post(reverse("ticket_new", args=[client.pk]), values, follow=True)
        assert "The ticket is added." in text_of(answer)
        made = SupportTicket.objects.get(subject="New fault")
        assert made.opened_at == datetime(2025, 2, 12, 9, 30, tzinfo=ZoneInfo("Asia/Tokyo"))

    def test_an_edit_that_does_not_touch_a_time_keeps_its_seconds(self, staff: Staff, client: Client) -> None:
        known = SupportTicket.objects.get(external_id="T-2")
        values = {"subject": "Renamed", "priority": "low", "status": "open", "contact_id": str(known.contact_id),
                  "opened_at": f"{known.opened_at:%Y-%m-%dT%H:%M}", "first_response_minutes": "30"}  # fmt: skip
        signed_in(staff.ada).post(reverse("ticket", args=[client.pk, known.pk]), values)
        stored = SupportTicket.objects.get(pk=known.pk)
        assert (stored.subject, stored.opened_at) == ("Renamed", known.opened_at)

    @pytest.mark.parametrize(
        ("changes", "field"),
        [({"opened_at": "yesterday"}, "opened_at"), ({"subject": ""}, "subject"),
         ({"status": "open", "solved_at": "2025-02-13T09:30"}, "solved_at"), ({"contact_id": "x"}, "contact_id")],
        ids=["time", "subject", "solved", "contact"],
    )  # fmt: skip
    def test_what_is_wrong_stands_at_its_field(
        self, staff: Staff, client: Client, changes: dict[str, str], field: str
    ) -> None:
        values = {"subject": "x", "priority": "low", "status": "open", "opened_at": "2025-02-12T09:30"}
        answer = signed_in(staff.ada).post(reverse("ticket_new", args=[client.pk]), values | changes)
        assert answer.status_code == 422
        assert f'id="id_{field}-error"' in answer.content.decode()
        assert not Change.objects.exists()

    def test_are_solved_and_that_is_undone(self, staff: Staff, client: Client) -> None:
        browser, known = signed_in(staff.ada), SupportTicket.objects.get(external_id="T-2")
        answer = browser.post(reverse("ticket_act", args=[client.pk, known.pk, "solve"]), follow=True)
        assert "Ticket “Fault of 2 days” solved." in text_of(answer)
        assert SupportTicket.objects.get(pk=known.pk).status == "solved"
        browser.post(reverse("change_undo", args=[Change.objects.get().pk]))
        assert SupportTicket.objects.get(pk=known.pk).status == "open"

    def test_do_not_exist_for_a_csm_of_others(self, staff: Staff, client: Client) -> None:
        browser, known = signed_in(staff.cleo), SupportTicket.objects.first()
        assert browser.get(reverse("client_support", args=[client.pk])).status_code == 404
        assert browser.post(reverse("ticket_act", args=[client.pk, known.pk, "solve"])).status_code == 404
        assert browser.get(reverse("client_tickets_export", args=[client.pk, "csv"])).status_code == 404

    def test_of_an_archived_client_stay_as_they_are(self, staff: Staff, clients: Clients, now: datetime) -> None:
        known = SupportTicket.objects.create(client=clients.gone, subject="Old", opened_at=now - timedelta(days=90))
        browser = signed_in(staff.ada)
        page = browser.get(reverse("client_support", args=[clients.gone.pk])).content.decode()
        assert reverse("ticket_act", args=[clients.gone.pk, known.pk, "solve"]) not in page
        answer = browser.post(reverse("ticket_act", args=[clients.gone.pk, known.pk, "solve"]), follow=True)
        assert "archived clients are not changed" in text_of(answer)

    def test_are_exported_as_filtered(self, staff: Staff, client: Client) -> None:
        SupportTicket.objects.filter(external_id="T-2").update(subject="=1+1")
        browser = signed_in(staff.ada)
        answer = browser.get(reverse("client_tickets_export", args=[client.pk, "csv"]) + "?status=waiting")
        rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
        assert [(row["external_id"], row["subject"], row["contact"]) for row in rows] == [
            ("T-2", "'=1+1", "Mara Lindqvist")
        ]
        book = browser.get(reverse("client_tickets_export", args=[client.pk, "xlsx"]))
        assert pl.read_excel(book.content)["hours_to_solve"].to_list() == [None, 6.0, 6.0]


class TestSurveys:
    def test_show_how_answers_fall_and_the_scale_asked(self, staff: Staff, client: Client) -> None:
        text = text_of(signed_in(staff.ada).get(reverse("client_support", args=[client.pk]) + "?show=surveys"))
        assert "NPS 0 2 respondents in a year" in text  # one promoter, one detractor
        assert "Mean NPS answer 6 of 10" in text
        assert "4 of 5 75 of 100 Mara Lindqvist" in text

    def test_are_added_changed_and_removed(self, staff: Staff, client: Client) -> None:
        browser = signed_in(staff.ada)
        values = {"kind": "CSAT", "score": "2", "scale": "1-5", "answered_at": "2025-02-12T09:30", "comment": "Slow"}
        browser.post(reverse("survey_new", args=[client.pk]), values)
        made = SurveyResponse.objects.get(comment="Slow")
        assert (made.score, made.scale) == (25.0, "1-5")
        wrong = browser.post(reverse("survey", args=[client.pk, made.pk]), values | {"score": "6"})
        assert "6 is not on the scale from 1 to 5." in text_of(wrong)
        browser.post(reverse("survey_remove", args=[client.pk, made.pk]))
        assert not SurveyResponse.objects.filter(pk=made.pk).exists()


class TestAllTickets:
    @pytest.fixture
    def many(self, client: Client, clients: Clients, now: datetime) -> None:
        for other in (clients.elsewhere, clients.gone):
            SupportTicket.objects.create(client=other, subject="Fault of 99 days", opened_at=now - timedelta(days=99))

    def test_are_those_that_wait_of_clients_one_sees(self, staff: Staff, many: None) -> None:
        assert subjects(signed_in(staff.ada).get(reverse("tickets"))) == ["Fault of 2 days"]
        response = signed_in(staff.vera).get(reverse("tickets"))
        assert subjects(response) == ["Fault of 2 days", "Fault of 99 days"]
        assert "Cleo Example" in text_of(response)
        mine = signed_in(staff.vera).get(f"{reverse('tickets')}?csm={staff.cleo.pk}&status=all", headers=SWAP)
        assert subjects(mine) == ["Fault of 99 days"]

    def test_are_exported(self, staff: Staff, many: None) -> None:
        text = signed_in(staff.vera).get(reverse("tickets_export", args=["csv"]) + "?status=all").content.decode()
        assert len(text.splitlines()) == 5


class TestOutcomes:
    def test_add_up_for_the_clients_one_sees(self, staff: Staff, clients: Clients, now: datetime) -> None:
        ClientOutcome.objects.all().delete()
        day = (now - timedelta(days=1)).date()
        for client, kind, before, after in (
            (clients.sturdy, "RENEWED", 100_000, 150_000), (clients.gone, "CHURNED", 100_000, 0),
            (clients.elsewhere, "DOWNGRADED", 200_000, 100_000),
        ):  # fmt: skip
            ClientOutcome.objects.create(
                client=client, outcome=kind, date=day, arr_before=before, arr_after=after, reason="Price"
            )
        text = text_of(signed_in(staff.vera).get(reverse("outcomes")))
        assert "Clients kept 66.7%" in text
        assert "Gross retention 50.0% of $400K that ended, 3 terms" in text  # 100 + 0 + 100 of 400
        assert "Net retention 62.5%" in text
        mine = text_of(signed_in(staff.ada).get(f"{reverse('outcomes')}?kind=CHURNED&quarter=9999-9"))
        assert "Clients kept 50.0%" in mine
        assert "Elsewhere" not in mine

    def test_are_narrowed_to_a_quarter_and_exported(self, staff: Staff, clients: Clients) -> None:
        browser = signed_in(staff.ada)
        assert "Gone" in text_of(browser.get(f"{reverse('outcomes')}?quarter=2026-2"))
        assert "No outcome of this kind" in text_of(browser.get(f"{reverse('outcomes')}?quarter=2026-1"))
        text = browser.get(reverse("outcomes_export", args=["csv"]) + "?quarter=2026-2").content.decode()
        assert text.splitlines()[1].startswith("gone,Gone,,CHURNED,2026-05-01,,price")  # no code beside these words
