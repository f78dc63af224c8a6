"""Signing in and out in a browser."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import PHONE, Opener, width
from tests.conftest import PASSWORD, Clients, Staff


class TestSignIn:
    @pytest.mark.parametrize("js", [True, False])
    def test_opens_the_portfolio(self, js: bool, open_page: Opener, staff: Staff, scored: Clients) -> None:
        page = open_page("/?view=at_risk", js=js)
        page.get_by_label("E-mail").fill(staff.ada.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/?view=at_risk")
        assert page.get_by_role("heading", name="Portfolio").is_visible()

    def test_says_what_was_wrong(self, open_page: Opener, staff: Staff) -> None:
        page = open_page("/accounts/login/")
        page.get_by_label("E-mail").fill(staff.ada.email)
        page.get_by_label("Password").fill("not-the-password")
        page.get_by_role("button", name="Sign in").click()
        assert "password is not right" in page.get_by_role("alert").inner_text()
        assert page.get_by_label("E-mail").input_value() == staff.ada.email
        assert page.evaluate("document.activeElement.name") == "password"

    def test_signs_out_from_the_menu(self, open_page: Opener, staff: Staff, scored: Clients) -> None:
        page = open_page("/", user=staff.ada)
        page.get_by_role("button", name=re.compile("account")).click()
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/accounts/login/")
        page.goto("/")
        assert "/accounts/login/" in page.url

    def test_menu_opens_without_javascript(self, open_page: Opener, staff: Staff, scored: Clients) -> None:
        page = open_page("/", user=staff.ada, js=False)
        page.get_by_role("button", name=re.compile("account")).click()
        assert page.get_by_role("button", name="Sign out").is_visible()


class TestAccountPages:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/password/reset/", "/accounts/signup/"])
    def test_have_no_barriers(
        self, path: str, scheme: str, open_page: Opener, no_violations: Callable[[Any], None], transactional_db: None
    ) -> None:
        page = open_page(path, scheme=scheme, size=PHONE)
        no_violations(page)
        assert width(page) == PHONE[0]

    def test_have_no_barriers_for_who_is_signed_in(
        self, open_page: Opener, staff: Staff, no_violations: Callable[[Any], None]
    ) -> None:
        page = open_page("/accounts/password/change/", user=staff.ada)
        no_violations(page)
