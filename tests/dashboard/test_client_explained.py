"""The explanation on the client page: two days of the reader's choice, and the change between them as a sum."""

import copy
import re
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone

from bellwether.common.time import day_of
from bellwether.health.configs import ensure_default_config
from bellwether.health.explain_reading import explained
from bellwether.health.models import HealthScore, HealthScoreConfig, ScoreAsSeen
from bellwether.health.scorecard import definition_digest, shipped_definition
from bellwether.portfolio.models import Client
from tests.conftest import Clients, Staff
from tests.dashboard import client_builders as make
from tests.dashboard.test_client_page import get, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_cohorts() -> None:
    make.forget_cohorts()


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def today(now: datetime) -> date:
    return day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)


@pytest.fixture
def scored(clients: Clients, now: datetime, today: date) -> Client:
    """The fading client with 20 days of scores; its daily users were 16 until today, of 18 expected, and are 12 now."""
    make.history(clients.fading, today, 20, now=now, fall=80.0)
    HealthScore.objects.filter(client=clients.fading, date__lt=today).update(inputs=make.INPUTS | {"dau_avg_7d": 16.0})
    return clients.fading


def table_of(response: HttpResponse) -> str:
    return response.content.decode().split('id="explain-change"')[1].split("</table>")[0]


def points_in(table: str) -> list[Decimal]:
    """The points of the causes and, last, the sum."""
    cells = re.findall(r'<td class="n"[^>]*>(?:<b>)?([+−]?\d+\.\d\d)', table)
    return [Decimal(cell.replace("−", "-")) for cell in cells]


def second_version(now: datetime) -> None:
    ensure_default_config("prd-015", now=now)
    definition = copy.deepcopy(shipped_definition("prd-015"))
    definition["components"][0]["weight"] -= 5
    definition["components"][1]["weight"] += 5
    HealthScoreConfig.objects.create(
        scorecard="prd-015", version=901, name="More", definition=definition, digest=definition_digest(definition),
        is_active=False, is_default=True, created_at=now,
    )  # fmt: skip


class TestChange:
    def test_is_told_by_measure_and_adds_up(self, staff: Staff, scored: Client, today: date) -> None:
        """16 of 18 are 88.9, 12 are 66.7: a quarter of 22.2 is 5.56. Stored are 84 (75.0 rounded up) and 58."""
        since = today - timedelta(days=7)
        before = HealthScore.objects.get(client=scored, date=since).overall_score
        response = get(staff.ada, scored, f"?explain={today}&since={since}")
        table = table_of(response)
        *causes, total = points_in(table)
        assert Decimal("-5.56") in causes
        assert "Daily users fell from 16 to 12" in table
        assert sum(causes) == total == 58 - (before or 0)
        assert f'name="since" value="{since}"' in response.content.decode()

    def test_is_that_of_the_api(self, staff: Staff, scored: Client, today: date) -> None:
        since = today - timedelta(days=7)
        found = explained(scored, today, since=since)
        assert found.change is not None
        assert sum(part.points for part in found.parts) == found.change.score
        *causes, _ = points_in(table_of(get(staff.ada, scored, f"?explain={today}&since={since}")))
        exact = [part.points for part in found.parts]
        assert all(abs(float(shown) - points) < 0.05 for shown, points in zip(causes, exact, strict=True))

    def test_begins_with_the_day_before_where_no_day_was_given(self, staff: Staff, scored: Client, today: date) -> None:
        response = get(staff.ada, scored, f"?explain={today}")
        assert f'name="since" value="{today - timedelta(days=1)}"' in response.content.decode()

    def test_counts_late_data_from_what_was_shown(
        self, staff: Staff, scored: Client, now: datetime, today: date
    ) -> None:
        since = today - timedelta(days=7)
        stored = HealthScore.objects.get(client=scored, date=since)
        ScoreAsSeen.objects.create(
            client=scored, scorecard="prd-015", date=since, overall_score=90, coverage=1, weights_version="prd-015 v1",
            inputs=make.INPUTS | {"dau_avg_7d": 18.0}, components={}, replaced_at=now,
        )  # fmt: skip
        table = table_of(get(staff.ada, scored, f"?explain={today}&since={since}"))
        *causes, total = points_in(table)
        assert "90 was shown when" in table
        assert f"{stored.overall_score} is stored now" in table
        assert causes[0] == Decimal("-2.78")  # 18 of 18 are 100, 16 are 88.9: a quarter of 11.1
        assert sum(causes) == total == 58 - 90

    def test_says_what_a_version_changed(self, staff: Staff, scored: Client, now: datetime, today: date) -> None:
        second_version(now)
        HealthScore.objects.filter(client=scored, date=today).update(weights_version="prd-015 v901")
        table = table_of(get(staff.ada, scored, f"?explain={today}"))
        *causes, total = points_in(table)
        assert "prd-015 v901 in place of prd-015 v1" in table
        assert re.search(r"\+5, Usage −5", table)
        assert sum(causes) == total

    def test_names_data_that_are_lost(self, staff: Staff, scored: Client, today: date) -> None:
        lost = {key: value for key, value in make.INPUTS.items() if key not in {"csat_90d", "tickets_30d"}}
        HealthScore.objects.filter(client=scored, date=today).update(
            inputs={key: None if "ticket" in key or "csat" in key else value for key, value in lost.items()}
        )
        found = explained(scored, today, since=today - timedelta(days=1))
        assert found.change is not None
        *causes, total = points_in(table_of(get(staff.ada, scored, f"?explain={today}")))
        assert sum(causes) == total
        assert len(causes) == len(found.parts)


