"""From measures, people, tickets and records to the features of the churn model: one row a client and as-of day. Pure.

Every value is the client's own number as churn.factors describes it, null where it is not known. What is read, and how
nothing after the as-of day gets in, is churn.reading's part.
"""

import math

import polars as pl

from bellwether.churn.factors import FEATURES, SLUGS
from bellwether.common.frames import check_frame
from bellwether.health.inputs import Schema

KEY: Schema = {"client_id": pl.String, "as_of": pl.Date}
"""Client (32 hex digits) and as-of day: what every row is unique by."""
PEOPLE: Schema = KEY | {
    "champion_quiet_days": pl.Float64,
    "key_contacts_left": pl.Float64,
    "lead_user_quiet_days": pl.Float64,
    "people_lost_share": pl.Float64,
    "lead_user_share": pl.Float64,
}
TICKETS: Schema = KEY | {"open_tickets": pl.Float64}
"""Clients without a row had no open ticket, where tickets are known at all."""
CLIENTS: Schema = KEY | {
    "first_day": pl.Date,  # as health.measuring.lifetimes has it
    "first_event": pl.Date,
    "industry": pl.String,
    "arr": pl.Float64,  # of the term of the day, else the client's own
}
FEATURE_ROWS: Schema = (
    KEY
    | dict.fromkeys(SLUGS, pl.Float64)
    | {
        "tier": pl.String,
        "industry": pl.String,
        "arr": pl.Float64,
        "known": pl.Float64,  # share (0-1) of the features with an expert weight that are known
    }
)
MEASURES = (
    "dau_avg_30d", "dau_avg_90d", "dau_change", "seat_use", "stickiness", "days_since_use", "days_since_login",
    "feature_breadth", "features_used", "features_licensed", "tickets_30d", "tickets_norm", "csat_90d", "nps_latest",
    "days_since_contact", "stakeholder_coverage_90d", "days_to_renewal", "payment_status", "renewal_signal",
    "licensed_user_count", "tier",
)  # fmt: skip
"""The measures (health.measures) that features are made of."""

PEOPLE_DAYS = 180
"""How far back people are looked at: who was last active before counts as this many days quiet."""
MONTH_DAYS, QUARTER_DAYS = 30, 90
MONTH_HISTORY_DAYS = 45
"""Use must be known for so long before its 30-day average says something against that of 90 days."""
PAYMENT = {"current": 0.0, "late": 1.0, "overdue": 2.0}
YEAR_DAYS = 365.25


def feature_frame(
    measures: pl.DataFrame, people: pl.DataFrame, tickets: pl.DataFrame, clients: pl.DataFrame
) -> pl.DataFrame:
    """Return FEATURE_ROWS, one row per row of `measures`, in its order.

    `measures` has client_id, date and MEASURES, as health.measuring makes them; `people`, `tickets` and `clients` are
    PEOPLE, TICKETS and CLIENTS, at most one row per client and day each, any others ignored.
    """
    check_frame(measures, {"client_id": pl.String, "date": pl.Date}, name="Measures of features")
    rows = measures.select("client_id", pl.col("date").alias("as_of"), *MEASURES)
    for frame, schema, name in (
        (people, PEOPLE, "People"),
        (tickets, TICKETS, "Tickets"),
        (clients, CLIENTS, "Clients"),
    ):
        check_frame(frame, schema, name=f"{name} of features")
        rows = rows.join(frame.select(list(schema)), on=list(KEY), how="left", maintain_order="left")
    built = rows.with_columns(**_expressions()).select(
        *KEY, *(pl.col(slug).cast(pl.Float64) for slug in SLUGS), "tier", "industry", "arr"
    )
    weighted = [feature.slug for feature in FEATURES if feature.weight]
    known = pl.mean_horizontal(pl.col(slug).is_not_null().cast(pl.Float64) for slug in weighted)
    return built.with_columns(known=known).select(list(FEATURE_ROWS))


def _expressions() -> dict[str, pl.Expr]:
    """Return the features that are not a column of that name already."""
    angle = (pl.col("as_of").dt.ordinal_day().cast(pl.Float64) - 1) * (2 * math.pi / YEAR_DAYS)
    history = (pl.col("as_of") - pl.col("first_event")).dt.total_days() + 1
    tenure = (pl.col("as_of") - pl.col("first_day")).dt.total_days()
    silent = pl.col("days_since_use")
    month = pl.when(history >= MONTH_HISTORY_DAYS).then(_ratio("dau_avg_30d", "dau_avg_90d"))
    return {
        # A client that nobody uses any more has no average left to fall against. Were its fall not known then, it would
        # look safer the longer it is silent.
        "usage_change_month": pl.coalesce(month, pl.when(silent >= QUARTER_DAYS).then(0.0)),
        "usage_change_week": pl.coalesce(pl.col("dau_change") + 1, pl.when(silent >= MONTH_DAYS).then(0.0)),
        "stickiness": pl.coalesce("stickiness", pl.when(silent >= MONTH_DAYS).then(0.0)),
        "lead_user_quiet_days": pl.coalesce("lead_user_quiet_days", pl.when(silent >= PEOPLE_DAYS).then(silent)),
        "people_lost_share": pl.coalesce("people_lost_share", pl.when(silent >= QUARTER_DAYS).then(1.0)),
        "daily_users": pl.col("dau_avg_30d"),
        "feature_share_used": _ratio("features_used", "features_licensed"),
        "ticket_ratio": (pl.col("tickets_30d") + 1) / (pl.col("tickets_norm") + 1),
        "open_tickets": pl.when(pl.col("tickets_30d").is_not_null()).then(pl.col("open_tickets").fill_null(0)),
        "stakeholder_coverage": pl.col("stakeholder_coverage_90d"),
        "payment_late": pl.col("payment_status").replace_strict(PAYMENT, default=None, return_dtype=pl.Float64),
        "licensed_users": pl.when(pl.col("licensed_user_count") > 0).then("licensed_user_count"),
        "tenure_days": pl.when(tenure >= 0).then(tenure),
        "season_cos": angle.cos(),
        "season_sin": angle.sin(),
    }


def _ratio(top: str, bottom: str) -> pl.Expr:
    return pl.when(pl.col(bottom) > 0).then(pl.col(top) / pl.col(bottom))
