"""The usage tab in a browser: accessible in both themes and widths, without scripts, and quietly kept fresh."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from bellwether.common.time import day_of
from bellwether.portfolio.models import Client
from bellwether.usage.lake import Lake
from tests.browser.conftest import DESK, PHONE, Opener, width
from tests.conftest import Clients, Staff
from tests.usage.daily_facts import back, keep_events, keep_people, keep_user_day


@pytest.fixture
def used(lake: Lake, scored: Clients) -> Client:
    """The sturdy client with 200 days of usage, one of them unusual, and another without."""
    today = day_of(timezone.now(), settings.BELLWETHER_WORKSPACE_ZONE)
    people = {day: 20 if day.isoweekday() <= 5 else 2 for day in back(today, 200)}
    quiet = max(day for day in people if day.isoweekday() == 3 and (today - day).days >= 7)
    keep_people(lake, "sturdy", people | {quiet: 1}, wau=30, mau=40)
    keep_user_day(lake, "sturdy", "u1", today, role="Analyst", sessions=3)
    keep_user_day(lake, "sturdy", "u1", today - timedelta(days=40), role="Analyst", sessions=5)
    keep_events(lake, "sturdy", today - timedelta(days=1), "Case Created", 3)
    return scored.sturdy


def path(client: Client, query: str = "") -> str:
    return f"/clients/{client.pk}/usage/{query}"


class TestPage:
    @pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"])
    def test_is_accessible_and_does_not_scroll_sideways(
        self, used: Client, staff: Staff, open_page: Opener, no_violations: Any, size: tuple[int, int], scheme: str
    ) -> None:
        page = open_page(path(used), user=staff.ada, size=size, scheme=scheme)
        no_violations(page)
        assert width(page) == size[0]
        assert page.locator(".unusual").count() == 1

    def test_a_client_without_usage_and_wrong_dates_are_accessible_too(
        self, used: Client, scored: Clients, staff: Staff, open_page: Opener, no_violations: Any
    ) -> None:
        no_violations(open_page(path(scored.newborn), user=staff.ada))
        no_violations(open_page(path(used, "?end=2200-01-01"), user=staff.ada))

    def test_changes_range_comparison_and_bars_in_place(self, used: Client, staff: Staff, open_page: Opener) -> None:
        page = open_page(path(used), user=staff.ada)
        page.click("text=90 d")
        page.wait_for_selector("[aria-label=Period] a[aria-current]:has-text('90 d')")
        assert "range=90" in page.url
        page.click("[aria-label='What the bars show'] >> text=Cases")
        page.wait_for_selector("h2:has-text('Cases per day')")
        page.select_option("#usage-compare", "all")
        page.wait_for_url("**compare=all**")
        assert "range=90" in page.url
        page.go_back()
        page.wait_for_selector("#usage-compare")

    def test_explains_a_figure(self, used: Client, staff: Staff, open_page: Opener) -> None:
        page = open_page(path(used), user=staff.ada)
        page.click("#usage-stickiness .num")
        page.wait_for_selector("#why-stickiness:popover-open")
        assert "divided by monthly active users" in page.inner_text("#why-stickiness")

    def test_works_without_scripts(self, used: Client, staff: Staff, open_page: Opener) -> None:
        page = open_page(path(used), user=staff.ada, js=False)
        page.click("#custom-range summary")
        page.fill("#usage-start", "2026-01-02")
        page.click("#custom-range button")
        assert "start=2026-01-02" in page.url
        page.select_option("#usage-compare", "tier")
        page.get_by_role("button", name="Apply").click()
        assert "compare=tier" in page.url


class TestLive:
    def test_new_figures_come_by_themselves_and_leave_alone_what_is_open(
        self, used: Client, staff: Staff, open_page: Opener, lake: Lake
    ) -> None:
        page = open_page(path(used), user=staff.ada)
        page.click("#activity-table summary")
        page.click("#usage-wau .num")
        now = timezone.now()
        keep_events(lake, "sturdy", day_of(now, settings.BELLWETHER_WORKSPACE_ZONE), "Case Closed", 1, last_ts=now)
        before = page.inner_text("#as-of")
        page.wait_for_timeout(4000)
        assert page.inner_text("#as-of") == before  # an explanation is open
        page.keyboard.press("Escape")
        page.wait_for_selector(f"#as-of:has-text('{now.astimezone(settings.BELLWETHER_WORKSPACE_ZONE):%H:%M}')")
        assert page.locator("#activity-table[open]").count() == 1

    def test_nothing_is_swapped_while_nothing_changes(self, used: Client, staff: Staff, open_page: Opener) -> None:
        page = open_page(path(used), user=staff.ada)
        page.evaluate("document.getElementById('usage').dataset.mine = 'yes'")
        with page.expect_response("**/usage/live/**") as answered:
            pass
        assert answered.value.status == 204
        assert page.get_attribute("#usage", "data-mine") == "yes"

    def test_a_session_that_has_ended_leads_to_signing_in(self, used: Client, staff: Staff, open_page: Opener) -> None:
        page = open_page(path(used), user=staff.ada)
        page.context.clear_cookies()
        page.wait_for_url("**/accounts/login/**")
