"""Adoption and its catalogue in a browser: with and without JavaScript, on a phone, in both themes, checked by axe."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.utils import timezone
from playwright.sync_api import expect

from bellwether.portfolio.models import Client
from bellwether.usage.lake import Lake
from bellwether.usage.models import FeatureAdoption
from tests.browser.conftest import PHONE, Opener, width
from tests.conftest import Clients, Staff
from tests.health.use_facts import store_use, use


@pytest.fixture
def used(chromium: Any, transactional_db: None, clients: Clients, lake: Lake) -> Client:
    """Sturdy with cases on most days, reports licensed and not set up, and peers of the tier."""
    caches["memory"].clear()
    today = timezone.now().date()
    client: Client = clients.sturdy
    for key, configured in (("case_creation", True), ("dashboard_views", True), ("report_exports", False)):
        FeatureAdoption.objects.create(
            client=client, feature_key=key, is_licensed=True, licensed_at=date(2025, 1, 1), is_configured=configured
        )
    rows = [use("sturdy", today - timedelta(days=ago), "Case Created", 1 + ago % 3) for ago in range(40)]
    for number in range(6):
        Client.objects.create(organization_id=f"p{number}", name=f"Peer {number}", contract_tier="ENTERPRISE")
        rows.append(use(f"p{number}", today, "Report Exported"))
    store_use(lake, rows)
    return client


class TestAdoption:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_is_accessible(
        self, open_page: Opener, no_violations: Callable[[Any], None], used: Client, staff: Staff, scheme: str
    ) -> None:
        for path in ("", "case_creation/", "?view=grid"):
            no_violations(open_page(f"/clients/{used.pk}/adoption/{path}", user=staff.ada, scheme=scheme))
        no_violations(open_page(f"/clients/{used.pk}/licences/", user=staff.ada, scheme=scheme))

    def test_opens_a_feature_beside_the_matrix(self, open_page: Opener, used: Client, staff: Staff) -> None:
        page = open_page(f"/clients/{used.pk}/adoption/", user=staff.ada)
        page.locator(".matrix").get_by_role("link", name="Case creation").click()
        page.locator("#feature-name").wait_for()
        assert "Case creation" in page.locator("#feature-name").inner_text()
        page.locator("#feature-users").get_by_text("not kept here").wait_for()

    def test_filters_without_javascript(self, open_page: Opener, used: Client, staff: Staff) -> None:
        page = open_page(f"/clients/{used.pk}/adoption/", user=staff.ada, js=False)
        page.get_by_label("Licensed but not used").check()
        page.get_by_role("button", name="Apply").click()
        expect(page.locator(".matrix td.name")).to_have_text(["Dashboard views", "Report exports"])
        page.get_by_role("link", name="Dashboard views").click()
        assert "No use in this time." in page.locator("#feature-panel").inner_text()

    def test_saves_licences_and_undoes_them(self, open_page: Opener, used: Client, staff: Staff) -> None:
        page = open_page(f"/clients/{used.pk}/licences/", user=staff.ada, js=False)
        page.get_by_label("API calls: licensed", exact=True).check()
        page.get_by_role("button", name="Save licences").click()
        assert "Licences of 1 feature saved" in page.locator("main").inner_text()
        page.get_by_role("button", name="Undo the last change").click()
        assert "1 feature is as before" in page.locator("main").inner_text()

    @pytest.mark.parametrize("path", ["adoption/case_creation/", "adoption/?view=grid", "licences/"])
    def test_fits_a_phone(self, open_page: Opener, used: Client, staff: Staff, path: str) -> None:
        page = open_page(f"/clients/{used.pk}/{path}", user=staff.ada, size=PHONE)
        assert width(page) <= PHONE[0]


class TestCatalogue:
    def test_is_accessible(
        self, open_page: Opener, no_violations: Callable[[Any], None], used: Client, staff: Staff
    ) -> None:
        for path in ("", "new/", "edit/disclosure_review/"):
            no_violations(open_page(f"/settings/features/{path}", user=staff.adam))

    def test_adds_what_was_seen(self, open_page: Opener, used: Client, staff: Staff) -> None:
        page = open_page("/settings/features/new/?event=Case+Created", user=staff.adam, js=False)
        page.get_by_label("Name").fill("Cases again")
        page.get_by_role("button", name="Preview").click()
        assert "Nothing is saved yet" in page.locator("aside").inner_text()
        page.get_by_role("button", name="Add feature").click()
        assert "Cases again added" in page.locator("main").inner_text()
