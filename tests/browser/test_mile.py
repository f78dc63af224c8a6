"""The bell in a browser: by mouse and keyboard, on a phone, and without JavaScript."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from bellwether.notifications.services import notify
from tests.browser.conftest import PHONE, Opener, width
from tests.conftest import Clients, Staff


@pytest.fixture
def told(chromium: Any, transactional_db: None, staff: Staff, clients: Clients) -> None:
    for n in range(2):
        href = reverse("client", args=[clients.sturdy.pk])
        notify(
            [staff.ada], kind="assigned", key=str(n), title=f"Thing {n}", href=href, client=clients.sturdy,
            now=timezone.now(),
        )  # fmt: skip


def test_the_bell_opens_in_place_and_marks_as_read(
    open_page: Opener, staff: Staff, told: None, no_violations: Callable[[Any], None]
) -> None:
    from playwright.sync_api import expect

    address = reverse("settings_notifications")
    page = open_page(address, user=staff.ada, size=PHONE, scheme="dark")
    bell, menu = page.locator("#bell"), page.locator("#bell-menu")
    expect(page.locator("#bell-state .badge-dot")).to_have_text("2")
    bell.focus()
    page.keyboard.press("Enter")
    expect(menu.get_by_role("link", name="Thing 1")).to_be_visible()
    expect(menu.get_by_role("heading")).to_be_focused()
    assert width(page) == PHONE[0]
    no_violations(page)
    menu.get_by_role("button", name="Mark as read: Thing 1").click()
    expect(page.locator("#bell-state .badge-dot")).to_have_text("1")
    menu.get_by_role("button", name="Mark all as read").click()
    expect(page.locator("#bell-state .badge-dot")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    bell.click()
    expect(menu).to_be_visible()
    bell.click()
    expect(menu).to_be_hidden()

    plain = open_page(address, user=staff.ada, js=False)
    plain.locator("#bell").click()
    expect(plain.get_by_role("heading", name="Notifications", exact=True)).to_be_visible()
    plain.get_by_role("button", name="Archive: Thing 0").click()
    expect(plain.get_by_role("link", name="Thing 0")).to_have_count(0)
    expect(plain.get_by_role("link", name="Thing 1")).to_be_visible()
