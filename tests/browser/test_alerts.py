"""The inbox in a browser: by keyboard with undo, several at once, on the phone."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from playwright.sync_api import expect

from bellwether.alerts.models import Alert
from bellwether.portfolio.models import Activity
from tests.alerts.making import an_alert
from tests.browser.conftest import PHONE, Opener, width
from tests.conftest import Clients, Staff


def test_by_keyboard(open_page: Opener, staff: Staff, scored: Clients, no_violations: Any) -> None:
    now = timezone.now()
    first = an_alert(scored.sturdy, severity="CRITICAL", created_at=now)
    second = an_alert(scored.fading, created_at=now)
    third = an_alert(scored.newborn, "NPS_DETRACTOR", severity="LOW", created_at=now)
    page = open_page("/alerts/", user=staff.ada)
    expect(page.locator("#alert-title")).to_have_text("Sturdy")
    no_violations(page)
    page.keyboard.press("j")
    expect(page.locator("#alert-title")).to_have_text("Fading")
    expect(page.locator(".alert[aria-current]")).to_contain_text("Fading")
    page.wait_for_url(f"**/alerts/{second.pk}/")
    page.keyboard.press("s")
    expect(page.locator("#snooze-menu").get_by_role("button", name="1 day")).to_be_focused()
    page.keyboard.press("Enter")
    notice = page.locator(".notice", has_text="Health drop at Fading snoozed.")
    expect(notice).to_be_visible()
    expect(page.locator("#alert-title")).to_have_text("Newborn")  # the next one
    second.refresh_from_db()
    assert second.status == "SNOOZED"
    notice.get_by_role("button", name="Undo").click()
    expect(page.locator(".notice", has_text="Undone")).to_be_visible()
    second.refresh_from_db()
    assert second.status == "NEW"
    # The first key goes to the alert that is shown; X chooses, the bar acts on both.
    page.keyboard.press("k")
    page.keyboard.press("x")
    page.keyboard.press("k")
    page.keyboard.press("x")
    expect(page.locator("[data-chosen]")).to_have_text("2 chosen")
    page.locator("#alerts-bulk").get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".notice", has_text="2 alerts acknowledged.")).to_be_visible()
    assert Alert.objects.filter(status="ACKNOWLEDGED").count() == 2
    page.goto(f"/alerts/{third.pk}/")
    page.keyboard.press("r")
    expect(page.locator("#resolve-note")).to_be_focused()
    page.keyboard.type("Called them.")
    page.locator("#dialog").get_by_role("button", name="Resolve").click()
    expect(page.locator(".notice", has_text="NPS detractor at Newborn resolved.")).to_be_visible()
    third.refresh_from_db()
    assert (third.status, third.resolution_notes, first.status) == ("RESOLVED", "Called them.", "NEW")


def test_on_the_phone(open_page: Opener, staff: Staff, scored: Clients, no_violations: Any) -> None:
    alert = an_alert(scored.sturdy, created_at=timezone.now() - timedelta(hours=9))
    page = open_page("/alerts/", user=staff.ada, size=PHONE, scheme="dark")
    expect(page.locator("#alert-detail")).to_be_hidden()
    page.locator(".alert").click()
    expect(page.locator("#alert-title")).to_be_visible()
    expect(page.locator(".alert-list")).to_be_hidden()
    assert width(page) <= PHONE[0]
    no_violations(page)
    page.locator(".alert-log .input").fill("Called Mara.")
    page.get_by_role("button", name="Save and acknowledge").click()
    expect(page.locator(".notice", has_text="the alert is taken on")).to_be_visible()
    alert.refresh_from_db()
    assert (alert.status, Activity.objects.get().subject) == ("ACKNOWLEDGED", "Called Mara.")
    page.get_by_role("link", name="All alerts").click()
    expect(page.locator(".alert-list")).to_be_visible()
    no_violations(page)


def test_without_javascript(open_page: Opener, staff: Staff, scored: Clients) -> None:
    first, second = an_alert(scored.sturdy, severity="CRITICAL"), an_alert(scored.fading)
    page = open_page("/alerts/", user=staff.ada, js=False)
    page.locator(".alert", has_text="Fading").click()
    expect(page.locator("#alert-title")).to_have_text("Fading")
    page.get_by_role("button", name="Snooze").click()
    page.locator("#snooze-menu").get_by_role("button", name="1 week").click()
    expect(page.locator(".notice", has_text="snoozed")).to_be_visible()
    page.get_by_role("link", name="Resolve").click()
    page.locator("#resolve-note").fill("Settled.")
    page.get_by_role("button", name="Resolve").click()
    expect(page.locator(".empty", has_text="Everything has been seen to.")).to_be_visible()
    for alert, status in ((first, "RESOLVED"), (second, "SNOOZED")):
        alert.refresh_from_db()
        assert alert.status == status
