"""The Notes tab: reading, writing, preview, two editors, history, and whose private notes are."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client as Browser
from django.urls import reverse

from bellwether.portfolio.models import Change, Client, Note
from bellwether.portfolio.notes_changes import version_of
from bellwether.staff.models import StaffUser
from tests.conftest import NOW, Clients, Staff

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    caches["memory"].clear()
    yield
    caches["memory"].clear()


@pytest.fixture
def plan(clients: Clients, staff: Staff) -> Note:
    return Note.objects.create(
        client=clients.fading, title="Plan", content="**Renew** in May. <script>alert(1)</script>",
        note_type="STRATEGY", created_by=staff.ada,
    )  # fmt: skip


@pytest.fixture
def secret(clients: Clients, staff: Staff) -> Note:
    return Note.objects.create(
        client=clients.fading, title="Doubts", content="Hushed words.", is_private=True, created_by=staff.ada
    )


def signed_in(user: StaffUser) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def tab(client: Client, query: str = "") -> str:
    return reverse("client_notes", args=[client.pk]) + query


def edit(note: Note) -> str:
    return reverse("note_edit", args=[note.pk])


class TestTab:
    def test_renders_markdown_safely(self, clients: Clients, staff: Staff, plan: Note) -> None:
        page = signed_in(staff.ada).get(tab(clients.fading)).content.decode()
        assert "<strong>Renew</strong> in May. &lt;script&gt;alert(1)&lt;/script&gt;" in page

    def test_narrows_by_type_words_and_whose(self, clients: Clients, staff: Staff, plan: Note, secret: Note) -> None:
        Note.objects.create(client=clients.fading, content="Pricing worry.", note_type="RISK", created_by=staff.vera)
        browser = signed_in(staff.ada)

        def titles(query: str) -> set[str]:
            return set(re.findall(r"data-stop>([^<]+)</a>", browser.get(tab(clients.fading, query)).content.decode()))

        assert titles("") == {"Plan", "Doubts", "Risk"}
        assert titles("?type=RISK") == {"Risk"}
        assert titles("?search=renew+may") == {"Plan"}
        assert titles("?scope=mine") == {"Plan", "Doubts"}
        assert titles("?scope=private") == {"Doubts"}
        assert titles("?scope=archived&type=DIARY") == set()

    def test_takes_a_fixed_number_of_queries(
        self, clients: Clients, staff: Staff, django_assert_max_num_queries: Any
    ) -> None:
        for number in range(30):
            Note.objects.create(client=clients.fading, content=f"Note {number}", created_by=staff.ada)
        browser = signed_in(staff.ada)
        browser.get(tab(clients.fading))
        with django_assert_max_num_queries(22):
            page = text_of(browser.get(tab(clients.fading)))
        assert "30 notes, page 1 of 2" in page


class TestPrivate:
    def test_exist_for_their_author_alone(self, clients: Clients, staff: Staff, plan: Note, secret: Note) -> None:
        alone = reverse("client_note", args=[clients.fading.pk, secret.pk])
        assert signed_in(staff.ada).get(alone).status_code == 200
        for other in (staff.vera, staff.adam, staff.ben, staff.cleo):
            browser = signed_in(other)
            for page in (alone, edit(secret)):
                assert browser.get(page).status_code == 404
            assert browser.post(edit(secret), {"content": "x"}).status_code == 404
            assert browser.post(reverse("note_act", args=[secret.pk, "archive"])).status_code == 404
        for page in (tab(clients.fading), tab(clients.fading, "?search=hushed"), tab(clients.fading, "?scope=private"),
                     reverse("client", args=[clients.fading.pk])):  # fmt: skip
            text = text_of(signed_in(staff.vera).get(page))
            assert "Doubts" not in text
            assert "Hushed" not in text
        assert "Hushed words." in text_of(signed_in(staff.ada).get(reverse("client", args=[clients.fading.pk])))

    def test_another_client_is_another_place(self, clients: Clients, staff: Staff, plan: Note) -> None:
        assert signed_in(staff.cleo).get(tab(clients.fading)).status_code == 404
        elsewhere = reverse("client_note", args=[clients.sturdy.pk, plan.pk])
        assert signed_in(staff.ada).get(elsewhere).status_code == 404
        for page in (reverse("note_new", args=[clients.fading.pk]), edit(plan)):
            assert signed_in(staff.cleo).post(page, {"content": "x"}).status_code == 404


class TestWriting:
    def test_keeps_a_note_and_takes_it_back(self, clients: Clients, staff: Staff) -> None:
        browser = signed_in(staff.ada)
        values = {"title": "Call", "content": "They like it.", "note_type": "OPPORTUNITY", "is_private": "on"}
        page = browser.post(reverse("note_new", args=[clients.fading.pk]), values, follow=True)
        assert "The note is kept." in text_of(page)
        kept = Note.objects.get()
        assert (kept.note_type, kept.is_private, kept.created_by) == ("OPPORTUNITY", True, staff.ada)
        browser.post(reverse("change_undo", args=[Change.objects.get().pk]))
        assert not Note.objects.exists()

    def test_errors_stand_at_their_field_and_the_draft_is_not_lost(self, clients: Clients, staff: Staff) -> None:
        values = {"title": "Half", "content": "x" * 20_001, "note_type": "RISK"}
        response = signed_in(staff.ada).post(reverse("note_new", args=[clients.fading.pk]), values)
        assert response.status_code == 422
        assert "at most 20,000" in text_of(response)
        assert 'value="Half"' in response.content.decode()
        assert "x" * 20_001 in response.content.decode()

    def test_previews_without_keeping(self, clients: Clients, staff: Staff) -> None:
        browser = signed_in(staff.ada)
        words = {"content": "**soon** <img src=x onerror=alert(1)>"}
        page = browser.post(reverse("note_preview"), words).content.decode()
        assert "<strong>soon</strong> &lt;img src=x" in page
        address = reverse("note_new", args=[clients.fading.pk])
        whole = browser.post(address, {**words, "note_type": "RISK", "preview": "1"})
        assert whole.status_code == 200
        assert "<strong>soon</strong>" in whole.content.decode()
        assert not Note.objects.exists()

    def test_pin_archive_and_restore(self, clients: Clients, staff: Staff, plan: Note) -> None:
        browser = signed_in(staff.ada)
        for action, field, value in (("pin", "is_pinned", True), ("unpin", "is_pinned", False),
                                     ("archive", "archived_at", NOW), ("restore", "archived_at", None)):  # fmt: skip
            browser.post(reverse("note_act", args=[plan.pk, action]))
            plan.refresh_from_db()
            assert getattr(plan, field) == value
        assert browser.post(reverse("note_act", args=[plan.pk, "burn"])).status_code == 404


class TestTwoEditors:
    def test_the_second_sees_both_texts_and_loses_none(self, clients: Clients, staff: Staff, plan: Note) -> None:
        began = version_of(plan)
        common = {"title": "Plan", "note_type": "STRATEGY", "version": began}
        signed_in(staff.vera).post(edit(plan), {**common, "content": "Renew in June."})
        browser = signed_in(staff.ada)
        response = browser.post(edit(plan), {**common, "content": "Renew in July."})
        page = response.content.decode()
        assert response.status_code == 422
        assert "Renew in June." in page
        assert re.search(r"<textarea[^>]*>Renew in July\.</textarea>", page)
        assert "<del>June.</del><ins>July.</ins>" in page
        assert "Vera Example" in page
        plan.refresh_from_db()
        assert plan.content == "Renew in June."
        version = re.search(r'name="version" value="(\w+)"', page)
        assert version is not None
        assert browser.post(edit(plan), {**common, "version": version[1], "content": "July."}).status_code == 302
        plan.refresh_from_db()
        assert plan.content == "July."


class TestHistory:
    def test_is_readable(self, clients: Clients, staff: Staff, plan: Note) -> None:
        values = {"title": "Plan", "note_type": "RISK", "content": "**Renew** in June.", "version": version_of(plan)}
        signed_in(staff.vera).post(edit(plan), values)
        page = signed_in(staff.ada).get(reverse("client_note", args=[clients.fading.pk, plan.pk])).content.decode()
        assert "Vera Example" in page
        assert "<del>May. &lt;script&gt;alert(1)&lt;/script&gt;</del><ins>June.</ins>" in page
        assert "<del>Strategy</del><ins>Risk</ins>" in page

    def test_of_private_times_stays_with_the_author(self, clients: Clients, staff: Staff, secret: Note) -> None:
        values = {"title": "Thoughts", "note_type": "GENERAL", "content": "For all.", "version": version_of(secret)}
        signed_in(staff.ada).post(edit(secret), values)
        address = reverse("client_note", args=[clients.fading.pk, secret.pk])
        assert "Hushed" in text_of(signed_in(staff.ada).get(address))
        shared = text_of(signed_in(staff.vera).get(address))
        assert "For all." in shared
        assert "Hushed" not in shared
        assert "Doubts" not in shared
