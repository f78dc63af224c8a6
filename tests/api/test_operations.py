"""Liveness, readiness and metrics."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client as Browser

from bellwether.api import vital_signs
from bellwether.common import jobs
from bellwether.common.models import JobPulse
from bellwether.staff.models import StaffUser
from bellwether.usage.models import EventBatch
from tests.api.conftest import Caller
from tests.conftest import NOW, Clients, Staff

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    """One job, swept every second, that began a second ago."""
    monkeypatch.setattr(vital_signs, "load_jobs", lambda: None)
    declared = {"score": jobs.Job("score", lambda context: None, every=timedelta(seconds=1))}
    monkeypatch.setattr(vital_signs, "JOBS", declared)
    instant = NOW - timedelta(seconds=1)
    JobPulse.objects.create(name="score", last_started_at=instant, last_finished_at=instant)


class TestHealthz:
    def test_answers_without_signing_in(self, client: Browser) -> None:
        response = client.get("/healthz")
        assert (response.status_code, response.json()["status"]) == (200, "ok")


@pytest.mark.usefixtures("healthy")
class TestReadyz:
    def test_is_ready_when_work_gets_done(self, client: Browser) -> None:
        response = client.get("/readyz")
        assert response.status_code == 200, response.content
        body = response.json()
        assert body["last_score_age_s"] == 1.0
        assert body["job_age_s"] == {"score": 1.0}
        assert body["spool"] == {"batches": 0, "events": 0, "oldest_s": None}

    def reasons(self, client: Browser) -> str:
        response = client.get("/readyz")
        assert response.status_code == 503
        return " ".join(response.json()["reasons"])

    def test_says_that_the_spool_is_not_emptied(self, client: Browser) -> None:
        late = NOW - timedelta(minutes=6)
        EventBatch.objects.create(received_at=late, source="web", event_count=5, payload=b"")
        assert "1 batches wait in the spool, the oldest for 360 s" in self.reasons(client)

    def test_says_that_a_job_does_not_run(self, client: Browser) -> None:
        JobPulse.objects.update(last_started_at=NOW - timedelta(hours=3), last_finished_at=NOW - timedelta(hours=3))
        reasons = self.reasons(client)
        assert "job score last began 10800 s ago" in reasons
        assert "Scores were last made 10800 s ago" in reasons

    def test_says_that_no_worker_ever_ran(self, client: Browser) -> None:
        JobPulse.objects.all().delete()
        assert "never run: score" in self.reasons(client)

    def test_says_that_a_job_fails(self, client: Browser) -> None:
        JobPulse.objects.update(last_error="ValueError: x")
        assert "failed the last time: score" in self.reasons(client)

    def test_says_that_the_database_is_away(self, client: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(**_: Any) -> None:
            raise OperationalError("password=hidden")

        monkeypatch.setattr("bellwether.api.operations.take", away)
        reasons = self.reasons(client)
        assert "database does not answer" in reasons
        assert "hidden" not in reasons


@pytest.mark.usefixtures("healthy")
class TestMetrics:
    def test_are_for_this_machine(self, client: Browser, scored: Clients) -> None:
        text = client.get("/metrics").content.decode()
        assert 'bellwether_clients{health_status="AT_RISK"} 1.0' in text
        assert 'bellwether_job_age_seconds{job="score"} 1.0' in text
        assert "bellwether_spool_batches 0.0" in text
        assert "bellwether_ready 1.0" in text

    def test_name_no_client(self, client: Browser, scored: Clients) -> None:
        text = client.get("/metrics").content.decode().lower()
        assert not [name for name in ("sturdy", "fading", "newborn", "elsewhere") if name in text]

    @pytest.mark.parametrize(
        "extra", [{"REMOTE_ADDR": "192.0.2.7"}, {"HTTP_X_FORWARDED_FOR": "192.0.2.7"}, {"REMOTE_ADDR": ""}]
    )
    def test_are_refused_from_elsewhere(self, client: Browser, extra: dict[str, str]) -> None:
        response = client.get("/metrics", **extra)  # type: ignore[arg-type]
        assert response.status_code == 401
        assert response["Content-Type"] == "application/problem+json"

    @pytest.mark.parametrize(("scope", "status"), [("admin", 200), ("write", 403)])
    def test_need_a_token_with_the_scope_admin(
        self, client: Browser, staff: Staff, caller_of: Callable[..., Caller], scope: str, status: int
    ) -> None:
        user: StaffUser = staff.adam
        secret = caller_of(user, scope).secret
        headers = {"Authorization": f"Bearer {secret}"}
        assert client.get("/metrics", headers=headers, REMOTE_ADDR="192.0.2.7").status_code == status
