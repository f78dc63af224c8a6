"""The timeline tab: shown, narrowed, searched, paged, exported; read only by those who may see the client."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser
from django.utils import timezone

from bellwether.portfolio.models import Activity, Client, Contact, Note
from bellwether.staff.models import AuditEvent, StaffUser
from tests.conftest import Clients, Staff


def get(user: StaffUser, client: Client, query: str = "", kind: str = "/", **headers: str) -> Any:
    browser = Browser()
    browser.force_login(user)
    return browser.get(f"/clients/{client.pk}/timeline{kind}{query}", headers=headers)


@pytest.fixture
def busy(clients: Clients, staff: Staff) -> Client:
    """A client with 60 calls, one every second day, the newest three days ago."""
    now = timezone.now()
    Activity.objects.bulk_create(
        Activity(
            client=clients.sturdy,
            activity_type="CALL",
            subject=f"Talk number {n}",
            description="=SUM(A1) <script>alert(1)</script> #strong[x]" if n == 0 else "",
            performed_by=staff.ada,
            occurred_at=now - timedelta(days=3 + 2 * n),
            completed_at=now - timedelta(days=3 + 2 * n),
        )
        for n in range(60)
    )
    return clients.sturdy


class TestPage:
    def test_shows_the_newest_and_leads_on_to_the_rest(self, busy: Client, staff: Staff) -> None:
        first = get(staff.ada, busy)
        page = first.content.decode()
        assert page.count("Call: Talk number") == 50
        assert "The newest 50 of 60 entries" in page
        href = page.split('id="more"><a class="btn" href="')[1].split('"')[0].replace("&amp;", "&")
        rest = get(staff.ada, busy, "?" + href.partition("?")[2], **{"HX-Request": "true", "HX-Target": "more"})
        assert rest.content.decode().count("Call: Talk number") == 10
        assert "<html" not in rest.content.decode()
        assert 'id="more"' not in rest.content.decode()
        assert AuditEvent.objects.filter(action="client.timeline", client_id=busy.pk).count() == 2

    def test_marks_what_was_found_and_escapes_what_was_written(self, busy: Client, staff: Staff) -> None:
        page = get(staff.ada, busy, "?q=alert").content.decode()
        assert "<mark>alert</mark>" in page
        assert "<script>alert" not in page
        assert "1 entry" in page

    def test_narrows_to_kinds_and_keeps_them_in_the_address(self, busy: Client, staff: Staff) -> None:
        Note.objects.create(client=busy, content="A thought", created_by=staff.ada)
        page = get(staff.ada, busy, "?kinds=note").content.decode()
        assert "A thought" in page
        assert "Talk number" not in page
        assert "kinds=activity%2Cnote" in page

    def test_private_notes_show_to_their_author_alone(self, busy: Client, staff: Staff) -> None:
        Note.objects.create(client=busy, content="Secret doubts", is_private=True, created_by=staff.ada)
        assert "Secret doubts" in get(staff.ada, busy).content.decode()
        for other in (staff.ben, staff.vera):
            for query in ("", "?q=doubts"):
                assert "Secret doubts" not in get(other, busy, query).content.decode()

    def test_what_cannot_be_used_is_said_and_left_out(self, busy: Client, staff: Staff) -> None:
        response = get(staff.ada, busy, "?kinds=call&since=soon&until=2026-99-01&person=x&after=y&q=number")
        page = response.content.decode()
        assert response.status_code == 200
        assert "is not known" in page
        assert "Write a day as" in page
        assert "60 entries" in page

    @pytest.mark.parametrize("kind", ["/", ".csv", ".pdf"])
    def test_of_others_clients_is_not_there(self, clients: Clients, staff: Staff, kind: str) -> None:
        assert get(staff.cleo, clients.sturdy, kind=kind).status_code == 404
        clients.elsewhere.pk = uuid4()
        assert get(staff.vera, clients.elsewhere, kind=kind).status_code == 404

    def test_takes_a_fixed_number_of_queries(
        self, busy: Client, staff: Staff, django_assert_max_num_queries: Callable[..., Any]
    ) -> None:
        browser = Browser()
        browser.force_login(staff.ada)
        browser.get(f"/clients/{busy.pk}/timeline/")
        with django_assert_max_num_queries(50) as few:
            browser.get(f"/clients/{busy.pk}/timeline/?kinds=activity")
        Activity.objects.filter(subject__endswith="9").delete()
        for number in range(20):
            Contact.objects.create(client=busy, name=f"Person {number}")
        with django_assert_max_num_queries(len(few)):
            browser.get(f"/clients/{busy.pk}/timeline/?kinds=activity")

    def test_says_so_where_nothing_happened(self, clients: Clients, staff: Staff) -> None:
        clients.newborn.contract_start_date = None
        assert "Nothing has happened yet" in get(staff.ada, clients.newborn).content.decode()
        assert "No entry has all of these words" in get(staff.ada, clients.newborn, "?q=zebra").content.decode()


class TestFiles:
    def test_csv_holds_what_the_filters_leave_and_runs_nothing(self, busy: Client, staff: Staff) -> None:
        Activity.objects.filter(subject="Talk number 1").update(subject="=1+1")
        response = get(staff.ada, busy, "?q=talk", ".csv")
        rows = list(csv.DictReader(io.StringIO(response.content.decode())))
        assert len(rows) == 59
        assert rows[0]["title"] == "Call: Talk number 0"
        assert "attachment" in response["Content-Disposition"]
        event = AuditEvent.objects.get(client_id=busy.pk)
        assert (event.action, event.detail) == (
            "client.timeline_export",
            {"words": ["talk"], "count": 59, "format": "csv"},
        )

    def test_pdf_takes_any_text(self, busy: Client, staff: Staff) -> None:
        Client.objects.filter(pk=busy.pk).update(name='#eval("1") $x$ *a* \\ ]] "é')
        response = get(staff.ada, busy, "?q=%23panic()", ".pdf")
        assert response.status_code == 200
        assert response.content.startswith(b"%PDF")
        assert get(staff.ada, busy, kind=".pdf").content.startswith(b"%PDF")

    def test_a_document_leaves_private_notes_out(self, busy: Client, staff: Staff) -> None:
        from zoneinfo import ZoneInfo

        from bellwether.dashboard.client_timeline_files import document
        from bellwether.portfolio.timeline_reading import asked_of
        from bellwether.portfolio.timeline_stream import read_page

        Note.objects.create(client=busy, content="Secret doubts", is_private=True, created_by=staff.ada)
        Note.objects.create(client=busy, content="Open words", created_by=staff.ada)
        asked = asked_of(busy, staff.ada, now=timezone.now(), zone=ZoneInfo("UTC"), kinds=["note"])
        made = document(busy, read_page(asked).items, asked, search="", person="", cut=False)
        assert "Open words" in str(made)
        assert "Secret" not in str(made)
        assert made["count"] == "1 entry"

    def test_no_other_format(self, busy: Client, staff: Staff) -> None:
        assert get(staff.ada, busy, kind=".xml").status_code == 404
