"""From days on which a condition holds or clears to episodes: one open at a time per client and subject. Pure.

An episode opens when its condition begins to hold and goes on, also on days on which it neither holds nor clears, until
it clears (hysteresis). A detector describes days (`from_days`) or, where nothing lies between holding and clearing,
spans of days (`from_spans`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from bellwether.alerts.defaults import SEVERITIES
from bellwether.alerts.frames import EPISODES, empty, typed

KEY = ["client_id", "subject"]
DEEPER = 2.0
"""An alert becomes one severity higher when it is so many times as deep as when it opened."""
_TEXTS = ("metric", "value", "threshold", "related_type", "related_id")
_RANKS = {name: rank for rank, name in enumerate(SEVERITIES)}


@dataclass(frozen=True)
class Span:
    """What every detector is told: the days asked for, the clients' first and last days, and what was open before."""

    first: date
    last: date
    clients: pl.DataFrame
    standing: pl.DataFrame

    def before(self, alert_type: str) -> pl.DataFrame:
        """Return the episodes of a type that were open when the span began."""
        return self.standing.filter(pl.col("alert_type") == alert_type)

    @property
    def names(self) -> set[str]:
        """The clients that are asked for."""
        return set(self.clients["client_id"])


def from_days(
    alert_type: str,
    days: pl.DataFrame,
    span: Span,
    *,
    evidence: Sequence[str] = (),
    held: Sequence[str] = (),
) -> pl.DataFrame:
    """Return the EPISODES of a type from its days.

    `days` has client_id, subject, date, rule_severity, fires and clears (Boolean), what people read (metric, value,
    threshold, related_type, related_id) and the columns of `evidence`, which are those of the last day on which the
    condition held, and `held`, those of the last day in the episode. Optional: `depth` (how bad; twice its value at
    opening makes the alert one severity higher) and `urgent` (it is one higher at once). Days may lie before the span,
    so that it is known whether a condition goes on or begins again; days that are left out change nothing.
    """
    rows = days.sort(*KEY, "date")
    if "depth" not in rows.columns:
        rows = rows.with_columns(depth=pl.lit(None, pl.Float64))
    if "urgent" not in rows.columns:
        rows = rows.with_columns(urgent=pl.lit(False))
    rows = rows.with_columns(pl.col("depth").round(4))  # as the evidence keeps it, or binary noise would decide
    begins = pl.col("fires") & ~pl.col("fires").shift(1).over(KEY).fill_null(False)
    rows = rows.with_columns(begins=begins).filter(pl.col("date").is_between(span.first, span.last))
    rows = _living(rows, span).with_columns(
        fired_on="date",
        opened_before=pl.lit(None, pl.Date),
        times_before=pl.lit(0, pl.Int64),
        rank_before=pl.lit(None, pl.Int64),
        escalated_before=pl.lit(None, pl.Date),
        depth_before=pl.lit(None, pl.Float64),
    )
    standing = _standing_rows(alert_type, rows, span, [*evidence, *held])
    rows = pl.concat([standing, rows.select(standing.columns)]) if standing.height else rows
    rows = rows.sort(*KEY, "date")
    if rows.is_empty():
        return empty(EPISODES)
    state = pl.when("fires").then(True).when("clears").then(False)
    rows = rows.with_columns(open=state.forward_fill().over(KEY).fill_null(False))
    rows = rows.with_columns(was_open=pl.col("open").shift(1).over(KEY).fill_null(False))
    rows = rows.filter(pl.col("open") | pl.col("was_open"))
    if rows.is_empty():
        return empty(EPISODES)
    rows = rows.with_columns(episode=(pl.col("open") & ~pl.col("was_open")).cum_sum().over(KEY))
    one = [*KEY, "episode"]
    at_opening = pl.coalesce(pl.col("depth_before").first(), pl.col("depth").first()).over(one)
    base = pl.col("rule_severity").replace_strict(_RANKS, return_dtype=pl.Int64)
    deep = (pl.col("depth") >= DEEPER * at_opening).fill_null(False) & pl.col("fires") & (at_opening > 0)
    higher = pl.col("urgent") | deep
    rank = (base - higher.cast(pl.Int64)).clip(0)
    rows = rows.with_columns(
        at_opening=at_opening,
        rank=pl.coalesce("rank_before", pl.when("fires").then(rank)),
    )
    fired, opened = pl.col("fires"), pl.col("open")
    found = rows.group_by(one, maintain_order=True).agg(
        opened_on=pl.coalesce(pl.col("opened_before").first(), pl.col("date").first()),
        last_fired_on=pl.col("fired_on").filter(fired).last(),
        cleared_on=pl.col("date").filter(~opened).first(),
        times_fired=pl.col("times_before").first() + (pl.col("begins") & fired & opened).sum(),
        rank=pl.col("rank").min(),
        first_rank=pl.col("rank").drop_nulls().first(),
        lowest_on=pl.col("date").filter(pl.col("rank") == pl.col("rank").min()).first(),
        escalated_before=pl.col("escalated_before").first(),
        at_opening=pl.col("at_opening").first(),
        **{name: pl.col(name).filter(fired).last() for name in (*_TEXTS, *evidence)},
        **{name: pl.col(name).filter(opened).last() for name in held},
    )
    numbers = [*evidence, *held, "at_opening"]
    return _finished(
        alert_type,
        found.with_columns(
            severity=pl.col("rank").replace_strict(dict(enumerate(SEVERITIES)), return_dtype=pl.String),
            escalated_on=pl.when(pl.col("rank") < pl.col("first_rank")).then("lowest_on").otherwise("escalated_before"),
            evidence=_json(found, numbers),
        ),
        span,
    )


