"""SUPPORT_SPIKE, NPS_DETRACTOR, PAYMENT_ISSUE and RENEWAL_APPROACHING: what records say. Pure."""

import polars as pl

from bellwether.alerts.detecting_usage import with_clears
from bellwether.alerts.episodes import Span, from_days, from_spans
from bellwether.alerts.frames import Facts, Rules
from bellwether.common.rounding import NOISE

PASSIVE = 7
"""An NPS answer from here on is no detractor's (formulas.md, section 6)."""


def support_spikes(facts: Facts, rules: Rules, span: Span) -> pl.DataFrame:
    """Return SUPPORT_SPIKE: so many times the normal week in 7 days; clears under half as many, or without a ticket."""
    mine = with_clears("SUPPORT_SPIKE", rules.of("SUPPORT_SPIKE"))
    many = (pl.col("tickets_7d") >= pl.col("times") * pl.col("weekly") - NOISE).fill_null(False)
    few = (pl.col("tickets_7d") < pl.col("clears_at") * pl.col("weekly") - NOISE).fill_null(False)
    days = facts.tickets.join(mine, on="client_id", how="inner").with_columns(
        subject=pl.lit(""),
        fires=many & (pl.col("tickets_7d") >= pl.col("tickets")),
        clears=few | (pl.col("tickets_7d") == 0),
        depth=pl.col("tickets_7d").cast(pl.Float64),
        weekly=pl.col("weekly").round(2),
        metric=pl.lit("tickets_7d"),
        value=pl.format("{} tickets in 7 days", "tickets_7d"),
        threshold=pl.format("{} times the normal {} a week", pl.col("times"), pl.col("weekly").round(1)),
        related_type=pl.lit(""),
        related_id=pl.lit(""),
    )
    return from_days("SUPPORT_SPIKE", days, span, evidence=("tickets_7d", "weekly"))


def detractors(facts: Facts, rules: Rules, span: Span) -> pl.DataFrame:
    """Return NPS_DETRACTOR by answer: one so low; clears with a later answer of 7 or more.

    A later low answer of the same person takes its place, so that each tells once, also where the one before was
    resolved by hand. An answer of nobody in particular may be cleared by any later one of nobody.
    """
    answers = facts.answers.join(rules.of("NPS_DETRACTOR"), on="client_id", how="inner")
    anonymous, low = pl.col("respondent") == "", pl.col("score") <= pl.col("at_most")
    better = (pl.col("score") >= PASSIVE) & ~low
    person = ["client_id", "respondent"]
    named = answers.filter(~anonymous & (low | better)).sort(*person, "date")
    named = named.with_columns(ends_on=pl.col("date").shift(-1).over(person)).filter(low)
    nobody = answers.filter(anonymous)
    later = nobody.filter(better).select("client_id", ends_on="date").sort("ends_on")
    theirs = (
        nobody.filter(low)
        .with_columns(after=pl.col("date") + pl.duration(days=1))
        .sort("after")
        .join_asof(
            later, left_on="after", right_on="ends_on", by="client_id", strategy="forward", check_sortedness=False
        )
    )  # fmt: skip
    found = pl.concat([named, theirs.select(named.columns)])
    opens = found.with_columns(fires=pl.lit(True), clears=pl.lit(False))
    ends = found.filter(pl.col("ends_on").is_not_null()).with_columns(
        date="ends_on", fires=pl.lit(False), clears=pl.lit(True)
    )
    days = pl.concat([opens, ends]).with_columns(
        subject="answer_id",
        metric=pl.lit("nps_answer"),
        value=pl.col("score").round().cast(pl.Int64).cast(pl.String),
        threshold=pl.format("{} or less", pl.col("at_most").cast(pl.Int64)),
        related_type=pl.when(pl.col("contact_id") != "").then(pl.lit("contact")).otherwise(pl.lit("answer")),
        related_id=pl.when(pl.col("contact_id") != "").then("contact_id").otherwise("answer_id"),
        answered_on=pl.col("date").cast(pl.String),
    )
    return from_days("NPS_DETRACTOR", days, span, evidence=("score", "answered_on", "answer_id", "contact_id"))


def payment_issues(facts: Facts, rules: Rules, span: Span) -> pl.DataFrame:
    """Return PAYMENT_ISSUE: late, or one severity higher overdue; clears when current."""
    days = facts.payments.join(rules.of("PAYMENT_ISSUE"), on="client_id", how="inner").with_columns(
        subject=pl.lit(""),
        fires=pl.col("status").is_in(["late", "overdue"]),
        clears=pl.col("status") == "current",
        urgent=pl.col("status") == "overdue",
        metric=pl.lit("payment_status"),
        value="status",
        threshold=pl.lit("current"),
        related_type=pl.lit(""),
        related_id=pl.lit(""),
    )
    return from_days("PAYMENT_ISSUE", days.drop_nulls("status"), span, evidence=("status",))


def renewals(facts: Facts, rules: Rules, span: Span) -> pl.DataFrame:
    """Return RENEWAL_APPROACHING by renewal and threshold: each of the three takes the place of the one before.

    So each tells once and dismissing one does not hide the next. Each clears when it is known how the term ended.
    """
    mine = rules.of("RENEWAL_APPROACHING")
    terms = facts.terms.drop_nulls("renews_on").join(mine, on="client_id", how="inner")
    steps = ("first_days", "second_days", "third_days")
    parts = []
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        on = pl.col("renews_on") - pl.duration(days=pl.col(step).cast(pl.Int64))
        until = pl.col("renews_on") - pl.duration(days=pl.col(following).cast(pl.Int64)) if following else None
        parts.append(
            terms.with_columns(
                starts_on=on,
                began=pl.col("starts_on"),
                ends_on=pl.min_horizontal("settled_on", until) if until is not None else pl.col("settled_on"),
                days=pl.col(step).cast(pl.Int64),
            ).filter((pl.col("starts_on") > pl.col("began")).fill_null(True))
        )
    rows = pl.concat(parts)
    spans = rows.select(
        "client_id",
        "rule_severity",
        "starts_on",
        "ends_on",
        "days",
        subject=pl.format("{}/{}", pl.col("renews_on").cast(pl.String), "days"),
        metric=pl.lit("days_to_renewal"),
        value=pl.format("renews on {}", pl.col("renews_on").cast(pl.String)),
        threshold=pl.format("{} days", "days"),
        related_type=pl.lit("contract"),
        related_id=pl.col("renews_on").cast(pl.String),
        renews_on=pl.col("renews_on").cast(pl.String),
    )
    return from_spans("RENEWAL_APPROACHING", spans, span, evidence=("renews_on", "days"))
