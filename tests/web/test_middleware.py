"""Every answer carries the security headers."""

from django.test import Client as Browser


class TestSecurityHeaders:
    def test_forbid_inline_scripts_and_foreign_sources(self, db: None, client: Browser) -> None:
        policy = dict(
            part.split(" ", 1) for part in client.get("/accounts/login/")["Content-Security-Policy"].split("; ")
        )
        assert policy["script-src"] == "'self'"
        assert policy["style-src"] == "'self'"
        assert policy["style-src-attr"] == "'unsafe-inline'"
        assert policy["default-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"

    def test_are_on_errors_too(self, db: None, client: Browser) -> None:
        response = client.get("/nowhere")
        assert response.status_code == 404
        assert response["X-Frame-Options"] == "DENY"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Referrer-Policy"] == "same-origin"
        assert "script-src 'self'" in response["Content-Security-Policy"]
        assert "no-cache" in response["Cache-Control"]
