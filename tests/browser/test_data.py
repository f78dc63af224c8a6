"""The page about the data in a browser: with and without JavaScript, on a phone, in both themes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from django.utils import timezone
from playwright.sync_api import expect

from bellwether.usage.facts import EVENT_DAYS, store_month
from bellwether.usage.lake import Lake
from bellwether.usage.models import IgnoredEvent, RejectedEvent, SourceDay
from tests.browser.conftest import DESK, PHONE, Opener, width
from tests.conftest import Clients, Staff

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def arrived(scored: Clients, lake: Lake) -> None:
    now = timezone.now()
    rows = [
        {"organization_id": "sturdy", "date": now.date(), "event": name, "is_service": False, "events": 40, "users": 2,
         "first_ts": now, "last_ts": now}
        for name in ("Case Created", "Page Viewed", "Report Opened")
    ]  # fmt: skip
    store_month(lake, "event_days", f"{now:%Y-%m}", pl.DataFrame(rows, schema=dict(EVENT_DAYS)))
    for ago in range(20):
        SourceDay.objects.create(
            source="web-app", date=now.date() - timedelta(days=ago), events=900 + ago, rejected=20, batches=9,
            lags={"10": 900}, last_received_at=now - timedelta(days=ago), last_part="flush",
        )  # fmt: skip
    RejectedEvent.objects.create(
        received_at=now, source="web-app", reason="groupId: missing", message_id="m1", sample={"type": "group"}
    )


class TestData:
    def test_works_without_javascript(self, open_page: Opener, staff: Staff, arrived: None) -> None:
        page = open_page("/data/", user=staff.adam, js=False)
        page.get_by_role("button", name="Ignore Page Viewed").click()
        expect(page.get_by_text("Page Viewed is ignored")).to_be_visible()
        page.get_by_role("button", name="Undo").click()
        assert not IgnoredEvent.objects.exists()
        page.get_by_role("searchbox", name="Search event names").fill("report")
        page.get_by_role("searchbox", name="Search event names").press("Enter")
        table = page.locator("#names table")
        expect(table).to_contain_text("Report Opened")
        expect(table).not_to_contain_text("Page Viewed")
        page.locator("#rejects summary").click()
        expect(page.locator("#rejects pre")).to_contain_text('"type": "group"')
        page.get_by_role("button", name="Score all clients").click()
        expect(page.get_by_text("waiting for a worker")).to_be_visible()

    def test_searches_names_as_one_types_and_keeps_the_focus(
        self, open_page: Opener, staff: Staff, arrived: None
    ) -> None:
        page = open_page("/data/", user=staff.vera)
        box = page.get_by_role("searchbox", name="Search event names")
        box.press_sequentially("report", delay=20)
        expect(page.locator("#names table")).not_to_contain_text("Page Viewed")
        expect(page.locator("#names-search")).to_be_focused()
        expect(page.locator("#names-search")).to_have_value("report")

    def test_refreshes_the_key_figures_by_itself(self, open_page: Opener, staff: Staff, arrived: None) -> None:
        page = open_page("/data/", user=staff.vera)
        expect(page.locator("#data-figures")).to_contain_text("900")
        SourceDay.objects.filter(date=timezone.now().date()).update(events=12_345)
        expect(page.locator("#data-figures")).to_contain_text("12,345", timeout=15_000)

    @pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"])
    def test_is_accessible_and_fits(
        self,
        open_page: Opener,
        staff: Staff,
        arrived: None,
        no_violations: Callable[[Any], None],
        size: tuple[int, int],
        scheme: str,
    ) -> None:
        page = open_page("/data/", user=staff.adam, size=size, scheme=scheme)
        page.locator("#rejects summary").click()
        no_violations(page)
        assert width(page) <= size[0]

    def test_is_accessible_before_the_first_event(
        self, open_page: Opener, staff: Staff, scored: Clients, lake: Lake, no_violations: Callable[[Any], None]
    ) -> None:
        page = open_page("/data/", user=staff.vera, size=PHONE)
        expect(page.get_by_role("heading", name="No events yet")).to_be_visible()
        no_violations(page)
        assert width(page) <= PHONE[0]
