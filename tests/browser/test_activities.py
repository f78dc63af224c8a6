"""Logging in a browser: by keyboard with undo, without JavaScript, and the agenda."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from bellwether.portfolio.models import Activity, Client
from tests.browser.conftest import PHONE, Opener, width
from tests.conftest import Clients, Staff


@pytest.fixture
def fading(chromium: Any, transactional_db: None, clients: Clients) -> Client:
    return clients.fading


def test_logs_by_keyboard_and_undoes(open_page: Opener, staff: Staff, fading: Client, no_violations: Any) -> None:
    page = open_page(f"/clients/{fading.pk}/", user=staff.ada)
    page.keyboard.press("l")
    form = page.locator("#dialog .dialog-form")
    expect(form.locator("h2")).to_have_text("Log activity")
    expect(page.locator("#activity-subject")).to_be_focused()
    expect(page.locator("#activity-meeting_type")).to_be_hidden()
    no_violations(page)
    page.keyboard.type("Renewal talk, lively")
    form.get_by_text("Meeting", exact=True).click()
    expect(page.locator("#activity-duration_minutes")).to_have_value("60")
    page.locator("#activity-meeting_type").select_option("renewal")
    page.keyboard.press("Control+Enter")
    notice = page.locator(".notice", has_text="Meeting with Fading logged.")
    expect(notice).to_be_visible()
    assert Activity.objects.get().details == {"meeting_type": "renewal"}
    notice.get_by_role("button", name="Undo").click()
    expect(page.locator(".notice", has_text="Undone")).to_be_visible()
    assert not Activity.objects.exists()


def test_works_without_javascript(open_page: Opener, staff: Staff, fading: Client) -> None:
    page = open_page("/activities/new/", user=staff.ada, js=False, size=PHONE)
    page.locator("#activity-client").fill("fad")
    page.locator("#activity-client").press("Enter")
    page.get_by_role("link", name="Fading").click()
    expect(page.locator("h1")).to_have_text("Log activity")
    assert width(page) <= PHONE[0]
    page.locator(".activity-types").get_by_text("Training").click()
    page.locator("#activity-topic").fill("Reports")
    page.locator("#activity-follow_up").check()
    page.get_by_text("On a date").click()
    page.locator("#activity-follow_up_date").fill("2020-01-01")
    page.expected = "422"
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#activity-follow_up_date-error")).to_be_visible()
    page.get_by_text("1 week", exact=True).click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".notice", has_text="Training with Fading logged.")).to_be_visible()
    assert Activity.objects.get().details == {"topic": "Reports"}


def test_ticks_off_by_keyboard(open_page: Opener, staff: Staff, fading: Client, no_violations: Any) -> None:
    now = timezone.now()
    for number in range(2):
        Activity.objects.create(
            client=fading, performed_by=staff.ada, activity_type="CALL", subject="Call", occurred_at=now,
            completed_at=now, follow_up_required=True, follow_up_text=f"Promise {number}",
            follow_up_date=(now - timedelta(days=9 - number)).date(),
        )  # fmt: skip
    page = open_page("/follow-ups/", user=staff.ada)
    no_violations(page)
    expect(page.locator(".due-count")).to_contain_text("2")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator(".notice", has_text="Follow-up with Fading done.")).to_be_visible()
    expect(page.get_by_role("link", name="Promise 1", exact=True)).to_be_focused()
    expect(page.locator(".due-count")).to_contain_text("1")
