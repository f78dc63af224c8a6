"""The operations console and the suppliers' page in a browser: also without JavaScript, on a phone, in both themes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from bellwether.benchmarks.night import forget_night
from bellwether.benchmarks.nightly import make_night
from bellwether.portfolio.models import Client
from bellwether.usage.lake import Lake
from tests.api.portal_cast import ORGANIZATION, SUPPLIER, keep_score
from tests.browser.conftest import DESK, PHONE, Opener, width
from tests.conftest import Clients, Staff

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def seen(scored: Clients, lake: Lake, settings: Any) -> Clients:
    settings.BELLWETHER_OTHER_SCORECARDS = ["operations", "suppliers"]
    today = timezone.now().date()
    for client, tickets in ((scored.sturdy, 0), (scored.fading, 9)):
        keep_score(client, "operations", today, ORGANIZATION | {"tickets_30d": tickets}, previous=70)
    keep_score(scored.newborn, "operations", today, {"tickets_30d": 0})
    keep_score(scored.fading, "suppliers", today, SUPPLIER, previous=52)
    return scored


class TestConsole:
    def test_filters_opens_and_changes_alerts(self, open_page: Opener, staff: Staff, seen: Clients) -> None:
        page = open_page("/console/", user=staff.ada)
        page.get_by_role("link", name="Amber").click()
        expect(page.locator("article")).to_have_count(3)
        page.get_by_role("searchbox", name="Filter by name").press_sequentially("fad", delay=20)
        expect(page.locator("article")).to_have_count(1)
        assert "light=amber" in page.url
        page.get_by_text("Score breakdown").click()
        expect(page.locator("article")).to_contain_text("Support tickets 15%")
        page.get_by_role("link", name="Fading", exact=True).click()
        page.get_by_role("button", name="Proactive").click()
        expect(page.get_by_role("button", name="Proactive")).to_have_attribute("aria-pressed", "true")
        page.get_by_role("button", name="Undo the last change").click()
        expect(page.get_by_role("button", name="Dashboard only")).to_have_attribute("aria-pressed", "true")
        assert Client.objects.get(pk=seen.fading.pk).alert_level == "DASHBOARD_ONLY"

    def test_works_without_javascript(self, open_page: Opener, staff: Staff, seen: Clients) -> None:
        page = open_page("/console/", user=staff.ada, js=False)
        page.get_by_role("link", name="Name", exact=True).click()
        expect(page.locator("article h3").first).to_have_text("Fading")
        page.get_by_role("link", name="Sturdy").click()
        page.get_by_role("button", name="Refresh score").click()
        expect(page.get_by_text("Waiting for a worker")).to_be_visible()

    @pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"])
    def test_is_accessible_and_fits(
        self,
        open_page: Opener,
        staff: Staff,
        seen: Clients,
        no_violations: Callable[[Any], None],
        size: tuple[int, int],
        scheme: str,
    ) -> None:
        today = timezone.now().date()
        for number in range(5):
            peer = Client.objects.create(organization_id=f"peer-{number}", name=f"Peer {number}")
            keep_score(peer, "prd-015", today, ORGANIZATION | {"assignments_completed": 10 * number})
        keep_score(seen.newborn, "operations", today - timedelta(days=1), ORGANIZATION)
        make_night(now=timezone.now())
        forget_night()
        page = open_page("/console/", user=staff.vera, size=size, scheme=scheme)
        for path in ("", f"/console/{seen.fading.pk}/", f"/console/benchmarks/?client={seen.fading.pk}", "/suppliers/"):
            if path:
                page.goto(path)
            no_violations(page)
            assert width(page) <= size[0]


class TestSuppliers:
    def test_filters_exports_and_selects(self, open_page: Opener, staff: Staff, seen: Clients) -> None:
        page = open_page("/suppliers/", user=staff.ada)
        page.get_by_role("link", name="Critical").click()
        expect(page.locator("article")).to_have_count(1)
        expect(page.locator("article")).to_contain_text("The score fell 12 points in 30 days")
        with page.expect_download() as download:
            page.get_by_role("link", name="Export").click()
        assert download.value.suggested_filename.startswith("suppliers-")
        page.get_by_role("link", name="Fading", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Fading")
