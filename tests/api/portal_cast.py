"""Organizations with known inputs, scored by the engine, for the two other systems."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from bellwether.health.engine import score_measures
from bellwether.health.models import HealthScore
from bellwether.health.scorecard import load_scorecard
from bellwether.portfolio.models import Client
from tests.conftest import NOW

# Worked by hand from formulas.md, 2.2:
# login 14/50 / 0.7 = 40; cases 9/12 / 0.9 = 83.3 -> 83; campaigns 34/50 / 0.85 = 80; features 7/14 / 0.6 = 83.3 -> 83;
# tickets 100 - 3 * 10 = 70. Overall 8 + 20.75 + 20 + 12.45 + 10.5 = 71.7 -> 72.
ORGANIZATION: dict[str, Any] = {
    "active_users_30d": 14, "total_users": 50, "cases_on_time": 9, "cases_closed": 12, "assignments_completed": 34,
    "assignments_total": 50, "features_adopted": 7, "features_tracked": 14, "tickets_30d": 3,
}  # fmt: skip
# From formulas.md, 2.3: 9 days -> 10 points; 0.375 * 25 = 9.375; 0.4 * 25 = 10; 0.6 * 10 = 6; 0.45 * 10 = 4.5.
# Sum 39.875: critical (under 40) before rounding, stored as 40.
SUPPLIER: dict[str, Any] = {
    "days_since_login": 9, "feature_share": 0.375, "features_tracked": 8, "client_activity": 0.4,
    "form_completion_rate": 0.6, "journey_performance": 0.45,
}  # fmt: skip


def keep_score(
    client: Client, scorecard: str, day: date, inputs: Mapping[str, Any], *, previous: int | None = None
) -> HealthScore:
    """Store what the engine makes of `inputs`, with `previous` as the score that the trend is measured against."""
    card = load_scorecard(scorecard)
    frame = pl.DataFrame({"client_id": [client.pk.hex], "date": [day], **{k: [v] for k, v in inputs.items()}})
    given = frame.with_columns(pl.Series("previous_score", [previous], pl.Int32))
    made = score_measures(given, card).row(0, named=True)
    row: HealthScore = HealthScore.objects.create(
        client=client,
        scorecard=scorecard,
        date=day,
        overall_score=made["score"],
        **{name: made[name] for name in ("status", "trend", "trend_change", "previous_score", "risk", "coverage")},
        no_score_reason=made["no_score_reason"],
        components={component.key: made[component.key] for component in card.components},
        inputs=dict(inputs),
        weights_snapshot=card.weights,
        weights_version=f"{scorecard} v1",
        created_at=NOW,
    )
    return row
