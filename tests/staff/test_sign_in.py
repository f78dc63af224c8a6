"""Signing in: counted attempts, no word about who exists, everything logged."""

import re

import pytest
from django.core import mail
from django.test import Client as Browser

from bellwether.staff.models import AuditEvent, StaffUser
from tests.conftest import PASSWORD, Staff

LOGIN = "/accounts/login/"


def attempt(browser: Browser, email: str, password: str = "wrong-password") -> str:
    return browser.post(LOGIN, {"login": email, "password": password}).content.decode()


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("seq").values_list("action", flat=True))


class TestLogin:
    def test_lets_staff_in_and_logs_it(self, staff: Staff, client: Browser) -> None:
        response = client.post(LOGIN, {"login": "ADA@bellwether.example", "password": PASSWORD})
        assert (response.status_code, response["Location"]) == (302, "/")
        client.post("/accounts/logout/")
        assert actions() == ["login", "logout"]
        assert AuditEvent.objects.get(seq=1).actor_id == staff.ada.pk

    def test_counts_the_attempts_aloud_and_then_locks(self, staff: Staff, client: Browser) -> None:
        for left in ("4 attempts left", "3 attempts left", "2 attempts left", "1 attempt left", "No attempts left"):
            assert left in attempt(client, "ada@bellwether.example")
        assert "Try again in 5 minutes" in attempt(client, "ada@bellwether.example", PASSWORD)
        assert actions() == ["login.failed"] * 5 + ["login.locked_out"]
        assert AuditEvent.objects.get(seq=1).object_id == str(staff.ada.pk)

    def test_locks_one_address_and_not_another(self, staff: Staff, client: Browser) -> None:
        for _ in range(5):
            attempt(client, "ada@bellwether.example")
        assert client.post(LOGIN, {"login": staff.ben.email, "password": PASSWORD}).status_code == 302

    def test_says_the_same_about_an_unknown_address(self, staff: Staff, client: Browser) -> None:
        def said(email: str) -> str:
            page = attempt(client, email).replace(email, "")
            return re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", page)

        assert said("ada@bellwether.example") == said("nobody@bellwether.example")
        assert "nobody@" not in str(list(AuditEvent.objects.values()))

    def test_treats_a_deactivated_user_like_a_wrong_password(self, staff: Staff, client: Browser) -> None:
        StaffUser.objects.filter(pk=staff.ada.pk).update(is_active=False)
        assert "password is not right" in attempt(client, "ada@bellwether.example", PASSWORD)

    def test_ends_the_session_of_a_user_deactivated_meanwhile(self, staff: Staff, client: Browser) -> None:
        client.post(LOGIN, {"login": staff.ada.email, "password": PASSWORD})
        StaffUser.objects.filter(pk=staff.ada.pk).update(is_active=False)
        assert client.get("/accounts/password/change/").status_code == 302

    def test_wants_a_csrf_token(self, staff: Staff) -> None:
        browser = Browser(enforce_csrf_checks=True)
        assert browser.post(LOGIN, {"login": staff.ada.email, "password": PASSWORD}).status_code == 403

    @pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
    def test_never_leads_elsewhere(self, staff: Staff, client: Browser, target: str) -> None:
        response = client.post(
            f"{LOGIN}?next={target}", {"login": staff.ada.email, "password": PASSWORD, "next": target}
        )
        assert response["Location"] == "/"


class TestSignUp:
    def test_is_closed(self, db: None, client: Browser) -> None:
        client.post("/accounts/signup/", {"email": "eve@evil.example", "password1": "long-enough-1"})
        assert not StaffUser.objects.exists()

    def test_offers_no_way_to_change_the_address(self, staff: Staff, client: Browser) -> None:
        client.force_login(staff.ada)
        assert client.get("/accounts/email/").status_code == 404


class TestPasswordReset:
    def test_works_once_by_mail_and_is_logged(self, staff: Staff, client: Browser) -> None:
        client.post("/accounts/password/reset/", {"email": staff.ada.email})
        link = re.search(r"http://testserver(\S+)", str(mail.outbox[0].body))
        assert link is not None
        form = client.get(link[1])["Location"]
        client.post(form, {"password1": "another-secret-9", "password2": "another-secret-9"})
        staff.ada.refresh_from_db()
        assert staff.ada.check_password("another-secret-9")
        assert "password.changed" in actions()
        assert 'name="password1"' not in client.get(link[1], follow=True).content.decode()

    def test_answers_the_same_and_mails_nobody_for_an_unknown_address(self, staff: Staff, client: Browser) -> None:
        known = client.post("/accounts/password/reset/", {"email": staff.ada.email})
        unknown = client.post("/accounts/password/reset/", {"email": "nobody@bellwether.example"})
        assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
        assert len(mail.outbox) == 1
