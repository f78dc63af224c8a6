"""The executive summary in a browser: checked by axe, on a phone, with and without JavaScript."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from bellwether.portfolio.models import Client
from tests.analytics.cast import add_client, add_csms
from tests.browser.conftest import PHONE, Opener, width
from tests.conftest import Clients, Staff


class TestExecutive:
    def test_is_accessible_and_fits_a_phone(
        self, open_page: Opener, no_violations: Callable[[Any], None], staff: Staff, scored: Clients
    ) -> None:
        now = timezone.now()
        add_csms(6, now.date(), now)
        no_violations(open_page("/executive/?period=year", user=staff.vera))
        page = open_page(f"/executive/csm/{staff.ada.pk}/", user=staff.ada, size=PHONE, scheme="dark")
        no_violations(page)
        assert width(page) <= PHONE[0]
        page.goto("/executive/?period=last_quarter")
        assert width(page) <= PHONE[0]

    def test_explains_figures_and_follows_the_choice(self, open_page: Opener, staff: Staff, scored: Clients) -> None:
        page = open_page("/executive/", user=staff.vera)
        page.get_by_role("button", name="Average health 68: how it is made").click()
        page.get_by_text("Sum of the health scores ÷ clients with a score.").wait_for()
        page.keyboard.press("Escape")
        page.locator("select[name=csm_id]").select_option(label="Cleo Example")
        page.get_by_text("Clients of Cleo Example.").wait_for()
        page.get_by_role("link", name="Region", exact=True).click()
        page.get_by_role("columnheader", name="Region").wait_for()
        assert "csm_id=" in page.url

    def test_hands_a_client_over_without_javascript(self, open_page: Opener, staff: Staff, scored: Clients) -> None:
        now = timezone.now()
        Client.objects.filter(csm_user=staff.ada).update(csm_user=None)
        for number in range(34):
            add_client(f"Book {number:02}", staff.ada, 90, now.date(), now)
        page = open_page("/executive/", user=staff.vera, js=False)
        page.get_by_role("button", name="Hand Book").first.click()
        page.get_by_text("moved from Ada Example to Ben Example.").wait_for()
        page.get_by_role("button", name="Undo").click()
        page.get_by_text("Undone:").wait_for()
        assert Client.objects.filter(csm_user=staff.ada).count() == 34
