"""Scored frames as database rows: JSON texts made for whole columns at once. Pure.

The texts are compact and always the same for the same values, so that an unchanged score is an unchanged row.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import polars as pl

from bellwether.health.measures import MEASURES

REASON_LENGTH = 200
VERSION = ".version"
"""Follows the slug of a custom measure in the name under which its version is stored."""

COLUMNS = (
    "client_id", "scorecard", "date", "overall_score", "status", "trend", "trend_change", "previous_score", "risk",
    "coverage", "no_score_reason", "components", "inputs", "weights_snapshot", "weights_version", "notable_events",
)  # fmt: skip
"""The columns of a score row but its time, as the table names them."""

KEY = ("client_id", "scorecard", "date")


def score_rows(
    scored: pl.DataFrame,
    measures: pl.DataFrame,
    *,
    scorecard: str,
    components: Sequence[str],
    weights: Mapping[str, float],
    version: str,
    notable: pl.DataFrame,
    customs: Mapping[str, int] = MappingProxyType({}),
) -> pl.DataFrame:
    """Return one row per row of `scored` (the engine's frame) with COLUMNS; `measures` has the same rows in that order.

    `customs` maps the custom measures that the scorecard reads to their version, which is noted beside their values.
    Dates are ISO texts and ids 32 hex digits, as both databases read them; the JSON columns are texts.
    """
    snapshot = json.dumps({key: _plain(weight) for key, weight in weights.items()}, separators=(",", ":"))
    events = notable.with_columns(_json_list("notable_events"))
    return scored.join(events, on=["client_id", "date"], how="left", maintain_order="left").select(
        "client_id",
        pl.lit(scorecard).alias("scorecard"),
        pl.col("date").cast(pl.String),
        pl.col("score").alias("overall_score"),
        "status",
        "trend",
        "trend_change",
        "previous_score",
        "risk",
        "coverage",
        pl.col("no_score_reason").str.slice(0, REASON_LENGTH),
        _json_object(components, nulls=True).alias("components"),
        inputs_json(measures, customs=customs),
        pl.lit(snapshot).alias("weights_snapshot"),
        pl.lit(version).alias("weights_version"),
        pl.col("notable_events").fill_null("[]"),
    )


def inputs_json(measures: pl.DataFrame, *, customs: Mapping[str, int] = MappingProxyType({})) -> pl.Series:
    """Return the measures of each row as a JSON object, nulls left out; previous_score has a column of its own.

    Custom measures follow, each with its version as "<slug>.version", where it has a value.
    """
    slugs = [m.slug for m in MEASURES if m.slug != "previous_score" and m.slug in measures.columns]
    measures = measures.with_columns(
        pl.when(pl.col(slug).is_not_null()).then(pl.lit(version)).alias(slug + VERSION)
        for slug, version in sorted(customs.items())
    )
    slugs += [name for slug in sorted(customs) for name in (slug, slug + VERSION)]
    words = [slug for slug in slugs if measures.schema[slug] == pl.String]
    quoted = measures.with_columns(pl.format('"{}"', pl.col(slug)).alias(slug) for slug in words)
    return quoted.select(_json_object(slugs, nulls=False).alias("inputs"))["inputs"]


def _json_object(columns: Sequence[str], *, nulls: bool) -> pl.Expr:
    """Return a JSON object of number columns (or of texts that are JSON already)."""
    pairs = [pl.format(f'"{name}":{{}}', pl.col(name)) for name in columns]
    if nulls:
        pairs = [pl.coalesce(pair, pl.lit(f'"{name}":null')) for pair, name in zip(pairs, columns, strict=True)]
    inner = pl.concat_str(pairs, separator=",", ignore_nulls=True)
    return pl.concat_str([pl.lit("{"), inner, pl.lit("}")])


def _json_list(column: str) -> pl.Expr:
    texts = pl.col(column).list.eval(pl.format('"{}"', pl.element()))
    return pl.concat_str([pl.lit("["), texts.list.join(","), pl.lit("]")]).alias(column)


def _plain(weight: float) -> float | int:
    return int(weight) if weight == int(weight) else weight
