"""The score engine: a frame of measures in, a frame of scores out. Pure, vectorised, for any scorecard and any dates.

Source: formulas.md, section 2. Rounding is half-up. A component without data is missing: the other weights are scaled
up and `coverage` falls. In a points scorecard a component without data gives 0 points.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from bellwether.common.frames import check_frame
from bellwether.common.rounding import half_up_expr
from bellwether.health.formulas import DataWhereValue, in_order, quotient
from bellwether.health.held_values import take_lower
from bellwether.health.scorecard import RiskLevel, Scorecard, TrendRule

PRODUCT_BANDS = ("HEALTHY", "MONITOR", "AT_RISK", "CRITICAL")
CERTAIN_COVERAGE = 0.5
HISTORY = {"client_id": pl.String, "date": pl.Date, "score": pl.Int32}

SPAN = 2**32
"""More days than there are between any two dates."""

_DATA = "__data_"


def score_measures(
    measures: pl.DataFrame, scorecard: Scorecard, *, history: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return one row per row of `measures`, in the same order.

    `measures` has client_id (String), date (Date) and the measures of the scorecard; absent measure columns count as
    null. `expected_dau` is derived from tier and seats where the column is absent. With a column previous_score the
    trend is measured against it, else against the scores of this frame and of `history` (client_id, date, score).

    Columns such as "csat_90d.held" hold the last known value of a source that is lost: it counts where it makes the
    score lower, and is no data (health.held_values).

    Columns of the answer: client_id, date, one Float64 per component (exact, null when missing), score (Int32 0-100,
    null while coverage is below the scorecard's minimum), exact (Float64, unrounded score), coverage (0-1), missing
    (list of component keys without data), status (the scorecard's own word or ""), health_status (HEALTHY, MONITOR,
    AT_RISK, CRITICAL or null; not better than MONITOR under 50 % coverage), trend, trend_change (Int32), previous_score
    (Int32), risk, no_score_reason ("" when there is a score).
    """
    frame = _with_scores(measures, scorecard)
    previous = (
        frame["previous_score"].cast(pl.Int32)
        if "previous_score" in measures.columns
        else previous_scores(frame.select("client_id", "date", "score"), scorecard, history=history)
    )
    return _judged(frame, scorecard, previous)


def score_components(measures: pl.DataFrame, scorecard: Scorecard) -> pl.DataFrame:
    """Return one Float64 column per component, as `score_measures` has it, and nothing else: no score, no trend."""
    return _with_scores(measures, scorecard).select(component.key for component in scorecard.components)


def score_parts(
    parts: Sequence[tuple[pl.DataFrame, Scorecard]], *, history: pl.DataFrame | None = None
) -> list[pl.DataFrame]:
    """Return what `score_measures` returns for each part: rows of one pass that different scorecards score.

    No client and date is in two parts, none has a column previous_score. Trends look back into all parts: a client that
    another configuration scored last month is compared with that score.
    """
    if len(parts) == 1:
        return [score_measures(*parts[0], history=history)]
    frames = [_with_scores(measures, scorecard) for measures, scorecard in parts]
    whole = pl.concat([frame.select("client_id", "date", "score") for frame in frames])
    by_rule: dict[TrendRule, pl.Series] = {}
    judged, at = [], 0
    for frame, (_, scorecard) in zip(frames, parts, strict=True):
        if scorecard.trend not in by_rule:
            by_rule[scorecard.trend] = previous_scores(whole, scorecard, history=history)
        judged.append(_judged(frame, scorecard, by_rule[scorecard.trend].slice(at, frame.height)))
        at += frame.height
    return judged


def _with_scores(measures: pl.DataFrame, scorecard: Scorecard) -> pl.DataFrame:
    """Return `measures` with the components, what they rest on, and the score."""
    check_frame(measures, {"client_id": pl.String, "date": pl.Date}, name="The frame of measures")
    frame = with_expected_dau(measures, scorecard)
    absent = [name for name in scorecard.measures if name not in frame.columns]
    frame = frame.with_columns(pl.lit(None, pl.Float64).alias(name) for name in absent)
    keys = [component.key for component in scorecard.components]
    frame = frame.with_columns(  # all at once: a component may be called what a measure is called
        *[
            (half_up_expr(c.formula.value()).cast(pl.Float64) if c.whole else c.formula.value()).alias(c.key)
            for c in scorecard.components
        ],
        *[
            c.formula.has_data().alias(_DATA + c.key)
            for c in scorecard.components
            if not isinstance(c.formula, DataWhereValue)
        ],
    )
    frame = frame.with_columns(
        pl.col(c.key).is_not_null().alias(_DATA + c.key)
        for c in scorecard.components
        if isinstance(c.formula, DataWhereValue)
    )
    if scorecard.points:
        frame = frame.with_columns(pl.when(pl.col(_DATA + key)).then(pl.col(key)).otherwise(0.0) for key in keys)
    return take_lower(combine(frame, scorecard), scorecard, lambda filled: _with_scores(filled, scorecard))