def _living(rows: pl.DataFrame, span: Span) -> pl.DataFrame:
    lives = rows.join(span.clients.select("client_id", "first_day", "last_day"), on="client_id", how="inner")
    after = (pl.col("date") >= pl.col("first_day")).fill_null(True)
    until = (pl.col("date") <= pl.col("last_day")).fill_null(True)
    return lives.filter(after & until).drop("first_day", "last_day")


def _standing_rows(alert_type: str, rows: pl.DataFrame, span: Span, numbers: Sequence[str]) -> pl.DataFrame:
    """Return what was open before as rows of the day before the span, on which the condition held."""
    before = span.before(alert_type).filter(pl.col("client_id").is_in(list(span.names)))
    own = {name: _said(name, rows.schema[name]) for name in numbers}
    columns = {
        "date": pl.lit(span.first - timedelta(days=1)),
        "rule_severity": pl.col("severity"),
        "fires": pl.lit(True),
        "clears": pl.lit(False),
        "begins": pl.lit(False),
        "depth": pl.lit(None, pl.Float64),
        "urgent": pl.lit(False),
        "fired_on": pl.col("last_fired_on"),
        "opened_before": pl.col("opened_on"),
        "times_before": pl.col("times_fired"),
        "rank_before": pl.col("severity").replace_strict(_RANKS, return_dtype=pl.Int64),
        "escalated_before": pl.col("escalated_on"),
        "depth_before": pl.col("evidence").str.json_path_match("$.at_opening").cast(pl.Float64, strict=False),
        **own,
    }
    kept = [*KEY, *_TEXTS]
    return before.select(*kept, *(value.alias(name) for name, value in columns.items())).select(
        pl.col(name).cast(dtype) for name, dtype in rows.schema.items() if name in {*kept, *columns}
    )


def _said(name: str, dtype: pl.DataType) -> pl.Expr:
    """Return a value of the evidence, as `dtype`."""
    text = pl.col("evidence").str.json_path_match(f"$.{name}")
    return text == "true" if dtype == pl.Boolean else text.cast(dtype, strict=False)


