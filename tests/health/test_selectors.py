from datetime import date, timedelta
from typing import Any

import pytest

from bellwether.health import selectors
from bellwether.health.models import HealthScore
from bellwether.portfolio.choices import ContractTier
from bellwether.portfolio.models import Client
from tests.conftest import NOW, TODAY, Clients

pytestmark = pytest.mark.django_db


def score(client: Client, value: int | None, days_back: int = 0, **components: float | None) -> HealthScore:
    row: HealthScore = HealthScore.objects.create(
        client=client, scorecard="prd-015", date=TODAY - timedelta(days=days_back), overall_score=value, coverage=1,
        components=components, weights_version="prd-015 v1", created_at=NOW,
    )  # fmt: skip
    return row


@pytest.fixture
def peers(clients: Clients) -> list[Client]:
    return [
        Client.objects.create(
            organization_id=f"p{n}", name=f"Peer {n}", contract_tier=ContractTier.STARTER, current_health_score=10 * n
        )
        for n in range(6)
    ]


class TestScoreOn:
    def test_gives_the_newest_row_up_to_the_day(self, clients: Clients) -> None:
        old, new = score(clients.sturdy, 50, 9), score(clients.sturdy, 60, 2)
        assert selectors.score_on(clients.sturdy.pk, TODAY) == new
        assert selectors.score_on(clients.sturdy.pk, TODAY - timedelta(days=3)) == old
        assert selectors.score_on(clients.sturdy.pk, TODAY - timedelta(days=10)) is None
        assert selectors.score_on(clients.sturdy.pk, TODAY, scorecard="operations") is None


class TestHistory:
    def test_gives_the_rows_of_a_span_oldest_first(self, clients: Clients) -> None:
        rows = [score(clients.sturdy, 50, n) for n in (3, 2, 1)]
        first: date = TODAY - timedelta(days=2)
        assert selectors.history(clients.sturdy.pk, first, TODAY) == rows[1:]


class TestTierTrend:
    def test_gives_the_median_of_days_with_five_clients(self, peers: list[Client]) -> None:
        for value, peer in zip((10, 20, 30, 40, 90), peers[1:], strict=True):
            score(peer, value)
            score(peer, None if value == 90 else value, 1)
        score(peers[0], 100)
        found = selectors.tier_trend(ContractTier.STARTER, TODAY - timedelta(days=9), TODAY, without=peers[0].pk)
        assert [(day.date, day.median, day.clients) for day in found] == [(TODAY, 30, 5)]


class TestComponentChanges:
    def test_compares_with_the_oldest_score_of_thirty_days(self, clients: Clients) -> None:
        score(clients.sturdy, 1, 31, usage=0.0)
        score(clients.sturdy, 1, 30, usage=50.0, support=None)
        score(clients.sturdy, 1, 8, usage=70.0)
        score(clients.sturdy, 1, 0, usage=40.0, support=80.0)
        assert selectors.component_changes(clients.sturdy.pk, TODAY) == {"usage": -10.0}

    def test_is_empty_where_nothing_is_a_week_back(self, clients: Clients) -> None:
        score(clients.sturdy, 1, 6, usage=50.0)
        score(clients.sturdy, 1, 0, usage=40.0)
        assert selectors.component_changes(clients.sturdy.pk, TODAY) == {}


class TestTierComponentMedians:
    def test_needs_five_clients_with_a_value(self, peers: list[Client]) -> None:
        for n, peer in enumerate(peers):
            score(peer, 50, usage=float(n), support=None if n > 3 else 1.0)
        tier: Any = ContractTier.STARTER
        assert selectors.tier_component_medians(tier, TODAY, without=peers[5].pk) == {"usage": 2.0}


class TestTierPercentile:
    def test_counts_peers_below_and_half_the_ties(self, peers: list[Client]) -> None:
        peers[3].current_health_score = 20
        peers[3].save()
        assert selectors.tier_percentile(peers[2]) == 100 * 2.5 / 5

    def test_is_none_under_five_peers(self, clients: Clients) -> None:
        clients.sturdy.current_health_score = 50
        assert selectors.tier_percentile(clients.sturdy) is None
