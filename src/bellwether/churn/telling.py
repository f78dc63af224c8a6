"""Tells the outside (webhooks) that a client's category of churn risk is another than before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bellwether.churn.choices import Category, Precision
from bellwether.churn.models import ChurnModel, ChurnPrediction
from bellwether.churn.words import churn_reason, parts_of
from bellwether.portfolio.models import Client
from bellwether.portfolio.telling import client_data
from bellwether.webhooks.kinds import CLIENT, declare
from bellwether.webhooks.outbox import Told, tell, wanted

CHANGED = "churn.category_changed"
ORDER = {Category.LOW: 0, Category.MEDIUM: 1, Category.HIGH: 2}


@dataclass(frozen=True)
class CategoryChange:
    """A stored prediction with another category than the client's before it."""

    prediction: ChurnPrediction
    before: str


def declare_events() -> None:
    """Declare the type of event."""
    declare(
        CHANGED,
        "A client's churn risk over 90 days rose or fell into another category.",
        {
            "client": CLIENT,
            "date": "2026-02-12",
            "from": "MEDIUM",
            "to": "HIGH",
            "direction": "rising",
            "probability_90_days": 0.57,
            "reason": "Daily users down 40% on their 90-day average.",
            "model_version": 7,
        },
    )


def tell_categories(changes: Sequence[CategoryChange], model: ChurnModel, *, now: datetime) -> int:
    """Tell of the changes in the open transaction, each once a day and version; return how many events are new.

    Where the sample is too thin for a figure the probability is null.
    """
    if not changes or not wanted(CHANGED):
        return 0
    clients = Client.objects.in_bulk([one.prediction.client_id for one in changes])
    told = []
    for change in changes:
        one = change.prediction
        rises = ORDER[Category(one.category)] > ORDER[Category(change.before)]
        data = {
            "client": client_data(clients[one.client_id]),
            "date": one.as_of,
            "from": change.before,
            "to": str(one.category),
            "direction": "rising" if rises else "falling",
            "probability_90_days": one.p90 if one.precision == Precision.FIGURE else None,
            "reason": churn_reason(one.inputs, parts_of(one)),
            "model_version": model.version,
        }
        told.append(Told(data, one.client_id, key=f"{CHANGED}:{one.client_id}:{one.as_of}:{model.version}"))
    return tell(CHANGED, told, now=now)
