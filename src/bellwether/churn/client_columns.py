"""The churn columns of clients: what their newest stored prediction says, for lists."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from bellwether.churn.choices import Precision
from bellwether.churn.models import ChurnModel, ChurnPrediction
from bellwether.churn.telling import CategoryChange, tell_categories
from bellwether.churn.words import churn_reason, parts_of
from bellwether.common.rounding import half_up
from bellwether.portfolio.models import Client

COLUMNS = (
    "churn_risk_score", "churn_low", "churn_high", "churn_category", "churn_is_band", "churn_change", "churn_reason",
    "churn_predicted_on",
)  # fmt: skip
EMPTY: dict[str, Any] = dict(zip(COLUMNS, (None, None, None, "", False, None, "", None), strict=True))
"""The columns of a client that is not predicted."""
BACK_DAYS, NEAREST, FARTHEST = 28, 21, 35
"""A change is against the prediction nearest to 28 days before, 21 to 35 days back."""
CATEGORY = COLUMNS.index("churn_category")
TABLE = Client._meta.db_table


def store_columns(predictions: Sequence[ChurnPrediction], model: ChurnModel, *, today: date, now: datetime) -> int:
    """Write the columns of the predictions' clients in the open transaction, where they differ; tell of other
    categories. Returns how many clients changed. The predictions are all of the day `today`."""
    if not predictions:
        return 0
    ids = [one.client_id for one in predictions]
    earlier = earlier_points(ids, today)
    found = Client.objects.filter(pk__in=ids).order_by().values_list("pk", *COLUMNS)
    before: dict[UUID, tuple[Any, ...]] = {row[0]: row[1:] for row in found}
    changed, moved = {}, []
    for one in predictions:
        after = columns_of(one, earlier.get(one.client_id))
        was = before.get(one.client_id)
        if was is None or was == after:
            continue
        changed[one.client_id] = after
        if was[CATEGORY] and was[CATEGORY] != after[CATEGORY]:
            moved.append(CategoryChange(one, str(was[CATEGORY])))
    _write(changed)
    tell_categories(moved, model, now=now)
    return len(changed)


def columns_of(prediction: ChurnPrediction, earlier: int | None) -> tuple[Any, ...]:
    """Return the columns for a prediction; `earlier` is the percentage some four weeks before, None where it is not
    known or was no figure."""
    is_band = prediction.precision == Precision.BAND
    percent = half_up(100 * prediction.p90)
    reason = churn_reason(prediction.inputs, parts_of(prediction))
    return (
        percent,
        half_up(100 * prediction.p90_low),
        half_up(100 * prediction.p90_high),
        str(prediction.category),
        is_band,
        None if is_band or earlier is None else percent - earlier,
        reason[:200],
        prediction.as_of,
    )


def earlier_points(client_ids: Collection[UUID], day: date) -> dict[UUID, int]:
    """Return the 90-day percentage of the stored prediction nearest to 28 days before `day` (21 to 35 days back; of
    several on one day the last made), of clients whose was a figure. Three queries."""
    stored = ChurnPrediction.objects.order_by()
    first, last = day - timedelta(days=FARTHEST), day - timedelta(days=NEAREST)
    days = stored.filter(as_of__gte=first, as_of__lte=last).values_list("as_of", flat=True).distinct()
    by_distance = sorted(days, key=lambda one: (abs((day - one).days - BACK_DAYS), one))
    if not by_distance:
        return {}
    found = _points(by_distance[:1], client_ids, day)
    left = set(client_ids) - set(found)
    if left and by_distance[1:]:
        found |= _points(by_distance[1:], left, day)
    return {client_id: point for client_id, point in found.items() if point is not None}


def _points(days: Iterable[date], client_ids: Collection[UUID], day: date) -> dict[UUID, int | None]:
    rows = ChurnPrediction.objects.filter(as_of__in=list(days), client_id__in=list(client_ids)).order_by("made_at")
    found: dict[UUID, tuple[int, int | None]] = {}
    for client_id, as_of, p90, precision in rows.values_list("client_id", "as_of", "p90", "precision"):
        distance = abs((day - as_of).days - BACK_DAYS)
        if client_id not in found or distance <= found[client_id][0]:
            point = half_up(100 * p90) if precision == Precision.FIGURE else None
            found[client_id] = (distance, point)
    return {client_id: point for client_id, (_, point) in found.items()}


def _write(changed: dict[UUID, tuple[Any, ...]]) -> None:
    """Write the columns in one go: the ORM's bulk update takes twenty times as long for thousands of clients."""
    if not changed:
        return
    adapt = connection.ops.adapt_datefield_value
    key = str if connection.vendor == "postgresql" else (lambda pk: pk.hex)
    statement = f"UPDATE {TABLE} SET {', '.join(f'{name} = %s' for name in COLUMNS)} WHERE id = %s"
    rows = [[*values[:-1], adapt(values[-1]), key(pk)] for pk, values in changed.items()]
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)


def clear_columns(predicted: Collection[UUID]) -> int:
    """Empty the columns of all other clients in the open transaction, and return how many had some: archived ones,
    those that have left."""
    shown = Client.objects.filter(churn_predicted_on__isnull=False).order_by().values_list("pk", flat=True)
    kept = set(predicted)
    gone = [pk for pk in shown if pk not in kept]
    _write(dict.fromkeys(gone, tuple(EMPTY.values())))
    return len(gone)
