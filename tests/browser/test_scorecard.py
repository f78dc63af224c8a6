"""The health score page in a browser: sliders by key and by number, publishing and undo, without scripts, axe."""

from typing import Any

import pytest
from playwright.sync_api import expect

from bellwether.health.configs import in_force
from bellwether.health.models import HealthScoreConfig
from bellwether.health.simulation_reading import forget
from tests.browser.conftest import PHONE, Opener, width
from tests.conftest import NOW, Clients, Staff
from tests.health.test_services import records, usage  # noqa: F401
from tests.health.test_simulations import TILTED, score_today

PAGE = "/health-score/"


@pytest.fixture
def scores(chromium: Any, transactional_db: None, clients: Clients, usage: Any, records: None) -> Clients:  # noqa: F811
    forget()
    score_today()
    return clients


class TestSliders:
    def test_keys_and_numbers_change_the_figures(self, open_page: Opener, staff: Staff, scores: Clients) -> None:
        page = open_page(PAGE, user=staff.adam)
        publish = page.get_by_role("button", name="Publish version 2")
        expect(publish).to_be_disabled()
        slider = page.get_by_label("Support weight")
        slider.focus()
        for _ in range(25):
            page.keyboard.press("ArrowRight")
        expect(page.locator("#sum")).to_have_text("125% in total")
        expect(page.locator("#effect")).to_contain_text("The weights sum to 125%.")
        expect(publish).to_be_disabled()
        page.locator("#w-usage").fill("0")
        expect(page.locator("#sum")).to_have_text("100% in total")
        expect(page.locator("#effect .kpis")).to_contain_text("was")
        expect(page.locator("#effect tbody tr").first).to_contain_text("Sturdy")
        expect(publish).to_be_enabled()
        assert "w.support=40" in page.url
        page.reload()
        expect(page.locator("#w-support")).to_have_value("40")

    def test_publish_and_undo(self, open_page: Opener, staff: Staff, scores: Clients) -> None:
        weights = "&".join(f"w.{key}={value}" for key, value in TILTED.items())
        page = open_page(f"{PAGE}?{weights}", user=staff.adam)
        page.get_by_role("button", name="Publish version 2").click()
        page.get_by_label("Reason").fill("Tickets tell more")
        page.keyboard.press("Enter")
        expect(page.locator("#published")).to_contain_text("Version 2 is in use.")
        assert HealthScoreConfig.objects.count() == 2
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("Undone: what was in use before is in use again.")).to_be_visible()
        assert in_force("prd-015", now=NOW).default.number == 1

    def test_works_without_scripts(self, open_page: Opener, staff: Staff, scores: Clients) -> None:
        page = open_page(PAGE, user=staff.ada, js=False)
        assert not page.get_by_label("Support weight").is_visible()
        page.locator("#w-support").fill("16")
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_text("The weights sum to 101%.")).to_be_visible()
        page.get_by_role("link", name="Make it 100%").click()
        assert "100% in total" in page.locator("#sum").inner_text()

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_fits_a_phone_and_is_accessible(
        self, open_page: Opener, staff: Staff, scores: Clients, no_violations: Any, scheme: str
    ) -> None:
        page = open_page(f"{PAGE}?w.usage=30&w.support=10", user=staff.adam, size=PHONE, scheme=scheme)
        assert width(page) <= PHONE[0]
        no_violations(page)
        for path in ("components/", "compare/"):
            page.goto(PAGE + path)
            assert width(page) <= PHONE[0]
            no_violations(page)
