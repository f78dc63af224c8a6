"""The palette's answers and the search page: the same things, never those of others, written down as one line."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from bellwether.portfolio.models import Activity, Client, Contact, Note, SupportTicket
from bellwether.staff.models import AuditEvent, StaffUser
from tests.conftest import Clients, Staff


def ask(user: StaffUser, address: str, **headers: str) -> str:
    browser = Browser()
    browser.force_login(user)
    response = browser.get(address, headers=headers)
    assert response.status_code == 200
    return str(response.content.decode())


@pytest.fixture
def known(clients: Clients, staff: Staff) -> Clients:
    """Something of each kind about exports."""
    now = timezone.now()
    Contact.objects.create(client=clients.sturdy, name="Mara Lind", title="Export lead", email="mara@cobalt.example")
    Note.objects.create(client=clients.sturdy, content="The export matters most", created_by=staff.ada)
    Note.objects.create(client=clients.sturdy, title="Exportgate", content="x", is_private=True, created_by=staff.ada)
    Activity.objects.create(
        client=clients.sturdy, activity_type="CALL", subject="Weekly", outcome_notes="About exports", occurred_at=now
    )
    SupportTicket.objects.create(client=clients.sturdy, subject="Export <b>fails</b>", opened_at=now)
    Client.objects.filter(pk=clients.sturdy.pk).update(current_health_score=58, health_status="AT_RISK")
    return clients


class TestPalette:
    def test_answers_in_groups_with_score_and_status(self, known: Clients, staff: Staff) -> None:
        page = ask(staff.ada, "/search/suggest/?q=sturdy")
        assert 'role="option"' in page
        assert "58, at risk" in page
        assert f'href="/clients/{known.sturdy.pk}/"' in page
        groups = ask(staff.ada, "/search/suggest/?q=export")
        for title in ("Contacts", "Notes", "Activities", "Actions"):
            assert f">{title}</small>" in groups
        assert "Call: Weekly" in groups
        assert "cobalt.example" not in groups

    def test_shows_nobody_what_is_anothers(self, known: Clients, staff: Staff) -> None:
        assert "Exportgate" in ask(staff.ada, "/search/suggest/?q=exportgate")
        assert f"/clients/{known.sturdy.pk}" not in ask(staff.vera, "/search/suggest/?q=exportgate")
        assert f"/clients/{known.sturdy.pk}" not in ask(staff.cleo, "/search/suggest/?q=export")

    def test_finds_a_contact_by_address_without_showing_it(self, known: Clients, staff: Staff) -> None:
        browser = Browser()
        browser.force_login(staff.ada)
        page = browser.get("/search/suggest/?q=mara@cobalt.example").content.decode()
        assert "Lind" in page
        assert page.count("cobalt.example") == page.count("“mara@cobalt.example”") + page.count(
            "q=mara%40cobalt.example"
        )

    def test_offers_what_can_be_done_with_the_open_client(self, known: Clients, staff: Staff) -> None:
        here = f"http://testserver/clients/{known.sturdy.pk}/contract/"
        page = ask(staff.ada, "/search/suggest/?q=", **{"HX-Current-URL": here})
        assert f"/clients/{known.sturdy.pk}/activities/new/" in page
        other = ask(staff.cleo, "/search/suggest/?q=", **{"HX-Current-URL": here})
        assert str(known.sturdy.pk) not in other

    def test_shows_the_clients_opened_last_when_nothing_is_typed(self, known: Clients, staff: Staff) -> None:
        browser = Browser()
        browser.force_login(staff.ada)
        for client in (known.fading, known.sturdy):
            browser.get(f"/clients/{client.pk}/contract/")
        page = browser.get("/search/suggest/").content.decode()
        recent = page.split("Recent clients")[1].split("</div>")[0]
        assert recent.index("Sturdy") < recent.index("Fading")
        assert "Newborn" not in recent

    def test_pages_and_actions_only_where_the_role_may(self, known: Clients, staff: Staff) -> None:
        assert 'href="/data/"' in ask(staff.adam, "/search/suggest/?q=data")
        assert 'href="/data/"' not in ask(staff.ada, "/search/suggest/?q=data")
        assert 'data-act="theme"' in ask(staff.ada, "/search/suggest/?q=theme")

    def test_is_written_down_as_one_line(self, known: Clients, staff: Staff) -> None:
        ask(staff.ada, "/search/suggest/?q=export")
        ask(staff.ada, "/search/suggest/?q=")
        event = AuditEvent.objects.get(action="search")
        assert event.detail == {
            "query": "export",
            "counts": {"contact": 1, "note": 2, "activity": 1},
            "where": "palette",
        }

    @pytest.mark.parametrize("viewer", ["ada", "vera"])
    def test_takes_a_fixed_number_of_queries(
        self, known: Clients, staff: Staff, viewer: str, django_assert_max_num_queries: Callable[..., Any]
    ) -> None:
        browser = Browser()
        browser.force_login(getattr(staff, viewer))
        for number in range(12):
            Contact.objects.create(client=known.sturdy, name=f"Exporter {number}")
        with django_assert_max_num_queries(22):
            browser.get("/search/suggest/?q=export")

    def test_asks_for_a_login(self, db: None) -> None:
        assert Browser().get("/search/suggest/?q=x").status_code == 302
        assert Browser().get("/search/?q=x").status_code == 302


class TestPage:
    def test_has_the_same_groups_and_tickets_and_escapes_them(self, known: Clients, staff: Staff) -> None:
        page = ask(staff.ada, "/search/?q=export")
        for title in ("Contacts", "Notes", "Activities", "Tickets"):
            assert f">{title} <span" in page
        assert "<b>fails" not in page
        assert "5 records found" in page

    def test_pages_through_one_kind(self, known: Clients, staff: Staff) -> None:
        Note.objects.bulk_create(
            Note(client=known.sturdy, title=f"Memo {n:02}", content="memo", created_by=staff.ada) for n in range(30)
        )
        first = ask(staff.ada, "/search/?q=memo")
        assert "Show all 30" in first
        pages = [ask(staff.ada, f"/search/?q=memo&kind=note&page={n}") for n in (1, 2)]
        assert [page.count("/notes/") for page in pages] == [25, 5]
        assert "Page 1 of 2" in pages[0]
        assert 'rel="next"' not in pages[1]

    @pytest.mark.parametrize(
        "query",
        ["q=", "", "q=%00", "q=zzzz", "q=x&kind=x", "q=memo&kind=note&page=-1", "q=memo&kind=note&page=99999"],
    )
    def test_any_address_answers(self, known: Clients, staff: Staff, query: str) -> None:
        ask(staff.ada, f"/search/?{query}")

    def test_says_so_where_nothing_was_found(self, known: Clients, staff: Staff) -> None:
        assert "Nothing found" in ask(staff.ada, "/search/?q=zzzz")

    def test_the_keys_have_a_page_and_a_sheet(self, known: Clients, staff: Staff) -> None:
        assert "<h1>Keyboard shortcuts</h1>" in ask(staff.ada, "/shortcuts/")
        sheet = ask(staff.ada, "/shortcuts/", **{"HX-Request": "true", "HX-Target": "dialog"})
        assert '<h2 id="dialog-title">Keyboard shortcuts</h2>' in sheet
        assert "<html" not in sheet
