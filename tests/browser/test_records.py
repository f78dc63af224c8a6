"""Contracts and tickets in a browser: by keyboard and without JavaScript, on a phone, in both themes."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from bellwether.common.time import day_of
from bellwether.portfolio.models import Client, ClientOutcome, ContractPeriod, SupportTicket, SurveyResponse
from tests.browser.conftest import DESK, PHONE, Opener, width
from tests.conftest import Clients, Staff


@pytest.fixture
def today() -> date:
    return day_of(timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE)


@pytest.fixture
def client(scored: Clients, today: date) -> Client:
    """The sturdy client in its second term, with tickets and answers."""
    now = timezone.now()
    for back, arr in ((640, 100_000), (275, 120_000)):
        start = today - timedelta(days=back)
        ContractPeriod.objects.create(
            client=scored.sturdy, start_date=start, end_date=start + timedelta(days=364), contract_tier="ENTERPRISE",
            annual_recurring_revenue=arr, licensed_user_count=50,
        )  # fmt: skip
    for days, status in ((1, "open"), (8, "solved"), (60, "solved")):
        at = now - timedelta(days=days)
        SupportTicket.objects.create(
            client=scored.sturdy, subject=f"Fault {days}", priority="urgent", status=status, opened_at=at,
            solved_at=at + timedelta(hours=5) if status == "solved" else None,
        )  # fmt: skip
        SurveyResponse.objects.create(client=scored.sturdy, kind="NPS", score=10 - days % 7, answered_at=at)
        SurveyResponse.objects.create(client=scored.sturdy, kind="CSAT", score=70, scale="1-5", answered_at=at)
    ClientOutcome.objects.create(client=scored.sturdy, outcome="RENEWED", date=today - timedelta(days=276))
    return scored.sturdy


def test_a_renewal_is_made_in_a_dialog_and_undone(open_page: Opener, staff: Staff, client: Client) -> None:
    page = open_page(reverse("client_contract", args=[client.pk]), user=staff.ada)
    page.get_by_role("link", name="Renew", exact=True).focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("First day")).to_be_focused()
    page.expected = "422"
    dialog.get_by_label("ARR").fill("a lot")
    dialog.get_by_role("button", name="Renew").click()
    expect(dialog.get_by_text("Write a number such as 120000 or 120,000.")).to_be_visible()
    dialog.get_by_label("ARR").fill("$95,000")
    dialog.get_by_role("button", name="Renew").click()
    expect(dialog.get_by_text("Choose why.")).to_be_visible()
    dialog.get_by_label("Reason", exact=True).select_option(label="Needs less")
    dialog.get_by_role("button", name="Renew").click()
    expect(page.get_by_text("Renewed: Sturdy renewed")).to_be_visible()
    rows = page.locator(".terms-table tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(1)).to_contain_text("Downgraded")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone: Sturdy renewed")).to_be_visible()
    expect(rows).to_have_count(2)


def test_a_ticket_is_solved_without_javascript(open_page: Opener, staff: Staff, client: Client) -> None:
    page = open_page(reverse("tickets"), user=staff.ada, js=False)
    page.get_by_role("button", name="Solve: Fault 1").click()
    expect(page.get_by_text("Ticket “Fault 1” solved.")).to_be_visible()
    page.get_by_label("Status").select_option("done")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#tickets tbody tr")).to_have_count(3)


def test_pages_are_accessible_and_fit_a_phone(
    open_page: Opener, staff: Staff, client: Client, no_violations: Callable[[Any], None]
) -> None:
    support = reverse("client_support", args=[client.pk])
    addresses = [reverse("client_contract", args=[client.pk]), support, f"{support}?show=surveys",
                 reverse("tickets"), reverse("outcomes")]  # fmt: skip
    desk = open_page(addresses[0], user=staff.ada, size=DESK, scheme="dark")
    for address in addresses[::2]:
        desk.goto(address)
        no_violations(desk)
    phone = open_page(addresses[0], user=staff.ada, size=PHONE)
    for address in addresses:
        phone.goto(address)
        assert width(phone) == PHONE[0], address
