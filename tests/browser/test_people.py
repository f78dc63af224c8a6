"""The people of a client in a browser: with and without JavaScript, by keyboard, on a phone, in both themes."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import caches
from django.urls import reverse
from django.utils import timezone

from bellwether.common.time import day_of
from bellwether.portfolio.models import Client, Contact
from bellwether.usage.lake import Lake
from tests.browser.conftest import DESK, PHONE, Opener, width
from tests.conftest import Clients, Staff
from tests.usage.people_cast import cast_days, day_row, key, put_client_days, put_days, put_events

GONE, DECLINING = key(0x5E1F), key(0x71E5)


@pytest.fixture
def busy(chromium: Any, transactional_db: None, clients: Clients, lake: Lake) -> Client:
    """The sturdy client with the cast's people, 60 others, what they did, and three contacts of whom two are linked."""
    caches["memory"].clear()
    today = day_of(timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE)
    others = [day_row("sturdy", key(0x100 + n), today, 1) for n in range(60)]
    put_days(lake, [*cast_days("sturdy", today), *others])
    put_client_days(lake, "sturdy", today)
    put_events(lake, [("sturdy", key(0x4C19), today, "Case Created", "Case Management")])
    for name, role, user in (
        ("Mara Lindqvist", "CHAMPION", GONE),
        ("Tom Adeyemi", "CHAMPION", DECLINING),
        ("Rosa Beltran", "ADMIN", ""),
    ):
        Contact.objects.create(client=clients.sturdy, name=name, role=role, user_key=user)
    return clients.sturdy


@pytest.fixture
def address(busy: Client) -> str:
    return reverse("client_people", args=[busy.pk])


def names(page: Any) -> list[str]:
    page.wait_for_load_state()  # A click goes on when the next page has begun, not when its table is there.
    return [text.strip() for text in page.locator("#people tbody a[data-person]").all_inner_texts()]


class TestWithoutJavaScript:
    def test_narrows_sorts_turns_pages_and_finds(self, open_page: Opener, staff: Staff, address: str) -> None:
        page = open_page(address, user=staff.ada, js=False)
        assert len(names(page)) == 50
        page.get_by_role("link", name="Next").click()
        assert len(names(page)) == 16
        page.get_by_role("link", name="Inactive 2").click()
        assert names(page) == ["Mara Lindqvist", "User B3F7"]
        page.get_by_role("link", name="Last login").click()
        assert page.locator("th[aria-sort]").inner_text().strip() == "Last login"
        assert names(page) == ["User B3F7", "Mara Lindqvist"]
        page.get_by_role("link", name="All", exact=True).click()
        page.get_by_placeholder("Find a user or contact").fill("tom")
        page.get_by_role("button", name="Find").click()
        assert names(page) == ["Tom Adeyemi"]

    def test_says_what_they_mainly_do_when_asked(self, open_page: Opener, staff: Staff, address: str) -> None:
        page = open_page(address, user=staff.ada, js=False)
        assert "Case Management" not in page.locator("#people").inner_text()
        page.get_by_role("link", name="Show what they mainly do").click()
        assert "Case Management" in page.locator("#people").inner_text()

    def test_links_a_contact_and_takes_it_back(self, open_page: Opener, staff: Staff, address: str) -> None:
        page = open_page(address, user=staff.ada, js=False)
        page.get_by_role("link", name="User 4C19").click()
        page.get_by_label("Link a contact").select_option(label="Rosa Beltran, Admin")
        page.get_by_role("button", name="Link", exact=True).click()
        assert "Rosa Beltran is linked to user 4C19." in page.locator("#people").inner_text()
        assert names(page)[0] == "Rosa Beltran"
        page.get_by_role("button", name="Undo").click()
        assert "The link is as it was before." in page.locator("#people").inner_text()
        assert names(page)[0] == "User 4C19"


