"""Last known values of sources that are lost: found, carried on, and counted where they make a score lower. Pure.

A measure is lost on a date when it is null for every client of the workspace although some client had it before. The
values of the last date that had any are then held: a score is the lower of the one without the measure and the one with
the held value, so that no score rises because a source went away (docs/reference/coverage.md, docs/adr/0023).
"""

from collections.abc import Callable, Collection

import polars as pl

from bellwether.health.scorecard import Scorecard

HELD, SINCE = ".held", ".held_since"
"""Follow the slug of a measure in the names of its held value and of the last date that had it (ISO text)."""

SEATS = ("tier", "licensed_user_count", "total_users")
"""What expected_dau is made of."""


def held_slugs(scorecard: Scorecard) -> frozenset[str]:
    """Return the measures of the scorecard whose values are held when their source is lost."""
    slugs = scorecard.measures - {"expected_dau", "previous_score"}
    return slugs | frozenset(SEATS) if "expected_dau" in scorecard.measures else slugs


def alive_dates(measures: pl.DataFrame, slugs: Collection[str]) -> pl.DataFrame:
    """Return date and a Boolean per slug: whether some client has a value on the date; dates ascending."""
    present = [slug for slug in sorted(slugs) if slug in measures.columns]
    return measures.group_by("date").agg(pl.col(slug).is_not_null().any() for slug in present).sort("date")


def hold(measures: pl.DataFrame, alive: pl.DataFrame, evidence: pl.DataFrame) -> pl.DataFrame:
    """Return `measures` with columns "<slug>.held" and "<slug>.held_since" for the measures that are lost on some date.

    `alive` is that of `alive_dates`, over the whole workspace. `evidence` has client_id, date (on which it counts),
    slug, word or number (the value) and since (Date on which it was measured): what was stored before this pass.
    """
    columns: list[pl.Series] = []
    keys = measures.select("client_id", "date")
    for slug in [name for name in alive.columns if name != "date"]:
        dead = alive.filter(~pl.col(slug))["date"]
        if dead.is_empty():
            continue
        fresh = measures.filter(~pl.col("date").is_in(dead.implode())).select(
            "client_id", "date", pl.col(slug).alias("value"), pl.col("date").alias("since")
        )
        old = evidence.filter(pl.col("slug") == slug).select(
            "client_id", "date", _typed(measures.schema[slug]).alias("value"), "since"
        )
        every = pl.concat([fresh.filter(pl.col("value").is_not_null()), old])
        days = every.select("date").unique().sort("date")
        last = dead.to_frame().sort("date").join_asof(days.with_columns(pl.col("date").alias("_at")), on="date")
        found = last.drop_nulls().join(every, left_on="_at", right_on="date", how="inner")
        held = keys.join(found.drop("_at"), on=["client_id", "date"], how="left", maintain_order="left")
        if held["value"].null_count() == held.height:
            continue
        columns += [held["value"].alias(slug + HELD), held["since"].cast(pl.String).alias(slug + SINCE)]
    return measures.with_columns(columns)


def _typed(dtype: pl.DataType) -> pl.Expr:
    return pl.col("word") if dtype == pl.String else pl.col("number").cast(dtype)


def take_lower(
    frame: pl.DataFrame, scorecard: Scorecard, score: Callable[[pl.DataFrame], pl.DataFrame]
) -> pl.DataFrame:
    """Return `frame` (measures, components, exact, score) with the score with held values where that is lower.

    `score` adds components, exact and score to measures. Coverage stays as it is: a held value is no data. Rows without
    a score stay without one.
    """
    bases = [slug for slug in sorted(held_slugs(scorecard)) if slug + HELD in frame.columns]
    if not bases:
        return frame
    rows = frame.select(pl.any_horizontal(pl.col(slug + HELD).is_not_null() for slug in bases).alias("_"))["_"]
    at = rows.arg_true()
    if at.is_empty():
        return frame
    part = frame[at]
    made = [*scorecard.weights, "exact", "score"]
    with_values = part.drop(*(name for name in part.columns if name in made or name.startswith("__"))).with_columns(
        pl.coalesce(slug, slug + HELD).alias(slug) for slug in bases
    )
    with_values = with_values.drop(*(slug + HELD for slug in bases), "coverage", "missing")
    seats = [slug for slug in SEATS if slug in bases]
    if "expected_dau" in scorecard.measures and seats:
        again = score(with_values.drop("expected_dau", strict=False))
        kept = score(with_values)
        moved = part.select(pl.any_horizontal(pl.col(slug + HELD).is_not_null() for slug in seats).alias("_"))["_"]
        other = kept.with_columns(again[name].zip_with(moved, kept[name]).alias(name) for name in made)
    else:
        other = score(with_values)
    lower = (part["score"].is_not_null() & (other["exact"] < part["exact"])).fill_null(False)
    return frame.with_columns(frame[name].scatter(at, other[name].zip_with(lower, part[name])) for name in made)
