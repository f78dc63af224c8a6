"""The health endpoints: current health, history, refresh, summary."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import TestCase

from bellwether.common.models import JobRun
from bellwether.config.schedule import run_requests
from bellwether.health.models import HealthScore, ScoreAsSeen
from bellwether.portfolio.models import Client
from bellwether.staff.models import AuditEvent, IdempotencyRecord
from bellwether.usage.lake import Lake
from tests.api.conftest import SAMPLE, Caller, add_score
from tests.conftest import NOW, TODAY, Clients, Staff

Callers = Callable[..., Caller]
READS = ("health", "health/history", "summary")


def peers(count: int, **fields: Any) -> None:
    for number in range(count):
        Client.objects.create(
            organization_id=f"peer-{number}-{fields}", name=f"Peer {number}", current_health_score=50 + number, **fields
        )


class TestHealth:
    def test_returns_the_sample_of_the_requirements(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        """Usage was 56 higher 30 days ago, a quarter of it is 14: 73 then, 59 now."""
        add_score(scored.sturdy, TODAY - timedelta(days=30), 73, components=SAMPLE | {"usage": 101.0})
        body = caller_of(staff.ada).get(f"/clients/{scored.sturdy.pk}/health").json()
        assert body["client_id"] == str(scored.sturdy.pk)
        assert body["overall_score"] == 59
        assert body["health_status"] == "AT_RISK"
        assert body["health_trend"] == "DOWN"
        assert (body["trend_change"], body["trend_period"]) == (-14, "30 days")
        assert body["components"] == {
            "usage": {"score": 45, "weight": 25, "status": "poor"},
            "adoption": {"score": 72, "weight": 20, "status": "fair"},
            "support": {"score": 55, "weight": 15, "status": "poor"},
            "relationship": {"score": 40, "weight": 15, "status": "poor"},
            "contract": {"score": 75, "weight": 15, "status": "good"},
            "outcome": {"score": 80, "weight": 10, "status": "good"},
        }
        assert next(iter(body["components"])) == "usage"
        assert body["coverage"] == 1.0
        assert body["inputs"]["dau_change"] == -0.4
        assert body["ai_analysis"] == (
            "Sturdy scores 59, at risk, 14 points fewer than 30 days ago. Most of it comes from Usage (−14). "
            "Health down 14 points in 30 days. Usage down 40%. Payment late. No contact for 52 days. Support spike. "
            "NPS 5."
        )
        assert body["ai_recommended_actions"] == [
            "Schedule a call with the champion to understand why daily use fell by 40%",
            "Clear the late payment with the billing contact",
            "Get in touch: the last contact was 52 days ago",
            "Review the 8 support tickets of the last 30 days for unresolved issues",
            "Follow up on the NPS answer of 5",
        ]

    def test_says_what_moved_the_score_with_the_clients_own_numbers(
        self, staff: Staff, scored: Clients, caller_of: Callers
    ) -> None:
        """Alone with data: usage falls from 12 of 15 (80) to 6 of 15 (40), by 40 points."""
        for days, users, score in ((20, 12.0, 80), (0, 6.0, 40)):
            day = TODAY - timedelta(days=days)
            HealthScore.objects.filter(client=scored.sturdy, date=day).delete()
            add_score(scored.sturdy, day, score, inputs={"dau_avg_7d": users, "expected_dau": 15.0})
        body = caller_of(staff.ada).get(f"/clients/{scored.sturdy.pk}/health").json()
        assert body["drivers_since"] == "2026-06-10"
        assert body["drivers"] == [
            {
                "kind": "data",
                "component": "usage",
                "label": "Usage",
                "points": -40.0,
                "sentence": "Usage −40: daily users fell from 12 to 6 against 15 expected",
            }
        ]

    def test_counts_the_change_from_the_score_as_it_was_seen(
        self, staff: Staff, scored: Clients, caller_of: Callers
    ) -> None:
        """Seen as 9 of 15 (60), after late data 12 of 15 (80), now 6 of 15 (40): 20 late, then 40 down."""
        for days, users, score in ((20, 12.0, 80), (0, 6.0, 40)):
            day = TODAY - timedelta(days=days)
            HealthScore.objects.filter(client=scored.sturdy, date=day).delete()
            add_score(scored.sturdy, day, score, inputs={"dau_avg_7d": users, "expected_dau": 15.0})
        ScoreAsSeen.objects.create(
            client=scored.sturdy, scorecard="prd-015", date=TODAY - timedelta(days=20), overall_score=60, coverage=1,
            inputs={"dau_avg_7d": 9.0, "expected_dau": 15.0}, weights_version="prd-015 v1", replaced_at=NOW,
        )  # fmt: skip
        body = caller_of(staff.ada).get(f"/clients/{scored.sturdy.pk}/health").json()
        assert [(one["kind"], one["points"]) for one in body["drivers"]] == [("data", -40.0), ("late", 20.0)]
        assert body["drivers"][1]["sentence"] == "Late data +20: records that came in after the day was scored"

    def test_says_why_there_is_no_score(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        body = caller_of(staff.ada).get(f"/clients/{scored.newborn.pk}/health").json()
        assert (body["overall_score"], body["health_status"], body["health_trend"]) == (None, None, None)
        assert body["coverage"] == 0.25
        assert body["no_score_reason"].startswith("25% of the weight")
        assert body["components"]["adoption"] == {"score": None, "weight": 20, "status": None}

    def test_answers_for_a_client_that_was_never_scored(
        self, staff: Staff, scored: Clients, caller_of: Callers
    ) -> None:
        body = caller_of(staff.ada).get(f"/clients/{scored.fading.pk}/health").json()
        assert body["no_score_reason"] == "No score has been made yet."
        assert body["coverage"] == 0
        assert body["ai_analysis"] == "Fading has no health score: no score has been made yet."

    def test_compares_with_five_peers_or_more(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        peers(5, contract_tier="ENTERPRISE", industry="Retail")
        peers(4, contract_tier="STARTER", industry="Manufacturing")
        peers(1, contract_tier="STARTER", industry="Media")
        benchmarks = caller_of(staff.ada).get(f"/clients/{scored.sturdy.pk}/health").json()["benchmarks"]
        # Tier: 50 to 54, all below 59. Industry: four peers are too few.
        assert benchmarks == {
            "tier_average": 52,
            "tier_percentile": 100,
            "industry_average": None,
            "industry_percentile": None,
        }

    def test_counts_half_of_the_ties(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        peers(8, contract_tier="ENTERPRISE")
        HealthScore.objects.filter(client=scored.sturdy, date=TODAY).update(overall_score=53)
        benchmarks = caller_of(staff.ada).get(f"/clients/{scored.sturdy.pk}/health").json()["benchmarks"]
        # Three below and one tie of eight: 43.75; the mean of 50 to 57 is 53.5.
        assert (benchmarks["tier_percentile"], benchmarks["tier_average"]) == (44, 54)

    def test_hides_the_narrower_of_two_groups_that_differ_by_a_few(
        self, staff: Staff, scored: Clients, caller_of: Callers
    ) -> None:
        peers(6, contract_tier="ENTERPRISE", industry="Manufacturing")
        peers(2, contract_tier="ENTERPRISE", industry="Retail")
        path = f"/clients/{scored.sturdy.pk}/health"
        to_ada = caller_of(staff.ada).get(path).json()["benchmarks"]
        assert to_ada["tier_average"] is not None
        assert to_ada["industry_average"] is None
        assert caller_of(staff.vera).get(path).json()["benchmarks"]["industry_average"] is not None

    def test_takes_few_queries(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        caller = caller_of(staff.ada)
        caller.get(f"/clients/{scored.sturdy.pk}/health")
        with TestCase().assertNumQueries(15 + (connection.vendor == "postgresql")):
            # token, its rate count · client, score, configuration, contacts, tickets, contact, 30 days of scores, the
            # score before; peers are kept · five, with a lock six, for the log
            caller.get(f"/clients/{scored.sturdy.pk}/health")


class TestReads:
    @pytest.mark.parametrize("path", READS)
    def test_are_not_found_by_a_stranger(self, staff: Staff, scored: Clients, caller_of: Callers, path: str) -> None:
        assert caller_of(staff.cleo).get(f"/clients/{scored.sturdy.pk}/{path}").status_code == 404

    @pytest.mark.parametrize("path", READS)
    def test_work_for_archived_clients(self, staff: Staff, scored: Clients, caller_of: Callers, path: str) -> None:
        assert caller_of(staff.ada).get(f"/clients/{scored.gone.pk}/{path}").status_code == 200

    @pytest.mark.parametrize(
        ("path", "action"), list(zip(READS, ("health.read", "health.history", "client.summary"), strict=True))
    )
    def test_are_logged(self, staff: Staff, scored: Clients, caller_of: Callers, path: str, action: str) -> None:
        caller_of(staff.ada).get(f"/clients/{scored.sturdy.pk}/{path}")
        event = AuditEvent.objects.get(action=action)
        assert (event.actor_id, event.client_id) == (staff.ada.pk, scored.sturdy.pk)


class TestScorecardsBesideTheMainOne:
    def test_answer_with_their_own_score(
        self, staff: Staff, scored: Clients, caller_of: Callers, settings: Any
    ) -> None:
        settings.BELLWETHER_OTHER_SCORECARDS = ["usage-only"]
        of_usage = {"scorecard": "usage-only", "components": {"level": 81.0}, "weights_version": "usage-only v1"}
        add_score(scored.sturdy, TODAY, 81, trend="UP", **of_usage)
        caller, path = caller_of(staff.ada), f"/clients/{scored.sturdy.pk}/health"
        body = caller.get(path, {"scorecard": "usage-only"}).json()
        assert (body["scorecard"], body["overall_score"], body["health_status"]) == ("usage-only", 81, "HEALTHY")
        assert body["health_trend"] == "UP"
        assert set(body["benchmarks"].values()) == {None}
        assert body["ai_analysis"].startswith("Sturdy scores 81, healthy")
        assert caller.get(path).json()["overall_score"] == 59
        days = caller.get(f"{path}/history", {"scorecard": "usage-only"}).json()["data"]
        assert [(day["date"], day["overall_score"]) for day in days] == [("2026-06-30", 81)]

    def test_must_be_in_use(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        response = caller_of(staff.ada).get(f"/clients/{scored.sturdy.pk}/health", {"scorecard": "usage-only"})
        assert response.status_code == 422
        assert "in use are prd-015" in response.content.decode()


class TestHistory:
    def test_returns_the_days_oldest_first(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        body = caller_of(staff.ada).get(f"/clients/{scored.sturdy.pk}/health/history").json()
        assert [(day["date"], day["overall_score"]) for day in body["data"]] == [
            ("2026-06-28", 61),
            ("2026-06-29", 60),
            ("2026-06-30", 59),
        ]
        assert body["data"][0]["health_status"] == "MONITOR"
        assert body["data"][2]["usage_score"] == 45
        assert body["data"][2]["weights_version"] == "prd-015 v1"
        assert body["pagination"] == {"page": 1, "limit": 200, "total": 3, "pages": 1}

    def test_serves_three_years_by_page_by_week_and_by_month(
        self, staff: Staff, clients: Clients, caller_of: Callers
    ) -> None:
        """1,096 days from Saturday 1 July 2023 to Tuesday 30 June 2026: two days, 156 weeks and two days; 36 months."""
        days = [TODAY - timedelta(days=ago) for ago in range(1096)]
        fields: dict[str, Any] = {"scorecard": "prd-015", "coverage": 1, "overall_score": 60, "created_at": NOW}
        version = {"weights_version": "prd-015 v1"}
        HealthScore.objects.bulk_create(
            HealthScore(client=clients.sturdy, date=day, **fields, **version) for day in days
        )
        caller, path = caller_of(staff.ada), f"/clients/{clients.sturdy.pk}/health/history"
        span = {"from": "2023-07-01", "to": "2026-06-30"}
        last = caller.get(path, span | {"page": 6}).json()
        assert last["pagination"] == {"page": 6, "limit": 200, "total": 1096, "pages": 6}
        assert (len(last["data"]), last["data"][-1]["date"]) == (96, "2026-06-30")
        weeks = caller.get(path, span | {"step": "week"}).json()
        assert weeks["pagination"]["total"] == len(weeks["data"]) == 158
        assert [day["date"] for day in weeks["data"][:2]] == ["2023-07-02", "2023-07-09"]
        months = caller.get(path, span | {"step": "month"}).json()["data"]
        assert (len(months), months[0]["date"]) == (36, "2023-07-31")

    @pytest.mark.parametrize(
        ("query", "days"),
        [
            ({"from": "2026-06-29", "to": "2026-06-29"}, ["2026-06-29"]),
            ({"to": "2026-06-28"}, ["2026-06-28"]),
            ({"from": "2026-06-30"}, ["2026-06-30"]),
            ({"limit": 2, "page": 2}, ["2026-06-30"]),
            ({"page": 1000000}, []),
            ({"step": "week"}, ["2026-06-28", "2026-06-30"]),
            ({"step": "week", "limit": 1, "page": 2}, ["2026-06-30"]),
            ({"step": "month"}, ["2026-06-30"]),
            ({"to": "0001-01-01"}, []),
            ({"from": "0001-01-01", "to": "9999-12-31", "limit": 1}, ["2026-06-28"]),
        ],
    )
    def test_is_limited_to_the_period_and_the_page(
        self, staff: Staff, scored: Clients, caller_of: Callers, query: dict[str, Any], days: list[str]
    ) -> None:
        response = caller_of(staff.ada).get(f"/clients/{scored.sturdy.pk}/health/history", query)
        assert response.status_code == 200, response.content
        assert [day["date"] for day in response.json()["data"]] == days

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"from": "2026-07-01", "to": "2026-06-01"}, "from"),
            ({"from": "yesterday"}, "from"),
            ({"to": "2026-02-30"}, "to"),
            ({"step": "year"}, "step"),
            ({"scorecard": "usage-only"}, "scorecard"),
        ],
    )
    def test_names_the_unusable_bound(
        self, staff: Staff, scored: Clients, caller_of: Callers, query: dict[str, str], field: str
    ) -> None:
        response = caller_of(staff.ada).get(f"/clients/{scored.sturdy.pk}/health/history", query)
        assert response.status_code == 422
        assert [error["field"] for error in response.json()["errors"]] == [field]


class TestSummary:
    def test_gives_each_sentence_its_figures(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        body = caller_of(staff.ada).get(f"/clients/{scored.sturdy.pk}/summary").json()
        usage = next(sentence for sentence in body["sentences"] if "Daily use" in sentence["text"])
        assert usage["sources"] == [
            {"name": "inputs.dau_change", "value": -0.4},
            {"name": "inputs.dau_avg_7d", "value": 7.2},
            {"name": "inputs.dau_avg_30d", "value": 12.0},
        ]
        assert body["ai_summary"].endswith("Renewal is in 92 days.")
        assert all(sentence["sources"] for sentence in body["sentences"])


class TestRefresh:
    def test_queues_a_job_that_its_asker_can_follow(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        caller = caller_of(staff.ada)
        response = caller.post(f"/clients/{scored.sturdy.pk}/health/refresh")
        assert response.status_code == 202
        body = response.json()
        assert response["Location"] == body["url"] == f"/api/v1/client-success/jobs/{body['job_id']}"
        job = caller.get(f"/jobs/{body['job_id']}").json()
        assert (job["name"], job["state"], job["progress"]) == ("health_refresh", "queued", {"done": 0, "total": None})
        assert caller_of(staff.cleo).get(f"/jobs/{body['job_id']}").status_code == 404
        assert caller_of(staff.adam).get(f"/jobs/{body['job_id']}").status_code == 200
        assert AuditEvent.objects.get(action="health.refresh").client_id == scored.sturdy.pk

    def test_answers_the_same_request_once(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        caller, path = caller_of(staff.ada), f"/clients/{scored.sturdy.pk}/health/refresh"
        first = caller.post(path, {"Idempotency-Key": "monday"})
        JobRun.objects.update(state="done")
        again = caller.post(path, {"Idempotency-Key": "monday"})
        assert (again.status_code, again.json(), again["Location"]) == (202, first.json(), first["Location"])
        assert again["Idempotent-Replay"] == "true"
        assert JobRun.objects.count() == 1
        assert caller.post(path, {"Idempotency-Key": "tuesday"}).json() != first.json()

    def test_refuses_a_key_used_for_something_else(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        caller = caller_of(staff.ada)
        caller.post(f"/clients/{scored.sturdy.pk}/health/refresh", {"Idempotency-Key": "monday"})
        clash = caller.post(f"/clients/{scored.fading.pk}/health/refresh", {"Idempotency-Key": "monday"})
        assert clash.status_code == 409
        assert clash.json()["type"] == "urn:bellwether:problem:idempotency-clash"
        other = caller_of(staff.ben).post(f"/clients/{scored.fading.pk}/health/refresh", {"Idempotency-Key": "monday"})
        assert other.status_code == 202

    def test_asks_to_wait_while_the_first_is_at_work(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        caller, path = caller_of(staff.ada), f"/clients/{scored.sturdy.pk}/health/refresh"
        caller.post(path, {"Idempotency-Key": "monday"})
        IdempotencyRecord.objects.update(status=None)
        response = caller.post(path, {"Idempotency-Key": "monday"})
        assert response.status_code == 409
        assert response.json()["type"] == "urn:bellwether:problem:idempotency-in-progress"
        IdempotencyRecord.objects.update(created_at=NOW - timedelta(minutes=2))
        assert caller.post(path, {"Idempotency-Key": "monday"}).status_code == 202

    def test_forgets_a_request_that_failed(
        self, staff: Staff, scored: Clients, caller_of: Callers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        caller, path = caller_of(staff.ada), f"/clients/{scored.sturdy.pk}/health/refresh"
        with monkeypatch.context() as broken:
            broken.setattr("bellwether.health.api.request_job", lambda *a, **k: 1 / 0)
            response = caller.post(path, {"Idempotency-Key": "monday"})
        assert response.status_code == 500
        assert response["Content-Type"] == "application/problem+json"
        assert "ZeroDivision" not in response.content.decode()
        assert caller.post(path, {"Idempotency-Key": "monday"}).status_code == 202

    def test_refuses_an_unusable_key(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        response = caller_of(staff.ada).post(
            f"/clients/{scored.sturdy.pk}/health/refresh", {"Idempotency-Key": "x" * 201}
        )
        assert response.status_code == 422
        assert response.json()["errors"][0]["field"] == "Idempotency-Key"

    def test_leaves_archived_clients_alone(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        assert caller_of(staff.ada).post(f"/clients/{scored.gone.pk}/health/refresh").status_code == 409

    def test_is_not_found_by_a_stranger(self, staff: Staff, scored: Clients, caller_of: Callers) -> None:
        assert caller_of(staff.cleo).post(f"/clients/{scored.sturdy.pk}/health/refresh").status_code == 404
        assert not JobRun.objects.exists()


class TestJob:
    @pytest.mark.parametrize("nothing", [UUID(int=7), "score"])
    def test_is_not_found_if_there_is_none(self, staff: Staff, caller_of: Callers, nothing: object) -> None:
        assert caller_of(staff.adam).get(f"/jobs/{nothing}").status_code == 404

    def test_tells_the_cause_of_a_failure_to_administrators_only(self, staff: Staff, caller_of: Callers) -> None:
        run = JobRun.objects.create(
            name="score", state="failed", error="ValueError: secret", requested_by_id=staff.ada.pk, created_at=NOW
        )
        assert "secret" not in caller_of(staff.ada).get(f"/jobs/{run.pk}").json()["error"]
        assert "secret" in caller_of(staff.adam).get(f"/jobs/{run.pk}").json()["error"]


@pytest.mark.django_db(databases="__all__")
class TestFromRefreshToHealth:
    def test_shows_the_score_that_the_job_made(
        self, staff: Staff, clients: Clients, caller_of: Callers, lake: Lake
    ) -> None:
        contract_only = {"payment_status": "current", "last_csm_contact_at": NOW}
        Client.objects.filter(pk=clients.sturdy.pk).update(**contract_only)
        caller = caller_of(staff.ada)
        job = caller.post(f"/clients/{clients.sturdy.pk}/health/refresh").json()
        asked = JobRun.objects.get(pk=job["job_id"])
        assert (asked.name, asked.arguments["client_id"]) == ("health_refresh", str(clients.sturdy.pk))
        assert run_requests() == 1
        assert set(HealthScore.objects.values_list("client", flat=True)) == {clients.sturdy.pk}
        done = caller.get(f"/jobs/{job['job_id']}").json()
        assert (done["state"], done["error"]) == ("done", None)
        body = caller.get(f"/clients/{clients.sturdy.pk}/health").json()
        assert body["scored_on"] == TODAY.isoformat()
        assert set(body["components"]) == {"usage", "adoption", "support", "relationship", "contract", "outcome"}
        assert body["components"]["contract"] == {"score": 100, "weight": 15, "status": "good"}
        assert body["inputs"]["payment_status"] == "current"
        assert body["weights_version"] == "prd-015 v1"
        assert (body["overall_score"] is None) == (body["coverage"] < 0.5)
        history = caller.get(f"/clients/{clients.sturdy.pk}/health/history").json()["data"]
        assert [day["date"] for day in history] == [TODAY.isoformat()]
        assert history[0]["contract_score"] == 100
