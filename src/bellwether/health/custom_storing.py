"""The newest value of every custom measure per client, kept in step for lists, segments and alerts."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import polars as pl
from django.db import transaction

from bellwether.health.custom_measures import Custom
from bellwether.health.custom_registry import custom_measures
from bellwether.health.custom_scoring import values_on
from bellwether.health.inputs import MeasureInputs
from bellwether.health.measuring import lifetimes, living
from bellwether.health.models import CustomMeasure, MeasureValue

BATCH_ROWS = 2_000


def keep_values(inputs: MeasureInputs, day: date) -> int:
    """Bring the stored values of the clients of `inputs` to `day`; return how many rows were new or differed.

    A client without a value has a row without one; one that is no client on the day keeps what it had. Writing the same
    again changes nothing.
    """
    customs = custom_measures()
    if not customs or inputs.clients.is_empty():
        return 0
    values = living(values_on(customs, inputs, [day]), lifetimes(inputs))
    return _store(values, customs, day, whole=values.height)


def _store(values: pl.DataFrame, customs: Sequence[Custom], day: date, *, whole: int) -> int:
    keys = dict(CustomMeasure.objects.filter(slug__in=[c.slug for c in customs]).values_list("slug", "pk"))
    known = MeasureValue.objects.filter(measure_id__in=keys.values())
    if whole < 50:  # one client, or a few: not the whole table
        known = known.filter(client_id__in=values["client_id"].to_list())
    stored = {(client.hex, measure): (on, value) for client, measure, on, value in known.values_list(
        "client_id", "measure_id", "date", "value"
    )}  # fmt: skip
    rows = [
        MeasureValue(client_id=UUID(row["client_id"]), measure_id=keys[custom.slug], date=day, value=row[custom.slug])
        for row in values.iter_rows(named=True)
        for custom in customs
        if custom.slug in keys and stored.get((row["client_id"], keys[custom.slug])) != (day, row[custom.slug])
    ]
    with transaction.atomic():
        MeasureValue.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["client", "measure"],
            update_fields=["date", "value"],
            batch_size=BATCH_ROWS,
        )
    return len(rows)