class TestTable:
    def test_swaps_only_the_table_and_keeps_the_address(self, open_page: Opener, staff: Staff, address: str) -> None:
        page = open_page(address, user=staff.ada)
        page.evaluate("() => { document.body.dataset.kept = '1'; }")
        page.get_by_role("link", name="Inactive 2").click()
        page.wait_for_url("**people=inactive**")
        assert names(page) == ["Mara Lindqvist", "User B3F7"]
        assert page.evaluate("() => document.body.dataset.kept") == "1"
        page.go_back()
        page.get_by_role("link", name="User 4C19").wait_for()
        assert len(names(page)) == 50

    def test_finds_while_one_types(self, open_page: Opener, staff: Staff, address: str) -> None:
        page = open_page(address, user=staff.ada)
        page.get_by_placeholder("Find a user or contact").press_sequentially("lind", delay=20)
        page.get_by_role("link", name="User 4C19").wait_for(state="detached")
        assert names(page) == ["Mara Lindqvist"]
        assert page.evaluate("() => document.activeElement.id") == "filter-search"

    def test_says_afterwards_what_they_mainly_do(self, open_page: Opener, staff: Staff, address: str) -> None:
        page = open_page(address, user=staff.ada)
        page.get_by_text("Case Management").wait_for()
        assert page.locator("#people .skeleton").count() == 0

    def test_stands_in_the_usage_tab(self, open_page: Opener, staff: Staff, busy: Client) -> None:
        page = open_page(reverse("client_usage", args=[busy.pk]), user=staff.ada)
        assert len(names(page)) == 8
        page.locator("#people").get_by_role("link", name="Inactive 2").click()
        page.wait_for_url("**/usage/?people=inactive**")
        assert names(page) == ["Mara Lindqvist", "User B3F7"]
        page.locator("#people").get_by_role("link", name="Show all").click()
        page.wait_for_url("**/people/?people=inactive**")
        assert names(page) == ["Mara Lindqvist", "User B3F7"]


class TestDrawer:
    def test_opens_from_the_row_and_gives_the_focus_back(self, open_page: Opener, staff: Staff, address: str) -> None:
        page = open_page(address, user=staff.ada)
        page.get_by_role("link", name="User 4C19").focus()
        page.keyboard.press("Enter")
        drawer = page.locator("dialog#person")
        drawer.wait_for()
        assert "User 4C19" in drawer.inner_text()
        assert drawer.locator("table.weeks tbody tr").count() == 13
        assert page.evaluate("() => document.activeElement.id") == "person-title"
        page.keyboard.press("Escape")
        assert not drawer.is_visible()
        assert page.evaluate("() => document.activeElement.textContent") == "User 4C19"
        page.locator("#people tbody tr", has_text="User 9A02").locator("td").nth(1).click()
        page.locator("dialog#person h2", has_text="User 9A02").wait_for()
        page.get_by_role("button", name="Close").click()
        assert not drawer.is_visible()

    def test_links_from_the_tab_and_comes_back_to_it(self, open_page: Opener, staff: Staff, busy: Client) -> None:
        page = open_page(reverse("client_usage", args=[busy.pk]) + "?range=90", user=staff.ada)
        page.locator("#people").get_by_role("link", name="User 4C19").click()
        drawer = page.locator("dialog#person")
        drawer.get_by_label("Link a contact").select_option(label="Rosa Beltran, Admin")
        drawer.get_by_role("button", name="Link", exact=True).click()
        page.wait_for_url("**/usage/**people_undo=**")
        assert "Rosa Beltran is linked to user 4C19." in page.locator("#people").inner_text()
        page.get_by_role("button", name="Undo").click()
        page.get_by_text("The link is as it was before.").wait_for()
        assert not Contact.objects.filter(name="Rosa Beltran").exclude(user_key="").exists()


class TestEverybody:
    @pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"])
    @pytest.mark.parametrize("place", ["people", "drawer", "person", "links"])
    def test_can_read_it(
        self,
        open_page: Opener,
        no_violations: Callable[[Any], None],
        staff: Staff,
        busy: Client,
        address: str,
        place: str,
        size: tuple[int, int],
        scheme: str,
    ) -> None:
        others = {"person": "user/" + GONE + "/", "links": "links/"}
        page = open_page(address + others.get(place, ""), user=staff.ada, size=size, scheme=scheme)
        if place in {"people", "drawer"}:
            page.get_by_text("Case Management").first.wait_for(state="attached")
        if place == "drawer":
            page.get_by_role("link", name="User 4C19").click()
            page.locator("dialog#person h2").wait_for()
        no_violations(page)
        assert width(page) <= size[0]
