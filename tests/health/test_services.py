from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.db import connection

from bellwether.common.progress import NoProgress
from bellwether.health import chunks, services
from bellwether.health.models import HealthScore, HealthScoreConfig
from bellwether.health.services import ScoreDateError, score_dates
from bellwether.portfolio.choices import ContactRole, PaymentStatus
from bellwether.portfolio.models import Activity, Contact, SupportTicket, SurveyResponse
from bellwether.usage.facts import CLIENT_DAYS, EVENT_DAYS, store_month
from bellwether.usage.lake import Lake
from tests.conftest import NOW, TODAY, Clients

pytestmark = pytest.mark.django_db
INSTANT = datetime(2026, 6, 20, 9, 0, tzinfo=UTC)


def client_day(organization_id: str, day: date, people: int) -> dict[str, Any]:
    numbers = dict.fromkeys([name for name in CLIENT_DAYS if name not in {"organization_id", "date"}], 0)
    return numbers | {
        "organization_id": organization_id, "date": day, "dau": people, "wau": people, "mau": people,
        "total_users": people, "sessions": people, "session_seconds": 600 * people, "actions": 10 * people,
        "actions_by_hour": [0] * 24,
    }  # fmt: skip


def event_day(organization_id: str, day: date, event: str, module: str, events: int, label: str | None = None) -> dict:
    at = datetime(day.year, day.month, day.day, 10, 30, tzinfo=UTC)
    return {
        "organization_id": organization_id, "date": day, "event": event, "module": module, "feature": None,
        "label": label, "is_service": False, "events": events, "users": 1, "first_ts": at, "last_ts": at,
    }  # fmt: skip


def fill_lake(lake: Lake, client_days: list[dict], event_days: list[dict]) -> None:
    for kind, rows, schema in (("client_days", client_days, CLIENT_DAYS), ("event_days", event_days, EVENT_DAYS)):
        frame = pl.DataFrame(rows, schema=schema)
        months = frame.with_columns(pl.col("date").dt.strftime("%Y-%m").alias("month"))
        for (month,), part in months.partition_by("month", as_dict=True, include_key=False).items():
            store_month(lake, kind, str(month), part)


@pytest.fixture
def usage(clients: Clients, lake: Lake) -> Lake:
    """Sturdy: 15 people every day of a year, Fading: 15 until 20 days ago; Newborn nothing; cases at Sturdy."""
    days = [TODAY - timedelta(days=n) for n in range(365)]
    client_days = [client_day("sturdy", day, 15) for day in days]
    client_days += [client_day("fading", day, 15 if (TODAY - day).days >= 20 else 0) for day in days]
    event_days = [event_day("sturdy", day, "Case Created", "Case Management", 1) for day in days]
    event_days += [event_day("sturdy", TODAY, "Case Closed", "Case Management", 9, "on_track")]
    event_days += [event_day("sturdy", TODAY, "Case Closed", "Case Management", 1, "breached")]
    fill_lake(lake, client_days, event_days)
    return lake


@pytest.fixture
def records(clients: Clients) -> None:
    sturdy, fading = clients.sturdy, clients.fading
    for client in (sturdy, fading):
        client.licensed_modules = ["Case Management"]
        client.save()
    sturdy.payment_status = PaymentStatus.CURRENT
    sturdy.save()
    champion = Contact.objects.create(client=sturdy, name="Kim Example", role=ContactRole.CHAMPION)
    call = Activity.objects.create(
        client=sturdy, activity_type="CALL", subject="Check-in", occurred_at=INSTANT, completed_at=INSTANT
    )
    call.client_contacts.add(champion)
    SupportTicket.objects.create(client=fading, priority="urgent", opened_at=INSTANT, external_id="t1")
    long_ago = INSTANT - timedelta(days=200)
    SupportTicket.objects.create(client=fading, priority="low", opened_at=long_ago, external_id="t0")
    Activity.objects.create(
        client=fading, activity_type="CALL", subject="Kick-off", occurred_at=long_ago, completed_at=long_ago
    )
    SurveyResponse.objects.create(client=sturdy, kind="NPS", score=9, respondent="kim", answered_at=INSTANT)


def run(*dates: date, now: datetime = NOW, **options: Any) -> services.ScoreCounts:
    return score_dates(dates or [TODAY], now=now, progress=NoProgress(), **options)


def score_of(client: Any, day: date = TODAY, scorecard: str = "prd-015") -> HealthScore:
    return HealthScore.objects.get(client=client, date=day, scorecard=scorecard)


