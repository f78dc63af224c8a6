"""Bulk actions and editing in the row, in a real browser."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from bellwether.portfolio.models import Tag
from tests.browser.conftest import Opener
from tests.conftest import Clients, Staff


@pytest.fixture
def tagged(staff: Staff, scored: Clients) -> Clients:
    """The cast with scores; Ada's list shows tags, and Fading has one."""
    scored.fading.tags.add(Tag.objects.create(name="Old"))
    staff.ada.preferences = {"portfolio": {"columns": ["score", "tags"]}}
    staff.ada.save()
    return scored


class TestBulk:
    def test_selects_tags_and_takes_it_back(self, open_page: Opener, staff: Staff, tagged: Clients) -> None:
        page = open_page("/?sort=name", user=staff.ada)
        page.keyboard.press("j")
        page.keyboard.press("x")
        page.get_by_label("Select Sturdy").check()
        page.get_by_role("button", name="Tag", exact=True).click()
        expect(page.get_by_role("dialog")).to_contain_text("2 clients: Fading, Sturdy")
        page.get_by_label("Add tags").fill("Pilot")
        page.get_by_role("button", name="Review").click()
        page.get_by_role("button", name="Change 2 clients").click()
        expect(page.get_by_text("Tag Pilot added to 2 clients.")).to_be_visible()
        expect(page.get_by_role("link", name="Edit tags of Fading: Old, Pilot")).to_be_visible()
        expect(page.get_by_role("link", name="Edit tags of Sturdy: Pilot")).to_be_visible()
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("Undone: Tag Pilot added to 2 clients")).to_be_visible()
        expect(page.get_by_role("link", name="Edit tags of Fading: Old", exact=True)).to_be_visible()
        expect(page.locator("[data-edit]").get_by_text("Pilot")).to_have_count(0)


class TestCells:
    def test_edits_tags_by_keyboard_in_the_row(self, open_page: Opener, staff: Staff, tagged: Clients) -> None:
        page = open_page("/?sort=name", user=staff.ada)
        page.keyboard.press("j")
        page.keyboard.press("e")
        page.get_by_label("Add a tag to Fading").fill("Pilot")
        page.keyboard.press("Enter")
        expect(page.locator(".toast")).to_contain_text("Tag Pilot added to Fading")
        cell = page.get_by_role("link", name="Edit tags of Fading: Old, Pilot")
        expect(cell).to_be_focused()
        cell.press("Enter")
        expect(page.get_by_label("Add a tag to Fading")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_role("link", name="Edit tags of Fading: Old, Pilot")).to_be_focused()


@pytest.mark.slow
class TestForEveryone:
    def test_has_no_barriers(
        self, open_page: Opener, staff: Staff, scored: Clients, no_violations: Callable[[Any], None]
    ) -> None:
        page = open_page("/renewals/", user=staff.vera)
        no_violations(page)
        page.goto("/portfolio/columns/")
        no_violations(page)
        page.goto("/")
        page.get_by_role("button", name="Why").first.click()
        page.get_by_role("button", name="Columns").or_(page.get_by_role("link", name="Columns")).first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        no_violations(page)
