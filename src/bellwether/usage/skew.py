"""The clock of the sender is not ours: the corrected time of an event, as the Segment protocol defines it.

    ts = received_at - (sent_at - original_ts), never after received_at

Without `sent_at` the original time counts as it is, without an original time the time of receipt. Back-dated imports
stay correct because their `sent_at` is about now.
"""

from datetime import UTC, datetime, timedelta

import polars as pl

INSTANT = pl.Datetime("us", "UTC")
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


def corrected(*, received_at: datetime, sent_at: datetime | None, original_ts: datetime | None) -> datetime | None:
    """Return the corrected time of an event, all aware datetimes; None when that lies before 1970."""
    if original_ts is None:
        return received_at
    if original_ts < EARLIEST:
        return None
    if sent_at is None:
        return min(original_ts, received_at)
    behind = sent_at - original_ts
    if behind <= timedelta(0):
        return received_at
    ts = received_at - behind
    return ts if ts >= EARLIEST else None


def corrected_expr(*, received_at: pl.Expr, sent_at: pl.Expr, original_ts: pl.Expr) -> pl.Expr:
    """Return the corrected times as an expression (UTC, microseconds) by the rule of `corrected`; null before 1970."""
    received, sent, original = (column.cast(INSTANT) for column in (received_at, sent_at, original_ts))
    ts = pl.min_horizontal(received - (pl.coalesce(sent, received) - pl.coalesce(original, sent, received)), received)
    earliest = pl.lit(EARLIEST, dtype=INSTANT)
    return (
        pl.when(original.is_null())
        .then(received)
        .when((ts >= earliest) & (original >= earliest))
        .then(ts)
        .otherwise(None)
    )
