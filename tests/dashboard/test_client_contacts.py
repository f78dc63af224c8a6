"""The Contacts tab: map, table, reveal, export, and what is done to contacts from pages."""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client as Browser
from django.urls import reverse

from bellwether.portfolio.models import Activity, Change, Client, Contact
from bellwether.staff.models import AuditEvent, StaffUser
from bellwether.usage.lake import Lake
from tests.conftest import NOW, Clients, Staff
from tests.usage.people_cast import cast_days, key, put_client_days, put_days

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    caches["memory"].clear()
    yield
    caches["memory"].clear()


@pytest.fixture
def fading(clients: Clients, staff: Staff) -> Client:
    """Mara, champion, met 3 days ago; Tom, admin, never met; Una, who left."""
    client = clients.fading
    mara = Contact.objects.create(
        client=client, name="Mara Lindqvist", title="CFO", role="CHAMPION", email="mara@cobalt.example",
        phone="+46 555 0142", is_primary=True, last_platform_login=NOW - timedelta(days=20),
        engagement_status="INACTIVE",
    )  # fmt: skip
    Contact.objects.create(client=client, name="Tom Adeyemi", role="ADMIN", email="tom@cobalt.example")
    Contact.objects.create(
        client=client, name="Una Berg", role="USER", is_active=False, left_company_at=NOW - timedelta(days=30)
    )
    at = NOW - timedelta(days=3)
    talk = Activity.objects.create(
        client=client, activity_type="CALL", subject="Check", occurred_at=at, completed_at=at, performed_by=staff.ada
    )
    talk.client_contacts.add(mara)
    return client


def signed_in(user: StaffUser) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def tab(client: Client, query: str = "") -> str:
    return reverse("client_contacts", args=[client.pk]) + query


def one(name: str) -> Contact:
    return Contact.objects.get(name=name)


def reveals() -> list[dict[str, Any]]:
    return list(AuditEvent.objects.filter(action="contact.reveal").values_list("detail", flat=True))


class TestTab:
    def test_shows_the_map_with_coverage_and_cautions(self, fading: Client, staff: Staff) -> None:
        text = text_of(signed_in(staff.ada).get(tab(fading)))
        assert "50% 1 of 2 key contacts met in the last 90 days" in text
        assert "Not met in 90 days: Tom Adeyemi (never met)" in text
        assert "No executive sponsor." in text
        assert "Single-threaded. Only one person was met in 90 days: Mara Lindqvist" in text
        assert "Champion gone quiet. No login for 14 days or more: Mara Lindqvist" in text

    def test_masks_e_mail_and_phone(self, fading: Client, staff: Staff) -> None:
        page = signed_in(staff.ada).get(tab(fading)).content.decode()
        assert "m•••@cobalt.example" in page
        assert "mara@cobalt" not in page
        assert "mailto:" not in page
        assert "tel:" not in page
        assert reveals() == []

    def test_says_how_to_begin_where_there_is_nobody(self, clients: Clients, staff: Staff) -> None:
        text = text_of(signed_in(staff.ada).get(tab(clients.newborn)))
        assert "Nobody is known here." in text
        assert "No contacts" in text

    def test_narrows_and_sorts(self, fading: Client, staff: Staff) -> None:
        browser = signed_in(staff.ada)

        def names(query: str) -> list[str]:
            table = browser.get(tab(fading, query)).content.decode().partition("<tbody>")[2].partition("</tbody>")[0]
            return re.findall(r"data-stop>([^<]+)</a>", table)

        assert names("") == ["Mara Lindqvist", "Tom Adeyemi", "Una Berg"]
        assert names("?state=left") == ["Una Berg"]
        assert names("?sort=-role&state=there") == ["Mara Lindqvist", "Tom Adeyemi"]
        assert names("?search=cfo") == ["Mara Lindqvist"]
        assert names("?search=mara%40cobalt") == []
        assert names("?sort=shoe&role=BOSS&page=9999999") == ["Mara Lindqvist", "Tom Adeyemi", "Una Berg"]

    def test_hints_at_doubles(self, fading: Client, staff: Staff) -> None:
        Contact.objects.create(client=fading, name="Lindqvist, Mara")
        text = text_of(signed_in(staff.ada).get(tab(fading)))
        assert "These may be the same person." in text
        assert "have the same name." in text

    def test_takes_a_fixed_number_of_queries(
        self, fading: Client, staff: Staff, django_assert_max_num_queries: Any
    ) -> None:
        for number in range(30):
            Contact.objects.create(client=fading, name=f"Person {number}", role="USER")
        browser = signed_in(staff.ada)
        browser.get(tab(fading))
        with django_assert_max_num_queries(22):
            browser.get(tab(fading))

    def test_a_contact_is_found_at_its_client_alone(self, fading: Client, clients: Clients, staff: Staff) -> None:
        elsewhere = reverse("client_contact", args=[clients.sturdy.pk, one("Mara Lindqvist").pk])
        assert signed_in(staff.ada).get(elsewhere).status_code == 404

    def test_is_for_those_who_see_the_client(self, fading: Client, staff: Staff) -> None:
        mara, browser = one("Mara Lindqvist"), signed_in(staff.cleo)
        pages = [
            tab(fading), reverse("client_contact", args=[fading.pk, mara.pk]),
            reverse("client_contacts_export", args=[fading.pk, "csv"]), reverse("contact_new", args=[fading.pk]),
            reverse("contact_edit", args=[mara.pk]), reverse("contact_left", args=[mara.pk]),
            reverse("contact_merge", args=[mara.pk]),
        ]  # fmt: skip
        assert {browser.get(page).status_code for page in pages} == {404}
        for page in (*pages[1:], reverse("client_contacts_reveal", args=[fading.pk]),
                     reverse("contact_act", args=[mara.pk, "archive"])):  # fmt: skip
            assert browser.post(page, {"name": "x"}).status_code == 404
        assert reveals() == []