class TestScoreDates:
    def test_stores_the_score_worked_by_hand(self, clients: Clients, usage: Lake, records: None) -> None:
        run()
        row = score_of(clients.sturdy)
        # usage: 15 of 50 * 0.30 = 100. adoption: case creation is power (30 of 10), investigations unused: 1 of 2 = 50.
        # support: no tickets of its own = 100. relationship: met 10 days ago, champion met = 100.
        # contract: 50 NPS 90, 30 payment 100, no renewal signal: (50*90 + 30*100) / 80 = 93.75.
        # outcome: 9 of 10 on time = 100, no assignments. Overall: (25*100 + 20*50 + 15*300 - 15*6.25 + 10*100) / 100.
        assert row.components == {
            "usage": 100.0, "adoption": 50.0, "support": 100.0, "relationship": 100.0, "contract": 93.75,
            "outcome": 100.0,
        }  # fmt: skip
        assert row.overall_score == 89  # 89.0625
        assert row.coverage == 1
        assert row.status == "HEALTHY"
        assert row.weights_version == "prd-015 v1"
        assert row.weights_snapshot == {
            "usage": 25, "adoption": 20, "support": 15, "relationship": 15, "contract": 15, "outcome": 10
        }  # fmt: skip
        assert row.inputs["dau_avg_7d"] == 15
        assert row.inputs["expected_dau"] == 15  # 50 seats, an enterprise's rate of 0.30
        assert row.inputs["payment_status"] == "current"
        assert "renewal_signal" not in row.inputs

    def test_gives_no_score_to_a_client_with_too_little_data(self, clients: Clients, usage: Lake) -> None:
        run()
        row = score_of(clients.newborn)
        assert row.overall_score is None
        assert row.coverage < 0.5
        assert "missing" in row.no_score_reason
        clients.newborn.refresh_from_db()
        assert clients.newborn.health_status is None
        assert clients.newborn.health_reason == row.no_score_reason

    def test_keeps_the_clients_current_columns(self, clients: Clients, usage: Lake, records: None) -> None:
        run(TODAY - timedelta(days=30), TODAY)
        clients.sturdy.refresh_from_db()
        assert clients.sturdy.current_health_score == 89
        assert clients.sturdy.health_status == "HEALTHY"
        assert clients.sturdy.health_components["contract"] == 94
        # Missing: CSAT (15 * 0.3), renewal signal (15 * 0.2), assignments (10 * 0.5).
        assert (clients.sturdy.health_interval_low, clients.sturdy.health_interval_high) == (76, 90)
        assert clients.sturdy.health_missing == ["support", "contract", "outcome"]
        assert clients.sturdy.scored_on == TODAY
        assert clients.sturdy.health_sparkline[-1] == 89
        assert len(clients.sturdy.health_sparkline) == 11
        assert clients.sturdy.last_activity_at == datetime(2026, 6, 30, 10, 30, tzinfo=UTC)

    def test_changes_no_row_when_run_again(self, clients: Clients, usage: Lake, records: None) -> None:
        days = [TODAY - timedelta(days=n) for n in range(40)]
        first = run(*days)
        before = list(HealthScore.objects.order_by("id").values())
        again = run(*days, now=NOW + timedelta(hours=1))
        assert first.changed == len(before) > 100
        assert (again.changed, again.clients) == (0, 0)
        assert list(HealthScore.objects.order_by("id").values()) == before

    def test_touches_only_the_rows_that_differ(self, clients: Clients, usage: Lake, records: None) -> None:
        run()
        SupportTicket.objects.create(client=clients.sturdy, priority="urgent", opened_at=INSTANT, external_id="t2")
        later = NOW + timedelta(hours=1)
        assert run(now=later).changed == 1
        assert score_of(clients.sturdy).created_at == later
        assert score_of(clients.fading).created_at == NOW

    def test_scores_a_client_up_to_the_day_it_left(self, clients: Clients, usage: Lake) -> None:
        run(*[date(2026, 4, 29) + timedelta(days=n) for n in range(6)])
        days = HealthScore.objects.filter(client=clients.gone).order_by("date").values_list("date", flat=True)
        assert list(days) == [date(2026, 4, 29), date(2026, 4, 30), date(2026, 5, 1)]

    def test_does_not_score_a_client_before_it_is_known(self, clients: Clients, usage: Lake) -> None:
        run(date(2026, 6, 24), date(2026, 6, 25))
        days = HealthScore.objects.filter(client=clients.newborn).values_list("date", flat=True)
        assert list(days) == [date(2026, 6, 25)]

    def test_gives_a_late_record_the_same_scores_as_one_in_time(
        self, clients: Clients, usage: Lake, records: None
    ) -> None:
        days = [TODAY - timedelta(days=n) for n in range(60)]
        late = {"client": clients.sturdy, "priority": "high", "external_id": "late"}
        run(*days)
        SupportTicket.objects.create(opened_at=INSTANT - timedelta(days=20), **late)
        run(*days)
        patched = list(HealthScore.objects.order_by("client", "date").values_list("overall_score", "inputs", "trend"))
        HealthScore.objects.all().delete()
        run(*days)
        assert patched == list(
            HealthScore.objects.order_by("client", "date").values_list("overall_score", "inputs", "trend")
        )

    def test_gives_one_client_the_score_that_the_whole_portfolio_gives_it(
        self, clients: Clients, usage: Lake, records: None
    ) -> None:
        run(client_ids=[clients.fading.pk])
        assert HealthScore.objects.count() == 1
        alone = score_of(clients.fading)
        run()
        assert HealthScore.objects.get(pk=alone.pk).created_at == alone.created_at
        assert HealthScore.objects.count() > 1

    def test_keeps_the_payment_status_that_was_seen_on_a_past_day(
        self, clients: Clients, usage: Lake, records: None
    ) -> None:
        yesterday, before = TODAY - timedelta(days=1), NOW - timedelta(days=1)
        run(yesterday, now=before)
        clients.sturdy.payment_status = PaymentStatus.OVERDUE
        clients.sturdy.save()
        run(yesterday - timedelta(days=1), yesterday, TODAY)
        assert score_of(clients.sturdy, yesterday).inputs["payment_status"] == "current"
        assert score_of(clients.sturdy).inputs["payment_status"] == "overdue"
        assert "payment_status" not in score_of(clients.sturdy, yesterday - timedelta(days=1)).inputs

    def test_takes_the_history_of_payment_from_a_source_that_has_it(
        self, clients: Clients, usage: Lake, records: None
    ) -> None:
        early = TODAY - timedelta(days=50)
        readings = pl.DataFrame(
            {"client_id": [clients.sturdy.pk.hex], "date": [early], "payment_status": ["late"], "renewal_signal": [40]},
            schema={"client_id": pl.String, "date": pl.Date, "payment_status": pl.String, "renewal_signal": pl.Int64},
        )
        run(TODAY - timedelta(days=10), readings=readings)
        inputs = score_of(clients.sturdy, TODAY - timedelta(days=10)).inputs
        assert (inputs["payment_status"], inputs["renewal_signal"]) == ("late", 40)

    def test_compares_with_the_score_of_a_month_ago(self, clients: Clients, usage: Lake, records: None) -> None:
        run(TODAY - timedelta(days=30))
        run()
        row = score_of(clients.fading)
        assert row.previous_score == score_of(clients.fading, TODAY - timedelta(days=30)).overall_score
        assert row.trend == "DOWN"
        assert row.trend_change == row.overall_score - row.previous_score

    def test_notes_what_happened_on_the_day(self, clients: Clients, usage: Lake, records: None) -> None:
        run(INSTANT.date())
        assert score_of(clients.fading, INSTANT.date()).notable_events == ["Urgent ticket opened"]
        assert score_of(clients.sturdy, INSTANT.date()).notable_events == []

    def test_runs_other_scorecards_beside_the_main_one(self, clients: Clients, usage: Lake, records: None) -> None:
        run(scorecards=["prd-015", "operations", "suppliers"])
        assert score_of(clients.sturdy, scorecard="operations").weights_version == "operations v1"
        assert score_of(clients.sturdy, scorecard="suppliers").overall_score is not None
        clients.sturdy.refresh_from_db()
        assert clients.sturdy.current_health_score == 89

    def test_makes_the_configuration_on_first_use_and_once(self, clients: Clients, lake: Lake) -> None:
        run()
        run()
        config = HealthScoreConfig.objects.get()
        assert (config.scorecard, config.version, config.is_default) == ("prd-015", 1, True)
        assert len(config.digest) == 64

    def test_refuses_dates_after_today(self, clients: Clients, lake: Lake) -> None:
        with pytest.raises(ScoreDateError, match="2026-07-01 cannot be scored: it is after today, 2026-06-30"):
            run(date(2026, 7, 1))

    def test_scores_in_chunks_as_it_does_at_once(
        self, clients: Clients, usage: Lake, records: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        days = [TODAY - timedelta(days=n) for n in range(45)]
        run(*days)
        monkeypatch.setattr(chunks, "CHUNK_CELLS", 50)
        assert run(*days).changed == 0

    @pytest.mark.parametrize("days", [1, 30])
    def test_asks_a_fixed_number_of_queries(
        self, days: int, clients: Clients, usage: Lake, records: None, django_assert_max_num_queries: Any
    ) -> None:
        run()
        # 1 count of clients, 1 configuration, 1 catalogue, 13 or 14 loads, 1 history, 5 for storing (PostgreSQL: 7),
        # 4 for values of lost sources, 4 for the clients, 1 sparklines
        with django_assert_max_num_queries(35 if connection.vendor == "postgresql" else 33):
            run(*[TODAY - timedelta(days=n) for n in range(days)])


def test_the_fixture_lake_is_the_workspaces(usage: Lake, settings: Any) -> None:
    assert Path(settings.BELLWETHER_LAKE) == usage.root
