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
    is_acting = (pl.col("fragments") > 0) & ~pl.col("is_service")
    plain = days.drop("sessions", "session_seconds", strict=False)
    acting = plain.filter(is_acting).sort(*USER, "date").with_columns(continues=continues(), gap_us=_gap())
    acting = acting.with_columns(
        head_us=(pl.col("head_end_ts") - pl.col("first_action_ts")).dt.total_microseconds(),
        passes=pl.col("continues") & (pl.col("fragments") == 1),
    )
    # The number of the row where the session that a row's last action belongs to has started.
    acting = acting.with_columns(owner=(~pl.col("passes")).cum_sum())
    carried = (
        acting.select("continues", owner=pl.col("owner").shift(1), carried_us=pl.col("gap_us") + pl.col("head_us"))
        .filter("continues")
        .group_by("owner")
        .agg(pl.col("carried_us").sum())
    )
    own_us = pl.col("fragment_us") - pl.col("head_us") * pl.col("continues")
    seconds = (own_us + pl.col("carried_us").fill_null(0)).floordiv(1_000_000)
    linked = acting.join(carried, on="owner", how="left").select(
        *plain.columns,
        sessions=(pl.col("fragments") - pl.col("continues").cast(pl.Int32)).cast(pl.Int32),
        session_seconds=pl.when("passes").then(0).otherwise(seconds).cast(pl.Int64),
    )
    idle = plain.filter(~is_acting).with_columns(
        sessions=pl.lit(0, dtype=pl.Int32), session_seconds=pl.lit(0, dtype=pl.Int64)
    )
    return pl.concat([linked, idle])


def continues() -> pl.Expr:
    """Return whether a row of user-days, sorted by date within each user, continues the session of the row before."""
    return (_gap() <= SESSION_GAP // timedelta(microseconds=1)).fill_null(False)


def _gap() -> pl.Expr:
    """Return the microseconds since the last action of the row before, null where that is another user's."""
    same = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in USER)
    between = (pl.col("first_action_ts") - pl.col("last_action_ts").shift(1)).dt.total_microseconds()
    return pl.when(same).then(between)
