"""What happened to a client on a day that a reader of its score should see beside it. Pure."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from bellwether.health.inputs import MeasureInputs, MeasureSettings
from bellwether.health.record_measures import workspace_day

DETRACTOR_UP_TO = 6


def notable_events(inputs: MeasureInputs, dates: Sequence[date], settings: MeasureSettings) -> pl.DataFrame:
    """Return client_id, date and `notable_events` (list of sentences, in alphabetical order) for days that have any."""
    urgent = inputs.tickets.filter(pl.col("priority") == "urgent").select(
        "client_id", workspace_day("opened_at", settings).alias("date"), pl.lit("Urgent ticket opened").alias("text")
    )
    detractors = inputs.surveys.filter((pl.col("kind") == "NPS") & (pl.col("score") <= DETRACTOR_UP_TO)).select(
        "client_id",
        workspace_day("answered_at", settings).alias("date"),
        pl.format("NPS answer of {}", pl.col("score").cast(pl.Int64)).alias("text"),
    )
    reviews = inputs.activities.filter(pl.col("activity_type") == "QBR").select(
        "client_id",
        workspace_day("completed_at", settings).alias("date"),
        pl.lit("Quarterly business review").alias("text"),
    )
    # A term may end on the day before the next begins: the start of the next is the renewal.
    ends = inputs.contracts.select(
        "client_id", pl.col("end_date").alias("date"), pl.lit("Contract term ended").alias("text")
    )
    starts = (
        inputs.contracts.sort("client_id", "start_date")
        .filter(pl.col("start_date") != pl.col("start_date").first().over("client_id"))
        .select("client_id", pl.col("start_date").alias("date"), pl.lit("New contract term").alias("text"))
    )
    left = inputs.contacts.filter(pl.col("role") == "CHAMPION").select(
        "client_id", workspace_day("left_at", settings).alias("date"), pl.lit("Champion left").alias("text")
    )
    wanted = pl.DataFrame({"date": sorted(set(dates))}, schema={"date": pl.Date})
    everything = pl.concat([urgent, detractors, reviews, ends, starts, left]).drop_nulls()
    return (
        everything.join(wanted, on="date", how="semi")
        .unique()
        .group_by("client_id", "date")
        .agg(pl.col("text").sort().alias("notable_events"))
    )