class TestDays:
    def test_that_cannot_be_used_are_named(self, staff: Staff, scored: Client, today: date) -> None:
        text = text_of(get(staff.ada, scored, f"?explain={today}&since=x"))
        assert "Since: “x” is no date." in text
        assert "How 58 is calculated" in text
        assert "is not before" in text_of(get(staff.ada, scored, f"?explain={today}&since={today}"))
        assert "Date: choose the day to explain." in text_of(get(staff.ada, scored, f"?since={today}"))

    def test_without_a_score_lead_to_the_nearest(self, staff: Staff, scored: Client, today: date) -> None:
        gone, first = today - timedelta(days=4), today - timedelta(days=20)
        HealthScore.objects.filter(client=scored, date=gone).delete()
        response = get(staff.ada, scored, f"?explain={gone}")
        assert "not for every day" in text_of(response)
        for near in (gone - timedelta(days=1), gone + timedelta(days=1)):
            assert f"explain={near}#explained" in response.content.decode()
        response = get(staff.ada, scored, f"?explain={today}&since={gone}")
        assert "Since: no score is stored for" in text_of(response)
        assert f"since={gone + timedelta(days=1)}#explained" in response.content.decode()
        assert f"explain={first}#explained" in get(staff.ada, scored, "?explain=2001-01-01").content.decode()

    def test_without_a_score_say_that_there_is_no_change(self, staff: Staff, scored: Client, today: date) -> None:
        since = today - timedelta(days=4)
        HealthScore.objects.filter(client=scored, date=since).update(overall_score=None, no_score_reason="40%")
        response = get(staff.ada, scored, f"?explain={today}&since={since}")
        assert "The change cannot be split: there was no score on" in text_of(response)
        assert b'id="explain-change"' not in response.content

    def test_are_swapped_alone(self, staff: Staff, scored: Client, today: date) -> None:
        headers = {"HX-Request": "true", "HX-Target": "explained"}
        response = get(staff.ada, scored, f"?explain={today}", **headers)
        assert response.content.decode().strip().startswith('<section class="card explained"')
        assert b"<html" not in response.content

    def test_of_clients_of_others_do_not_exist(self, staff: Staff, scored: Client, today: date) -> None:
        assert get(staff.cleo, scored, f"?explain={today}").status_code == 404
