"""From records and facts to measures: one row per client and date, in one vectorised pass over any dates. Pure.

Definitions: formulas.md, section 1. When a source counts as missing: docs/reference/measures.md.
"""

from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

from bellwether.common.errors import InvalidInputError
from bellwether.health.contract_terms import contract_measures, contract_terms, readings
from bellwether.health.event_sums import EventSums, count_measures
from bellwether.health.feature_use import all_modules, feature_measures, grid_keys
from bellwether.health.grids import Floats, Grid, Ints, ratio
from bellwether.health.inputs import MeasureInputs, MeasureSettings
from bellwether.health.measures import DERIVED_LATER, MEASURES
from bellwether.health.record_measures import contact_measures, survey_measures, ticket_measures
from bellwether.health.usage_measures import NO_DAY, first_days, usage_measures


def measure(inputs: MeasureInputs, dates: Sequence[date], settings: MeasureSettings) -> pl.DataFrame:
    """Return client_id, date and every measure of the registry but those the engine derives, client by client.

    One row per client of `inputs` and distinct date, dates ascending, also before a client's first and after its last
    day (see `lifetimes`). Whole measures are Int64, others Float64, words String; null says that there is no value.
    Raises InvalidInputError without dates.
    """
    if not dates:
        raise InvalidInputError("There are no dates to measure; give at least one.")
    grid = Grid(inputs.clients, dates)
    first = first_days(inputs, grid)
    terms = contract_terms(inputs, grid)
    sums = EventSums(inputs, grid, settings, all_modules(inputs, settings))
    tables = usage_measures(inputs, grid, settings)
    tables |= feature_measures(inputs, grid, settings, sums, terms, first)
    tables |= count_measures(sums, grid, settings, first)
    tables |= ticket_measures(inputs, grid, settings)
    tables |= survey_measures(inputs, grid, settings)
    tables |= contact_measures(inputs, grid, settings, _known_since(inputs, first))
    tables |= contract_measures(inputs, grid, terms)
    tables["seat_use"] = ratio(tables["mau"], tables["licensed_user_count"])
    payment, tables["renewal_signal"] = readings(inputs, grid)
    words = {"tier": terms.tiers(), "payment_status": payment}
    columns = [
        words[m.slug].alias(m.slug) if m.slug in words else _column(m.slug, tables[m.slug], whole=m.whole)
        for m in MEASURES
        if m.slug not in DERIVED_LATER
    ]
    return grid_keys(grid).with_columns(columns)


def lifetimes(inputs: MeasureInputs) -> pl.DataFrame:
    """Return client_id, first_day and last_day (null while a client): the days on which a client is scored.

    The first day is the earliest of contract start, first event and the day the record was made.
    """
    started = inputs.client_days.group_by("organization_id").agg(pl.col("date").min().alias("first_event"))
    contracts = inputs.contracts.group_by("client_id").agg(pl.col("start_date").min().alias("first_term"))
    return (
        inputs.clients.join(started, on="organization_id", how="left", maintain_order="left")
        .join(contracts, on="client_id", how="left", maintain_order="left")
        .select(
            "client_id",
            pl.min_horizontal("contract_start_date", "first_term", "first_event", "known_since").alias("first_day"),
            "last_day",
        )
    )


def living(measures: pl.DataFrame, lifetimes: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `measures` on days on which the client was one; the last day is included."""
    spans = measures.select("client_id").join(lifetimes, on="client_id", how="left", maintain_order="left")
    alive = (measures["date"] >= spans["first_day"]) & (
        spans["last_day"].is_null() | (measures["date"] <= spans["last_day"])
    )
    return measures.filter(alive.fill_null(False))


def _known_since(inputs: MeasureInputs, first: Ints) -> Ints:
    """Return per client the day number since which it is known: contract, first event or record, the earliest."""
    days: Ints = lifetimes(inputs)["first_day"].cast(pl.Int32).cast(pl.Int64).fill_null(NO_DAY).to_numpy()
    earliest: Ints = np.minimum(days, first)
    return earliest


def _column(slug: str, values: Floats, *, whole: bool) -> pl.Series:
    series = pl.Series(slug, np.ascontiguousarray(values).ravel(), pl.Float64).fill_nan(None)
    return series.cast(pl.Int64) if whole else series
