"""Contacts and notes in a browser: added, revealed, merged and undone by keyboard and pointer; also without scripts."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from bellwether.portfolio.models import Client, Contact, Note
from bellwether.usage.lake import Lake
from tests.browser.conftest import PHONE, Opener
from tests.conftest import Clients, Staff


@pytest.fixture
def known(chromium: Any, transactional_db: None, clients: Clients, staff: Staff, lake: Lake) -> Client:
    """The sturdy client with two contacts who are one person, one who left, and a note."""
    caches["memory"].clear()
    client = clients.sturdy
    Contact.objects.create(client=client, name="Mara Lindqvist", role="CHAMPION", email="mara@cobalt.example")
    Contact.objects.create(client=client, name="Lindqvist, Mara", role="USER", phone="+46 555 0142")
    left = timezone.now() - timedelta(days=9)
    Contact.objects.create(client=client, name="Una Berg", is_active=False, left_company_at=left)
    Note.objects.create(client=client, title="Plan", content="# Goal\n\n| a |\n|---|\n| b |", created_by=staff.vera)
    return client


class TestContactsAndNotes:
    def test_from_the_map_to_a_note(
        self, known: Client, staff: Staff, open_page: Opener, no_violations: Callable[[Any], None]
    ) -> None:
        page = open_page(reverse("client_contacts", args=[known.pk]), user=staff.ada)
        no_violations(page)
        page.get_by_role("button", name="Reveal e-mail and phone of Mara Lindqvist").click()
        expect(page.get_by_role("link", name="mara@cobalt.example")).to_be_visible()
        page.get_by_role("link", name="Compare Mara Lindqvist and Lindqvist, Mara").or_(
            page.get_by_role("link", name="Compare Lindqvist, Mara and Mara Lindqvist")
        ).click()
        page.get_by_role("button", name="Merge", exact=True).click()
        expect(page.get_by_text("is merged into")).to_be_visible()
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("These may be the same person.")).to_be_visible()
        assert Contact.objects.filter(archived_at__isnull=True).count() == 3

        page.goto(reverse("client_notes", args=[known.pk]))
        page.get_by_role("link", name="Write a note").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("textbox", name="Text")).to_be_focused()
        page.get_by_label("Title").fill("Call")
        page.get_by_role("textbox", name="Text").press_sequentially("**soon**")
        expect(page.locator("#note-preview strong")).to_have_text("soon")
        no_violations(page)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name="Call")).to_be_visible()

    def test_on_a_phone_without_scripts(self, known: Client, staff: Staff, open_page: Opener) -> None:
        page = open_page(reverse("client_contacts", args=[known.pk]), user=staff.ada, size=PHONE, js=False)
        page.get_by_role("link", name="Add contact").click()
        page.get_by_label("Name").fill("Rosa Beltran")
        page.expected = "422"
        page.get_by_label("Phone").fill("call me")
        page.get_by_role("button", name="Add contact").click()
        expect(page.get_by_text("This is no phone number.")).to_be_visible()
        expect(page.get_by_label("Name")).to_have_value("Rosa Beltran")
        page.get_by_label("Phone").fill("+46 555 0177")
        page.get_by_role("button", name="Add contact").click()
        expect(page.get_by_text("Rosa Beltran is added.")).to_be_visible()
