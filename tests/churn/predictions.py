"""Stored predictions for tests: features made up, everything else as the product makes it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from bellwether.churn.factors import SLUGS
from bellwether.churn.models import ChurnModel, ChurnPrediction
from bellwether.churn.predicting import predictions_of, store_new
from bellwether.churn.versions import ActiveModel, active_model
from bellwether.portfolio.models import Client
from tests.conftest import NOW, TODAY


def feature_rows(clients: Sequence[Client], as_of: date = TODAY, **values: Any) -> pl.DataFrame:
    """Return FEATURE_ROWS of clients on a day: everything at its centre but what `values` names."""
    from bellwether.churn.factors import FEATURES_BY_SLUG

    def centre(slug: str) -> float:
        feature = FEATURES_BY_SLUG[slug]
        return {"log(1 + x)": 2.718281828**feature.centre - 1, "log": 2.718281828**feature.centre}.get(
            feature.transform, feature.centre
        )

    rows = [
        {"client_id": client.pk.hex, "as_of": as_of, "tier": client.contract_tier, "industry": client.industry}
        | {"arr": float(client.annual_recurring_revenue or 0), "known": 1.0}
        | {slug: centre(slug) for slug in SLUGS}
        | {"days_to_renewal": 200.0}
        | values
        for client in clients
    ]
    floats = dict.fromkeys(["arr", "known", *SLUGS], pl.Float64)
    schema = {"client_id": pl.String, "as_of": pl.Date, "tier": pl.String, "industry": pl.String} | floats
    return pl.DataFrame(rows, schema=schema)


def stored_prediction(
    client: Client, as_of: date = TODAY, *, version: ActiveModel | None = None, **values: Any
) -> ChurnPrediction:
    """Return a stored prediction of a client, made at noon of the day, by the version in use."""
    made_at = datetime(as_of.year, as_of.month, as_of.day, 12, tzinfo=UTC)
    made = predictions_of(version or active_model(now=NOW), feature_rows([client], as_of, **values), as_of=as_of,
                          made_at=made_at)  # fmt: skip
    assert store_new(made) == made
    return made[0]


def another_version(number: int, state: str = "REJECTED", **fields: Any) -> ChurnModel:
    """Return a stored version with the parameters of the expert prior, counted as trained on 40 churned clients."""
    prior = active_model(now=NOW)
    values: dict[str, Any] = {
        "version": number,
        "kind": "HAZARD",
        "state": state,
        "trained_at": NOW,
        "feature_version": prior.row.feature_version,
        "parameters": prior.row.parameters,
        "churned_clients": 40,
    }
    row: ChurnModel = ChurnModel.objects.create(**(values | fields))
    return row
