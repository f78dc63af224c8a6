"""The weekly predictions of the past as they would have been made: for the demo alone.

A workspace never gets predictions of days gone by: they are stored when they are made, or the scoreboard would be worth
nothing. The demo invents a year in a minute, so its predictions of the last half year are made in one go, each by the
version that was in use then, from what was known on that day, and dated on it.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta

import polars as pl
from django.conf import settings
from django.db import transaction

from bellwether.churn.choices import ModelState
from bellwether.churn.fitting import expert_model
from bellwether.churn.learning import History, NotEnoughHistoryError, learn
from bellwether.churn.models import ChurnModel
from bellwether.churn.predicting import predict_clients, predictions_of, store_new
from bellwether.churn.training import (
    capacity_of,
    digest_of,
    incumbent_of,
    read_history,
    rivals_of,
    store_version,
    training_days,
)
from bellwether.churn.versions import ActiveModel, active_model
from bellwether.common.progress import NoProgress, Progress
from bellwether.common.time import day_of, end_of, start_of

WEEKS = 26
TRAINED_EVERY = 4
"""Weeks between attempts to train, until a first version comes into use; one more follows today."""


def replay_weeks(*, now: datetime, progress: Progress | None = None) -> dict[str, int]:
    """Train and predict the last 26 weeks of a demo as they would have gone, then today; return counts.

    Versions learn on Mondays from what was known then, every fourth week until one comes into use, and today. Does
    nothing where versions or predictions are stored already.
    """
    progress = progress or NoProgress()
    if ChurnModel.objects.exists():
        return {}
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    days = training_days(today)
    weeks = days[-WEEKS:]
    begun = start_of(weeks[0], settings.BELLWETHER_WORKSPACE_ZONE) if weeks else now
    active = active_model(now=begun)
    history = read_history(days, now=now, progress=progress)
    count, trained = 0, False
    progress.start(f"Predicting {len(weeks)} weeks", len(weeks))
    for number, day in enumerate(weeks):
        if not trained and number % TRAINED_EVERY == 0:
            trained = _train(known_on(history, day), active, day)
            active = active_model() if trained else active
        count += _predict(history, active, day)
        progress.advance()
    _train(history, active, today, now=now)
    count += predict_clients(now=now, progress=progress)
    return {"churn versions": ChurnModel.objects.count(), "churn predictions": count}


def known_on(history: History, day: date) -> History:
    """Return what was known of a history when `day` began."""
    until = day - timedelta(days=1)
    return replace(
        history,
        rows=history.rows.filter(pl.col("as_of") < day),
        left=history.left.filter(pl.col("left_on") <= until),
        last_days=history.last_days.filter(pl.col("last_day") <= until),
        terms=history.terms.filter(pl.col("term_end") <= until),
        until=until,
    )


def _train(history: History, active: ActiveModel, day: date, *, now: datetime | None = None) -> bool:
    """Train as on the morning of `day` and store the version; return whether it came into use."""
    if history.rows.is_empty():
        return False
    try:
        learned = learn(
            history,
            incumbent_of(active),
            expert=expert_model(),
            rivals=rivals_of(history.rows),
            capacity=capacity_of(history.rows),
        )
    except NotEnoughHistoryError:
        return False
    at = now or start_of(day, settings.BELLWETHER_WORKSPACE_ZONE)
    row = store_version(learned, active.row, digest=digest_of(history), seconds=0.0, by=None, activate=None, now=at)
    return bool(row.state == ModelState.ACTIVE)


def _predict(history: History, active: ActiveModel, day: date) -> int:
    """Store the predictions of a past Monday, made when it was over; return how many."""
    gone = history.last_days.filter(pl.col("last_day") <= day)
    rows = history.rows.filter(pl.col("as_of") == day).join(gone, on="client_id", how="anti")
    made = predictions_of(active, rows, as_of=day, made_at=end_of(day, settings.BELLWETHER_WORKSPACE_ZONE))
    with transaction.atomic():
        return len(store_new(made))
