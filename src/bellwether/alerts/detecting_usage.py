"""USAGE_DECLINE, CONTRACT_UTILIZATION_LOW and FEATURE_ABANDONED: a client uses less than before, or than it pays for.
Pure."""

import polars as pl

from bellwether.alerts.defaults import clears_at
from bellwether.alerts.episodes import Span, from_days, from_spans
from bellwether.alerts.frames import Facts, Rules
from bellwether.alerts.silence import Calendar, without_silence
from bellwether.common.rounding import NOISE

SHORT_DAYS, MONTH_DAYS = 7, 30
ACTIVE = 4
"""health.feature_use.Level.ACTIVE."""


def declines(facts: Facts, rules: Rules, span: Span) -> pl.DataFrame:
    """Return USAGE_DECLINE: dau_change is so low; clears above half of that."""
    mine = with_clears("USAGE_DECLINE", rules.of("USAGE_DECLINE"))
    known = without_silence(facts.usage.drop_nulls("change"), facts.silent, SHORT_DAYS)
    fall = -100 * pl.col("change")
    days = known.join(mine, on="client_id", how="inner").with_columns(
        subject=pl.lit(""),
        fires=fall >= pl.col("percent") - NOISE,
        clears=fall < pl.col("clears_at") - NOISE,
        depth=fall,
        change=pl.col("change").round(4),
        average_7d=pl.col("average_7d").round(2),
        average_30d=pl.col("average_30d").round(2),
        metric=pl.lit("dau_change"),
        value=pl.format("{} %", (100 * pl.col("change")).round().cast(pl.Int64)),
        threshold=pl.format("-{} %", pl.col("percent").round().cast(pl.Int64)),
        related_type=pl.lit(""),
        related_id=pl.lit(""),
    )
    return from_days("USAGE_DECLINE", days, span, evidence=("change", "average_7d", "average_30d"))


def with_clears(alert_type: str, mine: pl.DataFrame) -> pl.DataFrame:
    """Return the rules of a type with `clears_at`; it is worked out once for each different set of thresholds."""
    names = [name for name in mine.columns if name not in {"client_id", "rule_severity"}]
    sets = mine.select(names).unique()
    values = [clears_at(alert_type, row) for row in sets.iter_rows(named=True)]
    return mine.join(sets.with_columns(pl.Series("clears_at", values, pl.Float64)), on=names, how="left")


def low_utilization(facts: Facts, rules: Rules, span: Span) -> pl.DataFrame:
    """Return CONTRACT_UTILIZATION_LOW: too few of the seats are used on each of so many days in a row."""
    mine = with_clears("CONTRACT_UTILIZATION_LOW", rules.of("CONTRACT_UTILIZATION_LOW"))
    known = facts.seats.filter(pl.col("active").is_not_null() & (pl.col("seats") > 0))
    known = without_silence(known, facts.silent, MONTH_DAYS).join(mine, on="client_id", how="inner")
    share = 100 * pl.col("active") / pl.col("seats")
    rows = known.sort("client_id", "date").with_columns(share=share, low=share < pl.col("percent") - NOISE)
    breaks = ~pl.col("low") | ((pl.col("date") - pl.col("date").shift(1).over("client_id")).dt.total_days() != 1)
    rows = rows.with_columns(run=breaks.fill_null(True).cum_sum().over("client_id"))
    rows = rows.with_columns(in_a_row=pl.col("low").cum_sum().over("client_id", "run").cast(pl.Int64))
    days = rows.with_columns(
        subject=pl.lit(""),
        fires=pl.col("low") & (pl.col("in_a_row") >= pl.col("days")),
        clears=pl.col("share") >= pl.col("clears_at") - NOISE,
        share=pl.col("share").round(1),
        days=pl.col("days").cast(pl.Int64),
        metric=pl.lit("seat_use"),
        value=pl.format("{} of {} seats", "active", "seats"),
        threshold=pl.format("under {} % for {} days", pl.col("percent").cast(pl.Int64), pl.col("days").cast(pl.Int64)),
        related_type=pl.lit(""),
        related_id=pl.lit(""),
    )
    return from_days("CONTRACT_UTILIZATION_LOW", days, span, evidence=("active", "seats", "share", "days"))


def abandoned_features(facts: Facts, rules: Rules, span: Span) -> pl.DataFrame:
    """Return FEATURE_ABANDONED by feature: it was active or power and is unused for so many days; clears when used.

    A feature whose own period is longer than a month is given that period, as it counts as used so long.
    """
    mine = rules.of("FEATURE_ABANDONED")
    gaps = facts.feature_gaps.filter(pl.col("level") >= ACTIVE).join(mine, on="client_id", how="inner")
    longer = pl.when(pl.col("period_days") > MONTH_DAYS).then("period_days").otherwise(0)
    gaps = gaps.with_columns(needed=pl.max_horizontal(pl.col("days").cast(pl.Int64), longer))
    seen = gaps.drop_nulls("last_used")
    earliest = seen.select(pl.col("last_used").min()).item() or span.first
    calendar = Calendar(facts.silent["date"].to_list(), min(earliest, span.first), span.last)
    spans = seen.with_columns(starts_on=calendar.after(seen["last_used"], seen["needed"])).select(
        "client_id",
        "rule_severity",
        "starts_on",
        subject="feature_key",
        ends_on="next_used",
        metric=pl.lit("feature_use"),
        value=pl.format("last used {}", pl.col("last_used").cast(pl.String)),
        threshold=pl.format("{} days", "needed"),
        related_type=pl.lit("feature"),
        related_id="feature_key",
        feature="feature_name",
        last_used=pl.col("last_used").cast(pl.String),
        days="needed",
    )
    spans = pl.concat([spans.drop_nulls("starts_on"), _still_unused(gaps, span).select(spans.columns)])
    return from_spans("FEATURE_ABANDONED", spans, span, evidence=("feature", "last_used", "days"))


def _still_unused(gaps: pl.DataFrame, span: Span) -> pl.DataFrame:
    """Return as spans what was open before and whose last use lies further back than the facts do."""
    unseen = gaps.filter(pl.col("last_used").is_null() & (pl.col("next_used") >= span.first).fill_null(True)).select(
        "client_id", "rule_severity", subject="feature_key", ends_on="next_used"
    )
    evidence = pl.col("evidence")
    return (
        span.before("FEATURE_ABANDONED")
        .join(unseen, on=["client_id", "subject"], how="inner")
        .with_columns(
            starts_on=pl.col("opened_on"),
            feature=evidence.str.json_path_match("$.feature"),
            last_used=evidence.str.json_path_match("$.last_used"),
            days=evidence.str.json_path_match("$.days").cast(pl.Int64, strict=False),
        )
    )
