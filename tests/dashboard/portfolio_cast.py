"""The cast with scores: what the engine would have stored for it, written down."""

from datetime import date, datetime, timedelta
from typing import Any

from bellwether.health.models import HealthScore
from bellwether.portfolio.models import Client
from tests.conftest import Clients

PARTS = {"usage": 22, "adoption": 55, "support": 80, "relationship": 31, "contract": 70, "outcome": None}


def give_scores(clients: Clients, today: date, now: datetime) -> None:
    """Sturdy 90 and steady, Fading 45 and falling from 59, Newborn without a score; Elsewhere 70. 35 days back."""
    scores: dict[Client, tuple[int, str, str, int]] = {
        clients.sturdy: (90, "HEALTHY", "FLAT", 1),
        clients.fading: (45, "AT_RISK", "DOWN", -14),
        clients.elsewhere: (70, "MONITOR", "FLAT", 0),
    }
    for client, (score, status, trend, change) in scores.items():
        values: dict[str, Any] = {
            "current_health_score": score,
            "health_status": status,
            "health_trend": trend,
            "health_trend_change": change,
            "health_coverage": 0.9,
            "health_components": PARTS if client == clients.fading else dict.fromkeys(PARTS, score),
            "health_sparkline": [score - change, None, score - change // 2, score],
            "scored_on": today,
            "last_csm_contact_at": now - timedelta(days=45 if client == clients.fading else 3),
            "last_activity_at": now,
            "next_renewal_date": today + timedelta(days=36 if client == clients.fading else 200),
        }
        Client.objects.filter(pk=client.pk).update(**values)
        HealthScore.objects.bulk_create(
            HealthScore(
                client=client,
                scorecard="prd-015",
                date=today - timedelta(days=days),
                overall_score=score if days < 7 else score - change,
                status=status,
                coverage=0.9,
                weights_version="prd-015 v1",
                created_at=now,
            )
            for days in range(0, 36)
        )
    Client.objects.filter(pk=clients.fading.pk).update(
        health_interval_low=41, health_interval_high=51, health_missing=["outcome"]
    )
    Client.objects.filter(pk=clients.newborn.pk).update(
        health_reason="Only 40% of the weights have data, 50% is needed",
        health_coverage=0.4,
        scored_on=today,
        next_renewal_date=today + timedelta(days=300),
    )
