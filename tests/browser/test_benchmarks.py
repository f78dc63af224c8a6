"""Benchmarks in a browser: with and without JavaScript, on a phone, in both themes, checked by axe."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import caches

from bellwether.benchmarks.models import Cohort
from tests.benchmarks.builders import make_portfolio
from tests.browser.conftest import PHONE, Opener, width
from tests.conftest import Staff


@pytest.fixture
def compared(chromium: Any, transactional_db: None, staff: Staff) -> Iterator[None]:
    rows = [
        (f"Client {place}", staff.ada if place < 2 else staff.cleo, "ENTERPRISE" if place % 2 else "STARTER", "Energy",
         300, {"health": 40.0 + place, "usage_intensity": 50.0 + place, "adoption": 60.0, "support": 90.0 - place})
        for place in range(24)
    ]  # fmt: skip
    make_portfolio(rows)
    yield
    caches["memory"].clear()


class TestBenchmarks:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_is_accessible(
        self, open_page: Opener, no_violations: Callable[[Any], None], compared: None, staff: Staff, scheme: str
    ) -> None:
        for path in ("", "?cohort=custom&tier=ENTERPRISE&size=smb", "industries/"):
            no_violations(open_page(f"/benchmarks/{path}", user=staff.ada, scheme=scheme))

    def test_fits_a_phone(self, open_page: Opener, compared: None, staff: Staff) -> None:
        page = open_page("/benchmarks/", user=staff.ada, size=PHONE)
        assert width(page) <= PHONE[0]

    def test_makes_and_saves_a_group_without_javascript(self, open_page: Opener, compared: None, staff: Staff) -> None:
        page = open_page("/benchmarks/", user=staff.ada, js=False)
        page.get_by_label("Tier", exact=True).select_option("ENTERPRISE")
        page.get_by_role("button", name="Compare").click()
        page.get_by_label("Save this group as").fill("Large ones")
        page.get_by_role("button", name="Save group").click()
        assert "Large ones" in page.locator("#custom-title").inner_text()
        assert Cohort.objects.get().filters == {"tier": ["ENTERPRISE"]}

    def test_the_count_follows_the_choosing(self, open_page: Opener, compared: None, staff: Staff) -> None:
        page = open_page("/benchmarks/", user=staff.ada)
        page.get_by_label("Tier", exact=True).select_option("ENTERPRISE")
        page.locator("#group-count").get_by_text("12 peers").wait_for()
