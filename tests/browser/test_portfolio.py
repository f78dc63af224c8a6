"""The portfolio in a browser: with and without JavaScript, by keyboard, on a phone, in both themes."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from bellwether.portfolio.models import Client
from tests.browser.conftest import DESK, PHONE, Opener, width
from tests.conftest import Clients, Staff


def names(page: Any) -> list[str]:
    page.wait_for_load_state()  # A click goes on when the next page has begun, not when its rows are there.
    return [text.strip() for text in page.locator("[data-stop]").all_inner_texts()]


class TestWithoutJavaScript:
    def test_shows_scores_and_reasons(self, open_page: Opener, staff: Staff, scored: Clients) -> None:
        page = open_page("/", user=staff.ada, js=False)
        assert names(page) == ["Fading", "Newborn", "Sturdy"]
        row = page.get_by_role("row", name=re.compile("Fading"))
        assert "45" in row.inner_text()
        assert "At risk" in row.inner_text()
        assert "Health down 14 points in 30 days." in page.get_by_role("complementary").inner_text()

    def test_filters_with_a_button(self, open_page: Opener, staff: Staff, scored: Clients) -> None:
        page = open_page("/", user=staff.ada, js=False)
        page.locator("#filter-health_status").select_option("HEALTHY")
        page.get_by_role("button", name="Apply").click()
        assert names(page) == ["Sturdy"]
        page.get_by_role("link", name="Remove filter Status").click()
        assert len(names(page)) == 3

    def test_searches_with_enter(self, open_page: Opener, staff: Staff, scored: Clients) -> None:
        page = open_page("/", user=staff.ada, js=False)
        page.locator("#filter-search").fill("newb")
        page.locator("#filter-search").press("Enter")
        assert names(page) == ["Newborn"]

    def test_sorts_pages_and_shows_cards(self, open_page: Opener, staff: Staff, scored: Clients) -> None:
        Client.objects.bulk_create(
            Client(organization_id=f"org-{n}", name=f"Client {n:02}", csm_user=staff.ada) for n in range(30)
        )
        page = open_page("/?limit=25", user=staff.ada, js=False)
        page.get_by_role("columnheader", name="Client").get_by_role("link").click()
        assert names(page)[:2] == ["Client 00", "Client 01"]
        page.get_by_role("link", name="Next").click()
        assert names(page)[-1] == "Sturdy"
        page.goto("/")
        page.get_by_role("link", name="Cards").click()
        expect(page.locator("article")).to_have_count(33)
        card = page.locator("article", has_text="Fading")
        card.locator("summary").click()
        expect(card.get_by_text("Relationship 15%")).to_be_visible()

    def test_switches_theme_and_rail(self, open_page: Opener, staff: Staff, scored: Clients) -> None:
        page = open_page("/?view=mine", user=staff.ada, js=False)
        page.get_by_role("button", name="Switch theme").click()
        page.wait_for_url("**/?view=mine")
        assert page.locator("html").get_attribute("data-theme") == "dark"
        page.get_by_role("button", name="Collapse navigation").click()
        assert page.locator("html").get_attribute("data-rail") == "min"

    def test_exports_chosen_rows(self, open_page: Opener, staff: Staff, scored: Clients) -> None:
        page = open_page("/", user=staff.ada, js=False)
        assert page.get_by_role("button", name="Export selected").is_hidden()
        page.get_by_label("Select Fading").check()
        with page.expect_download() as download:
            page.get_by_role("button", name="Export selected").click()
        text = download.value.path().read_text()
        assert "Fading" in text
        assert "Sturdy" not in text


class TestWithJavaScript:
    def test_filters_as_one_chooses_and_keeps_the_address(
        self, open_page: Opener, staff: Staff, scored: Clients
    ) -> None:
        page = open_page("/", user=staff.ada)
        page.locator("#filter-health_status").select_option("AT_RISK")
        page.wait_for_url("**/?health_status=AT_RISK")
        expect(page.locator("[data-stop]")).to_have_count(1)
        assert names(page) == ["Fading"]
        assert page.get_by_role("status").first.inner_text() == "1 of 3 clients"
        page.reload()
        assert names(page) == ["Fading"]
        page.go_back()
        expect(page.locator("[data-stop]")).to_have_count(3)

    def test_searches_as_one_types_and_keeps_the_cursor(self, open_page: Opener, staff: Staff, scored: Clients) -> None:
        page = open_page("/", user=staff.ada)
        page.locator("#filter-search").press_sequentially("stu", delay=20)
        expect(page.locator("[data-stop]")).to_have_count(1)
        assert names(page) == ["Sturdy"]
        assert page.evaluate("document.activeElement.id") == "filter-search"
        assert page.locator("#filter-search").input_value() == "stu"

    def test_follows_views_sorting_and_cards(self, open_page: Opener, staff: Staff, scored: Clients) -> None:
        page = open_page("/", user=staff.ada)
        page.get_by_role("link", name=re.compile("^At risk 1")).first.click()
        page.wait_for_url("**/?view=at_risk")
        expect(page.locator("[data-stop]")).to_have_count(1)
        assert page.locator(".tabs [aria-current=page]").inner_text().startswith("At risk")
        page.get_by_role("link", name=re.compile("^All clients")).click()
        page.get_by_role("columnheader", name="Health").get_by_role("link").click()
        page.wait_for_url("**/?sort=score")
        page.locator("th[aria-sort=ascending]").wait_for()
        assert names(page) == ["Fading", "Sturdy", "Newborn"]
        page.get_by_role("link", name="Cards").click()
        page.locator("article").first.wait_for()
        assert "show=cards" in page.url
        assert "sort=score" in page.url

    def test_opens_a_row_wherever_one_clicks_it(self, open_page: Opener, staff: Staff, scored: Clients) -> None:
        page = open_page("/", user=staff.ada)
        page.get_by_role("row", name=re.compile("Fading")).locator(".c-spark").click()
        page.wait_for_url(f"**/clients/{scored.fading.pk}/")

    def test_counts_and_clears_the_selection(self, open_page: Opener, staff: Staff, scored: Clients) -> None:
        page = open_page("/", user=staff.ada)
        page.get_by_label("Select Fading").check()
        assert page.locator("[data-selected]").inner_text() == "1 selected"
        page.get_by_label("Select all on this page").check()
        assert page.locator("[data-selected]").inner_text() == "3 selected"
        page.get_by_role("button", name="Clear selection").click()
        assert page.locator("tbody .check:checked").count() == 0
        assert page.locator(".bulk").is_hidden()

    def test_keeps_the_theme_in_a_cookie(self, open_page: Opener, staff: Staff, scored: Clients) -> None:
        page = open_page("/", user=staff.ada, scheme="dark")
        page.get_by_role("button", name="Switch theme").click()
        assert page.locator("html").get_attribute("data-theme") == "light"
        page.reload()
        assert page.locator("html").get_attribute("data-theme") == "light"

    def test_shows_that_it_is_loading(self, open_page: Opener, staff: Staff, scored: Clients) -> None:
        page = open_page("/", user=staff.ada)
        held: list[Any] = []
        page.route("**/?show=cards", lambda route: held.append(route))
        page.get_by_role("link", name="Cards").click()
        expect(page.locator(".listing .loading")).to_be_visible()
        held[0].continue_()
        page.locator("article").first.wait_for()
        expect(page.locator(".listing .loading")).to_be_hidden()

    def test_says_so_when_the_server_fails(
        self, open_page: Opener, staff: Staff, scored: Clients, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        page = open_page("/", user=staff.ada)
        page.expected = "500"

        def broken(*_: object, **__: object) -> None:
            raise RuntimeError("out of order")

        monkeypatch.setattr("bellwether.dashboard.portfolio_page.list_clients", broken)
        page.get_by_role("link", name="Cards").click()
        page.locator(".toast").wait_for()
        assert "Reload the page to try again" in page.locator(".toast").inner_text()
        assert len(names(page)) == 3


class TestKeyboard:
    def test_j_and_k_move_and_enter_opens(self, open_page: Opener, staff: Staff, scored: Clients) -> None:
        page = open_page("/?sort=name", user=staff.ada)
        for key, name in (("j", "Fading"), ("j", "Newborn"), ("j", "Sturdy"), ("j", "Sturdy"), ("k", "Newborn")):
            page.keyboard.press(key)
            assert page.evaluate("document.activeElement.textContent") == name
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/clients/{scored.newborn.pk}/?from=sort%3Dname")
        page.keyboard.press("k")
        page.get_by_role("heading", level=1, name="Fading").wait_for()

    def test_slash_searches_and_escape_leaves(self, open_page: Opener, staff: Staff, scored: Clients) -> None:
        page = open_page("/", user=staff.ada)
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "filter-search"
        page.keyboard.type("j/k")
        assert page.locator("#filter-search").input_value() == "j/k"
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.tagName") == "BODY"

    def test_skips_to_the_content_first(self, open_page: Opener, staff: Staff, scored: Clients) -> None:
        page = open_page("/", user=staff.ada)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to content"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.slow
class TestForEveryone:
    @pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"])
    @pytest.mark.parametrize("path", ["/", "/?show=cards", "/?health_status=CRITICAL&search=zzz"])
    def test_has_no_barriers_and_never_scrolls_sideways(
        self,
        path: str,
        size: tuple[int, int],
        scheme: str,
        open_page: Opener,
        staff: Staff,
        scored: Clients,
        no_violations: Callable[[Any], None],
    ) -> None:
        page = open_page(path, user=staff.vera, size=size, scheme=scheme)
        no_violations(page)
        assert width(page) == size[0]

    @pytest.mark.parametrize("zoomed", [320, 720])
    def test_reflows(self, zoomed: int, open_page: Opener, staff: Staff, scored: Clients) -> None:
        page = open_page("/", user=staff.vera, size=(zoomed, 700))
        assert width(page) == zoomed

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_empty_workspace_and_failures_have_no_barriers(
        self, scheme: str, open_page: Opener, staff: Staff, no_violations: Callable[[Any], None]
    ) -> None:
        page = open_page("/", user=staff.adam, scheme=scheme)
        no_violations(page)
        page.expected = "404"
        page.goto("/nothing-here/")
        no_violations(page)
