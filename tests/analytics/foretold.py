"""Makes stored predictions for tests, with the client's columns as the nightly job writes them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from bellwether.churn.choices import Category, ModelKind, ModelState, Precision
from bellwether.churn.models import ChurnModel, ChurnPrediction
from bellwether.portfolio.models import Client

REASON = "Daily users down 40% on their 90-day average"


def make_model(kind: str = ModelKind.HAZARD, **fields: Any) -> ChurnModel:
    """Make a version in use, 3 by default, that learned from 200 clients of which 25 left."""
    values: dict[str, Any] = {
        "version": 3, "state": ModelState.ACTIVE, "trained_at": datetime(2026, 6, 1, 8, tzinfo=UTC), "clients": 200,
        "churned_clients": 25, "feature_version": "1", "parameters": {},
    }  # fmt: skip
    return ChurnModel.objects.create(kind=kind, **(values | fields))


def category_of(p90: float) -> Category:
    """Return the category of a 90-day probability."""
    return Category.HIGH if p90 > 0.5 else Category.MEDIUM if p90 >= 0.2 else Category.LOW


def add_prediction(client: Client, model: ChurnModel, as_of: date, p90: float, **fields: Any) -> ChurnPrediction:
    """Store a prediction without doubt about it, p30 a third and p60 two thirds of p90."""
    values: dict[str, Any] = {"renewal_on": client.next_renewal_date, "arr": client.annual_recurring_revenue}
    for name, p in (("p30", p90 / 3), ("p60", p90 * 2 / 3), ("p90", p90)):
        values |= {name: p, f"{name}_low": p, f"{name}_high": p}
    values |= {"category": category_of(p90), "precision": Precision.FIGURE, "coverage": 0.9}
    made_at = datetime.combine(as_of, time(3), tzinfo=UTC)
    return ChurnPrediction.objects.create(client=client, model=model, as_of=as_of, made_at=made_at, **(values | fields))


def predict(
    client: Client, model: ChurnModel, as_of: date, p90: float, *, was: float | None = None, **fields: Any
) -> None:
    """Store a prediction, also one of 28 days before (`was`), and write the newest to the client."""
    if was is not None:
        add_prediction(client, model, as_of - timedelta(days=28), was)
    made = add_prediction(client, model, as_of, p90, **fields)
    client.churn_risk_score = round(100 * p90)
    client.churn_low, client.churn_high = round(100 * made.p90_low), round(100 * made.p90_high)
    client.churn_category, client.churn_is_band = made.category, made.precision == Precision.BAND
    client.churn_change = None if was is None else round(100 * (p90 - was))
    client.churn_reason, client.churn_predicted_on = REASON, as_of
    client.save()
