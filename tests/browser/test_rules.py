"""Settings of alerts in a browser: the replay follows what is typed, a change can be undone, a phone, axe."""

from collections.abc import Callable
from typing import Any

from bellwether.alerts.models import AlertSetting
from tests.browser.conftest import PHONE, Opener, width
from tests.conftest import Clients, Staff


def test_a_rule_is_tried_out_saved_and_undone(
    open_page: Opener, staff: Staff, scored: Clients, no_violations: Callable[[Any], None]
) -> None:
    from playwright.sync_api import expect

    page = open_page("/settings/alerts/health_drop/", user=staff.vera)
    expect(page.locator("#replay .verdict")).to_be_visible()
    expect(page.locator("#replay .badge").first).to_have_text("In force")
    no_violations(page)
    page.get_by_label("Drop of at least").fill("2")
    page.keyboard.press("Tab")
    expect(page.locator("#replay .badge").first).to_have_text("As typed, not saved")
    expect(page.locator("#replay")).to_contain_text("2 points or more")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Not the default: drop of at least 2 points (10)")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone: Health drop")).to_be_visible()
    assert not AlertSetting.objects.exists()


def test_a_client_is_muted_from_its_page_and_told_again(
    open_page: Opener, staff: Staff, scored: Clients, no_violations: Callable[[Any], None]
) -> None:
    from playwright.sync_api import expect

    page = open_page(f"/settings/alerts/?client={scored.sturdy.pk}", user=staff.ada, size=PHONE, scheme="dark")
    assert width(page) == PHONE[0]
    no_violations(page)
    page.expected = "422"
    page.get_by_role("link", name="Level and mute").click()
    dialog = page.locator("#dialog")
    expect(dialog.get_by_role("heading", name="Alerts of Sturdy")).to_be_visible()
    dialog.get_by_label("Mute until").fill("2030-01-01")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("Give a day within two years.")).to_be_visible()
    dialog.get_by_role("button", name="Close").click()

    plain = open_page("/settings/alerts/usage_decline/", user=staff.vera, js=False)
    plain.get_by_label("Decline of at least").fill("40")
    plain.get_by_role("button", name="Preview").click()
    expect(plain.locator("#replay .verdict")).to_be_visible()
    expect(plain.get_by_label("Decline of at least")).to_have_value("40")
