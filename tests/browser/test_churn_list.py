"""The churn list in a browser: filters in place, the explained figure, on a phone in the dark, without JavaScript."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from bellwether.common.time import day_of
from tests.analytics.foretold import make_model, predict
from tests.browser.conftest import PHONE, Opener, width
from tests.conftest import Clients, Staff


@pytest.fixture
def foretold(chromium: Any, transactional_db: None, clients: Clients) -> Clients:
    today: date = day_of(timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE)
    model = make_model()
    full = {"inputs": {"seat_use": 0.96}}
    predict(clients.fading, model, today, 0.6, was=0.4, p90_low=0.45, p90_high=0.75)
    predict(clients.sturdy, model, today, 0.1, was=0.05, **full)
    predict(clients.newborn, model, today, 0.25, precision="BAND", precision_reason="Known of too few features.")
    return clients


def test_is_filtered_in_place_and_explained(
    open_page: Opener, staff: Staff, foretold: Clients, no_violations: Callable[[Any], None]
) -> None:
    from playwright.sync_api import expect

    page = open_page(reverse("churn"), user=staff.ada)
    expect(page.locator("#churn-list tbody tr")).to_have_count(3)
    page.get_by_role("button", name="Expected churned ARR").click()
    expect(page.locator("#why-loss")).to_contain_text("A month ago")
    page.keyboard.press("Escape")
    no_violations(page)
    page.get_by_role("link", name="High risk").click()
    expect(page.locator("#churn-list tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("category=HIGH"))
    page.get_by_label("Remove filter Risk").click()
    expect(page.locator("#churn-list tbody tr")).to_have_count(3)
    page.get_by_label("Filter by name").fill("stur")
    expect(page.locator("#churn-list tbody tr")).to_have_count(1)


def test_on_a_phone_in_the_dark_and_without_scripts(
    open_page: Opener, staff: Staff, foretold: Clients, no_violations: Callable[[Any], None]
) -> None:
    from playwright.sync_api import expect

    page = open_page(reverse("churn"), user=staff.ada, size=PHONE, scheme="dark")
    assert width(page) == PHONE[0]
    no_violations(page)
    plain = open_page(reverse("churn"), user=staff.ada, js=False)
    plain.get_by_role("link", name="Expansion").click()
    expect(plain.get_by_text("48 of 50 seats used in 30 days")).to_be_visible()
