"""Scored frames as database rows: JSON texts made for whole columns at once. Pure.

The texts are compact and always the same for the same values, so that an unchanged score is an unchanged row.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import polars as pl

from bellwether.health.canonical import canonical_text, joined, number_texts, seals, word_texts
from bellwether.health.coverage import component_data, intervals, shares
from bellwether.health.held_values import HELD, SINCE
from bellwether.health.measures import MEASURES
from bellwether.health.scorecard import Scorecard

REASON_LENGTH = 200
VERSION = ".version"
"""Follows the slug of a custom measure in the name under which its version is stored."""

COLUMNS = (
    "client_id", "scorecard", "date", "overall_score", "status", "trend", "trend_change", "previous_score", "risk",
    "coverage", "no_score_reason", "components", "inputs", "weights_snapshot", "weights_version", "notable_events",
    "interval_low", "interval_high", "component_data", "config_digest", "seal",
)  # fmt: skip
"""The columns of a score row but its time, as the table names them."""

KEY = ("client_id", "scorecard", "date")
SEALED = tuple(name for name in COLUMNS if name != "seal")
JSON_COLUMNS = ("components", "inputs", "weights_snapshot", "notable_events", "component_data")
AT_ONCE = 20_000


def score_rows(
    scored: pl.DataFrame,
    measures: pl.DataFrame,
    *,
    scorecard: Scorecard,
    version: str,
    digest: str,
    notable: pl.DataFrame,
    customs: Mapping[str, int] = MappingProxyType({}),
) -> pl.DataFrame:
    """Return one row per row of `scored` (the engine's frame) with COLUMNS; `measures` has the same rows in that order.

    `scorecard` is the one that scored, `version` and `digest` name its configuration.
    `customs` maps the custom measures that the scorecard reads to their version, which is noted beside their values.
    Dates are ISO texts and ids 32 hex digits, as both databases read them; the JSON columns are texts.
    """
    snapshot = canonical_text({key: _plain(weight) for key, weight in scorecard.weights.items()})
    events = notable.with_columns(_json_list("notable_events"))
    given = shares(measures, scorecard)
    rows = scored.join(events, on=["client_id", "date"], how="left", maintain_order="left").select(
        "client_id",
        pl.lit(scorecard.name).alias("scorecard"),
        pl.col("date").cast(pl.String),
        pl.col("score").alias("overall_score"),
        "status",
        "trend",
        "trend_change",
        "previous_score",
        "risk",
        "coverage",
        pl.col("no_score_reason").str.slice(0, REASON_LENGTH),
        components_json(scored, [component.key for component in scorecard.components]),
        inputs_json(measures, customs=customs),
        pl.lit(snapshot).alias("weights_snapshot"),
        pl.lit(version).alias("weights_version"),
        pl.col("notable_events").fill_null("[]"),
        *intervals(scored, given, scorecard),
        component_data(measures, given, scorecard),
        pl.lit(digest).alias("config_digest"),
    )
    return sealed(rows)


def sealed(rows: pl.DataFrame) -> pl.DataFrame:
    """Return `rows` (SEALED) with the seal of each."""
    raw = ("client_id", "date")
    parts = [
        seals(part, json_columns=JSON_COLUMNS, raw_columns=raw) for part in rows.select(SEALED).iter_slices(AT_ONCE)
    ]
    return rows.with_columns(pl.concat(parts) if parts else pl.Series("seal", [], pl.String))


def components_json(scored: pl.DataFrame, keys: Sequence[str]) -> pl.Series:
    """Return the component columns of each row as a JSON object, null where there is no data."""
    texts = {key: number_texts(scored[key]) for key in keys}
    return _json_object(texts, scored.height, nulls=True).alias("components")


def inputs_json(measures: pl.DataFrame, *, customs: Mapping[str, int] = MappingProxyType({})) -> pl.Series:
    """Return the measures of each row as a JSON object, nulls left out; previous_score has a column of its own.

    Held values of lost sources are among them, and custom measures, each with its version as "<slug>.version".
    """
    slugs = [m.slug for m in MEASURES if m.slug != "previous_score" and m.slug in measures.columns]
    measures = measures.with_columns(
        pl.when(pl.col(slug).is_not_null()).then(pl.lit(version)).alias(slug + VERSION)
        for slug, version in sorted(customs.items())
    )
    slugs += [name for slug in sorted(customs) for name in (slug, slug + VERSION)]
    slugs += [name for name in measures.columns if name.endswith((HELD, SINCE))]
    texts = {
        slug: (word_texts if measures.schema[slug] == pl.String else number_texts)(measures[slug]) for slug in slugs
    }
    return _json_object(texts, measures.height, nulls=False).alias("inputs")


def _json_object(texts: Mapping[str, pl.Series], height: int, *, nulls: bool) -> pl.Series:
    """Return JSON objects with a text per name that is JSON already; where it is null, `null` or (`nulls` false) none.

    A column that is never null says where commas stand: after those before it, before those after it. So each object
    is written in one go.
    """
    names = sorted(name for name, column in texts.items() if nulls or column.null_count() < height)
    columns = {name: texts[name].fill_null("null") if nulls else texts[name] for name in names}
    always = [name for name in names if not columns[name].has_nulls()]
    pieces: list[str | pl.Series] = ["{"]
    for name in names:
        before = "," if always and name > always[0] else ""
        after = "," if not always or name < always[0] else ""
        if name in always:
            pieces += [f'{before}"{name}":', columns[name], after]
        else:
            pair = pl.concat_str(pl.lit(f'{before}"{name}":'), pl.lit(columns[name]), pl.lit(after))
            pieces.append(pl.select(pair.fill_null("").alias(name))[name])
    if always or not names:
        return joined([*pieces, "}"], height)
    return joined([joined(pieces, height).str.strip_suffix(","), "}"], height)


def _json_list(column: str) -> pl.Expr:
    texts = pl.col(column).list.eval(pl.format('"{}"', pl.element()))
    return pl.concat_str([pl.lit("["), texts.list.join(","), pl.lit("]")]).alias(column)


def _plain(weight: float) -> float | int:
    return int(weight) if weight == int(weight) else weight