def _judged(frame: pl.DataFrame, scorecard: Scorecard, previous: pl.Series) -> pl.DataFrame:
    frame = _with_verdict(frame.with_columns(previous.alias("previous_score")), scorecard)
    return frame.select(
        "client_id", "date", *scorecard.weights, "score", "exact", "coverage", "missing", "status", "health_status",
        "trend", "trend_change", "previous_score", "risk", "no_score_reason",
    )  # fmt: skip


def combine(frame: pl.DataFrame, scorecard: Scorecard) -> pl.DataFrame:
    """Return `frame` with exact, score, coverage and missing from its component columns.

    `frame` has one Float64 column per component; columns named "__data_" + key say whether a component rests on data
    (where absent: whether it is not null).
    """
    components = scorecard.components
    whole = sum(c.weight for c in components)
    data = {
        c.key: pl.col(_DATA + c.key) if _DATA + c.key in frame.columns else pl.col(c.key).is_not_null()
        for c in components
    }
    covered = in_order([pl.when(data[c.key]).then(c.weight).otherwise(0.0) for c in components])
    if scorecard.points:
        exact = in_order([pl.col(c.key).fill_null(0.0) for c in components])
    else:
        weighted = in_order([c.weight * pl.col(c.key).fill_null(0.0) for c in components])
        present = in_order([pl.when(pl.col(c.key).is_not_null()).then(c.weight).otherwise(0.0) for c in components])
        exact = pl.when(present > 0).then(quotient(weighted, present))
    frame = frame.with_columns(
        quotient(covered, pl.lit(whole)).alias("coverage"),
        _missing(frame, [component.key for component in components], data),
        exact.alias("exact"),
    )
    enough = (pl.col("coverage") >= scorecard.minimum_coverage - 1e-9) & (pl.col("coverage") > 0)
    scored = pl.when(enough).then(pl.col("exact"))
    return frame.with_columns(scored.alias("exact"), half_up_expr(scored).alias("score"))


def _missing(frame: pl.DataFrame, keys: Sequence[str], data: Mapping[str, pl.Expr]) -> pl.Series:
    """Return the list of keys without data per row. Few different lists exist, so each is made once."""
    bits = in_order([pl.when(~data[key]).then(pl.lit(1 << n, pl.Int64)).otherwise(0) for n, key in enumerate(keys)])
    present, at = np.unique(frame.select(bits.alias("bits"))["bits"].to_numpy(), return_inverse=True)
    lists = [[key for n, key in enumerate(keys) if mask >> n & 1] for mask in present.tolist()]
    return pl.Series("missing", lists, pl.List(pl.String)).gather(at)


