"""Playbooks in a browser: the list on a phone, the editor with and without JavaScript, approving by keyboard."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from bellwether.playbooks.models import Intervention
from tests.browser.conftest import PHONE, Opener, width
from tests.conftest import Clients, Staff
from tests.playbooks.cast import enrol, playbook


@pytest.fixture
def quiet(chromium: Any, transactional_db: None, staff: Staff, clients: Clients) -> None:
    now = timezone.now()
    row = enrol(playbook("quiet"), clients.sturdy, now, state="ACTIVE", step="call")
    for number, key in enumerate(("call", "mail")):
        Intervention.objects.create(
            key=key, client=clients.sturdy, enrolment=row, kind="call", title=f"Do the {key}", state="DUE",
            scheduled_for=now, created_at=now + timedelta(seconds=number), updated_at=now,
        )  # fmt: skip


def test_the_list_the_editor_and_one_playbook_are_accessible(
    open_page: Opener, staff: Staff, quiet: None, no_violations: Callable[[Any], None]
) -> None:
    from playwright.sync_api import expect

    page = open_page(reverse("playbooks"), user=staff.vera, size=PHONE, scheme="dark")
    expect(page.get_by_role("link", name="Quiet").first).to_be_visible()
    assert width(page) == PHONE[0]
    no_violations(page)
    page = open_page(reverse("playbook_edit", args=["quiet"]), user=staff.vera)
    no_violations(page)
    page.get_by_label("Name", exact=True).fill("Quiet, and loud")
    page.get_by_role("button", name="E-mail", exact=True).click()
    expect(page.locator('[name="steps[1].title"]')).to_be_focused()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Quiet, and loud")
    plain = open_page(reverse("playbook_edit", args=["quiet"]), user=staff.vera, js=False)
    plain.get_by_role("button", name="Call", exact=True).click()
    expect(plain.locator('[name="steps[1].title"]')).to_be_visible()
    page = open_page(reverse("playbook", args=["quiet"]), user=staff.vera)
    expect(page.locator("#dry-run")).to_contain_text("would be enrolled")
    no_violations(page)


def test_what_waits_is_done_by_keyboard(
    open_page: Opener, staff: Staff, quiet: None, no_violations: Callable[[Any], None]
) -> None:
    from playwright.sync_api import expect

    page = open_page(reverse("playbook_tasks"), user=staff.ada)
    no_violations(page)
    page.keyboard.press("j")
    expect(page.locator(":focus")).to_have_text("Do the call")
    page.keyboard.press("x")
    field = page.locator("#dialog").get_by_label("What came of it")
    expect(field).to_be_focused()
    field.fill("Replied")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="is done")).to_be_visible()
    expect(page.get_by_role("link", name="Do the call", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="Do the call", exact=True)).to_be_visible()
