"""HEALTH_DROP and CRITICAL_HEALTH: the score falls, or enters the critical band. Pure."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from bellwether.alerts.episodes import Span, from_days
from bellwether.alerts.frames import EPISODES, Facts, Rules, empty
from bellwether.alerts.matrices import Matrix, matrix
from bellwether.alerts.silence import without_silence
from bellwether.common.rounding import NOISE

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
SCORE_WINDOW_DAYS = 7
"""So many days of use are in a score's shortest window: days of silence among them make it fall for no reason."""


def health_drops(facts: Facts, rules: Rules, span: Span) -> pl.DataFrame:
    """Return HEALTH_DROP: the score is so many points below its highest of the days before; clears with half regained.

    Compared are days on which no more was known than now (coverage): what went missing is no decline.
    """
    mine = rules.of("HEALTH_DROP")
    known = without_silence(facts.scores.drop_nulls("score"), facts.silent, SCORE_WINDOW_DAYS)
    known = known.join(mine, on="client_id", how="inner")
    parts = []
    windows = mine.with_columns(pl.col("days").cast(pl.Int64)).partition_by("days", as_dict=True)
    for (window,), group in windows.items():  # few different windows, nearly always one
        own = replace(span, clients=span.clients.join(group, on="client_id", how="semi"))
        rows = known.join(group, on="client_id", how="semi")
        standing = own.before("HEALTH_DROP").filter(pl.col("client_id").is_in(list(own.names)))
        parts.append(standing if rows.is_empty() else _drops(rows, int(str(window)), own))
    return pl.concat([empty(EPISODES), *parts])


def _drops(known: pl.DataFrame, window: int, span: Span) -> pl.DataFrame:
    at = matrix(known, ["client_id"])
    score, coverage = at.of("score"), at.of("coverage")
    highest = np.full_like(score, np.nan)
    for lag in range(1, min(window, score.shape[1] - 1) + 1):
        earlier = np.full_like(score, np.nan)
        comparable = ~(coverage[:, :-lag] > coverage[:, lag:] + NOISE)
        earlier[:, lag:] = np.where(comparable, score[:, :-lag], np.nan)
        highest = np.fmax(highest, earlier)
    points = at.first_of("points")[:, None]
    with np.errstate(invalid="ignore"):
        fires = (highest - score) >= points
    start, low = _before(at, span)
    reference, lowest, regained = _follow(at, score, highest, fires, start, low, span.first)
    rows = at.frame(
        score=score,
        fires=fires,
        clears=regained,
        reference=reference,
        lowest=lowest,
        points=np.broadcast_to(points, score.shape),
    ).filter(pl.col("score").is_not_nan())
    severities = known.select("client_id", "rule_severity").unique()
    whole = {name: pl.col(name).fill_nan(None).round().cast(pl.Int64) for name in ("reference", "lowest", "score")}
    days = rows.join(severities, on="client_id").with_columns(
        subject=pl.lit(""),
        to=whole["score"],
        **{"from": whole["reference"]},
        low=whole["lowest"],
        days=pl.lit(window, pl.Int64),
        depth=pl.col("reference") - pl.col("score"),
        metric=pl.lit("health_score"),
        value=pl.format("{} to {}", whole["reference"], whole["score"]),
        threshold=pl.format("{} points in {} days", pl.col("points").cast(pl.Int64), pl.lit(window)),
        related_type=pl.lit(""),
        related_id=pl.lit(""),
    )
    return from_days("HEALTH_DROP", days, span, evidence=("to", "days"), held=("from", "low"))


def _before(at: Matrix, span: Span) -> tuple[Floats, Floats]:
    """Return by client from where and how low the score of an episode fell that was open before; NaN without one."""
    path = {"start": "$.from", "low": "$.low"}
    told = span.before("HEALTH_DROP").select(
        "client_id",
        *(
            pl.col("evidence").str.json_path_match(json).cast(pl.Float64, strict=False).alias(name)
            for name, json in path.items()
        ),
    )
    found = at.keys.join(told, on="client_id", how="left", maintain_order="left")
    return found["start"].fill_null(np.nan).to_numpy().copy(), found["low"].fill_null(np.nan).to_numpy().copy()


def _follow(
    at: Matrix, score: Floats, highest: Floats, fires: Bools, start: Floats, low: Floats, first: date
) -> tuple[Floats, Floats, Bools]:
    """Return by client and day from where an open drop fell, how low it went, and whether half of it is regained."""
    references, lows = np.full_like(score, np.nan), np.full_like(score, np.nan)
    regained = np.zeros_like(fires)
    begin = at.column(first)
    for day in range(max(begin, 0), score.shape[1]):
        now = score[:, day]
        here = fires[:, day]
        start = np.where(here, np.fmax(start, highest[:, day]), start)
        low = np.where(np.isnan(start), np.nan, np.fmin(low, now))
        with np.errstate(invalid="ignore"):
            back = ~here & (now - (start + low) / 2 >= -NOISE) & ~np.isnan(start)
        references[:, day], lows[:, day], regained[:, day] = start, low, back
        start, low = np.where(back, np.nan, start), np.where(back, np.nan, low)
    return references, lows, regained


def critical_health(facts: Facts, rules: Rules, span: Span) -> pl.DataFrame:
    """Return CRITICAL_HEALTH: the status is critical; clears so many points above the band."""
    mine = rules.of("CRITICAL_HEALTH")
    known = without_silence(facts.scores.drop_nulls("score"), facts.silent, SCORE_WINDOW_DAYS)
    known = known.filter(pl.col("date") >= span.first - timedelta(days=SCORE_WINDOW_DAYS))
    critical = pl.col("score") < pl.col("critical_below")
    days = known.join(mine, on="client_id", how="inner").with_columns(
        subject=pl.lit(""),
        fires=critical.fill_null(False),
        clears=(pl.col("score") >= pl.col("critical_below") + pl.col("leave_points")).fill_null(False) & ~critical,
        below="critical_below",
        metric=pl.lit("health_score"),
        value=pl.col("score").cast(pl.String),
        threshold=pl.format("below {}", "critical_below"),
        related_type=pl.lit(""),
        related_id=pl.lit(""),
    )
    return from_days("CRITICAL_HEALTH", days, span, evidence=("score", "below"))
