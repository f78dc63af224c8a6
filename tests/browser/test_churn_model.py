"""The pages of the churn model in a browser: the card on desk and phone, putting a version into use with the keyboard
and without JavaScript."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from bellwether.churn.choices import ModelKind, ModelState
from bellwether.churn.models import ChurnModel
from tests.browser.conftest import PHONE, Opener, width
from tests.churn.cards import small_card
from tests.churn.foretold import version
from tests.conftest import Staff


@pytest.fixture
def versions(chromium: Any, transactional_db: None, staff: Staff) -> None:
    version(kind=ModelKind.PRIOR, state=ModelState.RETIRED, churned=0)
    version(card=small_card().as_data())


def in_use() -> int:
    return int(ChurnModel.objects.get(state=ModelState.ACTIVE).version)


def test_the_card_is_read_and_a_version_put_into_use(
    open_page: Opener, staff: Staff, versions: None, no_violations: Callable[[Any], None]
) -> None:
    from playwright.sync_api import expect

    page = open_page(reverse("churn_model"), user=staff.adam)
    expect(page.get_by_role("heading", name="How well it foretells")).to_be_visible()
    no_violations(page)
    page.get_by_text("Show as table").click()
    expect(page.get_by_role("cell", name="500 rows, 40 clients")).to_be_visible()
    page.get_by_role("link", name="Versions").click()
    opener = page.get_by_role("link", name="Put version 1 into use")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("In place of version 2")).to_be_visible()
    no_violations(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert in_use() == 2
    opener.click()
    dialog.get_by_role("button", name="Put into use").click()
    expect(page.get_by_text("Version 1 is in use.")).to_be_visible()
    assert in_use() == 1


def test_on_a_phone_and_without_javascript(
    open_page: Opener, staff: Staff, versions: None, no_violations: Callable[[Any], None]
) -> None:
    from playwright.sync_api import expect

    page = open_page(reverse("churn_model"), user=staff.adam, size=PHONE, scheme="dark")
    expect(page.get_by_role("heading", name="Coefficients")).to_be_visible()
    assert width(page) == PHONE[0]
    no_violations(page)
    plain = open_page(reverse("churn_model_versions"), user=staff.adam, js=False)
    plain.get_by_role("link", name="Put version 1 into use").click()
    expect(plain.get_by_role("heading", name="Put version 1 into use")).to_be_visible()
    plain.get_by_role("button", name="Put into use").click()
    expect(plain.get_by_text("Version 1 is in use.")).to_be_visible()