def from_spans(alert_type: str, spans: pl.DataFrame, span: Span, *, evidence: Sequence[str] = ()) -> pl.DataFrame:
    """Return the EPISODES of a type from spans of days on which its condition holds.

    `spans` has client_id, subject, starts_on, ends_on (the day on which it clears, null while it holds), rule_severity,
    what people read and the columns of `evidence`. An episode opens on the first day asked for at the earliest, unless
    it was open before.
    """
    before = span.before(alert_type).select(
        *KEY,
        "opened_on",
        "times_fired",
        pl.col("severity").alias("severity_before"),
        pl.col("evidence").alias("evidence_before"),
        *(pl.col(name).alias(f"{name}_before") for name in (*_TEXTS, "last_fired_on")),
    )
    ends = (pl.col("ends_on") > pl.col("starts_on")).fill_null(True) & (pl.col("ends_on") > span.first).fill_null(True)
    mine = spans.filter((pl.col("starts_on") <= span.last) & ends)
    lives = span.clients.select("client_id", "first_day", "last_day")
    mine = mine.join(lives, on="client_id", how="inner").with_columns(
        opens=pl.max_horizontal("starts_on", "first_day", pl.lit(span.first))
    )
    inside = pl.col("opens") <= pl.min_horizontal(
        pl.lit(span.last), "last_day", pl.col("ends_on") - pl.duration(days=1)
    )
    mine = mine.filter(inside).drop("first_day", "last_day")
    joined = mine.sort(*KEY, "starts_on").join(before, on=KEY, how="full", coalesce=True, maintain_order="left")
    goes_on = pl.col("opened_on").is_not_null() & (pl.col("opens") == span.first).fill_null(False)
    lost = pl.col("opens").is_null()
    joined = joined.filter(pl.col("client_id").is_in(list(span.names)))
    # What was open before and is not found any more has cleared unseen: on the first day asked for.
    gone = pl.col("opened_on").is_not_null() & ~goes_on & ~lost
    ended = before.join(joined.filter(gone).select(KEY).unique(), on=KEY, how="semi").join(
        joined.filter(goes_on).select(KEY).unique(), on=KEY, how="anti"
    )
    cleared = pl.when(pl.col("ends_on") <= span.last).then("ends_on")
    until = pl.min_horizontal(pl.lit(span.last), pl.col("ends_on") - pl.duration(days=1))
    found = joined.filter(~lost).with_columns(
        opened_on=pl.when(goes_on).then("opened_on").otherwise("opens"),
        times_fired=pl.when(goes_on).then("times_fired").otherwise(pl.lit(1, pl.Int64)),
        severity=pl.when(goes_on).then("severity_before").otherwise("rule_severity"),
        cleared_on=cleared,
        last_fired_on=until,
        evidence=_json(joined.filter(~lost), evidence),
    )
    closed = pl.concat([joined.filter(lost).select(before.columns), ended]).select(
        *KEY,
        "opened_on",
        "times_fired",
        severity="severity_before",
        evidence="evidence_before",
        cleared_on=pl.lit(span.first),
        **{name: pl.col(f"{name}_before") for name in (*_TEXTS, "last_fired_on")},
    )
    return pl.concat([_finished(alert_type, found, span), _finished(alert_type, closed, span)])


def _json(frame: pl.DataFrame, names: Sequence[str]) -> pl.Series | pl.Expr:
    """Return the columns as JSON texts; values that are missing are left out of none: they are null."""
    if not names or frame.is_empty():
        return pl.lit("{}")
    return frame.select(pl.struct(names).struct.json_encode().alias("evidence"))["evidence"]


def _finished(alert_type: str, found: pl.DataFrame, span: Span) -> pl.DataFrame:
    """Return EPISODES; those of clients that left end on the day after their last one."""
    lives = found.join(span.clients.select("client_id", "last_day"), on="client_id", how="left", maintain_order="left")
    left = pl.when(pl.col("last_day") < span.last).then(pl.col("last_day") + pl.duration(days=1))
    return typed(
        lives.with_columns(
            alert_type=pl.lit(alert_type),
            cleared_on=pl.min_horizontal("cleared_on", left),
            last_fired_on=pl.min_horizontal("last_fired_on", "last_day"),
        ),
        EPISODES,
    )
