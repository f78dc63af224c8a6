"""Reading stored predictions. Which clients somebody may see is for the caller to say (Client.objects.visible_to)."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Case, F, QuerySet, Value, When

from bellwether.churn.choices import ModelState
from bellwether.churn.client_columns import BACK_DAYS, FARTHEST, NEAREST
from bellwether.churn.models import ChurnPrediction
from bellwether.portfolio.models import Client

IN_USE = Case(When(model__state=ModelState.ACTIVE, then=Value(True)), default=Value(False), output_field=BooleanField())


def newest_predictions(clients: Iterable[Client] | QuerySet[Client]) -> dict[UUID, ChurnPrediction]:
    """Return the newest prediction of each of `clients`, with its version: of one day that of the version in use.

    One query. Clients without the date of a prediction, such as archived ones, have none.
    """
    rows = ChurnPrediction.objects.filter(client__churn_predicted_on__isnull=False)
    whose: Any = clients.order_by().values("pk") if isinstance(clients, QuerySet) else [one.pk for one in clients]
    rows = rows.filter(client__in=whose)
    rows = rows.filter(as_of=F("client__churn_predicted_on")).annotate(in_use=IN_USE).order_by("in_use", "made_at")
    return {row.client_id: row for row in _with_version(rows)}


def prediction_before(client: Client, day: date) -> ChurnPrediction | None:
    """Return the stored prediction nearest to 28 days before `day`, 21 to 35 days back; None where there is none."""
    first, last = day - timedelta(days=FARTHEST), day - timedelta(days=NEAREST)
    rows = _with_version(ChurnPrediction.objects.filter(client=client, as_of__gte=first, as_of__lte=last))
    found = sorted(rows, key=lambda row: (abs((day - row.as_of).days - BACK_DAYS), row.as_of, -row.made_at.timestamp()))
    return found[0] if found else None


def history(client: Client) -> list[ChurnPrediction]:
    """Return what was foretold of a client, oldest first: one prediction a day, the last that was made on it.

    Days older than 60 days are one a week. Without inputs and contributions, which are fetched when asked for.
    """
    rows = ChurnPrediction.objects.filter(client=client).order_by("as_of", "made_at")
    found = _with_version(rows).defer(*_UNREAD, "inputs", "contributions")
    return list({row.as_of: row for row in found}.values())


_UNREAD = ("model__parameters", "model__card")


def _with_version(rows: QuerySet[ChurnPrediction]) -> QuerySet[ChurnPrediction]:
    return rows.select_related("model").defer(*_UNREAD)
