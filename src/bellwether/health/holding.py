"""Reads what was stored before a pass, so that values of lost sources can be held (health.held_values)."""

from collections.abc import Callable, Collection, Sequence
from datetime import date, timedelta
from functools import reduce
from operator import or_
from typing import Any

import polars as pl
from django.db.models import CharField, FloatField, Max, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from bellwether.health.held_values import HELD, SINCE, alive_dates, hold
from bellwether.health.inputs import Schema
from bellwether.health.measures import MEASURES_BY_SLUG, Unit
from bellwether.health.models import HealthScore
from bellwether.health.records import of_clients
from bellwether.health.rows import read_frame

LOOK_BACK_DAYS = 45
"""How far before a pass the scores may lie from which held values are carried on."""

EVIDENCE: Schema = {
    "client_id": pl.String,
    "date": pl.Date,
    "slug": pl.String,
    "word": pl.String,
    "number": pl.Float64,
    "since": pl.Date,
}


def with_held(
    measures: pl.DataFrame,
    slugs: Collection[str],
    *,
    scorecard: str,
    ids: list[str] | None,
    everyone: Callable[[], pl.DataFrame],
) -> pl.DataFrame:
    """Return `measures` with the held values of those of `slugs` whose source is lost (held_values.hold).

    What was stored with the scores of `scorecard`, on these dates and before, is the evidence that a source was there.
    For some clients alone (`ids`) `everyone` gives the measures of all, and is asked only where they may have lost one.
    """
    alive = alive_dates(measures, slugs)
    dead = {
        slug: alive.filter(~pl.col(slug))["date"].to_list()
        for slug in alive.columns
        if slug != "date" and not alive[slug].all()
    }
    if not dead:
        return measures
    evidence = _evidence(dead, alive["date"].to_list(), scorecard, ids)
    if ids is not None and evidence.height:
        alive = alive_dates(everyone(), slugs)
    return hold(measures, alive, evidence)


def _evidence(
    dead: dict[str, list[date]], dates: Sequence[date], scorecard: str, ids: list[str] | None
) -> pl.DataFrame:
    stored = of_clients(HealthScore.objects.filter(scorecard=scorecard).order_by(), ids)
    first, last = dates[0], dates[-1]
    before = stored.filter(date__lt=first, date__gte=first - timedelta(days=LOOK_BACK_DAYS))
    newest = dict(before.values_list("client_id").annotate(Max("date")))
    parts = [pl.DataFrame(schema=EVIDENCE)]
    if newest:
        # Few different days: nearly always one, that of the last pass.
        newest_days = pl.DataFrame(
            {"client_id": [client.hex for client in newest], "date": list(newest.values())},
            schema={"client_id": pl.String, "date": pl.Date},
        )
        rows = _values(stored.filter(date__in=set(newest.values())), list(dead))
        parts.append(rows.join(newest_days, on=["client_id", "date"], how="semi"))
    within = stored.filter(date__range=(first, last))
    named = reduce(
        or_,
        (
            Q(date__range=(days[0], days[-1])) & (Q(inputs__has_key=slug) | Q(inputs__has_key=slug + HELD))
            for slug, days in dead.items()
        ),
    )
    if within.filter(named).exists():
        days = pl.DataFrame(
            [(slug, day) for slug, lost in dead.items() for day in lost],
            schema={"slug": pl.String, "date": pl.Date},
            orient="row",
        )
        found = _values(within.filter(named), list(dead)).join(days, on=["slug", "date"], how="semi")
        parts.append(found.filter(pl.col("since") == pl.col("date")))
    return pl.concat(parts)


def _values(rows: QuerySet[HealthScore], slugs: Sequence[str]) -> pl.DataFrame:
    """Return as EVIDENCE what rows hold of measures: values of their day, and values held since an earlier one."""
    schema: Schema = {"client_id": pl.String, "date": pl.Date}
    sources: dict[str, Any] = {}
    for slug in slugs:
        value = Coalesce(
            KeyTextTransform(slug, "inputs"), KeyTextTransform(slug + HELD, "inputs"), output_field=CharField()
        )
        is_word = slug in MEASURES_BY_SLUG and MEASURES_BY_SLUG[slug].unit is Unit.WORD
        schema |= {slug: pl.String if is_word else pl.Float64, slug + SINCE: pl.String}
        sources |= {slug: value if is_word else Cast(value, FloatField())}
        sources |= {slug + SINCE: KeyTextTransform(slug + SINCE, "inputs")}
    wide = read_frame(rows, schema, sources)
    parts = [pl.DataFrame(schema=EVIDENCE)]
    for slug in slugs:
        is_word = schema[slug] == pl.String
        known = wide.filter(pl.col(slug).is_not_null())
        parts.append(
            known.select(
                "client_id",
                "date",
                pl.lit(slug).alias("slug"),
                (pl.col(slug) if is_word else pl.lit(None, pl.String)).alias("word"),
                (pl.lit(None, pl.Float64) if is_word else pl.col(slug)).alias("number"),
                pl.coalesce(pl.col(slug + SINCE).str.to_date("%Y-%m-%d", strict=False), "date").alias("since"),
            )
        )
    return pl.concat(parts)
