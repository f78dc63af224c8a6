"""Importing in a browser: rows pasted from a spreadsheet become clients, and go again."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from bellwether.common.jobs import run_job
from bellwether.portfolio.models import Client
from bellwether.usage.lake import Lake
from tests.browser.conftest import PHONE, Opener, width
from tests.conftest import Clients, Staff

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
ROWS = "account_id\tname\tplan\nacme\tAcme Ltd\tPro\nbeta\tBeta AG\tGold\ngamma\tGamma\tBasic\n"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, settings: Any) -> None:
    settings.BELLWETHER_HOME = tmp_path / "home"


class TestImport:
    def test_pasted_rows_become_clients_and_go_again(
        self, open_page: Opener, staff: Staff, scored: Clients, lake: Lake
    ) -> None:
        page = open_page("/data/import/", user=staff.vera)
        page.get_by_label("Or paste rows").fill(ROWS)
        page.get_by_role("button", name="Look at them").click()
        expect(page.get_by_role("row", name=re.compile("^plan"))).to_contain_text("1 of 3 values")
        page.get_by_label("Gold means").select_option("ENTERPRISE")
        page.get_by_role("button", name="Check every row").click()
        expect(page.get_by_role("region", name="First rows")).to_contain_text("ENTERPRISE")
        page.get_by_role("button", name="Import 3 rows").click()
        expect(page.get_by_text("waiting for the worker")).to_be_visible()
        run_job("imports", now=timezone.now())
        expect(page.get_by_text("Imported.")).to_be_visible()
        assert Client.objects.get(organization_id="beta").contract_tier == "ENTERPRISE"
        page.get_by_role("button", name="Undo this import").click()
        expect(page.get_by_role("heading", name="Taking back")).to_be_visible()
        run_job("imports", now=timezone.now())
        expect(page.get_by_text("3 records are as before")).to_be_visible()
        assert not Client.objects.filter(organization_id="beta").exists()

    def test_is_accessible_and_fits_a_phone(
        self, open_page: Opener, staff: Staff, scored: Clients, lake: Lake, no_violations: Callable[[Any], None]
    ) -> None:
        page = open_page("/data/import/", user=staff.adam, size=PHONE, scheme="dark")
        no_violations(page)
        page.get_by_label("Or paste rows").fill(ROWS + "gamma\tGamma 2\tBasic\n")
        page.get_by_role("button", name="Look at them").click()
        expect(page.get_by_role("heading", name="Columns")).to_be_visible()
        no_violations(page)
        assert width(page) <= PHONE[0]
        page.get_by_role("button", name="Check every row").click()
        expect(page.get_by_role("heading", name="Rejected rows")).to_be_visible()
        no_violations(page)
        assert width(page) <= PHONE[0]
