"""Reading cohorts: who is in them, and how long they are kept."""

from collections import Counter
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bellwether.health.cohort_reading import industry_members, tier_members, tier_scores
from bellwether.health.models import HealthScore
from bellwether.portfolio.models import Client
from tests.conftest import NOW, TODAY, Clients

pytestmark = pytest.mark.django_db


@pytest.fixture
def cache() -> BaseCache:
    caches["memory"].clear()
    return caches["memory"]


@pytest.fixture
def scored(clients: Clients) -> Clients:
    for client, value in ((clients.sturdy, 80), (clients.fading, 40), (clients.gone, 10)):
        Client.objects.filter(pk=client.pk).update(current_health_score=value, contract_tier="ENTERPRISE")
        for ago in (0, 1):
            HealthScore.objects.create(
                client=client, scorecard="prd-015", date=TODAY - timedelta(days=ago), overall_score=value, coverage=1,
                weights_version="prd-015 v1", created_at=NOW,
            )  # fmt: skip
    return clients


class TestTierMembers:
    def test_are_the_active_clients_with_a_score(self, scored: Clients, cache: BaseCache) -> None:
        found = {(member[0], member[1]) for member in tier_members("ENTERPRISE", cache=cache)}
        assert found == {(scored.sturdy.pk, 80), (scored.fading.pk, 40)}

    def test_are_kept(self, scored: Clients, cache: BaseCache) -> None:
        first = tier_members("ENTERPRISE", cache=cache)
        with CaptureQueriesContext(connection) as captured:
            assert tier_members("ENTERPRISE", cache=cache) == first
        assert len(captured) == 0


class TestIndustryMembers:
    def test_are_those_of_the_industry(self, scored: Clients, cache: BaseCache) -> None:
        Client.objects.filter(pk=scored.fading.pk).update(industry="Möbel & Co: \n")
        assert [member[1] for member in industry_members("Möbel & Co: \n", cache=cache)] == [40]

    def test_are_none_without_an_industry(self, scored: Clients, cache: BaseCache) -> None:
        assert industry_members("", cache=cache) == []


class TestTierScores:
    def test_count_each_score_by_day_also_of_clients_that_left(self, scored: Clients, cache: BaseCache) -> None:
        found = tier_scores("ENTERPRISE", "prd-015", [TODAY], cache=cache)
        assert found == {TODAY: Counter({80: 1, 40: 1, 10: 1})}

    @pytest.mark.sqlite_only  # PostgreSQL decides by the statistics of the table
    def test_read_the_index_and_not_the_rows(self, scored: Clients, cache: BaseCache) -> None:
        with CaptureQueriesContext(connection) as captured:
            tier_scores("ENTERPRISE", "prd-015", [TODAY], cache=cache)
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {captured[0]['sql']}")
            plan = " ".join(row[3] for row in cursor.fetchall())
        assert "COVERING INDEX healthscore_day_scores" in plan
