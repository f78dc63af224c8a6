"""Reads the newest churn predictions of a reader's clients, and those of a month before, for pages and the API alike.

A fixed number of queries whatever the number of clients; what was read is kept for a minute (analytics.keeping).
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import polars as pl
from django.db.models import F, FloatField
from django.db.models.functions import Cast

from bellwether.analytics import reading
from bellwether.analytics.churn_forecast import Outlook, outlook
from bellwether.analytics.churn_query import ChurnQuery, in_scope
from bellwether.analytics.keeping import kept
from bellwether.analytics.reading import Scope, key_of
from bellwether.churn.advice import recommended
from bellwether.churn.choices import ModelKind, ModelState
from bellwether.churn.client_columns import BACK_DAYS, FARTHEST, NEAREST
from bellwether.churn.models import ChurnModel, ChurnPrediction
from bellwether.churn.selectors import IN_USE
from bellwether.churn.words import factor_lines
from bellwether.portfolio.models import Client

OLD_DAYS = 4
STORED_SECONDS = 600
"""What follows from stored predictions, which never change, is kept longer than what was read."""

_CHANCES = ("p30", "p30_low", "p30_high", "p60", "p60_low", "p60_high", "p90", "p90_low", "p90_high")
CLIENT = {
    "key": pl.String,
    "name": pl.String,
    "organization_id": pl.String,
    "tier": pl.String,
    "industry": pl.String,
    "csm": pl.String,
    "csm_first": pl.String,
    "csm_last": pl.String,
    "arr": pl.Float64,
    "renewal": pl.Date,
    "score": pl.Int64,
    "status": pl.String,
    "change": pl.Int64,
    "reason": pl.String,
}
PREDICTED: dict[str, Any] = {
    "key": pl.String,
    "prediction": pl.Int64,
    "as_of": pl.Date,
    **dict.fromkeys(_CHANCES, pl.Float64),
    "renewal_risk": pl.Float64,
    "renewal_low": pl.Float64,
    "renewal_high": pl.Float64,
    "renewal_on": pl.Date,
    "category": pl.String,
    "precision": pl.String,
    "precision_reason": pl.String,
    "arr_then": pl.Float64,
}
"""Probabilities are 0-1, as they were stored; `arr_then`: yearly revenue on the day of the prediction."""
ROWS = CLIENT | {name: kind for name, kind in PREDICTED.items() if name != "key"}
"""One row an active client, by name; what was predicted is null where nothing was."""


@dataclass(frozen=True)
class ModelInUse:
    """The version that predicts now."""

    version: int
    kind: str
    trained_at: datetime
    clients: int
    churned_clients: int

    @property
    def is_prior(self) -> bool:
        """Whether it is the expert prior, with no history behind it."""
        return self.kind == ModelKind.PRIOR


@dataclass(frozen=True)
class ChurnBook:
    """`rows`: ROWS of the active clients. `before`: ROWS as predicted on `before_on`, with the ARR of that day and the
    client's other columns of today, clients that have left since included; None without predictions a month before.
    `model` is None before the first prediction. `token`: of what was read, another at every reading."""

    rows: pl.DataFrame
    before: pl.DataFrame | None
    before_on: date | None
    model: ModelInUse | None
    today: date
    token: str = field(default_factory=lambda: uuid4().hex)

    @property
    def predicted_on(self) -> date | None:
        """The newest day with a prediction; None without any."""
        found: date | None = self.rows["as_of"].max()  # type: ignore[assignment]
        return found

    @property
    def is_old(self) -> bool:
        """Whether nothing was predicted for OLD_DAYS days or longer, so that somebody should look."""
        on = self.predicted_on
        return on is not None and (self.today - on).days >= OLD_DAYS


def churn_book(scope: Scope, *, today: date, since: datetime | None) -> ChurnBook:
    """Return the predictions of the clients of `scope`, at most reading.KEPT_SECONDS old, in five queries.

    `since`: when the reader last changed something (reading.last_change), which has to show.
    """
    key = ("churn", scope.key, today)
    return kept(key, lambda: _read(scope, today), seconds=reading.KEPT_SECONDS, since=since)


def outlooks(book: ChurnBook, query: ChurnQuery) -> tuple[Outlook, Outlook | None]:
    """Return what the predictions add up to now and a month before (None without), of the clients that every filter
    but the category lets through."""
    filters = (query.tier, query.industry, query.csm_id, query.renewal_within, query.search)

    def make() -> tuple[Outlook, Outlook | None]:
        now = outlook(in_scope(book.rows, query, book.today), book.today)
        if book.before is None or book.before_on is None:
            return now, None
        return now, outlook(in_scope(book.before, query, book.today), book.before_on)

    return kept(("churn-outlooks", book.token, filters), make, seconds=STORED_SECONDS)


def _read(scope: Scope, today: date) -> ChurnBook:
    clients = _clients(scope, active=True)
    newest = _predictions(scope, as_of=F("client__churn_predicted_on"), client__archived_at__isnull=True)
    last: date | None = newest["as_of"].max()  # type: ignore[assignment]
    rows = clients.join(newest, on="key", how="left", maintain_order="left").select(*ROWS)
    before, before_on = _month_ago(scope, last) if last is not None else (None, None)
    return ChurnBook(rows, before, before_on, _model(), today)


def _month_ago(scope: Scope, last: date) -> tuple[pl.DataFrame | None, date | None]:
    latest, earliest = last - timedelta(days=NEAREST), last - timedelta(days=FARTHEST)
    stored = ChurnPrediction.objects.filter(as_of__lte=latest, as_of__gte=earliest).order_by()
    days = stored.values_list("as_of", flat=True).distinct()
    on = min(days, key=lambda day: (abs((last - day).days - BACK_DAYS), day), default=None)
    if on is None:
        return None, None
    found = _predictions(scope, as_of=on)
    everybody = _clients(scope, active=False)
    rows = everybody.join(found, on="key", how="inner", maintain_order="left").select(*ROWS)
    return (rows.with_columns(pl.col("arr_then").alias("arr")), on) if rows.height else (None, None)


def _clients(scope: Scope, *, active: bool) -> pl.DataFrame:
    found = Client.objects.filter(scope.condition())
    found = found.active() if active else found
    rows = found.order_by("name", "pk").values_list(
        key_of("id"), "name", "organization_id", "contract_tier", "industry", key_of("csm_user_id"),
        "csm_user__first_name", "csm_user__last_name", Cast("annual_recurring_revenue", FloatField()),
        "next_renewal_date", "current_health_score", "health_status", "churn_change", "churn_reason",
    )  # fmt: skip
    return pl.DataFrame(list(rows), schema=CLIENT, orient="row")


def _predictions(scope: Scope, **which: Any) -> pl.DataFrame:
    """Return PREDICTED, one for each client: of several on a day that of the version in use, else the last made."""
    found = ChurnPrediction.objects.filter(scope.condition("client__"), **which)
    found = found.annotate(in_use=IN_USE).order_by("in_use", "made_at", "pk")
    rows = found.values_list(
        key_of("client_id"), "pk", "as_of", *_CHANCES, "renewal_risk", "renewal_low", "renewal_high", "renewal_on",
        "category", "precision", "precision_reason", Cast("arr", FloatField()),
    )  # fmt: skip
    frame = pl.DataFrame(list(rows), schema=PREDICTED, orient="row")
    return frame.unique(subset="key", keep="last", maintain_order=True)


def _model() -> ModelInUse | None:
    found = ChurnModel.objects.filter(state=ModelState.ACTIVE).values_list(
        "version", "kind", "trained_at", "clients", "churned_clients"
    )
    row = found.first()
    return ModelInUse(*row) if row else None


@dataclass(frozen=True)
class NextAction:
    """What to do first about a client: the word of the activity (churn.advice.Do) to schedule, and why."""

    word: str
    title: str
    reason: str


def next_actions(rows: pl.DataFrame) -> dict[str, NextAction]:
    """Return what to do first about the clients of ROWS, by client, in one query; without those of which no factor
    stands out. It is the first activity of churn.advice."""
    categories = dict(rows.select("prediction", "category").iter_rows())
    key = ("churn-actions", tuple(categories))
    return kept(key, lambda: _next_actions(categories), seconds=STORED_SECONDS)


def _next_actions(categories: dict[int, str]) -> dict[str, NextAction]:
    found = ChurnPrediction.objects.filter(pk__in=list(categories)).values_list(
        "pk", key_of("client_id"), "inputs", "contributions"
    )
    actions = {}
    for pk, key, inputs, contributions in found:
        parts = contributions.get("parts", {})
        for action in recommended(factor_lines(inputs, parts), category=categories[pk] or ""):
            do = next((one for one in action.does if one.is_activity), None)
            if do is not None:
                actions[str(key)] = NextAction(do.value, action.title, action.reason)
                break
    return actions
