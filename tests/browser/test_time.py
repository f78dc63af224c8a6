"""The command palette by keyboard, and the timeline with and without JavaScript."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from bellwether.portfolio.models import Activity, Client
from tests.browser.conftest import DESK, Opener
from tests.conftest import Clients, Staff


@pytest.fixture
def busy(chromium: Any, transactional_db: None, clients: Clients, staff: Staff) -> Client:
    now = timezone.now()
    for number in range(60):
        at = now - timedelta(days=70 + number)
        Activity.objects.create(
            client=clients.sturdy,
            activity_type="CALL",
            subject=f"Talk {number}",
            description="About the export" if number == 3 else "",
            performed_by=staff.ada,
            occurred_at=at,
            completed_at=at,
        )
    return clients.sturdy


def test_ctrl_k_finds_a_client_by_keyboard_alone(
    open_page: Opener, busy: Client, clients: Clients, staff: Staff, no_violations: Any
) -> None:
    page = open_page(reverse("follow_ups"), user=staff.ada, size=DESK)
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Search")
    expect(box).to_be_focused()
    page.keyboard.type("fad")
    option = page.get_by_role("option", name="Fading")
    expect(option).to_have_attribute("aria-selected", "true")
    no_violations(page)
    page.keyboard.press("ArrowDown")
    expect(option).to_have_attribute("aria-selected", "false")
    page.keyboard.press("ArrowUp")
    expect(box).to_have_attribute("aria-activedescendant", option.get_attribute("id") or "")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Fading")
    page.wait_for_load_state()  # the heading shows before the scripts that listen to keys have run
    page.keyboard.press("g")
    page.keyboard.press("f")
    expect(page).to_have_url(f"{page.url.split('/clients')[0]}{reverse('follow_ups')}")


def test_the_timeline_is_searched_opened_and_walked(
    open_page: Opener, busy: Client, staff: Staff, no_violations: Any
) -> None:
    page = open_page(reverse("client_timeline", args=[busy.pk]), user=staff.ada, size=DESK)
    entries = page.locator(".entries .timeline > li")
    expect(page.locator(".entries")).to_contain_text("No contact for 70 days")
    no_violations(page)
    page.get_by_role("link", name="Show more").click()
    expect(entries).to_have_count(61)
    page.keyboard.press("/")
    page.keyboard.type("exp")
    expect(entries).to_have_count(1)
    expect(entries.locator("mark").first).to_have_text("export")
    entries.locator("summary").click()
    expect(entries.locator("dd").filter(has_text="About the export")).to_be_visible()


def test_both_work_without_javascript(open_page: Opener, busy: Client, staff: Staff) -> None:
    page = open_page(reverse("client_timeline", args=[busy.pk]), user=staff.ada, js=False)
    page.get_by_role("link", name="Show more").click()
    expect(page.locator(".entries .timeline > li")).to_have_count(10)
    page.get_by_role("link", name="Search clients, contacts, pages").click()
    page.get_by_role("searchbox").fill("talk 3")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_role("link", name="Call: Talk 3", exact=True)).to_be_visible()
