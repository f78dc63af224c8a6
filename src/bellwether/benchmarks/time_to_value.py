"""Days from go-live until a quarter of the seats were in use in a month (formulas.md, section 5). Pure."""

from datetime import date

import polars as pl

ENOUGH = 0.25


def time_to_value(clients: pl.DataFrame, use: pl.DataFrame, seats: pl.DataFrame, *, facts_from: date) -> pl.DataFrame:
    """Return (client_id, days): infinity where it has not been reached, null where that cannot be known.

    `clients`: client_id, organization_id, go_live_date, licensed_user_count. `use`: organization_id, date, mau.
    `seats`: client_id, start_date, licensed_user_count by contract term; without a term the client's seats count. It
    cannot be known without go-live, without seats, or if that was before `facts_from`, when the daily facts begin.
    """
    known = clients.filter(pl.col("go_live_date") >= facts_from)
    terms = seats.filter(pl.col("licensed_user_count") > 0).rename({"licensed_user_count": "term_seats"})
    days = (
        use.join(known, on="organization_id")
        .filter(pl.col("date") >= pl.col("go_live_date"))
        .sort("date")
        .join_asof(
            terms.sort("start_date"),
            left_on="date",
            right_on="start_date",
            by="client_id",
            check_sortedness=False,
        )
        .with_columns(pl.coalesce("term_seats", "licensed_user_count").alias("seats"))
        .filter((pl.col("seats") > 0) & (pl.col("mau") >= ENOUGH * pl.col("seats")))
        .group_by("client_id")
        .agg((pl.col("date").min() - pl.col("go_live_date").first()).dt.total_days().cast(pl.Float64).alias("days"))
    )
    has_seats = known.filter(
        (pl.col("licensed_user_count") > 0) | pl.col("client_id").is_in(terms["client_id"].implode())
    )
    return (
        has_seats.select("client_id")
        .join(days, on="client_id", how="left")
        .with_columns(pl.col("days").fill_null(float("inf")))
    )
