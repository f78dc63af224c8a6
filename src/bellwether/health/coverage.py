"""What each component of a score rests on, how fresh that is, and where the score may lie. Pure, vectorised.

Coverage of a component is the share of its formula's weight that had data. What is missing may be anything from 0 to
the top: that gives the interval (docs/reference/coverage.md, docs/adr/0023).
"""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from bellwether.health.canonical import joined
from bellwether.health.formulas import Formula, Mean, in_order, quotient
from bellwether.health.measures import MEASURE_LABELS, MEASURES_BY_SLUG, Source
from bellwether.health.scorecard import Scorecard

FRESHNESS = {
    Source.USAGE: "days_since_use",
    Source.FEATURES: "days_since_use",
    Source.COUNTS: "days_since_use",
    Source.TICKETS: "days_since_ticket",
    Source.SURVEYS: "days_since_survey",
    Source.ACTIVITIES: "days_since_contact",
    Source.CONTACTS: "days_since_contact",
}
"""By source of a component's measures: the measure that says how old the newest record of the client is."""


def share_with_data(formula: Formula) -> pl.Expr:
    """Return the share (0-1) of the formula's weight that had data."""
    if not isinstance(formula, Mean):
        return pl.when(formula.has_data().fill_null(False)).then(1.0).otherwise(0.0)
    whole = sum(part.weight for part in formula.parts)
    covered = in_order([part.weight * share_with_data(part.formula) for part in formula.parts])
    return (covered * (1.0 / whole)).round(9)  # 0.7 and not 0.7000000000000001


def leaves(formula: Formula) -> list[Formula]:
    """Return the parts of a formula that are no means themselves."""
    if not isinstance(formula, Mean):
        return [formula]
    return [leaf for part in formula.parts for leaf in leaves(part.formula)]


def shares(measures: pl.DataFrame, scorecard: Scorecard) -> pl.DataFrame:
    """Return a column per component: the share (0-1) of its formula's weight that had data."""
    frame = _complete(measures, scorecard)
    return frame.select(share_with_data(c.formula).alias(c.key) for c in scorecard.components)


def intervals(scored: pl.DataFrame, given: pl.DataFrame, scorecard: Scorecard) -> pl.DataFrame:
    """Return interval_low and interval_high (Int32, 0-100): where the score may lie whatever the missing data are.

    `scored` has the engine's columns, `given` those of `shares`. Null where nothing is missing and where there is no
    score. The lower bound is rounded down, the upper one up, so that they always hold the score.
    """
    whole = 1.0 if scorecard.points else sum(c.weight for c in scorecard.components)
    low, high, missing = [], [], []
    frame = scored.with_columns(given[c.key].alias(f"__share_{c.key}") for c in scorecard.components)
    for component in scorecard.components:
        share = pl.col(f"__share_{component.key}")
        top = component.weight if scorecard.points else 100.0
        weight = 1.0 if scorecard.points else component.weight
        known = weight * share * pl.col(component.key).fill_null(0.0)
        low.append(known)
        high.append(known + weight * (1.0 - share) * top)
        missing.append(component.weight * (1.0 - share))
    thin = pl.col("score").is_not_null() & (in_order(missing) > 1e-9)
    lower = (quotient(in_order(low), pl.lit(whole)) + 1e-9).floor()
    upper = (quotient(in_order(high), pl.lit(whole)) - 1e-9).ceil()
    score = pl.col("score").cast(pl.Float64)
    return frame.select(
        pl.when(thin).then(pl.min_horizontal(lower.clip(0, 100), score)).cast(pl.Int32).alias("interval_low"),
        pl.when(thin).then(pl.max_horizontal(upper.clip(0, 100), score)).cast(pl.Int32).alias("interval_high"),
    )


