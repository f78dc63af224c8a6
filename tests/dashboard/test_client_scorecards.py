"""Several scorecards of one client side by side, and the page of another than the main one."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from bellwether.common.time import day_of
from bellwether.health.models import HealthScore
from bellwether.portfolio.models import Client
from tests.conftest import Clients, Staff
from tests.dashboard import client_builders as make
from tests.dashboard.test_client_page import get, text_of

pytestmark = pytest.mark.django_db
WEIGHTS = {"activity": 50, "recency": 25, "people": 25}


@pytest.fixture(autouse=True)
def _fresh_cohorts() -> None:
    make.forget_cohorts()


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def today(now: datetime) -> date:
    return day_of(now, django_settings.BELLWETHER_WORKSPACE_ZONE)


@pytest.fixture
def scored(clients: Clients, now: datetime, today: date, settings: Any) -> Client:
    """The fading client with 58 on the main scorecard and 80 on usage-only: 90 x .5 + 80 x .25 + 60 x .25."""
    settings.BELLWETHER_OTHER_SCORECARDS = ["usage-only", "operations"]
    make.history(clients.fading, today, 10, now=now)
    parts = {"activity": 90.0, "recency": 80.0, "people": 60.0}
    make.score(clients.fading, today, parts, now=now, scorecard="usage-only", weights=WEIGHTS)
    HealthScore.objects.filter(client=clients.fading, scorecard="prd-015").update(status="AT_RISK")
    return clients.fading


class TestSideBySide:
    def test_shows_each_with_score_components_and_coverage(self, staff: Staff, scored: Client) -> None:
        card = get(staff.ada, scored).content.decode().split('id="scorecards"')[1].split("</section>")[0]
        assert card.count("<h3>") == 3
        assert "<b>58</b>" in card
        assert "<b>80</b>" in card
        assert "rests on 100% of its weight" in card
        assert "Not scored yet." in card

    def test_says_where_they_disagree_most(self, staff: Staff, scored: Client) -> None:
        """Of the main one relationship is lowest with 40, of the other the level of use highest with 90."""
        text = text_of(get(staff.ada, scored))
        assert "Usage health says 80, Client health says 58 (at risk): 22 points apart." in text
        assert "Client health is held down by Relationship (40)" in text
        assert "Usage health is carried by Activity against own past (90)" in text

    def test_is_not_there_with_one_scorecard(self, staff: Staff, scored: Client, settings: Any) -> None:
        settings.BELLWETHER_OTHER_SCORECARDS = []
        assert b'id="scorecards"' not in get(staff.ada, scored).content


class TestAnother:
    def test_has_its_own_trend_and_explanation(self, staff: Staff, scored: Client, today: date) -> None:
        response = get(staff.ada, scored, f"?scorecard=usage-only&explain={today}")
        text = text_of(response)
        assert "How 80 is calculated" in text
        assert 'aria-current="true">Usage health' in response.content.decode()
        assert "Health 58 of 100" in response.content.decode()  # the head stays that of the main one

    def test_is_compared_with_the_others_on_the_same_scorecard(
        self, staff: Staff, scored: Client, now: datetime, today: date
    ) -> None:
        """Five others with usage scores up to yesterday; none of them has a score of the main scorecard."""
        for place in range(5):
            peer = Client.objects.create(organization_id=f"p{place}", name=f"P {place}", contract_tier="ENTERPRISE")
            for ago in (1, 2, 3, 4, 5, 6):
                make.score(
                    peer, today - timedelta(days=ago), {"activity": 50.0 + place}, now=now, scorecard="usage-only",
                    weights={"activity": 100},
                )  # fmt: skip
        assert "Enterprise median, 5 clients" in text_of(get(staff.ada, scored, "?scorecard=usage-only"))
        make.forget_cohorts()
        assert "No Enterprise median" in text_of(get(staff.ada, scored))

    def test_that_is_not_in_use_is_the_main_one(self, staff: Staff, scored: Client, today: date) -> None:
        assert "How 58 is calculated" in text_of(get(staff.ada, scored, f"?scorecard=suppliers&explain={today}"))

    def test_without_a_score_says_so(self, staff: Staff, scored: Client) -> None:
        assert "There is no health score from" in text_of(get(staff.ada, scored, "?scorecard=operations"))