def previous_scores(current: pl.DataFrame, scorecard: Scorecard, *, history: pl.DataFrame | None = None) -> pl.Series:
    """Return the score that each row of `current` (client_id, date, score) is compared with, null where there is none.

    The scorecard's trend rule decides: the oldest score of its window that is at least `at_least` days back, or the
    newest score before the date. Scores come from `current` itself and from `history`; `current` wins.
    """
    rule = scorecard.trend
    known = current.select(*HISTORY)
    if history is not None and history.height:
        check_frame(history, HISTORY, name="The score history")
        known = pl.concat([known, history.select(*HISTORY)])
    every = _positions(known["client_id"], known["date"])
    known_at, first = np.unique(every, return_index=True)  # the first of a client and date: `current` wins
    scored = known["score"].is_not_null().to_numpy()[first]
    known_at, scores = known_at[scored], known["score"].gather(first[scored])
    wanted = every[: current.height]
    if rule.against == "window":
        found = np.searchsorted(known_at, wanted - rule.days)
        latest = wanted - rule.at_least
    else:
        found = np.searchsorted(known_at, wanted - 1, side="right") - 1
        latest = wanted - 1
    inside = (found >= 0) & (found < len(known_at))
    at = known_at[np.where(inside, found, 0)] if len(known_at) else np.zeros_like(wanted)
    fits = inside & (at // SPAN == wanted // SPAN) & (at <= latest)
    return scores.gather(pl.Series(found).set(~pl.Series(fits), None)).cast(pl.Int32).alias("previous_score")


def _positions(clients: pl.Series, dates: pl.Series) -> npt.NDArray[np.int64]:
    """Return one number per client and date; those of a client lie together, in the order of dates, far from others."""
    codes = clients.rank("dense").cast(pl.Int64).to_numpy()
    numbers: npt.NDArray[np.int64] = codes * SPAN + SPAN // 2 + dates.cast(pl.Int32).cast(pl.Int64).to_numpy()
    return numbers


def with_expected_dau(measures: pl.DataFrame, scorecard: Scorecard) -> pl.DataFrame:
    """Return `measures` with expected_dau by the scorecard, if it reads that and it is not there already."""
    if "expected_dau" not in scorecard.measures or "expected_dau" in measures.columns:
        return measures
    return measures.with_columns(expected_dau(measures, scorecard).alias("expected_dau"))


def expected_dau(frame: pl.DataFrame, scorecard: Scorecard) -> pl.Expr:
    """Return seats times the expected daily rate of the tier, null without seats or tier.

    Seats are licensed_user_count, else total_users; zero counts as not given (formulas.md, section 2.1).
    """

    def positive(name: str) -> pl.Expr:
        if name not in frame.columns:
            return pl.lit(None, pl.Float64)
        return pl.when(pl.col(name) > 0).then(pl.col(name).cast(pl.Float64))

    if "tier" not in frame.columns:
        return pl.lit(None, pl.Float64)
    rates = dict(scorecard.expected_daily_rate)
    tier = pl.col("tier").cast(pl.String).str.to_lowercase()
    rate = tier.replace_strict(rates, default=None, return_dtype=pl.Float64)
    return pl.coalesce(positive("licensed_user_count"), positive("total_users")) * rate


def _with_verdict(frame: pl.DataFrame, scorecard: Scorecard) -> pl.DataFrame:
    """Return `frame` with status, health_status, trend, trend_change, risk and no_score_reason."""
    score = pl.col("score")
    scored = score.is_not_null()
    change = score - pl.col("previous_score")
    rule = scorecard.trend
    direction = pl.when(change > rule.threshold).then(1).when(change < -rule.threshold).then(-1).otherwise(0)
    trend = pl.when(direction == 1).then(pl.lit(rule.up)).when(direction == -1).then(pl.lit(rule.down))
    limits = scorecard.thresholds
    product = (
        pl.when((score >= limits.healthy) & (pl.col("coverage") >= CERTAIN_COVERAGE - 1e-9))
        .then(pl.lit("HEALTHY"))
        .when(score >= limits.monitor)
        .then(pl.lit("MONITOR"))
        .when(score >= limits.at_risk)
        .then(pl.lit("AT_RISK"))
        .otherwise(pl.lit("CRITICAL"))
    )
    basis = pl.col("exact") if scorecard.risk_from_exact else score
    return frame.with_columns(
        pl.when(scored).then(change).cast(pl.Int32).alias("trend_change"),
        pl.when(scored).then(trend.otherwise(pl.lit(rule.flat))).otherwise(pl.lit("")).alias("trend"),
        pl.when(scored).then(_own_band(score, scorecard)).otherwise(pl.lit("")).alias("status"),
        pl.when(scored).then(product).alias("health_status"),
        pl.when(scored).then(_risk(basis, direction == -1, scorecard.risk)).otherwise(pl.lit("")).alias("risk"),
        _reasons(frame, scorecard),
    )


def _own_band(score: pl.Expr, scorecard: Scorecard) -> pl.Expr:
    word: pl.Expr = pl.lit("")
    for band in sorted(scorecard.bands, key=lambda band: band.minimum):
        word = pl.when(score >= band.minimum).then(pl.lit(band.word)).otherwise(word)
    return word


def _risk(basis: pl.Expr, down: pl.Expr, levels: tuple[RiskLevel, ...]) -> pl.Expr:
    """Return the word of the first level that applies; noise below 1e-9 never decides."""
    word: pl.Expr = pl.lit("")
    for level in reversed(levels):
        applies = pl.lit(level.below is None and level.below_if_down is None and not level.any_down)
        if level.below is not None:
            applies = applies | (basis + 1e-9 < level.below)
        if level.below_if_down is not None:
            applies = applies | (down & (basis + 1e-9 < level.below_if_down))
        if level.any_down:
            applies = applies | down
        word = pl.when(applies.fill_null(False)).then(pl.lit(level.word)).otherwise(word)
    return word


def _reasons(frame: pl.DataFrame, scorecard: Scorecard) -> pl.Series:
    """Return why a row has no score, "" where it has one. Only rows without a score are worked on."""
    labels = {component.key: component.label for component in scorecard.components}
    missing = pl.col("missing").list.eval(pl.element().replace_strict(labels, default=pl.element())).list.join(", ")
    percent = (100 * pl.col("coverage")).round(0).cast(pl.Int32)
    needed = max(1, round(100 * scorecard.minimum_coverage))
    text = pl.format(f"{{}}% of the weight has data, {needed}% is needed; missing: {{}}", percent, missing)
    unscored = frame["score"].is_null()
    reasons = pl.Series("no_score_reason", [""], pl.String).new_from_index(0, frame.height)
    rows = unscored.arg_true()
    if rows.is_empty():
        return reasons
    return reasons.scatter(rows, frame.filter(unscored).select(text).to_series())
