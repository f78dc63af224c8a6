"""Predictions of today: stored once, the clients' columns follow, a fixed number of queries."""

import math
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import polars as pl
import pytest
from django.utils import timezone

from bellwether.churn import predicting
from bellwether.churn.models import ChurnModel, ChurnPrediction
from bellwether.churn.predicting import predict_clients
from bellwether.churn.selectors import history, newest_predictions, prediction_before
from bellwether.churn.versions import NotUsableError, active_model, roll_back
from bellwether.portfolio.models import Client
from bellwether.staff.models import AuditEvent
from bellwether.webhooks.models import WebhookEndpoint, WebhookEvent
from tests.churn.predictions import another_version, feature_rows, stored_prediction
from tests.conftest import NOW, TODAY, Clients, Staff

pytestmark = pytest.mark.django_db
Told = dict[UUID, dict[str, float]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """Features by client that differ from the centre; everybody who is no longer a client is left out."""
    values: Told = {}

    def read(dates: list[date], *, now: datetime, client_ids: list[str] | None = None, **_: Any) -> pl.DataFrame:
        living = Client.objects.active()
        if client_ids is not None:
            living = living.filter(pk__in=client_ids)
        return pl.concat(
            [feature_rows([]), *(feature_rows([one], dates[0], **values.get(one.pk, {})) for one in living)]
        )

    monkeypatch.setattr(predicting, "read_features", read)
    return values


class TestStoring:
    def test_stores_each_client_once_a_day(self, clients: Clients, told: Told) -> None:
        assert predict_clients(now=NOW) == 4
        before = list(ChurnPrediction.objects.order_by("pk").values())
        told[clients.sturdy.pk] = {"days_since_use": 90.0}
        assert predict_clients(now=NOW + timedelta(hours=3)) == 0
        assert list(ChurnPrediction.objects.order_by("pk").values()) == before
        assert predict_clients(now=NOW + timedelta(days=1)) == 4

    def test_parts_sum_to_the_log_odds_of_the_stored_figure(self, clients: Clients, told: Told) -> None:
        told[clients.fading.pk] = {"usage_change_month": 0.4, "days_since_use": 30.0}
        predict_clients(now=NOW)
        for row in ChurnPrediction.objects.all():
            found = row.contributions
            total = found["reference"]["log_odds"] + sum(found["parts"].values())
            assert total == pytest.approx(found["log_odds"], abs=1e-9)
            assert total == pytest.approx(math.log(row.p90 / (1 - row.p90)), abs=2e-4)
            assert row.p30 <= row.p60 <= row.p90
            assert row.p90_low <= row.p90 <= row.p90_high

    def test_the_prior_gives_bands_and_says_so(self, clients: Clients, told: Told) -> None:
        predict_clients(now=NOW)
        row = ChurnPrediction.objects.first()
        assert (row.precision, row.precision_reason) == ("BAND", "Expert prior, no history yet")
        clients.sturdy.refresh_from_db()
        assert clients.sturdy.churn_is_band
        assert clients.sturdy.churn_change is None

    def test_compares_with_the_tier_where_it_has_five_clients(self, clients: Clients, told: Told) -> None:
        predict_clients(now=NOW)
        assert ChurnPrediction.objects.first().contributions["reference"]["name"] == "Average of all clients"
        for number in range(5):
            Client.objects.create(organization_id=f"more-{number}", name=f"More {number}", contract_tier="ENTERPRISE")
        Client.objects.create(organization_id="small", name="Small", contract_tier="STARTER")
        predict_clients(now=NOW + timedelta(days=1))
        names = {
            row.client.name: row.contributions["reference"]
            for row in ChurnPrediction.objects.filter(as_of=TODAY + timedelta(days=1))
        }
        assert (names["Sturdy"]["name"], names["Sturdy"]["clients"]) == ("Enterprise average", 9)
        assert (names["Small"]["name"], names["Small"]["clients"]) == ("Average of all clients", 10)

    def test_columns_follow_and_go_with_the_client(self, clients: Clients, told: Told) -> None:
        told[clients.fading.pk] = {"usage_change_month": 0.2, "days_since_use": 60.0, "champion_quiet_days": 60.0}
        predict_clients(now=NOW)
        clients.fading.refresh_from_db()
        row = ChurnPrediction.objects.get(client=clients.fading)
        assert clients.fading.churn_risk_score == round(100 * row.p90)
        assert clients.fading.churn_category == row.category
        assert clients.fading.churn_predicted_on == TODAY
        assert clients.fading.churn_reason
        clients.fading.archived_at = NOW
        clients.fading.save()
        predict_clients(now=NOW + timedelta(days=1))
        clients.fading.refresh_from_db()
        assert (clients.fading.churn_risk_score, clients.fading.churn_category) == (None, "")
        assert clients.fading.churn_predicted_on is None

    def test_one_client_is_compared_with_what_is_stored_of_the_others(self, clients: Clients, told: Told) -> None:
        predict_clients(now=NOW)
        new = Client.objects.create(organization_id="new", name="New", contract_tier="ENTERPRISE")
        assert predict_clients(now=NOW, client_ids=[new.pk]) == 1
        reference = ChurnPrediction.objects.get(client=new).contributions["reference"]
        assert (reference["name"], reference["clients"]) == ("Enterprise average", 5)

    def test_queries_do_not_grow_with_clients(
        self, clients: Clients, told: Told, django_assert_max_num_queries: Callable[..., Any]
    ) -> None:
        for number in range(60):
            Client.objects.create(organization_id=f"more-{number}", name=f"More {number}")
        active_model(now=NOW)
        with django_assert_max_num_queries(28):
            assert predict_clients(now=NOW) == 64

    def test_no_client_at_all(self, db: None, told: Told) -> None:
        assert predict_clients(now=NOW) == 0


class TestChange:
    def test_is_against_the_figure_nearest_to_four_weeks_before(self, clients: Clients, told: Told) -> None:
        trained = another_version(2)
        roll_back(trained, actor=None, now=NOW)
        before = {"days_since_use": 9.0}
        stored_prediction(clients.fading, TODAY - timedelta(days=22))
        nearest = stored_prediction(clients.fading, TODAY - timedelta(days=29), **before)
        stored_prediction(clients.fading, TODAY - timedelta(days=36), days_since_use=100.0)
        predict_clients(now=NOW)
        clients.fading.refresh_from_db()
        today = ChurnPrediction.objects.get(client=clients.fading, as_of=TODAY)
        assert clients.fading.churn_change == round(100 * today.p90) - round(100 * nearest.p90) < 0
        assert prediction_before(clients.fading, TODAY) == nearest
        clients.sturdy.refresh_from_db()
        assert clients.sturdy.churn_change is None
        assert [one.as_of for one in history(clients.fading)][-1] == TODAY

    def test_another_category_is_told_once(self, clients: Clients, told: Told, staff: Staff) -> None:
        WebhookEndpoint.objects.create(url="https://hooks.example/x", created_at=NOW, created_by=staff.adam)
        predict_clients(now=NOW)
        told[clients.fading.pk] = {
            "usage_change_month": 0.1, "days_since_use": 90.0, "champion_quiet_days": 90.0, "key_contacts_left": 2.0,
            "days_to_renewal": 10.0, "people_lost_share": 0.9, "seat_use": 0.05, "nps_latest": 2.0,
        }  # fmt: skip
        for hours in (24, 25):
            predict_clients(now=NOW + timedelta(hours=hours))
        event = WebhookEvent.objects.get(event_type="churn.category_changed")
        assert event.client_id == clients.fading.pk
        assert '"from":"LOW","to":"HIGH","direction":"rising","probability_90_days":null' in event.body


class TestVersions:
    def test_the_prior_is_stored_once(self, db: None, django_assert_num_queries: Callable[..., Any]) -> None:
        first = active_model(now=NOW)
        assert (first.row.version, first.row.kind, first.row.state) == (1, "PRIOR", "ACTIVE")
        with django_assert_num_queries(1):
            again = active_model(now=NOW)
        assert again.hazard is first.hazard
        assert ChurnModel.objects.count() == 1

    def test_a_version_of_other_features_gives_way_to_the_prior(self, db: None) -> None:
        active_model(now=NOW)
        old = another_version(2, feature_version="0-old")
        with pytest.raises(NotUsableError, match="other features"):
            roll_back(old, actor=None, now=NOW)
        ChurnModel.objects.filter(version=1).update(state="RETIRED")
        ChurnModel.objects.filter(version=2).update(state="ACTIVE")
        found = active_model(now=NOW)
        assert (found.row.version, found.row.kind) == (3, "PRIOR")
        assert ChurnModel.objects.get(version=2).state == "RETIRED"

    def test_rolling_back_is_audited_and_predicts_anew(self, clients: Clients, told: Told, staff: Staff) -> None:
        predict_clients(now=NOW)
        second = another_version(2)
        roll_back(second, actor=staff.adam, now=NOW)
        roll_back(second, actor=staff.adam, now=NOW)
        assert AuditEvent.objects.filter(action="churn_model.activate").count() == 1
        assert predict_clients(now=NOW + timedelta(minutes=1)) == 4
        newest = newest_predictions(Client.objects.visible_to(staff.vera))
        assert {row.model.version for row in newest.values()} == {2}
        roll_back(active_model_of(1), actor=staff.adam, now=NOW)
        assert predict_clients(now=NOW + timedelta(minutes=2)) == 0
        assert {row.model.version for row in newest_predictions([clients.sturdy]).values()} == {1}
        clients.sturdy.refresh_from_db()
        assert clients.sturdy.churn_is_band


def active_model_of(version: int) -> ChurnModel:
    row: ChurnModel = ChurnModel.objects.get(version=version)
    return row


class TestReading:
    def test_another_csm_sees_nothing_of_it(
        self, clients: Clients, told: Told, staff: Staff, django_assert_num_queries: Callable[..., Any]
    ) -> None:
        predict_clients(now=NOW)
        with django_assert_num_queries(1):
            found = newest_predictions(Client.objects.visible_to(staff.cleo))
        assert set(found) == {clients.elsewhere.pk}
        assert not ChurnPrediction.objects.visible_to(staff.cleo).exclude(client=clients.elsewhere).exists()

    def test_timeline_says_when_the_category_changed(self, clients: Clients, staff: Staff) -> None:
        from bellwether.portfolio.timeline_stream import Asked, read_page

        stored_prediction(clients.fading, TODAY - timedelta(days=9))
        high = {
            "usage_change_month": 0.1, "days_since_use": 90.0, "champion_quiet_days": 90.0, "key_contacts_left": 2.0,
            "days_to_renewal": 10.0, "people_lost_share": 0.9, "seat_use": 0.05, "nps_latest": 2.0,
        }  # fmt: skip
        stored_prediction(clients.fading, TODAY - timedelta(days=8), **high)
        stored_prediction(clients.fading, TODAY - timedelta(days=7), **high)
        asked = Asked(clients.fading, staff.ada, NOW, timezone.get_default_timezone(), kinds=frozenset({"churn"}))
        titles = [item.entry.title for item in read_page(asked).items]
        assert titles == ["Churn risk rose to high"]
