"""A client's churn risk in a browser: the popover, the what-if with and without JavaScript, on a phone in the dark."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from bellwether.churn.choices import ModelKind
from bellwether.churn.models import ChurnModel
from tests.browser.conftest import PHONE, Opener, width
from tests.churn.foretold import MONTH_AGO, foretell, version
from tests.conftest import Clients, Staff


@pytest.fixture
def model(chromium: Any, transactional_db: None) -> ChurnModel:
    return version(scale=1.2)


def test_explains_and_answers_what_if(
    open_page: Opener, staff: Staff, clients: Clients, model: ChurnModel, no_violations: Callable[[Any], None]
) -> None:
    from playwright.sync_api import expect

    foretell(clients.fading, model, on=MONTH_AGO, usage_change_month=1.0)
    stored = foretell(clients.fading, model)
    value = f"{round(100 * stored.p90)}%"
    page = open_page(reverse("client", args=[clients.fading.pk]), user=staff.ada)
    page.locator("#churn-figure button.num").click()
    expect(page.get_by_role("heading", name=f"How {value} is calculated")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("#churn").get_by_role("link", name="Explain").click()
    expect(page.get_by_role("heading", name="How the risk comes about")).to_be_visible()
    page.get_by_role("checkbox", name="The champion is back").check()
    expect(page.locator("#what-if .churn-told")).to_contain_text(f"{value} now")
    expect(page.get_by_role("checkbox", name="The champion is back")).to_be_checked()
    no_violations(page)

    plain = open_page(reverse("client_churn", args=[clients.fading.pk]), user=staff.ada, js=False)
    plain.get_by_label("Open tickets closed").fill("2")
    plain.get_by_role("button", name="Work it out").click()
    expect(plain.locator("#what-if .churn-outcome")).to_contain_text("5 open tickets → 3 open tickets")


def test_a_band_on_a_phone_in_the_dark(
    open_page: Opener,
    staff: Staff,
    clients: Clients,
    chromium: Any,
    transactional_db: None,
    no_violations: Callable[[Any], None],
) -> None:
    from playwright.sync_api import expect

    foretell(clients.fading, version(kind=ModelKind.PRIOR, churned=0))
    page = open_page(reverse("client_churn", args=[clients.fading.pk]), user=staff.ada, size=PHONE, scheme="dark")
    expect(page.get_by_text("Expert prior, no history yet").first).to_be_visible()
    assert width(page) == PHONE[0]
    no_violations(page)