class TestReveal:
    def test_one_contact_is_shown_and_written_down_once(self, fading: Client, staff: Staff) -> None:
        mara = one("Mara Lindqvist")
        address = reverse("client_contacts_reveal", args=[fading.pk])
        response = signed_in(staff.ada).post(address, {"contact": str(mara.pk)})
        page = response.content.decode()
        assert 'href="mailto:mara@cobalt.example"' in page
        assert 'href="tel:+465550142"' in page
        assert "t•••@cobalt.example" in page
        assert "no-store" in response.headers["Cache-Control"]
        assert reveals() == [{"contacts": [str(mara.pk)], "count": 1, "where": "page"}]

    def test_all_that_are_listed(self, fading: Client, staff: Staff) -> None:
        address = reverse("client_contacts_reveal", args=[fading.pk]) + "?state=there"
        page = signed_in(staff.ada).post(address).content.decode()
        assert "mara@cobalt.example" in page
        assert "tom@cobalt.example" in page
        assert [row["count"] for row in reveals()] == [2]

    def test_reloading_hides_again(self, fading: Client, staff: Staff) -> None:
        response = signed_in(staff.ada).get(reverse("client_contacts_reveal", args=[fading.pk]))
        assert (response.status_code, response.headers["Location"]) == (302, tab(fading))

    def test_the_page_of_one_contact(self, fading: Client, staff: Staff) -> None:
        address = reverse("client_contact", args=[fading.pk, one("Mara Lindqvist").pk])
        browser = signed_in(staff.ada)
        assert "mara@cobalt" not in browser.get(address).content.decode()
        response = browser.post(address)
        assert "mara@cobalt.example" in response.content.decode()
        assert "no-store" in response.headers["Cache-Control"]
        assert len(reveals()) == 1


class TestExport:
    def test_is_masked_unless_revealed(self, fading: Client, staff: Staff) -> None:
        Contact.objects.filter(name="Tom Adeyemi").update(title='=HYPERLINK("https://evil.example")')
        address, browser = reverse("client_contacts_export", args=[fading.pk, "csv"]), signed_in(staff.ada)
        text = browser.get(address).content.decode()
        assert "m•••@cobalt.example" in text
        assert "mara@cobalt" not in text
        assert "'=HYPERLINK" in text
        assert reveals() == []
        assert "mara@cobalt.example" in browser.post(address + "?role=CHAMPION").content.decode()
        assert [(row["count"], row["where"]) for row in reveals()] == [(1, "csv")]

    def test_is_a_workbook_too(self, fading: Client, staff: Staff) -> None:
        response = signed_in(staff.ada).get(reverse("client_contacts_export", args=[fading.pk, "xlsx"]))
        with zipfile.ZipFile(io.BytesIO(response.content)) as book:
            words = book.read("xl/sharedStrings.xml").decode()
        assert "Mara Lindqvist" in words
        assert "mara@cobalt" not in words

    def test_knows_two_kinds(self, fading: Client, staff: Staff) -> None:
        assert signed_in(staff.ada).get(reverse("client_contacts_export", args=[fading.pk, "pdf"])).status_code == 404


FORM = {"name": "Rosa Beltran", "role": "USER"}


