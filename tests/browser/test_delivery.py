"""Channels, preferences and the log of messages in a browser: by keyboard, without JavaScript, on a phone."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from bellwether.delivery.channels import ChannelForm, add_channel
from bellwether.delivery.models import Channel, Message
from bellwether.delivery.outbox import Draft, send
from tests.browser.conftest import PHONE, Opener, width
from tests.conftest import Clients, Staff
from tests.delivery.receivers import http_receiver

HOOK = "https://hooks.slack.com/services/T1/B1/hush"


def test_a_channel_is_added_in_a_dialog_and_tried(
    open_page: Opener, staff: Staff, scored: Clients, no_violations: Callable[[Any], None]
) -> None:
    page = open_page(reverse("settings_channels"), user=staff.adam)
    page.get_by_role("link", name="Add for the workspace: Slack, incoming webhook").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Name")).to_be_focused()
    page.expected = "422"
    page.keyboard.type("#cs-west")
    dialog.get_by_label("Address of the webhook").fill("https://example.com/")
    dialog.get_by_role("button", name="Add").click()
    expect(dialog.get_by_text("It begins with https://hooks.slack.com/services/.")).to_be_visible()
    dialog.get_by_label("Address of the webhook").fill(HOOK)
    dialog.get_by_role("button", name="Add").click()
    expect(page.get_by_text("#cs-west added.")).to_be_visible()
    assert "hush" not in page.content()
    with http_receiver() as receiver:
        inside = settings.BELLWETHER_WEBHOOK_HOSTS
        settings.BELLWETHER_WEBHOOK_HOSTS = ["127.0.0.1"]
        form = ChannelForm(name="#here", secret=receiver.url)
        add_channel("SLACK_WEBHOOK", form, own=True, actor=staff.adam, now=timezone.now())
        page.reload()
        page.get_by_role("button", name="Test: #here").click()
        expect(page.get_by_text("#here took the test (200).")).to_be_visible()
        settings.BELLWETHER_WEBHOOK_HOSTS = inside
    assert len(receiver.received) == 1
    no_violations(page)
    page.goto(reverse("settings_deliveries"))
    no_violations(page)


def test_preferences_and_the_log_without_javascript(open_page: Opener, staff: Staff, scored: Clients) -> None:
    now = timezone.now()
    send([Draft(key="a", topic="alert", title="Sturdy fell", user_id=staff.ada.pk, medium="EMAIL")], now=now)
    Message.objects.update(state="FAILED", last_error="The mail server refused it (550).")
    page = open_page(reverse("settings_deliveries"), user=staff.ada, js=False)
    page.get_by_role("button", name="Send again: Sturdy fell, Ada Example").first.click()
    expect(page.get_by_text("1 message on the way again.")).to_be_visible()
    page.goto(reverse("settings_delivery"))
    page.get_by_label("Keep quiet hours").check()
    page.get_by_label("Alerts, e-mail").select_option("NEVER")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. It holds for what happens from now on.")).to_be_visible()
    expect(page.get_by_label("Keep quiet hours")).to_be_checked()
    expect(page.get_by_label("Alerts, e-mail")).to_have_value("NEVER")


def test_pages_fit_a_phone_and_are_accessible(
    open_page: Opener, staff: Staff, scored: Clients, no_violations: Callable[[Any], None]
) -> None:
    form = ChannelForm(name="#cs", secret=HOOK)
    add_channel("SLACK_WEBHOOK", form, own=True, actor=staff.ada, now=timezone.now())
    send([Draft(key="a", topic="alert", title="Sturdy fell", workspace=True)], now=timezone.now())
    assert Channel.objects.exists()
    page = open_page(reverse("settings_delivery"), user=staff.ada, size=PHONE, scheme="dark")
    for name in ("settings_delivery", "settings_channels", "settings_deliveries"):
        page.goto(reverse(name))
        assert width(page) == PHONE[0], name
    page.goto(reverse("settings_delivery"))
    no_violations(page)
