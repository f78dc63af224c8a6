"""Sessions that cross midnight. A session belongs, with its whole length, to the day on which it starts.

The rollup finds the fragments of sessions within each day. A day's first fragment continues the last one of the day
before when at most 30 minutes lie between them; it then starts no session, and its length counts on the day where the
session started, which lies further back if the days between were one unbroken session.
"""

from datetime import timedelta

import polars as pl

SESSION_GAP = timedelta(minutes=30)
USER = ("organization_id", "user_key", "is_service")


def link_sessions(days: pl.DataFrame) -> pl.DataFrame:
    """Return user-days with `sessions` (started that day) and `session_seconds` (whole seconds of those) filled in.

    Needs date, first_action_ts, last_action_ts, head_end_ts, fragments and fragment_us of every day that matters: right
    for a day whose day before is among them and whose following days are as far as its last session goes on. Service
    users have no sessions: a machine that never pauses has one without end. Rows come back in another order.
    """
    acting = (pl.col("fragments") > 0) & ~pl.col("is_service")
    length = (pl.col("last_session") - pl.col("head_us") * pl.col("continues")).alias("own_us")
    linked = (
        days.filter(acting)
        .sort(*USER, "date")
        .with_columns(continues=continues(), last_session=pl.col("fragment_us"), head_us=_us("head_end_ts"))
        .with_columns(length, passes=pl.col("continues") & (pl.col("fragments") == 1))
        .with_columns(owner=(~pl.col("passes")).cum_sum().over(USER))
    )
    reached = pl.col("gap_us") + pl.col("head_us")
    carried = (
        linked.with_columns(owner=pl.col("owner").shift(1).over(USER), gap_us=_gap())
        .filter(pl.col("continues"))
        .group_by(*USER, "owner")
        .agg(carried_us=reached.sum())
    )
    sums = linked.join(carried, on=[*USER, "owner"], how="left").select(
        *USER,
        "date",
        sessions=(pl.col("fragments") - pl.col("continues").cast(pl.Int32)).cast(pl.Int32),
        session_seconds=pl.when("passes")
        .then(0)
        .otherwise(pl.col("own_us") + pl.col("carried_us").fill_null(0))
        .floordiv(1_000_000)
        .cast(pl.Int64),
    )
    return (
        days.drop("sessions", "session_seconds", strict=False)
        .join(sums, on=[*USER, "date"], how="left")
        .with_columns(pl.col("sessions").fill_null(0), pl.col("session_seconds").fill_null(0))
    )


def continues() -> pl.Expr:
    """Return whether a row of user-days, sorted by date within each user, continues the session of the row before."""
    return (_gap() <= SESSION_GAP // timedelta(microseconds=1)).fill_null(False)


def _gap() -> pl.Expr:
    before = pl.col("last_action_ts").shift(1).over(USER)
    return (pl.col("first_action_ts") - before).dt.total_microseconds()


def _us(end: str) -> pl.Expr:
    return (pl.col(end) - pl.col("first_action_ts")).dt.total_microseconds()
