"""How contract terms ended: renewed, churned, downgraded. Pure."""

import polars as pl

from bellwether.health.inputs import Schema

TERMS: Schema = {
    "client_id": pl.String,
    "term_start": pl.Date,
    "term_end": pl.Date,
    "outcome": pl.String,  # RENEWED, CHURNED or DOWNGRADED
    "decided_on": pl.Date,  # from when on the outcome is known
}
SAME_RENEWAL_DAYS = 14
"""An outcome so soon after the start of a term belongs to the term before (as alerts and milestones have it)."""
REPLACED_DAYS = 31
"""A term that another one replaced more than so many days before its end was not up for renewal at that end."""
STRENGTH = {"CHURNED": 3, "DOWNGRADED": 2, "RENEWED": 1}


def term_ends(terms: pl.DataFrame, outcomes: pl.DataFrame) -> pl.DataFrame:
    """Return TERMS, one row per end of a term at which something was decided, by client and day.

    `terms` has client_id, start_date and end_date, `outcomes` client_id, date and outcome. Of several outcomes of a
    term churn counts before downgrade before renewal. A term that another one followed, with no outcome recorded,
    renewed on the day on which that began. Terms without an end, and those that were replaced long before it, are left
    out unless the client left in them; then they end on the day on which it left.
    """
    following = pl.col("start_date").shift(-1).over("client_id")
    margin = pl.duration(days=SAME_RENEWAL_DAYS)
    ordered = (
        terms.select("client_id", "start_date", "end_date")
        .sort("client_id", "start_date")
        .with_columns(next_start=following)
        .with_row_index("row")
    )
    told = (
        ordered.join(outcomes.select("client_id", "date", "outcome"), on="client_id", how="inner")
        .filter(
            pl.col("date") > pl.col("start_date") + margin,
            pl.col("next_start").is_null() | (pl.col("date") <= pl.col("next_start") + margin),
            pl.col("outcome").is_in(list(STRENGTH)),
        )
        .with_columns(strength=pl.col("outcome").replace_strict(STRENGTH, return_dtype=pl.Int8))
        .sort("strength", "date", descending=[True, False])
        .group_by("row", maintain_order=True)
        .agg(pl.col("outcome").first(), pl.col("date").first())
    )
    found = ordered.join(told, on="row", how="left").with_columns(
        outcome=pl.coalesce("outcome", pl.when(pl.col("next_start").is_not_null()).then(pl.lit("RENEWED"))),
        decided_on=pl.coalesce("date", "next_start"),
    )
    left = pl.col("outcome") == "CHURNED"
    replaced = pl.col("next_start") < pl.col("end_date") - pl.duration(days=REPLACED_DAYS)
    ends = pl.when(left).then(pl.coalesce("end_date", "decided_on")).otherwise("end_date")
    return (
        found.with_columns(term_start="start_date", term_end=ends)
        .filter(pl.col("outcome").is_not_null() & pl.col("term_end").is_not_null())
        .filter(left | ~replaced.fill_null(False))
        .sort("client_id", "term_end")
        .select(list(TERMS))
    )
