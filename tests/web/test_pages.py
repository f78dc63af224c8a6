"""The frame: appearance without JavaScript, account pages, failures."""

import re

import pytest
from django.core import mail
from django.template.loader import render_to_string
from django.test import Client, override_settings

from tests.conftest import PASSWORD, Staff

pytestmark = pytest.mark.django_db


class TestAppearance:
    def test_goes_through_the_themes_and_back_to_the_page(self, client: Client) -> None:
        answer = client.post("/appearance/", {"theme": "next", "next": "/?view=mine"})
        assert (answer.status_code, answer.url) == (302, "/?view=mine")  # type: ignore[attr-defined]
        assert client.cookies["theme"].value == "dark"
        client.post("/appearance/", {"theme": "next"})
        assert client.cookies["theme"].value == "light"
        client.post("/appearance/", {"theme": "next"})
        assert client.cookies["theme"].value == ""

    def test_takes_a_theme_by_name(self, client: Client) -> None:
        client.post("/appearance/", {"theme": "light"})
        assert client.cookies["theme"].value == "light"

    def test_folds_the_rail(self, client: Client) -> None:
        client.post("/appearance/", {"rail": "toggle"})
        assert client.cookies["rail"].value == "min"
        client.post("/appearance/", {"rail": "toggle"})
        assert client.cookies["rail"].value == ""

    def test_never_leaves_the_site(self, client: Client) -> None:
        answer = client.post("/appearance/", {"theme": "dark", "next": "https://elsewhere.example/"})
        assert answer.url == "/"  # type: ignore[attr-defined]

    def test_is_a_post(self, client: Client) -> None:
        assert client.get("/appearance/").status_code == 405

    def test_is_right_in_the_first_paint(self, client: Client, staff: Staff) -> None:
        client.force_login(staff.ada)
        client.cookies["theme"], client.cookies["rail"] = "dark", "min"
        text = client.get("/").content.decode()
        assert '<html lang="en" data-theme="dark" data-rail="min">' in text

    def test_ignores_a_cookie_that_is_no_theme(self, client: Client, staff: Staff) -> None:
        client.force_login(staff.ada)
        client.cookies["theme"] = '"><script>'
        assert '<html lang="en">' in client.get("/").content.decode()


class TestFrame:
    def test_sends_strangers_to_the_sign_in_page(self, client: Client) -> None:
        answer = client.get("/?view=mine")
        assert answer.url == "/accounts/login/?next=/%3Fview%3Dmine"  # type: ignore[attr-defined]

    def test_has_no_inline_script_or_handler(self, client: Client, staff: Staff) -> None:
        client.force_login(staff.ada)
        text = client.get("/").content.decode()
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=|javascript:", text)

    def test_uses_style_attributes_for_custom_properties_only(self, client: Client, staff: Staff) -> None:
        client.force_login(staff.ada)
        for style in re.findall(r'style="([^"]*)"', client.get("/").content.decode()):
            assert re.fullmatch(r"(--[\w-]+:[^;]*;?)+", style), style


class TestSignIn:
    def test_leads_to_where_one_wanted_to_go(self, client: Client, staff: Staff) -> None:
        page = client.get("/accounts/login/?next=/%3Fview%3Dmine").content.decode()
        assert 'name="next" value="/?view=mine"' in page
        form = {"login": staff.ada.email, "password": PASSWORD, "next": "/?view=mine"}
        assert client.post("/accounts/login/", form).url == "/?view=mine"  # type: ignore[attr-defined]

    def test_says_that_the_password_is_wrong_and_keeps_the_address(self, client: Client, staff: Staff) -> None:
        answer = client.post("/accounts/login/", {"login": staff.ada.email, "password": "not-this"})
        text = answer.content.decode()
        assert answer.status_code == 200
        assert 'role="alert"' in text
        assert f'value="{staff.ada.email}"' in text
        assert "not-this" not in text

    def test_names_the_workspace(self, client: Client) -> None:
        assert "Sign in to " in client.get("/accounts/login/").content.decode()

    def test_offers_no_sign_up(self, client: Client) -> None:
        answer = client.get("/accounts/signup/")
        assert "Accounts are made for you" in answer.content.decode()


