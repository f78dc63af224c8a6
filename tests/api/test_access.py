"""Who may call the staff API, how often, and the one form of every refusal."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client as Browser

from bellwether.staff.models import ApiToken, StaffUser
from bellwether.staff.tokens import issue_token
from tests.api.conftest import BASE, Caller
from tests.conftest import NOW, PASSWORD, Clients, Staff

Callers = Callable[..., Caller]


def check_problem(response: Any, status: int, kind: str) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert set(body) == {"type", "title", "status", "detail", "errors"}
    assert body["type"] == f"urn:bellwether:problem:{kind}"
    assert body["status"] == status
    assert body["detail"].endswith(".") or "bw_" in body["detail"]
    return body


class TestAnonymous:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("get", "/clients"),
            ("get", "/clients/{id}"),
            ("put", "/clients/{id}"),
            ("get", "/clients/{id}/health"),
            ("get", "/clients/{id}/health/history"),
            ("post", "/clients/{id}/health/refresh"),
            ("get", "/clients/{id}/summary"),
            ("get", "/jobs/{id}"),
        ],
    )
    def test_gets_401_everywhere(self, clients: Clients, client: Browser, method: str, path: str) -> None:
        url = BASE + path.format(id=clients.sturdy.pk)
        response = getattr(client, method)(url)
        check_problem(response, 401, "unauthenticated")
        assert response["WWW-Authenticate"].startswith("Bearer")
        wrong = getattr(client, method)(url, headers={"Authorization": "Bearer bw_wrong"})
        check_problem(wrong, 401, "unauthenticated")


class TestSession:
    def test_reads_with_the_cookie_alone(self, staff: Staff, clients: Clients, client: Browser) -> None:
        client.force_login(staff.ada)
        assert client.get(f"{BASE}/clients").status_code == 200

    def test_changes_with_the_csrf_token_only(self, staff: Staff, clients: Clients) -> None:
        browser = Browser(enforce_csrf_checks=True)
        browser.force_login(staff.ada)
        url, body = f"{BASE}/clients/{clients.sturdy.pk}", {"segment": "Key"}
        check_problem(browser.put(url, body, "application/json"), 403, "forbidden")
        browser.get("/accounts/password/change/")
        token = browser.cookies["csrftoken"].value
        allowed = browser.put(url, body, "application/json", headers={"X-CSRFToken": token})
        assert allowed.status_code == 200

    def test_does_not_help_a_wrong_token(self, staff: Staff, clients: Clients, client: Browser) -> None:
        client.force_login(staff.ada)
        response = client.get(f"{BASE}/clients", headers={"Authorization": "Bearer bw_wrong"})
        check_problem(response, 401, "unauthenticated")

    def test_is_not_a_password_in_the_header(self, staff: Staff, clients: Clients, client: Browser) -> None:
        response = client.get(f"{BASE}/clients", headers={"Authorization": f"Basic {PASSWORD}"})
        check_problem(response, 401, "unauthenticated")


class TestToken:
    def test_reads_but_does_not_write_with_the_scope_read(
        self, staff: Staff, clients: Clients, caller_of: Callers
    ) -> None:
        caller = caller_of(staff.ada, "read")
        assert caller.get("/clients").status_code == 200
        body = check_problem(caller.put(f"/clients/{clients.sturdy.pk}", {"segment": "x"}), 403, "forbidden")
        assert "scope write" in body["detail"]
        check_problem(caller.post(f"/clients/{clients.sturdy.pk}/health/refresh"), 403, "forbidden")

    def test_stops_with_its_expiry_revocation_or_user(
        self, staff: Staff, clients: Clients, client: Browser, caller_of: Callers
    ) -> None:
        old = issue_token(
            staff.ada, name="old", scopes=["read"], expires_at=NOW, actor=None, now=NOW - timedelta(days=1)
        )[1]
        check_problem(Caller(client, old).get("/clients"), 401, "unauthenticated")
        caller = caller_of(staff.ada)
        StaffUser.objects.filter(pk=staff.ada.pk).update(is_active=False)
        check_problem(caller.get("/clients"), 401, "unauthenticated")

    def test_has_a_rate_limit_of_its_own(
        self, staff: Staff, clients: Clients, caller_of: Callers, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.BELLWETHER_API_REQUESTS_PER_MINUTE = 3
        caller, other = caller_of(staff.ada), caller_of(staff.ada)
        assert [caller.get("/clients").status_code for _ in range(4)] == [200, 200, 200, 429]
        monkeypatch.setattr("django.utils.timezone.now", lambda: NOW + timedelta(seconds=20))
        limited = caller.get("/clients")
        body = check_problem(limited, 429, "too-many-requests")
        assert limited["Retry-After"] == "40"
        assert "3 requests a minute" in body["detail"]
        assert other.get("/clients").status_code == 200
        monkeypatch.setattr("django.utils.timezone.now", lambda: NOW + timedelta(seconds=60))
        assert caller.get("/clients").status_code == 200
        assert configured.BELLWETHER_API_REQUESTS_PER_MINUTE == 3
        assert ApiToken.objects.filter(window_requests__gt=3).count() == 0


class TestBadRequests:
    def test_are_problems_whatever_is_wrong(self, staff: Staff, clients: Clients, client: Browser) -> None:
        _, secret = issue_token(staff.ada, name="x", scopes=["write"], expires_at=None, actor=None, now=NOW)
        headers = {"Authorization": f"Bearer {secret}"}
        url = f"{BASE}/clients/{clients.sturdy.pk}"
        check_problem(client.put(url, "{", "application/json", headers=headers), 400, "malformed")
        check_problem(client.put(url, b"\xff\xfe", "application/json", headers=headers), 400, "malformed")
        deep = "[" * 100_000
        check_problem(client.put(url, deep, "application/json", headers=headers), 400, "malformed")
        check_problem(client.put(url, "segment=x", "text/plain", headers=headers), 415, "unsupported-media-type")
        check_problem(client.put(url, b"", "application/json", headers=headers), 422, "invalid")
        check_problem(client.delete(url, headers=headers), 405, "method-not-allowed")
        assert "GET" in client.delete(url, headers=headers)["Allow"]
        check_problem(client.get("/api/v1/nothing", headers=headers), 404, "not-found")
        check_problem(client.get("/api/", headers=headers), 404, "not-found")

    def test_are_cut_short_over_the_size(
        self, staff: Staff, clients: Clients, caller_of: Callers, settings: Any
    ) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
        response = caller_of(staff.ada).put(f"/clients/{clients.sturdy.pk}", {"segment": "x" * 200})
        check_problem(response, 413, "too-large")

    def test_never_show_what_broke(
        self, staff: Staff, clients: Clients, caller_of: Callers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bellwether.api.clients.list_clients", lambda *a, **k: 1 / 0)
        body = check_problem(caller_of(staff.ada).get("/clients"), 500, "internal")
        assert "division" not in str(body)
