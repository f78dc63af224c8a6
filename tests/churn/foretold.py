"""Versions and stored predictions for tests: made by the product's own prediction from features that a test names."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl

from bellwether.churn.choices import ModelKind, ModelState
from bellwether.churn.factors import SLUGS
from bellwether.churn.features import FEATURE_ROWS
from bellwether.churn.models import ChurnModel, ChurnPrediction
from bellwether.churn.predicting import predictions_of
from bellwether.churn.versions import feature_version, next_version, read_model
from bellwether.portfolio.models import Client
from tests.churn.hazards import hazard, renewal
from tests.conftest import NOW, TODAY

TROUBLED: dict[str, float] = {
    "usage_change_month": 0.6, "usage_change_week": 0.8, "seat_use": 0.4, "stickiness": 0.2, "daily_users": 12.0,
    "days_since_use": 4.0, "days_since_login": 4.0, "champion_quiet_days": 21.0, "key_contacts_left": 0.0,
    "lead_user_quiet_days": 9.0, "people_lost_share": 0.4, "lead_user_share": 0.5, "feature_breadth": 0.4,
    "feature_share_used": 0.4, "ticket_ratio": 2.5, "open_tickets": 5.0, "csat_90d": 60.0, "nps_latest": 6.0,
    "days_since_contact": 45.0, "stakeholder_coverage": 0.25, "days_to_renewal": 49.0, "payment_late": 1.0,
    "renewal_signal": 50.0, "licensed_users": 60.0, "tenure_days": 800.0, "season_cos": -1.0, "season_sin": 0.0,
}  # fmt: skip
SOUND: dict[str, float] = TROUBLED | {
    "usage_change_month": 1.05, "usage_change_week": 1.0, "seat_use": 0.8, "days_since_use": 0.0,
    "champion_quiet_days": 1.0, "people_lost_share": 0.1, "feature_breadth": 0.8, "ticket_ratio": 1.0,
    "open_tickets": 0.0, "nps_latest": 9.0, "days_since_contact": 5.0, "days_to_renewal": 250.0, "payment_late": 0.0,
}  # fmt: skip


def version(
    *, kind: str = ModelKind.HAZARD, churned: int = 40, scale: float = 1.0, state: str = ModelState.ACTIVE,
    card: dict[str, Any] | None = None,
) -> ChurnModel:  # fmt: skip
    """Store a version with the expert's coefficients times `scale`."""
    row = ChurnModel(
        version=next_version(),
        kind=kind,
        state=state,
        trained_at=NOW,
        feature_version=feature_version(),
        churned_clients=churned,
        parameters={"hazard": hazard(scale).as_data(), "renewal": renewal().as_data()},
        card=card or {},
    )
    row.save(force_insert=True)
    return row


def foretell(
    client: Client, model: ChurnModel, *, on: date = TODAY, peers: int = 6, **values: float | None
) -> ChurnPrediction:
    """Store the prediction of a client with the features of TROUBLED, `values` in their place, among sound peers."""
    rows = [_row(client.pk.hex, client.contract_tier, on, TROUBLED | values)]
    rows += [_row(f"{number:032x}", client.contract_tier, on, SOUND) for number in range(1, peers + 1)]
    frame = pl.DataFrame(rows, schema=FEATURE_ROWS)
    at = datetime.combine(on, time(4), UTC)
    (made,) = predictions_of(read_model(model), frame[:1], as_of=on, made_at=min(at, NOW), peers=frame)
    made.save(force_insert=True)
    return made


def _row(client_id: str, tier: str, on: date, values: dict[str, Any]) -> dict[str, Any]:
    known = {slug: values.get(slug) for slug in SLUGS}
    return {"client_id": client_id, "as_of": on, **known, "tier": tier, "industry": "", "arr": 1000.0, "known": 1.0}


MONTH_AGO = TODAY - timedelta(days=28)