class TestPasswords:
    def test_can_be_reset_by_mail(self, client: Client, staff: Staff) -> None:
        assert "Forgot your password?" in client.get("/accounts/password/reset/").content.decode()
        answer = client.post("/accounts/password/reset/", {"email": staff.ada.email}, follow=True)
        assert "Check your mail" in answer.content.decode()
        link = re.search(r"https?://\S+/accounts/password/reset/key/\S+", str(mail.outbox[0].body))
        assert link is not None
        page = client.get(link.group(0), follow=True)
        assert "Choose a new password" in page.content.decode()
        new = {"password1": "another-long-phrase", "password2": "another-long-phrase"}
        done = client.post(page.request["PATH_INFO"], new, follow=True)
        assert "Your password is saved" in done.content.decode()
        assert client.login(email=staff.ada.email, password="another-long-phrase")

    def test_link_works_once(self, client: Client) -> None:
        answer = client.get("/accounts/password/reset/key/1-set-password/")
        assert "This link no longer works" in answer.content.decode()

    def test_can_be_changed(self, client: Client, staff: Staff) -> None:
        client.force_login(staff.ada)
        assert "Change your password" in client.get("/accounts/password/change/").content.decode()
        wrong = {"oldpassword": "no", "password1": "another-long-phrase", "password2": "another-long-phrase"}
        assert 'aria-invalid="true"' in client.post("/accounts/password/change/", wrong).content.decode()

    def test_sign_out_asks_first(self, client: Client, staff: Staff) -> None:
        client.force_login(staff.ada)
        assert "Sign out?" in client.get("/accounts/logout/").content.decode()
        client.post("/accounts/logout/")
        assert client.get("/").status_code == 302


class TestFailures:
    def test_unknown_pages_say_so(self, client: Client, staff: Staff) -> None:
        client.force_login(staff.ada)
        answer = client.get("/nothing-here/")
        assert answer.status_code == 404
        assert "There is no such page" in answer.content.decode()

    @pytest.mark.parametrize("code", ["400", "403", "403_csrf", "404", "429", "500"])
    def test_pages_need_neither_request_nor_database(self, code: str) -> None:
        assert "Go to the first page" in render_to_string(f"{code}.html") or code == "429"

    def test_a_failing_view_answers_with_our_page(self, staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: object, **__: object) -> None:
            raise RuntimeError("out of order")

        monkeypatch.setattr("bellwether.dashboard.portfolio_page.list_clients", broken)
        client = Client(raise_request_exception=False)
        client.force_login(staff.ada)
        answer = client.get("/")
        assert answer.status_code == 500
        assert "Something failed on our side" in answer.content.decode()
        assert "out of order" not in answer.content.decode()

    def test_a_form_without_its_token_is_explained(self) -> None:
        answer = Client(enforce_csrf_checks=True).post("/appearance/", {"theme": "dark"})
        assert answer.status_code == 403
        assert "This page was open too long" in answer.content.decode()


class TestParts:
    def test_is_not_there_in_production(self, client: Client, staff: Staff) -> None:
        client.force_login(staff.ada)
        assert client.get("/parts/").status_code == 404

    def test_draws_every_part(self, client: Client, staff: Staff) -> None:
        client.force_login(staff.ada)
        with override_settings(DEBUG=True):
            text = client.get("/parts/").content.decode()
        for name in (
            "pill",
            "delta",
            "ring",
            "meter",
            "spark",
            "badge",
            "avatar",
            "kpi",
            "empty",
            "notice",
            "skeleton",
        ):
            assert re.search(rf'class="[^"]*\b{name}\b', text), name
