"""The client page in a browser: with and without JavaScript, by keyboard, on a phone, in both themes."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.utils import timezone

from bellwether.common.models import JobRun, JobState
from bellwether.portfolio.models import Client
from bellwether.staff.models import AuditEvent
from tests.browser.conftest import DESK, PHONE, Opener, width
from tests.conftest import Clients, Staff
from tests.dashboard import client_builders as make


@pytest.fixture
def fading(chromium: Any, transactional_db: None, clients: Clients, staff: Staff) -> Client:
    """The fading client with 60 days of scores that fell by 10 in the last 30, five peers and records."""
    caches["memory"].clear()
    now = timezone.now()
    client = clients.fading
    make.history(client, now.date(), 60, now=now, fall=80.0)
    make.peers("ENTERPRISE", [50, 60, 70, 80, 90], now.date(), now=now)
    make.champion(client, last_platform_login=now - timedelta(days=21))
    make.ticket(client, now - timedelta(days=20))
    make.call(client, now - timedelta(days=50), staff.ada, activity_type="QBR", subject="Quarterly business review")
    for ago in range(12):
        make.call(client, now - timedelta(days=60 + ago), staff.ada, subject=f"Call {ago}")
    return client


@pytest.fixture
def address(fading: Client) -> str:
    return f"/clients/{fading.pk}/"


class TestWithoutJavaScript:
    def test_shows_the_trend_its_events_and_its_table(self, open_page: Opener, staff: Staff, address: str) -> None:
        page = open_page(address, user=staff.ada, js=False)
        assert page.locator("#trend .chart svg .l-main").count() == 1
        assert page.locator("#trend .chart svg .l-ref").count() == 1
        assert "falls from" in page.locator("#trend .chart svg").get_attribute("aria-label")
        assert "Ticket 4821, urgent" in page.locator("#trend .events").inner_text()
        table = page.get_by_role("region", name="Health trend as table")
        assert not table.is_visible()
        page.get_by_text("Show as table").click()
        assert table.locator("tbody tr").count() == 61

    def test_changes_period_and_filter_by_links(self, open_page: Opener, staff: Staff, address: str) -> None:
        page = open_page(address, user=staff.ada, js=False)
        page.get_by_role("link", name="30 d").click()
        assert "days=30" in page.url
        page.get_by_label("Client brief and contacts").get_by_role("link", name="Support").first.click()
        page.locator("#timeline .seg").get_by_role("link", name="Support").click()
        assert "days=30" in page.url
        assert "show=support" in page.url
        assert "Ticket 4821 opened" in page.locator("#timeline").inner_text()

    def test_explains_the_score_and_a_day(self, open_page: Opener, staff: Staff, address: str) -> None:
        page = open_page(address, user=staff.ada, js=False)
        page.get_by_role("button", name="How 58 is calculated").click()
        assert page.locator("#why-health").is_visible()
        assert "58.20" in page.locator("#why-health").inner_text()
        page.keyboard.press("Escape")
        page.get_by_text("Show as table").click()
        page.get_by_role("region", name="Health trend as table").locator("a").nth(30).click()
        assert "Day before" in page.locator("#moved").inner_text()
        page.get_by_role("link", name="Full explanation").click()
        assert page.locator("#explained h2").inner_text().startswith("How 68 is calculated on")

    def test_reveals_contacts_and_asks_for_a_score(self, open_page: Opener, staff: Staff, address: str) -> None:
        page = open_page(address, user=staff.ada, js=False)
        page.get_by_role("button", name="Reveal").click()
        assert "mara.lindqvist@cobalt.example" in page.locator("#contacts").inner_text()
        assert AuditEvent.objects.filter(action="contact.reveal").count() == 1
        page.get_by_role("link", name="Hide").click()
        assert "m•••@cobalt.example" in page.locator("#contacts").inner_text()
        page.get_by_role("button", name="Refresh score").click()
        assert "Waiting for a worker" in page.locator("#refresh").inner_text()


class TestWithJavaScript:
    def test_swaps_the_trend_and_keeps_the_rest(self, open_page: Opener, staff: Staff, address: str) -> None:
        page = open_page(address, user=staff.ada)
        page.evaluate("document.querySelector('#contract').dataset.kept = 'yes'")
        page.get_by_role("link", name="30 d").click()
        page.wait_for_url("**days=30*")
        page.locator("#trend [aria-current]", has_text="30 d").wait_for()
        assert page.locator("#contract").get_attribute("data-kept") == "yes"
        page.wait_for_function("document.querySelector('#said').textContent.startsWith('Health score')")

    def test_shows_more_of_the_timeline(self, open_page: Opener, staff: Staff, address: str) -> None:
        page = open_page(address, user=staff.ada)
        assert page.locator("#timeline .timeline > li").count() == 10
        page.get_by_role("link", name=re.compile("more entries")).click()
        page.locator("#timeline .timeline > li").nth(12).wait_for()

    def test_tells_day_value_change_and_causes_under_the_pointer(
        self, open_page: Opener, staff: Staff, address: str
    ) -> None:
        page = open_page(address, user=staff.ada)
        svg = page.locator("#trend .chart svg").bounding_box()
        page.mouse.move(svg["x"] + svg["width"] * 713 / 792, svg["y"] + 60)
        tip = page.locator(".chart-tip")
        tip.wait_for()
        assert "58" in tip.inner_text()
        assert "Usage" in tip.inner_text()
        page.mouse.move(5, 5)
        tip.wait_for(state="hidden")

    def test_tells_what_moved_on_a_clicked_day(self, open_page: Opener, staff: Staff, address: str) -> None:
        page = open_page(address, user=staff.ada)
        svg = page.locator("#trend .chart svg").bounding_box()
        page.mouse.click(svg["x"] + svg["width"] * 486 / 792, svg["y"] + 60)
        page.wait_for_url("**on=*")
        page.locator("#moved", has_text="Day before").wait_for()
        assert page.locator("#trend .chosen").is_visible()
        page.locator("#moved").get_by_role("link", name="Week before").click()
        page.wait_for_url("**against=week*")

    def test_follows_a_place_of_the_chart_without_a_script(self, open_page: Opener, staff: Staff, address: str) -> None:
        page = open_page(address, user=staff.ada, js=False)
        svg = page.locator("#trend .chart svg").bounding_box()
        page.mouse.click(svg["x"] + svg["width"] * 486 / 792, svg["y"] + 60)
        page.wait_for_url("**on=*")
        assert "Day before" in page.locator("#moved").inner_text()

    def test_walks_the_chart_by_keyboard(self, open_page: Opener, staff: Staff, address: str) -> None:
        page = open_page(address, user=staff.ada)
        page.locator(".chart").focus()
        page.keyboard.press("ArrowLeft")
        last = page.locator(".chart-tip b").inner_text()
        page.keyboard.press("ArrowLeft")
        assert page.locator(".chart-tip b").inner_text() != last
        assert page.locator("#said").inner_text().startswith(page.locator(".chart-tip b").inner_text())
        page.keyboard.press("Escape")
        assert not page.locator(".chart-tip").is_visible()
        page.keyboard.press("End")
        page.keyboard.press("Enter")
        page.wait_for_url("**on=*")
        page.wait_for_function("document.querySelector('#said').textContent.includes('58')")

    def test_goes_to_the_neighbours_with_j_and_k(self, open_page: Opener, staff: Staff, address: str) -> None:
        page = open_page(f"{address}?from=sort%3Dname", user=staff.ada)
        page.keyboard.press("j")
        page.get_by_role("heading", level=1, name="Newborn").wait_for()
        page.wait_for_load_state()  # the heading shows before the scripts that listen to keys have run
        page.keyboard.press("k")
        page.get_by_role("heading", level=1, name="Fading").wait_for()

    def test_explains_a_component_beside_its_number(self, open_page: Opener, staff: Staff, address: str) -> None:
        page = open_page(address, user=staff.ada)
        page.get_by_role("button", name=re.compile("^Usage 41")).click()
        why = page.locator("#why-usage")
        assert "Average daily users, 7 days" in why.inner_text()
        box = why.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= DESK[0]

    def test_shows_how_far_the_new_score_is_and_then_the_page_anew(
        self, open_page: Opener, staff: Staff, address: str
    ) -> None:
        page = open_page(address, user=staff.ada)
        page.get_by_role("button", name="Refresh score").click()
        page.get_by_text("Waiting for a worker").wait_for()
        JobRun.objects.update(state=JobState.RUNNING, stage="Scoring", progress_done=1, progress_total=2)
        page.get_by_role("progressbar").wait_for()
        assert "50%" in page.locator("#refresh").inner_text()
        with page.expect_navigation():
            JobRun.objects.update(state=JobState.DONE, finished_at=timezone.now())
        page.get_by_role("button", name="Refresh score").wait_for()

    def test_reveals_contacts_in_place(self, open_page: Opener, staff: Staff, address: str) -> None:
        page = open_page(address, user=staff.ada)
        page.get_by_role("button", name="Reveal").click()
        page.get_by_text("mara.lindqvist@cobalt.example").wait_for()
        assert page.url.endswith(address)


class TestLayout:
    @pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"])
    def test_has_no_violations_and_no_sideways_scroll(
        self,
        open_page: Opener,
        staff: Staff,
        address: str,
        no_violations: Callable[[Any], None],
        scheme: str,
        size: tuple[int, int],
    ) -> None:
        day = (timezone.now().date() - timedelta(days=3)).isoformat()
        page = open_page(f"{address}?explain={day}&on={day}&contacts=all", user=staff.ada, size=size, scheme=scheme)
        page.get_by_text("Show as table").click()
        no_violations(page)
        assert width(page) == size[0]

    def test_holds_for_clients_without_anything_and_for_those_that_left(
        self, open_page: Opener, staff: Staff, clients: Clients, address: str, no_violations: Callable[[Any], None]
    ) -> None:
        for client in (clients.newborn, clients.gone):
            page = open_page(f"/clients/{client.pk}/", user=staff.ada, size=PHONE)
            no_violations(page)
            assert width(page) == PHONE[0]