def component_data(measures: pl.DataFrame, given: pl.DataFrame, scorecard: Scorecard) -> pl.Series:
    """Return what each component rests on as canonical JSON: coverage, as_of (date or null), stale_days and reason.

    `measures` has the date and the measures, `given` the columns of `shares`. `reason` is "" where all parts have data.
    """
    frame = _complete(measures, scorecard)
    pieces: list[str | pl.Series] = ["{"]
    newest: dict[tuple[str, ...], tuple[pl.Series, pl.Series]] = {}
    for component in sorted(scorecard.components, key=lambda c: c.key):
        middle = _middles(frame, given[component.key], component.formula)
        slugs = _freshness(component.formula)
        if slugs not in newest:
            newest[slugs] = _newest(frame, slugs)
        as_of, days = newest[slugs]
        comma = "," if len(pieces) > 1 else ""
        pieces += [f'{comma}"{component.key}":{{"as_of":', as_of, ",", middle, ',"stale_days":', days, "}"]
    return joined([*pieces, "}"], frame.height).alias("component_data")


def _newest(frame: pl.DataFrame, slugs: Sequence[str]) -> tuple[pl.Series, pl.Series]:
    """Return the day of the newest record and how many days ago it was, as JSON texts. Each day is written once."""
    days = frame.select(pl.min_horizontal(pl.lit(None, pl.Int64), *slugs).alias("days"))["days"]
    days = days if len(days) == frame.height else days.new_from_index(0, frame.height)
    as_of = frame.select((pl.col("date") - pl.duration(days=pl.lit(days))).alias("as_of"))["as_of"]
    known = as_of.unique().drop_nulls()
    texts = known.cast(pl.String)
    quoted = pl.concat_str(pl.lit('"'), pl.lit(texts), pl.lit('"'))
    written = as_of.replace_strict(
        known, pl.select(quoted.alias("text"))["text"], default="null", return_dtype=pl.String
    )
    return written.fill_null("null"), days.cast(pl.String).fill_null("null")


def _freshness(formula: Formula) -> tuple[str, ...]:
    sources = {MEASURES_BY_SLUG[slug].source for slug in formula.measures if slug in MEASURES_BY_SLUG}
    return tuple(sorted({FRESHNESS[source] for source in sources if source in FRESHNESS}))


def _middles(frame: pl.DataFrame, share: pl.Series, formula: Formula) -> pl.Series:
    """Return per row `"coverage":…,"reason":…`. Few different ones exist, so each is made once."""
    parts = leaves(formula)
    bits = in_order(
        [
            pl.when(part.has_data().fill_null(False)).then(0).otherwise(pl.lit(1 << n, pl.Int64))
            for n, part in enumerate(parts)
        ]
    )
    nulls = sorted(formula.measures)
    more = [
        pl.when(pl.col(slug).is_null()).then(pl.lit(1 << (n + len(parts)), pl.Int64)).otherwise(0)
        for n, slug in enumerate(nulls)
    ]
    masks = frame.select(in_order([bits, *more]).alias("bits"))["bits"].to_numpy()
    present, first, at = np.unique(masks, return_index=True, return_inverse=True)
    texts = []
    for mask, row in zip(present.tolist(), first.tolist(), strict=True):
        lacking = [part for n, part in enumerate(parts) if mask >> n & 1]
        absent = {slug for n, slug in enumerate(nulls) if mask >> (n + len(parts)) & 1}
        texts.append(
            f'"coverage":{float(share[row])!r},"reason":{json.dumps(_reason(lacking, absent), ensure_ascii=False)}'
        )
    return pl.Series("middle", texts, pl.String).gather(at)


def _reason(lacking: Sequence[Formula], absent: set[str]) -> str:
    if not lacking:
        return ""
    names = [MEASURE_LABELS.get(slug, slug) for part in lacking for slug in sorted(part.measures & absent)]
    if not names:
        return "Nothing to count yet"
    return f"No value for {', '.join(dict.fromkeys(names))}"


def _complete(measures: pl.DataFrame, scorecard: Scorecard) -> pl.DataFrame:
    wanted = {*scorecard.measures, *FRESHNESS.values()}
    return measures.with_columns(
        pl.lit(None, pl.Float64 if name in scorecard.measures else pl.Int64).alias(name)
        for name in sorted(wanted - set(measures.columns))
    )


def parts_with_data(formula: Formula, inputs: Mapping[str, object]) -> tuple[int, int]:
    """Return how many parts of a formula had all their measures, and how many parts there are."""
    parts = leaves(formula)
    return sum(all(inputs.get(slug) is not None for slug in part.measures) for part in parts), len(parts)