class TestForms:
    def test_add_and_undo(self, fading: Client, staff: Staff) -> None:
        browser = signed_in(staff.ada)
        values = {**FORM, "is_primary": "on", "email": "rosa@cobalt.example"}
        page = browser.post(reverse("contact_new", args=[fading.pk]), values, follow=True)
        assert "Rosa Beltran is added." in text_of(page)
        assert (one("Rosa Beltran").is_primary, one("Mara Lindqvist").is_primary) == (True, False)
        browser.post(reverse("change_undo", args=[Change.objects.get().pk]))
        assert one("Mara Lindqvist").is_primary
        assert not Contact.objects.filter(name="Rosa Beltran").exists()

    def test_errors_stand_at_their_field_and_nothing_typed_is_lost(self, fading: Client, staff: Staff) -> None:
        values = {**FORM, "email": "mara@cobalt.example", "phone": "call me", "notes": "Likes tea."}
        response = signed_in(staff.ada).post(reverse("contact_new", args=[fading.pk]), values)
        text = text_of(response)
        assert response.status_code == 422
        assert "Mara Lindqvist has this address" in text
        assert "This is no phone number" in text
        assert "Likes tea." in text

    def test_an_empty_e_mail_keeps_what_is_stored_and_a_tick_removes_it(self, fading: Client, staff: Staff) -> None:
        mara, browser = one("Mara Lindqvist"), signed_in(staff.ada)
        address = reverse("contact_edit", args=[mara.pk])
        assert "mara@cobalt" not in browser.get(address).content.decode()
        values = {"name": "Mara Berg", "role": "CHAMPION", "phone_remove": "on"}
        assert browser.post(address, values).status_code == 302
        mara.refresh_from_db()
        assert (mara.name, mara.email, mara.phone, mara.is_primary) == ("Mara Berg", "mara@cobalt.example", "", False)

    def test_a_platform_user_is_linked(self, fading: Client, staff: Staff, lake: Lake) -> None:
        today = NOW.date()
        put_days(lake, cast_days("fading", today))
        put_client_days(lake, "fading", today)
        tom, user = one("Tom Adeyemi"), key(0x4C19)
        address = reverse("contact_edit", args=[tom.pk])
        assert "User 4C19" in text_of(signed_in(staff.ada).get(address))
        signed_in(staff.ada).post(address, {"name": tom.name, "role": tom.role, "user_key": user})
        tom.refresh_from_db()
        assert tom.user_key == user
        assert tom.last_platform_login is not None

    def test_left_with_a_successor_and_back(self, fading: Client, staff: Staff) -> None:
        mara, tom, browser = one("Mara Lindqvist"), one("Tom Adeyemi"), signed_in(staff.ada)
        address = reverse("contact_left", args=[mara.pk])
        assert "Tom Adeyemi, Admin (suggested)" in text_of(browser.get(address))
        wrong = browser.post(address, {"left_company_at": "2026-07-01"})
        assert (wrong.status_code, "still to come" in text_of(wrong)) == (422, True)
        assert browser.post(address, {"left_company_at": "soon"}).status_code == 422
        browser.post(address, {"left_company_at": "2026-06-29", "successor": str(tom.pk)})
        assert one("Tom Adeyemi").role == "CHAMPION"
        assert "Left 29 Jun" in text_of(browser.get(tab(fading)))
        browser.post(reverse("contact_act", args=[mara.pk, "back"]))
        assert one("Mara Lindqvist").left_company_at is None

    def test_archive_and_restore(self, fading: Client, staff: Staff) -> None:
        mara, browser = one("Mara Lindqvist"), signed_in(staff.ada)
        browser.post(reverse("contact_act", args=[mara.pk, "archive"]))
        assert "Mara Lindqvist" not in text_of(browser.get(tab(fading))).partition("Mara Lindqvist is archived")[2]
        assert "Mara Lindqvist" in text_of(browser.get(tab(fading, "?state=archived")))
        browser.post(reverse("contact_act", args=[mara.pk, "restore"]))
        assert one("Mara Lindqvist").archived_at is None
        assert browser.post(reverse("contact_act", args=[mara.pk, "burn"])).status_code == 404

    def test_merge_after_comparing(self, fading: Client, staff: Staff) -> None:
        mara, browser = one("Mara Lindqvist"), signed_in(staff.ada)
        twin = Contact.objects.create(client=fading, name="M. Lindqvist", email="ml@cobalt.example", role="CHAMPION")
        address = reverse("contact_merge", args=[twin.pk])
        assert browser.post(address, {}).status_code == 422
        compared = text_of(browser.get(address + f"?other={mara.pk}"))
        assert "m•••@cobalt.example" in compared
        assert "mara@cobalt" not in compared
        chosen = {"other": str(mara.pk), "keep": str(mara.pk), "email": str(twin.pk), "merge": "1"}
        page = browser.post(address, chosen, follow=True)
        assert "M. Lindqvist is merged into Mara Lindqvist." in text_of(page)
        mara.refresh_from_db()
        assert (mara.email, mara.title) == ("ml@cobalt.example", "CFO")

    def test_an_archived_client_is_not_changed(self, clients: Clients, staff: Staff) -> None:
        response = signed_in(staff.ada).post(reverse("contact_new", args=[clients.gone.pk]), FORM)
        assert response.status_code == 422
        assert "archived clients are not changed" in text_of(response)
